//! Both sides, merged by name.

use std::sync::Arc;

use super::agreement::{Agreement, of_listings};
use super::content::Pair;
use super::looks::Looks;
use super::{State, VerifyJob};
use crate::accounts::Accounts;
use crate::context::Context;
use crate::destination::Mapping;
use crate::entry::Entry;
use crate::error::{Error, Result};
use crate::job::copy::{facts_of, nothing_found};
use crate::job::sync::feed::{Feed, Front};
use crate::job::sync::sides::{as_at_source, counterpart, held_names};
use crate::list::Met;
use crate::location::Location;
use crate::overlap::{Overlap, overlap};
use crate::route::same_store;
use crate::source::{Order, Side, Source};
use crate::url::S3Url;

/// What a merge knows of its job.
struct Sides<'a> {
    job: &'a VerifyJob,
    source: Source,
    mapping: Mapping,
    /// The part of the source that the destination is.
    overlap: Overlap,
    /// What every name of the source begins with, if the destination could hold the source itself.
    held: Option<String>,
    /// What include and exclude do not see of a source's name.
    base: String,
    looks: &'a Looks,
}

/// Goes through both sides to their ends.
pub(super) async fn merge(
    job: &VerifyJob,
    context: &Context,
    accounts: &Arc<Accounts>,
    looks: &Looks,
) -> Result<()> {
    let source = Source {
        order: Order::Key,
        ..job.source.clone()
    };
    if source.all_versions || source.keys.is_some() {
        let what = "verify compares what two listings name: no versions, no list of keys";
        return Err(Error::Usage(what.to_owned()));
    }
    // A bucket or prefix means what is below it, also without a star.
    let is_prefix = !source.raw && !source.is_pattern();
    let source = Source {
        below: is_prefix && source.target.as_remote().is_some_and(S3Url::is_prefix),
        ..source
    };
    let mut facts = facts_of(&source, &job.destination).await;
    facts.source_is_folder |= source.below;
    let mapping = Mapping::new(&source, &job.destination, false, facts)?;
    let same_store = same_store(&context.source.endpoint(), &context.destination.endpoint());
    let sides = Sides {
        overlap: overlap(&source, &job.destination, same_store)?,
        held: held_names(&source, &job.destination, same_store),
        base: source.filter_base(),
        mapping,
        job,
        looks,
        source,
    };
    let many = sides.source.is_pattern() || facts.source_is_folder;
    let seen = match many {
        true => sides.all(context, accounts).await?,
        false => sides.one(context, accounts).await?,
    };
    if seen == 0 && accounts.job_failures.get() == 0 {
        return Err(nothing_found(&sides.source));
    }
    Ok(())
}

impl Sides<'_> {
    /// A source that is one object: its counterpart is asked for by name. How many were seen.
    async fn one(&self, context: &Context, accounts: &Arc<Accounts>) -> Result<u64> {
        let mut source = Front::of(context, accounts, Side::Source, &self.source).await?;
        let mut seen = 0;
        while let Some(entry) = source.take().await? {
            seen += 1;
            let Some(place) = self.wanted(&entry) else {
                continue;
            };
            match counterpart(context, accounts, &place).await {
                Ok(Some(there)) => self.both(entry, there).await,
                Ok(None) => self.missing(&entry, &place),
                Err(error) => {
                    let name = entry.location.to_string();
                    let state = State::Unknown(error);
                    self.looks.found(Some(&name), &place.to_string(), &state);
                }
            }
        }
        Ok(seen)
    }

    /// Both listings. How many objects the source has.
    async fn all(&self, context: &Context, accounts: &Arc<Accounts>) -> Result<u64> {
        let (source, destination) = (&self.source, &self.job.destination);
        let mut feed = Feed::open(context, accounts, source, destination).await?;
        let mut seen = 0;
        loop {
            if context.stopping.is_cancelled() {
                return Err(Error::Cancelled);
            }
            match feed.next().await? {
                None => return Ok(seen),
                Some(Met::Source(entry)) => {
                    seen += 1;
                    if let Some(place) = self.wanted(&entry) {
                        self.missing(&entry, &place);
                    }
                }
                Some(Met::Both(entry, there)) => {
                    seen += 1;
                    if self.wanted(&entry).is_some() {
                        self.both(entry, there).await;
                    }
                }
                Some(Met::Destination(there)) => {
                    if self.is_extra(&there) {
                        let name = there.location.to_string();
                        self.looks.found(None, &name, &State::Extra);
                    }
                }
            }
        }
    }

    /// Counts an entry of the source; where it should be, unless it is passed over.
    fn wanted(&self, entry: &Entry) -> Option<Location> {
        self.looks.listed();
        let skipped = self.source.skips_unless(entry, |entry| self.admits(entry));
        if skipped.is_some() || self.overlap.covers(entry.name()) {
            self.looks.ignored();
            return None;
        }
        match self.mapping.place(entry) {
            Ok(place) => Some(place),
            Err(error) => {
                // A name that cannot be at the destination cannot be looked for there.
                let name = entry.location.to_string();
                let destination = self.job.destination.to_string();
                let state = State::Unknown(error);
                self.looks.found(Some(&name), &destination, &state);
                None
            }
        }
    }

    fn missing(&self, entry: &Entry, place: &Location) {
        let name = entry.location.to_string();
        let state = State::Missing;
        self.looks.found(Some(&name), &place.to_string(), &state);
    }

    async fn both(&self, entry: Entry, there: Entry) {
        let settled = match of_listings(&entry, &there) {
            Agreement::Differs(what) => State::Differing(what),
            Agreement::Equal(means) if !self.looks.reads() => State::Equal(means),
            Agreement::Equal(_) | Agreement::Silent => {
                return self.looks.look(Pair::live(entry, there)).await;
            }
        };
        let name = entry.location.to_string();
        let destination = there.location.to_string();
        self.looks.found(Some(&name), &destination, &settled);
    }

    /// Whether what only the destination has is extra: not the source itself, and nothing that the
    /// filter would not have let come.
    fn is_extra(&self, there: &Entry) -> bool {
        let name = there.name();
        let is_source = self
            .held
            .as_ref()
            .is_some_and(|prefix| name.starts_with(prefix) && !self.overlap.covers(name));
        let would_come =
            as_at_source(&self.source, there).is_none_or(|would_be| self.admits(&would_be));
        !there.is_directory_marker() && !is_source && would_come
    }

    fn admits(&self, entry: &Entry) -> bool {
        self.job.filter.admits_by_either_name(entry, &self.base)
    }
}
