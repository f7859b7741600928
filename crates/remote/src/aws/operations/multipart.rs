//! Multipart uploads.

use base::Checksum;
use http::{HeaderName, HeaderValue, Method};

use super::exchange::{exchange, set};
use super::headers::{
    read_checksums, read_etag, read_version_id, write_attributes, write_condition,
};
use crate::aws::AwsClient;
use crate::aws::request::{PayloadChecksum, Request};
use crate::aws::xml::{
    InvalidXml, parse_completed, parse_created, parse_parts, parse_uploads, write_completed,
};
use crate::error::{Operation, Result};
use crate::payload::Payload;
use crate::types::{
    AbortMultipartUpload, CompleteMultipartUpload, CompletedUpload, CreateMultipartUpload,
    CreatedUpload, ListMultipartUploads, ListParts, PartPage, UploadPage, UploadPart, UploadedPart,
};

const CHECKSUM_ALGORITHM: HeaderName = HeaderName::from_static("x-amz-checksum-algorithm");
const CHECKSUM_TYPE: HeaderName = HeaderName::from_static("x-amz-checksum-type");
const CHECKSUM_CRC64NVME: HeaderName = HeaderName::from_static("x-amz-checksum-crc64nvme");

pub(super) async fn create_multipart_upload(
    client: &AwsClient,
    create: CreateMultipartUpload,
) -> Result<CreatedUpload> {
    let mut request = Request::new(Operation::CreateMultipartUpload, Method::POST)
        .bucket(create.bucket)
        .key(create.key)
        .flag("uploads");
    write_attributes(&mut request, &create.attributes)?;
    request.checksum_headers = vec![
        (CHECKSUM_ALGORITHM, HeaderValue::from_static("CRC64NVME")),
        (CHECKSUM_TYPE, HeaderValue::from_static("FULL_OBJECT")),
    ];
    exchange(client, request, |response| {
        // A store that does not know the header ignores it, and says nothing.
        let echoed = response
            .header(CHECKSUM_ALGORITHM.as_str())
            .is_some_and(|algorithm| algorithm.eq_ignore_ascii_case("CRC64NVME"));
        Ok(CreatedUpload {
            takes_crc64nvme: response.checksum_headers_sent && echoed,
            upload_id: parse_created(&response.body.into_bytes())?,
        })
    })
    .await
}

pub(super) async fn upload_part(client: &AwsClient, part: UploadPart) -> Result<UploadedPart> {
    let mut request = Request::new(Operation::UploadPart, Method::PUT)
        .bucket(part.bucket)
        .key(part.key)
        .query("partNumber", part.part_number.to_string())
        .query("uploadId", part.upload_id.to_string());
    request.payload = part.payload;
    if part.takes_crc64nvme {
        request.payload_checksum = PayloadChecksum::Crc64Nvme;
    }
    exchange(client, request, |response| {
        Ok(UploadedPart {
            etag: read_etag(&response.headers).ok_or(InvalidXml::Missing("ETag"))?,
            check: response.check,
            checksum: read_checksums(&response.headers).into_iter().next(),
        })
    })
    .await
}

pub(super) async fn complete_multipart_upload(
    client: &AwsClient,
    complete: CompleteMultipartUpload,
) -> Result<CompletedUpload> {
    let mut request = Request::new(Operation::CompleteMultipartUpload, Method::POST)
        .bucket(complete.bucket)
        .key(complete.key)
        .query("uploadId", complete.upload_id.to_string());
    request.payload = Payload::from_bytes(write_completed(&complete.parts));
    set(&mut request, "content-type", "application/xml")?;
    write_condition(&mut request, &complete.condition)?;
    write_whole_checksum(&mut request, complete.checksum.as_ref())?;
    exchange(client, request, |response| {
        let version_id = read_version_id(&response.headers);
        let completed = parse_completed(&response.body.into_bytes())?;
        Ok(CompletedUpload {
            etag: completed.etag,
            version_id,
            checksum: completed.checksum,
        })
    })
    .await
}

fn write_whole_checksum(request: &mut Request, checksum: Option<&Checksum>) -> Result<()> {
    let Some(checksum) = checksum else {
        return Ok(());
    };
    match checksum.as_crc64nvme() {
        Some(crc64) => {
            let value = HeaderValue::from_str(&crc64.to_base64()).expect("base64 is ASCII");
            request.checksum_headers = vec![
                (CHECKSUM_CRC64NVME, value),
                (CHECKSUM_TYPE, HeaderValue::from_static("FULL_OBJECT")),
            ];
            Ok(())
        }
        None => set(request, checksum.algorithm.header(), &checksum.value),
    }
}

pub(super) async fn abort_multipart_upload(
    client: &AwsClient,
    abort: AbortMultipartUpload,
) -> Result<()> {
    let request = Request::new(Operation::AbortMultipartUpload, Method::DELETE)
        .bucket(abort.bucket)
        .key(abort.key)
        .query("uploadId", abort.upload_id.to_string());
    exchange(client, request, |_| Ok(())).await
}

pub(super) async fn list_parts(client: &AwsClient, list: ListParts) -> Result<PartPage> {
    let after = list.part_number_after;
    let mut request = Request::new(Operation::ListParts, Method::GET)
        .bucket(list.bucket)
        .key(list.key)
        .query("uploadId", list.upload_id.to_string());
    if let Some(after) = after {
        request = request.query("part-number-marker", after.to_string());
    }
    exchange(client, request, move |response| {
        parse_parts(&response.body.into_bytes(), after)
    })
    .await
}

pub(super) async fn list_multipart_uploads(
    client: &AwsClient,
    list: ListMultipartUploads,
) -> Result<UploadPage> {
    let mut request = Request::new(Operation::ListMultipartUploads, Method::GET)
        .bucket(list.bucket)
        .flag("uploads")
        .query("encoding-type", "url");
    if !list.prefix.is_empty() {
        request = request.query("prefix", list.prefix);
    }
    if let Some((key, upload_id)) = list.after {
        request = request.query("key-marker", key);
        if !upload_id.is_empty() {
            request = request.query("upload-id-marker", upload_id);
        }
    }
    exchange(client, request, |response| {
        parse_uploads(&response.body.into_bytes())
    })
    .await
}
