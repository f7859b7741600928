//! How many requests may begin in a second.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// How far a pace may catch up after turns were taken late.
/// Reason: tokio's timer wakes up to a millisecond late; without this, no pace above a thousand a
/// second could be kept.
const CATCH_UP: Duration = Duration::from_millis(20);

/// Turns at an even pace, for whoever takes one before each request. Cheap to clone; clones share
/// the pace.
///
/// Two bounds meet here, and the lower one holds: the one that was set once, and the one that may
/// change while it is in use. Ordering: first come, first served. Cancellation: dropping a waiting
/// turn takes none. Limits: those who wait are bounded by their callers.
#[derive(Debug, Clone, Default)]
pub struct Pace(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// Held while the first in line waits, so that the others queue behind it.
    next: tokio::sync::Mutex<Option<Instant>>,
    bounds: Mutex<Bounds>,
}

/// In requests a second; none: no bound.
#[derive(Debug, Clone, Copy, Default)]
struct Bounds {
    set: Option<f64>,
    found: Option<f64>,
}

impl Bounds {
    fn lower(self) -> Option<f64> {
        match (self.set, self.found) {
            (Some(set), Some(found)) => Some(set.min(found)),
            (one, other) => one.or(other),
        }
    }
}

impl Pace {
    /// At most so many turns a second.
    pub fn at_most(per_second: f64) -> Pace {
        let pace = Pace::default();
        pace.0.bounds.lock().set = Some(per_second);
        pace
    }

    /// Changes the bound that was found; it never lifts the one that was set.
    pub fn set_found(&self, per_second: Option<f64>) {
        self.0.bounds.lock().found = per_second;
    }

    /// Waits for one's turn.
    pub async fn turn(&self) {
        if self.0.bounds.lock().lower().is_none() {
            return;
        }
        let mut next = self.0.next.lock().await;
        let Some(rate) = self.0.bounds.lock().lower() else {
            return;
        };
        let now = Instant::now();
        let earliest = now.checked_sub(CATCH_UP).unwrap_or(now);
        let turn = next.unwrap_or(now).max(earliest);
        if turn > now {
            tokio::time::sleep_until(turn).await;
        }
        let interval = Duration::try_from_secs_f64(1.0 / rate).unwrap_or(Duration::MAX);
        *next = turn.checked_add(interval);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn turns_in(pace: &Pace, time: Duration) -> u32 {
        let end = Instant::now() + time;
        let mut turns = 0;
        while tokio::time::timeout_at(end, pace.turn()).await.is_ok() && Instant::now() < end {
            turns += 1;
        }
        turns
    }

    #[tokio::test(start_paused = true)]
    async fn the_lower_bound_holds_at_any_pace() {
        let minute = Duration::from_secs(60);
        for rate in [0.5, 10.0, 3_500.0] {
            let turns = f64::from(turns_in(&Pace::at_most(rate), minute).await);
            let expected = rate * 60.0;
            assert!(
                (turns - expected).abs() <= expected * 0.02 + 1.0,
                "{turns} at {rate}"
            );
        }
        let pace = Pace::at_most(100.0);
        pace.set_found(Some(10.0));
        assert!((599..=601).contains(&turns_in(&pace, minute).await));
        pace.set_found(Some(1_000.0));
        assert!((5_900..=6_001).contains(&turns_in(&pace, minute).await));
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_bound_nobody_waits() {
        let began = Instant::now();
        let pace = Pace::default();
        for _ in 0..10_000 {
            pace.turn().await;
        }
        assert_eq!(Instant::now(), began);
    }
}
