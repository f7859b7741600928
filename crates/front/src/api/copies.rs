//! Copies inside the store.

use base::{BucketName, Key, VersionId};
use s3s::dto::{
    self, CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopyPartResult, CopySource,
    UploadPartCopyInput, UploadPartCopyOutput,
};
use s3s::{S3Request, S3Result, s3_error};
use store::model::{CopyObject, MetadataDirective, ReadConditions, UploadPartCopy};

use super::Api;
use crate::attributes::{attributes_of, encryption, refuse_customer_key, tags_from_header};
use crate::checksums::{algorithm, set_checksum, type_of};
use crate::names::{
    bucket_name, etag, etag_match, key, part_number, s3_error, shown, timestamp, timestamp_from,
    upload_id,
};

struct Source {
    bucket: BucketName,
    key: Key,
    version_id: Option<VersionId>,
}

fn source(copy_source: &CopySource) -> S3Result<Source> {
    match copy_source {
        CopySource::Bucket {
            bucket,
            key: text,
            version_id,
        } => Ok(Source {
            bucket: bucket_name(bucket)?,
            key: key(text)?,
            version_id: version_id.as_deref().map(VersionId::new),
        }),
        CopySource::AccessPoint { .. } | CopySource::Outpost { .. } => Err(s3_error!(
            NotImplemented,
            "Copying from access points is not implemented"
        )),
    }
}

macro_rules! source_conditions {
    ($input:expr) => {
        ReadConditions {
            if_match: etag_match($input.copy_source_if_match.as_ref()),
            if_none_match: etag_match($input.copy_source_if_none_match.as_ref()),
            if_modified_since: timestamp_from($input.copy_source_if_modified_since.as_ref()),
            if_unmodified_since: timestamp_from($input.copy_source_if_unmodified_since.as_ref()),
        }
    };
}

pub(super) async fn copy_object(
    api: &Api,
    request: S3Request<CopyObjectInput>,
) -> S3Result<CopyObjectOutput> {
    let input = request.input;
    refuse_customer_key!(input);
    let source = source(&input.copy_source)?;
    let directive = match input.metadata_directive.as_ref().map(|d| d.as_str()) {
        None | Some(dto::MetadataDirective::COPY) => MetadataDirective::Copy,
        Some(dto::MetadataDirective::REPLACE) => MetadataDirective::Replace,
        Some(_) => return Err(s3_error!(InvalidArgument, "Unknown metadata directive.")),
    };
    let replaces_tags = input
        .tagging_directive
        .as_ref()
        .is_some_and(|d| d.as_str() == dto::TaggingDirective::REPLACE);
    let tags = if replaces_tags {
        Some(tags_from_header(input.tagging.as_ref())?)
    } else {
        None
    };
    // s3s knows these two conditions of the destination for PutObject only.
    let condition = |name: http::HeaderName| {
        let text = request.headers.get(name)?.to_str().ok()?;
        Some(store::model::ETagMatch::from_header(text))
    };
    let copy = CopyObject {
        source_bucket: source.bucket,
        source_key: source.key,
        source_version_id: source.version_id,
        source_conditions: source_conditions!(input),
        bucket: bucket_name(&input.bucket)?,
        key: key(&input.key)?,
        metadata_directive: directive,
        attributes: attributes_of!(input),
        tags,
        algorithm: algorithm(input.checksum_algorithm.as_ref()),
        conditions: store::model::WriteConditions {
            if_match: condition(http::header::IF_MATCH),
            if_none_match: condition(http::header::IF_NONE_MATCH),
        },
    };
    let model = api.model.clone();
    // Hashing up to 5 GiB would hold up every other connection.
    let (stored, source_version_id) = base::tasks::blocking(move || model.copy_object(copy))
        .await
        .map_err(s3_error)?;
    let object = &stored.object;
    let checksum = api.shown_checksum(Some(&object.checksum));
    let mut result = CopyObjectResult {
        checksum_type: type_of(checksum),
        e_tag: Some(etag(&object.etag)),
        last_modified: Some(timestamp(object.last_modified)),
        ..CopyObjectResult::default()
    };
    set_checksum!(result, checksum);
    Ok(CopyObjectOutput {
        copy_object_result: Some(result),
        copy_source_version_id: shown(source_version_id.as_ref()),
        server_side_encryption: encryption(&object.attributes),
        ssekms_key_id: object.attributes.encryption.kms_key_id.clone(),
        version_id: shown(stored.version_id.as_ref()),
        ..CopyObjectOutput::default()
    })
}

pub(super) async fn upload_part_copy(
    api: &Api,
    request: S3Request<UploadPartCopyInput>,
) -> S3Result<UploadPartCopyOutput> {
    let input = request.input;
    refuse_customer_key!(input);
    let source = source(&input.copy_source)?;
    let range = input.copy_source_range.as_deref().map(|text| {
        copy_range(text).ok_or_else(|| {
            s3_error!(
                InvalidArgument,
                "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy"
            )
        })
    });
    let copy = UploadPartCopy {
        source_bucket: source.bucket,
        source_key: source.key,
        source_version_id: source.version_id,
        source_conditions: source_conditions!(input),
        source_range: range.transpose()?,
        bucket: bucket_name(&input.bucket)?,
        key: key(&input.key)?,
        upload_id: upload_id(&input.upload_id),
        part_number: part_number(input.part_number)?,
    };
    let model = api.model.clone();
    let (part, source_version_id) = base::tasks::blocking(move || model.upload_part_copy(copy))
        .await
        .map_err(s3_error)?;
    let mut result = CopyPartResult {
        e_tag: Some(etag(&part.etag)),
        last_modified: Some(timestamp(part.last_modified)),
        ..CopyPartResult::default()
    };
    set_checksum!(result, api.shown_checksum(Some(&part.checksum)));
    Ok(UploadPartCopyOutput {
        copy_part_result: Some(result),
        copy_source_version_id: shown(source_version_id.as_ref()),
        server_side_encryption: part
            .encryption
            .algorithm
            .clone()
            .map(dto::ServerSideEncryption::from),
        ssekms_key_id: part.encryption.kms_key_id,
        ..UploadPartCopyOutput::default()
    })
}

/// Reads `bytes=first-last`; both must be there.
fn copy_range(text: &str) -> Option<(u64, u64)> {
    let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    Some((first.parse().ok()?, last.parse().ok()?))
}
