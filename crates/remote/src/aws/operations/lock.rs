//! Object lock.

use base::BucketName;
use http::Method;

use super::exchange::exchange;
use super::tags::beside;
use crate::aws::AwsClient;
use crate::aws::request::{PayloadChecksum, Request};
use crate::aws::xml::{parse_lock_configuration, write_legal_hold, write_lock_configuration};
use crate::error::{Operation, Result};
use crate::payload::Payload;
use crate::types::PutObjectLegalHold;

pub(super) async fn put_object_legal_hold(
    client: &AwsClient,
    put: PutObjectLegalHold,
) -> Result<()> {
    let mut request = beside(
        Operation::PutObjectLegalHold,
        Method::PUT,
        put.bucket,
        put.key,
        put.version_id,
        "legal-hold",
    );
    request.payload = Payload::from_bytes(write_legal_hold(put.legal_hold));
    request.payload_checksum = PayloadChecksum::Required;
    exchange(client, request, |_| Ok(())).await
}

pub(super) async fn get_object_lock_configuration(
    client: &AwsClient,
    bucket: BucketName,
) -> Result<bool> {
    let request = Request::new(Operation::GetObjectLockConfiguration, Method::GET)
        .bucket(bucket)
        .flag("object-lock");
    let answer = exchange(client, request, |response| {
        parse_lock_configuration(&response.body.into_bytes())
    })
    .await;
    match answer {
        Err(error)
            if error.is_code("ObjectLockConfigurationNotFoundError")
                || error.is_code("NotImplemented") =>
        {
            Ok(false)
        }
        answer => answer,
    }
}

pub(super) async fn put_object_lock_configuration(
    client: &AwsClient,
    bucket: BucketName,
) -> Result<()> {
    let mut request = Request::new(Operation::PutObjectLockConfiguration, Method::PUT)
        .bucket(bucket)
        .flag("object-lock");
    request.payload = Payload::from_bytes(write_lock_configuration());
    request.payload_checksum = PayloadChecksum::Required;
    exchange(client, request, |_| Ok(())).await
}
