//! Headers and metadata between s3s's types and the model's.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use s3s::dto::{self, TimestampFormat};
use s3s::{S3Error, S3ErrorCode, S3Result};
use store::model::{Attributes, Lock, LockMode, Tags};

use crate::names::{s3_error, timestamp_from};

/// Reads what an object will carry from an s3s input.
macro_rules! attributes_of {
    ($input:expr) => {
        store::model::Attributes {
            content_type: $input.content_type.clone(),
            content_encoding: $crate::attributes::content_encoding(
                $input.content_encoding.as_deref(),
            ),
            content_disposition: $input.content_disposition.clone(),
            content_language: $input.content_language.clone(),
            cache_control: $input.cache_control.clone(),
            expires: $crate::attributes::http_date($input.expires.as_ref()),
            website_redirect_location: $input.website_redirect_location.clone(),
            metadata: $input.metadata.clone().into_iter().flatten().collect(),
            storage_class: $input
                .storage_class
                .as_ref()
                .map(|class| class.as_str().to_owned()),
            acl: $input.acl.as_ref().map(|acl| acl.as_str().to_owned()),
            grants: None,
            lock: $crate::attributes::lock(
                $input.object_lock_mode.as_ref(),
                $input.object_lock_retain_until_date.as_ref(),
                $input.object_lock_legal_hold_status.as_ref(),
            )?,
            encryption: store::model::Encryption {
                algorithm: $input
                    .server_side_encryption
                    .as_ref()
                    .map(|algorithm| algorithm.as_str().to_owned()),
                kms_key_id: $input.ssekms_key_id.clone(),
            },
        }
    };
}

/// Refuses customer keys: what cannot be encrypted must not seem to be.
macro_rules! refuse_customer_key {
    ($input:expr) => {
        if $input.sse_customer_algorithm.is_some() || $input.sse_customer_key.is_some() {
            return Err(s3s::s3_error!(
                NotImplemented,
                "Server side encryption with customer keys is not implemented"
            ));
        }
    };
}

/// Writes the lock of an object into an s3s output.
macro_rules! set_lock {
    ($output:expr, $lock:expr) => {
        $output.object_lock_mode =
            ($lock.mode).map(|mode| s3s::dto::ObjectLockMode::from_static(mode.as_str()));
        $output.object_lock_retain_until_date = ($lock.retain_until).map($crate::names::timestamp);
        $output.object_lock_legal_hold_status = ($lock.legal_hold).then(|| {
            s3s::dto::ObjectLockLegalHoldStatus::from_static(
                s3s::dto::ObjectLockLegalHoldStatus::ON,
            )
        });
    };
}

pub(crate) use {attributes_of, refuse_customer_key, set_lock};

/// The content encoding without the framing of the upload, which is not the object's.
pub(crate) fn content_encoding(text: Option<&str>) -> Option<String> {
    let codings = text?.split(',').map(str::trim);
    let kept: Vec<&str> = codings
        .filter(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case("aws-chunked"))
        .collect();
    (!kept.is_empty()).then(|| kept.join(","))
}

pub(crate) fn http_date(time: Option<&dto::Timestamp>) -> Option<String> {
    let mut text = Vec::new();
    time?.format(TimestampFormat::HttpDate, &mut text).ok()?;
    String::from_utf8(text).ok()
}

pub(crate) fn http_date_from(text: Option<&String>) -> Option<dto::Timestamp> {
    dto::Timestamp::parse(TimestampFormat::HttpDate, text?).ok()
}

/// The lock that a request names.
pub(crate) fn lock(
    mode: Option<&dto::ObjectLockMode>,
    retain_until: Option<&dto::Timestamp>,
    legal_hold: Option<&dto::ObjectLockLegalHoldStatus>,
) -> S3Result<Lock> {
    let mode = match mode.map(dto::ObjectLockMode::as_str) {
        None => None,
        Some(dto::ObjectLockMode::GOVERNANCE) => Some(LockMode::Governance),
        Some(dto::ObjectLockMode::COMPLIANCE) => Some(LockMode::Compliance),
        Some(_) => {
            let message = "Unknown wormMode directive.";
            return Err(s3s::s3_error!(InvalidArgument, "{message}"));
        }
    };
    Ok(Lock {
        mode,
        retain_until: timestamp_from(retain_until),
        legal_hold: legal_hold.is_some_and(is_held),
    })
}

/// Whether a legal hold is on.
pub(crate) fn is_held(status: &dto::ObjectLockLegalHoldStatus) -> bool {
    status.as_str() == dto::ObjectLockLegalHoldStatus::ON
}

pub(crate) fn metadata(attributes: &Attributes) -> Option<dto::Metadata> {
    let pairs = attributes.metadata.iter();
    let metadata: dto::Metadata = pairs.map(|(n, v)| (n.clone(), header_word(v))).collect();
    (!metadata.is_empty()).then_some(metadata)
}

/// A value of metadata such that s3s's header carries it: plain texts that a header would change
/// or that look encoded already become an encoded word, the rest s3s encodes by itself.
fn header_word(value: &str) -> String {
    let is_kept = value.trim_ascii().len() == value.len() && !value.contains("=?");
    if is_kept || !value.is_ascii() {
        return value.to_owned();
    }
    format!("=?UTF-8?B?{}?=", BASE64.encode(value))
}

/// The storage class as answers name it: not at all when it is the default.
pub(crate) fn storage_class(attributes: &Attributes) -> Option<dto::StorageClass> {
    let class = attributes.storage_class.clone()?;
    (class != dto::StorageClass::STANDARD).then(|| dto::StorageClass::from(class))
}

pub(crate) fn encryption(attributes: &Attributes) -> Option<dto::ServerSideEncryption> {
    let algorithm = attributes.encryption.algorithm.clone()?;
    Some(dto::ServerSideEncryption::from(algorithm))
}

/// Tags from `x-amz-tagging`, which is form-url-encoded.
pub(crate) fn tags_from_header(text: Option<&String>) -> S3Result<Tags> {
    let Some(text) = text else {
        return Ok(Tags::default());
    };
    let decode = |text: &str| {
        percent_encoding::percent_decode_str(&text.replace('+', " "))
            .decode_utf8()
            .map(|text| text.into_owned())
            .map_err(|_| S3Error::new(S3ErrorCode::InvalidArgument))
    };
    let mut pairs = Vec::new();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        pairs.push((decode(key)?, decode(value)?));
    }
    Tags::new(pairs).map_err(s3_error)
}

pub(crate) fn tags_from(tags: &[dto::Tag]) -> S3Result<Tags> {
    let pairs = tags.iter().map(|tag| {
        let key = tag.key.clone().unwrap_or_default();
        (key, tag.value.clone().unwrap_or_default())
    });
    Tags::new(pairs).map_err(s3_error)
}

pub(crate) fn tag_set(tags: &Tags) -> dto::TagSet {
    tags.iter()
        .map(|(key, value)| dto::Tag {
            key: Some(key.to_owned()),
            value: Some(value.to_owned()),
        })
        .collect()
}
