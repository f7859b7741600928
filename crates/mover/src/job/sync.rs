//! Makes a destination hold what a source holds.

use std::str::FromStr;
use std::sync::Arc;

use crate::accounts::Accounts;
use crate::compare::Comparator;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::filter::Filter;
use crate::job::Report;
use crate::options::TransferOptions;
use crate::source::Source;
use crate::url::Target;

/// A sync as it was asked for.
#[derive(Debug, Clone)]
pub struct SyncJob {
    /// What is to be there.
    pub source: Source,
    /// Where.
    pub destination: Target,
    /// Which of the source's objects count.
    pub filter: Filter,
    /// When an object that both sides have is copied again.
    pub comparator: Comparator,
    /// Delete what the source does not have.
    pub delete: bool,
    /// Delete nothing at all if it would be more than this.
    pub max_delete: Option<MaxDelete>,
    /// Let an empty source delete everything.
    pub allow_empty_source: bool,
    /// Stop at the first object that fails.
    pub exit_on_error: bool,
    /// How objects are transferred.
    pub options: TransferOptions,
}

/// The most that `--delete` may delete.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MaxDelete {
    /// This many objects.
    Count(u64),
    /// This share of the destination's objects, from 0 to 100.
    Percent(f64),
}

/// Why a text is no bound for deletions.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{0}\" is no bound for deletions: write a number of objects or a percentage, as 1000 or 5%"
)]
pub struct InvalidMaxDelete(String);

impl MaxDelete {
    /// Whether deleting `candidates` of `objects` stays within the bound.
    pub fn allows(self, candidates: u64, objects: u64) -> bool {
        match self {
            MaxDelete::Count(max) => candidates <= max,
            MaxDelete::Percent(max) => candidates as f64 * 100.0 <= max * objects as f64,
        }
    }
}

impl FromStr for MaxDelete {
    type Err = InvalidMaxDelete;

    fn from_str(text: &str) -> std::result::Result<MaxDelete, InvalidMaxDelete> {
        let invalid = || InvalidMaxDelete(text.to_owned());
        let Some(percent) = text.trim().strip_suffix('%') else {
            return text
                .trim()
                .parse()
                .map(MaxDelete::Count)
                .map_err(|_| invalid());
        };
        let percent: f64 = percent.trim().parse().map_err(|_| invalid())?;
        let in_range = (0.0..=100.0).contains(&percent);
        in_range
            .then_some(MaxDelete::Percent(percent))
            .ok_or_else(invalid)
    }
}

/// Runs a sync to its end.
///
/// An error is what kept it from running or broke a listing; what failed later is in the report.
pub async fn run(job: SyncJob, context: &Context, accounts: &Arc<Accounts>) -> Result<Report> {
    let _ = (context, accounts);
    Err(Error::Usage(format!(
        "sync of {} is on its way",
        job.source.target
    )))
}
