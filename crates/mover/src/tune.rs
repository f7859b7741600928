//! How many requests one endpoint takes best. Pure: samples in, a limit and a pace out.
//!
//! Overview: work is requests answered plus mebibytes moved, a second. From a small start the
//! limit doubles while work rises; then it rests and probes a step up and a step down in turn. A
//! step up stays if work rose with it, a step down if work did not fall, so that latency that
//! grows without work growing brings the limit down. A probe lasts until what it shows stands out
//! from the noise of counting. An answer that asks for less (503 SlowDown) makes a [`pace`] of what
//! got through, at once, which then rises gently; where much is refused, the limit is halved too,
//! once in a latency's time. Invariants: the limit stays within its bounds; a sample in which the
//! limit was not reached says nothing of it, nor one in which the pace was what held requests back,
//! but for what was throttled; nothing rises while our own processors are full.

mod measure;
mod pace;

use std::fmt;
use std::time::Duration;

use base::units::MIB;

use self::measure::{Measure, Test};
use self::pace::Pace;

/// Where the search begins unless the bounds say otherwise.
/// A guess, not measured: high enough that small runs do not wait for the search, low enough that
/// a store that throttles is not met with hundreds of requests at once.
pub const START: usize = 32;

/// Share by which work must grow for a doubled limit to stay.
/// Reason: below a knee it grows by up to the whole, and what is missed by not doubling a step up
/// finds.
const DOUBLING: Test = Test {
    ratio: 1.10,
    work_max: 400.0,
    passed_max: Duration::from_secs(4),
};
/// The same for a probe of a quarter more: less than that would miss more than it spares.
const PROBE_UP: Test = Test {
    ratio: 1.06,
    work_max: 3_000.0,
    passed_max: Duration::from_secs(10),
};
/// Share of the work that a probe of a fifth less must keep to stay.
const PROBE_DOWN: Test = Test {
    ratio: 0.96,
    ..PROBE_UP
};

/// The least time over which work is measured.
const MEASURE_MIN: Duration = Duration::from_millis(200);
/// Work after which a first measurement is good enough to double, and the time after which it is.
const FIRST_WORK: f64 = 100.0;
const FIRST_MAX: Duration = Duration::from_secs(4);
/// The least time for which a change is let settle.
const SETTLE_MIN: Duration = Duration::from_millis(100);

/// Time between two probes: at first, and at the most once probes change nothing.
const REST_MIN: Duration = Duration::from_secs(1);
const REST_MAX: Duration = Duration::from_secs(8);
/// How often longer than a probe the rest after it is, so that probes cost little where they last.
const REST_PER_PROBE: u32 = 3;
const REST_AT_MOST: Duration = Duration::from_secs(16);

/// What a step up makes of the limit.
const STEP_UP: f64 = 1.25;
/// What the first step down leaves of the limit, and what the longest one leaves.
const STRIDE: f64 = 0.8;
const STRIDE_MIN: f64 = 0.4;

/// Share of throttled answers above which the limit is halved.
const HEAVY: f64 = 0.1;
/// The least time between two cuts: what was under way still comes back.
const DEAF_MIN: Duration = Duration::from_millis(50);

/// Between what the limit is sought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// At least one.
    pub min: usize,
    /// At least `min`.
    pub max: usize,
}

/// What happened at an endpoint in a stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Sample {
    /// How long the stretch was.
    pub passed: Duration,
    /// Requests answered in it, those that were throttled included.
    pub answers: u64,
    /// Of these, answers that asked for less.
    pub throttled: u64,
    /// Time from a request to the head of its answer, summed over `answers`.
    pub waited: Duration,
    /// Bytes of bodies that went either way.
    pub bytes: u64,
    /// Most slots in use at once.
    pub peak: usize,
    /// Whether our own processors were full.
    pub cpu_full: bool,
}

/// A limit that moved, and why.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    /// The limit before.
    pub from: usize,
    /// The limit now.
    pub to: usize,
    /// Requests a second that are let through; none where that is not limited.
    pub pace: Option<f64>,
    /// Why.
    pub reason: Reason,
}

/// Why a limit moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The endpoint asked for less.
    Throttled,
    /// Work rises with the limit.
    WorkRises,
    /// Work did not rise with the last step up.
    NoGain,
    /// Looking whether more would do more.
    ProbeUp,
    /// Looking whether less would do as much.
    ProbeDown,
    /// Less did less.
    Needed,
    /// Creeping back towards where it was throttled.
    Recovering,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reason::Throttled => "the store asks for less",
            Reason::WorkRises => "more gets done with it",
            Reason::NoGain => "more of it got no more done",
            Reason::ProbeUp => "looking whether more gets more done",
            Reason::ProbeDown => "looking whether less gets as much done",
            Reason::Needed => "less of it got less done",
            Reason::Recovering => "no more throttling for a while",
        })
    }
}

/// The search for one endpoint's limit.
#[derive(Debug, Clone)]
pub struct Tuner {
    bounds: Bounds,
    limit: usize,
    /// Once throttling was met: how many requests a second are let through.
    pace: Option<Pace>,
    mode: Mode,
    /// Time during which requests of before the last change still come back.
    settling: Duration,
    /// The same for throttled answers after a cut.
    deaf: Duration,
    /// What was done since the last change.
    gathered: Measure,
    /// From a request to the head of its answer, as last measured.
    latency: Duration,
    /// How long the next rest lasts.
    rest: Duration,
    /// Whether the next probe goes up.
    up_next: bool,
    /// What the next step down leaves of the limit; longer after each one that stayed.
    stride: f64,
}

/// What the search is about to learn.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Mode {
    /// Doubling; what was done before the last doubling.
    Climb { before: Option<Measure> },
    /// Resting until so much was measured; what earlier rests at this limit saw.
    Rest {
        left: Duration,
        before: Option<Measure>,
    },
    /// A step away from where it rested.
    Probe { up: bool, before: Measure },
}

impl Sample {
    /// Requests done and mebibytes moved.
    fn work(&self) -> f64 {
        let done = self.answers.saturating_sub(self.throttled);
        done as f64 + self.bytes as f64 / MIB as f64
    }

    /// From a request to the head of its answer, in the mean; zero where nothing was answered.
    fn latency(&self) -> Duration {
        let answers = u32::try_from(self.answers).unwrap_or(u32::MAX);
        self.waited.checked_div(answers).unwrap_or_default()
    }
}

impl Tuner {
    /// A search between `bounds` that begins at `start`.
    pub fn new(bounds: Bounds, start: usize) -> Tuner {
        assert!(
            1 <= bounds.min && bounds.min <= bounds.max,
            "bounds are at least one, and in order"
        );
        let limit = start.clamp(bounds.min, bounds.max);
        Tuner {
            bounds,
            limit,
            pace: None,
            mode: Mode::Climb { before: None },
            settling: Duration::ZERO,
            deaf: Duration::ZERO,
            gathered: Measure::of(limit),
            latency: Duration::ZERO,
            rest: REST_MIN,
            up_next: true,
            stride: STRIDE,
        }
    }

    /// The limit now.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Requests a second that are let through now; none where that is not limited.
    pub fn pace(&self) -> Option<f64> {
        self.pace.as_ref().map(Pace::rate)
    }

    /// Takes a sample, and says what changes by it.
    pub fn observe(&mut self, sample: &Sample) -> Option<Change> {
        self.deaf = self.deaf.saturating_sub(sample.passed);
        if let Some(pace) = &mut self.pace {
            pace.gather(sample);
        }
        if sample.throttled > 0 {
            return self.throttled(sample);
        }
        if !self.settling.is_zero() {
            self.settling = self.settling.saturating_sub(sample.passed);
            return None;
        }
        if sample.cpu_full {
            return None;
        }
        if let Some(pace) = &mut self.pace {
            let rose = pace.rise();
            if pace.is_of_no_use() {
                self.pace = None;
            }
            if rose {
                return Some(self.same(Reason::Recovering));
            }
        }
        // Nothing is learnt of a limit that was not what limited.
        if sample.peak < self.limit || self.pace.as_ref().is_some_and(Pace::binds) {
            return None;
        }
        self.gathered.add(sample);
        // At first nothing was waited for to settle.
        let latencies = 1 + u32::from(self.latency.is_zero());
        let least = latencies * self.gathered.latency();
        if self.gathered.passed() < MEASURE_MIN.max(least) {
            return None;
        }
        self.latency = self.gathered.latency();
        self.decide()
    }

    /// Keeps to what gets through, and halves the limit where much does not.
    fn throttled(&mut self, sample: &Sample) -> Option<Change> {
        if !self.deaf.is_zero() {
            return None;
        }
        self.deaf = sample.latency().max(DEAF_MIN);
        self.settling = self.deaf;
        // Where there is a pace, a lower one is all that is needed.
        let first = self.pace.is_none();
        let pace = self.pace.get_or_insert_with(|| Pace::of(sample));
        if pace.throttled(sample) > HEAVY && first {
            self.rest = REST_MIN;
            self.rest(None);
            let half = sample.peak.clamp(1, self.limit) / 2;
            if let Some(change) = self.step(half, Reason::Throttled) {
                return Some(change);
            }
        }
        Some(self.same(Reason::Throttled))
    }

    /// What follows from what was gathered, once it says something.
    fn decide(&mut self) -> Option<Change> {
        let now = self.gathered;
        match self.mode {
            Mode::Climb { before: None } => {
                let enough = now.work() >= FIRST_WORK || now.passed() >= FIRST_MAX;
                enough.then(|| self.climb(now)).flatten()
            }
            Mode::Climb {
                before: Some(before),
            } => {
                if now.passes(&before, &DOUBLING)? {
                    return self.climb(now);
                }
                self.rest(Some(before));
                self.step(before.limit, Reason::NoGain)
            }
            Mode::Rest { left, before } => {
                if now.passed() < left {
                    return None;
                }
                let seen = before.map_or(now, |before| now.joined(before));
                self.probe(seen)
            }
            Mode::Probe { up: true, before } => {
                if now.passes(&before, &PROBE_UP)? {
                    self.rest = REST_MIN;
                    return self.climb(now);
                }
                self.rest_longer(before);
                self.step(before.limit, Reason::NoGain)
            }
            Mode::Probe { up: false, before } => {
                if now.passes(&before, &PROBE_DOWN)? {
                    self.rest = REST_MIN;
                    self.up_next = false;
                    self.stride = (self.stride * self.stride).max(STRIDE_MIN);
                    // The best seen stays the measure, or small losses would add up.
                    return self.probe(now.or_better(before));
                }
                self.rest_longer(before);
                self.step(before.limit, Reason::Needed)
            }
        }
    }

    fn climb(&mut self, now: Measure) -> Option<Change> {
        let next = self.limit.saturating_mul(2).min(self.bounds.max);
        // A bound that is near is a matter for a probe, and so high up it matters more whether
        // less does as much.
        if next <= scaled(self.limit, STEP_UP) {
            self.up_next = false;
            self.rest(Some(now));
            return None;
        }
        self.mode = Mode::Climb { before: Some(now) };
        self.step(next, Reason::WorkRises)
    }

    fn rest(&mut self, before: Option<Measure>) {
        self.stride = STRIDE;
        self.gathered = Measure::of(self.limit);
        self.mode = Mode::Rest {
            left: self.rest,
            before,
        };
    }

    /// Goes back to resting where `before` was seen, for longer than last time.
    fn rest_longer(&mut self, before: Measure) {
        let probe = self.gathered.passed() * REST_PER_PROBE;
        self.rest = (self.rest * 2).min(REST_MAX).max(probe).min(REST_AT_MOST);
        self.rest(Some(before));
    }

    /// A step up or down, in turn; the other way where one is closed.
    fn probe(&mut self, before: Measure) -> Option<Change> {
        let up = (self.limit + 1).max(scaled(self.limit, STEP_UP));
        let up = up.min(self.bounds.max);
        let down = scaled(self.limit, self.stride).max(self.bounds.min);
        let goes_up = match (up > self.limit, down < self.limit) {
            (true, true) => self.up_next,
            (may_go_up, _) => may_go_up,
        };
        self.up_next = !goes_up;
        let (next, reason) = match goes_up {
            true => (up, Reason::ProbeUp),
            false => (down, Reason::ProbeDown),
        };
        if next == self.limit {
            self.rest_longer(before);
            return None;
        }
        self.mode = Mode::Probe {
            up: goes_up,
            before,
        };
        self.step(next, reason)
    }

    /// Moves the limit, and lets what is under way come back before anything is measured.
    fn step(&mut self, to: usize, reason: Reason) -> Option<Change> {
        let to = to.clamp(self.bounds.min, self.bounds.max);
        let from = std::mem::replace(&mut self.limit, to);
        self.gathered = Measure::of(to);
        if from == to {
            return None;
        }
        self.settling = self.settling.max(SETTLE_MIN).max(self.latency);
        Some(Change {
            from,
            to,
            pace: self.pace(),
            reason,
        })
    }

    fn same(&self, reason: Reason) -> Change {
        Change {
            from: self.limit,
            to: self.limit,
            pace: self.pace(),
            reason,
        }
    }
}

/// The whole part of a limit times a share; limits are small and not negative.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "limits lie between zero and some thousands"
)]
fn scaled(limit: usize, by: f64) -> usize {
    (limit as f64 * by) as usize
}

#[cfg(test)]
mod tests;
