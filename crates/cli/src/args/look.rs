//! `ls`, `du` and `head`: commands that look and change nothing.

use clap::Args;

use super::help;

/// List buckets, or objects and prefixes
#[derive(Debug, Clone, Args)]
#[command(before_help = help::LIST)]
pub(crate) struct ListArgs {
    /// Show ETags
    #[arg(long, short = 'e')]
    pub(crate) etag: bool,
    /// Sizes for people, as 2.9M
    #[arg(long, short = 'H')]
    pub(crate) humanize: bool,
    /// Show storage classes
    #[arg(long, short = 's')]
    pub(crate) storage_class: bool,
    /// Leave out what this pattern covers; may be repeated, or list several with commas
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    pub(crate) exclude: Vec<String>,
    /// Every version and delete marker, with its id
    #[arg(long)]
    pub(crate) all_versions: bool,
    /// Print full URLs and nothing else
    #[arg(long)]
    pub(crate) show_fullpath: bool,
    /// Nothing (buckets), a bucket, a prefix, a pattern, or a path
    #[arg(value_name = "TARGET")]
    pub(crate) arguments: Vec<String>,
}

/// Count objects and their bytes
#[derive(Debug, Clone, Args)]
#[command(before_help = help::DISK_USAGE)]
pub(crate) struct DiskUsageArgs {
    /// One line a storage class
    #[arg(long, short = 'g')]
    pub(crate) group: bool,
    /// Sizes for people, as 2.9M
    #[arg(long, short = 'H')]
    pub(crate) humanize: bool,
    /// Leave out what this pattern covers; may be repeated, or list several with commas
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    pub(crate) exclude: Vec<String>,
    /// Count every version and delete marker
    #[arg(long)]
    pub(crate) all_versions: bool,
    /// Count this version of the object
    #[arg(long, value_name = "ID")]
    pub(crate) version_id: Option<String>,
    /// A bucket, a prefix, a pattern, or a path
    #[arg(value_name = "TARGET")]
    pub(crate) arguments: Vec<String>,
}

/// Show what a store says of an object, or whether a bucket is there
#[derive(Debug, Clone, Args)]
#[command(before_help = help::HEAD)]
pub(crate) struct HeadArgs {
    /// Of this version
    #[arg(long, value_name = "ID")]
    pub(crate) version_id: Option<String>,
    /// Take * and ? in the name as they are
    #[arg(long)]
    pub(crate) raw: bool,
    /// An object or a bucket
    #[arg(value_name = "TARGET")]
    pub(crate) arguments: Vec<String>,
}
