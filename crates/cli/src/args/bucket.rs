//! `mb`, `rb`, `bucket-version` and `presign`.

use clap::Args;

use super::help;
use super::values::{GoDuration, one_of};

/// One bucket
#[derive(Debug, Clone, Args)]
pub(crate) struct BucketArgs {
    /// s3://BUCKET
    #[arg(value_name = "BUCKET")]
    pub(crate) arguments: Vec<String>,
}

/// Show or set whether a bucket keeps versions
#[derive(Debug, Clone, Args)]
#[command(before_help = help::BUCKET_VERSION)]
pub(crate) struct BucketVersionArgs {
    /// Enabled or Suspended
    #[arg(long, value_name = "STATE", value_parser = one_of(&["Suspended", "Enabled"]))]
    pub(crate) set: Option<String>,
    /// s3://BUCKET
    #[arg(value_name = "BUCKET")]
    pub(crate) arguments: Vec<String>,
}

/// Print a URL with which anybody may read an object for a while
#[derive(Debug, Clone, Args)]
#[command(before_help = help::PRESIGN)]
pub(crate) struct PresignArgs {
    /// How long the URL is good, as 90m or 24h; a week at most
    #[arg(long, value_name = "DURATION", default_value = "3h")]
    pub(crate) expire: GoDuration,
    /// Of this version
    #[arg(long, value_name = "ID")]
    pub(crate) version_id: Option<String>,
    /// An object
    #[arg(value_name = "OBJECT")]
    pub(crate) arguments: Vec<String>,
}
