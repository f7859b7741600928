//! What a job tells while it runs.

use std::fmt;
use std::time::Duration;

use base::{ByteCount, Checksum, ETag, VersionId};

use crate::error::Error;
use crate::location::Location;

/// What is done to an object; prints as s5cmd's word for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verb {
    /// Copied: upload, download, or inside a store.
    Copy,
    /// Copied, then the source deleted.
    Move,
    /// Deleted.
    Delete,
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Verb::Copy => "cp",
            Verb::Move => "mv",
            Verb::Delete => "rm",
        })
    }
}

/// The strongest means by which an arrival was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verified {
    /// A full-object or payload checksum that both sides agree on.
    Checksum(Checksum),
    /// The store compared the payload with the SHA-256 that the signature covers.
    PayloadSignature,
    /// The ETag, which is the MD5 (or MD5 of MD5s) of what was sent or received.
    ETag,
    /// Inside one store, the store's own copy: ETag or checksum of source and copy are equal.
    ServerSide,
    /// Only sizes agree; never called verified.
    SizeOnly,
}

/// Why an object was left alone. Not a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SkipReason {
    /// `--no-clobber` and something is there.
    Exists,
    /// The destination has the same size (`--if-size-differ`, `--size-only`).
    SizeMatches,
    /// The destination is as new (`--if-source-newer`).
    NewerOrSameAge,
    /// Newer or same age, and the size matches (sync's default).
    NewerOrSameAgeAndSizeMatches,
    /// Checksums or ETags agree (`--checksum`).
    ContentMatches,
    /// Excluded, not included, ignored, or outside the size and age filters.
    Filtered,
    /// Belongs to another machine (`--shard`).
    OtherShard,
    /// A key that ends in `/`, as s5cmd skips them.
    DirectoryMarker,
    /// Archived, and the user asked not to hear of those (`--ignore-glacier-warnings`).
    Archived,
    /// An earlier run of this job has done it (`resume`).
    DoneBefore,
}

/// What became of one object, or what a person should know.
///
/// Events come from many tasks at once; an observer must be quick and must not block for long.
#[derive(Debug)]
pub enum Event<'a> {
    /// An object arrived and was checked.
    Moved(&'a Moved),
    /// A destination object was deleted (`sync --delete`), or a target of `rm`.
    Deleted {
        /// What is gone.
        location: &'a Location,
    },
    /// A copied source could not be deleted; the copy stands.
    CopiedNotDeleted {
        /// What arrived.
        moved: &'a Moved,
        /// Why the source is still there.
        error: &'a Error,
    },
    /// Left alone.
    Skipped {
        /// What would have been done.
        verb: Verb,
        /// The object.
        source: &'a Location,
        /// Where it would have gone.
        destination: Option<&'a Location>,
        /// Its size.
        size: ByteCount,
        /// Why.
        reason: &'a SkipReason,
    },
    /// Refused: archived without a restore, or no possible name at the destination.
    Refused {
        /// What would have been done.
        verb: Verb,
        /// The object.
        source: &'a Location,
        /// Where it would have gone.
        destination: Option<&'a Location>,
        /// Why, and what would allow it.
        error: &'a Error,
    },
    /// Deleted at the source since it was listed.
    Gone {
        /// What would have been done.
        verb: Verb,
        /// The object.
        source: &'a Location,
        /// Where it would have gone.
        destination: Option<&'a Location>,
    },
    /// Failed after all tries.
    Failed {
        /// What was being done.
        verb: Verb,
        /// The object; absent for a failure of the job itself, such as a broken listing.
        source: Option<&'a Location>,
        /// Where it was to go.
        destination: Option<&'a Location>,
        /// Why.
        error: &'a Error,
    },
    /// How things stand, where that has changed. Nothing is wrong.
    Notice {
        /// One lowercase line.
        message: &'a str,
    },
    /// Something a person should know that changed no outcome.
    Warning {
        /// One lowercase line.
        message: &'a str,
    },
}

/// An object that arrived.
#[derive(Debug, Clone)]
pub struct Moved {
    /// Copy or move.
    pub verb: Verb,
    /// Whence.
    pub source: Location,
    /// Whither.
    pub destination: Location,
    /// Bytes.
    pub size: ByteCount,
    /// Source's ETag, if it has one.
    pub source_etag: Option<ETag>,
    /// Destination's ETag, if it has one.
    pub destination_etag: Option<ETag>,
    /// Source's version, if it has one.
    pub source_version: Option<VersionId>,
    /// Destination's version, if it has one.
    pub destination_version: Option<VersionId>,
    /// How the arrival was checked.
    pub verified: Verified,
    /// Tries that it took, at least one.
    pub tries: u32,
    /// From the first request to the last.
    pub elapsed: Duration,
    /// Storage class asked for at the destination.
    pub storage_class: Option<String>,
    /// What of the source's attributes did not go along.
    pub lost: Vec<Loss>,
    /// True when nothing was done because of `--dry-run`.
    pub dry_run: bool,
}

/// What an object carries besides its bytes, as far as it may be left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Attribute {
    /// User metadata.
    Metadata,
    /// Tags.
    Tags,
    /// The storage class.
    StorageClass,
    /// The encryption, or its key.
    Encryption,
    /// Retention and legal hold.
    Lock,
    /// The access list.
    AccessList,
}

impl Attribute {
    /// As manifests and events name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Attribute::Metadata => "metadata",
            Attribute::Tags => "tags",
            Attribute::StorageClass => "storage_class",
            Attribute::Encryption => "encryption",
            Attribute::Lock => "lock",
            Attribute::AccessList => "access_list",
        }
    }
}

/// Something that an object carried and its copy does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// What.
    pub attribute: Attribute,
    /// What became of it and why, to follow the object's name.
    pub line: String,
}

/// Hears what a job does. The CLI prints, the manifest writes rows, tests collect.
pub trait Observer: Send + Sync {
    /// Hears one event.
    fn on_event(&self, event: &Event<'_>);
}

/// Hears and forgets.
#[derive(Debug, Clone, Copy)]
pub struct Deaf;

impl Observer for Deaf {
    fn on_event(&self, _: &Event<'_>) {}
}
