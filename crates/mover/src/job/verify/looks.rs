//! Closer looks at pairs of objects, many at once, and the sums of what was found.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::Arc;

use base::Fault;
use base::fault::Classified as _;
use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use super::agreement::Means;
use super::content::{Pair, look};
use super::sample::{Sample, ticket, within};
use super::{Finding, Listener, Scrutiny, State, Sums, Tally};
use crate::context::Context;
use crate::error::Error;

/// Pairs looked at at once. A guess, not measured.
const LOOKS_MAX: usize = 64;

/// Looks, counts and tells.
pub(super) struct Looks {
    shared: Arc<Shared>,
    permits: Arc<Semaphore>,
    tasks: TaskTracker,
    scrutiny: Scrutiny,
    /// A sample by number: the lowest tickets so far, the highest of them on top.
    drawn: Mutex<BinaryHeap<Drawn>>,
}

struct Shared {
    context: Context,
    listener: Arc<dyn Listener>,
    tally: Tally,
}

/// A pair with its ticket.
struct Drawn {
    ticket: u64,
    pair: Pair,
}

impl PartialEq for Drawn {
    fn eq(&self, other: &Drawn) -> bool {
        self.ticket == other.ticket
    }
}

impl Eq for Drawn {}

impl PartialOrd for Drawn {
    fn partial_cmp(&self, other: &Drawn) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Drawn {
    fn cmp(&self, other: &Drawn) -> Ordering {
        self.ticket.cmp(&other.ticket)
    }
}

impl std::fmt::Debug for Looks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Looks")
            .field("scrutiny", &self.scrutiny)
            .finish_non_exhaustive()
    }
}

impl Looks {
    pub(super) fn new(context: &Context, listener: Arc<dyn Listener>, scrutiny: Scrutiny) -> Looks {
        Looks {
            shared: Arc::new(Shared {
                context: context.clone(),
                listener,
                tally: Tally::default(),
            }),
            permits: Arc::new(Semaphore::new(LOOKS_MAX)),
            tasks: TaskTracker::new(),
            scrutiny,
            drawn: Mutex::default(),
        }
    }

    /// Whether bytes are to be read.
    pub(super) fn reads(&self) -> bool {
        self.scrutiny.read
    }

    /// Counts an object of the source, or a row.
    pub(super) fn listed(&self) {
        self.shared.tally.listed.add(1);
    }

    /// Counts one that is passed over.
    pub(super) fn ignored(&self) {
        self.shared.tally.ignored.add(1);
    }

    /// Counts and tells what is known already.
    pub(super) fn found(&self, source: Option<&str>, destination: &str, state: &State) {
        self.shared.found(source, destination, state);
    }

    /// Looks at a pair whose sizes agree, if the sample holds it. Waits while too many are under
    /// way.
    pub(super) async fn look(&self, pair: Pair) {
        match self.scrutiny.sample {
            None => self.begin(pair).await,
            Some(Sample::Percent(percent)) => {
                match within(ticket(self.scrutiny.seed, pair.name()), percent) {
                    true => self.begin(pair).await,
                    false => self.shared.tally.not_sampled.add(1),
                }
            }
            Some(Sample::Count(count)) => {
                let ticket = ticket(self.scrutiny.seed, pair.name());
                let mut drawn = self.drawn.lock();
                drawn.push(Drawn { ticket, pair });
                if drawn.len() as u64 > count {
                    drawn.pop();
                    self.shared.tally.not_sampled.add(1);
                }
            }
        }
    }

    async fn begin(&self, pair: Pair) {
        let shared = Arc::clone(&self.shared);
        let permit = tokio::select! {
            biased;
            () = shared.context.stopping.cancelled() => return shared.tally.pending.add(1),
            permit = Arc::clone(&self.permits).acquire_owned() => {
                permit.expect("the semaphore of looks is never closed")
            }
        };
        let read = self.scrutiny.read;
        let work = async move {
            let state = tokio::select! {
                biased;
                () = shared.context.stopping.cancelled() => State::Unknown(Error::Cancelled),
                state = look(&shared.context, &pair, read) => state,
            };
            match state {
                State::Unknown(error) if error.fault() == Fault::Cancelled => {
                    shared.tally.pending.add(1);
                }
                state => shared.found(Some(pair.source_name()), pair.destination_name(), &state),
            }
            drop(permit);
        };
        let tracked = self.tasks.track_future(work);
        // The tracker waits for it. One that panics leaves the sums open, and so the run red.
        drop(base::tasks::spawn("verify", tracked));
    }

    /// Looks at what a sample by number has drawn, and waits for everything under way. A sample of
    /// listings that did not end is none: `whole` says that they did.
    pub(super) async fn finish(self, whole: bool) -> Sums {
        let drawn = std::mem::take(&mut *self.drawn.lock());
        for drawn in drawn.into_vec() {
            match whole {
                true => self.begin(drawn.pair).await,
                false => self.shared.tally.pending.add(1),
            }
        }
        self.tasks.close();
        self.tasks.wait().await;
        self.shared.tally.sums()
    }
}

impl Shared {
    fn found(&self, source: Option<&str>, destination: &str, state: &State) {
        let tally = &self.tally;
        let counter = match state {
            State::Equal(Means::Checksum(_)) => &tally.equal_by_checksum,
            State::Equal(Means::ETag) => &tally.equal_by_etag,
            State::Equal(Means::Read) => &tally.equal_by_reading,
            State::Missing => &tally.missing,
            State::Differing(_) => &tally.differing,
            State::Extra => &tally.extra,
            State::Unverifiable => &tally.unverifiable,
            State::Unknown(_) => &tally.unknown,
        };
        counter.add(1);
        self.listener.on_finding(&Finding {
            source,
            destination,
            state,
        });
    }
}
