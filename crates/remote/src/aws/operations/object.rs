//! HEAD, GET and PUT of an object.

use http::Method;

use super::exchange::{exchange, set};
use super::headers::{
    read_checksums, read_encryption, read_etag, read_head, read_version_id, write_attributes,
    write_condition,
};
use crate::aws::AwsClient;
use crate::aws::request::{PayloadChecksum, ReplyBody, Request};
use crate::error::{Operation, Result};
use crate::types::{
    GetObject, GetObjectOutput, HeadObject, ObjectHead, PutObject, PutObjectOutput,
};

pub(super) async fn head_object(client: &AwsClient, head: HeadObject) -> Result<ObjectHead> {
    let mut request = Request::new(Operation::HeadObject, Method::HEAD)
        .bucket(head.bucket)
        .key(head.key);
    if let Some(version_id) = head.version_id {
        request = request.query("versionId", version_id.to_string());
    }
    if let Some(part_number) = head.part_number {
        request = request.query("partNumber", part_number.to_string());
    }
    if head.checksum_mode {
        set(&mut request, "x-amz-checksum-mode", "ENABLED")?;
    }
    exchange(client, request, |response| {
        read_head(&response.headers).map(|(head, _)| head)
    })
    .await
}

pub(super) async fn get_object(client: &AwsClient, get: GetObject) -> Result<GetObjectOutput> {
    let mut request = Request::new(Operation::GetObject, Method::GET)
        .bucket(get.bucket)
        .key(get.key);
    request.reply = ReplyBody::Streamed;
    if let Some(version_id) = get.version_id {
        request = request.query("versionId", version_id.to_string());
    }
    if let Some(range) = get.range {
        set(&mut request, "range", &range.to_header())?;
    }
    if let Some(etag) = get.if_match {
        set(&mut request, "if-match", &etag.quoted())?;
    }
    if get.checksum_mode {
        set(&mut request, "x-amz-checksum-mode", "ENABLED")?;
    }
    exchange(client, request, |response| {
        let (head, range) = read_head(&response.headers)?;
        Ok(GetObjectOutput {
            head,
            range,
            body: response.body.into_stream(),
        })
    })
    .await
}

pub(super) async fn put_object(client: &AwsClient, put: PutObject) -> Result<PutObjectOutput> {
    let mut request = Request::new(Operation::PutObject, Method::PUT)
        .bucket(put.bucket)
        .key(put.key);
    request.payload = put.payload;
    // S3 takes what it is to lock only with a checksum, whatever the policy.
    request.payload_checksum = if put.attributes.lock.is_none() {
        PayloadChecksum::Crc64Nvme
    } else {
        PayloadChecksum::Required
    };
    write_attributes(&mut request, &put.attributes)?;
    write_condition(&mut request, &put.condition)?;
    exchange(client, request, |response| {
        Ok(PutObjectOutput {
            etag: read_etag(&response.headers),
            version_id: read_version_id(&response.headers),
            check: response.check,
            checksum: read_checksums(&response.headers).into_iter().next(),
            encryption: read_encryption(&response.headers),
        })
    })
    .await
}
