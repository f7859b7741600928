//! Object lock.

use s3s::dto::{
    GetObjectLegalHoldInput, GetObjectLegalHoldOutput, GetObjectLockConfigurationInput,
    GetObjectLockConfigurationOutput, GetObjectRetentionInput, GetObjectRetentionOutput,
    ObjectLockConfiguration, ObjectLockEnabled, ObjectLockLegalHold, ObjectLockLegalHoldStatus,
    ObjectLockRetention, ObjectLockRetentionMode, PutObjectLegalHoldInput,
    PutObjectLegalHoldOutput, PutObjectLockConfigurationInput, PutObjectLockConfigurationOutput,
};
use s3s::{S3Request, S3Result, s3_error};
use store::model::ReadConditions;

use super::Api;
use super::objects::find;
use crate::attributes::is_held;
use crate::names::{bucket_name, key, s3_error, timestamp, version_id};

pub(super) async fn get_object_lock_configuration(
    api: &Api,
    request: S3Request<GetObjectLockConfigurationInput>,
) -> S3Result<GetObjectLockConfigurationOutput> {
    let bucket = bucket_name(&request.input.bucket)?;
    if !api.model.takes_locks(&bucket).map_err(s3_error)? {
        return Err(s3_error!(
            ObjectLockConfigurationNotFoundError,
            "Object Lock configuration does not exist for this bucket"
        ));
    }
    let enabled = ObjectLockEnabled::from_static(ObjectLockEnabled::ENABLED);
    Ok(GetObjectLockConfigurationOutput {
        object_lock_configuration: Some(ObjectLockConfiguration {
            object_lock_enabled: Some(enabled),
            rule: None,
        }),
    })
}

pub(super) async fn put_object_lock_configuration(
    api: &Api,
    request: S3Request<PutObjectLockConfigurationInput>,
) -> S3Result<PutObjectLockConfigurationOutput> {
    let input = request.input;
    let configuration = input
        .object_lock_configuration
        .ok_or_else(|| s3_error!(MalformedXML))?;
    if configuration.rule.is_some() {
        return Err(s3_error!(
            NotImplemented,
            "A retention for what names none itself is not implemented"
        ));
    }
    let bucket = bucket_name(&input.bucket)?;
    api.model.take_locks(&bucket).map_err(s3_error)?;
    Ok(PutObjectLockConfigurationOutput::default())
}

pub(super) async fn get_object_legal_hold(
    api: &Api,
    request: S3Request<GetObjectLegalHoldInput>,
) -> S3Result<GetObjectLegalHoldOutput> {
    let input = request.input;
    let version = input.version_id.as_ref();
    let conditions = ReadConditions::default();
    let found = find(api, &input.bucket, &input.key, version, &conditions)?;
    let status = if found.object.attributes.lock.legal_hold {
        ObjectLockLegalHoldStatus::ON
    } else {
        ObjectLockLegalHoldStatus::OFF
    };
    Ok(GetObjectLegalHoldOutput {
        legal_hold: Some(ObjectLockLegalHold {
            status: Some(ObjectLockLegalHoldStatus::from_static(status)),
        }),
    })
}

pub(super) async fn put_object_legal_hold(
    api: &Api,
    request: S3Request<PutObjectLegalHoldInput>,
) -> S3Result<PutObjectLegalHoldOutput> {
    let input = request.input;
    let status = input.legal_hold.and_then(|hold| hold.status);
    let status = status.ok_or_else(|| s3_error!(MalformedXML))?;
    api.model
        .set_legal_hold(
            &bucket_name(&input.bucket)?,
            &key(&input.key)?,
            version_id(input.version_id.as_ref()).as_ref(),
            is_held(&status),
        )
        .map_err(s3_error)?;
    Ok(PutObjectLegalHoldOutput::default())
}

pub(super) async fn get_object_retention(
    api: &Api,
    request: S3Request<GetObjectRetentionInput>,
) -> S3Result<GetObjectRetentionOutput> {
    let input = request.input;
    let version = input.version_id.as_ref();
    let conditions = ReadConditions::default();
    let found = find(api, &input.bucket, &input.key, version, &conditions)?;
    let lock = found.object.attributes.lock;
    let Some(mode) = lock.mode else {
        return Err(s3_error!(
            NoSuchObjectLockConfiguration,
            "The specified object does not have a ObjectLock configuration"
        ));
    };
    Ok(GetObjectRetentionOutput {
        retention: Some(ObjectLockRetention {
            mode: Some(ObjectLockRetentionMode::from_static(mode.as_str())),
            retain_until_date: lock.retain_until.map(timestamp),
        }),
    })
}
