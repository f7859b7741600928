//! The command line as it was typed.
//!
//! [`grammar`] reads it by s5cmd's rules and hands clap what clap can read; clap gives the types
//! below, the help texts and the completion scripts.

mod bucket;
pub(crate) mod deadline;
mod disorder;
mod doctor;
mod exists;
mod global;
pub(crate) mod grammar;
pub(crate) mod help;
mod jobs;
mod look;
pub(crate) mod nearest;
mod patience;
mod remove;
mod script;
mod select;
mod sides;
mod stream;
mod transfer;
mod typed;
pub(crate) mod values;
mod verify;

use clap::{Parser, Subcommand};

pub(crate) use bucket::{BucketArgs, BucketVersionArgs, PresignArgs};
pub(crate) use deadline::DeadlineArgs;
pub(crate) use doctor::DoctorArgs;
pub(crate) use exists::ExistsArgs;
pub(crate) use global::{GlobalArgs, LogLevel, ProgressMode};
pub(crate) use jobs::{JobsArgs, ResumeArgs, UploadsArgs};
pub(crate) use look::{DiskUsageArgs, HeadArgs, ListArgs};
pub(crate) use patience::PatienceArgs;
pub(crate) use remove::RemoveArgs;
pub(crate) use script::{CompletionsArgs, DemoArgs, RunArgs, VersionArgs};
pub(crate) use select::SelectArgs;
pub(crate) use sides::{SideArgs, SidesArgs};
pub(crate) use stream::{CatArgs, PipeArgs};
pub(crate) use transfer::{AttributeArgs, ContentArgs, CopyArgs, PickArgs, SyncArgs, TransferArgs};
pub(crate) use typed::quoted;
pub(crate) use verify::VerifyArgs;

/// Moves objects between S3, whatever speaks S3, and this machine, and proves that they arrived
#[derive(Debug, Parser)]
#[command(
    name = "longhaul",
    version,
    disable_help_subcommand = true,
    disable_version_flag = true,
    help_template = help::ROOT_TEMPLATE,
    override_usage = "longhaul [FLAGS] COMMAND [FLAGS OF THE COMMAND] ARGUMENTS",
    before_help = help::ROOT_EXAMPLES,
)]
pub(crate) struct Cli {
    /// Flags that stand before the command.
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Every command, in the order in which help lists them.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Command {
    #[command(name = "ls")]
    List(ListArgs),
    #[command(name = "cp")]
    Copy(Box<CopyArgs>),
    #[command(name = "rm")]
    Remove(RemoveArgs),
    #[command(name = "mv", about = "Move or rename objects", before_help = help::MOVE)]
    Move(Box<CopyArgs>),
    #[command(name = "mb", about = "Make a bucket", before_help = help::MAKE_BUCKET)]
    MakeBucket(BucketArgs),
    #[command(name = "rb", about = "Remove an empty bucket", before_help = help::REMOVE_BUCKET)]
    RemoveBucket(BucketArgs),
    #[command(name = "select")]
    Select(SelectArgs),
    #[command(name = "du")]
    DiskUsage(DiskUsageArgs),
    #[command(name = "cat")]
    Cat(CatArgs),
    #[command(name = "pipe")]
    Pipe(PipeArgs),
    #[command(name = "run")]
    Run(RunArgs),
    #[command(name = "sync")]
    Sync(Box<SyncArgs>),
    #[command(name = "version")]
    Version(VersionArgs),
    #[command(name = "bucket-version")]
    BucketVersion(BucketVersionArgs),
    #[command(name = "presign")]
    Presign(PresignArgs),
    #[command(name = "head", visible_alias = "stat")]
    Head(HeadArgs),
    #[command(name = "exists")]
    Exists(ExistsArgs),
    #[command(name = "verify")]
    Verify(Box<VerifyArgs>),
    #[command(name = "jobs")]
    Jobs(JobsArgs),
    #[command(name = "resume")]
    Resume(ResumeArgs),
    #[command(name = "uploads")]
    Uploads(UploadsArgs),
    #[command(name = "doctor")]
    Doctor(DoctorArgs),
    #[command(name = "completions")]
    Completions(CompletionsArgs),
    #[command(name = "demo")]
    Demo(DemoArgs),
}
