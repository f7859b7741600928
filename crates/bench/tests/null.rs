//! The null endpoint as the minimal client meets it.

use std::path::Path;

use base::tasks;
use bench::floor::{Body, Connection, FileBody, Target};
use bench::null::{NullEndpoint, NullOptions};
use bytes::Bytes;

/// The bytes of synthetic objects of this size.
fn ramp(size: usize) -> Vec<u8> {
    (0..251).cycle().take(size).collect()
}

async fn connect(options: &NullOptions) -> Connection {
    let endpoint = NullEndpoint::bind(options).await.expect("a free port");
    let host = endpoint.address().expect("it is bound").to_string();
    tasks::spawn("endpoint", endpoint.run());
    Connection::open(&host).await.expect("it listens")
}

#[tokio::test]
async fn what_is_made_up_has_its_own_checksum() {
    let folder = tempfile::tempdir().unwrap();
    let mut connection = connect(&NullOptions::default()).await;
    for size in [0, 1, 300_000] {
        let file = folder.path().join("object");
        let path = format!("/keys-3-{size}/d000000/k000000002");
        // The client compares the checksum that comes with the object.
        connection.get_into(&path, &file).await.unwrap();
        assert!(std::fs::read(&file).unwrap() == ramp(size), "{size}");
        connection.head(&path).await.unwrap();
    }
    let absent = connection.head("/keys-3-1/d000000/k000000003").await;
    assert!(absent.is_err());
}

#[tokio::test]
async fn wrong_bytes_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, ramp(70_000)).unwrap();
    let mut connection = connect(&NullOptions::default()).await;
    for signed in [false, true] {
        let right = FileBody::read(&file, signed).unwrap();
        let (checks, target) = (right.checks.clone(), Target::new("/sent/key"));
        connection.put(target, checks, right.body).await.unwrap();
        let wrong = Body::Held(Bytes::from(vec![7; 70_000]));
        let target = Target::new("/sent/key");
        let refused = connection.put(target, right.checks, wrong).await;
        assert!(format!("{:#}", refused.unwrap_err()).contains("400"));
    }
    connection.head("/sent/key").await.unwrap();
}

#[tokio::test]
async fn trouble_comes_as_often_as_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let options = NullOptions {
        corrupt_every: Some(3),
        ..NullOptions::default()
    };
    let mut connection = connect(&options).await;
    let mut wrong = 0;
    for _ in 0..9 {
        wrong += usize::from(!arrives(&mut connection, folder.path()).await);
    }
    assert_eq!(wrong, 3);
}

async fn arrives(connection: &mut Connection, folder: &Path) -> bool {
    let path = "/keys-1-1000/d000000/k000000000";
    connection
        .get_into(path, &folder.join("object"))
        .await
        .is_ok()
}

#[tokio::test]
async fn pages_hold_a_thousand_keys() {
    let mut connection = connect(&NullOptions::default()).await;
    assert_eq!(connection.list("keys-1500-1", 0).await.unwrap(), 1_000);
    assert_eq!(connection.list("keys-1500-1", 1_000).await.unwrap(), 500);
}

#[tokio::test]
async fn copies_are_remembered() {
    let mut connection = connect(&NullOptions::default()).await;
    let target = Target::copy("/sent/copied", "/keys-1-5/d000000/k000000000");
    let nothing = None::<String>;
    connection
        .put(target, nothing.into(), Body::Empty)
        .await
        .unwrap();
    connection.head("/sent/copied").await.unwrap();
}
