//! The merge of both sides.

use std::path::PathBuf;
use std::sync::Arc;

use base::Fault;
use base::fault::Classified as _;

use super::SyncJob;
use super::compared::Compared;
use super::extras::Extras;
use super::feed::{Feed, Front, Fronts};
use crate::accounts::Accounts;
use crate::context::Context;
use crate::destination::Mapping;
use crate::entry::{Entry, EntryStream};
use crate::error::{Error, Result};
use crate::event::{Event, SkipReason, Verb};
use crate::job::copy::{Clashes, folds_case};
use crate::list::Met;
use crate::location::{Location, ObjectLocation};
use crate::overlap::Overlap;
use crate::source::{Order, Side, Source, enumerate, enumerate_both};
use crate::url::{S3Url, Target};

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
        let protected = match (&job.source.target, &job.destination) {
            (Target::Remote(from), Target::Remote(to))
                if same_store && from.bucket == to.bucket =>
            {
                let literal = if job.source.is_pattern() {
                    from.literal_prefix()
                } else {
                    &from.path
                };
                Some(literal.to_owned())
            }
            _ => None,
        };
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
        let mut source = self.front(Side::Source, &self.job.source).await?;
        while let Some(entry) = source.take().await? {
            if let Some((entry, destination)) = self.wanted(entry) {
                match self.counterpart(&destination).await? {
                    Some(there) => self.compared.compare(entry, there, destination).await,
                    None => self.compared.copy(entry, destination).await,
                }
            }
        }
        let problems = source.problems();
        Ok(Ended::Whole { problems })
    }

    async fn counterpart(&self, destination: &Location) -> Result<Option<Entry>> {
        let target = match destination {
            Location::Local(path) => Target::Local(path.clone()),
            Location::Remote(object) => Target::Remote(S3Url {
                bucket: object.bucket.clone(),
                path: object.key.to_string(),
            }),
        };
        let exact = Source {
            raw: true,
            ..Source::new(target)
        };
        let mut stream = enumerate(self.context, self.accounts, Side::Destination, &exact);
        match stream.next().await {
            None => Ok(None),
            Some(Ok(entry)) => Ok(Some(entry)),
            Some(Err(Error::Remote(error)))
                if error.fault() == Fault::NotFound && !error.is_code("NoSuchBucket") =>
            {
                Ok(None)
            }
            Some(Err(Error::NotFound(_))) => Ok(None),
            Some(Err(error)) => Err(error),
        }
    }

    /// Both sides, name by name.
    pub(super) async fn both_listings(&mut self) -> Result<Ended> {
        let mut feed = self.feed().await?;
        loop {
            if self.context.stopping.is_cancelled() || self.has_failed() {
                return Ok(Ended::Stopped);
            }
            match feed.next().await? {
                None => break,
                Some(Met::Source(entry)) => {
                    if let Some((entry, place)) = self.wanted(entry) {
                        self.compared.copy(entry, place).await;
                    }
                }
                Some(Met::Both(entry, there)) => {
                    self.extras.count_object();
                    if let Some((entry, place)) = self.wanted(entry) {
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

    /// Both sides, begun. Neither is handed out before both are: a destination that cannot be
    /// listed stops the job before its first copy.
    async fn feed(&self) -> Result<Feed> {
        let below = self.below_destination().await;
        let source = &self.job.source;
        let listings = below
            .as_ref()
            .and_then(|below| enumerate_both(self.context, self.accounts, source, below));
        if let Some(listings) = listings
            && let Some(feed) = Feed::paired(listings).await?
        {
            return Ok(feed);
        }
        let (source, destination) = tokio::join!(
            self.front(Side::Source, source),
            self.destination_front(below),
        );
        Ok(Feed::Ordered(Box::new(Fronts::new(source?, destination?))))
    }

    fn has_failed(&self) -> bool {
        self.job.exit_on_error && self.accounts.failed.get() > 0
    }

    /// Everything below the destination; `None` where that is a folder which is not there yet.
    async fn below_destination(&self) -> Option<Source> {
        let target = match &self.job.destination {
            Target::Remote(url) => {
                let mut url = url.clone();
                if !url.is_prefix() {
                    url.path.push('/');
                }
                Target::Remote(url)
            }
            Target::Local(path) => {
                let mut text = path.clone().into_os_string();
                if !text.to_string_lossy().ends_with('/') {
                    text.push("/");
                }
                let path = PathBuf::from(text);
                let there = path.clone();
                let is_there = base::tasks::blocking(move || there.is_dir()).await;
                if !is_there {
                    return None;
                }
                Target::Local(path)
            }
        };
        Some(Source {
            below: true,
            // s5cmd does not follow links at the destination either.
            follow_symlinks: false,
            list_v1: self.job.source.list_v1,
            unordered: self.job.source.unordered,
            order: Order::Key,
            ..Source::new(target)
        })
    }

    async fn destination_front(&self, below: Option<Source>) -> Result<Front> {
        match below {
            Some(source) => self.front(Side::Destination, &source).await,
            None => {
                let (sink, stream) = EntryStream::channel();
                sink.finish().await;
                Front::begin(stream).await
            }
        }
    }

    async fn front(&self, side: Side, source: &Source) -> Result<Front> {
        Front::begin(enumerate(self.context, self.accounts, side, source)).await
    }

    /// Counts an entry of the source; where it goes, unless it is passed over or refused.
    fn wanted(&mut self, entry: Entry) -> Option<(Entry, Location)> {
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
        match self.place(&entry) {
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
    fn place(&mut self, entry: &Entry) -> Result<Location> {
        // Names ascend, so that two of a kind stand side by side.
        if self.placed.as_deref() == Some(entry.relative()) {
            return Err(Error::Name {
                name: entry.name().to_owned(),
                reason: "cannot be copied: another object of the source goes to the same place"
                    .to_owned(),
            });
        }
        self.clashes.claim(self.mapping.place(entry)?)
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
        if is_source || !self.would_come(entry) {
            return Ok(());
        }
        self.extras.push(self.accounts, name).await
    }

    /// Whether the filter would admit an object of the source that had this name, size and age.
    fn would_come(&self, entry: &Entry) -> bool {
        let relative = entry.relative();
        let location = match &self.job.source.target {
            Target::Local(_) => {
                // Below the folder named, as include and exclude see it.
                let whole = crate::walk::clean(&self.job.source.target.to_string());
                let root = if self.job.source.is_pattern() {
                    crate::url::literal_prefix(&whole)
                } else {
                    whole.as_str()
                };
                let parent = &root[..crate::walk::parent_length(root)];
                Location::Local(PathBuf::from(format!("{parent}{relative}")))
            }
            Target::Remote(url) => {
                let literal = if self.job.source.is_pattern() {
                    url.literal_prefix()
                } else {
                    &url.path
                };
                let parent = &literal[..crate::walk::parent_length(literal)];
                let Ok(key) = base::Key::new(format!("{parent}{relative}")) else {
                    return true;
                };
                Location::Remote(ObjectLocation {
                    bucket: url.bucket.clone(),
                    key,
                    version_id: None,
                })
            }
        };
        let would_be = Entry {
            location,
            ..entry.clone()
        };
        self.admits(&would_be)
    }

    fn admits(&self, entry: &Entry) -> bool {
        self.job.filter.admits_by_either_name(entry, &self.base)
    }
}
