//! What becomes of one object that both sides have.

use std::sync::Arc;

use base::Fault;
use base::fault::Classified as _;
use remote::types::HeadObject;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use super::content::same_content;
use crate::accounts::Accounts;
use crate::compare::{Comparator, Decision};
use crate::context::Context;
use crate::engine::{Engine, Move};
use crate::entry::Entry;
use crate::error::{Error, Result};
use crate::event::{Event, SkipReason, Verb};
use crate::location::Location;
use crate::options::TransferOptions;

/// Objects whose contents are compared at once. A guess, not measured.
const COMPARISONS_MAX: usize = 64;

/// Compares, and carries out what comes of it.
#[derive(Debug)]
pub(super) struct Compared {
    shared: Arc<Shared>,
    permits: Arc<Semaphore>,
    tasks: TaskTracker,
}

#[derive(Debug)]
struct Shared {
    context: Context,
    accounts: Arc<Accounts>,
    engine: Engine,
    options: Arc<TransferOptions>,
    comparator: Comparator,
    /// The source is a list of keys: sizes and times are asked for object by object.
    unknown: bool,
}

impl Compared {
    pub(super) fn new(
        context: &Context,
        accounts: &Arc<Accounts>,
        options: &TransferOptions,
        comparator: Comparator,
        unknown: bool,
    ) -> Compared {
        Compared {
            shared: Arc::new(Shared {
                context: context.clone(),
                accounts: Arc::clone(accounts),
                engine: Engine::new(context.clone(), Arc::clone(accounts)),
                options: Arc::new(options.clone()),
                comparator,
                unknown,
            }),
            permits: Arc::new(Semaphore::new(COMPARISONS_MAX)),
            tasks: TaskTracker::new(),
        }
    }

    /// Copies `source` to `destination`.
    pub(super) async fn copy(&self, source: Entry, destination: Location) {
        self.shared.copy(source, destination).await;
    }

    /// Compares both and copies if they differ. Waits while too many comparisons are under way.
    pub(super) async fn compare(&self, source: Entry, there: Entry, destination: Location) {
        let shared = Arc::clone(&self.shared);
        if !shared.unknown {
            match shared.comparator.decide(&source, &there) {
                Decision::Copy => return shared.copy(source, destination).await,
                Decision::Same(reason) => return shared.same(&source, &destination, &reason),
                Decision::Content => {}
            }
        }
        let accounts = &shared.accounts;
        accounts.pending.add(1);
        let permit = tokio::select! {
            biased;
            () = shared.context.stopping.cancelled() => return,
            permit = Arc::clone(&self.permits).acquire_owned() => {
                permit.expect("the semaphore of comparisons is never closed")
            }
        };
        accounts.in_flight.add(1);
        accounts.pending.subtract(1);
        let work = async move {
            shared.look(source, there, destination).await;
            drop(permit);
        };
        let tracked = self.tasks.track_future(work);
        // The tracker waits for it. One that panics leaves the accounts open, and so the run red.
        drop(base::tasks::spawn("compare", tracked));
    }

    /// Waits for comparisons and copies.
    pub(super) async fn finish(self) {
        self.tasks.close();
        self.tasks.wait().await;
        let shared = Arc::into_inner(self.shared).expect("every comparison has ended");
        shared.engine.finish().await;
    }
}

impl Shared {
    async fn copy(&self, source: Entry, destination: Location) {
        let task = Move {
            verb: Verb::Copy,
            source,
            destination,
            options: Arc::clone(&self.options),
        };
        self.engine.submit(task).await;
    }

    fn same(&self, source: &Entry, destination: &Location, reason: &SkipReason) {
        self.accounts.same.add(1);
        self.context.observer.on_event(&Event::Skipped {
            verb: Verb::Copy,
            source: &source.location,
            destination: Some(destination),
            size: source.size,
            reason,
        });
    }

    /// Asks the stores, or reads, and acts on the answer.
    async fn look(&self, mut source: Entry, there: Entry, destination: Location) {
        let verdict = tokio::select! {
            biased;
            () = self.context.stopping.cancelled() => Err(Error::Cancelled),
            verdict = self.verdict(&mut source, &there) => verdict,
        };
        let accounts = &self.accounts;
        match verdict {
            // Copying counts it anew.
            Ok(None) => self.copy(source, destination).await,
            Ok(Some(reason)) => self.same(&source, &destination, &reason),
            Err(Error::Cancelled) => accounts.pending.add(1),
            Err(error) if is_gone(&error, &source) => {
                accounts.gone.add(1);
                self.context.observer.on_event(&Event::Gone {
                    verb: Verb::Copy,
                    source: &source.location,
                    destination: Some(&destination),
                });
            }
            Err(error) => {
                accounts.failed.add(1);
                self.context.observer.on_event(&Event::Failed {
                    verb: Verb::Copy,
                    source: Some(&source.location),
                    destination: Some(&destination),
                    error: &error,
                });
            }
        }
        accounts.in_flight.subtract(1);
    }

    /// Why the object is left alone; `None` where it is copied.
    async fn verdict(&self, source: &mut Entry, there: &Entry) -> Result<Option<SkipReason>> {
        if self.unknown
            && let Location::Remote(object) = &source.location
        {
            let mut request = HeadObject::new(object.bucket.clone(), object.key.clone());
            request.version_id.clone_from(&object.version_id);
            let head = self.context.source.head_object(request).await?;
            source.size = head.size;
            source.modified = head.last_modified;
            source.etag = head.etag;
        }
        match self.comparator.decide(source, there) {
            Decision::Copy => Ok(None),
            Decision::Same(reason) => Ok(Some(reason)),
            Decision::Content => {
                let same = same_content(&self.context, source, there).await?;
                Ok(same.then_some(SkipReason::ContentMatches))
            }
        }
    }
}

/// Whether the source was deleted since it was listed.
fn is_gone(error: &Error, source: &Entry) -> bool {
    match (error, &source.location) {
        (Error::Remote(error), Location::Remote(object)) => {
            error.fault() == Fault::NotFound
                && error.bucket() == Some(object.bucket.as_str())
                && error.key() == Some(object.key.as_str())
        }
        (Error::Local { path, source, .. }, Location::Local(from)) => {
            path == from && source.kind() == std::io::ErrorKind::NotFound
        }
        _ => false,
    }
}
