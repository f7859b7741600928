//! Listings.

use base::{BucketName, ByteCount, ChecksumAlgorithm, ETag, Key, VersionId};
use jiff::Timestamp;

use super::object::StorageClass;

/// Where the next page begins, opaque to all but the client that gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContinuationToken(pub String);

/// One page of a listing.
#[derive(Debug, Clone)]
pub struct ListObjects {
    /// The bucket.
    pub bucket: BucketName,
    /// Only keys that begin so; may be empty.
    pub prefix: String,
    /// Rolls keys up into common prefixes.
    pub delimiter: Option<String>,
    /// Only keys after this one (exclusive). In V1 this is the marker.
    pub start_after: Option<String>,
    /// Goes on after an earlier page.
    pub continuation_token: Option<ContinuationToken>,
    /// At most this many rows; the store's own bound holds when absent.
    pub keys_max: Option<u32>,
    /// Speak ListObjects (V1) instead of V2.
    pub v1: bool,
}

impl ListObjects {
    /// The first page of everything under `prefix`.
    pub fn new(bucket: BucketName, prefix: impl Into<String>) -> ListObjects {
        ListObjects {
            bucket,
            prefix: prefix.into(),
            delimiter: None,
            start_after: None,
            continuation_token: None,
            keys_max: None,
            v1: false,
        }
    }
}

/// One page of a listing of versions.
#[derive(Debug, Clone)]
pub struct ListObjectVersions {
    /// The bucket.
    pub bucket: BucketName,
    /// Only keys that begin so; may be empty.
    pub prefix: String,
    /// Rolls keys up into common prefixes.
    pub delimiter: Option<String>,
    /// Goes on after an earlier page.
    pub continuation_token: Option<ContinuationToken>,
    /// At most this many rows.
    pub keys_max: Option<u32>,
}

/// What one page holds, in the store's order. A page may be empty and still have a `next`.
#[derive(Debug, Clone, Default)]
pub struct ListPage {
    /// Objects, or versions and delete markers.
    pub objects: Vec<ListedObject>,
    /// Rolled up prefixes, when a delimiter was given.
    pub common_prefixes: Vec<String>,
    /// The next page; `None` on the last.
    pub next: Option<ContinuationToken>,
}

/// A row of a listing.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedObject {
    /// The key.
    pub key: Key,
    /// Size; zero for a delete marker.
    pub size: ByteCount,
    /// When the store last changed it. For multipart objects: when the upload began.
    pub last_modified: Option<Timestamp>,
    /// ETag; absent for delete markers and where the store gives none.
    pub etag: Option<ETag>,
    /// Storage class; absent means standard.
    pub storage_class: Option<StorageClass>,
    /// The algorithm of the stored checksum, where the store says it.
    pub checksum_algorithm: Option<ChecksumAlgorithm>,
    /// Set in listings of versions.
    pub version: Option<ListedVersion>,
}

/// The version part of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedVersion {
    /// The version's id (`null` for the null version).
    pub id: VersionId,
    /// Whether it is the current one.
    pub is_latest: bool,
    /// Whether it is a delete marker.
    pub is_delete_marker: bool,
}
