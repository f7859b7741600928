//! A bound on the bytes that go over the wire in a second.

use std::future::Future as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use jiff::tz::TimeZone;
use parking_lot::Mutex;
use tokio::time::{Instant, Sleep};

use super::schedule::Schedule;
use crate::clock::Clock;
use crate::units::Rate;

/// How much may go at once after a pause, as time at the full rate.
/// Reason: long enough that timers which wake a little late cost nothing, short against the second
/// by which people judge a rate.
const BURST: Duration = Duration::from_millis(100);

/// The longest that somebody waits before looking at the clock again.
/// Reason: a window's begin and end are to be kept within a second.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Bytes let through at the rate that the time of day allows. Cheap to clone; clones share the
/// rate, whichever way their bytes go.
///
/// Overview: every frame is given a place in one line, and goes when the line has moved on by as
/// many bytes as stand before it. Ordering: by place. Cancellation: a frame that is dropped keeps
/// its place, which costs its bytes. Limits: those who wait hold one frame each.
#[derive(Debug, Clone, Default)]
pub struct Bandwidth(Option<Arc<Shared>>);

#[derive(Debug)]
struct Shared {
    schedule: Schedule,
    clock: Clock,
    zone: TimeZone,
    line: Mutex<Line>,
}

/// In bytes since the begin; 2^53 of them are nine petabytes, beyond which a byte is rounded.
#[derive(Debug)]
struct Line {
    /// Given places up to here.
    given: f64,
    /// Moved on to here.
    moved: f64,
    looked_at: Instant,
}

/// Holds one stream of frames to a [`Bandwidth`].
#[derive(Debug)]
pub struct Throttle {
    bandwidth: Bandwidth,
    /// The place of the frame that waits.
    place: Option<f64>,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Bandwidth {
    /// Follows `schedule` by `clock`, in the machine's time zone.
    pub fn new(schedule: Schedule, clock: Clock) -> Bandwidth {
        Bandwidth::in_zone(schedule, clock, TimeZone::system())
    }

    /// Follows `schedule` by `clock` in `zone`.
    pub fn in_zone(schedule: Schedule, clock: Clock, zone: TimeZone) -> Bandwidth {
        if schedule.is_unlimited() {
            return Bandwidth::default();
        }
        let line = Mutex::new(Line {
            given: 0.0,
            moved: 0.0,
            looked_at: Instant::now(),
        });
        Bandwidth(Some(Arc::new(Shared {
            schedule,
            clock,
            zone,
            line,
        })))
    }

    /// What holds one stream of frames.
    pub fn throttle(&self) -> Throttle {
        Throttle {
            bandwidth: self.clone(),
            place: None,
            sleep: None,
        }
    }
}

impl Shared {
    fn rate(&self) -> Option<Rate> {
        let now = self.clock.now().to_zoned(self.zone.clone());
        self.schedule.at(now.time())
    }

    /// Moves the line on to now; the rate now.
    fn advance(&self, line: &mut Line) -> Option<Rate> {
        let now = Instant::now();
        let passed = now.saturating_duration_since(line.looked_at).as_secs_f64();
        line.looked_at = now;
        let rate = self.rate();
        line.moved = match rate {
            None => line.given,
            Some(rate) => {
                let ahead = line.given + rate.0 * BURST.as_secs_f64();
                (line.moved + rate.0 * passed).min(ahead)
            }
        };
        rate
    }

    /// A place behind all others.
    fn place(&self, bytes: usize) -> f64 {
        let mut line = self.line.lock();
        self.advance(&mut line);
        line.given += bytes as f64;
        line.given
    }

    /// How long the frame at `place` still waits before it looks again; none when it may go.
    fn wait(&self, place: f64) -> Option<Duration> {
        let mut line = self.line.lock();
        let rate = self.advance(&mut line)?;
        let missing = place - line.moved;
        if missing <= 0.0 {
            return None;
        }
        let wait = Duration::try_from_secs_f64(missing / rate.0).unwrap_or(LOOK_EVERY);
        Some(wait.clamp(Duration::from_millis(1), LOOK_EVERY))
    }
}

impl Throttle {
    /// Ready once a frame of so many bytes may go. Polled again for the same frame until it is,
    /// then for the next one.
    pub fn poll_go(&mut self, context: &mut Context<'_>, bytes: usize) -> Poll<()> {
        let Some(shared) = &self.bandwidth.0 else {
            return Poll::Ready(());
        };
        let place = *self.place.get_or_insert_with(|| shared.place(bytes));
        loop {
            let Some(wait) = shared.wait(place) else {
                self.place = None;
                return Poll::Ready(());
            };
            let due = Instant::now() + wait;
            let sleep = match &mut self.sleep {
                Some(sleep) => {
                    sleep.as_mut().reset(due);
                    sleep
                }
                none => none.insert(Box::pin(tokio::time::sleep_until(due))),
            };
            if sleep.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use jiff::Timestamp;

    use super::*;

    const FRAME: usize = 256 << 10;

    fn bandwidth(schedule: &str, now: &str) -> Bandwidth {
        let now: Timestamp = now.parse().unwrap();
        Bandwidth::in_zone(
            schedule.parse().unwrap(),
            Clock::seeded(now, 7),
            TimeZone::UTC,
        )
    }

    /// Starts streams of frames that never end, and counts their bytes.
    fn streams(bandwidth: &Bandwidth, count: usize) -> Arc<AtomicU64> {
        let sent = Arc::new(AtomicU64::new(0));
        for _ in 0..count {
            let (sent, mut throttle) = (Arc::clone(&sent), bandwidth.throttle());
            drop(crate::tasks::spawn("stream", async move {
                loop {
                    std::future::poll_fn(|context| throttle.poll_go(context, FRAME)).await;
                    sent.fetch_add(FRAME as u64, Ordering::Relaxed);
                }
            }));
        }
        sent
    }

    fn near(sent: &AtomicU64, expected: f64, share: f64) {
        let sent = sent.load(Ordering::Relaxed) as f64;
        assert!(
            (sent - expected).abs() <= share * expected,
            "{sent} of {expected}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn the_total_of_a_minute_is_kept_by_any_number_of_streams() {
        for count in [1, 64] {
            let bandwidth = bandwidth("50MB/s", "2026-11-22T12:00:00Z");
            let sent = streams(&bandwidth, count);
            tokio::time::sleep(Duration::from_secs(60)).await;
            near(&sent, 3e9, 0.02);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_window_that_begins_or_ends_is_honoured_while_bodies_are_under_way() {
        let schedule = "07:00-08:00=1MB/s,08:00-08:01=20MB/s,2MB/s";
        let bandwidth = bandwidth(schedule, "2026-11-22T07:59:00Z");
        let sent = streams(&bandwidth, 16);
        tokio::time::sleep(Duration::from_secs(60)).await;
        near(&sent, 60e6, 0.05);
        // A second of the new rate may be missing, or one of the old one be too much.
        sent.store(0, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_secs(60)).await;
        near(&sent, 1_200e6, 1.0 / 60.0);
        sent.store(0, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_secs(60)).await;
        near(&sent, 120e6, 0.17);
    }

    #[tokio::test(start_paused = true)]
    async fn outside_its_windows_nothing_waits() {
        let bandwidth = bandwidth("08:00-09:00=1B/s", "2026-11-22T07:59:58Z");
        let mut throttle = bandwidth.throttle();
        let began = Instant::now();
        for _ in 0..1_000 {
            std::future::poll_fn(|context| throttle.poll_go(context, FRAME)).await;
        }
        assert_eq!(Instant::now(), began);
        tokio::time::sleep(Duration::from_secs(3)).await;
        let go = std::future::poll_fn(|context| throttle.poll_go(context, FRAME));
        assert!(
            tokio::time::timeout(Duration::from_secs(60), go)
                .await
                .is_err()
        );
    }
}
