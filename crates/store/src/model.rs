//! The oracle: an exact, deterministic model of S3's namespace, in memory.
//!
//! **Overview.** A [`Model`] is a cheap handle to buckets of versioned keys and unfinished
//! uploads. It decides as S3 does and answers with S3's errors. The later storage engine is
//! compared with it; the demo and the tests of the mover run against it over HTTP.
//!
//! **Invariants.** Every history in a bucket holds at least one version, and at most one of them
//! is the null version. A bucket that never kept versions holds null versions only.
//!
//! **Ordering.** One lock covers everything, so all operations are linearizable, and a page of a
//! listing is one snapshot. Bodies are hashed outside of it.
//!
//! **Cancellation, crash.** No operation waits. Nothing survives the process.
//!
//! **Limits.** Memory holds all bodies; who fills it decides how much.

mod access;
mod attributes;
mod body;
mod bucket;
mod condition;
mod copy;
mod digest;
mod error;
mod listing;
mod lock;
mod multipart;
mod object;
mod pages;
mod range;
mod upload;
mod version;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use base::{BucketName, Clock, ETag, VersionId};
use jiff::Timestamp;
use parking_lot::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use bucket::Bucket;

pub use access::{Grant, Grantee};
pub use attributes::{Attributes, Encryption, Tags};
pub use body::Body;
pub use bucket::BucketSummary;
pub use condition::{ETagMatch, ReadConditions, WriteConditions};
pub use copy::{CopyObject, MetadataDirective, UploadPartCopy};
pub use digest::{Declared, Intake, Received};
pub use error::Error;
pub use listing::{Entry, ListQuery, NestedPage, Page};
pub(crate) use listing::{Position, common_prefix};
pub use lock::{Lock, LockMode};
pub use multipart::{
    CompleteMultipartUpload, CreateMultipartUpload, ListedPart, PartPage, StoredPart, UploadPart,
    UploadState, UploadSummary,
};
pub use object::{Deleted, FoundObject, PutObject, Stored};
pub use pages::{ListedObject, ListedVersion};
pub use range::RangeRequest;
pub use upload::{ChecksumPlan, CompleteExpectations, CompletedPart};
pub(crate) use upload::{Part, PartBody, Upload};
pub(crate) use version::NULL_VERSION;
pub use version::{Content, Object, ObjectPart, Version, Versioning};

/// What of S3 a test may want otherwise.
#[derive(Debug, Clone)]
pub struct ModelOptions {
    /// Smallest part but for the last, in bytes. S3's by default.
    pub part_size_min: u64,
    /// Whether times are whole seconds, as S3's are. By default they are milliseconds, rounded
    /// up: then an object is never older than the file it was just made of, and a second sync
    /// has nothing to do.
    pub whole_seconds: bool,
}

impl Default for ModelOptions {
    fn default() -> ModelOptions {
        ModelOptions {
            part_size_min: base::limits::PART_SIZE_MIN.get(),
            whole_seconds: false,
        }
    }
}

/// A handle to the model. Clones share it.
#[derive(Clone)]
pub struct Model(Arc<Inner>);

struct Inner {
    clock: Clock,
    options: ModelOptions,
    state: RwLock<State>,
}

/// All buckets.
#[derive(Debug, Default)]
struct State {
    buckets: BTreeMap<BucketName, Bucket>,
    /// Counts versions and uploads, so that their ids sort by time.
    sequence: u64,
}

impl Model {
    /// A model without buckets.
    pub fn new(clock: Clock, options: ModelOptions) -> Model {
        Model(Arc::new(Inner {
            clock,
            options,
            state: RwLock::default(),
        }))
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.0.state.read()
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.0.state.write()
    }

    /// The time that is written beside what is stored now.
    fn now(&self) -> Timestamp {
        kept_time(self.0.clock.now(), self.0.options.whole_seconds)
    }

    /// An ETag that tells nothing, for encryptions that hide the MD5.
    fn opaque_etag(&self) -> ETag {
        opaque_etag(&self.0.clock)
    }
}

/// The time that is written beside what is stored at `now`; see [`ModelOptions::whole_seconds`].
pub(crate) fn kept_time(now: Timestamp, whole_seconds: bool) -> Timestamp {
    let kept = if whole_seconds {
        Timestamp::from_second(now.as_second())
    } else {
        let nanoseconds = now.as_nanosecond();
        let milliseconds =
            nanoseconds.div_euclid(1_000_000) + i128::from(nanoseconds.rem_euclid(1_000_000) != 0);
        Timestamp::from_nanosecond(milliseconds * 1_000_000)
    };
    kept.unwrap_or(now)
}

/// An ETag that tells nothing, for encryptions that hide the MD5.
pub(crate) fn opaque_etag(clock: &Clock) -> ETag {
    let text = format!("{:016x}{:016x}", clock.random_u64(), clock.random_u64());
    ETag::from_header(&text)
}

impl State {
    fn bucket(&self, name: &BucketName) -> Result<&Bucket, Error> {
        self.buckets.get(name).ok_or(Error::NoSuchBucket)
    }

    fn bucket_mut(&mut self, name: &BucketName) -> Result<&mut Bucket, Error> {
        self.buckets.get_mut(name).ok_or(Error::NoSuchBucket)
    }

    /// An id that nobody guesses and that sorts behind all before it.
    fn next_id(&mut self, clock: &Clock) -> String {
        self.sequence += 1;
        format!("{:016x}{:016x}", self.sequence, clock.random_u64())
    }

    /// The id of a version that is written into this bucket now.
    fn next_version_id(&mut self, bucket: &BucketName, clock: &Clock) -> Result<VersionId, Error> {
        Ok(match self.bucket(bucket)?.versioning {
            Some(Versioning::Enabled) => VersionId::new(self.next_id(clock)),
            Some(Versioning::Suspended) | None => VersionId::new(NULL_VERSION),
        })
    }
}

/// Whether a text can be a version id of this store.
pub(crate) fn check_version_id(version_id: Option<&VersionId>) -> Result<(), Error> {
    let Some(id) = version_id else { return Ok(()) };
    let text = id.as_str();
    let ours = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if ours || text == NULL_VERSION {
        Ok(())
    } else {
        Err(Error::InvalidVersionId)
    }
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model")
            .field("options", &self.0.options)
            .field("buckets", &self.read().buckets.len())
            .finish()
    }
}
