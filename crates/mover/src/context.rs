//! What every job of a process shares.

use std::num::NonZeroUsize;
use std::sync::Arc;

use base::flow::RetryPolicy;
use base::units::MIB;
use base::{ByteCount, Clock};
use remote::ObjectClient;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::event::Observer;
use crate::flow::Flow;
use crate::journal::Journal;
use crate::route::Routes;

/// Clients, limits, and who listens. Cheap to clone; jobs of one process share the limits.
#[derive(Clone)]
pub struct Context {
    /// The store that sources are read from.
    pub source: Arc<dyn ObjectClient>,
    /// The store that destinations are written to; the same client when one endpoint serves both.
    pub destination: Arc<dyn ObjectClient>,
    /// Bounds on what is under way.
    pub limits: Limits,
    /// Objects under way in all jobs: `limits.objects_max` permits.
    pub objects: Arc<Semaphore>,
    /// What was learnt about pairs of buckets, by all jobs.
    pub routes: Arc<Routes>,
    /// Bytes in memory and requests under way in all jobs.
    pub flow: Flow,
    /// How a broken transfer of an object's bytes is tried again (requests are the client's own).
    pub retry: RetryPolicy,
    /// Hears what happens.
    pub observer: Arc<dyn Observer>,
    /// Cancelled at the first interrupt: take no more work, finish or give up what runs.
    pub stopping: CancellationToken,
    /// Time and randomness.
    pub clock: Clock,
    /// Keeps what is done, so that the job can be gone on with; without it an unfinished upload is
    /// aborted.
    pub journal: Option<Arc<Journal>>,
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// Bounds, each set by a flag.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Objects under way (`--numworkers`).
    pub objects_max: NonZeroUsize,
    /// Bytes in memory (`--memory`).
    pub memory: ByteCount,
    /// Requests that carry bytes, under way at one endpoint (`--max-requests`).
    pub requests_max: NonZeroUsize,
    /// Pages of a listing asked for at once.
    pub listings_max: NonZeroUsize,
}

/// Most requests under way at one endpoint unless a flag says otherwise.
/// Reason: each has a connection of its own, and two endpoints' must fit under 1,024 open files.
pub const REQUESTS_MAX: NonZeroUsize = NonZeroUsize::new(384).expect("384 is not zero");

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            objects_max: NonZeroUsize::new(256).expect("256 is not zero"),
            memory: ByteCount(256 * MIB),
            requests_max: REQUESTS_MAX,
            // A guess, not measured: S3 answers a page in 75-300 ms, so 16 ranges list some
            // 100,000 keys a second.
            listings_max: NonZeroUsize::new(16).expect("16 is not zero"),
        }
    }
}
