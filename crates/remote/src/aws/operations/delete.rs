//! Deleting one and many.

use http::Method;

use super::exchange::{exchange, set};
use super::headers::read_version_id;
use crate::aws::AwsClient;
use crate::aws::request::{PayloadChecksum, Request};
use crate::aws::xml::{can_carry, parse_deletes, write_deletes};
use crate::error::{Error, Operation, Result};
use crate::payload::Payload;
use crate::types::{
    DeleteFailure, DeleteObject, DeleteObjectOutput, DeleteObjects, DeleteObjectsOutput,
    DeletedObject, ObjectIdentifier,
};

pub(super) async fn delete_object(
    client: &AwsClient,
    delete: DeleteObject,
) -> Result<DeleteObjectOutput> {
    let mut request = Request::new(Operation::DeleteObject, Method::DELETE)
        .bucket(delete.bucket)
        .key(delete.key);
    if let Some(version_id) = delete.version_id {
        request = request.query("versionId", version_id.to_string());
    }
    if let Some(etag) = delete.if_match {
        set(&mut request, "if-match", &etag.quoted())?;
    }
    exchange(client, request, |response| {
        let delete_marker = response
            .header("x-amz-delete-marker")
            .is_some_and(|marker| marker.eq_ignore_ascii_case("true"));
        Ok(DeleteObjectOutput {
            version_id: read_version_id(&response.headers),
            delete_marker,
        })
    })
    .await
}

/// Deletes all that XML can carry in one request, and the rest one by one: a key with a control
/// character would be refused by one store and changed by another.
pub(super) async fn delete_objects(
    client: &AwsClient,
    delete: DeleteObjects,
) -> Result<DeleteObjectsOutput> {
    let (carried, alone): (Vec<ObjectIdentifier>, Vec<ObjectIdentifier>) = delete
        .objects
        .into_iter()
        .partition(|object| can_carry(object.key.as_str()));
    let mut output = DeleteObjectsOutput::default();
    if !carried.is_empty() {
        let mut request = Request::new(Operation::DeleteObjects, Method::POST)
            .bucket(delete.bucket.clone())
            .flag("delete");
        request.payload = Payload::from_bytes(write_deletes(&carried));
        request.payload_checksum = PayloadChecksum::Required;
        set(&mut request, "content-type", "application/xml")?;
        let read =
            |response: crate::aws::response::Response| parse_deletes(&response.body.into_bytes());
        let answer = exchange(client, request, read).await?;
        output = answer.account(carried);
    }
    for object in alone {
        let one = DeleteObject {
            bucket: delete.bucket.clone(),
            key: object.key.clone(),
            version_id: object.version_id.clone(),
            if_match: None,
        };
        match delete_object(client, one).await {
            Ok(done) => output.deleted.push(DeletedObject {
                delete_marker_version_id: done.version_id.filter(|_| done.delete_marker),
                object,
            }),
            Err(error) => output.failed.push(failure(object, &error)),
        }
    }
    Ok(output)
}

fn failure(object: ObjectIdentifier, error: &Error) -> DeleteFailure {
    DeleteFailure {
        object,
        code: error.code().unwrap_or("RequestFailed").to_owned(),
        message: error.message().to_owned(),
    }
}
