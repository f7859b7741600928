//! What the endpoint has seen since it was last set back.

use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

/// What S3 calls a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are S3's own")]
pub enum Operation {
    AbortMultipartUpload,
    CompleteMultipartUpload,
    CopyObject,
    CreateBucket,
    CreateMultipartUpload,
    DeleteBucket,
    DeleteObject,
    DeleteObjects,
    GetBucketLocation,
    GetBucketVersioning,
    GetObject,
    GetObjectTagging,
    HeadBucket,
    HeadObject,
    ListBuckets,
    ListMultipartUploads,
    ListObjects,
    ListObjectsV2,
    ListParts,
    PutObject,
    PutObjectTagging,
    UploadPart,
    UploadPartCopy,
    /// What the endpoint does not know.
    Unknown,
}

/// How many operations there are.
const OPERATIONS: usize = Operation::Unknown as usize + 1;

impl Operation {
    /// Each, at the place of its number.
    const ALL: [Operation; OPERATIONS] = [
        Operation::AbortMultipartUpload,
        Operation::CompleteMultipartUpload,
        Operation::CopyObject,
        Operation::CreateBucket,
        Operation::CreateMultipartUpload,
        Operation::DeleteBucket,
        Operation::DeleteObject,
        Operation::DeleteObjects,
        Operation::GetBucketLocation,
        Operation::GetBucketVersioning,
        Operation::GetObject,
        Operation::GetObjectTagging,
        Operation::HeadBucket,
        Operation::HeadObject,
        Operation::ListBuckets,
        Operation::ListMultipartUploads,
        Operation::ListObjects,
        Operation::ListObjectsV2,
        Operation::ListParts,
        Operation::PutObject,
        Operation::PutObjectTagging,
        Operation::UploadPart,
        Operation::UploadPartCopy,
        Operation::Unknown,
    ];

    /// Whether it carries an object's bytes or facts.
    fn moves_an_object(self) -> bool {
        matches!(
            self,
            Operation::GetObject
                | Operation::PutObject
                | Operation::UploadPart
                | Operation::CopyObject
                | Operation::UploadPartCopy
                | Operation::HeadObject
        )
    }
}

/// Counts, by whoever holds them.
#[derive(Debug)]
pub struct Counters {
    connections: AtomicU64,
    open: AtomicU64,
    open_max: AtomicU64,
    requests: [AtomicU64; OPERATIONS],
    bytes_received: AtomicU64,
    bytes_sent: AtomicU64,
    refused: AtomicU64,
    slow_downs: AtomicU64,
    bad_checksums: AtomicU64,
    other_bytes: AtomicU64,
    clock: Mutex<Since>,
}

/// Times, counted from the last reset.
#[derive(Debug)]
struct Since {
    reset: Instant,
    /// When the first object was asked for, sent or copied.
    first_object: Option<Instant>,
    last_request: Option<Instant>,
}

impl Default for Counters {
    fn default() -> Counters {
        Counters {
            connections: AtomicU64::new(0),
            open: AtomicU64::new(0),
            open_max: AtomicU64::new(0),
            requests: std::array::from_fn(|_| AtomicU64::new(0)),
            bytes_received: AtomicU64::new(0),
            bytes_sent: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            slow_downs: AtomicU64::new(0),
            bad_checksums: AtomicU64::new(0),
            other_bytes: AtomicU64::new(0),
            clock: Mutex::new(Since {
                reset: Instant::now(),
                first_object: None,
                last_request: None,
            }),
        }
    }
}

impl Counters {
    pub(super) fn connected(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
        let open = self.open.fetch_add(1, Ordering::Relaxed) + 1;
        self.open_max.fetch_max(open, Ordering::Relaxed);
    }

    pub(super) fn disconnected(&self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }

    pub(super) fn asked(&self, operation: Operation) {
        self.requests[operation as usize].fetch_add(1, Ordering::Relaxed);
        let now = Instant::now();
        let mut clock = self.clock.lock();
        clock.last_request = Some(now);
        if clock.first_object.is_none() && operation.moves_an_object() {
            clock.first_object = Some(now);
        }
    }

    pub(super) fn received(&self, bytes: usize) {
        self.bytes_received
            .fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn sent(&self, bytes: usize) {
        self.bytes_sent.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn slowed_down(&self) {
        self.slow_downs.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn bad_checksum(&self) {
        self.bad_checksums.fetch_add(1, Ordering::Relaxed);
    }

    /// An object was kept whose bytes are not those of a synthetic one of its size.
    pub(super) fn kept_other_bytes(&self) {
        self.other_bytes.fetch_add(1, Ordering::Relaxed);
    }

    /// Begins anew. Connections that are open stay counted as open.
    pub fn reset(&self) {
        let open = self.open.load(Ordering::Relaxed);
        self.open_max.store(open, Ordering::Relaxed);
        let single = [
            &self.connections,
            &self.bytes_received,
            &self.bytes_sent,
            &self.refused,
            &self.slow_downs,
            &self.bad_checksums,
            &self.other_bytes,
        ];
        for counter in single.into_iter().chain(&self.requests) {
            counter.store(0, Ordering::Relaxed);
        }
        *self.clock.lock() = Since {
            reset: Instant::now(),
            first_object: None,
            last_request: None,
        };
    }

    /// All of it. Times are microseconds since the reset, null where there was nothing.
    pub fn to_json(&self) -> Value {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let by_operation: Map<String, Value> = Operation::ALL
            .into_iter()
            .zip(self.requests.iter().map(read))
            .filter(|(_, count)| *count > 0)
            .map(|(operation, count)| (format!("{operation:?}"), json!(count)))
            .collect();
        let clock = self.clock.lock();
        let since = |at: Option<Instant>| {
            let micros = at.map(|at| at.duration_since(clock.reset).as_micros());
            micros.and_then(|micros| u64::try_from(micros).ok())
        };
        json!({
            "connections": read(&self.connections),
            "open_connections": read(&self.open),
            "open_connections_max": read(&self.open_max),
            "requests": self.requests.iter().map(read).sum::<u64>(),
            "by_operation": by_operation,
            "bytes_received": read(&self.bytes_received),
            "bytes_sent": read(&self.bytes_sent),
            "refused": read(&self.refused),
            "slow_downs": read(&self.slow_downs),
            "bad_checksums": read(&self.bad_checksums),
            "other_bytes": read(&self.other_bytes),
            "first_object_us": since(clock.first_object),
            "last_request_us": since(clock.last_request),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_counted_under_its_own_name() {
        let counters = Counters::default();
        for operation in Operation::ALL {
            counters.asked(operation);
            let shown = counters.to_json();
            assert_eq!(shown["by_operation"][format!("{operation:?}")], 1);
        }
        assert_eq!(counters.to_json()["requests"], OPERATIONS);
        counters.reset();
        assert_eq!(counters.to_json()["requests"], 0);
        assert!(counters.to_json()["first_object_us"].is_null());
    }
}
