//! Lists two buckets at once and merges them.
//!
//! Overview: [`Pairs`] decides, this file asks and hands out. Retries, and pages in tasks of their
//! own: as in [`Listing`]. Cancellation: dropping it aborts what is under way; a stopping context
//! ends it with [`Error::Cancelled`]. Limits: as in [`Pairs`].

use base::Fault;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};
use remote::Operation;
use remote::types::ListPage;
use tokio_util::sync::CancellationToken;

use super::half::Facet;
use super::pairs::{Met, Pairs, Refusal};
use super::parallel::{Fetch, Listing};
use super::{Shape, pages};
use crate::error::{Error, Result};
use crate::source::Side;

/// Two listings, merged by the names that they share.
#[derive(Debug)]
pub(crate) struct Paired {
    source: Listing,
    destination: Listing,
    pairs: Pairs,
    answers: FuturesUnordered<Fetch>,
    stopping: CancellationToken,
}

impl Paired {
    /// Both listings, each with what it means. Neither may be of an unordered store or in another
    /// protocol than V2.
    pub(crate) fn new(
        source: (Listing, Shape),
        destination: (Listing, Shape),
        stopping: CancellationToken,
    ) -> Paired {
        let facet = |listing: &Listing, shape: Shape| {
            Facet::new(&listing.prefix[..shape.relative_start], shape)
        };
        // Each pair asks for one page of each listing at a time.
        let pairs_max = source.0.listings_max.min(destination.0.listings_max);
        let pairs = Pairs::new(
            facet(&source.0, source.1),
            facet(&destination.0, destination.1),
            pairs_max,
        );
        Paired {
            source: source.0,
            destination: destination.0,
            pairs,
            answers: FuturesUnordered::new(),
            stopping,
        }
    }

    /// Waits for the first page of both. Where both fail the error is the source's.
    pub(crate) async fn begin(&mut self) -> Result<()> {
        let there = "nothing has been asked yet";
        let (_, source) = self.pairs.next_ask().expect(there);
        let (_, destination) = self.pairs.next_ask().expect(there);
        let source = self.source.fetch(source);
        let destination = self.destination.fetch(destination);
        let (source, destination) = tokio::select! {
            biased;
            () = self.stopping.cancelled() => return Err(Error::Cancelled),
            both = async { tokio::join!(source, destination) } => both,
        };
        self.answered(source?)?;
        self.answered(destination?)
    }

    /// The next name that either side has, in no order; `None` after the last. After an error the
    /// listings are not whole.
    pub(crate) async fn next(&mut self) -> Result<Option<Met>> {
        loop {
            while let Some((side, ask)) = self.pairs.next_ask() {
                self.answers.push(self.listing(side).fetch(ask));
            }
            // What has come is looked at first: a listing that broke stops what would follow.
            if let Some(Some(answer)) = self.answers.next().now_or_never() {
                self.answered(answer?)?;
                continue;
            }
            if let Some(met) = self.pairs.take() {
                return Ok(Some(met));
            }
            if self.pairs.finished() {
                return Ok(None);
            }
            let answer = tokio::select! {
                biased;
                () = self.stopping.cancelled() => return Err(Error::Cancelled),
                answer = self.answers.next() => answer,
            };
            let answer = answer.expect("pairs that have not ended wait for a page");
            self.answered(answer?)?;
        }
    }

    fn listing(&self, side: Side) -> &Listing {
        match side {
            Side::Source => &self.source,
            Side::Destination => &self.destination,
        }
    }

    fn answered(&mut self, (id, page): (u64, ListPage)) -> Result<()> {
        let Err((side, refusal)) = self.pairs.answered(id, page) else {
            return Ok(());
        };
        let listing = self.listing(side);
        Err(match refusal {
            Refusal::Disorder { previous, key } => listing.too_late(&previous, &key),
            Refusal::Cycle => pages::cycle(listing.protocol, &listing.bucket).into(),
            Refusal::Foreign(key) => {
                let message = "the store listed a key that does not begin as it was asked to";
                remote::Error::new(Operation::ListObjectsV2, Fault::Invalid, message)
                    .about(Some(listing.bucket.as_str()), Some(key.as_str()))
                    .into()
            }
        })
    }
}
