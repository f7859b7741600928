//! Objects: written, read, asked about, deleted.

use std::ops::Range;
use std::sync::Arc;

use base::Checksum;
use http::StatusCode;
use s3s::dto::{
    self, ChecksumMode, DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput,
    DeleteObjectsOutput, DeletedObject, GetObjectAttributesInput, GetObjectAttributesOutput,
    GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput, ObjectAttributes,
    PutObjectInput, PutObjectOutput, StreamingBlob,
};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Result, s3_error};
use store::model::{FoundObject, Object, PutObject, RangeRequest, ReadConditions, WriteConditions};

use super::Api;
use super::segments::Segments;
use crate::attributes::{
    attributes_of, encryption, http_date_from, metadata, refuse_customer_key, storage_class,
    tags_from_header,
};
use crate::checksums::{algorithm, declared_checksums, set_checksum, type_of};
use crate::intake::{Announced, take_in};
use crate::names::{
    bucket_name, etag, etag_match, key, part_number, s3_error, shown, size, timestamp,
    timestamp_from, version_id, write_conditions,
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

/// What a GET or HEAD asks for beside the whole.
#[derive(Debug, Clone, Copy)]
struct Selection {
    range: Option<dto::Range>,
    part_number: Option<i32>,
}

/// What of an object is answered.
#[derive(Debug)]
struct Selected {
    bytes: Range<u64>,
    /// `Content-Range`, when it is not the whole, or was asked for as a part.
    content_range: Option<String>,
    /// The checksum of what is answered.
    checksum: Option<Checksum>,
    /// The number of parts, when a part was asked for.
    part_count: Option<i32>,
}

impl Selection {
    fn of(self, object: &Object) -> S3Result<Selected> {
        let size = object.size();
        let content_range = |bytes: &Range<u64>| {
            (!bytes.is_empty()).then(|| format!("bytes {}-{}/{size}", bytes.start, bytes.end - 1))
        };
        match (self.range, self.part_number) {
            (Some(_), Some(_)) => Err(s3_error!(
                InvalidRequest,
                "Cannot specify both Range header and partNumber query parameter"
            )),
            (Some(range), None) => {
                let request = match range {
                    dto::Range::Int { first, last } => RangeRequest::From { first, last },
                    dto::Range::Suffix { length } => RangeRequest::Last { length },
                };
                let bytes = request.resolve(size).map_err(s3_error)?;
                let whole = bytes == (0..size);
                Ok(Selected {
                    content_range: content_range(&bytes),
                    checksum: whole.then(|| object.checksum.clone()),
                    bytes,
                    part_count: None,
                })
            }
            (None, Some(asked)) => {
                let asked = part_number(asked)?.get();
                let (bytes, checksum) = part_of(object, asked).ok_or_else(invalid_part_number)?;
                Ok(Selected {
                    content_range: content_range(&bytes),
                    checksum,
                    bytes,
                    part_count: i32::try_from(object.parts.len())
                        .ok()
                        .filter(|count| *count > 0),
                })
            }
            (None, None) => Ok(Selected {
                bytes: 0..size,
                content_range: None,
                checksum: Some(object.checksum.clone()),
                part_count: None,
            }),
        }
    }
}

/// S3's answer to a part number that an object does not have.
fn invalid_part_number() -> S3Error {
    let mut error = S3Error::with_message(
        S3ErrorCode::Custom("InvalidPartNumber".into()),
        "The requested partnumber is not satisfiable",
    );
    error.set_status_code(StatusCode::RANGE_NOT_SATISFIABLE);
    error
}

/// The bytes and checksum of one part; an object that was not made of parts is one.
fn part_of(object: &Object, asked: u32) -> Option<(Range<u64>, Option<Checksum>)> {
    if object.parts.is_empty() {
        return (asked == 1).then(|| (0..object.size(), Some(object.checksum.clone())));
    }
    let mut start = 0;
    for part in object.parts.iter() {
        let end = start + part.size;
        if part.part_number == asked {
            return Some((start..end, part.checksum.clone()));
        }
        start = end;
    }
    None
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
    if object.attributes.is_archived() {
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
    Ok(output)
}

pub(super) async fn head_object(
    api: &Api,
    request: S3Request<HeadObjectInput>,
) -> S3Result<HeadObjectOutput> {
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
        server_side_encryption: encryption(attributes),
        ssekms_key_id: attributes.encryption.kms_key_id.clone(),
        storage_class: storage_class(attributes),
        version_id: shown(found.version_id.as_ref()),
        website_redirect_location: attributes.website_redirect_location.clone(),
        ..HeadObjectOutput::default()
    };
    set_checksum!(output, checksum);
    Ok(output)
}

pub(super) async fn delete_object(
    api: &Api,
    request: S3Request<DeleteObjectInput>,
) -> S3Result<DeleteObjectOutput> {
    let input = request.input;
    let deleted = api
        .model
        .delete_object(
            &bucket_name(&input.bucket)?,
            &key(&input.key)?,
            version_id(input.version_id.as_ref()).as_ref(),
            &write_conditions(input.if_match.as_ref(), None),
        )
        .map_err(s3_error)?;
    Ok(DeleteObjectOutput {
        delete_marker: deleted.delete_marker.then_some(true),
        version_id: shown(deleted.version_id.as_ref()),
        ..DeleteObjectOutput::default()
    })
}

pub(super) async fn delete_objects(
    api: &Api,
    request: S3Request<DeleteObjectsInput>,
) -> S3Result<DeleteObjectsOutput> {
    let input = request.input;
    let bucket = bucket_name(&input.bucket)?;
    api.model.head_bucket(&bucket).map_err(s3_error)?;
    let objects = input.delete.objects;
    if objects.is_empty() || objects.len() > base::limits::DELETE_KEYS_MAX {
        return Err(s3_error!(
            MalformedXML,
            "The XML you provided was not well-formed or did not validate against our published schema"
        ));
    }
    let quiet = input.delete.quiet.unwrap_or(false);
    let mut output = DeleteObjectsOutput::default();
    let mut deleted = Vec::new();
    let mut errors = Vec::new();
    for object in objects {
        let conditions = WriteConditions {
            if_match: object.e_tag.as_ref().map(|tag| {
                store::model::ETagMatch::OneOf(vec![base::ETag::from_header(tag.value())])
            }),
            if_none_match: None,
        };
        let wanted = version_id(object.version_id.as_ref());
        let outcome = key(&object.key).and_then(|key| {
            api.model
                .delete_object(&bucket, &key, wanted.as_ref(), &conditions)
                .map_err(s3_error)
        });
        match outcome {
            Ok(done) => {
                if quiet {
                    continue;
                }
                let marker = done.delete_marker;
                deleted.push(DeletedObject {
                    delete_marker: marker.then_some(true),
                    delete_marker_version_id: shown(done.version_id.as_ref().filter(|_| marker)),
                    key: Some(object.key),
                    version_id: object.version_id,
                });
            }
            Err(error) => errors.push(dto::Error {
                code: Some(error.code().as_str().to_owned()),
                key: Some(object.key),
                message: error.message().map(str::to_owned),
                version_id: object.version_id,
            }),
        }
    }
    output.deleted = Some(deleted);
    output.errors = Some(errors);
    Ok(output)
}

pub(super) async fn get_object_attributes(
    api: &Api,
    request: S3Request<GetObjectAttributesInput>,
) -> S3Result<GetObjectAttributesOutput> {
    let input = request.input;
    refuse_customer_key!(input);
    let conditions = ReadConditions::default();
    let found = find(
        api,
        &input.bucket,
        &input.key,
        input.version_id.as_ref(),
        &conditions,
    )?;
    let object = &found.object;
    // s3s splits the header by its lines only, not by its commas.
    let names = input.object_attributes.iter().map(ObjectAttributes::as_str);
    let names: Vec<&str> = names
        .flat_map(|text| text.split(','))
        .map(str::trim)
        .collect();
    let asked = |name: &str| names.contains(&name);
    let mut output = GetObjectAttributesOutput {
        last_modified: Some(timestamp(object.last_modified)),
        version_id: shown(found.version_id.as_ref()),
        ..GetObjectAttributesOutput::default()
    };
    if asked(ObjectAttributes::ETAG) {
        output.e_tag = Some(etag(&object.etag));
    }
    if asked(ObjectAttributes::OBJECT_SIZE) {
        output.object_size = Some(size(object.size()));
    }
    if asked(ObjectAttributes::STORAGE_CLASS) {
        let class = object.attributes.storage_class().to_owned();
        output.storage_class = Some(dto::StorageClass::from(class));
    }
    if asked(ObjectAttributes::CHECKSUM)
        && let Some(kept) = api.shown_checksum(Some(&object.checksum))
    {
        let mut checksum = dto::Checksum {
            checksum_type: type_of(Some(kept)),
            ..dto::Checksum::default()
        };
        // The part count of a composite checksum is not repeated here.
        let value = kept.value.split('-').next().unwrap_or_default().to_owned();
        set_checksum!(
            checksum,
            Some(&Checksum {
                value,
                ..kept.clone()
            })
        );
        output.checksum = Some(checksum);
    }
    if asked(ObjectAttributes::OBJECT_PARTS) && !object.parts.is_empty() {
        output.object_parts = Some(object_parts(object, &input)?);
    }
    Ok(output)
}

fn object_parts(
    object: &Object,
    input: &GetObjectAttributesInput,
) -> S3Result<dto::GetObjectAttributesParts> {
    let after = input.part_number_marker.unwrap_or(0);
    let limit = crate::names::limit(input.max_parts)?;
    let listed = |part: &store::model::ObjectPart| i32::try_from(part.part_number).unwrap_or(0);
    let mut behind = object.parts.iter().filter(|part| listed(part) > after);
    let page: Vec<_> = behind
        .by_ref()
        .take(usize::try_from(limit).unwrap_or(0))
        .collect();
    let truncated = behind.next().is_some();
    // S3 lists single parts only where they carry checksums.
    let parts = page
        .iter()
        .filter(|part| part.checksum.is_some())
        .map(|part| {
            let mut shown = dto::ObjectPart {
                part_number: Some(listed(part)),
                size: Some(size(part.size)),
                ..dto::ObjectPart::default()
            };
            set_checksum!(shown, part.checksum.as_ref());
            shown
        });
    Ok(dto::GetObjectAttributesParts {
        is_truncated: Some(truncated),
        max_parts: Some(limit),
        next_part_number_marker: page.last().map(|part| listed(part)),
        part_number_marker: Some(after),
        parts: Some(parts.collect()),
        total_parts_count: i32::try_from(object.parts.len()).ok(),
    })
}

fn find(
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
