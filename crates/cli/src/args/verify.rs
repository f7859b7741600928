//! `verify`.

use std::path::PathBuf;

use base::ByteCount;
use clap::Args;
use jiff::Timestamp;
use mover::job::verify::Sample;
use mover::shard::Shard;

use super::deadline::moment;
use super::disorder::DisorderArgs;
use super::global::byte_count;
use super::help;
use super::patience::PatienceArgs;
use super::values::Integer;

/// Compare what stands at a destination with its source, or with a manifest
#[derive(Debug, Clone, Args)]
#[command(before_help = help::VERIFY)]
pub(crate) struct VerifyArgs {
    /// Compare with this manifest of an earlier run (.csv, .jsonl, also .zst) instead of a source
    #[arg(long, value_name = "FILE", help_heading = "Which")]
    pub(crate) manifest: Option<PathBuf>,
    /// Read the destination's bytes back, and the source's where it keeps no checksum
    #[arg(long, help_heading = "How")]
    pub(crate) read: bool,
    /// Look closer at this number or share of the objects; the others by their listings alone
    #[arg(long, value_name = "N|P%", help_heading = "How")]
    pub(crate) sample: Option<Sample>,
    /// Draws the sample; the same seed draws the same keys
    #[arg(long, value_name = "N", default_value = "0", help_heading = "How")]
    pub(crate) seed: Integer,
    /// Let the destination have more than the source: extra objects are counted, no finding
    #[arg(long, help_heading = "What is told")]
    pub(crate) allow_extra: bool,
    /// Print what is equal too, and how that is known
    #[arg(long, help_heading = "What is told")]
    pub(crate) show_equal: bool,
    /// Leave out what this pattern covers; may be repeated, or list several with commas
    #[arg(
        long,
        value_name = "PATTERN",
        value_delimiter = ',',
        help_heading = "Which"
    )]
    pub(crate) exclude: Vec<String>,
    /// Only what this pattern covers; may be repeated, or list several with commas
    #[arg(
        long,
        value_name = "PATTERN",
        value_delimiter = ',',
        help_heading = "Which"
    )]
    pub(crate) include: Vec<String>,
    /// Leave out what a line of this file covers: patterns against BUCKET/KEY
    #[arg(long, value_name = "FILE", help_heading = "Which")]
    pub(crate) ignore_file: Option<PathBuf>,
    /// Only objects of at least this size, as 1MiB
    #[arg(long, value_name = "BYTES", value_parser = byte_count, help_heading = "Which")]
    pub(crate) size_min: Option<ByteCount>,
    /// Only objects of at most this size
    #[arg(long, value_name = "BYTES", value_parser = byte_count, help_heading = "Which")]
    pub(crate) size_max: Option<ByteCount>,
    /// Only objects changed at or after this time, as 2026-01-31T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = moment, help_heading = "Which")]
    pub(crate) newer_than: Option<Timestamp>,
    /// Only objects changed before this time
    #[arg(long, value_name = "TIME", value_parser = moment, help_heading = "Which")]
    pub(crate) older_than: Option<Timestamp>,
    /// Only this machine's share of the keys, as 2/5; needs --allow-extra
    #[arg(long, value_name = "I/N", help_heading = "Which")]
    pub(crate) shard: Option<Shard>,
    /// Pass symbolic links over
    #[arg(long, help_heading = "Which")]
    pub(crate) no_follow_symlinks: bool,
    /// Take * and ? in names as they are
    #[arg(long, help_heading = "Which")]
    pub(crate) raw: bool,
    #[command(flatten)]
    pub(crate) disorder: DisorderArgs,
    #[command(flatten)]
    pub(crate) patience: PatienceArgs,
    /// A source and a destination, as for sync; with --manifest a destination, or both
    #[arg(value_name = "SOURCE DESTINATION")]
    pub(crate) arguments: Vec<String>,
}
