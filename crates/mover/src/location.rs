//! Where one object is.

use std::fmt;
use std::path::PathBuf;

use base::{BucketName, Key, VersionId};

/// One object: a file on this machine, or an object in a store.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Location {
    /// A file.
    Local(PathBuf),
    /// An object.
    Remote(ObjectLocation),
}

/// One object in a store.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ObjectLocation {
    /// The bucket.
    pub bucket: BucketName,
    /// The key.
    pub key: Key,
    /// One version, else the current one.
    pub version_id: Option<VersionId>,
}

impl Location {
    /// The object's place in its store, if it is in one.
    pub fn as_remote(&self) -> Option<&ObjectLocation> {
        match self {
            Location::Local(_) => None,
            Location::Remote(object) => Some(object),
        }
    }
}

/// As s5cmd prints it: the path, or `s3://bucket/key`.
impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Location::Local(path) => path.display().fmt(f),
            Location::Remote(object) => object.fmt(f),
        }
    }
}

impl fmt::Display for ObjectLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}
