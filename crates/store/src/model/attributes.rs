//! What an object carries besides its bytes.

use std::collections::BTreeMap;

use super::access::Grant;
use super::error::Error;
use super::lock::Lock;

/// Most bytes of user metadata, names and values together.
/// Source: S3 user guide, "Working with object metadata" (read 2026-11).
const METADATA_BYTES_MAX: usize = 2 << 10;

/// Most tags of one object.
/// Source: S3 user guide, "Categorizing your storage using tags" (read 2026-11).
const TAGS_MAX: usize = 10;

/// Longest tag key, in characters. Source: as above.
const TAG_KEY_CHARACTERS_MAX: usize = 128;

/// Longest tag value, in characters. Source: as above.
const TAG_VALUE_CHARACTERS_MAX: usize = 256;

/// Encryption at rest, as headers say it. Nothing is encrypted here: it is kept and echoed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Encryption {
    /// `AES256`, `aws:kms` or `aws:kms:dsse`.
    pub algorithm: Option<String>,
    /// The KMS key's id.
    pub kms_key_id: Option<String>,
}

impl Encryption {
    /// Whether ETags are no MD5s under this encryption.
    pub fn has_opaque_etags(&self) -> bool {
        self.algorithm
            .as_deref()
            .is_some_and(|algorithm| algorithm.starts_with("aws:kms"))
    }
}

/// Headers and metadata of an object, kept verbatim.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attributes {
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// `Content-Encoding`.
    pub content_encoding: Option<String>,
    /// `Content-Disposition`.
    pub content_disposition: Option<String>,
    /// `Content-Language`.
    pub content_language: Option<String>,
    /// `Cache-Control`.
    pub cache_control: Option<String>,
    /// `Expires`.
    pub expires: Option<String>,
    /// `x-amz-website-redirect-location`.
    pub website_redirect_location: Option<String>,
    /// `x-amz-meta-*` without the prefix.
    pub metadata: BTreeMap<String, String>,
    /// `x-amz-storage-class`; none is `STANDARD`.
    pub storage_class: Option<String>,
    /// The canned ACL.
    pub acl: Option<String>,
    /// Who may do what, once somebody has said so by grant: then the canned ACL counts no more.
    pub grants: Option<Vec<Grant>>,
    /// What keeps the version from being deleted.
    pub lock: Lock,
    /// Encryption at rest.
    pub encryption: Encryption,
}

impl Attributes {
    /// Whether reading needs a restore first.
    pub fn is_archived(&self) -> bool {
        matches!(
            self.storage_class.as_deref(),
            Some("GLACIER" | "DEEP_ARCHIVE")
        )
    }

    /// The storage class, with S3's default.
    pub fn storage_class(&self) -> &str {
        self.storage_class.as_deref().unwrap_or("STANDARD")
    }

    /// Refuses what S3 does not store.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let bytes: usize = self.metadata.iter().map(|(n, v)| n.len() + v.len()).sum();
        if bytes > METADATA_BYTES_MAX {
            return Err(Error::MetadataTooLarge);
        }
        Ok(())
    }

    /// These content headers and metadata, with `other`'s storage class, ACL, lock and encryption:
    /// what a copy carries that keeps its source's metadata.
    pub(crate) fn with_placement_of(&self, other: &Attributes) -> Attributes {
        Attributes {
            storage_class: other.storage_class.clone(),
            acl: other.acl.clone(),
            grants: other.grants.clone(),
            lock: other.lock,
            encryption: other.encryption.clone(),
            // S3 does not copy the redirect: it is asked for anew each time.
            website_redirect_location: other.website_redirect_location.clone(),
            ..self.clone()
        }
    }
}

/// Tags of an object or bucket, by key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tags(BTreeMap<String, String>);

impl Tags {
    /// Checks and keeps tags.
    ///
    /// # Errors
    /// `InvalidTag` for a repeated, empty or too long key or value, or too many; S3's limits.
    pub fn new(pairs: impl IntoIterator<Item = (String, String)>) -> Result<Tags, Error> {
        let mut tags = BTreeMap::new();
        for (key, value) in pairs {
            if key.is_empty() || key.chars().count() > TAG_KEY_CHARACTERS_MAX {
                return Err(Error::InvalidTag("The TagKey you have provided is invalid"));
            }
            if value.chars().count() > TAG_VALUE_CHARACTERS_MAX {
                return Err(Error::InvalidTag(
                    "The TagValue you have provided is invalid",
                ));
            }
            if tags.insert(key, value).is_some() {
                return Err(Error::InvalidTag(
                    "Cannot provide multiple Tags with the same key",
                ));
            }
        }
        if tags.len() > TAGS_MAX {
            return Err(Error::InvalidTag("Object tags cannot be greater than 10"));
        }
        Ok(Tags(tags))
    }

    /// In order of key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (&**key, &**value))
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
