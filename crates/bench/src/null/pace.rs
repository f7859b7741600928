//! How slow the endpoint is on purpose.
//!
//! Latency is the wire's: any number of requests wait side by side. Servers are the store's: more
//! requests than there are servers queue, so that the rate stops rising at `servers / service`,
//! which is the knee that a client should find. Bandwidth is shared by all. The limit on requests
//! is a bucket that holds a tenth of a second's worth.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, sleep_until};

use super::options::NullOptions;

/// How long a burst may be before requests are refused, in seconds of the allowed rate: a guess.
const BURST_SECONDS: f64 = 0.1;

#[derive(Debug)]
pub(super) struct Pace {
    latency: Duration,
    servers: Option<Arc<Semaphore>>,
    service: Duration,
    bandwidth: Option<Line>,
    slow_down: Option<Mutex<Allowance>>,
}

/// A wire of so many bytes a second, with the time at which it will be free.
#[derive(Debug)]
struct Line {
    bytes_per_second: f64,
    free_at: Mutex<Instant>,
}

/// Requests that may come now, and when that was counted.
#[derive(Debug)]
struct Allowance {
    rate: f64,
    left: f64,
    counted_at: Instant,
}

impl Pace {
    pub(super) fn new(options: &NullOptions) -> Pace {
        Pace {
            latency: options.latency,
            servers: options.servers.map(|count| Arc::new(Semaphore::new(count))),
            service: options.service,
            bandwidth: options.bandwidth.map(|rate| Line {
                bytes_per_second: rate as f64,
                free_at: Mutex::new(Instant::now()),
            }),
            slow_down: options.slow_down.map(|rate| {
                Mutex::new(Allowance {
                    rate: rate as f64,
                    left: rate as f64 * BURST_SECONDS,
                    counted_at: Instant::now(),
                })
            }),
        }
    }

    /// Whether one more request is allowed now.
    pub(super) fn admits(&self) -> bool {
        let Some(allowance) = &self.slow_down else {
            return true;
        };
        let now = Instant::now();
        let mut allowance = allowance.lock();
        let gained = now.duration_since(allowance.counted_at).as_secs_f64() * allowance.rate;
        allowance.counted_at = now;
        allowance.left = (allowance.left + gained).min(allowance.rate * BURST_SECONDS);
        if allowance.left < 1.0 {
            return false;
        }
        allowance.left -= 1.0;
        true
    }

    /// Waits as long as an answer takes.
    pub(super) async fn answer(&self) {
        if let Some(servers) = &self.servers {
            let _server = servers.acquire().await.expect("nobody closes it");
            sleep(self.service).await;
        }
        self.wire().await;
    }

    /// Waits for the wire alone, as a refusal does.
    pub(super) async fn wire(&self) {
        if !self.latency.is_zero() {
            sleep(self.latency).await;
        }
    }

    /// Waits until so many bytes have passed.
    pub(super) async fn carry(&self, bytes: usize) {
        let Some(line) = &self.bandwidth else {
            return;
        };
        let until = {
            let mut free_at = line.free_at.lock();
            let begin = Instant::now().max(*free_at);
            *free_at = begin + Duration::from_secs_f64(bytes as f64 / line.bytes_per_second);
            *free_at
        };
        sleep_until(until).await;
    }
}
