//! Settings that nobody can make here: said to be absent, as S3 says it of a fresh bucket.

use s3s::dto::{
    GetBucketCorsInput, GetBucketCorsOutput, GetBucketLifecycleConfigurationInput,
    GetBucketLifecycleConfigurationOutput, GetBucketPolicyInput, GetBucketPolicyOutput,
};
use s3s::{S3Request, S3Result, s3_error};

use super::Api;
use crate::names::{bucket_name, s3_error};

fn head(api: &Api, bucket: &str) -> S3Result<()> {
    api.model
        .head_bucket(&bucket_name(bucket)?)
        .map_err(s3_error)
}

pub(super) async fn get_bucket_policy(
    api: &Api,
    request: S3Request<GetBucketPolicyInput>,
) -> S3Result<GetBucketPolicyOutput> {
    head(api, &request.input.bucket)?;
    Err(s3_error!(
        NoSuchBucketPolicy,
        "The bucket policy does not exist"
    ))
}

pub(super) async fn get_bucket_lifecycle_configuration(
    api: &Api,
    request: S3Request<GetBucketLifecycleConfigurationInput>,
) -> S3Result<GetBucketLifecycleConfigurationOutput> {
    head(api, &request.input.bucket)?;
    Err(s3_error!(
        NoSuchLifecycleConfiguration,
        "The lifecycle configuration does not exist"
    ))
}

pub(super) async fn get_bucket_cors(
    api: &Api,
    request: S3Request<GetBucketCorsInput>,
) -> S3Result<GetBucketCorsOutput> {
    head(api, &request.input.bucket)?;
    Err(s3_error!(
        NoSuchCORSConfiguration,
        "The CORS configuration does not exist"
    ))
}
