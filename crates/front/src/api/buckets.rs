//! Buckets.

use s3s::dto::{
    Bucket, BucketLocationConstraint, BucketVersioningStatus, CreateBucketInput,
    CreateBucketOutput, DeleteBucketInput, DeleteBucketOutput, GetBucketLocationInput,
    GetBucketLocationOutput, GetBucketVersioningInput, GetBucketVersioningOutput, HeadBucketInput,
    HeadBucketOutput, ListBucketsInput, ListBucketsOutput, Owner, PutBucketVersioningInput,
    PutBucketVersioningOutput,
};
use s3s::{S3Request, S3Result, s3_error};
use store::model::{Error, Versioning};

use super::Api;
use crate::names::{bucket_name, s3_error, timestamp};

/// The region of which S3 speaks by saying nothing.
const DEFAULT_REGION: &str = "us-east-1";

/// The one owner of everything.
pub(super) fn owner() -> Owner {
    Owner {
        display_name: Some("longhaul".to_owned()),
        id: Some("6c6f6e676861756c6c6f6e676861756c6c6f6e676861756c6c6f6e676861756c".to_owned()),
    }
}

pub(super) async fn list_buckets(
    api: &Api,
    request: S3Request<ListBucketsInput>,
) -> S3Result<ListBucketsOutput> {
    let input = request.input;
    let limit = match input.max_buckets {
        None => usize::MAX,
        Some(limit) => usize::try_from(limit)
            .ok()
            .filter(|limit| (1..=10_000).contains(limit))
            .ok_or_else(|| s3_error!(InvalidArgument, "max-buckets lies outside of 1 to 10000"))?,
    };
    let prefix = input.prefix.as_deref().unwrap_or("");
    let after = input.continuation_token.as_deref().unwrap_or("");
    let mut matching =
        api.model.list_buckets().into_iter().filter(|bucket| {
            bucket.name.as_str().starts_with(prefix) && bucket.name.as_str() > after
        });
    let page: Vec<_> = matching.by_ref().take(limit).collect();
    let last = page.last().map(|bucket| bucket.name.as_str().to_owned());
    let buckets = page.into_iter().map(|bucket| Bucket {
        bucket_region: Some(api.region.clone()),
        creation_date: Some(timestamp(bucket.created)),
        name: Some(bucket.name.as_str().to_owned()),
    });
    Ok(ListBucketsOutput {
        buckets: Some(buckets.collect()),
        continuation_token: last.filter(|_| matching.next().is_some()),
        owner: Some(owner()),
        prefix: input.prefix,
    })
}

pub(super) async fn create_bucket(
    api: &Api,
    request: S3Request<CreateBucketInput>,
) -> S3Result<CreateBucketOutput> {
    let name = bucket_name(&request.input.bucket)?;
    match api.model.create_bucket(&name) {
        // In its first region S3 answers as it always has: the owner's own bucket is made again.
        Err(Error::BucketAlreadyOwnedByYou) if api.region == DEFAULT_REGION => {}
        made => made.map_err(s3_error)?,
    }
    if request.input.object_lock_enabled_for_bucket == Some(true) {
        let enabled = api.model.set_versioning(&name, Versioning::Enabled);
        enabled
            .and_then(|()| api.model.take_locks(&name))
            .map_err(s3_error)?;
    }
    Ok(CreateBucketOutput {
        location: Some(format!("/{name}")),
    })
}

pub(super) async fn head_bucket(
    api: &Api,
    request: S3Request<HeadBucketInput>,
) -> S3Result<HeadBucketOutput> {
    let name = bucket_name(&request.input.bucket)?;
    api.model.head_bucket(&name).map_err(s3_error)?;
    Ok(HeadBucketOutput {
        bucket_region: Some(api.region.clone()),
        ..HeadBucketOutput::default()
    })
}

pub(super) async fn delete_bucket(
    api: &Api,
    request: S3Request<DeleteBucketInput>,
) -> S3Result<DeleteBucketOutput> {
    let name = bucket_name(&request.input.bucket)?;
    api.model.delete_bucket(&name).map_err(s3_error)?;
    Ok(DeleteBucketOutput::default())
}

pub(super) async fn get_bucket_location(
    api: &Api,
    request: S3Request<GetBucketLocationInput>,
) -> S3Result<GetBucketLocationOutput> {
    let name = bucket_name(&request.input.bucket)?;
    api.model.head_bucket(&name).map_err(s3_error)?;
    let region = Some(api.region.clone()).filter(|region| region != DEFAULT_REGION);
    Ok(GetBucketLocationOutput {
        location_constraint: region.map(BucketLocationConstraint::from),
    })
}

pub(super) async fn get_bucket_versioning(
    api: &Api,
    request: S3Request<GetBucketVersioningInput>,
) -> S3Result<GetBucketVersioningOutput> {
    let name = bucket_name(&request.input.bucket)?;
    let versioning = api.model.versioning(&name).map_err(s3_error)?;
    let status = versioning.map(|versioning| {
        BucketVersioningStatus::from_static(match versioning {
            Versioning::Enabled => BucketVersioningStatus::ENABLED,
            Versioning::Suspended => BucketVersioningStatus::SUSPENDED,
        })
    });
    Ok(GetBucketVersioningOutput {
        status,
        ..GetBucketVersioningOutput::default()
    })
}

pub(super) async fn put_bucket_versioning(
    api: &Api,
    request: S3Request<PutBucketVersioningInput>,
) -> S3Result<PutBucketVersioningOutput> {
    let name = bucket_name(&request.input.bucket)?;
    let status = request.input.versioning_configuration.status;
    let versioning = match status.as_ref().map(BucketVersioningStatus::as_str) {
        Some(BucketVersioningStatus::ENABLED) => Versioning::Enabled,
        Some(BucketVersioningStatus::SUSPENDED) => Versioning::Suspended,
        Some(_) | None => return Err(s3_error!(MalformedXML)),
    };
    api.model
        .set_versioning(&name, versioning)
        .map_err(s3_error)?;
    Ok(PutBucketVersioningOutput::default())
}
