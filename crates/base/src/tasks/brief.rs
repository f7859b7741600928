//! Brief work on files: done where it stands for as long as it is brief.
//!
//! Overview: to open, read or rename a small file takes some 10 µs where the page cache answers.
//! To have another thread do it costs more than that: two wake-ups, and a thread for each piece
//! that waits. On a cold or remote disk the same work takes milliseconds, and would hold up every
//! request of its reactor. So each piece is timed, and [`Gauge`] decides where the next one runs.
//! Invariants: none is lost, wherever it runs. Ordering: none. Cancellation: dropping the future
//! before it is polled does nothing; work that another thread has begun is finished there.
//! Limits: a disk that stops answering holds up one reactor by the one piece that found out.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::blocking;

/// Work that takes longer was not brief: what the house lets block a reactor.
const BRIEF_MAX: Duration = Duration::from_micros(500);

/// How much one slow piece counts against one brief piece.
/// Reason: one slow piece in sixteen is a busy machine's scheduler; more are the disk.
const SLOW_WEIGHT: u32 = 16;

/// Weight at which work leaves the reactor; it comes back once all of it is worn off.
/// A guess, not measured: six slow pieces in a row, then a hundred brief ones.
const AWAY_AT: u32 = 6 * SLOW_WEIGHT;

/// Where brief work runs now. One for the process, as its disks are.
static GAUGE: Gauge = Gauge::new();

/// Runs work that is brief where nothing is slow: a small file from the page cache, a rename.
///
/// Returns the closure's value; a panic inside goes on in the caller.
pub async fn brief<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    if GAUGE.is_brief() {
        return timed(work);
    }
    blocking(move || timed(work)).await
}

fn timed<T>(work: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let value = work();
    GAUGE.observe(began.elapsed());
    value
}

/// Whether work has been brief lately.
#[derive(Debug)]
struct Gauge(AtomicU32);

impl Gauge {
    /// Set while work is done elsewhere; the rest is the weight.
    const AWAY: u32 = 1 << 31;

    const fn new() -> Gauge {
        Gauge(AtomicU32::new(0))
    }

    fn is_brief(&self) -> bool {
        self.0.load(Ordering::Relaxed) & Gauge::AWAY == 0
    }

    fn observe(&self, took: Duration) {
        let brief = took <= BRIEF_MAX;
        let state = self.0.load(Ordering::Relaxed);
        let next = Gauge::after(state, brief);
        // A count that is lost to another thread makes no difference.
        if next != state {
            self.0.store(next, Ordering::Relaxed);
        }
    }

    /// The state after one more piece. Pure.
    fn after(state: u32, brief: bool) -> u32 {
        let weight = state & !Gauge::AWAY;
        let weight = match brief {
            true => weight.saturating_sub(1),
            false => (weight + SLOW_WEIGHT).min(AWAY_AT),
        };
        let away = weight == AWAY_AT || (state & Gauge::AWAY != 0 && weight > 0);
        if away { weight | Gauge::AWAY } else { weight }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_work_leaves_the_reactor_and_brief_work_comes_back() {
        let gauge = Gauge::new();
        let slow = 2 * BRIEF_MAX;
        for _ in 0..10_000 {
            // A scheduler's pause now and then is no slow disk.
            (0..20).for_each(|_| gauge.observe(Duration::ZERO));
            gauge.observe(slow);
            assert!(gauge.is_brief());
        }
        let until_away = (1..).find(|_| {
            gauge.observe(slow);
            !gauge.is_brief()
        });
        assert!(until_away.is_some_and(|pieces| pieces <= 6));
        (0..1_000).for_each(|_| gauge.observe(slow));
        let until_back = (1..).find(|_| {
            gauge.observe(Duration::ZERO);
            gauge.is_brief()
        });
        assert_eq!(until_back, Some(AWAY_AT));
    }

    #[tokio::test]
    async fn work_is_done_once_wherever_it_runs() {
        let gauge = &GAUGE;
        for away in [0, Gauge::AWAY | AWAY_AT] {
            gauge.0.store(away, Ordering::Relaxed);
            assert_eq!(brief(|| 7).await, 7);
        }
    }
}
