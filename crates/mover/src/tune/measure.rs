//! Work done under one limit, and what two such measurements tell of each other. Pure.
//!
//! What is counted comes as it likes: the noise of a count is its square root. So a comparison says
//! nothing until the difference stands out, or until more patience would cost more than an error.

use std::time::Duration;

use super::Sample;

/// By how many times its noise a difference must stand out.
/// Reason: probes that err are mended by the next; at two, one in some tens errs.
const STANDS_OUT: f64 = 2.0;

/// Work beyond which older work counts by half: stores change.
const OLD_WORK: f64 = 6_000.0;

/// Work done while one limit held.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Measure {
    /// The limit.
    pub(super) limit: usize,
    /// Requests and mebibytes.
    work: f64,
    passed: Duration,
    answers: u64,
    waited: Duration,
}

/// What a measurement must come to beside another one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Test {
    /// At least this share of the other's work a second.
    pub(super) ratio: f64,
    /// Work after which it is decided as it looks.
    pub(super) work_max: f64,
    /// Time after which it is.
    pub(super) passed_max: Duration,
}

impl Measure {
    /// Nothing yet, under a limit.
    pub(super) fn of(limit: usize) -> Measure {
        Measure {
            limit,
            work: 0.0,
            passed: Duration::ZERO,
            answers: 0,
            waited: Duration::ZERO,
        }
    }

    pub(super) fn add(&mut self, sample: &Sample) {
        self.work += sample.work();
        self.passed += sample.passed;
        self.answers += sample.answers;
        self.waited += sample.waited;
    }

    /// Requests done and mebibytes moved.
    pub(super) fn work(&self) -> f64 {
        self.work
    }

    pub(super) fn passed(&self) -> Duration {
        self.passed
    }

    /// From a request to the head of its answer, in the mean; zero where nothing was answered.
    pub(super) fn latency(&self) -> Duration {
        let answers = u32::try_from(self.answers).unwrap_or(u32::MAX);
        self.waited.checked_div(answers).unwrap_or_default()
    }

    /// Requests and mebibytes a second.
    fn rate(&self) -> f64 {
        self.work / self.passed.as_secs_f64().max(0.001)
    }

    /// This and what was measured earlier under the same limit, unless that no longer holds.
    pub(super) fn joined(self, earlier: Measure) -> Measure {
        let ratio = self.rate() / earlier.rate().max(0.001);
        if (ratio - 1.0).abs() > STANDS_OUT * 1.5 * noise(&self, &earlier) {
            return self;
        }
        let share = match self.work + earlier.work > OLD_WORK {
            true => 0.5,
            false => 1.0,
        };
        Measure {
            work: self.work + share * earlier.work,
            passed: self.passed + earlier.passed.mul_f64(share),
            ..self
        }
    }

    /// This limit with the better one's work.
    pub(super) fn or_better(self, other: Measure) -> Measure {
        let better = if other.rate() > self.rate() {
            other
        } else {
            self
        };
        Measure {
            limit: self.limit,
            ..better
        }
    }

    /// Whether it passes a test beside `before`; `None` while nobody can say.
    pub(super) fn passes(&self, before: &Measure, test: &Test) -> Option<bool> {
        let beyond = self.rate() / before.rate().max(0.001) - test.ratio;
        let clear = beyond.abs() >= STANDS_OUT * test.ratio * noise(self, before);
        let enough = self.work >= test.work_max || self.passed >= test.passed_max;
        (clear || enough).then_some(beyond > 0.0)
    }
}

/// The noise of the ratio of two measurements.
fn noise(one: &Measure, other: &Measure) -> f64 {
    (1.0 / one.work.max(1.0) + 1.0 / other.work.max(1.0)).sqrt()
}
