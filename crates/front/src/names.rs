//! Names, times and errors between s3s's types and the model's.

use std::time::SystemTime;

use base::ids::PartNumber;
use base::{BucketName, ETag, Key, UploadId, VersionId};
use http::{HeaderMap, HeaderValue, StatusCode};
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::dto::{self, TimestampFormat};
use s3s::{S3Error, S3ErrorCode, S3Result};
use store::model::{ETagMatch, Error, WriteConditions};

/// What `encoding-type=url` leaves as it is.
const KEPT_IN_LISTINGS: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'/')
    .remove(b'*');

pub(crate) fn bucket_name(name: &str) -> S3Result<BucketName> {
    BucketName::new(name).map_err(|_| S3Error::new(S3ErrorCode::InvalidBucketName))
}

pub(crate) fn key(text: &str) -> S3Result<Key> {
    Key::new(text).map_err(|_| S3Error::new(S3ErrorCode::KeyTooLongError))
}

pub(crate) fn version_id(text: Option<&String>) -> Option<VersionId> {
    text.filter(|text| !text.is_empty())
        .map(|text| VersionId::new(text.as_str()))
}

pub(crate) fn shown(version_id: Option<&VersionId>) -> Option<String> {
    version_id.map(|id| id.as_str().to_owned())
}

pub(crate) fn upload_id(text: &str) -> UploadId {
    UploadId::new(text)
}

pub(crate) fn part_number(number: i32) -> S3Result<PartNumber> {
    u32::try_from(number)
        .ok()
        .and_then(PartNumber::new)
        .ok_or_else(|| {
            S3Error::with_message(
                S3ErrorCode::InvalidArgument,
                "Part number must be an integer between 1 and 10000, inclusive",
            )
        })
}

/// A part number as XML wants it.
pub(crate) fn number(part_number: PartNumber) -> i32 {
    i32::try_from(part_number.get()).expect("10,000 fits")
}

/// A size as XML wants it.
pub(crate) fn size(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// The number of entries a request asks for, at most a page of S3's.
pub(crate) fn limit(asked: Option<i32>) -> S3Result<i32> {
    let page = i32::try_from(base::limits::LIST_PAGE_KEYS_MAX).expect("1,000 fits");
    match asked {
        Some(asked) if asked < 0 => Err(S3Error::with_message(
            S3ErrorCode::InvalidArgument,
            "Argument maxKeys must be an integer between 0 and 2147483647",
        )),
        asked => Ok(asked.unwrap_or(page).min(page)),
    }
}

pub(crate) fn etag(etag: &ETag) -> dto::ETag {
    dto::ETag::Strong(etag.as_str().to_owned())
}

pub(crate) fn etag_match(condition: Option<&dto::ETagCondition>) -> Option<ETagMatch> {
    Some(match condition? {
        dto::ETagCondition::Any => ETagMatch::Any,
        dto::ETagCondition::ETag(tag) => ETagMatch::OneOf(vec![ETag::from_header(tag.value())]),
    })
}

pub(crate) fn write_conditions(
    if_match: Option<&dto::ETagCondition>,
    if_none_match: Option<&dto::ETagCondition>,
) -> WriteConditions {
    WriteConditions {
        if_match: etag_match(if_match),
        if_none_match: etag_match(if_none_match),
    }
}

pub(crate) fn timestamp(time: Timestamp) -> dto::Timestamp {
    dto::Timestamp::from(SystemTime::from(time))
}

pub(crate) fn timestamp_from(time: Option<&dto::Timestamp>) -> Option<Timestamp> {
    let mut text = Vec::new();
    time?.format(TimestampFormat::DateTime, &mut text).ok()?;
    std::str::from_utf8(&text).ok()?.parse().ok()
}

/// Encodes a key for a listing with `encoding-type=url`.
pub(crate) fn url_encoded(text: &str) -> String {
    utf8_percent_encode(text, &KEPT_IN_LISTINGS).to_string()
}

/// An error of the model as S3 answers it.
pub(crate) fn s3_error(error: Error) -> S3Error {
    let code =
        S3ErrorCode::from_bytes(error.code().as_bytes()).unwrap_or(S3ErrorCode::InternalError);
    let mut answer = S3Error::with_message(code, error.to_string());
    match &error {
        Error::NoSuchKey {
            delete_marker: Some(version_id),
        } => answer.set_headers(delete_marker_headers(version_id)),
        Error::VersionIsDeleteMarker { version_id } => {
            answer.set_headers(delete_marker_headers(version_id));
        }
        Error::NotModified => answer.set_status_code(StatusCode::NOT_MODIFIED),
        Error::MetadataTooLarge | Error::InvalidTag(_) => {
            answer.set_status_code(StatusCode::BAD_REQUEST);
        }
        Error::InvalidObjectState => answer.set_status_code(StatusCode::FORBIDDEN),
        Error::NoSuchKey {
            delete_marker: None,
        }
        | Error::NoSuchBucket
        | Error::BucketAlreadyOwnedByYou
        | Error::BucketNotEmpty
        | Error::NoSuchVersion
        | Error::InvalidVersionId
        | Error::NoSuchUpload
        | Error::InvalidPart
        | Error::InvalidPartOrder
        | Error::EntityTooSmall
        | Error::EntityTooLarge
        | Error::MalformedXml
        | Error::ObjectLocked
        | Error::InvalidBucketState
        | Error::InvalidRange { .. }
        | Error::PreconditionFailed { .. }
        | Error::BadDigest { .. }
        | Error::InvalidArgument(_)
        | Error::InvalidRequest(_)
        | Error::NotImplemented(_) => {}
    }
    answer
}

fn delete_marker_headers(version_id: &VersionId) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let xml = HeaderValue::from_static("application/xml");
    headers.insert(http::header::CONTENT_TYPE, xml);
    headers.insert("x-amz-delete-marker", HeaderValue::from_static("true"));
    if let Ok(value) = HeaderValue::from_str(version_id.as_str()) {
        headers.insert("x-amz-version-id", value);
    }
    headers
}
