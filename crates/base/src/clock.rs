//! Time and randomness, in one place, so that a test can own both.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng};

/// A cheap handle to the time of day and to random numbers.
///
/// Waiting goes through tokio's clock, which a test pauses; the time of day comes from here.
#[derive(Clone)]
pub struct Clock(Arc<Inner>);

struct Inner {
    source: Source,
    random: Mutex<StdRng>,
}

enum Source {
    System,
    /// Starts at a set time and follows tokio's clock.
    Virtual {
        start: Timestamp,
        origin: tokio::time::Instant,
    },
}

impl Clock {
    /// The machine's clock and its entropy.
    pub fn system() -> Clock {
        let random = Mutex::new(StdRng::from_rng(&mut rand::rng()));
        Clock(Arc::new(Inner {
            source: Source::System,
            random,
        }))
    }

    /// A clock that starts at `start`, moves with tokio's (paused) clock, and draws from `seed`.
    /// Must be made inside a runtime.
    pub fn seeded(start: Timestamp, seed: u64) -> Clock {
        let random = Mutex::new(StdRng::seed_from_u64(seed));
        let source = Source::Virtual {
            start,
            origin: tokio::time::Instant::now(),
        };
        Clock(Arc::new(Inner { source, random }))
    }

    /// The time of day.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that asks the machine"
    )]
    pub fn now(&self) -> Timestamp {
        match &self.0.source {
            Source::System => Timestamp::now(),
            Source::Virtual { start, origin } => {
                let passed = SignedDuration::try_from(origin.elapsed())
                    .expect("a test does not run for 292 billion years");
                start
                    .checked_add(passed)
                    .expect("a test starts within the calendar")
            }
        }
    }

    /// A random duration between zero and `max`.
    pub fn jitter(&self, max: Duration) -> Duration {
        max.mul_f64(self.0.random.lock().random::<f64>())
    }

    /// A random number, for names that must not collide.
    pub fn random_u64(&self) -> u64 {
        self.0.random.lock().random()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.source {
            Source::System => f.write_str("Clock(system)"),
            Source::Virtual { start, .. } => write!(f, "Clock(virtual from {start})"),
        }
    }
}
