//! Refusals carry S3's codes, and ids under which they can be found again.

use front::{AnonymousAccess, FrontOptions};
use http::Method;

use crate::client::{open_server, server_with};

#[tokio::test]
async fn refusals_carry_s3s_codes_and_ids() {
    let client = open_server().await;
    client.put("/bucket/key", "bytes").await.expect(200);
    let put = Method::PUT;
    let get = Method::GET;
    let delete = Method::DELETE;
    type Headers = &'static [(&'static str, &'static str)];
    let table: &[(&Method, &str, Headers, &str, u16, &str)] = &[
        (&get, "/bucket/none", &[], "", 404, "NoSuchKey"),
        (&get, "/no-such-bucket", &[], "", 404, "NoSuchBucket"),
        (&put, "/no-such-bucket/key", &[], "x", 404, "NoSuchBucket"),
        (&put, "/Bucket_", &[], "", 400, "InvalidBucketName"),
        (&delete, "/bucket", &[], "", 409, "BucketNotEmpty"),
        (
            &delete,
            "/bucket/k?uploadId=none",
            &[],
            "",
            404,
            "NoSuchUpload",
        ),
        (
            &put,
            "/bucket/k?partNumber=1&uploadId=none",
            &[],
            "x",
            404,
            "NoSuchUpload",
        ),
        (
            &put,
            "/bucket/k?partNumber=0&uploadId=none",
            &[],
            "x",
            400,
            "InvalidArgument",
        ),
        (
            &get,
            "/bucket/key?versionId=none",
            &[],
            "",
            400,
            "InvalidArgument",
        ),
        (
            &get,
            "/bucket/key?versionId=00000000000000010000000000000001",
            &[],
            "",
            404,
            "NoSuchVersion",
        ),
        (
            &get,
            "/bucket/key",
            &[("range", "bytes=5-")],
            "",
            416,
            "InvalidRange",
        ),
        (
            &get,
            "/bucket/key?partNumber=2",
            &[],
            "",
            416,
            "InvalidPartNumber",
        ),
        (
            &get,
            "/bucket/key",
            &[("if-match", "\"no\"")],
            "",
            412,
            "PreconditionFailed",
        ),
        (
            &put,
            "/bucket/key",
            &[("if-none-match", "*")],
            "x",
            412,
            "PreconditionFailed",
        ),
        (
            &put,
            "/bucket/key",
            &[("if-none-match", "\"e\"")],
            "x",
            501,
            "NotImplemented",
        ),
        (
            &put,
            "/bucket/none",
            &[("if-match", "\"e\"")],
            "x",
            404,
            "NoSuchKey",
        ),
        (
            &delete,
            "/bucket/key",
            &[("if-match", "\"e\"")],
            "",
            412,
            "PreconditionFailed",
        ),
        (
            &put,
            "/bucket/k",
            &[("content-md5", "AAAAAAAAAAAAAAAAAAAAAA==")],
            "x",
            400,
            "BadDigest",
        ),
        (
            &put,
            "/bucket/k",
            &[("content-md5", "short")],
            "x",
            400,
            "InvalidDigest",
        ),
        (
            &put,
            "/bucket/k",
            &[("x-amz-checksum-crc32", "AAAAAA==")],
            "x",
            400,
            "BadDigest",
        ),
        (
            &put,
            "/bucket/k",
            &[("x-amz-checksum-crc32", "AAAA")],
            "x",
            400,
            "InvalidRequest",
        ),
        (
            &put,
            "/bucket/k",
            &[("x-amz-tagging", "a=1&a=2")],
            "x",
            400,
            "InvalidTag",
        ),
        (
            &put,
            "/bucket/k",
            &[("x-amz-server-side-encryption-customer-algorithm", "AES256")],
            "x",
            501,
            "NotImplemented",
        ),
        (
            &put,
            "/bucket/key",
            &[("x-amz-copy-source", "/bucket/key")],
            "",
            400,
            "InvalidRequest",
        ),
        (
            &put,
            "/bucket/k",
            &[("x-amz-copy-source", "/bucket/none")],
            "",
            404,
            "NoSuchKey",
        ),
        (&get, "/bucket?policy", &[], "", 404, "NoSuchBucketPolicy"),
    ];
    for (method, target, headers, body, status, code) in table {
        let answer = client.send((*method).clone(), target, headers, *body).await;
        let context = format!("{method} {target} {headers:?}: {answer:?}");
        assert_eq!(answer.status.as_u16(), *status, "{context}");
        assert_eq!(answer.element("Code"), Some(*code), "{context}");
        let message = answer.element("Message");
        assert!(message.is_some_and(|text| !text.is_empty()), "{context}");
        let request_id = answer.element("RequestId");
        assert_eq!(
            request_id,
            Some(answer.header("x-amz-request-id")),
            "{context}"
        );
        let host_id = answer.element("HostId");
        assert_eq!(host_id, Some(answer.header("x-amz-id-2")), "{context}");
        assert!(request_id.is_some_and(|id| !id.is_empty()), "{context}");
    }
}

#[tokio::test]
async fn ones_own_bucket_is_made_again_in_the_first_region_only() {
    for (region, status) in [("us-east-1", 200), ("eu-central-1", 409)] {
        let client = server_with(FrontOptions {
            anonymous: AnonymousAccess::All,
            region: region.to_owned(),
            ..FrontOptions::default()
        })
        .await;
        client.put("/bucket/key", "bytes").await.expect(200);
        client.put("/bucket", "").await.expect(status);
        client.get("/bucket/key").await.expect(200);
    }
}

#[tokio::test]
async fn a_governance_is_bypassed_by_who_says_so() {
    let client = open_server().await;
    let lock = [("x-amz-bucket-object-lock-enabled", "true")];
    let made = client.send(Method::PUT, "/locked", &lock, "").await;
    made.expect(200);
    let headers = [
        ("x-amz-object-lock-mode", "GOVERNANCE"),
        (
            "x-amz-object-lock-retain-until-date",
            "2099-01-01T00:00:00Z",
        ),
    ];
    let put = client.send(Method::PUT, "/locked/key", &headers, "x").await;
    let version = put.expect(200).header("x-amz-version-id").to_owned();
    let target = format!("/locked/key?versionId={version}");
    let delete = client.send(Method::DELETE, &target, &[], "").await;
    assert_eq!(delete.expect(403).element("Code"), Some("AccessDenied"));
    let retention = client.get("/locked/key?retention").await.expect(200);
    assert_eq!(retention.element("Mode"), Some("GOVERNANCE"));
    let bypass = [("x-amz-bypass-governance-retention", "true")];
    let delete = client.send(Method::DELETE, &target, &bypass, "").await;
    delete.expect(204);
}

#[tokio::test]
async fn metadata_keeps_its_blanks() {
    let client = open_server().await;
    let headers = [("x-amz-meta-name", "=?UTF-8?B?IGEg?=")];
    client
        .send(Method::PUT, "/bucket/key", &headers, "x")
        .await
        .expect(200);
    let answer = client.get("/bucket/key").await.expect(200);
    assert_eq!(answer.header("x-amz-meta-name"), "=?UTF-8?B?IGEg?=");
}

#[tokio::test]
async fn a_head_has_no_body_whatever_its_answer() {
    let client = open_server().await;
    client.put("/bucket/key", "bytes").await.expect(200);
    let answer = client
        .send(Method::HEAD, "/bucket/none", &[], "")
        .await
        .expect(404);
    assert!(answer.body.is_empty());
    let answer = client
        .send(Method::HEAD, "/bucket/key", &[], "")
        .await
        .expect(200);
    assert!(answer.body.is_empty());
    assert_eq!(answer.header("content-length"), "5");
    assert_eq!(answer.header("content-type"), "binary/octet-stream");
    let range = [("range", "bytes=1-2")];
    let answer = client
        .send(Method::HEAD, "/bucket/key", &range, "")
        .await
        .expect(206);
    assert_eq!(answer.header("content-length"), "2");
}

#[tokio::test]
async fn not_modified_is_not_an_error_and_has_no_body() {
    let client = open_server().await;
    let etag = client.put("/bucket/key", "bytes").await.expect(200);
    let headers = [("if-none-match", etag.header("etag"))];
    let answer = client
        .send(Method::GET, "/bucket/key", &headers, "")
        .await
        .expect(304);
    assert!(answer.body.is_empty());
}

#[tokio::test]
async fn what_nobody_set_up_is_said_to_be_absent() {
    let client = open_server().await;
    for (target, code) in [
        ("/bucket?policy", "NoSuchBucketPolicy"),
        ("/bucket?lifecycle", "NoSuchLifecycleConfiguration"),
        ("/bucket?cors", "NoSuchCORSConfiguration"),
        ("/bucket?tagging", "NoSuchTagSet"),
    ] {
        let answer = client.get(target).await.expect(404);
        assert_eq!(answer.element("Code"), Some(code), "{target}");
        let answer = client
            .get(&target.replace("bucket", "no-such-bucket"))
            .await;
        assert_eq!(answer.element("Code"), Some("NoSuchBucket"), "{target}");
    }
    let answer = client.get("/bucket?location").await.expect(200);
    assert_eq!(
        answer.element("LocationConstraint"),
        None,
        "{}",
        answer.text()
    );
    let answer = client.get("/bucket?versioning").await.expect(200);
    assert_eq!(answer.element("Status"), None);
    let answer = client.get("/bucket?acl").await.expect(200);
    assert_eq!(answer.element("Permission"), Some("FULL_CONTROL"));
}
