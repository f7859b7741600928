//! One key: what of its history stands at the destination is kept, the rest is appended in order.

use std::sync::Arc;

use remote::types::DeleteObject;

use super::alike::{Alike, alike};
use super::history::History;
use crate::accounts::Accounts;
use crate::context::Context;
use crate::engine::{Engine, Move};
use crate::entry::Entry;
use crate::error::{Error, Result};
use crate::event::{Event, SkipReason, Verb};
use crate::job::sync::content::{head, heads_agree};
use crate::location::{Location, ObjectLocation};
use crate::options::TransferOptions;
use crate::task::Outcome;

/// What all keys of a job share.
#[derive(Debug)]
pub(super) struct Keeper {
    pub(super) context: Context,
    pub(super) accounts: Arc<Accounts>,
    pub(super) engine: Engine,
    pub(super) options: Arc<TransferOptions>,
}

/// One key on both sides. The source's versions are counted as pending.
#[derive(Debug)]
pub(super) struct Pair {
    /// The key at the source, without a version.
    pub(super) source: ObjectLocation,
    pub(super) destination: ObjectLocation,
    pub(super) ours: History,
    pub(super) theirs: History,
}

/// How far the destination's history is a beginning of the source's.
#[derive(Debug)]
enum Common {
    /// It is, and so many of its versions were compared by size alone.
    Beginning { last: Option<Entry>, unsure: u64 },
    /// It is not, and why.
    Differs(String),
}

impl Keeper {
    /// Brings the destination's history of a key up to the source's, and settles every version.
    pub(super) async fn keep(&self, mut pair: Pair) {
        let listed = pair.ours.count();
        let common = match self.common(&mut pair).await {
            Ok(Common::Beginning { last, unsure }) => {
                self.stands(&pair, listed - pair.ours.count(), last.as_ref(), unsure);
                self.append(pair).await;
                return;
            }
            Ok(Common::Differs(how)) => Error::Refused(how),
            Err(error) => error,
        };
        if matches!(common, Error::Cancelled) {
            return;
        }
        self.settle(listed, &self.accounts.failed);
        self.tell_failed(&pair, &common);
    }

    fn settle(&self, versions: u64, sum: &crate::accounts::Counter) {
        self.accounts.pending.subtract(versions);
        sum.add(versions);
    }

    fn tell_failed(&self, pair: &Pair, error: &Error) {
        self.context.observer.on_event(&Event::Failed {
            verb: Verb::Copy,
            source: Some(&Location::Remote(pair.source.clone())),
            destination: Some(&Location::Remote(pair.destination.clone())),
            error,
        });
    }

    /// Tells of versions that stand already, a line a key.
    fn stands(&self, pair: &Pair, versions: u64, last: Option<&Entry>, unsure: u64) {
        self.settle(versions, &self.accounts.same);
        self.accounts.unverified.add(unsure);
        let Some(last) = last else { return };
        self.context.observer.on_event(&Event::Skipped {
            verb: Verb::Copy,
            source: &last.location,
            destination: Some(&Location::Remote(pair.destination.clone())),
            size: last.size,
            reason: &SkipReason::ContentMatches,
        });
    }

    /// Reads the destination's history to its end, and as much of the source's.
    ///
    /// A version that stands twice in a row at the destination counts once where the source has it
    /// once: a write whose answer was lost is sent again, and a store that keeps versions keeps
    /// both.
    async fn common(&self, pair: &mut Pair) -> Result<Common> {
        let mut last: Option<Entry> = None;
        let mut unsure = 0;
        let mut ours = pair.ours.pop().await?;
        let mut place = 0_u64;
        while let Some(theirs) = pair.theirs.pop().await? {
            place += 1;
            if self.context.stopping.is_cancelled() {
                return Err(Error::Cancelled);
            }
            if let Some(entry) = &ours
                && let Some(sure) = self.same(entry, &theirs).await?
            {
                unsure += u64::from(!sure);
                last = ours.take();
                ours = pair.ours.pop().await?;
                continue;
            }
            let echo = match &last {
                Some(last) => self.same(last, &theirs).await?.is_some(),
                None => false,
            };
            if !echo {
                return Ok(Common::Differs(differs(
                    pair,
                    place,
                    &theirs,
                    ours.as_ref(),
                )));
            }
            let message = format!(
                "version {place} of {} is the one before it once more: an answer was lost",
                pair.destination
            );
            let message = &message;
            self.context.observer.on_event(&Event::Warning { message });
        }
        if let Some(next) = ours {
            pair.ours.push(next).await?;
        }
        Ok(Common::Beginning { last, unsure })
    }

    /// Whether two versions are the same, and then whether more than their sizes says so.
    async fn same(&self, ours: &Entry, theirs: &Entry) -> Result<Option<bool>> {
        match alike(ours, theirs) {
            Alike::Yes => return Ok(Some(true)),
            Alike::No => return Ok(None),
            Alike::Perhaps => {}
        }
        let (Location::Remote(from), Location::Remote(to)) = (&ours.location, &theirs.location)
        else {
            return Ok(None);
        };
        let (here, there) = tokio::try_join!(
            head(&self.context.source, from),
            head(&self.context.destination, to)
        )?;
        Ok(match heads_agree(&here, &there) {
            Some(true) => Some(true),
            Some(false) => None,
            None => Some(false),
        })
    }

    /// Appends what is left of the source's history, one version after the other. The first that
    /// does not arrive ends it: those behind it would stand in the wrong order.
    async fn append(&self, mut pair: Pair) {
        loop {
            let entry = match pair.ours.pop().await {
                Ok(Some(entry)) => entry,
                Ok(None) => return,
                Err(error) => {
                    self.settle(pair.ours.count(), &self.accounts.failed);
                    self.tell_failed(&pair, &error);
                    return;
                }
            };
            if self.context.stopping.is_cancelled() {
                return;
            }
            let outcome = if entry.is_delete_marker {
                self.lay_marker(&entry, &pair).await
            } else {
                self.engine
                    .carry(Move {
                        verb: Verb::Copy,
                        source: entry,
                        destination: Location::Remote(pair.destination.clone()),
                        options: Arc::clone(&self.options),
                    })
                    .await
            };
            match outcome {
                Outcome::Arrived | Outcome::Kept | Outcome::Gone => {}
                Outcome::Pending => return,
                Outcome::NotMoved => {
                    let left = pair.ours.count();
                    if left > 0 {
                        let message = format!(
                            "{left} later versions of {} wait until this one has been copied",
                            pair.source
                        );
                        let message = &message;
                        self.context.observer.on_event(&Event::Warning { message });
                    }
                    return;
                }
            }
        }
    }

    /// Lays a delete marker at the destination.
    async fn lay_marker(&self, entry: &Entry, pair: &Pair) -> Outcome {
        let location = Location::Remote(pair.destination.clone());
        if !self.options.dry_run {
            let delete = DeleteObject {
                bucket: pair.destination.bucket.clone(),
                key: pair.destination.key.clone(),
                version_id: None,
                if_match: None,
            };
            if let Err(error) = self.context.destination.delete_object(delete).await {
                self.settle(1, &self.accounts.failed);
                let error = Error::Remote(error);
                self.context.observer.on_event(&Event::Failed {
                    verb: Verb::Delete,
                    source: Some(&entry.location),
                    destination: Some(&location),
                    error: &error,
                });
                return Outcome::NotMoved;
            }
        }
        self.settle(1, &self.accounts.copied);
        let location = &location;
        self.context.observer.on_event(&Event::Deleted { location });
        Outcome::Arrived
    }
}

/// What a person is told of a history that is no beginning of the source's.
fn differs(pair: &Pair, place: u64, theirs: &Entry, ours: Option<&Entry>) -> String {
    let shown = |entry: &Entry| {
        let version = entry.location.as_remote();
        let id = version.and_then(|object| object.version_id.as_ref());
        let id = id.map_or_else(|| "?".to_owned(), ToString::to_string);
        if entry.is_delete_marker {
            format!("the delete marker {id}")
        } else {
            format!("{id} of {}", entry.size)
        }
    };
    let ours = ours.map_or_else(|| "nothing".to_owned(), shown);
    format!(
        "the history of {} differs: its version {place} is {}, the source's {} has {ours} there; a \
         history is never rewritten, so move or remove this key's versions and run this again",
        pair.destination,
        shown(theirs),
        pair.source,
    )
}
