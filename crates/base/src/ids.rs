//! Names of things in S3's own words, as types that cannot be built wrong.

mod short_text;

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use self::short_text::ShortText;
use crate::limits::KEY_BYTES_MAX;

/// Why a name was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// The name is empty.
    #[error("{what} must not be empty")]
    Empty { what: &'static str },
    /// The key is longer than S3 stores.
    #[error("key has {bytes} bytes, S3 takes at most {KEY_BYTES_MAX}")]
    KeyTooLong { bytes: usize },
    /// The bucket name could never be part of a request.
    #[error("bucket name \"{name}\" holds {found:?}")]
    BucketCharacter { name: String, found: char },
}

macro_rules! shared_text {
    ($name:ident) => {
        impl $name {
            /// The text as S3 spells it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        // Both forms hash and order as str, which is what Borrow asks for.
        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

/// A bucket's name.
///
/// Only what could never stand in a request is refused here (slashes, white space, control
/// characters): older buckets and compatible stores break S3's naming rules, and the store's own
/// answer about a bad name is better than ours.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BucketName(Arc<str>);
shared_text!(BucketName);

impl BucketName {
    /// Checks and keeps a bucket's name.
    pub fn new(name: impl Into<Arc<str>>) -> Result<BucketName, InvalidName> {
        let name = name.into();
        if name.is_empty() {
            return Err(InvalidName::Empty {
                what: "bucket name",
            });
        }
        let bad = |c: &char| *c == '/' || *c == '\\' || c.is_whitespace() || c.is_control();
        if let Some(found) = name.chars().find(bad) {
            return Err(InvalidName::BucketCharacter {
                name: name.to_string(),
                found,
            });
        }
        Ok(BucketName(name))
    }
}

/// An object's key: 1 to 1,024 bytes of UTF-8, kept byte for byte and ordered by its bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Arc<str>);
shared_text!(Key);

impl Key {
    /// Checks and keeps a key.
    pub fn new(key: impl Into<Arc<str>>) -> Result<Key, InvalidName> {
        let key = key.into();
        if key.is_empty() {
            return Err(InvalidName::Empty { what: "key" });
        }
        if key.len() > KEY_BYTES_MAX {
            return Err(InvalidName::KeyTooLong { bytes: key.len() });
        }
        Ok(Key(key))
    }

    /// Whether S3 consoles show this key as a folder; s5cmd skips such keys.
    pub fn is_directory_marker(&self) -> bool {
        self.0.ends_with('/')
    }
}

/// An entity tag without its quotes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ETag(ShortText);
shared_text!(ETag);

impl ETag {
    /// Takes an ETag as it stands in a header or in XML: quotes and a weak mark are dropped.
    pub fn from_header(text: &str) -> ETag {
        let text = text.trim();
        let text = text.strip_prefix("W/").unwrap_or(text);
        ETag(ShortText::from(text.trim_matches('"')))
    }

    /// The ETag with its quotes, for `If-Match`.
    pub fn quoted(&self) -> String {
        format!("\"{}\"", self.0)
    }

    /// The MD5 that this ETag looks like. Under SSE-KMS or SSE-C it is none all the same: ask the
    /// object's encryption before believing it.
    pub fn as_md5(&self) -> Option<[u8; 16]> {
        let mut md5 = [0; 16];
        hex::decode_to_slice(self.as_str(), &mut md5).ok()?;
        Some(md5)
    }

    /// The number of parts when this is the ETag of a multipart upload.
    pub fn part_count(&self) -> Option<u32> {
        let (digest, count) = self.0.split_once('-')?;
        (digest.len() == 32).then_some(())?;
        count.parse().ok()
    }
}

/// An object version's id. S3's null version is the text `null`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VersionId(Arc<str>);
shared_text!(VersionId);

impl VersionId {
    /// Keeps a version id as the store gave it.
    pub fn new(id: impl Into<Arc<str>>) -> VersionId {
        VersionId(id.into())
    }
}

/// A multipart upload's id, opaque.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UploadId(Arc<str>);
shared_text!(UploadId);

impl UploadId {
    /// Keeps an upload id as the store gave it.
    pub fn new(id: impl Into<Arc<str>>) -> UploadId {
        UploadId(id.into())
    }
}

/// A part's place in its upload: 1 to 10,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartNumber(u16);

impl PartNumber {
    /// Checks and keeps a part number.
    pub fn new(number: u32) -> Option<PartNumber> {
        let in_range = (1..=crate::limits::PARTS_MAX).contains(&number);
        in_range.then(|| PartNumber(u16::try_from(number).expect("10,000 fits in 16 bits")))
    }

    /// The number, from 1.
    pub fn get(self) -> u32 {
        u32::from(self.0)
    }
}

impl fmt::Display for PartNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn etag_reads_quotes_weak_marks_and_part_counts() {
        let etag = ETag::from_header(" W/\"9b2cf535f27731c974343645a3985328-17\" ");
        assert_eq!(etag.part_count(), Some(17));
        assert_eq!(etag.as_md5(), None);
        let etag = ETag::from_header("9b2cf535f27731c974343645a3985328");
        assert!(etag.as_md5().is_some());
        assert_eq!(etag.part_count(), None);
        assert_eq!(etag.quoted(), "\"9b2cf535f27731c974343645a3985328\"");
    }

    #[test]
    fn keys_keep_their_bytes_and_know_their_limit() {
        assert_eq!(
            Key::new("//a/../b/ \u{1}\u{1f600}").unwrap().as_str(),
            "//a/../b/ \u{1}\u{1f600}"
        );
        assert!(Key::new("k".repeat(KEY_BYTES_MAX)).is_ok());
        assert_eq!(
            Key::new("k".repeat(KEY_BYTES_MAX + 1)),
            Err(InvalidName::KeyTooLong {
                bytes: KEY_BYTES_MAX + 1
            })
        );
        assert!(Key::new("").is_err());
    }

    #[test]
    fn part_numbers_run_from_one_to_ten_thousand() {
        assert!(PartNumber::new(0).is_none());
        assert_eq!(PartNumber::new(10_000).unwrap().get(), 10_000);
        assert!(PartNumber::new(10_001).is_none());
    }
}
