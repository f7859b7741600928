//! Deletes what sources name.

use std::sync::Arc;

use base::{ByteCount, Key};

use crate::accounts::Accounts;
use crate::context::Context;
use crate::deleter::{DeletePurpose, Deleter};
use crate::entry::Entry;
use crate::error::{Error, Result};
use crate::event::{Event, SkipReason, Verb};
use crate::filter::Filter;
use crate::job::Report;
use crate::location::{Location, ObjectLocation};
use crate::source::{Side, Source, enumerate};
use crate::url::Target;

/// An `rm` as it was asked for.
#[derive(Debug, Clone)]
pub struct DeleteJob {
    /// What, in the context's destination store or on this machine.
    pub sources: Vec<Source>,
    /// Which of it counts.
    pub filter: Filter,
    /// Say what would be deleted, and delete nothing.
    pub dry_run: bool,
}

/// Runs a delete to its end.
///
/// An error is what kept it from running, which is also that nothing at all was found; what failed
/// later is in the report. A key named without wildcard is deleted without looking whether it is
/// there: deleting what is absent succeeds.
pub async fn run(job: DeleteJob, context: &Context, accounts: &Arc<Accounts>) -> Result<Report> {
    let started = tokio::time::Instant::now();
    check(&job.sources)?;
    let deleter = Deleter::new(
        context.clone(),
        Arc::clone(accounts),
        DeletePurpose::Target,
        job.dry_run,
    );
    let mut deleting = Deleting {
        context,
        accounts,
        job: &job,
        deleter,
        listed: 0,
        problems: 0,
        whole: true,
    };
    let enumerating = accounts.enumerating();
    let mut first_error = None;
    for source in &job.sources {
        if let Err(error) = deleting.take_source(source).await {
            // s5cmd goes on with the other sources.
            if first_error.is_none() && deleting.listed == 0 && job.sources.len() == 1 {
                first_error = Some(error);
            } else {
                deleting.broken(&error);
            }
        }
    }
    drop(enumerating);
    let Deleting {
        deleter,
        listed,
        problems,
        whole,
        ..
    } = deleting;
    deleter.finish().await;
    if let Some(error) = first_error {
        return Err(error);
    }
    if listed == 0 && problems == 0 && whole {
        // s5cmd's words.
        return Err(Error::NotFound("no object found".to_owned()));
    }
    let stopping = context.stopping.is_cancelled();
    Ok(Report::of(accounts, stopping, whole, started.elapsed()))
}

/// What s5cmd refuses before it deletes anything, in its words. Pure.
fn check(sources: &[Source]) -> Result<()> {
    let refuse = |words: &str| Err(Error::Usage(words.to_owned()));
    let mut bucket = None;
    for source in sources {
        if source.target.is_remote() != sources[0].target.is_remote() {
            return refuse("arguments cannot have both local and remote sources");
        }
        let Target::Remote(url) = &source.target else {
            continue;
        };
        if url.is_prefix() && !source.raw && source.keys.is_none() {
            return refuse(
                "s3 bucket/prefix cannot be used for delete operations (forgot wildcard character?)",
            );
        }
        if *bucket.get_or_insert(&url.bucket) != &url.bucket {
            return refuse(
                "removal of objects with different buckets in a single command is not allowed",
            );
        }
    }
    Ok(())
}

/// A delete under way.
struct Deleting<'a> {
    context: &'a Context,
    accounts: &'a Arc<Accounts>,
    job: &'a DeleteJob,
    deleter: Deleter,
    listed: u64,
    problems: u64,
    /// Whether every enumeration came to its end.
    whole: bool,
}

impl Deleting<'_> {
    async fn take_source(&mut self, source: &Source) -> Result<()> {
        let base = source.filter_base();
        if let Some(entry) = self.named(source)? {
            self.take(source, &base, entry).await;
            return Ok(());
        }
        let mut entries = enumerate(self.context, self.accounts, Side::Destination, source);
        let mut result = Ok(());
        while let Some(entry) = entries.next().await {
            match entry {
                Ok(entry) => self.take(source, &base, entry).await,
                Err(Error::Cancelled) => self.whole = false,
                // A name that stands for nothing counts only if all of them do.
                Err(Error::NotFound(_)) => {}
                Err(error) => result = Err(error),
            }
        }
        self.problems += entries.problems();
        result
    }

    /// The one key that `source` names, where nothing about it needs to be known.
    fn named(&self, source: &Source) -> Result<Option<Entry>> {
        let Target::Remote(url) = &source.target else {
            return Ok(None);
        };
        let filter = &self.job.filter;
        let looks = filter.size_min.is_some()
            || filter.size_max.is_some()
            || filter.modified_after.is_some()
            || filter.modified_before.is_some();
        if source.is_pattern() || source.all_versions || source.keys.is_some() || looks {
            return Ok(None);
        }
        let key = Key::new(url.path.as_str()).map_err(|error| Error::Usage(error.to_string()))?;
        let relative_start = key.as_str().rfind('/').map_or(0, |slash| slash + 1);
        Ok(Some(Entry {
            location: Location::Remote(ObjectLocation {
                bucket: url.bucket.clone(),
                key,
                version_id: source.version_id.clone(),
            }),
            relative_start,
            size: ByteCount::ZERO,
            modified: None,
            etag: None,
            storage_class: None,
            checksum_algorithm: None,
            is_delete_marker: false,
        }))
    }

    async fn take(&mut self, source: &Source, base: &str, entry: Entry) {
        self.listed += 1;
        self.accounts.listed.add(1);
        self.accounts.bytes_listed.add(entry.size.0);
        if let Some(reason) = source.skips(&self.job.filter, base, &entry) {
            self.skip(&entry, &reason);
            return;
        }
        self.deleter.submit(entry.location).await;
    }

    fn skip(&self, entry: &Entry, reason: &SkipReason) {
        self.accounts.ignored.add(1);
        self.context.observer.on_event(&Event::Skipped {
            verb: Verb::Delete,
            source: &entry.location,
            destination: None,
            size: entry.size,
            reason,
        });
    }

    fn broken(&self, error: &Error) {
        self.accounts.job_failures.add(1);
        self.context.observer.on_event(&Event::Failed {
            verb: Verb::Delete,
            source: None,
            destination: None,
            error,
        });
    }
}

#[cfg(test)]
mod tests;
