//! `cat` and `pipe`.

use clap::Args;

use super::help;
use super::transfer::AttributeArgs;
use super::values::{Integer, Pair};

/// Write objects to standard output
#[derive(Debug, Clone, Args)]
#[command(before_help = help::CAT)]
pub(crate) struct CatArgs {
    /// Take * and ? in the name as they are
    #[arg(long)]
    pub(crate) raw: bool,
    /// Of this version
    #[arg(long, value_name = "ID")]
    pub(crate) version_id: Option<String>,
    /// Parts of one object under way at once
    #[arg(long, short = 'c', value_name = "N", default_value = "5")]
    pub(crate) concurrency: Integer,
    /// Size of parts in MiB
    #[arg(long, short = 'p', value_name = "MIB", default_value = "50")]
    pub(crate) part_size: Integer,
    /// An object, a prefix or a pattern
    #[arg(value_name = "SOURCE")]
    pub(crate) arguments: Vec<String>,
}

/// Store standard input as an object
#[derive(Debug, Clone, Args)]
#[command(before_help = help::PIPE)]
pub(crate) struct PipeArgs {
    /// Storage class of the object
    #[arg(long, value_name = "CLASS")]
    pub(crate) storage_class: Option<String>,
    /// Parts under way at once
    #[arg(long, short = 'c', value_name = "N", default_value = "5")]
    pub(crate) concurrency: Integer,
    /// Size of parts in MiB
    #[arg(long, short = 'p', value_name = "MIB", default_value = "50")]
    pub(crate) part_size: Integer,
    /// User metadata, key=value; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) metadata: Vec<Pair>,
    #[command(flatten)]
    pub(crate) attributes: AttributeArgs,
    /// Take * and ? in the name as they are
    #[arg(long)]
    pub(crate) raw: bool,
    #[command(flatten)]
    pub(crate) content: super::transfer::ContentArgs,
    /// Keep what is there
    #[arg(long, short = 'n')]
    pub(crate) no_clobber: bool,
    /// The object
    #[arg(value_name = "DESTINATION")]
    pub(crate) arguments: Vec<String>,
}
