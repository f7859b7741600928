//! Tags of buckets and objects.

use s3s::dto::{
    DeleteBucketTaggingInput, DeleteBucketTaggingOutput, DeleteObjectTaggingInput,
    DeleteObjectTaggingOutput, GetBucketTaggingInput, GetBucketTaggingOutput,
    GetObjectTaggingInput, GetObjectTaggingOutput, PutBucketTaggingInput, PutBucketTaggingOutput,
    PutObjectTaggingInput, PutObjectTaggingOutput,
};
use s3s::{S3Request, S3Result, s3_error};
use store::model::{ReadConditions, Tags};

use super::Api;
use crate::attributes::{tag_set, tags_from};
use crate::names::{bucket_name, key, s3_error, shown, version_id};

pub(super) async fn get_bucket_tagging(
    api: &Api,
    request: S3Request<GetBucketTaggingInput>,
) -> S3Result<GetBucketTaggingOutput> {
    let name = bucket_name(&request.input.bucket)?;
    let tags = api.model.bucket_tags(&name).map_err(s3_error)?;
    let tags = tags.ok_or_else(|| s3_error!(NoSuchTagSet, "The TagSet does not exist"))?;
    Ok(GetBucketTaggingOutput {
        tag_set: tag_set(&tags),
    })
}

pub(super) async fn put_bucket_tagging(
    api: &Api,
    request: S3Request<PutBucketTaggingInput>,
) -> S3Result<PutBucketTaggingOutput> {
    let name = bucket_name(&request.input.bucket)?;
    let tags = tags_from(&request.input.tagging.tag_set)?;
    api.model
        .set_bucket_tags(&name, Some(tags))
        .map_err(s3_error)?;
    Ok(PutBucketTaggingOutput::default())
}

pub(super) async fn delete_bucket_tagging(
    api: &Api,
    request: S3Request<DeleteBucketTaggingInput>,
) -> S3Result<DeleteBucketTaggingOutput> {
    let name = bucket_name(&request.input.bucket)?;
    api.model.set_bucket_tags(&name, None).map_err(s3_error)?;
    Ok(DeleteBucketTaggingOutput::default())
}

pub(super) async fn get_object_tagging(
    api: &Api,
    request: S3Request<GetObjectTaggingInput>,
) -> S3Result<GetObjectTaggingOutput> {
    let input = request.input;
    let found = api
        .model
        .get_object(
            &bucket_name(&input.bucket)?,
            &key(&input.key)?,
            version_id(input.version_id.as_ref()).as_ref(),
            &ReadConditions::default(),
        )
        .map_err(s3_error)?;
    Ok(GetObjectTaggingOutput {
        tag_set: tag_set(&found.object.tags),
        version_id: shown(found.version_id.as_ref()),
    })
}

pub(super) async fn put_object_tagging(
    api: &Api,
    request: S3Request<PutObjectTaggingInput>,
) -> S3Result<PutObjectTaggingOutput> {
    let input = request.input;
    let written = api
        .model
        .set_object_tags(
            &bucket_name(&input.bucket)?,
            &key(&input.key)?,
            version_id(input.version_id.as_ref()).as_ref(),
            tags_from(&input.tagging.tag_set)?,
        )
        .map_err(s3_error)?;
    Ok(PutObjectTaggingOutput {
        version_id: shown(written.as_ref()),
    })
}

pub(super) async fn delete_object_tagging(
    api: &Api,
    request: S3Request<DeleteObjectTaggingInput>,
) -> S3Result<DeleteObjectTaggingOutput> {
    let input = request.input;
    let written = api
        .model
        .set_object_tags(
            &bucket_name(&input.bucket)?,
            &key(&input.key)?,
            version_id(input.version_id.as_ref()).as_ref(),
            Tags::default(),
        )
        .map_err(s3_error)?;
    Ok(DeleteObjectTaggingOutput {
        version_id: shown(written.as_ref()),
    })
}
