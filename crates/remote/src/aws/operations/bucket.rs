//! Buckets.

use base::{BucketName, Fault};
use http::Method;

use super::exchange::exchange;
use crate::aws::AwsClient;
use crate::aws::request::{PayloadChecksum, Request};
use crate::aws::xml::{parse_buckets, parse_versioning, write_location, write_versioning};
use crate::error::{Operation, Result};
use crate::payload::Payload;
use crate::types::{BucketListing, VersioningState};

/// The region that S3 does not want to be named when a bucket is made.
/// Source: S3 API reference, CreateBucket, `LocationConstraint` (read 2026-11).
const FIRST_REGION: &str = "us-east-1";

/// Follows every page: accounts with more than 10,000 buckets have several.
pub(super) async fn list_buckets(client: &AwsClient) -> Result<Vec<BucketListing>> {
    let mut all: Vec<BucketListing> = Vec::new();
    let mut token: Option<String> = None;
    loop {
        let mut request = Request::new(Operation::ListBuckets, Method::GET);
        if let Some(token) = &token {
            request = request.query("continuation-token", token.clone());
        }
        let (buckets, next) = exchange(client, request, |response| {
            parse_buckets(&response.body.into_bytes())
        })
        .await?;
        all.extend(buckets);
        if next.is_none() {
            return Ok(all);
        }
        if next == token {
            let request = Request::new(Operation::ListBuckets, Method::GET);
            let message = "the store gave the same continuation token twice";
            return Err(request.error(Fault::Invalid, message));
        }
        token = next;
    }
}

pub(super) async fn create_bucket(client: &AwsClient, bucket: BucketName) -> Result<()> {
    let mut request = Request::new(Operation::CreateBucket, Method::PUT).bucket(bucket);
    let region = client.region();
    if !region.is_empty() && region != FIRST_REGION {
        request.payload = Payload::from_bytes(write_location(region));
    }
    exchange(client, request, |_| Ok(())).await
}

pub(super) async fn delete_bucket(client: &AwsClient, bucket: BucketName) -> Result<()> {
    let request = Request::new(Operation::DeleteBucket, Method::DELETE).bucket(bucket);
    exchange(client, request, |_| Ok(())).await
}

pub(super) async fn head_bucket(client: &AwsClient, bucket: BucketName) -> Result<()> {
    let request = Request::new(Operation::HeadBucket, Method::HEAD).bucket(bucket);
    exchange(client, request, |_| Ok(())).await
}

pub(super) async fn get_bucket_versioning(
    client: &AwsClient,
    bucket: BucketName,
) -> Result<VersioningState> {
    let request = Request::new(Operation::GetBucketVersioning, Method::GET)
        .bucket(bucket)
        .flag("versioning");
    exchange(client, request, |response| {
        parse_versioning(&response.body.into_bytes())
    })
    .await
}

pub(super) async fn put_bucket_versioning(
    client: &AwsClient,
    bucket: BucketName,
    state: VersioningState,
) -> Result<()> {
    let mut request = Request::new(Operation::PutBucketVersioning, Method::PUT)
        .bucket(bucket)
        .flag("versioning");
    let enabled = match state {
        VersioningState::Enabled => true,
        VersioningState::Suspended => false,
        VersioningState::Unversioned => {
            let message = "a bucket's versioning can be suspended, not taken back";
            return Err(request.error(Fault::Invalid, message));
        }
    };
    request.payload = Payload::from_bytes(write_versioning(enabled));
    request.payload_checksum = PayloadChecksum::Required;
    exchange(client, request, |_| Ok(())).await
}
