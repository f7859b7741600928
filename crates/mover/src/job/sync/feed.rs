//! Both sides of a sync, name by name.

use std::sync::Arc;

use super::sides;
use crate::accounts::Accounts;
use crate::compare::{Turn, turn};
use crate::context::Context;
use crate::entry::{Entry, EntryStream};
use crate::error::{Error, Result};
use crate::list::{Met, Paired};
use crate::source::{Side, Source, enumerate, enumerate_both};
use crate::url::Target;

/// Where a merge gets its names from.
#[derive(Debug)]
pub(in crate::job) enum Feed {
    /// Two stores, cut at the same points: in no order.
    Paired {
        listings: Box<Paired>,
        /// What was met when they were tried.
        first: Option<Box<Met>>,
    },
    /// Any two sides, each in order.
    Ordered(Box<Fronts>),
}

/// The next entries of both sides.
#[derive(Debug)]
pub(in crate::job) struct Fronts {
    source: Front,
    destination: Front,
}

/// One side's stream with its next entry at hand.
#[derive(Debug)]
pub(in crate::job) struct Front {
    stream: EntryStream,
    head: Option<Entry>,
    /// The name before, by which a stream that is not ascending shows.
    previous: Option<String>,
}

impl Feed {
    /// Both sides, begun. Neither is handed out before both are: a destination that cannot be
    /// listed stops the job before its first name.
    pub(in crate::job) async fn open(
        context: &Context,
        accounts: &Arc<Accounts>,
        source: &Source,
        destination: &Target,
    ) -> Result<Feed> {
        let below = sides::below(source, destination).await;
        let listings = below
            .as_ref()
            .and_then(|below| enumerate_both(context, accounts, source, below));
        if let Some(listings) = listings
            && let Some(feed) = Feed::paired(listings).await?
        {
            return Ok(feed);
        }
        let there = async {
            match &below {
                Some(below) => Front::of(context, accounts, Side::Destination, below).await,
                None => Front::empty().await,
            }
        };
        let source = Front::of(context, accounts, Side::Source, source);
        let (source, destination) = tokio::join!(source, there);
        Ok(Feed::Ordered(Box::new(Fronts::new(source?, destination?))))
    }

    /// Two listings, tried so far that neither store has shown a disorder before the first name.
    /// `None` where one has: it must be sorted.
    async fn paired(mut listings: Paired) -> Result<Option<Feed>> {
        let tried = async {
            listings.begin().await?;
            listings.next().await
        };
        match tried.await {
            Err(Error::Unordered { .. }) => Ok(None),
            first => Ok(Some(Feed::Paired {
                first: first?.map(Box::new),
                listings: Box::new(listings),
            })),
        }
    }

    /// The next name; `None` once both sides have ended whole.
    pub(in crate::job) async fn next(&mut self) -> Result<Option<Met>> {
        match self {
            Feed::Paired { listings, first } => match first.take() {
                Some(met) => Ok(Some(*met)),
                None => listings.next().await,
            },
            Feed::Ordered(fronts) => fronts.next().await,
        }
    }

    /// Things that could not be yielded.
    pub(in crate::job) fn problems(&self) -> u64 {
        match self {
            Feed::Paired { .. } => 0,
            Feed::Ordered(fronts) => fronts.source.problems() + fronts.destination.problems(),
        }
    }
}

impl Fronts {
    fn new(source: Front, destination: Front) -> Fronts {
        Fronts {
            source,
            destination,
        }
    }

    async fn next(&mut self) -> Result<Option<Met>> {
        let there = "the turn was decided by this head";
        Ok(match turn(self.source.name(), self.destination.name()) {
            Turn::End => None,
            Turn::Source => self.source.take().await?.map(Met::Source),
            Turn::Both => {
                let both = tokio::join!(self.source.take(), self.destination.take());
                let (entry, other) = (both.0?.expect(there), both.1?.expect(there));
                Some(Met::Both(entry, other))
            }
            Turn::Destination => self.destination.take().await?.map(Met::Destination),
        })
    }
}

impl Front {
    /// One side, begun.
    pub(in crate::job) async fn of(
        context: &Context,
        accounts: &Arc<Accounts>,
        side: Side,
        source: &Source,
    ) -> Result<Front> {
        Front::begin(enumerate(context, accounts, side, source)).await
    }

    /// A side without names.
    async fn empty() -> Result<Front> {
        let (sink, stream) = EntryStream::channel();
        sink.finish().await;
        Front::begin(stream).await
    }

    /// A stream, and its first entry.
    async fn begin(stream: EntryStream) -> Result<Front> {
        let mut front = Front {
            stream,
            head: None,
            previous: None,
        };
        front.advance().await?;
        Ok(front)
    }

    /// The next entry.
    pub(in crate::job) fn head(&self) -> Option<&Entry> {
        self.head.as_ref()
    }

    fn name(&self) -> Option<&str> {
        self.head.as_ref().map(Entry::relative)
    }

    pub(in crate::job) fn problems(&self) -> u64 {
        self.stream.problems()
    }

    /// Takes the head and brings the next entry.
    pub(in crate::job) async fn take(&mut self) -> Result<Option<Entry>> {
        let taken = self.head.take();
        if let Some(entry) = &taken {
            let previous = self.previous.get_or_insert_default();
            entry.relative().clone_into(previous);
        }
        self.advance().await?;
        Ok(taken)
    }

    async fn advance(&mut self) -> Result<()> {
        self.head = self.stream.next().await.transpose()?;
        if let (Some(previous), Some(name)) = (&self.previous, self.name())
            && previous.as_str() > name
        {
            // A merge of streams that do not ascend would delete what is there on both sides.
            return Err(Error::Bug(format!(
                "{name:?} was listed after {previous:?}"
            )));
        }
        Ok(())
    }
}
