//! Objects: written, read, asked about, restored.

use std::sync::Arc;

use base::Checksum;
use http::HeaderValue;
use s3s::dto::{
    ChecksumMode, GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput,
    PutObjectInput, PutObjectOutput, RestoreObjectInput, RestoreObjectOutput, StreamingBlob,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};
use store::model::{FoundObject, Object, PutObject, ReadConditions};

use super::Api;
use super::segments::Segments;
use super::selection::Selection;
use crate::attributes::{
    attributes_of, encryption, http_date, http_date_from, metadata, refuse_customer_key, set_lock,
    storage_class, tags_from_header,
};
use crate::checksums::{algorithm, declared_checksums, set_checksum, type_of};
use crate::intake::{Announced, take_in};
use crate::names::{
    bucket_name, etag, etag_match, key, s3_error, shown, size, timestamp, timestamp_from,
    version_id, write_conditions,
};

pub(super) async fn put_object(
    api: &Api,
    request: S3Request<PutObjectInput>,
) -> S3Result<PutObjectOutput> {
    let input = request.input;
    refuse_customer_key!(input);
    let bucket = bucket_name(&input.bucket)?;
    api.model.head_bucket(&bucket).map_err(s3_error)?;
    let attributes = attributes_of!(input);
    let announced = api.announced(Announced {
        content_length: input.content_length,
        content_md5: input.content_md5.clone(),
        checksums: declared_checksums!(input),
        algorithm: algorithm(input.checksum_algorithm.as_ref()),
        trailers: request.trailing_headers,
    })?;
    let kept = announced.kept_algorithm();
    let tags = tags_from_header(input.tagging.as_ref())?;
    let conditions = write_conditions(input.if_match.as_ref(), input.if_none_match.as_ref());
    let (received, declared) = take_in(input.body, announced, None).await?;
    let stored = api
        .model
        .put_object(PutObject {
            bucket,
            key: key(&input.key)?,
            received,
            declared,
            algorithm: kept,
            attributes,
            tags,
            conditions,
        })
        .map_err(s3_error)?;
    let checksum = api.shown_checksum(Some(&stored.object.checksum));
    let mut output = PutObjectOutput {
        checksum_type: type_of(checksum),
        e_tag: Some(etag(&stored.object.etag)),
        server_side_encryption: encryption(&stored.object.attributes),
        ssekms_key_id: stored.object.attributes.encryption.kms_key_id.clone(),
        version_id: shown(stored.version_id.as_ref()),
        ..PutObjectOutput::default()
    };
    set_checksum!(output, checksum);
    Ok(output)
}

pub(super) async fn get_object(
    api: &Api,
    request: S3Request<GetObjectInput>,
) -> S3Result<GetObjectOutput> {
    let input = request.input;
    refuse_customer_key!(input);
    let conditions = ReadConditions {
        if_match: etag_match(input.if_match.as_ref()),
        if_none_match: etag_match(input.if_none_match.as_ref()),
        if_modified_since: timestamp_from(input.if_modified_since.as_ref()),
        if_unmodified_since: timestamp_from(input.if_unmodified_since.as_ref()),
    };
    let found = find(
        api,
        &input.bucket,
        &input.key,
        input.version_id.as_ref(),
        &conditions,
    )?;
    let object = &found.object;
    if api.model.needs_restore(object) {
        return Err(s3_error(store::model::Error::InvalidObjectState));
    }
    let selected = Selection {
        range: input.range,
        part_number: input.part_number,
    }
    .of(object)?;
    let body = if selected.bytes == (0..object.size()) {
        object.body.clone()
    } else {
        object.body.slice(selected.bytes.clone())
    };
    let checksum = api.asked_checksum(input.checksum_mode.as_ref(), selected.checksum.as_ref());
    let attributes = &object.attributes;
    let mut output = GetObjectOutput {
        accept_ranges: Some("bytes".to_owned()),
        content_length: Some(size(body.len())),
        body: Some(StreamingBlob::new(Segments::new(body))),
        cache_control: attributes.cache_control.clone(),
        checksum_type: type_of(checksum),
        content_disposition: attributes.content_disposition.clone(),
        content_encoding: attributes.content_encoding.clone(),
        content_language: attributes.content_language.clone(),
        content_range: selected.content_range,
        content_type: Some(content_type(object)),
        e_tag: Some(etag(&object.etag)),
        expires: http_date_from(attributes.expires.as_ref()),
        last_modified: Some(timestamp(object.last_modified)),
        metadata: metadata(attributes),
        parts_count: selected.part_count,
        restore: restore(object),
        server_side_encryption: encryption(attributes),
        ssekms_key_id: attributes.encryption.kms_key_id.clone(),
        storage_class: storage_class(attributes),
        tag_count: i32::try_from(object.tags.len())
            .ok()
            .filter(|count| *count > 0),
        version_id: shown(found.version_id.as_ref()),
        website_redirect_location: attributes.website_redirect_location.clone(),
        ..GetObjectOutput::default()
    };
    set_checksum!(output, checksum);
    set_lock!(output, attributes.lock);
    Ok(output)
}

pub(super) async fn head_object(
    api: &Api,
    request: S3Request<HeadObjectInput>,
) -> S3Result<S3Response<HeadObjectOutput>> {
    let input = request.input;
    refuse_customer_key!(input);
    let conditions = ReadConditions {
        if_match: etag_match(input.if_match.as_ref()),
        if_none_match: etag_match(input.if_none_match.as_ref()),
        if_modified_since: timestamp_from(input.if_modified_since.as_ref()),
        if_unmodified_since: timestamp_from(input.if_unmodified_since.as_ref()),
    };
    let found = find(
        api,
        &input.bucket,
        &input.key,
        input.version_id.as_ref(),
        &conditions,
    )?;
    let object = &found.object;
    let selected = Selection {
        range: input.range,
        part_number: input.part_number,
    }
    .of(object)?;
    let checksum = api.asked_checksum(input.checksum_mode.as_ref(), selected.checksum.as_ref());
    let attributes = &object.attributes;
    let mut output = HeadObjectOutput {
        accept_ranges: Some("bytes".to_owned()),
        cache_control: attributes.cache_control.clone(),
        checksum_type: type_of(checksum),
        content_disposition: attributes.content_disposition.clone(),
        content_encoding: attributes.content_encoding.clone(),
        content_language: attributes.content_language.clone(),
        content_length: Some(size(selected.bytes.end - selected.bytes.start)),
        content_range: selected.content_range,
        content_type: Some(content_type(object)),
        e_tag: Some(etag(&object.etag)),
        expires: http_date_from(attributes.expires.as_ref()),
        last_modified: Some(timestamp(object.last_modified)),
        metadata: metadata(attributes),
        parts_count: selected.part_count,
        restore: restore(object),
        server_side_encryption: encryption(attributes),
        ssekms_key_id: attributes.encryption.kms_key_id.clone(),
        storage_class: storage_class(attributes),
        version_id: shown(found.version_id.as_ref()),
        website_redirect_location: attributes.website_redirect_location.clone(),
        ..HeadObjectOutput::default()
    };
    set_checksum!(output, checksum);
    set_lock!(output, attributes.lock);
    let mut response = S3Response::new(output);
    // s3s has no field for it in HEAD's answer.
    if !object.tags.is_empty() {
        let count = HeaderValue::from(object.tags.len());
        response.headers.insert("x-amz-tagging-count", count);
    }
    Ok(response)
}

pub(super) fn find(
    api: &Api,
    bucket: &str,
    object_key: &str,
    version: Option<&String>,
    conditions: &ReadConditions,
) -> S3Result<FoundObject> {
    api.model
        .get_object(
            &bucket_name(bucket)?,
            &key(object_key)?,
            version_id(version).as_ref(),
            conditions,
        )
        .map_err(s3_error)
}

pub(super) async fn restore_object(
    api: &Api,
    request: S3Request<RestoreObjectInput>,
) -> S3Result<RestoreObjectOutput> {
    let input = request.input;
    let days = input.restore_request.and_then(|request| request.days);
    let days = days
        .and_then(|days| u32::try_from(days).ok())
        .ok_or_else(|| {
            s3_error!(
                MalformedXML,
                "A restore names the number of days it is to last"
            )
        })?;
    api.model
        .restore_object(
            &bucket_name(&input.bucket)?,
            &key(&input.key)?,
            version_id(input.version_id.as_ref()).as_ref(),
            days,
        )
        .map_err(s3_error)?;
    Ok(RestoreObjectOutput::default())
}

/// `x-amz-restore`, once an object was restored.
fn restore(object: &Object) -> Option<String> {
    let until = http_date(Some(&timestamp(object.restored_until?)))?;
    Some(format!(
        "ongoing-request=\"false\", expiry-date=\"{until}\""
    ))
}

/// S3's own default where none was given.
fn content_type(object: &Arc<Object>) -> String {
    object
        .attributes
        .content_type
        .clone()
        .unwrap_or_else(|| "binary/octet-stream".to_owned())
}

impl Api {
    /// The checksum that was asked for, if this store knows any.
    fn asked_checksum<'a>(
        &self,
        mode: Option<&ChecksumMode>,
        checksum: Option<&'a Checksum>,
    ) -> Option<&'a Checksum> {
        let asked =
            mode.is_some_and(|mode| mode.as_str().eq_ignore_ascii_case(ChecksumMode::ENABLED));
        self.shown_checksum(checksum.filter(|_| asked))
    }
}
