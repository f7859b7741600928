//! The request slots of each endpoint, and the task that seeks how many there should be.
//!
//! Overview: a lane is made when a job first talks to an endpoint; one task looks at the counts of
//! all of them ten times a second and hands what happened to `mover::tune`. Crash and
//! cancellation: the task ends with the session. Limits: as many lanes as there are endpoints.

use std::num::NonZeroUsize;
use std::sync::{Arc, Weak};
use std::time::Duration;

use base::flow::Lane;
use mover::Side;
use mover::tune::{Bounds, Change, START, Sample, Tuner};
use parking_lot::Mutex;
use remote::aws::{RequestCounts, Traffic};
use tokio::time::Instant;

use crate::args::LogLevel;
use crate::output::Output;
use crate::progress::load::Load;

/// Between two looks at the counts.
/// Reason: a throttling store is to be met with less within the time of a few answers.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Share of all processors' time at which they are full.
/// A guess, not measured: the kernel's part for the network is not all counted as ours.
const CPU_FULL: f64 = 0.85;

/// Looks over which the processors' time is taken: it is counted in hundredths of a second.
const CPU_OVER: u32 = 5;

/// The lanes of a session.
#[derive(Debug)]
pub(super) struct Lanes(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    bounds: Bounds,
    source: Traffic,
    destination: Traffic,
    output: Arc<Output>,
    tended: Mutex<Vec<Tended>>,
}

/// One endpoint's lane.
#[derive(Debug)]
struct Tended {
    endpoint: String,
    lane: Lane,
    source: bool,
    destination: bool,
    tuner: Tuner,
    before: RequestCounts,
}

/// How many of an endpoint's slots are in use, and how many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slots {
    pub(crate) in_use: usize,
    pub(crate) limit: usize,
}

impl Lanes {
    /// Lanes of up to `requests_max` slots, tuned by the counts of both sides' traffic.
    pub(super) fn new(
        requests_max: NonZeroUsize,
        source: Traffic,
        destination: Traffic,
        output: Arc<Output>,
    ) -> Lanes {
        let bounds = Bounds {
            min: 1,
            max: requests_max.get(),
        };
        Lanes(Arc::new(Shared {
            bounds,
            source,
            destination,
            output,
            tended: Mutex::default(),
        }))
    }

    /// The slots of an endpoint that `side` talks to, the same ones for all jobs. Must be called
    /// inside a runtime.
    pub(super) fn lane(&self, endpoint: &str, side: Side) -> Lane {
        let mut tended = self.0.tended.lock();
        if tended.is_empty() {
            let shared = Arc::downgrade(&self.0);
            drop(base::tasks::spawn("tuning", tend(shared)));
        }
        let at = tended.iter().position(|lane| lane.endpoint == endpoint);
        let at = at.unwrap_or_else(|| {
            tended.push(self.0.begin(endpoint));
            tended.len() - 1
        });
        let lane = &mut tended[at];
        lane.serve(side, &self.0);
        lane.lane.clone()
    }

    /// Every endpoint's slots, in the order in which they were first used.
    pub(super) fn slots(&self) -> Vec<Slots> {
        let tended = self.0.tended.lock();
        let slots = tended.iter().map(|tended| Slots {
            in_use: tended.lane.in_use(),
            limit: tended.lane.limit(),
        });
        slots.collect()
    }
}

impl Shared {
    fn begin(&self, endpoint: &str) -> Tended {
        let tuner = Tuner::new(self.bounds, START);
        Tended {
            endpoint: endpoint.to_owned(),
            lane: Lane::new(at_least_one(tuner.limit())),
            source: false,
            destination: false,
            tuner,
            before: RequestCounts::default(),
        }
    }

    /// Looks at every lane once.
    fn look(&self, passed: Duration, cpu_full: bool) {
        for tended in &mut *self.tended.lock() {
            let Some(change) = tended.look(self, passed, cpu_full) else {
                continue;
            };
            tended.lane.set_limit(at_least_one(change.to));
            tended.set_pace(self, change.pace);
            if self.output.says(LogLevel::Debug) {
                self.output.talk(format_args!("{}", said(tended, &change)));
            }
        }
    }
}

impl Tended {
    /// Counts the requests of one more side.
    fn serve(&mut self, side: Side, shared: &Shared) {
        let (served, traffic) = match side {
            Side::Source => (&mut self.source, &shared.source),
            Side::Destination => (&mut self.destination, &shared.destination),
        };
        if !*served {
            *served = true;
            self.before = plus(self.before, traffic.counters.read());
        }
    }

    fn counts(&self, shared: &Shared) -> RequestCounts {
        let of = |served: bool, traffic: &Traffic| match served {
            true => traffic.counters.read(),
            false => RequestCounts::default(),
        };
        plus(
            of(self.source, &shared.source),
            of(self.destination, &shared.destination),
        )
    }

    fn look(&mut self, shared: &Shared, passed: Duration, cpu_full: bool) -> Option<Change> {
        let now = self.counts(shared);
        let before = std::mem::replace(&mut self.before, now);
        self.tuner.observe(&Sample {
            passed,
            answers: now.answers.saturating_sub(before.answers),
            throttled: now.throttled.saturating_sub(before.throttled),
            waited: now.waited.saturating_sub(before.waited),
            bytes: now.bytes.saturating_sub(before.bytes),
            peak: self.lane.take_peak(),
            cpu_full,
        })
    }

    fn set_pace(&self, shared: &Shared, pace: Option<f64>) {
        for (served, traffic) in [
            (self.source, &shared.source),
            (self.destination, &shared.destination),
        ] {
            if served {
                traffic.pace.set_found(pace);
            }
        }
    }
}

/// What of two sides' counts the search looks at, added up.
fn plus(one: RequestCounts, other: RequestCounts) -> RequestCounts {
    RequestCounts {
        answers: one.answers + other.answers,
        throttled: one.throttled + other.throttled,
        waited: one.waited + other.waited,
        bytes: one.bytes + other.bytes,
        ..RequestCounts::default()
    }
}

/// A change, for people who look for why.
fn said(tended: &Tended, change: &Change) -> String {
    let Change {
        from,
        to,
        pace,
        reason,
    } = change;
    let endpoint = &tended.endpoint;
    match pace {
        None => format!("requests at {endpoint}: {from} -> {to}: {reason}"),
        Some(pace) => {
            format!("requests at {endpoint}: {from} -> {to}, {pace:.1} a second: {reason}")
        }
    }
}

fn at_least_one(limit: usize) -> NonZeroUsize {
    NonZeroUsize::new(limit).unwrap_or(NonZeroUsize::MIN)
}

/// Looks again and again until the session is gone.
async fn tend(shared: Weak<Shared>) {
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let mut looked_at = Instant::now();
    let (mut cpu_at, mut cpu, mut cpu_full, mut looks) =
        (looked_at, Load::read().cpu, false, 0_u32);
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let Some(shared) = shared.upgrade() else {
            return;
        };
        let now = Instant::now();
        looks += 1;
        if looks % CPU_OVER == 0 {
            let used = Load::read().cpu;
            let spent = used.saturating_sub(cpu).as_secs_f64();
            let had = (now - cpu_at).as_secs_f64() * cores as f64;
            cpu_full = spent >= CPU_FULL * had;
            (cpu_at, cpu) = (now, used);
        }
        shared.look(now - looked_at, cpu_full);
        looked_at = now;
    }
}
