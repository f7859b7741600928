//! Bytes come back as they went, whole, in ranges and in parts, with their checksums.

use base::{ChecksumAlgorithm, Crc64Nvme};
use bytes::Bytes;
use http::Method;

use crate::client::{Answer, Client, open_server};

fn bytes(size: usize) -> Bytes {
    (0..size)
        .map(|at| u8::try_from(at % 251).unwrap())
        .collect()
}

#[tokio::test]
async fn bodies_of_all_sizes_come_back() {
    let client = open_server().await;
    for size in [0, 1, 8_191, 65_536, 65_537, 3_000_001] {
        let body = bytes(size);
        client.put("/bucket/key", body.clone()).await.expect(200);
        let answer = client.get("/bucket/key").await.expect(200);
        assert_eq!(answer.header("content-length"), size.to_string());
        assert!(answer.body == body, "{size} bytes");
        if size > 2 {
            let range = format!("bytes=1-{}", size - 2);
            let headers = [("range", range.as_str())];
            let answer = client
                .send(Method::GET, "/bucket/key", &headers, "")
                .await
                .expect(206);
            let shown = format!("bytes 1-{}/{size}", size - 2);
            assert_eq!(answer.header("content-range"), shown);
            assert!(answer.body == body.slice(1..size - 1), "{size} bytes");
        }
    }
}

#[tokio::test]
async fn checksums_are_stored_and_shown_when_asked() {
    let client = open_server().await;
    let body = bytes(100_000);
    let value = Crc64Nvme::of(&body).to_base64();
    let headers = [(ChecksumAlgorithm::Crc64Nvme.header(), value.as_str())];
    let put = client
        .send(Method::PUT, "/bucket/key", &headers, body.clone())
        .await
        .expect(200);
    assert_eq!(put.header("x-amz-checksum-crc64nvme"), value);
    assert_eq!(put.header("x-amz-checksum-type"), "FULL_OBJECT");
    let silent = client.get("/bucket/key").await.expect(200);
    assert_eq!(silent.header("x-amz-checksum-crc64nvme"), "");
    let mode = [("x-amz-checksum-mode", "ENABLED")];
    for method in [Method::GET, Method::HEAD] {
        let answer = client
            .send(method, "/bucket/key", &mode, "")
            .await
            .expect(200);
        assert_eq!(answer.header("x-amz-checksum-crc64nvme"), value);
        assert_eq!(answer.header("x-amz-checksum-type"), "FULL_OBJECT");
    }
    let part = [("x-amz-checksum-mode", "ENABLED"), ("range", "bytes=0-9")];
    let answer = client
        .send(Method::GET, "/bucket/key", &part, "")
        .await
        .expect(206);
    assert_eq!(answer.header("x-amz-checksum-crc64nvme"), "");
}

/// Sends the parts and completes; answers the Complete.
async fn multipart(client: &Client, target: &str, upload_id: &str, parts: &[Bytes]) -> Answer {
    let mut named = String::new();
    for (number, part) in (1..).zip(parts) {
        let place = format!("{target}?partNumber={number}&uploadId={upload_id}");
        let answer = client.put(&place, part.clone()).await.expect(200);
        let etag = answer.header("etag");
        named.push_str(&format!(
            "<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"
        ));
    }
    let body = format!("<CompleteMultipartUpload>{named}</CompleteMultipartUpload>");
    let place = format!("{target}?uploadId={upload_id}");
    client.send(Method::POST, &place, &[], body).await
}

#[tokio::test]
async fn parts_become_an_object_with_a_full_checksum() {
    let client = open_server().await;
    let body = bytes(500_000);
    let parts = [
        body.slice(..200_000),
        body.slice(200_000..400_000),
        body.slice(400_000..),
    ];
    let upload_id = client.begin("/bucket/key").await;
    let answer = multipart(&client, "/bucket/key", &upload_id, &parts)
        .await
        .expect(200);
    assert!(
        answer.element("ETag").unwrap().contains("-3"),
        "{}",
        answer.text()
    );
    let value = Crc64Nvme::of(&body).to_base64();
    assert_eq!(answer.element("ChecksumCRC64NVME"), Some(value.as_str()));
    assert_eq!(answer.element("ChecksumType"), Some("FULL_OBJECT"));
    assert!(client.get("/bucket/key").await.expect(200).body == body);
    let part = client.get("/bucket/key?partNumber=2").await.expect(206);
    assert!(part.body == parts[1]);
    assert_eq!(part.header("x-amz-mp-parts-count"), "3");
    let again = multipart(&client, "/bucket/key", &upload_id, &[])
        .await
        .expect(404);
    assert_eq!(again.element("Code"), Some("NoSuchUpload"));
    let headers = [(
        "x-amz-object-attributes",
        "ETag,ObjectSize, ObjectParts,Checksum",
    )];
    let answer = client
        .send(Method::GET, "/bucket/key?attributes", &headers, "")
        .await
        .expect(200);
    assert_eq!(answer.element("ObjectSize"), Some("500000"));
    assert_eq!(answer.element("PartsCount"), Some("3"), "{}", answer.text());
    assert_eq!(answer.element("ChecksumCRC64NVME"), Some(value.as_str()));
}

#[tokio::test]
async fn what_an_object_carries_comes_back() {
    let client = open_server().await;
    let headers = [
        ("content-type", "text/x-test; charset=utf-8"),
        ("content-encoding", "gzip,aws-chunked"),
        ("content-disposition", "attachment; filename=\"a b\""),
        ("content-language", "de"),
        ("cache-control", "no-cache"),
        ("expires", "Wed, 21 Oct 2065 07:28:00 GMT"),
        ("x-amz-meta-name", "value"),
        ("x-amz-storage-class", "STANDARD_IA"),
        ("x-amz-tagging", "a=b%20c&d="),
        ("x-amz-website-redirect-location", "/other"),
        ("x-amz-server-side-encryption", "AES256"),
    ];
    client
        .send(Method::PUT, "/bucket/key", &headers, "x")
        .await
        .expect(200);
    let copy = [
        ("x-amz-copy-source", "/bucket/key"),
        ("x-amz-storage-class", "STANDARD_IA"),
    ];
    client
        .send(Method::PUT, "/bucket/copy", &copy, "")
        .await
        .expect(200);
    for target in ["/bucket/key", "/bucket/copy"] {
        let answer = client.get(target).await.expect(200);
        for (name, value) in &headers[..8] {
            let expected = if *name == "content-encoding" {
                "gzip"
            } else {
                value
            };
            assert_eq!(answer.header(name), expected, "{target}: {name}");
        }
        assert_eq!(answer.header("x-amz-tagging-count"), "2");
        let tags = client.get(&format!("{target}?tagging")).await.expect(200);
        assert_eq!(tags.elements("Key"), ["a", "d"]);
        assert_eq!(tags.elements("Value"), ["b c", ""]);
    }
    let replace = [
        ("x-amz-copy-source", "/bucket/key"),
        ("x-amz-metadata-directive", "REPLACE"),
        ("x-amz-meta-other", "new"),
    ];
    client
        .send(Method::PUT, "/bucket/key", &replace, "")
        .await
        .expect(200);
    let answer = client.get("/bucket/key").await.expect(200);
    assert_eq!(answer.header("x-amz-meta-name"), "");
    assert_eq!(answer.header("x-amz-meta-other"), "new");
    assert_eq!(answer.header("x-amz-storage-class"), "");
}

#[tokio::test]
async fn archived_objects_cannot_be_read() {
    let client = open_server().await;
    let headers = [("x-amz-storage-class", "GLACIER")];
    client
        .send(Method::PUT, "/bucket/key", &headers, "x")
        .await
        .expect(200);
    let refused = client.get("/bucket/key").await.expect(403);
    assert_eq!(refused.element("Code"), Some("InvalidObjectState"));
    let head = client
        .send(Method::HEAD, "/bucket/key", &[], "")
        .await
        .expect(200);
    assert_eq!(head.header("x-amz-storage-class"), "GLACIER");
    let request = "<RestoreRequest><Days>2</Days></RestoreRequest>";
    client
        .send(Method::POST, "/bucket/key?restore", &[], request)
        .await
        .expect(200);
    let answer = client.get("/bucket/key").await.expect(200);
    assert!(
        answer
            .header("x-amz-restore")
            .starts_with("ongoing-request=\"false\"")
    );
    client.put("/bucket/plain", "x").await.expect(200);
    let refused = client
        .send(Method::POST, "/bucket/plain?restore", &[], request)
        .await;
    assert_eq!(
        refused.expect(403).element("Code"),
        Some("InvalidObjectState")
    );
}
