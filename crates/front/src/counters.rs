//! How often what was asked, readable while the server runs.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use crate::operation::Operation;

/// Counts since the server began, or since [`reset`](Counters::reset). Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Counters(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    connections: AtomicU64,
    connections_open: AtomicU64,
    requests: Mutex<BTreeMap<Operation, u64>>,
}

impl Counters {
    /// Connections accepted.
    pub fn connections(&self) -> u64 {
        self.0.connections.load(Ordering::Relaxed)
    }

    /// Connections whose end the server has not seen yet; [`reset`](Counters::reset) leaves them.
    pub fn connections_open(&self) -> u64 {
        self.0.connections_open.load(Ordering::Acquire)
    }

    /// Requests of one operation, whatever they were answered.
    pub fn requests(&self, operation: Operation) -> u64 {
        self.0.requests.lock().get(&operation).copied().unwrap_or(0)
    }

    /// Requests by operation; those never asked are left out.
    pub fn by_operation(&self) -> BTreeMap<Operation, u64> {
        self.0.requests.lock().clone()
    }

    /// All requests.
    pub fn total(&self) -> u64 {
        self.0.requests.lock().values().sum()
    }

    /// Begins again at zero.
    pub fn reset(&self) {
        self.0.connections.store(0, Ordering::Relaxed);
        self.0.requests.lock().clear();
    }

    /// Counts a connection, which is open until what is returned is dropped.
    pub(crate) fn connection(&self) -> OpenConnection {
        self.0.connections_open.fetch_add(1, Ordering::Relaxed);
        self.0.connections.fetch_add(1, Ordering::Relaxed);
        OpenConnection(self.clone())
    }

    pub(crate) fn request(&self, operation: Operation) {
        *self.0.requests.lock().entry(operation).or_default() += 1;
    }
}

/// A connection while it is open.
#[derive(Debug)]
pub(crate) struct OpenConnection(Counters);

impl Drop for OpenConnection {
    fn drop(&mut self) {
        // Whoever sees the connection gone sees its requests counted.
        self.0.0.connections_open.fetch_sub(1, Ordering::Release);
    }
}
