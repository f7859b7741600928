//! How many requests one endpoint takes best. Pure: samples in, a limit out.
//!
//! Overview: work is requests answered plus mebibytes moved, a second. From a small start the
//! limit doubles while work rises; then it rests and probes a step up and a step down in turn. A
//! step up stays if work rose with it, a step down if work did not fall, so that latency that
//! grows without work growing brings the limit down. An answer that asks for less (503 SlowDown)
//! cuts the limit at once, once in a latency's time, and makes a ceiling under which it then
//! climbs gently; where one request at a time is still too much, requests are paced. Invariants:
//! the limit stays within its bounds; a sample in which the limit was not reached says nothing of
//! it, but for what was throttled; nothing rises while our own processors are full. Not handled,
//! because a second of misjudgement is cheap: noise that looks like a rise; the next probe mends
//! it.

use std::fmt;
use std::time::Duration;

use base::units::MIB;

/// Where the search begins unless the bounds say otherwise.
/// A guess, not measured: high enough that small runs do not wait for the search, low enough that
/// a store that throttles is not met with hundreds of requests at once.
pub const START: usize = 32;

/// Least share by which work must grow for a doubled limit to stay.
/// Reason: below a knee it grows by up to the whole; noise over a measurement is some hundredths.
const RISE_ON_DOUBLING: f64 = 1.10;
/// The same for a probe of a quarter more.
const RISE_ON_PROBE: f64 = 1.09;
/// Least share of the work that a probe of a fifth less must keep to stay.
const KEPT_ON_PROBE: f64 = 0.95;

/// The least time over which work is measured.
const MEASURE_MIN: Duration = Duration::from_millis(200);
/// A measurement ends after this even where little work was done.
const MEASURE_MAX: Duration = Duration::from_secs(4);
/// The least time for which a change is let settle.
const SETTLE_MIN: Duration = Duration::from_millis(100);
/// Work over which a measurement is steady enough to double by, and to probe by.
/// Reason: the noise of a count is its square root: 7 and 4 hundredths.
const STEADY_FOR_DOUBLING: f64 = 200.0;
const STEADY_FOR_PROBE: f64 = 600.0;

/// Time between two probes: at first, and at the most once probes change nothing.
const REST_MIN: Duration = Duration::from_secs(1);
const REST_MAX: Duration = Duration::from_secs(8);

/// What the first step down leaves of the limit, and what the longest one leaves.
const STRIDE: f64 = 0.8;
const STRIDE_MIN: f64 = 0.4;

/// Share of throttled answers above which the limit is halved instead of cut by a fifth.
const HEAVY: f64 = 0.1;
/// Share of the limit that was throttled at which the ceiling is set.
const CEILING: f64 = 0.9;
/// How the ceiling, and the pace, rise with each measurement without throttling.
const CREEP: f64 = 1.02;
/// What a throttled pace keeps of what was let through.
const PACE_CUT: f64 = 0.8;
/// Between two steps of a pace.
const PACE_EVERY: Duration = Duration::from_secs(1);
/// Shares of the throttled pace around it in which steps are small, and what others come to.
const PACE_NEAR: f64 = 0.15;
const PACE_STRIDE: f64 = 1.15;
/// The slowest pace, in requests a second.
const PACE_MIN: f64 = 0.5;

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
    /// Requests a second let through, where one at a time is too much.
    pace: Option<f64>,
    /// What got through when it was last throttled, in requests a second.
    pace_throttled: f64,
    mode: Mode,
    /// Set once throttling was met: the limit rises no higher than this for now.
    ceiling: Option<f64>,
    /// Time during which requests of before the last change still come back.
    settling: Duration,
    /// The same for throttled answers after a cut.
    deaf: Duration,
    gathered: Sample,
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
    /// Resting for so long.
    Rest { left: Duration },
    /// A step away from where it rested.
    Probe { up: bool, before: Measure },
}

/// Work done under a limit.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Measure {
    limit: usize,
    /// Requests and mebibytes a second.
    work: f64,
    /// Over how long.
    passed: Duration,
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

    fn add(&mut self, other: &Sample) {
        self.passed += other.passed;
        self.answers += other.answers;
        self.throttled += other.throttled;
        self.waited += other.waited;
        self.bytes += other.bytes;
    }
}

impl Tuner {
    /// A search between `bounds` that begins at `start`.
    pub fn new(bounds: Bounds, start: usize) -> Tuner {
        assert!(
            1 <= bounds.min && bounds.min <= bounds.max,
            "bounds are at least one, and in order"
        );
        Tuner {
            bounds,
            limit: start.clamp(bounds.min, bounds.max),
            pace: None,
            pace_throttled: 1.0,
            mode: Mode::Climb { before: None },
            ceiling: None,
            settling: Duration::ZERO,
            deaf: Duration::ZERO,
            gathered: Sample::default(),
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
        self.pace
    }

    /// Takes a sample, and says what changes by it.
    pub fn observe(&mut self, sample: &Sample) -> Option<Change> {
        self.deaf = self.deaf.saturating_sub(sample.passed);
        if sample.throttled > 0 {
            return self.throttled(sample);
        }
        if !self.settling.is_zero() {
            self.settling = self.settling.saturating_sub(sample.passed);
            return None;
        }
        // Nothing is learnt of a limit that was not what limited.
        if sample.peak < self.limit || sample.cpu_full {
            return None;
        }
        self.gathered.add(sample);
        let measure = self.measured()?;
        if self.pace.is_some() {
            return self.pace_up();
        }
        self.decide(measure)
    }

    /// What was done under the present limit, once enough was seen.
    fn measured(&mut self) -> Option<Measure> {
        let gathered = self.gathered;
        let steady = match self.mode {
            Mode::Climb { .. } => STEADY_FOR_DOUBLING,
            Mode::Rest { .. } | Mode::Probe { .. } => STEADY_FOR_PROBE,
        };
        let least = MEASURE_MIN.max(2 * gathered.latency());
        let enough = gathered.work() >= steady || gathered.passed >= MEASURE_MAX;
        // A pace is kept without noise: it needs no count.
        let enough = enough || self.pace.is_some() && gathered.passed >= PACE_EVERY;
        if gathered.passed < least || !enough {
            return None;
        }
        self.gathered = Sample::default();
        self.latency = gathered.latency();
        Some(Measure {
            limit: self.limit,
            work: gathered.work() / gathered.passed.as_secs_f64(),
            passed: gathered.passed,
        })
    }

    /// Cuts the limit, and where there is nothing left to cut, the pace.
    fn throttled(&mut self, sample: &Sample) -> Option<Change> {
        if !self.deaf.is_zero() {
            return None;
        }
        self.deaf = sample.latency().max(Duration::from_millis(50));
        self.settling = self.deaf;
        self.gathered = Sample::default();
        self.rest = REST_MIN;
        self.mode = Mode::Rest { left: self.rest };
        let share = sample.throttled as f64 / sample.answers.max(1) as f64;
        let used = sample.peak.clamp(1, self.limit);
        self.ceiling = Some((used as f64 * CEILING).max(1.0));
        let cut = if share > HEAVY { 0.5 } else { 0.8 };
        if used <= self.bounds.min {
            let seconds = sample.passed.as_secs_f64().max(0.001);
            let good = sample.answers.saturating_sub(sample.throttled) as f64 / seconds;
            let now = self
                .pace
                .unwrap_or(sample.answers as f64 / seconds)
                .min(good.max(PACE_MIN) / CEILING);
            self.pace_throttled = now;
            self.pace = Some((now * PACE_CUT).max(PACE_MIN));
        }
        self.step(scaled(used, cut), Reason::Throttled)
            .or_else(|| self.pace.map(|_| self.same(Reason::Throttled)))
    }

    /// Lets a paced endpoint have more: a little near where it was throttled, else in strides.
    fn pace_up(&mut self) -> Option<Change> {
        let pace = self.pace?;
        let near = (pace / self.pace_throttled - 1.0).abs() < PACE_NEAR;
        let faster = pace * if near { CREEP } else { PACE_STRIDE };
        // A thousand requests a second, one after another, is more than any store answers.
        self.pace = (faster < 1_000.0).then_some(faster);
        Some(self.same(Reason::Recovering))
    }

    fn decide(&mut self, measure: Measure) -> Option<Change> {
        let crept = self.creep();
        match self.mode {
            Mode::Climb { before: None } => self.climb(measure),
            Mode::Climb {
                before: Some(before),
            } if measure.work > before.work * RISE_ON_DOUBLING => self.climb(measure),
            Mode::Climb {
                before: Some(before),
            } => {
                self.rest();
                self.step(before.limit, Reason::NoGain)
            }
            Mode::Rest { left } if left <= measure.passed => self.probe(measure),
            Mode::Rest { left } => {
                let left = left - measure.passed;
                self.mode = Mode::Rest { left };
                crept.and_then(|limit| self.step(limit, Reason::Recovering))
            }
            Mode::Probe { up: true, before } if measure.work > before.work * RISE_ON_PROBE => {
                self.rest = REST_MIN;
                self.climb(measure)
            }
            Mode::Probe { up: true, before } => {
                self.rest_longer();
                self.step(before.limit, Reason::NoGain)
            }
            Mode::Probe { up: false, before } if measure.work >= before.work * KEPT_ON_PROBE => {
                self.rest = REST_MIN;
                self.up_next = false;
                self.stride = (self.stride * self.stride).max(STRIDE_MIN);
                // The best seen stays the measure, or small losses would add up.
                let best = Measure {
                    work: measure.work.max(before.work),
                    ..measure
                };
                self.probe(best)
            }
            Mode::Probe { up: false, before } => {
                self.rest_longer();
                self.step(before.limit, Reason::Needed)
            }
        }
    }

    /// Raises the ceiling a little; the limit that it lets through, if that is higher.
    fn creep(&mut self) -> Option<usize> {
        let ceiling = self.ceiling?;
        let raised = (ceiling * CREEP).max(ceiling + 0.5);
        self.ceiling = Some(raised);
        let limit = self.limit as f64;
        let towards = limit + ((raised - limit) / 4.0).max(1.0);
        let next = floor(towards.min(raised));
        (next > self.limit).then_some(next)
    }

    /// Doubles, as far as the ceiling lets it.
    fn climb(&mut self, measure: Measure) -> Option<Change> {
        let next = self.under_ceiling(self.limit.saturating_mul(2));
        if next <= self.limit {
            self.rest();
            return None;
        }
        self.mode = Mode::Climb {
            before: Some(measure),
        };
        self.step(next, Reason::WorkRises)
    }

    fn rest(&mut self) {
        self.stride = STRIDE;
        self.mode = Mode::Rest { left: self.rest };
    }

    fn rest_longer(&mut self) {
        self.rest = (self.rest * 2).min(REST_MAX);
        self.rest();
    }

    /// A step up or down, in turn; the other way where one is closed.
    fn probe(&mut self, before: Measure) -> Option<Change> {
        let up = self.under_ceiling((self.limit + 1).max(scaled(self.limit, 1.25)));
        let down = scaled(self.limit, self.stride).max(self.bounds.min);
        let goes_up = match (up > self.limit, down < self.limit) {
            (true, true) => self.up_next,
            (may_go_up, _) => may_go_up,
        };
        self.up_next = !goes_up;
        let (next, reason) = if goes_up {
            (up, Reason::ProbeUp)
        } else {
            (down, Reason::ProbeDown)
        };
        if next == self.limit {
            self.rest_longer();
            return None;
        }
        self.mode = Mode::Probe {
            up: goes_up,
            before,
        };
        self.step(next, reason)
    }

    fn under_ceiling(&self, limit: usize) -> usize {
        let ceiling = self.ceiling.map_or(usize::MAX, floor);
        limit.min(ceiling.max(1)).min(self.bounds.max)
    }

    /// Moves the limit, and lets what is under way come back before anything is measured.
    fn step(&mut self, to: usize, reason: Reason) -> Option<Change> {
        let to = to.clamp(self.bounds.min, self.bounds.max);
        let from = std::mem::replace(&mut self.limit, to);
        if from == to {
            return None;
        }
        self.gathered = Sample::default();
        self.settling = self.settling.max(SETTLE_MIN).max(self.latency);
        Some(Change {
            from,
            to,
            pace: self.pace,
            reason,
        })
    }

    fn same(&self, reason: Reason) -> Change {
        Change {
            from: self.limit,
            to: self.limit,
            pace: self.pace,
            reason,
        }
    }
}

fn scaled(limit: usize, by: f64) -> usize {
    floor(limit as f64 * by)
}

/// The whole part; limits are small and not negative.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "limits lie between zero and some thousands"
)]
fn floor(limit: f64) -> usize {
    limit as usize
}

#[cfg(test)]
mod tests;
