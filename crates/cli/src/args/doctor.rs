//! `doctor`.

use clap::Args;
use mover::doctor::policy::Intent;

use super::help;

/// Find out what a run would be missing, by calls that change nothing
#[derive(Debug, Clone, Args)]
#[command(before_help = help::DOCTOR)]
pub(crate) struct DoctorArgs {
    /// What is planned: cp, sync, mv or sync-delete
    #[arg(long = "for", value_name = "WHAT", default_value = "cp")]
    pub(crate) intent: Intent,
    /// Try this key of the source instead of one that is listed
    #[arg(long, value_name = "KEY")]
    pub(crate) key: Option<String>,
    /// A source, and a destination
    #[arg(value_name = "SOURCE [DESTINATION]")]
    pub(crate) arguments: Vec<String>,
}
