//! Makes a destination hold what a source holds.
//!
//! Overview: both sides are enumerated by their relative names and merged, two stores in pairs of
//! ranges cut at the same names, any other two sides in order; what the source has and
//! the destination has not, or not the same, goes to an [`Engine`](crate::Engine). Names that only
//! the destination has are spooled to disk and deleted last. Invariants: nothing is deleted unless
//! both listings ended whole and nothing at the source was left unread; a listing that breaks off
//! stops new copies. Ordering: deletions come after all copies. Cancellation: a stopping context
//! ends the merge and deletes nothing. Crash: running it again goes on by comparing. Limits: memory
//! does not grow with the number of objects.

mod compared;
pub(crate) mod content;
mod extras;
pub(in crate::job) mod feed;
mod merge;
pub(in crate::job) mod sides;

use std::str::FromStr;
use std::sync::Arc;

use crate::accounts::Accounts;
use crate::compare::Comparator;
use crate::context::Context;
use crate::destination::Mapping;
use crate::error::{Error, Result};
use crate::event::{Event, Verb};
use crate::filter::Filter;
use crate::job::Report;
use crate::job::copy::{facts_of, nothing_found};
use crate::options::TransferOptions;
use crate::overlap::overlap;
use crate::route::same_store;
use crate::source::{Order, Source};
use crate::url::Target;

use self::extras::Extras;
use self::merge::{Ended, Merge};

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

impl std::fmt::Display for MaxDelete {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            MaxDelete::Count(max) => write!(f, "{max}"),
            MaxDelete::Percent(max) => write!(f, "{max}%"),
        }
    }
}

impl FromStr for MaxDelete {
    type Err = InvalidMaxDelete;

    fn from_str(text: &str) -> std::result::Result<MaxDelete, InvalidMaxDelete> {
        let invalid = || InvalidMaxDelete(text.to_owned());
        let Some(percent) = text.trim().strip_suffix('%') else {
            let count = text.trim().parse();
            return count.map(MaxDelete::Count).map_err(|_| invalid());
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
/// An error is what kept it from running, a listing that broke before anything was decided among
/// it; what failed later is in the report.
pub async fn run(job: SyncJob, context: &Context, accounts: &Arc<Accounts>) -> Result<Report> {
    let started = tokio::time::Instant::now();
    let failures_before = accounts.job_failures.get();
    check(&job)?;
    let mut job = job;
    job.source.order = Order::Key;
    let facts = facts_of(&job.source, &job.destination).await;
    let mapping = Mapping::new(&job.source, &job.destination, false, facts)?;
    let same_store = same_store(&context.source.endpoint(), &context.destination.endpoint());
    let overlap = overlap(&job.source, &job.destination, same_store)?;

    let many = job.source.is_pattern() || job.source.keys.is_some() || facts.source_is_folder;
    let with_listing = many || (job.delete && !mapping.is_one_name());
    let enumerating = accounts.enumerating();
    let mut merge = Merge::new(&job, context, accounts, mapping, overlap, same_store).await?;
    let ended = if with_listing {
        merge.both_listings().await
    } else {
        merge.one_object().await
    };
    drop(enumerating);
    let (seen, extras) = merge.finish().await;
    let whole = matches!(ended, Ok(Ended::Whole { .. }));
    match ended {
        Ok(Ended::Whole { problems }) => {
            let nothing = seen == 0 && problems == 0 && job.source.target.is_remote();
            if nothing && (!job.delete || extras.is_empty()) {
                extras.keep(accounts);
                return Err(nothing_found(&job.source));
            }
            delete(&job, context, accounts, seen, problems, extras).await;
        }
        Ok(Ended::Stopped) => extras.keep(accounts),
        Err(error) => {
            let decided = seen > 0 || extras.objects() > 0;
            extras.keep(accounts);
            if !decided && accounts.job_failures.get() == failures_before {
                return Err(error);
            }
            fail(context, accounts, Verb::Copy, &error);
        }
    }
    let stopping = context.stopping.is_cancelled();
    Ok(Report::of(accounts, stopping, whole, started.elapsed()))
}

/// What cannot be meant.
fn check(job: &SyncJob) -> Result<()> {
    let refuse = |what: &str| Err(Error::Usage(what.to_owned()));
    if job.delete && job.source.shard.is_some() {
        return refuse("--delete cannot be used with --shard: a share does not name all objects");
    }
    if job.delete && job.source.keys.is_some() {
        return refuse("--delete cannot be used with --keys: a list does not name all objects");
    }
    if job.source.all_versions {
        return refuse("sync compares current versions, not all of them");
    }
    Ok(())
}

/// Deletes what the source does not have, if that was asked for and is safe.
async fn delete(
    job: &SyncJob,
    context: &Context,
    accounts: &Arc<Accounts>,
    seen: u64,
    problems: u64,
    extras: Extras,
) {
    if !job.delete || extras.is_empty() {
        extras.keep(accounts);
        return;
    }
    if job.exit_on_error && accounts.failed.get() > 0 {
        extras.keep(accounts);
        return;
    }
    let refusal = if problems > 0 {
        Some(format!(
            "nothing is deleted: {problems} things could not be listed, each is named above"
        ))
    } else if seen == 0 && !job.allow_empty_source {
        Some(format!(
            "nothing is deleted: {} is empty, and --allow-empty-source was not given",
            job.source.target
        ))
    } else {
        let max = job.max_delete;
        max.filter(|max| !max.allows(extras.count(), extras.objects()))
            .map(|max| {
                format!(
                    "nothing is deleted: {} of {} objects are not at the source, \
                     --max-delete allows {max}",
                    extras.count(),
                    extras.objects()
                )
            })
    };
    match refusal {
        Some(line) => {
            extras.keep(accounts);
            fail(context, accounts, Verb::Delete, &Error::Refused(line));
        }
        None => {
            if let Err(error) = extras.delete(context, accounts, job.options.dry_run).await {
                fail(context, accounts, Verb::Delete, &error);
            }
        }
    }
}

/// Tells of a failure that belongs to no object.
fn fail(context: &Context, accounts: &Accounts, verb: Verb, error: &Error) {
    if matches!(error, Error::Cancelled) {
        return;
    }
    accounts.job_failures.add(1);
    context.observer.on_event(&Event::Failed {
        verb,
        source: None,
        destination: None,
        error,
    });
}

#[cfg(test)]
mod tests;
