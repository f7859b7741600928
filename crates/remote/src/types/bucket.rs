//! Buckets.

use jiff::Timestamp;

/// A bucket in ListBuckets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketListing {
    /// Its name, as the store says it.
    pub name: String,
    /// When it was made.
    pub created: Option<Timestamp>,
}

/// A bucket's versioning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VersioningState {
    /// Never switched on.
    Unversioned,
    /// Each write makes a version.
    Enabled,
    /// Writes replace the null version.
    Suspended,
}
