use base::UploadId;
use base::ids::PartNumber;

use super::*;
use crate::client::ObjectClient as _;
use crate::types::{ObjectAttributes, PutCondition, PutObject, UploadPart};

const CRC: &str = "x-amz-checksum-crc64nvme";

/// A payload, the policy, and how the store answers the header.
async fn check(
    unsigned: bool,
    answer_to: impl Fn(&Seen) -> String + Send + Sync + 'static,
) -> (AwsClient, Hostile, Result<Response>) {
    let server = Hostile::answering(move |_, seen: &Seen| answer_to(seen)).await;
    let mut options = options(&server.url());
    options.unsigned_payload = unsigned;
    let client = AwsClient::new(options).await.unwrap();
    let response = client.send(put(Payload::from_bytes("hello"))).await;
    (client, server, response)
}

#[tokio::test]
async fn a_checksum_that_the_store_says_back_was_checked() {
    let (_, server, response) = check(true, |seen: &Seen| {
        let value = seen.header(CRC).unwrap();
        answer("200 OK", &format!("{CRC}: {value}\r\n"), "")
    })
    .await;
    let crc64 = Crc64Nvme::of(b"hello");
    let response = response.unwrap();
    assert_eq!(response.check, UploadCheck::ChecksumHeader(crc64));
    let seen = &server.seen()[0];
    assert_eq!(seen.header(CRC), Some(crc64.to_base64().as_str()));
    assert_eq!(
        seen.header("x-amz-sdk-checksum-algorithm"),
        Some("CRC64NVME")
    );
    assert_eq!(
        seen.header("x-amz-content-sha256"),
        Some("UNSIGNED-PAYLOAD")
    );
    assert_eq!(seen.header("content-length"), Some("5"));
    assert_eq!(seen.header("transfer-encoding"), None);
    assert_eq!(seen.header("content-encoding"), None);
}

#[tokio::test]
async fn a_checksum_that_the_store_does_not_mention_proves_nothing() {
    let (_, _, response) = check(true, |_| ok("")).await;
    assert_eq!(response.unwrap().check, UploadCheck::None);
    let (_, server, response) = check(false, |_| ok("")).await;
    assert_eq!(response.unwrap().check, UploadCheck::PayloadSignature);
    // SHA-256 of "hello".
    assert_eq!(
        server.seen()[0].header("x-amz-content-sha256"),
        Some("2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824")
    );
}

#[tokio::test]
async fn another_checksum_said_back_is_corruption() {
    let (_, server, response) = check(true, |_| {
        let other = Crc64Nvme::of(b"hellO").to_base64();
        answer("200 OK", &format!("{CRC}: {other}\r\n"), "")
    })
    .await;
    assert_eq!(response.unwrap_err().fault(), Fault::Corrupt);
    assert_eq!(server.seen().len(), 3);
}

#[tokio::test]
async fn aws_cli_9214_a_store_that_refuses_the_header_is_remembered() {
    let refusing = |status: &'static str, code: &'static str| {
        move |seen: &Seen| match seen.header(CRC) {
            Some(_) => refuse(status, code),
            None => ok(""),
        }
    };
    for (status, code) in [
        ("400 Bad Request", "InvalidRequest"),
        ("400 Bad Request", "InvalidArgument"),
        ("501 Not Implemented", "NotImplemented"),
        ("400 Bad Request", "XAmzContentChecksumMismatch"),
        ("403 Forbidden", "SignatureDoesNotMatch"),
    ] {
        let (client, server, response) = check(true, refusing(status, code)).await;
        let response = response.unwrap();
        assert_eq!(response.check, UploadCheck::None, "{code}");
        assert!(!response.checksum_headers_sent);
        client.send(put(Payload::from_bytes("2"))).await.unwrap();
        assert_eq!(server.seen().len(), 3, "{code}: one more request, once");
    }
}

#[tokio::test]
async fn a_refusal_for_another_reason_condemns_nothing() {
    let first = AtomicBool::new(true);
    let (client, server, response) = check(true, move |_| {
        if first.swap(false, Ordering::SeqCst) {
            return refuse("403 Forbidden", "AccessDenied");
        }
        ok("")
    })
    .await;
    response.unwrap_err();
    client.send(put(Payload::from_bytes("2"))).await.unwrap();
    assert!(server.seen()[1].header(CRC).is_some());
}

// A listing has no checksum to leave out: it was once sent twice, and its second answer condemned
// the store.
#[tokio::test]
async fn a_request_without_a_checksum_says_nothing_about_checksums() {
    let server = Hostile::answering(|number, _| match number {
        0 => refuse("400 Bad Request", "InvalidArgument"),
        _ => ok(""),
    })
    .await;
    let client = client(&server.url()).await;
    client.send(list()).await.unwrap_err();
    client.send(put(Payload::from_bytes("2"))).await.unwrap();
    assert!(server.seen()[1].header(CRC).is_some());
}

#[tokio::test]
async fn the_policy_can_leave_checksums_out_and_md5_goes_where_one_is_required() {
    let server = Hostile::answering(|_, _| ok("")).await;
    let mut options = options(&server.url());
    options.checksums = ChecksumPolicy::WhenRequired;
    let client = AwsClient::new(options).await.unwrap();
    let mut request = put(Payload::from_bytes("hello"));
    request.payload_checksum = PayloadChecksum::Required;
    let announced = (
        http::HeaderName::from_static("x-amz-checksum-algorithm"),
        "CRC64NVME",
    );
    request.checksum_headers = vec![(announced.0, announced.1.parse().unwrap())];
    let response = client.send(request).await.unwrap();
    assert!(!response.checksum_headers_sent);
    let seen = &server.seen()[0];
    // MD5 of "hello".
    assert_eq!(seen.header("content-md5"), Some("XUFAKrxLKna5cZ2REBfFkg=="));
    assert_eq!(seen.header(CRC), None);
    assert_eq!(seen.header("x-amz-checksum-algorithm"), None);
}

// Some stores keep the framing of aws-chunked as content. We learn of a store only by talking to
// it, so no store is ever sent any.
#[tokio::test]
async fn rustfs_6853_no_store_is_sent_chunked_framing_or_trailers() {
    // As over plain HTTP, where the payload is signed, and as over TLS, where it is not; with
    // checksums and without; also to a store that refuses them.
    for (unsigned, checksums, refuses) in [
        (false, ChecksumPolicy::WhenSupported, false),
        (false, ChecksumPolicy::WhenRequired, false),
        (true, ChecksumPolicy::WhenSupported, false),
        (true, ChecksumPolicy::WhenRequired, false),
        (true, ChecksumPolicy::WhenSupported, true),
    ] {
        let server = Hostile::answering(move |_, seen: &Seen| {
            if refuses && seen.header(CRC).is_some() {
                return refuse("400 Bad Request", "InvalidArgument");
            }
            answer("200 OK", "etag: \"e\"\r\n", "")
        })
        .await;
        let mut options = options(&server.url());
        options.unsigned_payload = unsigned;
        options.checksums = checksums;
        let client = AwsClient::new(options).await.unwrap();
        let bytes = ramp(300_000);
        for payload in [
            Payload::from_bytes(bytes.clone()),
            file_of(&bytes, 300_000),
            Payload::empty(),
        ] {
            client.put_object(whole(payload.clone())).await.unwrap();
            client.upload_part(part(payload)).await.unwrap();
        }
        for seen in server.seen() {
            for header in [
                "transfer-encoding",
                "content-encoding",
                "x-amz-trailer",
                "trailer",
            ] {
                assert_eq!(seen.header(header), None, "{}", seen.line);
            }
            assert_eq!(seen.header("x-amz-decoded-content-length"), None);
            let payload = seen.header("x-amz-content-sha256").unwrap();
            assert!(!payload.starts_with("STREAMING-"), "{payload}");
            assert!(seen.body.is_empty() || seen.body == bytes, "{}", seen.line);
        }
    }
}

fn whole(payload: Payload) -> PutObject {
    PutObject {
        bucket: bucket(),
        key: Key::new("k").unwrap(),
        payload,
        attributes: ObjectAttributes::default(),
        condition: PutCondition::None,
    }
}

fn part(payload: Payload) -> UploadPart {
    UploadPart {
        bucket: bucket(),
        key: Key::new("k").unwrap(),
        upload_id: UploadId::new("u"),
        part_number: PartNumber::new(1).unwrap(),
        payload,
        takes_crc64nvme: true,
    }
}

fn file_of(bytes: &[u8], length: u64) -> Payload {
    let file = tempfile::tempfile().unwrap();
    std::io::Write::write_all(&mut &file, bytes).unwrap();
    Payload::File(FileRange {
        file: Arc::new(file),
        offset: 0,
        length: ByteCount(length),
    })
}

#[tokio::test]
async fn a_file_is_sent_with_its_checksum_and_again_after_a_failure() {
    let server = Hostile::answering(|number, _| match number {
        0 => refuse("500 Oops", "InternalError"),
        _ => ok(""),
    })
    .await;
    let bytes = ramp(1_500_000);
    let client = client(&server.url()).await;
    let response = client.send(put(file_of(&bytes, 1_500_000))).await.unwrap();
    assert_eq!(response.check, UploadCheck::PayloadSignature);
    let seen = server.seen();
    assert_eq!((seen[0].body.len(), &seen[1].body), (bytes.len(), &bytes));
    let expected = Crc64Nvme::of(&bytes).to_base64();
    assert_eq!(seen[1].header(CRC), Some(expected.as_str()));
}

#[tokio::test]
async fn a_file_that_became_shorter_is_a_conflict() {
    let server = Hostile::answering(|_, _| ok("")).await;
    for policy in [ChecksumPolicy::WhenRequired, ChecksumPolicy::WhenSupported] {
        let mut options = options(&server.url());
        options.unsigned_payload = true;
        options.checksums = policy;
        let client = AwsClient::new(options).await.unwrap();
        let upload = put(file_of(&ramp(2_000_000), 2_000_001));
        let error = client.send(upload).await.unwrap_err();
        assert_eq!(error.fault(), Fault::Conflict, "{policy:?}");
    }
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_file_that_changed_after_it_was_hashed_is_a_conflict() {
    let file = Arc::new(tempfile::tempfile().unwrap());
    std::io::Write::write_all(&mut &*file, b"before").unwrap();
    let written = Arc::clone(&file);
    let server = Hostile::answering(move |_, _| {
        std::os::unix::fs::FileExt::write_all_at(&*written, b"after!", 0).unwrap();
        refuse("400 Bad Request", "BadDigest")
    })
    .await;
    let payload = Payload::File(FileRange {
        file,
        offset: 0,
        length: ByteCount(6),
    });
    let error = client(&server.url())
        .await
        .send(put(payload))
        .await
        .unwrap_err();
    assert_eq!(error.fault(), Fault::Conflict);
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn an_empty_object_has_a_length() {
    let server = Hostile::answering(|_, _| ok("")).await;
    let client = client(&server.url()).await;
    client.send(put(Payload::empty())).await.unwrap();
    assert_eq!(server.seen()[0].header("content-length"), Some("0"));
    let mut request = Request::new(Operation::CreateMultipartUpload, Method::POST)
        .bucket(bucket())
        .key(Key::new("k").unwrap())
        .flag("uploads");
    request.headers.insert("x-amz-meta-a", "b".parse().unwrap());
    client.send(request).await.unwrap();
    let seen = &server.seen()[1];
    assert_eq!(seen.line, "POST /photos/k?uploads HTTP/1.1");
    assert_eq!(seen.header("content-length"), Some("0"));
    assert!(
        seen.header("authorization")
            .unwrap()
            .contains("x-amz-meta-a")
    );
}

#[tokio::test]
async fn the_requester_pays_where_asked() {
    let server = Hostile::answering(|_, _| ok("")).await;
    let mut options = options(&server.url());
    options.request_payer = true;
    let client = AwsClient::new(options).await.unwrap();
    client.send(list()).await.unwrap();
    assert_eq!(
        server.seen()[0].header("x-amz-request-payer"),
        Some("requester")
    );
}
