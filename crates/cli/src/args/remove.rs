//! `rm`.

use clap::Args;

use super::help;
use super::patience::PatienceArgs;

/// Delete objects
#[derive(Debug, Clone, Args)]
#[command(before_help = help::REMOVE)]
pub(crate) struct RemoveArgs {
    /// Take * and ? in names as they are
    #[arg(long)]
    pub(crate) raw: bool,
    /// Keep what this pattern covers; may be repeated, or list several with commas
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    pub(crate) exclude: Vec<String>,
    /// Delete only what this pattern covers; may be repeated, or list several with commas
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    pub(crate) include: Vec<String>,
    /// Every version and delete marker
    #[arg(long)]
    pub(crate) all_versions: bool,
    /// This version of the object
    #[arg(long, value_name = "ID")]
    pub(crate) version_id: Option<String>,
    #[command(flatten)]
    pub(crate) patience: PatienceArgs,
    /// Objects or patterns of one bucket, or paths
    #[arg(value_name = "TARGET")]
    pub(crate) arguments: Vec<String>,
}
