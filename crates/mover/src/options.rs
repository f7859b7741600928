//! How objects are transferred, the same for all objects of a job.

use std::num::NonZeroUsize;

use base::ByteCount;
use remote::types::{MetadataDirective, ObjectAttributes};

use crate::journal::JobsHome;

/// What the user said about transfers.
#[derive(Debug, Clone)]
pub struct TransferOptions {
    /// Fields that replace what the source (or the file's name) would give.
    pub attributes: ObjectAttributes,
    /// Whose metadata a copy inside a store carries; `None` keeps the source's and replaces only
    /// the fields set in `attributes`.
    pub metadata_directive: Option<MetadataDirective>,
    /// Upper bound on parts of one object under way (`--concurrency`).
    pub parts_max: NonZeroUsize,
    /// Part size that the user asked for; `None` lets the plan choose by size.
    pub part_size: Option<ByteCount>,
    /// Move archived objects as if they were restored (`--force-glacier-transfer`).
    pub force_glacier_transfer: bool,
    /// Say nothing of archived objects left alone (`--ignore-glacier-warnings`).
    pub ignore_glacier_warnings: bool,
    /// Flush a downloaded file to the disk before it is renamed (`--fsync`).
    pub fsync: bool,
    /// Storage class and encryption of the source go along between stores, where the user names
    /// none. s5cmd leaves them to the destination.
    pub keeps_placement: bool,
    /// Access lists go along between stores (`--preserve-acl`).
    pub preserve_acl: bool,
    /// Retention and legal hold go along between stores (`--preserve-lock`).
    pub preserve_lock: bool,
    /// Refuse an object of which something would not go along, instead of saying so (`--strict`).
    pub strict: bool,
    /// Take over unfinished uploads that are not ours (`--adopt-uploads`).
    pub adopt_uploads: Option<Adoption>,
    /// Say what would be done, and do nothing.
    pub dry_run: bool,
}

/// Which uploads of somebody else may be taken over.
#[derive(Debug, Clone, Default)]
pub struct Adoption {
    /// The jobs whose uploads are ours, and so are not somebody else's.
    pub jobs: Option<JobsHome>,
}

impl Default for TransferOptions {
    fn default() -> TransferOptions {
        TransferOptions {
            attributes: ObjectAttributes::default(),
            metadata_directive: None,
            // s5cmd's default.
            parts_max: NonZeroUsize::new(5).expect("5 is not zero"),
            part_size: None,
            force_glacier_transfer: false,
            ignore_glacier_warnings: false,
            fsync: false,
            keeps_placement: true,
            preserve_acl: false,
            preserve_lock: false,
            strict: false,
            adopt_uploads: None,
            dry_run: false,
        }
    }
}
