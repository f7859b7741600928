//! Headers and metadata between s3s's types and the model's.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use s3s::dto::{self, TimestampFormat};
use s3s::{S3Error, S3ErrorCode, S3Result};
use store::model::{Attributes, Tags};

use crate::names::s3_error;

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

pub(crate) use {attributes_of, refuse_customer_key};

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
