//! Each fault is seen to strike, and a plan without faults changes nothing.

use std::time::Duration;

use base::fault::Classified as _;
use base::{ByteCount, Fault};

use super::*;
use crate::conformance::{self, Capabilities};
use crate::memory::MemoryClient;

fn bucket() -> BucketName {
    BucketName::new("b1b").unwrap()
}

fn key(key: &str) -> Key {
    Key::new(key).unwrap()
}

fn over(store: &MemoryClient, seed: u64, plan: Plan) -> Faulty {
    Faulty::new(Arc::new(store.clone()), seed, plan)
}

/// A store with one object of 100,000 bytes.
fn store() -> MemoryClient {
    let store = MemoryClient::with_buckets(["b1b"]);
    store.insert_ramp("b1b", "k", 0, ByteCount(100_000));
    store
}

async fn read(client: &Faulty) -> Result<Bytes> {
    let output = client.get_object(GetObject::new(bucket(), key("k"))).await;
    output?.body.collect().await
}

fn put(name: &str) -> PutObject {
    PutObject {
        bucket: bucket(),
        key: key(name),
        payload: Payload::from_bytes("content"),
        attributes: ObjectAttributes::default(),
        condition: PutCondition::None,
    }
}

#[tokio::test(start_paused = true)]
async fn without_faults_or_with_such_as_clients_mend_it_is_the_store() {
    let mut mended = Plan::calm();
    mended.retry.tries_max = 30;
    mended.latency_max = Duration::from_millis(20);
    (mended.resets, mended.errors, mended.stalls) = (100, 100, 30);
    let store = MemoryClient::new(crate::MemoryOptions::default());
    let report = conformance::run(&store, &Capabilities::all()).await;
    for plan in [Plan::calm(), mended] {
        let faulty = over(&store, 7, plan);
        let through = conformance::run(&faulty, &Capabilities::all()).await;
        let outcomes = |report: &conformance::ConformanceReport| -> Vec<(String, bool)> {
            let checks = report.checks.iter();
            let passed = |outcome: &conformance::Outcome| *outcome == conformance::Outcome::Passed;
            checks
                .map(|check| (check.name.clone(), passed(&check.outcome)))
                .collect()
        };
        assert_eq!(outcomes(&through), outcomes(&report), "{through}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_makes_the_same_faults() {
    let run = async |seed: u64| {
        let store = store();
        let faulty = over(&store, seed, Plan::of_seed(3));
        let mut answers = Vec::new();
        for round in 0..20 {
            answers.push(match read(&faulty).await {
                Ok(bytes) => format!("{} bytes", bytes.len()),
                Err(error) => error.to_string(),
            });
            let stored = faulty.put_object(put(&format!("{round}"))).await;
            answers.push(format!("{:?}", stored.map(|stored| stored.etag)));
        }
        (answers, faulty.faults(), faulty.0.begin.elapsed())
    };
    assert_eq!(run(11).await, run(11).await);
    assert_ne!(run(11).await, run(12).await);
}

#[tokio::test(start_paused = true)]
async fn bodies_break_stall_end_early_and_change() {
    let set: [fn(&mut Plan); 4] = [
        |plan| plan.broken_bodies = 1_000,
        |plan| plan.stalled_bodies = 1_000,
        |plan| plan.short_bodies = 1_000,
        |plan| plan.wrong_bodies = 1_000,
    ];
    let store = store();
    let whole = store.bytes("b1b", "k").unwrap();
    for seed in 0..20 {
        for (index, set) in set.iter().enumerate() {
            let mut plan = Plan::calm();
            set(&mut plan);
            let faulty = over(&store, seed, plan);
            let begun = Instant::now();
            match (index, read(&faulty).await) {
                (0, Err(error)) => assert_eq!(error.fault(), Fault::Unavailable),
                (1, Err(_)) => assert!(begun.elapsed() >= Duration::from_secs(30)),
                (2, Ok(bytes)) => assert!(bytes.len() < whole.len() && whole.starts_with(&bytes)),
                (3, Ok(bytes)) => {
                    let differ = bytes.iter().zip(&whole).filter(|(a, b)| a != b).count();
                    assert_eq!((bytes.len(), differ), (whole.len(), 1));
                }
                (_, other) => panic!("{index}: {other:?}"),
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_of_a_store_that_acted() {
    let store = store();
    let mut plan = Plan::calm();
    plan.lost_answers = 1_000;
    let faulty = over(&store, 7, plan);
    faulty.put_object(put("new")).await.unwrap_err();
    assert_eq!(store.bytes("b1b", "new").unwrap(), "content");
    let create = CreateMultipartUpload {
        bucket: bucket(),
        key: key("large"),
        attributes: ObjectAttributes::default(),
    };
    faulty.create_multipart_upload(create).await.unwrap_err();
    assert_eq!(store.upload_count("b1b"), faulty.lost_uploads().len());
    assert_eq!(faulty.lost_uploads().len(), 4, "one a try");
}

#[tokio::test(start_paused = true)]
async fn spells_pass_and_others_write_between_two_requests() {
    let store = store();
    let spell = Spell {
        good_max: Duration::from_secs(2),
        bad_max: Duration::from_secs(60),
    };
    let mut plan = Plan::calm();
    plan.latency_max = Duration::from_secs(1);
    plan.storms = Some(spell);
    let faulty = over(&store, 7, plan.clone());
    let mut endings = Vec::new();
    for _ in 0..200 {
        let fault = read(&faulty).await.map_err(|error| error.fault());
        endings.push(fault.is_ok());
    }
    assert!(endings.contains(&true) && endings.contains(&false));

    plan.storms = None;
    (plan.changes, plan.changing, plan.changes_max) = (1_000, Some(bucket()), 3);
    let faulty = over(&store, 7, plan);
    for _ in 0..5 {
        match read(&faulty).await {
            Ok(bytes) => assert_eq!(Some(bytes), faulty.changes().last().unwrap().bytes),
            Err(error) => assert_eq!(error.fault(), Fault::NotFound),
        }
    }
    assert_eq!(faulty.changes().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn listings_break_on_a_page_and_deletes_for_a_key() {
    let store = MemoryClient::new(crate::MemoryOptions {
        page_rows_max: 3,
        ..crate::MemoryOptions::default()
    });
    for number in 0..9 {
        store.insert("b1b", &format!("k{number}"), "x");
    }
    let mut plan = Plan::calm();
    (plan.repeated_tokens, plan.swapped_rows) = (1_000, 1_000);
    let faulty = over(&store, 7, plan);
    let mut request = ListObjects::new(bucket(), "");
    let first = faulty.list_objects(request.clone()).await.unwrap();
    assert!(
        !first
            .objects
            .is_sorted_by(|one, other| one.key <= other.key)
    );
    request.continuation_token = first.next;
    let second = faulty.list_objects(request.clone()).await.unwrap();
    assert_eq!(second.next, request.continuation_token);

    let mut plan = Plan::calm();
    (plan.lost_pages, plan.failed_deletes) = (1_000, 500);
    let faulty = over(&store, 7, plan);
    faulty.list_objects(request).await.unwrap_err();
    let object = |number| crate::types::ObjectIdentifier {
        key: key(&format!("k{number}")),
        version_id: None,
    };
    let request = DeleteObjects {
        bucket: bucket(),
        objects: (0..9).map(object).collect(),
    };
    let output = faulty.delete_objects(request).await.unwrap();
    assert_eq!(output.deleted.len() + output.failed.len(), 9);
    assert_eq!(store.keys("b1b").len(), output.failed.len());
    assert!(!output.failed.is_empty() && !output.deleted.is_empty());
}
