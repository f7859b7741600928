//! `exists`.

use clap::Args;

use super::help;
use super::values::one_of;

/// Say which of many keys are in a bucket
#[derive(Debug, Clone, Args)]
#[command(before_help = help::EXISTS)]
pub(crate) struct ExistsArgs {
    /// Ask about the keys of this list (a key a line, columns parted by tabs)
    #[arg(long, value_name = "FILE|-|s3://..", help_heading = "Which")]
    pub(crate) keys: Option<String>,
    /// Take names that begin with s3:// for keys, not URLs
    #[arg(long, help_heading = "Which")]
    pub(crate) raw: bool,
    /// Ask by head (a request a key), list (the bucket's listing), or auto: whichever is sooner
    #[arg(long, value_name = "HOW", default_value = "auto", help_heading = "How",
          value_parser = one_of(&["auto", "head", "list"]))]
    pub(crate) by: String,
    /// Say on standard error how keys are asked about, why, and what that costs
    #[arg(long, help_heading = "What is told")]
    pub(crate) explain: bool,
    /// Print only the keys that are absent, as `cp --keys` reads them
    #[arg(long, help_heading = "What is told")]
    pub(crate) missing_only: bool,
    /// Say on standard error how many keys are present, absent, unknown
    #[arg(long, help_heading = "What is told")]
    pub(crate) count: bool,
    /// Keep the absent keys in this list, in order and once each, for `cp --keys`
    #[arg(long, value_name = "FILE|s3://..", help_heading = "What is told")]
    pub(crate) record_missing: Option<String>,
    /// s3://BUCKET or s3://BUCKET/PREFIX/ and whole keys (or their URLs); or URLs alone
    #[arg(value_name = "BUCKET KEY")]
    pub(crate) arguments: Vec<String>,
}
