//! Settings that nobody can make here: said to be absent, as S3 says it of a fresh bucket.

use s3s::dto::{
    GetBucketAclInput, GetBucketAclOutput, GetBucketCorsInput, GetBucketCorsOutput,
    GetBucketLifecycleConfigurationInput, GetBucketLifecycleConfigurationOutput,
    GetBucketPolicyInput, GetBucketPolicyOutput, GetObjectAclInput, GetObjectAclOutput, Grant,
    Grantee, Permission, Type,
};
use s3s::{S3Request, S3Result, s3_error};
use store::model::ReadConditions;

use super::Api;
use super::buckets::owner;
use crate::names::{bucket_name, key, s3_error, version_id};

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

pub(super) async fn get_bucket_acl(
    api: &Api,
    request: S3Request<GetBucketAclInput>,
) -> S3Result<GetBucketAclOutput> {
    head(api, &request.input.bucket)?;
    Ok(GetBucketAclOutput {
        grants: Some(vec![full_control()]),
        owner: Some(owner()),
    })
}

/// The owner's grant only: a canned ACL is kept, not enforced.
pub(super) async fn get_object_acl(
    api: &Api,
    request: S3Request<GetObjectAclInput>,
) -> S3Result<GetObjectAclOutput> {
    let input = request.input;
    api.model
        .get_object(
            &bucket_name(&input.bucket)?,
            &key(&input.key)?,
            version_id(input.version_id.as_ref()).as_ref(),
            &ReadConditions::default(),
        )
        .map_err(s3_error)?;
    Ok(GetObjectAclOutput {
        grants: Some(vec![full_control()]),
        owner: Some(owner()),
        ..GetObjectAclOutput::default()
    })
}

fn full_control() -> Grant {
    let owner = owner();
    Grant {
        grantee: Some(Grantee {
            display_name: owner.display_name,
            email_address: None,
            id: owner.id,
            type_: Type::from_static(Type::CANONICAL_USER),
            uri: None,
        }),
        permission: Some(Permission::from_static(Permission::FULL_CONTROL)),
    }
}
