//! Copies or moves what a source names.

use std::sync::Arc;

use crate::accounts::Accounts;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::event::Verb;
use crate::filter::Filter;
use crate::job::Report;
use crate::options::TransferOptions;
use crate::source::Source;
use crate::url::Target;

/// A `cp` or `mv` as it was asked for.
#[derive(Debug, Clone)]
pub struct CopyJob {
    /// Copy or move.
    pub verb: Verb,
    /// What.
    pub source: Source,
    /// Whither.
    pub destination: Target,
    /// Keep only the last part of each name.
    pub flatten: bool,
    /// When what is at the destination is kept.
    pub conditions: CopyConditions,
    /// Which of the source's objects count.
    pub filter: Filter,
    /// How objects are transferred.
    pub options: TransferOptions,
}

/// When what is at a destination is kept. Without any it is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CopyConditions {
    /// Keep whatever is there (`-n`).
    pub no_clobber: bool,
    /// Keep what has the source's size (`-s`); takes the place of `no_clobber`.
    pub if_size_differ: bool,
    /// Keep what is as new as the source (`-u`); takes the place of both others.
    pub if_source_newer: bool,
}

/// Runs a copy to its end.
///
/// An error is what kept it from running; what failed later is in the report.
pub async fn run(job: CopyJob, context: &Context, accounts: &Arc<Accounts>) -> Result<Report> {
    let _ = (context, accounts);
    Err(Error::Usage(format!("{} is on its way", job.verb)))
}
