//! What a run does when it cannot go on for now.

use clap::Args;
use mover::OnDenied;

/// How long a run puts up with what it meets.
#[derive(Debug, Clone, Args)]
pub(crate) struct PatienceArgs {
    /// When a side's permission is lost: wait, wait=DURATION (as wait=12h), or stop and exit with 3
    /// (default: wait on a terminal, else stop)
    #[arg(long, value_name = "WHAT", help_heading = "How")]
    pub(crate) on_denied: Option<OnDenied>,
}
