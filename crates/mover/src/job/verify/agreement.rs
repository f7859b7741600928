//! What two sides' words prove of their bytes. Pure.

use std::fmt;

use base::checksum::ChecksumType;
use base::{ByteCount, ChecksumAlgorithm, ETag};
use remote::types::ObjectHead;

use crate::entry::Entry;
use crate::verify::{self as arrival, Means as Stored};

/// How it is known that two sides hold the same bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Means {
    /// Both sides' checksum of the whole object.
    Checksum(ChecksumAlgorithm),
    /// The ETag: an MD5, an MD5 of the same parts' MD5s, or the one that a manifest recorded.
    ETag,
    /// The destination's bytes were read.
    Read,
}

impl fmt::Display for Means {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Means::Checksum(algorithm) => write!(f, "by {}", algorithm.as_str()),
            Means::ETag => f.write_str("by ETag"),
            Means::Read => f.write_str("read back"),
        }
    }
}

/// What was found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Agreement {
    Equal(Means),
    Differs(String),
    /// Nothing comparable beside the size.
    Silent,
}

/// What two listings prove. Equal ETags that look like MD5s are a proof, different ones are none:
/// keys and parts may differ alone.
pub(super) fn of_listings(source: &Entry, there: &Entry) -> Agreement {
    if let Some(differs) = of_sizes(source.size, there.size) {
        return differs;
    }
    match (&source.etag, &there.etag) {
        (Some(one), Some(other)) if one == other && is_digest(one) => Agreement::Equal(Means::ETag),
        _ => Agreement::Silent,
    }
}

/// What sizes prove: only that bytes differ.
pub(super) fn of_sizes(source: ByteCount, there: ByteCount) -> Option<Agreement> {
    (source != there).then(|| {
        Agreement::Differs(format!(
            "size: {} bytes at the source, {} at the destination",
            source.0, there.0
        ))
    })
}

/// What two stores say of two objects.
///
/// Composite checksums and multipart ETags that differ prove nothing: the parts may differ alone.
/// Under KMS or a customer key an ETag proves nothing.
pub(super) fn of_heads(source: &ObjectHead, there: &ObjectHead) -> Agreement {
    if let Some(differs) = of_sizes(source.size, there.size) {
        return differs;
    }
    for checksum in &source.checksums {
        let other = there.checksums.iter().find(|other| {
            other.algorithm == checksum.algorithm && other.checksum_type == checksum.checksum_type
        });
        match other {
            Some(other) if other.value == checksum.value => {
                return Agreement::Equal(Means::Checksum(checksum.algorithm));
            }
            Some(other) if checksum.checksum_type == ChecksumType::FullObject => {
                let name = checksum.algorithm.as_str();
                return differs(name, &checksum.value, &other.value);
            }
            Some(_) | None => {}
        }
    }
    if let (Some(one), Some(other)) = (source.md5(), there.md5()) {
        return match one == other {
            true => Agreement::Equal(Means::ETag),
            false => differs("MD5", &hex::encode(one), &hex::encode(other)),
        };
    }
    match (arrival::means(source), arrival::means(there)) {
        (Stored::MultipartETag(one), Stored::MultipartETag(other)) if one == other => {
            Agreement::Equal(Means::ETag)
        }
        _ => Agreement::Silent,
    }
}

/// Two values of one kind that differ.
pub(super) fn differs(what: &str, source: &str, there: &str) -> Agreement {
    Agreement::Differs(format!(
        "{what}: {source} at the source, {there} at the destination"
    ))
}

/// Whether an ETag has the form of an MD5, or of a multipart upload's.
pub(super) fn is_digest(etag: &ETag) -> bool {
    etag.as_md5().is_some() || etag.part_count().is_some()
}

#[cfg(test)]
mod tests {
    use base::{Checksum, Crc64Nvme};
    use remote::types::ServerSideEncryption;

    use super::*;

    fn head(etag: &str) -> ObjectHead {
        ObjectHead {
            size: ByteCount(5),
            etag: Some(ETag::from_header(etag)),
            ..ObjectHead::default()
        }
    }

    const ONE: &str = "0123456789abcdef0123456789abcdef";
    const OTHER: &str = "ffffffffffffffffffffffffffffffff";

    #[test]
    fn an_etag_is_compared_only_where_it_is_a_digest_of_the_bytes() {
        assert_eq!(
            of_heads(&head(ONE), &head(ONE)),
            Agreement::Equal(Means::ETag)
        );
        assert!(matches!(
            of_heads(&head(ONE), &head(OTHER)),
            Agreement::Differs(_)
        ));
        let kms = |etag| {
            let mut head = head(etag);
            head.attributes.encryption = ServerSideEncryption {
                algorithm: Some("aws:kms".to_owned()),
                kms_key_id: None,
            };
            head
        };
        assert_eq!(of_heads(&head(ONE), &kms(OTHER)), Agreement::Silent);
        let customer = ObjectHead {
            customer_encrypted: true,
            ..head(OTHER)
        };
        assert_eq!(of_heads(&head(ONE), &customer), Agreement::Silent);
        // Parts of other sizes, or one PUT against parts.
        let parts = |count| head(&format!("{ONE}-{count}"));
        assert_eq!(
            of_heads(&parts(2), &parts(2)),
            Agreement::Equal(Means::ETag)
        );
        assert_eq!(of_heads(&parts(2), &parts(3)), Agreement::Silent);
        assert_eq!(of_heads(&parts(2), &head(ONE)), Agreement::Silent);
        assert_eq!(
            of_heads(&head("opaque"), &head("opaque")),
            Agreement::Silent
        );
    }

    #[test]
    fn a_checksum_of_the_whole_decides_before_any_etag() {
        let with = |value, etag| ObjectHead {
            checksums: vec![Checksum::crc64nvme(Crc64Nvme(value))],
            ..head(etag)
        };
        assert_eq!(
            of_heads(&with(1, ONE), &with(1, OTHER)),
            Agreement::Equal(Means::Checksum(ChecksumAlgorithm::Crc64Nvme))
        );
        assert!(matches!(
            of_heads(&with(1, ONE), &with(2, ONE)),
            Agreement::Differs(_)
        ));
        let composite = |value: &str| ObjectHead {
            checksums: vec![Checksum {
                algorithm: ChecksumAlgorithm::Crc32c,
                checksum_type: ChecksumType::Composite,
                value: value.to_owned(),
            }],
            ..head("opaque")
        };
        assert_eq!(
            of_heads(&composite("a-2"), &composite("b-2")),
            Agreement::Silent
        );
    }

    #[test]
    fn sizes_prove_a_difference_and_never_equality() {
        let mut longer = head("opaque");
        longer.size = ByteCount(6);
        assert!(matches!(
            of_heads(&head("opaque"), &longer),
            Agreement::Differs(_)
        ));
        assert_eq!(of_sizes(ByteCount(1), ByteCount(1)), None);
    }
}
