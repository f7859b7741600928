//! What a source was when its move began: it must still be that when the move ends.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;

use base::{ByteCount, ETag, VersionId};
use remote::types::ObjectHead;

/// A file's identity and content's age. A write that keeps the size and lands within the file
/// system's clock tick goes unseen; nothing cheaper than reading twice sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FilePin {
    device: u64,
    inode: u64,
    size: u64,
    modified_s: i64,
    modified_ns: i64,
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
