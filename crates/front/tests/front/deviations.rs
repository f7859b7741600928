//! Deviations do what they say, and nothing else.

use std::time::Duration;

use front::deviation::{Action, ChecksumSupport, Disturbance, Refusal};
use front::{Deviation, Operation};
use http::Method;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::client::{deviating_server, open_server};

#[tokio::test]
async fn pages_are_bounded() {
    let client = deviating_server(Deviation {
        page_size_max: Some(2),
        ..Deviation::default()
    })
    .await;
    for key in ["a", "b", "c"] {
        client.put(&format!("/bucket/{key}"), "").await.expect(200);
    }
    let page = client
        .get("/bucket?list-type=2&max-keys=1000")
        .await
        .expect(200);
    assert_eq!(page.elements("Key"), ["a", "b"]);
    assert_eq!(page.element("MaxKeys"), Some("1000"));
    assert_eq!(page.element("IsTruncated"), Some("true"));
}

#[tokio::test]
async fn start_after_is_ignored_but_tokens_are_not() {
    let client = deviating_server(Deviation {
        ignore_start_after: true,
        ..Deviation::default()
    })
    .await;
    for key in ["a", "b", "c"] {
        client.put(&format!("/bucket/{key}"), "").await.expect(200);
    }
    let page = client
        .get("/bucket?list-type=2&max-keys=1&start-after=b")
        .await
        .expect(200);
    assert_eq!(page.elements("Key"), ["a"]);
    let token = page.element("NextContinuationToken").unwrap();
    let target = format!("/bucket?list-type=2&start-after=b&continuation-token={token}");
    let page = client.get(&target).await.expect(200);
    assert_eq!(page.elements("Key"), ["b", "c"]);
}

#[tokio::test]
async fn unordered_listings_are_complete() {
    let client = deviating_server(Deviation {
        unordered_listings: true,
        ..Deviation::default()
    })
    .await;
    let keys = ["ab", "ba", "ca", "cb", "da"];
    for key in keys {
        client.put(&format!("/bucket/{key}"), "").await.expect(200);
    }
    let mut listed = Vec::new();
    let mut token = String::new();
    loop {
        let page = client
            .get(&format!("/bucket?list-type=2&max-keys=2{token}"))
            .await
            .expect(200);
        listed.extend(page.elements("Key").into_iter().map(str::to_owned));
        match page.element("NextContinuationToken") {
            Some(next) => token = format!("&continuation-token={next}"),
            None => break,
        }
    }
    assert!(!listed.is_sorted(), "{listed:?}");
    listed.sort_unstable();
    assert_eq!(listed, keys);
}

#[tokio::test]
async fn checksums_are_ignored_or_refused() {
    let wrong = [("x-amz-checksum-crc32", "AAAAAA==")];
    let client = deviating_server(Deviation {
        checksums: ChecksumSupport::Ignored,
        ..Deviation::default()
    })
    .await;
    let answer = client
        .send(Method::PUT, "/bucket/key", &wrong, "x")
        .await
        .expect(200);
    assert_eq!(answer.header("x-amz-checksum-crc64nvme"), "");
    let create = [("x-amz-checksum-algorithm", "CRC64NVME")];
    let begun = client
        .send(Method::POST, "/bucket/key?uploads", &create, "")
        .await
        .expect(200);
    assert_eq!(begun.header("x-amz-checksum-algorithm"), "");

    let client = deviating_server(Deviation {
        checksums: ChecksumSupport::Refused,
        ..Deviation::default()
    })
    .await;
    let answer = client
        .send(Method::PUT, "/bucket/key", &wrong, "x")
        .await
        .expect(501);
    assert_eq!(answer.element("Code"), Some("NotImplemented"));
    client
        .send(Method::POST, "/bucket/key?uploads", &create, "")
        .await
        .expect(501);
    client.put("/bucket/key", "x").await.expect(200);
}

#[tokio::test]
async fn the_nth_request_fails_as_told() {
    let client = open_server().await;
    client.put("/bucket/key", "0123456789").await.expect(200);
    let disturbances = client.server.disturbances();
    disturbances.add(
        Disturbance::once(
            Operation::GetObject,
            Action::Answer(
                Refusal::slow_down(Some(3))
                    .header("x-amz-bucket-region", "eu-north-1")
                    .element("Region", "eu-north-1"),
            ),
        )
        .after(1)
        .times(2),
    );
    client.get("/bucket/key").await.expect(200);
    for _ in 0..2 {
        let slow = client.get("/bucket/key").await.expect(503);
        assert_eq!(slow.element("Code"), Some("SlowDown"));
        assert_eq!(slow.header("retry-after"), "3");
        assert_eq!(slow.header("x-amz-bucket-region"), "eu-north-1");
        assert_eq!(slow.element("Region"), Some("eu-north-1"));
        assert_eq!(
            slow.element("RequestId"),
            Some(slow.header("x-amz-request-id"))
        );
    }
    client.get("/bucket/key").await.expect(200);
    assert_eq!(disturbances.pending(), 0);

    disturbances.add(Disturbance::once(
        Operation::CopyObject,
        Action::ErrorInOk {
            code: "InternalError",
        },
    ));
    let copy = [("x-amz-copy-source", "/bucket/key")];
    let answer = client
        .send(Method::PUT, "/bucket/copy", &copy, "")
        .await
        .expect(200);
    assert_eq!(answer.element("Code"), Some("InternalError"));
    client.get("/bucket/copy").await.expect(404);

    disturbances.add(Disturbance::once(
        Operation::GetObject,
        Action::CutBody { after_bytes: 4 },
    ));
    assert!(
        client
            .try_send(Method::GET, "/bucket/key", &[], "")
            .await
            .is_err()
    );

    disturbances.add(
        Disturbance::once(Operation::GetObject, Action::CorruptBody { at_byte: 4 }).on_path("/key"),
    );
    let answer = client.get("/bucket/key").await.expect(200);
    assert_eq!(&answer.body[..4], b"0123");
    assert_eq!(&answer.body[5..], b"56789");
    assert_ne!(answer.body[4], b'4');
}

#[tokio::test]
async fn a_body_stalls_until_its_reader_gives_up() {
    let client = open_server().await;
    client.put("/bucket/key", "0123456789").await.expect(200);
    client.server.disturbances().add(Disturbance::once(
        Operation::GetObject,
        Action::StallBody { after_bytes: 4 },
    ));
    let mut stream = TcpStream::connect(client.address()).await.unwrap();
    let get = b"GET /bucket/key HTTP/1.1\r\nhost: h\r\n\r\n";
    stream.write_all(get).await.unwrap();
    let mut read = Vec::new();
    while !read.ends_with(b"\r\n\r\n0123") {
        let mut byte = [0];
        stream.read_exact(&mut byte).await.unwrap();
        read.push(byte[0]);
    }
    // Nothing more is there to be read, and the connection is open still.
    assert!(stream.try_read(&mut [0]).is_err());
    drop(stream);
    client.get("/bucket/key").await.expect(200);
}

#[tokio::test]
async fn an_answer_is_lost_but_the_work_is_done() {
    let client = open_server().await;
    let upload_id = client.begin("/bucket/key").await;
    let target = format!("/bucket/key?uploadId={upload_id}");
    let part = client
        .put(&format!("{target}&partNumber=1"), "x")
        .await
        .expect(200);
    let etag = part.header("etag");
    let body = format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>"
    );
    client.server.disturbances().add(Disturbance::once(
        Operation::CompleteMultipartUpload,
        Action::LoseAnswer,
    ));
    let lost = client
        .try_send(Method::POST, &target, &[], body.clone())
        .await;
    assert!(lost.is_err());
    let again = client
        .send(Method::POST, &target, &[], body)
        .await
        .expect(404);
    assert_eq!(again.element("Code"), Some("NoSuchUpload"));
    assert_eq!(client.get("/bucket/key").await.expect(200).text(), "x");
}

#[tokio::test]
async fn a_dropped_request_did_nothing() {
    let client = open_server().await;
    client
        .server
        .disturbances()
        .add(Disturbance::once(Operation::PutObject, Action::DropRequest));
    let dropped = client.try_send(Method::PUT, "/bucket/key", &[], "x").await;
    assert!(dropped.is_err());
    client.get("/bucket/key").await.expect(404);
}

#[tokio::test(start_paused = true)]
async fn latency_comes_before_every_answer() {
    let client = deviating_server(Deviation {
        latency: Duration::from_secs(7),
        ..Deviation::default()
    })
    .await;
    let began = tokio::time::Instant::now();
    client.put("/bucket/key", "x").await.expect(200);
    assert!(began.elapsed() >= Duration::from_secs(7));
}

#[tokio::test]
async fn requests_are_counted_by_operation() {
    let client = open_server().await;
    client.put("/bucket/key", "x").await.expect(200);
    client.get("/bucket/key").await.expect(200);
    client.get("/bucket/none").await.expect(404);
    client.get("/bucket?list-type=2").await.expect(200);
    client.get("/bucket").await.expect(200);
    client.get("/").await.expect(200);
    let upload_id = client.begin("/bucket/key").await;
    let target = format!("/bucket/key?partNumber=1&uploadId={upload_id}");
    client.put(&target, "x").await.expect(200);
    let counters = client.server.counters();
    for (operation, count) in [
        (Operation::PutObject, 1),
        (Operation::GetObject, 2),
        (Operation::ListObjectsV2, 1),
        (Operation::ListObjects, 1),
        (Operation::ListBuckets, 1),
        (Operation::CreateMultipartUpload, 1),
        (Operation::UploadPart, 1),
        (Operation::DeleteObject, 0),
    ] {
        assert_eq!(counters.requests(operation), count, "{operation:?}");
    }
    assert_eq!(counters.total(), 8);
    assert_eq!(counters.connections(), 8);
    counters.reset();
    assert_eq!(counters.total(), 0);
}
