//! What a client has done so far, for whoever tunes it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A handle to a client's running counts. Clones share them; reading costs nothing to writers.
#[derive(Debug, Clone, Default)]
pub struct RequestCounters(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    requests: AtomicU64,
    retries: AtomicU64,
    throttled: AtomicU64,
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

    pub(super) fn connection_opened(&self) {
        self.0.connections_opened.fetch_add(1, Ordering::Relaxed);
        self.0.connections_open.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn connection_closed(&self) {
        self.0.connections_open.fetch_sub(1, Ordering::Relaxed);
    }
}
