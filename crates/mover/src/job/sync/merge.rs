//! The merge of both sides.

use std::sync::Arc;

use super::SyncJob;
use super::compared::Compared;
use super::extras::Extras;
use super::feed::{Feed, Front};
use super::sides;
use crate::accounts::Accounts;
use crate::context::Context;
use crate::destination::Mapping;
use crate::entry::Entry;
use crate::error::{Error, Result};
use crate::event::{Event, SkipReason, Verb};
use crate::job::copy::{Clashes, folds_case};
use crate::list::Met;
use crate::location::Location;
use crate::overlap::Overlap;
use crate::source::Side;
use crate::url::Target;

/// How a merge ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// Both sides were listed to their ends; so many things could not be yielded.
    Whole { problems: u64 },
    /// On purpose: the context is stopping, or an object failed under `--exit-on-error`.
    Stopped,
}

/// A sync under way.
#[derive(Debug)]
pub(super) struct Merge<'a> {
    job: &'a SyncJob,
    context: &'a Context,
    accounts: &'a Arc<Accounts>,
    mapping: Mapping,
    /// The part of the source that this job writes to.
    overlap: Overlap,
    /// What every name of the source begins with, if the destination could hold the source itself.
    protected: Option<String>,
    /// What include and exclude do not see of a source's name.
    base: String,
    clashes: Clashes,
    /// The relative name that was given a place last.
    placed: Option<String>,
    compared: Compared,
    extras: Extras,
    /// Entries that the source has.
    seen: u64,
}

impl<'a> Merge<'a> {
    pub(super) async fn new(
        job: &'a SyncJob,
        context: &'a Context,
        accounts: &'a Arc<Accounts>,
        mapping: Mapping,
        overlap: Overlap,
        same_store: bool,
    ) -> Result<Merge<'a>> {
        let folds_case = match &job.destination {
            Target::Local(path) if !job.options.dry_run => {
                folds_case(path.clone(), context.clock.random_u64()).await
            }
            Target::Local(_) | Target::Remote(_) => false,
        };
        let protected = sides::held_names(&job.source, &job.destination, same_store);
        let unknown = job.source.keys.is_some();
        let compared = Compared::new(context, accounts, &job.options, job.comparator, unknown);
        Ok(Merge {
            job,
            context,
            accounts,
            mapping,
            overlap,
            protected,
            base: job.source.filter_base(),
            clashes: Clashes::new(false, folds_case),
            placed: None,
            compared,
            extras: Extras::new(&job.destination, job.delete),
            seen: 0,
        })
    }

    /// Waits for everything under way. How many entries the source has, and what it has not.
    pub(super) async fn finish(self) -> (u64, Extras) {
        self.compared.finish().await;
        (self.seen, self.extras)
    }

    /// A source that is one object: its counterpart is asked for by name.
    pub(super) async fn one_object(&mut self) -> Result<Ended> {
        let source = &self.job.source;
        let mut source = Front::of(self.context, self.accounts, Side::Source, source).await?;
        while let Some(entry) = source.take().await? {
            if let Some((entry, destination)) = self.wanted(entry, None) {
                match sides::counterpart(self.context, self.accounts, &destination).await? {
                    Some(there) => self.compared.compare(entry, there, destination).await,
                    None => self.compared.copy(entry, destination).await,
                }
            }
        }
        let problems = source.problems();
        Ok(Ended::Whole { problems })
    }

    /// Both sides, name by name.
    pub(super) async fn both_listings(&mut self) -> Result<Ended> {
        let (source, destination) = (&self.job.source, &self.job.destination);
        let mut feed = Feed::open(self.context, self.accounts, source, destination).await?;
        loop {
            if self.context.stopping.is_cancelled() || self.has_failed() {
                return Ok(Ended::Stopped);
            }
            match feed.next().await? {
                None => break,
                Some(Met::Source(entry)) => {
                    if let Some((entry, place)) = self.wanted(entry, None) {
                        self.compared.copy(entry, place).await;
                    }
                }
                Some(Met::Both(entry, there)) => {
                    self.extras.count_object();
                    if let Some((entry, place)) = self.wanted(entry, Some(&there)) {
                        self.compared.compare(entry, there, place).await;
                    }
                }
                Some(Met::Destination(entry)) => {
                    if !entry.is_directory_marker() {
                        self.only_there(&entry).await?;
                    }
                }
            }
        }
        let problems = feed.problems();
        Ok(Ended::Whole { problems })
    }

    fn has_failed(&self) -> bool {
        self.job.exit_on_error && self.accounts.failed.get() > 0
    }

    /// Counts an entry of the source; where it goes, unless it is passed over or refused. `there`
    /// has its name at the destination.
    fn wanted(&mut self, entry: Entry, there: Option<&Entry>) -> Option<(Entry, Location)> {
        self.seen += 1;
        self.accounts.listed.add(1);
        self.accounts.bytes_listed.add(entry.size.0);
        let skipped = self
            .job
            .source
            .skips_unless(&entry, |entry| self.admits(entry));
        let covered = self.overlap.covers(entry.name());
        if let Some(reason) = skipped.or(covered.then_some(SkipReason::Filtered)) {
            self.accounts.ignored.add(1);
            self.context.observer.on_event(&Event::Skipped {
                verb: Verb::Copy,
                source: &entry.location,
                destination: None,
                size: entry.size,
                reason: &reason,
            });
            return None;
        }
        match self.place(&entry, there) {
            Ok(place) => {
                let placed = self.placed.get_or_insert_default();
                entry.relative().clone_into(placed);
                Some((entry, place))
            }
            Err(error) => {
                self.accounts.refused.add(1);
                self.context.observer.on_event(&Event::Refused {
                    verb: Verb::Copy,
                    source: &entry.location,
                    destination: None,
                    error: &error,
                });
                None
            }
        }
    }

    /// Where an entry goes; no place is given twice.
    fn place(&mut self, entry: &Entry, there: Option<&Entry>) -> Result<Location> {
        // Names ascend, so that two of a kind stand side by side.
        if self.placed.as_deref() == Some(entry.relative()) {
            return Err(Error::Name {
                name: entry.name().to_owned(),
                reason: "cannot be copied: another object of the source goes to the same place"
                    .to_owned(),
            });
        }
        let place = match there {
            Some(there) => self.mapping.place_beside(entry, &there.location)?,
            None => self.mapping.place(entry)?,
        };
        self.clashes.claim(place)
    }

    /// Takes an entry that only the destination has: extra, unless the filter would not have let
    /// it come from the source either, or it belongs to the source itself.
    async fn only_there(&mut self, entry: &Entry) -> Result<()> {
        self.extras.count_object();
        let name = entry.name();
        let is_source = self
            .protected
            .as_ref()
            .is_some_and(|prefix| name.starts_with(prefix) && !self.overlap.covers(name));
        let would_come = sides::as_at_source(&self.job.source, entry)
            .is_none_or(|would_be| self.admits(&would_be));
        if is_source || !would_come {
            return Ok(());
        }
        self.extras.push(self.accounts, name).await
    }

    fn admits(&self, entry: &Entry) -> bool {
        self.job.filter.admits_by_either_name(entry, &self.base)
    }
}
