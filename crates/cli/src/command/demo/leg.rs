//! One leg of the way: a sync that is watched, and interrupted where the story says so.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use base::flow::RetryPolicy;
use base::{ByteCount, Clock};
use mover::accounts::Sums;
use mover::job::sync::{self, SyncJob};
use mover::{Accounts, Context, Event, Flow, Limits, Location, Observer};
use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::stores::Stores;
use super::table::Row;
use crate::output::Output;

/// How often the interruption looks at the sums.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// How often a line of progress is written.
const TELL_EVERY: Duration = Duration::from_secs(2);

/// When a leg is interrupted.
#[derive(Debug, Clone, Copy)]
pub(super) enum Interruption {
    /// Once so many bytes have moved.
    AfterBytes(u64),
    /// Not at all.
    Never,
}

/// What every leg is played on.
pub(super) struct Stage<'a> {
    /// The stores.
    pub(super) stores: &'a Stores,
    /// Time and randomness.
    pub(super) clock: &'a Clock,
    /// Cancelled when the person in front of the screen has had enough.
    pub(super) stopping: &'a CancellationToken,
    /// Where it is told.
    pub(super) out: &'a Output,
}

impl Stage<'_> {
    /// What the job of a leg runs in, with a token of its own to interrupt it by.
    fn context(&self, observer: Arc<Listener>) -> Context {
        let limits = Limits::default();
        Context {
            source: Arc::clone(&self.stores.partner_client),
            destination: Arc::clone(&self.stores.our_client),
            objects: Arc::new(Semaphore::new(limits.objects_max.get())),
            routes: Arc::new(mover::route::Routes::default()),
            flow: Flow::fixed(limits.memory, limits.requests_max),
            retry: RetryPolicy::default(),
            observer,
            stopping: self.stopping.child_token(),
            clock: self.clock.clone(),
            journal: None,
            limits,
        }
    }
}

/// How a leg went.
#[derive(Debug)]
pub(super) struct Leg {
    /// For the table.
    pub(super) name: &'static str,
    /// The sums.
    pub(super) sums: Sums,
    /// Whether they close.
    pub(super) closed: bool,
    /// Whether it was stopped on purpose.
    pub(super) stopped: bool,
    /// Wall time.
    pub(super) elapsed: Duration,
    /// Keys refused by name.
    pub(super) refused: BTreeSet<String>,
}

impl Leg {
    /// Runs a sync.
    pub(super) async fn run(
        name: &'static str,
        job: &SyncJob,
        interruption: Interruption,
        stage: &Stage<'_>,
    ) -> Result<Leg> {
        let listener = Arc::new(Listener::default());
        let context = stage.context(Arc::clone(&listener));
        let accounts = Arc::new(Accounts::default());
        let report = {
            let running = sync::run(job.clone(), &context, &accounts);
            tokio::pin!(running);
            let mut look = tokio::time::interval(LOOK_EVERY);
            let mut tell =
                tokio::time::interval_at(tokio::time::Instant::now() + TELL_EVERY, TELL_EVERY);
            loop {
                tokio::select! {
                    report = &mut running => break report?,
                    _ = look.tick() => {
                        if let Interruption::AfterBytes(bytes) = interruption
                            && accounts.bytes_moved.get() >= bytes
                        {
                            context.stopping.cancel();
                        }
                    }
                    _ = tell.tick() => {
                        let sums = accounts.sums();
                        let moved = ByteCount(sums.bytes_moved);
                        stage.out.text(format_args!("   {} of {} objects found so far, {moved}", sums.copied, sums.listed));
                    }
                }
            }
        };
        let leg = Leg {
            name,
            sums: report.sums,
            closed: report.accounts_closed,
            stopped: report.stopped,
            elapsed: report.elapsed,
            refused: std::mem::take(&mut *listener.refused.lock()),
        };
        leg.tell(&listener.complaints.lock(), stage.out);
        Ok(leg)
    }

    /// Its line in the table.
    pub(super) fn row(&self) -> Row {
        Row {
            name: self.name,
            objects: self.sums.copied,
            bytes: ByteCount(self.sums.bytes_copied),
            elapsed: self.elapsed,
        }
    }

    /// Whether everything arrived but for so many objects refused by name.
    pub(super) fn went_well(&self, refused: usize) -> bool {
        let sums = &self.sums;
        self.closed
            && !self.stopped
            && sums.failed + sums.gone + sums.pending + sums.unverified + sums.job_failures == 0
            && self.refused.len() == refused
    }

    fn tell(&self, complaints: &[String], out: &Output) {
        for complaint in complaints {
            out.text(format_args!("   {complaint}"));
        }
        let Sums {
            listed,
            copied,
            same,
            refused,
            failed,
            pending,
            ..
        } = self.sums;
        out.text(format_args!("   {listed} listed = {copied} copied + {same} same + {refused} refused + {failed} failed + \
             {pending} pending{}",
            if self.stopped {
                "; interrupted, as planned"
            } else {
                ""
            }));
    }
}

/// Keeps what did not arrive.
#[derive(Debug, Default)]
struct Listener {
    refused: Mutex<BTreeSet<String>>,
    complaints: Mutex<Vec<String>>,
}

impl Observer for Listener {
    fn on_event(&self, event: &Event<'_>) {
        match event {
            Event::Refused { source, error, .. } => {
                self.refused.lock().insert(key_of(source));
                self.complaints.lock().push(format!("refused: {error}"));
            }
            Event::Failed { source, error, .. } => {
                let name = source.map(ToString::to_string).unwrap_or_default();
                self.complaints
                    .lock()
                    .push(format!("failed: {name} {error}"));
            }
            Event::Gone { source, .. } => {
                self.complaints.lock().push(format!("gone: {source}"));
            }
            Event::Notice { .. } => {}
            Event::Warning { message } => self.complaints.lock().push((*message).to_owned()),
            Event::Moved(_)
            | Event::Deleted { .. }
            | Event::CopiedNotDeleted { .. }
            | Event::Skipped { .. } => {}
        }
    }
}

fn key_of(location: &Location) -> String {
    match location {
        Location::Remote(object) => object.key.as_str().to_owned(),
        Location::Local(path) => path.display().to_string(),
    }
}
