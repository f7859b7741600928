//! Tags of objects.

use base::{BucketName, Fault, Key, VersionId};
use http::Method;

use super::exchange::exchange;
use crate::aws::AwsClient;
use crate::aws::request::{PayloadChecksum, Request};
use crate::aws::xml::{InvalidXml, can_carry, parse_tags, write_tags};
use crate::error::{self, Operation};
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
) -> error::Result<Vec<Tag>> {
    let request = beside(
        Operation::GetObjectTagging,
        Method::GET,
        get.bucket,
        get.key,
        get.version_id,
        "tagging",
    );
    exchange(client, request, |response| {
        parse_tags(document(&response.body.into_bytes(), "Tagging")?)
    })
    .await
}

/// A whole answer that is to hold a document of this root.
///
/// rclone answers questions beside an object with the object itself: where that is empty nothing
/// was cut off, and no other try brings a document.
pub(super) fn document<'a>(body: &'a [u8], root: &'static str) -> Result<&'a [u8], InvalidXml> {
    match body.trim_ascii() {
        [] => Err(InvalidXml::Missing(root)),
        _ => Ok(body),
    }
}

pub(super) async fn put_object_tagging(
    client: &AwsClient,
    put: PutObjectTagging,
) -> error::Result<()> {
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
