//! How many requests a second a store lets through, once it has asked for less. Pure.
//!
//! Overview: what got through when requests were refused is what the store allows; the pace is a
//! little less, rises gently while it is what holds requests back, and in strides where it has long
//! passed what was refused. Limits: a store that refuses by the number of requests at once is met
//! by the same pace, since that number is requests a second times latency.

use std::time::Duration;

use super::Sample;

/// The slowest pace, in requests a second.
const MIN: f64 = 0.5;
/// What a pace is of what got through.
const BELOW: f64 = 0.95;
/// The least that one cut leaves: few answers say little.
const CUT_MIN: f64 = 0.5;
/// Answers from which on what got through is taken at its word.
const MANY: u64 = 20;
/// Between two rises: so long, and so many requests.
const EVERY: Duration = Duration::from_secs(1);
const EVERY_REQUESTS: f64 = 10.0;
/// A rise near what was refused, and away from it.
const CREEP: f64 = 1.04;
const STRIDE: f64 = 1.3;
/// Shares of what was refused between which a pace is near it.
const NEAR: std::ops::RangeInclusive<f64> = 0.9..=1.1;
/// Share of the pace that must be asked for: else something else holds requests back.
const BINDING: f64 = 0.85;
/// How far beyond what was refused a pace is of no use any more.
const FORGOTTEN: f64 = 4.0;

/// The requests a second that one endpoint is asked for at the most.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pace {
    rate: f64,
    /// What got through when the store last refused.
    refused_at: f64,
    /// Whether it is what holds requests back.
    binds: bool,
    /// Since the last change.
    passed: Duration,
    answers: u64,
}

impl Pace {
    /// A pace that lets everything through that `sample` asked for.
    pub(super) fn of(sample: &Sample) -> Pace {
        let asked = sample.answers as f64 / sample.passed.as_secs_f64().max(0.001);
        Pace {
            rate: asked,
            refused_at: asked,
            binds: false,
            passed: sample.passed,
            answers: sample.answers,
        }
    }

    /// In requests a second.
    pub(super) fn rate(&self) -> f64 {
        self.rate
    }

    /// Whether it is what holds requests back.
    pub(super) fn binds(&self) -> bool {
        self.binds
    }

    /// Whether the store has long let through what it once refused.
    pub(super) fn is_of_no_use(&self) -> bool {
        self.rate > FORGOTTEN * self.refused_at
    }

    pub(super) fn gather(&mut self, sample: &Sample) {
        self.passed += sample.passed;
        self.answers += sample.answers;
    }

    /// Falls below what got through; `sample` was gathered. Returns the share that was refused of
    /// all that was asked since the last change.
    pub(super) fn throttled(&mut self, sample: &Sample) -> f64 {
        let asked = self.answers as f64 / self.passed.as_secs_f64().max(0.001);
        // One more might have got through than was seen to.
        let through = self.answers.saturating_sub(sample.throttled) + 1;
        let share = through as f64 / self.answers.max(1) as f64;
        let least = if self.answers >= MANY { 0.0 } else { CUT_MIN };
        self.refused_at = (self.rate.min(asked) * share.clamp(least, 1.0)).max(MIN);
        self.rate = (self.refused_at * BELOW).max(MIN);
        self.binds = true;
        let refused = sample.throttled as f64 / self.answers.max(1) as f64;
        self.begin();
        refused
    }

    /// Rises if it is time to, and it is what holds requests back; whether it rose.
    pub(super) fn rise(&mut self) -> bool {
        if self.passed < EVERY.max(Duration::from_secs_f64(EVERY_REQUESTS / self.rate)) {
            return false;
        }
        let asked = self.answers as f64 / self.passed.as_secs_f64();
        self.begin();
        self.binds = asked >= BINDING * self.rate;
        if self.binds {
            let near = NEAR.contains(&(self.rate / self.refused_at));
            self.rate *= if near { CREEP } else { STRIDE };
        }
        self.binds
    }

    fn begin(&mut self) {
        self.passed = Duration::ZERO;
        self.answers = 0;
    }
}
