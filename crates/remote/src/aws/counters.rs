//! What a client has done so far, for whoever tunes it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A handle to a client's running counts. Clones share them; reading costs nothing to writers.
#[derive(Debug, Clone, Default)]
pub struct RequestCounters(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    requests: AtomicU64,
    retries: AtomicU64,
    throttled: AtomicU64,
    answers: AtomicU64,
    waited_micros: AtomicU64,
    bytes: AtomicU64,
    connections_opened: AtomicU64,
    connections_open: AtomicU64,
}

/// The counts at one moment. Each only grows, but for `connections_open`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RequestCounts {
    /// Sends of a request, each try counted.
    pub requests: u64,
    /// Sends after the first one of the same request, for whatever reason.
    pub retries: u64,
    /// Answers that asked for less: 503, 429 and the codes that mean it.
    pub throttled: u64,
    /// Answers of which the head arrived.
    pub answers: u64,
    /// Time from a request to the head of its answer, summed over `answers`; a body that was sent
    /// counts.
    pub waited: Duration,
    /// Bytes of bodies that went over the wire, either way and as often as they were tried.
    pub bytes: u64,
    /// Connections made.
    pub connections_opened: u64,
    /// Connections open now, idle ones included.
    pub connections_open: u64,
}

impl RequestCounters {
    /// The counts now.
    pub fn read(&self) -> RequestCounts {
        RequestCounts {
            requests: self.0.requests.load(Ordering::Relaxed),
            retries: self.0.retries.load(Ordering::Relaxed),
            throttled: self.0.throttled.load(Ordering::Relaxed),
            answers: self.0.answers.load(Ordering::Relaxed),
            waited: Duration::from_micros(self.0.waited_micros.load(Ordering::Relaxed)),
            bytes: self.0.bytes.load(Ordering::Relaxed),
            connections_opened: self.0.connections_opened.load(Ordering::Relaxed),
            connections_open: self.0.connections_open.load(Ordering::Relaxed),
        }
    }

    pub(super) fn request(&self, again: bool) {
        self.0.requests.fetch_add(1, Ordering::Relaxed);
        if again {
            self.0.retries.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn throttled(&self) {
        self.0.throttled.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn answered(&self, waited: Duration) {
        let micros = u64::try_from(waited.as_micros()).unwrap_or(u64::MAX);
        self.0.answers.fetch_add(1, Ordering::Relaxed);
        self.0.waited_micros.fetch_add(micros, Ordering::Relaxed);
    }

    pub(super) fn moved(&self, bytes: usize) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.0.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn connection_opened(&self) {
        self.0.connections_opened.fetch_add(1, Ordering::Relaxed);
        self.0.connections_open.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn connection_closed(&self) {
        self.0.connections_open.fetch_sub(1, Ordering::Relaxed);
    }
}
