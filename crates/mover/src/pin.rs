//! What a source was when its move began: it must still be that when the move ends.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;

use base::{ByteCount, ETag, VersionId};
use remote::types::ObjectHead;

/// A file's identity and content's age. A write that keeps the size and lands within the file
/// system's clock tick goes unseen; nothing cheaper than reading twice sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FilePin {
    pub(crate) device: u64,
    pub(crate) inode: u64,
    pub(crate) size: u64,
    pub(crate) modified_s: i64,
    pub(crate) modified_ns: i64,
}

impl FilePin {
    /// Pins what `metadata` tells of.
    pub(crate) fn of(metadata: &Metadata) -> FilePin {
        FilePin {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified_s: metadata.mtime(),
            modified_ns: metadata.mtime_nsec(),
        }
    }

    /// The file's size.
    pub(crate) fn size(&self) -> ByteCount {
        ByteCount(self.size)
    }
}

/// An object as the first answer told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ObjectPin {
    /// Its ETag, where the store gives one.
    pub(crate) etag: Option<ETag>,
    /// Its version, where the bucket keeps them.
    pub(crate) version_id: Option<VersionId>,
    /// Its whole size.
    pub(crate) size: ByteCount,
}

impl ObjectPin {
    /// Pins what an answer says.
    pub(crate) fn of(head: &ObjectHead) -> ObjectPin {
        ObjectPin {
            etag: head.etag.clone(),
            version_id: head.version_id.clone(),
            size: head.size,
        }
    }

    /// Whether a later answer is about the same bytes. Stores that ignore If-Match exist, so the
    /// answer is compared; what either side does not say is no difference.
    pub(crate) fn fits(&self, head: &ObjectHead) -> bool {
        fn agree<T: PartialEq>(one: Option<&T>, other: Option<&T>) -> bool {
            match (one, other) {
                (Some(one), Some(other)) => one == other,
                _ => true,
            }
        }
        self.size == head.size
            && agree(self.etag.as_ref(), head.etag.as_ref())
            && agree(self.version_id.as_ref(), head.version_id.as_ref())
    }
}

/// What an unfinished upload was made of: its parts may be kept only while the source is still that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SourcePin {
    /// A file of this machine.
    File(FilePin),
    /// An object of a store.
    Object(ObjectPin),
}

impl SourcePin {
    /// Whether two pins are surely of the same bytes: a version's id says so, else ETag and size.
    /// An object that its store gives neither is never surely the same.
    pub(crate) fn is_surely(&self, other: &SourcePin) -> bool {
        match (self, other) {
            (SourcePin::File(one), SourcePin::File(other)) => one == other,
            (SourcePin::Object(one), SourcePin::Object(other)) => {
                let by_version = match (&one.version_id, &other.version_id) {
                    // Of unversioned times, "null" is the id of whatever is there.
                    (Some(one), Some(other)) if one.as_str() != "null" => Some(one == other),
                    _ => None,
                };
                let by_etag = one.etag.is_some() && one.etag == other.etag;
                one.size == other.size && by_version.unwrap_or(by_etag)
            }
            (SourcePin::File(_), SourcePin::Object(_))
            | (SourcePin::Object(_), SourcePin::File(_)) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_the_same_by_version_else_by_etag_and_size() {
        let pin = |etag: Option<&str>, version: Option<&str>, size| {
            SourcePin::Object(ObjectPin {
                etag: etag.map(ETag::from_header),
                version_id: version.map(VersionId::new),
                size: ByteCount(size),
            })
        };
        let same = |one: &SourcePin, other: &SourcePin| one.is_surely(other);
        let a = pin(Some("e"), Some("v"), 5);
        assert!(same(&a, &pin(Some("e"), Some("v"), 5)));
        assert!(!same(&a, &pin(Some("e"), Some("w"), 5)));
        assert!(!same(&a, &pin(Some("e"), Some("v"), 6)));
        assert!(same(&a, &pin(Some("e"), None, 5)));
        assert!(!same(&a, &pin(Some("f"), None, 5)));
        assert!(!same(&pin(None, None, 5), &pin(None, None, 5)));
        let null = pin(Some("e"), Some("null"), 5);
        assert!(!same(&null, &pin(Some("f"), Some("null"), 5)));
    }
}
