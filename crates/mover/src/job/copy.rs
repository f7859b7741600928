//! Copies or moves what a source names.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use twox_hash::XxHash3_64;

use crate::accounts::Accounts;
use crate::context::Context;
use crate::destination::{Facts, Mapping};
use crate::engine::{Engine, Move};
use crate::entry::Entry;
use crate::error::{Error, Result};
use crate::event::{Event, SkipReason, Verb};
use crate::filter::Filter;
use crate::job::Report;
use crate::journal::Slip;
use crate::location::Location;
use crate::options::TransferOptions;
use crate::overlap::{Overlap, overlap};
use crate::route::same_store;
use crate::source::{Order, Side, Source, enumerate};
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
/// An error is what kept it from running; what failed later is in the report. Overview: entries
/// are mapped to destinations as they are listed and go to an [`Engine`], which bounds them.
/// With a journal entries come in order of name; what an earlier run of the job has done is left
/// alone and counts as `same`, unless it has changed since the job began.
/// Cancellation: a stopping context ends the listing, and what had been listed and not begun is
/// `pending`. Limits: memory does not grow with the number of objects, but for a run whose names
/// may clash (`--flatten`, or a folder that takes two cases of a letter for one), which remembers
/// eight bytes a name.
pub async fn run(mut job: CopyJob, context: &Context, accounts: &Arc<Accounts>) -> Result<Report> {
    let started = tokio::time::Instant::now();
    if context.journal.is_some() {
        // "Done up to this name" says in one line what is done, however many objects there are.
        job.source.order = Order::Key;
    }
    let facts = facts_of(&job.source, &job.destination).await;
    let mapping = Mapping::new(&job.source, &job.destination, job.flatten, facts)?;
    let same_store = match (&job.source.target, &job.destination) {
        (Target::Remote(_), Target::Remote(_)) => {
            same_store(&context.source.endpoint(), &context.destination.endpoint())
        }
        (Target::Local(_), Target::Local(_)) => true,
        (Target::Local(_), Target::Remote(_)) | (Target::Remote(_), Target::Local(_)) => false,
    };
    let overlap = overlap(&job.source, &job.destination, same_store)?;
    let folds_case = match &job.destination {
        Target::Local(path) if !job.options.dry_run => {
            folds_case(path.clone(), context.clock.random_u64()).await
        }
        Target::Local(_) | Target::Remote(_) => false,
    };
    let mut copying = Copying {
        context,
        accounts,
        base: job.source.filter_base(),
        clashes: Clashes::new(mapping.may_clash(), folds_case),
        options: Arc::new(job.options.clone()),
        engine: Engine::new(context.clone(), Arc::clone(accounts)),
        job: &job,
        mapping,
        overlap,
    };
    let enumerating = accounts.enumerating();
    let mut entries = enumerate(context, accounts, Side::Source, &job.source);
    let mut listed = 0_u64;
    let mut broken = None;
    while let Some(entry) = entries.next().await {
        match entry {
            Ok(entry) => {
                listed += 1;
                copying.take(entry).await;
            }
            Err(error) => broken = Some(error),
        }
    }
    drop(enumerating);
    let whole = broken.is_none();
    copying.engine.finish().await;
    match broken {
        None if listed == 0 && entries.problems() == 0 && !facts.source_is_folder => {
            return Err(nothing_found(&job.source));
        }
        Some(Error::Cancelled) | None => {}
        Some(error) if listed == 0 => return Err(error),
        Some(error) => {
            accounts.job_failures.add(1);
            context.observer.on_event(&Event::Failed {
                verb: job.verb,
                source: None,
                destination: None,
                error: &error,
            });
        }
    }
    let stopping = context.stopping.is_cancelled();
    Ok(Report::of(accounts, stopping, whole, started.elapsed()))
}

/// s5cmd's words for a name that stands for nothing.
pub(crate) fn nothing_found(source: &Source) -> Error {
    Error::NotFound(match &source.target {
        Target::Remote(_) => "no object found".to_owned(),
        Target::Local(path) => format!("no match found for {:?}", path.display().to_string()),
    })
}

/// A copy under way.
struct Copying<'a> {
    context: &'a Context,
    accounts: &'a Accounts,
    job: &'a CopyJob,
    /// What include and exclude do not see of a name.
    base: String,
    mapping: Mapping,
    overlap: Overlap,
    clashes: Clashes,
    options: Arc<TransferOptions>,
    engine: Engine,
}

impl Copying<'_> {
    /// Takes one entry: passed over, refused, or on its way.
    async fn take(&mut self, entry: Entry) {
        self.accounts.listed.add(1);
        self.accounts.bytes_listed.add(entry.size.0);
        let skipped = self.job.source.skips(&self.job.filter, &self.base, &entry);
        if let Some(reason) = skipped {
            self.skip(&entry, &reason);
            return;
        }
        if self.overlap.covers(entry.name()) {
            self.skip(&entry, &SkipReason::Filtered);
            return;
        }
        let placed = self.mapping.place(&entry);
        match placed.and_then(|place| self.clashes.claim(place)) {
            Ok(destination) => {
                let task = Move {
                    verb: self.job.verb,
                    source: entry,
                    destination,
                    options: Arc::clone(&self.options),
                };
                if self.was_done(&task.source) {
                    self.leave_done(&task);
                    return;
                }
                let slip = self.slip(&task.source);
                let conditions = self.job.conditions;
                self.engine.submit_journalled(task, conditions, slip).await;
            }
            Err(error) => {
                self.accounts.refused.add(1);
                if let Some(slip) = self.slip(&entry) {
                    slip.again();
                }
                self.context.observer.on_event(&Event::Refused {
                    verb: self.job.verb,
                    source: &entry.location,
                    destination: None,
                    error: &error,
                });
            }
        }
    }

    fn slip(&self, entry: &Entry) -> Option<Slip> {
        let journal = self.context.journal.as_ref()?;
        Some(journal.take(entry.relative()))
    }

    /// Whether an earlier run of the job has done an object, and it has not changed since.
    fn was_done(&self, entry: &Entry) -> bool {
        let Some(journal) = &self.context.journal else {
            return false;
        };
        let began = journal.record().started_at;
        // Asked also of what has changed: names are asked for one after the other.
        journal.was_done(entry.relative()) && entry.modified.is_none_or(|time| time <= began)
    }

    fn leave_done(&self, task: &Move) {
        if let Some(journal) = &self.context.journal {
            journal.pass(task.source.relative());
        }
        self.accounts.same.add(1);
        self.context.observer.on_event(&Event::Skipped {
            verb: task.verb,
            source: &task.source.location,
            destination: Some(&task.destination),
            size: task.source.size,
            reason: &SkipReason::DoneBefore,
        });
    }

    fn skip(&self, entry: &Entry, reason: &SkipReason) {
        if let Some(journal) = &self.context.journal {
            journal.pass(entry.relative());
        }
        self.accounts.ignored.add(1);
        self.context.observer.on_event(&Event::Skipped {
            verb: self.job.verb,
            source: &entry.location,
            destination: None,
            size: entry.size,
            reason,
        });
    }
}

/// Destinations given out so far, where two objects may be given the same one.
#[derive(Debug)]
pub(crate) struct Clashes {
    /// Hashes of names; none where names cannot clash.
    given: Option<HashSet<u64>>,
    folds_case: bool,
}

impl Clashes {
    pub(crate) fn new(may_clash: bool, folds_case: bool) -> Clashes {
        Clashes {
            given: (may_clash || folds_case).then(HashSet::new),
            folds_case,
        }
    }

    /// Gives `place` out, once.
    pub(crate) fn claim(&mut self, place: Location) -> Result<Location> {
        let Some(given) = &mut self.given else {
            return Ok(place);
        };
        let mut name = place.to_string();
        if self.folds_case {
            name = name.to_lowercase();
        }
        if given.insert(XxHash3_64::oneshot(name.as_bytes())) {
            return Ok(place);
        }
        Err(Error::Name {
            name: place.to_string(),
            reason: "cannot take a second object: another one of this run goes there".to_owned(),
        })
    }
}

pub(crate) async fn facts_of(source: &Source, destination: &Target) -> Facts {
    let folder_of = |target: &Target| match target {
        Target::Local(path) => Some(path.clone()),
        Target::Remote(_) => None,
    };
    let (source, destination) = (folder_of(&source.target), folder_of(destination));
    base::tasks::blocking(move || Facts {
        source_is_folder: source.is_some_and(|path| path.is_dir()),
        destination_is_folder: destination.is_some_and(|path| path.is_dir()),
    })
    .await
}

/// Whether the folder that files land in takes two cases of a letter for one.
pub(crate) async fn folds_case(path: PathBuf, random: u64) -> bool {
    base::tasks::blocking(move || {
        let folder = path.ancestors().find(|folder| folder.is_dir());
        let Some(folder) = folder else { return false };
        let Ok(probe) = tempfile::Builder::new()
            .prefix(&format!(".longhaul-{random:016x}-case-"))
            .suffix(".part")
            .tempfile_in(folder)
        else {
            return false;
        };
        let name = probe.path().file_name().unwrap_or_default().to_os_string();
        let upper = name.to_string_lossy().to_uppercase();
        folder.join(upper).exists()
    })
    .await
}

#[cfg(test)]
mod tests;
