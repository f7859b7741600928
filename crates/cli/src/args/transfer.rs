//! `cp`, `mv` and `sync`: the flags that they share, and their own.

use std::path::PathBuf;

use base::ByteCount;
use clap::Args;
use jiff::Timestamp;
use mover::job::sync::MaxDelete;
use mover::shard::Shard;

use super::deadline::{DeadlineArgs, moment};
use super::disorder::DisorderArgs;
use super::global::byte_count;
use super::help;
use super::patience::PatienceArgs;
use super::values::{Integer, Pair, one_of};

/// Copy objects: up, down, or from store to store
#[derive(Debug, Clone, Args)]
#[command(before_help = help::COPY)]
pub(crate) struct CopyArgs {
    /// Leave out folders below the source's prefix: every object lands directly at the destination
    #[arg(long, short = 'f', help_heading = "Which, and where to")]
    pub(crate) flatten: bool,
    /// Keep what is already at the destination
    #[arg(long, short = 'n', help_heading = "Which, and where to")]
    pub(crate) no_clobber: bool,
    /// Replace only what differs in size
    #[arg(long, short = 's', help_heading = "Which, and where to")]
    pub(crate) if_size_differ: bool,
    /// Replace only what is older than the source
    #[arg(long, short = 'u', help_heading = "Which, and where to")]
    pub(crate) if_source_newer: bool,
    /// This version of the source
    #[arg(long, value_name = "ID", help_heading = "Which, and where to")]
    pub(crate) version_id: Option<String>,
    /// Show progress on standard error even where it is no terminal
    #[arg(long, visible_alias = "sp", help_heading = "How")]
    pub(crate) show_progress: bool,
    #[command(flatten)]
    pub(crate) transfer: TransferArgs,
    #[command(flatten)]
    pub(crate) pick: PickArgs,
    #[command(flatten)]
    pub(crate) patience: PatienceArgs,
    #[command(flatten)]
    pub(crate) deadline: DeadlineArgs,
    /// Take the keys from this list (key, optional size and ETag, parted by tabs) instead of listing
    #[arg(
        long,
        value_name = "FILE|-|s3://..",
        help_heading = "Which, and where to"
    )]
    pub(crate) keys: Option<String>,
    /// A source and a destination
    #[arg(value_name = "SOURCE DESTINATION")]
    pub(crate) arguments: Vec<String>,
}

/// Make a destination hold what a source holds
#[derive(Debug, Clone, Args)]
#[command(before_help = help::SYNC)]
pub(crate) struct SyncArgs {
    /// Delete what the source does not have, after both sides were listed whole
    #[arg(long, help_heading = "Which, and where to")]
    pub(crate) delete: bool,
    /// Copy only where sizes differ
    #[arg(long, help_heading = "Which, and where to")]
    pub(crate) size_only: bool,
    /// Stop at the first object that fails
    #[arg(long, help_heading = "How")]
    pub(crate) exit_on_error: bool,
    #[command(flatten)]
    pub(crate) transfer: TransferArgs,
    /// Copy where contents differ: by ETag or checksum, else by reading both
    #[arg(long, help_heading = "Which, and where to")]
    pub(crate) checksum: bool,
    /// Copy unless times are equal too
    #[arg(long, help_heading = "Which, and where to")]
    pub(crate) exact_timestamps: bool,
    /// Carry every version and delete marker, in order, between buckets that keep versions
    #[arg(long, help_heading = "Which, and where to")]
    pub(crate) versions: bool,
    /// With --delete: delete nothing if it would be more than this number or share
    #[arg(long, value_name = "N|P%", help_heading = "Which, and where to")]
    pub(crate) max_delete: Option<MaxDelete>,
    /// With --delete: let an empty source delete everything
    #[arg(long, help_heading = "Which, and where to")]
    pub(crate) allow_empty_source: bool,
    #[command(flatten)]
    pub(crate) pick: PickArgs,
    #[command(flatten)]
    pub(crate) patience: PatienceArgs,
    #[command(flatten)]
    pub(crate) deadline: DeadlineArgs,
    /// A source and a destination
    #[arg(value_name = "SOURCE DESTINATION")]
    pub(crate) arguments: Vec<String>,
}

/// What `cp`, `mv` and `sync` share with s5cmd, in its order.
#[derive(Debug, Clone, Args)]
pub(crate) struct TransferArgs {
    /// Pass symbolic links over
    #[arg(long, help_heading = "Which, and where to")]
    pub(crate) no_follow_symlinks: bool,
    /// Storage class at the destination
    #[arg(long, value_name = "CLASS", help_heading = "What objects carry")]
    pub(crate) storage_class: Option<String>,
    /// Parts of one object under way at once
    #[arg(
        long,
        short = 'c',
        value_name = "N",
        default_value = "5",
        help_heading = "How"
    )]
    pub(crate) concurrency: Integer,
    /// Size of parts in MiB
    #[arg(
        long,
        short = 'p',
        value_name = "MIB",
        default_value = "50",
        help_heading = "How"
    )]
    pub(crate) part_size: Integer,
    /// User metadata, key=value; may be repeated
    #[arg(long, value_name = "KEY=VALUE", help_heading = "What objects carry")]
    pub(crate) metadata: Vec<Pair>,
    /// From store to store: COPY the source's metadata or REPLACE it
    #[arg(long, value_name = "HOW", help_heading = "What objects carry",
          value_parser = one_of(&["COPY", "REPLACE", ""]))]
    pub(crate) metadata_directive: Option<String>,
    #[command(flatten)]
    pub(crate) attributes: AttributeArgs,
    /// Move archived objects as if they were restored
    #[arg(long, help_heading = "How")]
    pub(crate) force_glacier_transfer: bool,
    /// Pass archived objects over without an error
    #[arg(long, help_heading = "How")]
    pub(crate) ignore_glacier_warnings: bool,
    /// Region of the source's bucket
    #[arg(long, value_name = "REGION", help_heading = "How")]
    pub(crate) source_region: Option<String>,
    /// Region of the destination's bucket
    #[arg(long, value_name = "REGION", help_heading = "How")]
    pub(crate) destination_region: Option<String>,
    /// Leave out what this pattern covers; may be repeated, or list several with commas
    #[arg(
        long,
        value_name = "PATTERN",
        value_delimiter = ',',
        help_heading = "Which, and where to"
    )]
    pub(crate) exclude: Vec<String>,
    /// Take only what this pattern covers; may be repeated, or list several with commas
    #[arg(
        long,
        value_name = "PATTERN",
        value_delimiter = ',',
        help_heading = "Which, and where to"
    )]
    pub(crate) include: Vec<String>,
    /// Take * and ? in the source as they are
    #[arg(long, help_heading = "Which, and where to")]
    pub(crate) raw: bool,
    #[command(flatten)]
    pub(crate) content: ContentArgs,
}

/// Headers and rights of what is stored.
#[derive(Debug, Clone, Args)]
pub(crate) struct AttributeArgs {
    /// Encrypt at rest: AES256, aws:kms or aws:kms:dsse
    #[arg(long, value_name = "METHOD", help_heading = "What objects carry")]
    pub(crate) sse: Option<String>,
    /// Key for aws:kms
    #[arg(long, value_name = "ID", help_heading = "What objects carry")]
    pub(crate) sse_kms_key_id: Option<String>,
    /// Canned ACL, such as bucket-owner-full-control
    #[arg(long, value_name = "ACL", help_heading = "What objects carry")]
    pub(crate) acl: Option<String>,
    /// Cache-Control
    #[arg(long, value_name = "TEXT", help_heading = "What objects carry")]
    pub(crate) cache_control: Option<String>,
    /// Expires, as 2027-01-31T12:00:00Z
    #[arg(long, value_name = "TIME", help_heading = "What objects carry")]
    pub(crate) expires: Option<String>,
}

/// What the bytes are.
#[derive(Debug, Clone, Args)]
pub(crate) struct ContentArgs {
    /// Content-Type, instead of one found by the file's name or first bytes
    #[arg(long, value_name = "TYPE", help_heading = "What objects carry")]
    pub(crate) content_type: Option<String>,
    /// Content-Encoding
    #[arg(long, value_name = "TEXT", help_heading = "What objects carry")]
    pub(crate) content_encoding: Option<String>,
    /// Content-Disposition
    #[arg(long, value_name = "TEXT", help_heading = "What objects carry")]
    pub(crate) content_disposition: Option<String>,
}

/// Which objects, beyond s5cmd's flags.
#[derive(Debug, Clone, Args)]
pub(crate) struct PickArgs {
    /// Only objects of at least this size, as 1MiB
    #[arg(long, value_name = "BYTES", value_parser = byte_count, help_heading = "Which, and where to")]
    pub(crate) size_min: Option<ByteCount>,
    /// Only objects of at most this size
    #[arg(long, value_name = "BYTES", value_parser = byte_count, help_heading = "Which, and where to")]
    pub(crate) size_max: Option<ByteCount>,
    /// Only objects changed at or after this time, as 2026-01-31T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = moment, help_heading = "Which, and where to")]
    pub(crate) newer_than: Option<Timestamp>,
    /// Only objects changed before this time
    #[arg(long, value_name = "TIME", value_parser = moment, help_heading = "Which, and where to")]
    pub(crate) older_than: Option<Timestamp>,
    /// Leave out what a line of this file covers: patterns against BUCKET/KEY
    #[arg(long, value_name = "FILE", help_heading = "Which, and where to")]
    pub(crate) ignore_file: Option<PathBuf>,
    /// Only this machine's share of the keys, as 2/5
    #[arg(long, value_name = "I/N", help_heading = "Which, and where to")]
    pub(crate) shard: Option<Shard>,
    #[command(flatten)]
    pub(crate) disorder: DisorderArgs,
    /// Between stores, set the source's access list on what arrived
    #[arg(long, help_heading = "What objects carry")]
    pub(crate) preserve_acl: bool,
    /// Between stores, keep the source's retention and legal hold
    #[arg(long, help_heading = "What objects carry")]
    pub(crate) preserve_lock: bool,
    /// Take over unfinished uploads of the same keys that no job of this machine knows, such as another
    /// tool's: parts that hold the source's bytes are kept, which is found out by reading the source
    /// again. Metadata, content type, encryption and storage class stay what each was created with,
    /// which cannot be seen: a warning says so for each
    #[arg(long, help_heading = "How")]
    pub(crate) adopt_uploads: bool,
    /// Flush downloaded files to the disk before they get their name
    #[arg(long, help_heading = "How")]
    pub(crate) fsync: bool,
}
