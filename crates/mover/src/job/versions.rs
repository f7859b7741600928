//! Carries version history: what a bucket keeps of its keys, delete markers included.
//!
//! Overview: the versions of both sides are listed and merged key by key. What of the destination's
//! history is a beginning of the source's is kept; the rest is appended, oldest first. Invariants:
//! a history is only ever appended to; one that is no beginning of the source's is a failure by
//! name. Ordering: one version of a key at a time, keys side by side. Retries: as of any move; a
//! version that a lost answer has doubled counts once. Cancellation, crash: what was appended is a
//! beginning, so running it again goes on. Limits: each side is listed one page after the other;
//! a key's versions beyond some hundreds lie on disk, so that memory does not grow with them.
//! Not handled, because S3 gives no way to: ids and dates of versions, which are the destination's
//! own.

mod alike;
mod history;
mod keeper;
mod listing;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::sync::Arc;

use base::BucketName;
use remote::types::VersioningState;
use tokio_util::task::TaskTracker;

use self::history::History;
use self::keeper::{Keeper, Pair};
use self::listing::Versions;
use crate::accounts::Accounts;
use crate::context::Context;
use crate::destination::{Facts, Mapping};
use crate::engine::Engine;
use crate::entry::Entry;
use crate::error::{Error, Result};
use crate::event::{Event, Verb};
use crate::filter::Filter;
use crate::job::Report;
use crate::job::copy::nothing_found;
use crate::location::{Location, ObjectLocation};
use crate::options::TransferOptions;
use crate::overlap::{Overlap, overlap};
use crate::route::same_store;
use crate::source::{Side, Source, enumerate};
use crate::url::{S3Url, Target};

/// A `sync --versions` as it was asked for.
#[derive(Debug, Clone)]
pub struct VersionsJob {
    /// Whose history.
    pub source: Source,
    /// Where it is to stand.
    pub destination: Target,
    /// Which keys count. Sizes and ages are no part of it: a history is whole.
    pub filter: Filter,
    /// Stop at the first version that fails.
    pub exit_on_error: bool,
    /// How versions are transferred.
    pub options: TransferOptions,
}

/// Runs it to its end.
///
/// An error is what kept it from running, a listing that broke before anything was decided among
/// it; what failed later is in the report.
pub async fn run(job: VersionsJob, context: &Context, accounts: &Arc<Accounts>) -> Result<Report> {
    let started = tokio::time::Instant::now();
    let mut job = job;
    job.source.all_versions = true;
    let from = remote_end(&job.source.target)?;
    let to = remote_end(&job.destination)?;
    check_filter(&job)?;
    let mapping = Mapping::new(&job.source, &job.destination, false, Facts::default())?;
    let same_store = same_store(&context.source.endpoint(), &context.destination.endpoint());
    if overlap(&job.source, &job.destination, same_store)? != Overlap::default() {
        return Err(Error::Usage(format!(
            "{} lies inside of {}: its history would grow while it is copied",
            job.destination, job.source.target
        )));
    }
    check_versioning(context, &from.bucket, &to.bucket).await?;

    let keeper = Arc::new(Keeper {
        context: context.clone(),
        accounts: Arc::clone(accounts),
        engine: Engine::new(context.clone(), Arc::clone(accounts)),
        options: Arc::new(job.options.clone()),
    });
    let mut merge = Merge {
        base: job.source.filter_base(),
        keys: 0,
        tasks: TaskTracker::new(),
        job: &job,
        keeper,
        mapping,
    };
    let ended = merge.run().await;
    merge.tasks.close();
    merge.tasks.wait().await;
    let whole = matches!(ended, Ok(true));
    match ended {
        Ok(true) if merge.keys == 0 => return Err(nothing_found(&job.source)),
        Ok(_) | Err(Error::Cancelled) => {}
        Err(error) if merge.keys == 0 => return Err(error),
        Err(error) => {
            accounts.job_failures.add(1);
            context.observer.on_event(&Event::Failed {
                verb: Verb::Copy,
                source: None,
                destination: None,
                error: &error,
            });
        }
    }
    let stopping = context.stopping.is_cancelled();
    Ok(Report::of(accounts, stopping, whole, started.elapsed()))
}

fn remote_end(target: &Target) -> Result<&S3Url> {
    target.as_remote().ok_or_else(|| {
        Error::Usage(format!(
            "{target} keeps no versions: --versions goes from bucket to bucket"
        ))
    })
}

fn check_filter(job: &VersionsJob) -> Result<()> {
    let filter = &job.filter;
    let cuts = filter.size_min.is_some()
        || filter.size_max.is_some()
        || filter.modified_after.is_some()
        || filter.modified_before.is_some();
    if cuts {
        let what = "--versions carries whole histories: sizes and ages cannot cut them";
        return Err(Error::Usage(what.to_owned()));
    }
    if job.source.keys.is_some() {
        let what = "--versions lists the source: it takes no key list";
        return Err(Error::Usage(what.to_owned()));
    }
    Ok(())
}

/// Refuses buckets that keep no history.
async fn check_versioning(context: &Context, from: &BucketName, to: &BucketName) -> Result<()> {
    let source = context.source.get_bucket_versioning(from.clone());
    let destination = context.destination.get_bucket_versioning(to.clone());
    let (source, destination) = tokio::try_join!(source, destination)?;
    if source == VersioningState::Unversioned {
        return Err(Error::Refused(format!(
            "s3://{from} keeps no versions: leave --versions out"
        )));
    }
    match destination {
        VersioningState::Enabled => Ok(()),
        VersioningState::Suspended => Err(Error::Refused(format!(
            "versioning of s3://{to} is suspended, so that each write would replace the one \
             before: enable it first"
        ))),
        VersioningState::Unversioned => Err(Error::Refused(format!(
            "s3://{to} keeps no versions: enable its versioning first (bucket-version --set)"
        ))),
    }
}

/// The merge of both sides.
#[derive(Debug)]
struct Merge<'a> {
    job: &'a VersionsJob,
    keeper: Arc<Keeper>,
    mapping: Mapping,
    /// What include and exclude do not see of a source's name.
    base: String,
    /// Keys that the source has.
    keys: u64,
    tasks: TaskTracker,
}

impl Merge<'_> {
    /// Gives every key of the source its outcome. True once both listings have ended whole.
    async fn run(&mut self) -> Result<bool> {
        let mut source = self.list(Side::Source, &self.job.source).await?;
        let mut there: Option<Versions> = None;
        while let Some(head) = source.head() {
            if self.job.exit_on_error && self.keeper.accounts.failed.get() > 0 {
                return Ok(false);
            }
            self.keys += 1;
            let head = head.clone();
            let Some(destination) = self.wanted(&head, &mut source).await? else {
                continue;
            };
            let there = match &mut there {
                Some(there) => there,
                none => {
                    let target = self.counterpart(&destination);
                    none.insert(self.list(Side::Destination, &target).await?)
                }
            };
            let theirs = self.history_there(there, &destination).await?;
            let accounts = Arc::clone(&self.keeper.accounts);
            let ours = source
                .read(|entry| {
                    accounts.listed.add(1);
                    accounts.bytes_listed.add(entry.size.0);
                    accounts.pending.add(1);
                })
                .await?;
            let Some(from) = head.location.as_remote() else {
                return Err(Error::Bug(format!("{} has versions", head.location)));
            };
            let pair = Pair {
                source: ObjectLocation {
                    version_id: None,
                    ..from.clone()
                },
                destination,
                ours,
                theirs,
            };
            if !self.submit(pair).await {
                return Ok(false);
            }
        }
        if let Some(there) = &mut there {
            while there.head().is_some() {
                self.only_there(there).await?;
            }
        }
        Ok(true)
    }

    async fn list(&self, side: Side, source: &Source) -> Result<Versions> {
        let keeper = &self.keeper;
        let stream = enumerate(&keeper.context, &keeper.accounts, side, source);
        Versions::begin(stream).await
    }

    /// What of the destination is to be listed, once the first key's place is known.
    fn counterpart(&self, first: &ObjectLocation) -> Source {
        let many = self.job.source.is_pattern();
        let exact = Target::Remote(S3Url {
            bucket: first.bucket.clone(),
            path: first.key.to_string(),
        });
        let target = if many {
            self.job.destination.clone()
        } else {
            exact
        };
        Source {
            raw: !many,
            below: many,
            all_versions: true,
            ..Source::new(target)
        }
    }

    /// Where a key goes, or `None` where it is passed over: then its versions are settled.
    async fn wanted(&self, head: &Entry, source: &mut Versions) -> Result<Option<ObjectLocation>> {
        let accounts = &self.keeper.accounts;
        let observer = &self.keeper.context.observer;
        let skipped = self.job.source.skips(&self.job.filter, &self.base, head);
        if let Some(reason) = skipped {
            let tell = |entry: &Entry| {
                accounts.listed.add(1);
                accounts.bytes_listed.add(entry.size.0);
                accounts.ignored.add(1);
                observer.on_event(&Event::Skipped {
                    verb: Verb::Copy,
                    source: &entry.location,
                    destination: None,
                    size: entry.size,
                    reason: &reason,
                });
            };
            source.pass(tell).await?;
            return Ok(None);
        }
        let error = match self.mapping.place(head) {
            Ok(Location::Remote(place)) => return Ok(Some(place)),
            Ok(Location::Local(path)) => {
                Error::Bug(format!("a version goes to {}", path.display()))
            }
            Err(error) => error,
        };
        let tell = |entry: &Entry| {
            accounts.listed.add(1);
            accounts.bytes_listed.add(entry.size.0);
            accounts.refused.add(1);
        };
        source.pass(tell).await?;
        observer.on_event(&Event::Refused {
            verb: Verb::Copy,
            source: &head.location,
            destination: None,
            error: &error,
        });
        Ok(None)
    }

    /// The destination's history of a key. Keys before it are the destination's alone.
    async fn history_there(&self, there: &mut Versions, key: &ObjectLocation) -> Result<History> {
        while let Some(head) = there.head() {
            match head.name().cmp(key.key.as_str()) {
                Ordering::Less => self.only_there(there).await?,
                Ordering::Equal => return there.read(|_| {}).await,
                Ordering::Greater => break,
            }
        }
        Ok(History::default())
    }

    /// A key that only the destination has is kept.
    async fn only_there(&self, there: &mut Versions) -> Result<()> {
        let accounts = &self.keeper.accounts;
        let tell = |_: &Entry| {
            accounts.extra.add(1);
            accounts.extra_kept.add(1);
        };
        there.pass(tell).await
    }

    /// Hands a key on under an object permit. False once the run is stopping.
    async fn submit(&self, pair: Pair) -> bool {
        let context = &self.keeper.context;
        let permit = tokio::select! {
            biased;
            () = context.stopping.cancelled() => return false,
            permit = Arc::clone(&context.objects).acquire_owned() => {
                permit.expect("the semaphore of objects is never closed")
            }
        };
        let keeper = Arc::clone(&self.keeper);
        let work = async move {
            Box::pin(keeper.keep(pair)).await;
            drop(permit);
        };
        let tracked = self.tasks.track_future(work);
        drop(base::tasks::spawn("history", tracked));
        true
    }
}
