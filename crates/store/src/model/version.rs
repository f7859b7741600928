//! The versions of one key, and the rules by which they come and go.

use std::sync::Arc;

use base::{Checksum, ETag, VersionId};
use jiff::Timestamp;

use super::attributes::{Attributes, Tags};
use super::body::Body;
use super::error::Error;

/// Whether a bucket keeps versions, once somebody has said so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Versioning {
    /// Every write adds a version.
    Enabled,
    /// Writes replace the null version; older versions stay.
    Suspended,
}

/// A part of which an object was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectPart {
    /// Its number in the upload.
    pub part_number: u32,
    /// Its size, in bytes.
    pub size: u64,
    /// Its checksum, when parts were uploaded with some.
    pub checksum: Option<Checksum>,
}

/// An object as it is stored. Immutable but for its tags and its restore.
#[derive(Debug, Clone)]
pub struct Object {
    /// The bytes.
    pub body: Body,
    /// ETag.
    pub etag: ETag,
    /// When it was written; for an object made from parts, when the upload began.
    pub last_modified: Timestamp,
    /// What it carries.
    pub attributes: Attributes,
    /// Tags.
    pub tags: Tags,
    /// The checksum that the store keeps.
    pub checksum: Checksum,
    /// The parts, when it was made from an upload.
    pub parts: Arc<[ObjectPart]>,
    /// Until when an archived object can be read, once it was restored.
    pub restored_until: Option<Timestamp>,
}

impl Object {
    /// Number of bytes.
    pub fn size(&self) -> u64 {
        self.body.len()
    }

    /// Whether it cannot be read at `now` for being archived.
    pub fn needs_restore(&self, now: Timestamp) -> bool {
        self.attributes.is_archived() && self.restored_until.is_none_or(|until| until <= now)
    }
}

/// What stands at a version.
#[derive(Debug, Clone)]
pub enum Content {
    /// An object.
    Object(Arc<Object>),
    /// The object was deleted here.
    DeleteMarker {
        /// When.
        last_modified: Timestamp,
    },
}

/// A version of a key.
#[derive(Debug, Clone)]
pub struct Version {
    /// Its id; `null` for what was written while versions were not kept.
    pub version_id: VersionId,
    /// What stands there.
    pub content: Content,
}

impl Version {
    /// The object, if it is none but a delete marker.
    pub fn object(&self) -> Option<&Arc<Object>> {
        match &self.content {
            Content::Object(object) => Some(object),
            Content::DeleteMarker { .. } => None,
        }
    }

    /// When it was written.
    pub fn last_modified(&self) -> Timestamp {
        match &self.content {
            Content::Object(object) => object.last_modified,
            Content::DeleteMarker { last_modified } => *last_modified,
        }
    }
}

/// The text of S3's null version.
pub(crate) const NULL_VERSION: &str = "null";

/// All versions of one key, oldest first. Never empty in a bucket.
#[derive(Debug, Clone, Default)]
pub(crate) struct History {
    versions: Vec<Version>,
}

impl History {
    /// Newest first.
    pub(crate) fn newest_first(&self) -> impl Iterator<Item = &Version> {
        self.versions.iter().rev()
    }

    /// The newest version, whatever it is.
    pub(crate) fn latest(&self) -> Option<&Version> {
        self.versions.last()
    }

    /// The current object: none when the newest version is a delete marker.
    pub(crate) fn current(&self) -> Option<&Arc<Object>> {
        self.latest().and_then(Version::object)
    }

    /// Whether no version is left.
    pub(crate) fn is_empty(&self) -> bool {
        self.versions.is_empty()
    }

    /// Finds a version to read: the given one, or the newest.
    pub(crate) fn find(&self, version_id: Option<&VersionId>) -> Result<&Version, Error> {
        let Some(wanted) = version_id else {
            let gone = |delete_marker| Error::NoSuchKey { delete_marker };
            let latest = self.latest().ok_or(gone(None))?;
            return match &latest.content {
                Content::Object(_) => Ok(latest),
                Content::DeleteMarker { .. } => Err(gone(Some(latest.version_id.clone()))),
            };
        };
        self.versions
            .iter()
            .find(|version| version.version_id == *wanted)
            .ok_or(Error::NoSuchVersion)
    }

    /// Writes a version. A null version replaces the null version.
    pub(crate) fn push(&mut self, version: Version) {
        if version.version_id.as_str() == NULL_VERSION {
            self.remove(&version.version_id);
        }
        self.versions.push(version);
    }

    /// Takes a version away for good.
    pub(crate) fn remove(&mut self, version_id: &VersionId) -> Option<Version> {
        let index = self
            .versions
            .iter()
            .position(|version| version.version_id == *version_id)?;
        Some(self.versions.remove(index))
    }

    /// Changes what of an object may change.
    pub(crate) fn change(&mut self, version_id: &VersionId, change: impl FnOnce(&mut Object)) {
        let version = self
            .versions
            .iter_mut()
            .find(|version| version.version_id == *version_id);
        if let Some(Content::Object(object)) = version.map(|version| &mut version.content) {
            change(Arc::make_mut(object));
        }
    }
}
