//! What an object carries, in headers: written for uploads and copies, read from HEAD and GET.

use base::checksum::ChecksumType;
use base::{ByteCount, Checksum, ChecksumAlgorithm, ETag, Fault, VersionId};
use http::{HeaderMap, HeaderName};

use super::exchange::{set, set_named};
use super::metadata;
use crate::aws::request::Request;
use crate::aws::xml::{InvalidXml, last_modified_header, timestamp};
use crate::error::Result;
use crate::types::{
    ByteRange, LockMode, ObjectAttributes, ObjectHead, ObjectLock, PutCondition,
    ServerSideEncryption, StorageClass,
};

/// The prefix of user metadata.
const META: &str = "x-amz-meta-";

const LOCK_MODE: &str = "x-amz-object-lock-mode";
const RETAIN_UNTIL: &str = "x-amz-object-lock-retain-until-date";
const LEGAL_HOLD: &str = "x-amz-object-lock-legal-hold";

/// Writes everything that `attributes` has.
pub(super) fn write_attributes(request: &mut Request, attributes: &ObjectAttributes) -> Result<()> {
    write_content(request, attributes)?;
    write_placement(request, attributes)?;
    if let Some(tagging) = &attributes.tagging {
        set(request, "x-amz-tagging", tagging)?;
    }
    Ok(())
}

/// Writes what describes the bytes: a copy takes these over from its source.
pub(super) fn write_content(request: &mut Request, attributes: &ObjectAttributes) -> Result<()> {
    let fields = [
        ("content-type", &attributes.content_type),
        ("content-encoding", &attributes.content_encoding),
        ("content-disposition", &attributes.content_disposition),
        ("content-language", &attributes.content_language),
        ("cache-control", &attributes.cache_control),
        ("expires", &attributes.expires),
    ];
    for (name, value) in fields {
        if let Some(value) = value {
            set(request, name, value)?;
        }
    }
    for (name, value) in &attributes.metadata {
        let header = format!("{META}{}", name.to_ascii_lowercase());
        let Ok(header) = HeaderName::from_bytes(header.as_bytes()) else {
            let message = format!("no header can carry metadata named {name:?}");
            return Err(request.error(Fault::Invalid, message));
        };
        set_named(request, header, &metadata::encode(value))?;
    }
    Ok(())
}

/// Writes what belongs to the destination of a write: no copy takes these over.
pub(super) fn write_placement(request: &mut Request, attributes: &ObjectAttributes) -> Result<()> {
    let encryption = &attributes.encryption;
    let fields = [
        (
            "x-amz-storage-class",
            attributes.storage_class.as_ref().map(StorageClass::as_str),
        ),
        ("x-amz-acl", attributes.acl.as_deref()),
        (
            "x-amz-website-redirect-location",
            attributes.website_redirect_location.as_deref(),
        ),
        (
            "x-amz-server-side-encryption",
            encryption.algorithm.as_deref(),
        ),
        (
            "x-amz-server-side-encryption-aws-kms-key-id",
            encryption.kms_key_id.as_deref(),
        ),
        (LOCK_MODE, attributes.lock.mode.map(LockMode::as_str)),
        (LEGAL_HOLD, attributes.lock.legal_hold.then_some("ON")),
    ];
    for (name, value) in fields {
        if let Some(value) = value {
            set(request, name, value)?;
        }
    }
    if let Some(until) = attributes.lock.retain_until {
        set(request, RETAIN_UNTIL, &until.to_string())?;
    }
    Ok(())
}

/// Writes a condition on what is at the destination.
pub(super) fn write_condition(request: &mut Request, condition: &PutCondition) -> Result<()> {
    match condition {
        PutCondition::None => Ok(()),
        PutCondition::Absent => set(request, "if-none-match", "*"),
        PutCondition::Matches(etag) => set(request, "if-match", &etag.quoted()),
    }
}

/// Reads what HEAD and GET say of an object, and the range that GET sends.
pub(super) fn read_head(
    headers: &HeaderMap,
) -> std::result::Result<(ObjectHead, Option<ByteRange>), InvalidXml> {
    let content_range = match text(headers, "content-range") {
        Some(range) => Some(read_content_range(range)?),
        None => None,
    };
    let (range, size) = match content_range {
        Some((range, size)) => (Some(range), size),
        None => (
            None,
            read_number(headers, "content-length", "Content-Length")?,
        ),
    };
    let present = |name| headers.contains_key(name);
    let head = ObjectHead {
        size: ByteCount(size),
        etag: read_etag(headers),
        last_modified: text(headers, "last-modified").and_then(last_modified_header),
        version_id: read_version_id(headers),
        attributes: read_attributes(headers),
        checksums: read_checksums(headers),
        tag_count: text(headers, "x-amz-tagging-count").and_then(|count| count.parse().ok()),
        part_count: text(headers, "x-amz-mp-parts-count").and_then(|count| count.parse().ok()),
        customer_encrypted: present("x-amz-server-side-encryption-customer-algorithm"),
    };
    Ok((head, range))
}

/// The ETag of an answer.
pub(super) fn read_etag(headers: &HeaderMap) -> Option<ETag> {
    text(headers, "etag")
        .map(ETag::from_header)
        .filter(|etag| !etag.as_str().is_empty())
}

/// The version of an answer.
pub(super) fn read_version_id(headers: &HeaderMap) -> Option<VersionId> {
    let id = text(headers, "x-amz-version-id")?;
    (!id.is_empty()).then(|| VersionId::new(id))
}

/// The encryption of an answer.
pub(super) fn read_encryption(headers: &HeaderMap) -> ServerSideEncryption {
    ServerSideEncryption {
        algorithm: decoded(headers, "x-amz-server-side-encryption"),
        kms_key_id: decoded(headers, "x-amz-server-side-encryption-aws-kms-key-id"),
    }
}

/// Every checksum of an answer, the house's own first.
pub(super) fn read_checksums(headers: &HeaderMap) -> Vec<Checksum> {
    let says_composite = text(headers, "x-amz-checksum-type")
        .is_some_and(|kind| kind.eq_ignore_ascii_case("COMPOSITE"));
    let read = |algorithm: ChecksumAlgorithm| {
        let value = text(headers, algorithm.header())?.trim();
        let composite = says_composite || value.contains('-');
        (!value.is_empty()).then(|| Checksum {
            algorithm,
            checksum_type: if composite {
                ChecksumType::Composite
            } else {
                ChecksumType::FullObject
            },
            value: value.to_owned(),
        })
    };
    ChecksumAlgorithm::ALL
        .into_iter()
        .filter_map(read)
        .collect()
}

fn read_attributes(headers: &HeaderMap) -> ObjectAttributes {
    let mut metadata: Vec<(String, String)> = headers
        .iter()
        .filter_map(|(name, value)| {
            let name = name.as_str().strip_prefix(META)?;
            Some((name.to_owned(), metadata::decode(value.as_bytes())))
        })
        .collect();
    metadata.sort();
    ObjectAttributes {
        content_type: decoded(headers, "content-type"),
        content_encoding: decoded(headers, "content-encoding").and_then(without_framing),
        content_disposition: decoded(headers, "content-disposition"),
        content_language: decoded(headers, "content-language"),
        cache_control: decoded(headers, "cache-control"),
        expires: decoded(headers, "expires"),
        website_redirect_location: decoded(headers, "x-amz-website-redirect-location"),
        metadata,
        storage_class: text(headers, "x-amz-storage-class").map(StorageClass::from_name),
        acl: None,
        encryption: read_encryption(headers),
        tagging: None,
        lock: read_lock(headers),
    }
}

fn read_lock(headers: &HeaderMap) -> ObjectLock {
    ObjectLock {
        mode: text(headers, LOCK_MODE).and_then(LockMode::from_name),
        retain_until: text(headers, RETAIN_UNTIL).and_then(timestamp),
        legal_hold: text(headers, LEGAL_HOLD).is_some_and(|hold| hold.eq_ignore_ascii_case("ON")),
    }
}

/// Some stores keep `aws-chunked`, which was the framing of an upload and is no encoding of the
/// object.
fn without_framing(encoding: String) -> Option<String> {
    if !encoding.contains("aws-chunked") {
        return Some(encoding);
    }
    let kept: Vec<&str> = encoding
        .split(',')
        .map(str::trim)
        .filter(|coding| !coding.is_empty() && *coding != "aws-chunked")
        .collect();
    (!kept.is_empty()).then(|| kept.join(","))
}

/// `bytes 0-9/443`: the range and the whole size.
fn read_content_range(text: &str) -> std::result::Result<(ByteRange, u64), InvalidXml> {
    let parse = || {
        let (range, size) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
        let (first, last) = range.split_once('-')?;
        let (first, last): (u64, u64) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        let size: u64 = size.trim().parse().ok()?;
        let length = last.checked_sub(first)?.checked_add(1)?;
        (last < size).then_some((
            ByteRange {
                offset: first,
                length: ByteCount(length),
            },
            size,
        ))
    };
    parse().ok_or_else(|| InvalidXml::Number {
        element: "Content-Range",
        text: text.to_owned(),
    })
}

fn read_number(
    headers: &HeaderMap,
    name: &str,
    shown: &'static str,
) -> std::result::Result<u64, InvalidXml> {
    let value = text(headers, name).ok_or(InvalidXml::Missing(shown))?;
    value.trim().parse().map_err(|_| InvalidXml::Number {
        element: shown,
        text: value.to_owned(),
    })
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    std::str::from_utf8(headers.get(name)?.as_bytes()).ok()
}

/// A header's text whatever its bytes are.
fn decoded(headers: &HeaderMap, name: &str) -> Option<String> {
    let bytes = headers.get(name)?.as_bytes();
    Some(match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                let name = HeaderName::from_static(name);
                (name, HeaderValue::from_bytes(value.as_bytes()).unwrap())
            })
            .collect()
    }

    #[test]
    fn a_head_is_read_whole() {
        let headers = headers(&[
            ("content-length", "10"),
            ("content-range", "bytes 5-14/443"),
            ("etag", "\"9b2cf535f27731c974343645a3985328-17\""),
            ("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT"),
            ("expires", "never, as it was written"),
            ("content-encoding", "aws-chunked,gzip"),
            ("x-amz-meta-b", "=?UTF-8?B?w6Q=?="),
            ("x-amz-meta-a", "1"),
            ("x-amz-checksum-crc64nvme", "rosUhgp5mIg="),
            ("x-amz-checksum-type", "FULL_OBJECT"),
            ("x-amz-mp-parts-count", "17"),
            ("x-amz-tagging-count", "2"),
            ("x-amz-storage-class", "DEEP_ARCHIVE"),
            ("x-amz-server-side-encryption", "aws:kms"),
            ("x-amz-version-id", "v1"),
        ]);
        let (head, range) = read_head(&headers).unwrap();
        assert_eq!(head.size, ByteCount(443));
        let range = range.unwrap();
        assert_eq!((range.offset, range.length), (5, ByteCount(10)));
        assert_eq!(head.part_count, Some(17));
        assert_eq!(head.tag_count, Some(2));
        assert_eq!(head.crc64nvme().unwrap().0, 0xae8b_1486_0a79_9888);
        assert!(head.last_modified.is_some());
        let attributes = head.attributes;
        assert_eq!(attributes.content_encoding.as_deref(), Some("gzip"));
        assert_eq!(
            attributes.expires.as_deref(),
            Some("never, as it was written")
        );
        let metadata = [("a", "1"), ("b", "ä")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert_eq!(attributes.metadata, metadata);
        assert!(attributes.storage_class.unwrap().is_archived());
    }

    #[test]
    fn composite_checksums_are_known_by_type_or_by_form() {
        let by_form = headers(&[("x-amz-checksum-sha256", "abcd=-2")]);
        assert_eq!(
            read_checksums(&by_form)[0].checksum_type,
            ChecksumType::Composite
        );
        let by_type = headers(&[
            ("x-amz-checksum-crc32", "abcd"),
            ("x-amz-checksum-type", "COMPOSITE"),
        ]);
        assert_eq!(
            read_checksums(&by_type)[0].checksum_type,
            ChecksumType::Composite
        );
    }

    #[test]
    fn sizes_that_are_none_are_errors() {
        for range in [
            "bytes 5-4/443",
            "bytes 0-9/*",
            "bytes */443",
            "bytes 0-9/9",
            "x",
        ] {
            let headers = headers(&[("content-range", range)]);
            assert!(read_head(&headers).is_err(), "{range}");
        }
        assert!(read_head(&HeaderMap::new()).is_err());
        assert!(read_head(&headers(&[("content-length", "-1")])).is_err());
    }
}
