//! Why the engine refused or failed.

use crate::disk::DiskError;
use crate::format::{Damage, Sequence, StoreId};
use crate::model;

/// Why an operation was not done, or whether it was cannot be said.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// S3's rules refuse it. What that rests on is durable.
    #[error(transparent)]
    Refused(#[from] model::Error),
    /// There is no room. Deletes may still be done.
    #[error("the store has no room left")]
    Full,
    /// The volume is fenced: what was asked for was not done, and nothing is until a restart.
    #[error("a flush failed; the store takes no writes until it is restarted")]
    Fenced,
    /// The flush that was to make it durable failed: it may turn out to be done after a restart.
    #[error("a flush failed; whether this was stored shows after a restart")]
    Uncertain,
    /// Stored bytes are not what was written.
    #[error("{place} is damaged at byte {offset}: {damage}")]
    Damaged {
        /// Volume and file.
        place: String,
        /// Where in the file.
        offset: u64,
        /// How.
        damage: Damage,
    },
    /// A row is not what was written.
    #[error("a row of the view is damaged: {0}")]
    Row(#[from] Damage),
    /// The disk failed to read.
    #[error("{place} could not be read: {cause}")]
    Unreadable {
        /// Volume and file.
        place: String,
        /// Why.
        cause: String,
    },
    /// It is larger than one batch can be.
    #[error("this is more than one batch of the log can hold")]
    TooLarge,
}

/// Why a store cannot be opened. Each names the file and what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The directory holds no volume, and is not to be formatted.
    #[error(
        "{place} holds no volume: an unmounted disk looks like that; mount it, or format it if it is new"
    )]
    Empty {
        /// The volume's directory.
        place: String,
    },
    /// The directory holds a volume already.
    #[error("{place} holds a volume already; open it, or give an empty directory")]
    NotEmpty {
        /// The volume's directory.
        place: String,
    },
    /// The volume belongs to another store.
    #[error(
        "{place} belongs to store {found}, not to {expected}; give the directories of one store"
    )]
    Stranger {
        /// The volume's directory.
        place: String,
        /// The store that was asked for.
        expected: StoreId,
        /// Whose it is.
        found: StoreId,
    },
    /// A newer program wrote it.
    #[error("{place} has format {found}, newer than this program's; use the newer program")]
    Newer {
        /// Volume and file.
        place: String,
        /// Its format.
        found: u16,
    },
    /// No superblock is whole.
    #[error(
        "{place}: both superblocks are damaged ({damage}); restore them from a copy, nothing was changed"
    )]
    Superblocks {
        /// The volume's directory.
        place: String,
        /// How, the second one.
        damage: Damage,
    },
    /// The superblocks are older than what the log was written under.
    #[error(
        "{place}: the superblocks are older than the log; restore them from a copy, nothing was changed"
    )]
    OldSuperblocks {
        /// The volume's directory.
        place: String,
    },
    /// Acknowledged bytes of the log are damaged.
    #[error(
        "{place} is damaged at byte {offset}, log record {sequence} ({damage}), though all before record {mark} was flushed; \
         nothing was changed: read the disk with its own tools, restore the file from a copy"
    )]
    Damaged {
        /// Volume and file.
        place: String,
        /// Where in the file.
        offset: u64,
        /// Which record.
        sequence: Sequence,
        /// Records before this one were flushed.
        mark: Sequence,
        /// How.
        damage: Damage,
    },
    /// Options that no volume can have.
    #[error("{0}")]
    Options(&'static str),
    /// The disk failed.
    #[error("{place} failed")]
    Disk {
        /// The volume's directory.
        place: String,
        /// Why.
        #[source]
        cause: DiskError,
    },
}
