mod broken;
mod chaos;
mod connections;
mod mending;
mod proxies_and_tls;
mod refusals;
mod uploads;
mod wire;

use std::sync::atomic::AtomicBool;

use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use base::fault::Classified as _;
use base::{ByteCount, Crc64Nvme};
use bytes::Bytes;

use super::*;
use crate::aws::configured::Configured;
use crate::aws::hostile::{Hostile, Peer, Seen, answer, ok, refuse};
use crate::aws::options::{ChecksumPolicy, StaticCredentials, Timeouts, TlsOptions};
use crate::aws::proxy::ProxySettings;
use crate::aws::request::{PayloadChecksum, ReplyBody};
use crate::payload::{FileRange, Payload, UploadCheck};

fn options(url: &str) -> AwsOptions {
    AwsOptions {
        endpoint_url: Some(url.to_owned()),
        region: Some("us-east-1".to_owned()),
        credentials: CredentialsSource::Static(StaticCredentials::new("AKID", "the-secret")),
        retry: RetryPolicy {
            tries_max: 3,
            delay_initial: Duration::from_millis(1),
            delay_max: Duration::from_millis(1),
        },
        ..AwsOptions::default()
    }
}

async fn client(url: &str) -> AwsClient {
    AwsClient::new(options(url)).await.unwrap()
}

fn bucket() -> BucketName {
    BucketName::new("photos").unwrap()
}

fn get(key: &str) -> Request {
    let mut request = Request::new(Operation::GetObject, Method::GET)
        .bucket(bucket())
        .key(Key::new(key).unwrap());
    request.reply = ReplyBody::Streamed;
    request
}

fn list() -> Request {
    Request::new(Operation::ListObjectsV2, Method::GET)
        .bucket(bucket())
        .query("list-type", "2")
}

fn put(payload: Payload) -> Request {
    let mut request = Request::new(Operation::PutObject, Method::PUT)
        .bucket(bucket())
        .key(Key::new("k").unwrap());
    request.payload = payload;
    request.payload_checksum = PayloadChecksum::Crc64Nvme;
    request
}

async fn read(response: Response) -> Result<Bytes> {
    response.body.into_stream().collect().await
}

fn ramp(length: usize) -> Vec<u8> {
    let period: Vec<u8> = (0..251).collect();
    let mut bytes = period.repeat(length / period.len() + 1);
    bytes.truncate(length);
    bytes
}

/// Waits for a condition that another task brings about.
async fn until(what: &str, condition: impl Fn() -> bool) {
    let waiting = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(20), waiting).await;
    assert!(waited.is_ok(), "never came: {what}");
}

#[tokio::test]
async fn regions_and_endpoints_that_are_none_are_refused() {
    for (url, region) in [("nonsense", "us-east-1"), ("http://h", "evil\r\nregion")] {
        let mut options = options(url);
        options.region = Some(region.to_owned());
        let error = AwsClient::new(options).await.unwrap_err();
        assert_eq!(error.fault(), Fault::Invalid);
    }
}

#[tokio::test]
async fn aws_is_spoken_to_over_tls_in_the_buckets_own_host() {
    let mut aws = options("");
    aws.endpoint_url = None;
    aws.region = Some("eu-west-1".to_owned());
    let client = AwsClient::new(aws).await.unwrap();
    assert_eq!(client.endpoint_url(), "https://s3.eu-west-1.amazonaws.com");
    assert_eq!(client.region(), "eu-west-1");
    let key = Key::new("k").unwrap();
    let url = client
        .presign_url(
            Method::GET,
            &bucket(),
            &key,
            Vec::new(),
            Duration::from_secs(1),
        )
        .await
        .unwrap();
    let start = "https://photos.s3.eu-west-1.amazonaws.com/k?";
    assert!(url.expose().starts_with(start), "{}", url.expose());
}
