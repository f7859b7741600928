//! What the tests of this crate share: a context over stores in memory, and an observer that
//! remembers.

use std::sync::Arc;
use std::time::Duration;

use base::flow::RetryPolicy;
use base::units::MIB;
use base::{ByteCount, Clock};
use parking_lot::Mutex;
use remote::memory::MemoryClient;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::context::{Context, Limits};
use crate::event::{Event, Moved, Observer};
use crate::flow::Flow;

/// Remembers what happened, by kind and name.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) rows: Mutex<Vec<(&'static str, String, String)>>,
    pub(crate) moved: Mutex<Vec<Moved>>,
}

impl Ledger {
    /// How many events of a kind there were.
    pub(crate) fn count(&self, kind: &str) -> usize {
        self.rows.lock().iter().filter(|row| row.0 == kind).count()
    }

    /// What was said in events of a kind.
    pub(crate) fn said(&self, kind: &str) -> Vec<String> {
        let rows = self.rows.lock();
        let of_kind = rows.iter().filter(|row| row.0 == kind);
        of_kind.map(|row| row.2.clone()).collect()
    }
}

impl Observer for Ledger {
    fn on_event(&self, event: &Event<'_>) {
        let row = match event {
            Event::Moved(moved) => {
                self.moved.lock().push((*moved).clone());
                ("moved", moved.source.to_string(), String::new())
            }
            Event::Deleted { location } => ("deleted", location.to_string(), String::new()),
            Event::CopiedNotDeleted { moved, error } => {
                self.moved.lock().push((*moved).clone());
                ("kept", moved.source.to_string(), error.to_string())
            }
            Event::Skipped { source, reason, .. } => {
                ("skipped", source.to_string(), format!("{reason:?}"))
            }
            Event::Refused { source, error, .. } => {
                ("refused", source.to_string(), error.to_string())
            }
            Event::Gone { source, .. } => ("gone", source.to_string(), String::new()),
            Event::Failed { source, error, .. } => {
                let name = source.map(ToString::to_string).unwrap_or_default();
                ("failed", name, error.to_string())
            }
            Event::Notice { message } => ("notice", String::new(), (*message).to_owned()),
            Event::Warning { message } => ("warning", String::new(), (*message).to_owned()),
        };
        self.rows.lock().push(row);
    }
}

/// A context over two stores in memory, with waits too short to notice.
pub(crate) fn context_over(
    source: &MemoryClient,
    destination: &MemoryClient,
    ledger: Arc<Ledger>,
) -> Context {
    let limits = Limits::default();
    Context {
        source: Arc::new(source.clone()),
        destination: Arc::new(destination.clone()),
        objects: Arc::new(Semaphore::new(limits.objects_max.get())),
        routes: Arc::new(crate::route::Routes::default()),
        flow: Flow::fixed(ByteCount(64 * MIB), limits.requests_max),
        limits,
        retry: RetryPolicy {
            tries_max: 4,
            delay_initial: Duration::from_millis(1),
            delay_max: Duration::from_millis(2),
        },
        observer: ledger,
        stopping: CancellationToken::new(),
        clock: Clock::system(),
        journal: None,
    }
}

/// Bytes that name their place.
pub(crate) fn ramp(length: u64) -> Vec<u8> {
    let period: Vec<u8> = (0..251).collect();
    let length = usize::try_from(length).unwrap();
    let mut bytes = period.repeat(length.div_ceil(251));
    bytes.truncate(length);
    bytes
}
