//! Tags of objects.

use base::{BucketName, Fault, Key, VersionId};
use http::Method;

use super::exchange::exchange;
use crate::aws::AwsClient;
use crate::aws::request::{PayloadChecksum, Request};
use crate::aws::xml::{can_carry, parse_tags, write_tags};
use crate::error::{Operation, Result};
use crate::payload::Payload;
use crate::types::{GetObjectTagging, PutObjectTagging, Tag};

/// A request about something beside an object's bytes.
pub(super) fn beside(
    operation: Operation,
    method: Method,
    bucket: BucketName,
    key: Key,
    version_id: Option<VersionId>,
    what: &'static str,
) -> Request {
    let request = Request::new(operation, method)
        .bucket(bucket)
        .key(key)
        .flag(what);
    match version_id {
        Some(version_id) => request.query("versionId", version_id.to_string()),
        None => request,
    }
}

pub(super) async fn get_object_tagging(
    client: &AwsClient,
    get: GetObjectTagging,
) -> Result<Vec<Tag>> {
    let request = beside(
        Operation::GetObjectTagging,
        Method::GET,
        get.bucket,
        get.key,
        get.version_id,
        "tagging",
    );
    exchange(client, request, |response| {
        parse_tags(&response.body.into_bytes())
    })
    .await
}

pub(super) async fn put_object_tagging(client: &AwsClient, put: PutObjectTagging) -> Result<()> {
    let mut request = beside(
        Operation::PutObjectTagging,
        Method::PUT,
        put.bucket,
        put.key,
        put.version_id,
        "tagging",
    );
    let carried = |tag: &Tag| can_carry(&tag.key) && can_carry(&tag.value);
    if !put.tags.iter().all(carried) {
        let message = "a tag has a character that XML cannot carry";
        return Err(request.error(Fault::Invalid, message));
    }
    request.payload = Payload::from_bytes(write_tags(&put.tags));
    request.payload_checksum = PayloadChecksum::Required;
    exchange(client, request, |_| Ok(())).await
}
