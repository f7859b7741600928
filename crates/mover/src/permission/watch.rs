//! One side while it runs: its lane, who waits for it, and who looks whether it is back.

use std::future::Future;
use std::sync::{Arc, Weak};
use std::time::Duration;

use base::Fault;
use base::fault::Classified as _;
use parking_lot::Mutex;
use remote::ObjectClient;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::OnDenied;
use super::lane::{Denial, Finding, Kind, Lane, Place, Verdict};
use super::probe::{self, Answer};
use crate::event::{Event, Observer};
use crate::source::Side;

/// The pause before the permission is first asked for again; it doubles from there. A guess.
const PAUSE_INITIAL: Duration = Duration::from_secs(1);
/// The longest pause. A guess: a person who mends a permission looks for about so long.
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// One side's client under watch.
pub(super) struct Watched {
    pub(super) client: Arc<dyn ObjectClient>,
    pub(super) side: Side,
    pub(super) on_denied: OnDenied,
    pub(super) observer: Arc<dyn Observer>,
    /// Cancelled with the run, or by a loss that stops it.
    pub(super) stopping: CancellationToken,
    pub(super) lane: Mutex<Lane>,
    /// Told of every change that may decide about those who wait.
    pub(super) changed: Notify,
}

/// The run is being stopped: no more waiting.
pub(super) struct Stopped;

impl Watched {
    /// Waits until the lane is open.
    pub(super) async fn pass(&self) -> Result<(), Stopped> {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if !self.lane.lock().is_closed() {
                return Ok(());
            }
            self.wait(changed).await?;
        }
    }

    /// Waits for the verdict about a refusal of `place`: an error is to be handed on, a flag says
    /// that the request is to be sent again and whether its next refusal is its own.
    pub(super) async fn verdict(
        self: &Arc<Self>,
        kind: Kind,
        denial: Denial,
        place: &Place,
    ) -> Result<Option<bool>, Stopped> {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let verdict = self.lane.lock().judge(kind, denial);
            match verdict {
                Verdict::Own => return Ok(None),
                Verdict::Resend { proven } => return Ok(Some(proven)),
                Verdict::Probe => self.begin_probe(kind, place.clone()),
                Verdict::Wait => {}
            }
            self.wait(changed).await?;
        }
    }

    async fn wait(&self, changed: impl Future<Output = ()>) -> Result<(), Stopped> {
        tokio::select! {
            biased;
            () = self.stopping.cancelled() => Err(Stopped),
            () = changed => Ok(()),
        }
    }

    /// Asks in a task of its own: the one who needs to know may be dropped meanwhile.
    fn begin_probe(self: &Arc<Self>, kind: Kind, place: Place) {
        let watched = Arc::clone(self);
        drop(base::tasks::spawn("permission probe", async move {
            let ticket = watched.lane.lock().sent(None);
            let (finding, cause) = match watched.ask(kind, &place).await {
                Answer::Works => (Finding::Works, None),
                Answer::Expired(error) | Answer::Denied(error) | Answer::Unknown(error) => {
                    (Finding::Lost, Some(error))
                }
            };
            let closes = watched.lane.lock().probed(kind, ticket, finding);
            if let Some(cause) = cause.filter(|_| closes) {
                watched.closed(kind, place, &cause);
            }
            watched.changed.notify_waiters();
        }));
    }

    async fn ask(&self, kind: Kind, place: &Place) -> Answer {
        let good = self.lane.lock().good(kind).cloned();
        let worked = good.is_some();
        let place = good.as_ref().unwrap_or(place);
        probe::ask(&*self.client, kind, place, worked).await
    }

    /// The lane has just been closed: stops the run, or looks from now on whether it may open.
    pub(super) fn closed(self: &Arc<Self>, kind: Kind, place: Place, cause: &remote::Error) {
        let side = self.side;
        match self.on_denied {
            OnDenied::Stop => {
                self.say(&format!(
                    "permission lost on the {side}: {cause}; stopping, what is not done is pending"
                ));
                self.stopping.cancel();
            }
            OnDenied::Wait(at_most) => {
                let bound = match at_most.map(jiff::SignedDuration::try_from) {
                    Some(Ok(bound)) => format!(" for at most {bound:#}"),
                    Some(Err(_)) | None => String::new(),
                };
                self.say(&format!(
                    "permission lost on the {side}: {cause}; nothing new begins there, waiting \
                     for it to come back{bound}"
                ));
                let loss = Loss {
                    kind,
                    place,
                    credentials: cause.fault() == Fault::Expired,
                    at: Instant::now(),
                };
                let (watched, token) = (Arc::downgrade(self), self.stopping.clone());
                drop(base::tasks::spawn("permission watch", async move {
                    tokio::select! {
                        biased;
                        () = token.cancelled() => {}
                        () = look_until_back(watched, loss, at_most) => {}
                    }
                }));
            }
        }
    }

    /// Looks once whether what was lost is back.
    async fn is_back(&self, loss: &Loss) -> bool {
        self.client.forget_credentials();
        let worked = self.lane.lock().good(loss.kind).is_some();
        match self.ask(loss.kind, &loss.place).await {
            Answer::Works => true,
            // The credentials are good again; whether this place is allowed was never known.
            Answer::Denied(_) => loss.credentials && !worked,
            Answer::Expired(_) | Answer::Unknown(_) => false,
        }
    }

    fn reopen(&self, loss: &Loss) {
        self.lane.lock().regain();
        let passed = loss.at.elapsed().as_secs();
        let passed = jiff::SignedDuration::from_secs(i64::try_from(passed).unwrap_or(i64::MAX));
        let message = format!(
            "permission on the {} is back after {passed:#}; going on",
            self.side
        );
        let message = message.as_str();
        self.observer.on_event(&Event::Notice { message });
        self.changed.notify_waiters();
    }

    fn give_up(&self) {
        self.say(&format!(
            "the permission on the {} has not come back in time; stopping, what is not done is \
             pending",
            self.side
        ));
        self.stopping.cancel();
    }

    fn say(&self, message: &str) {
        self.observer.on_event(&Event::Warning { message });
    }
}

/// What was lost, and when.
struct Loss {
    kind: Kind,
    /// Where it was noticed.
    place: Place,
    /// Whether the credentials are to blame, not what they allow.
    credentials: bool,
    at: Instant,
}

/// Looks again and again, with growing pauses, until the permission is back, `at_most` has passed,
/// or nobody is left who needs it.
async fn look_until_back(watched: Weak<Watched>, loss: Loss, at_most: Option<Duration>) {
    let mut pause = PAUSE_INITIAL;
    loop {
        let left = at_most.map(|bound| bound.saturating_sub(loss.at.elapsed()));
        tokio::time::sleep(left.map_or(pause, |left| left.min(pause))).await;
        pause = (pause * 2).min(PAUSE_MAX);
        let Some(watched) = watched.upgrade() else {
            return;
        };
        if watched.is_back(&loss).await {
            return watched.reopen(&loss);
        }
        if at_most.is_some_and(|bound| loss.at.elapsed() >= bound) {
            return watched.give_up();
        }
    }
}
