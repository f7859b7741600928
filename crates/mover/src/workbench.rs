//! What tests of listings and jobs stand on: a store in memory, a context around it, and ears.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use base::flow::RetryPolicy;
use base::units::MIB;
use base::{ByteCount, Clock};
use parking_lot::Mutex;
use remote::{MemoryClient, MemoryOptions, Operation};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::accounts::Accounts;
use crate::context::{Context, Limits};
use crate::entry::Entry;
use crate::error::Error;
use crate::event::{Event, Observer};
use crate::flow::Flow;
use crate::source::{Side, Source, enumerate};

/// Keeps what events say, a line each: `cp a b`, `rm a`, `skip a: Reason`, or an error's own line.
#[derive(Debug, Default)]
pub(crate) struct Lines(Mutex<Vec<String>>);

impl Lines {
    /// All lines so far.
    pub(crate) fn all(&self) -> Vec<String> {
        self.0.lock().clone()
    }

    /// All lines so far that begin so, sorted.
    pub(crate) fn sorted(&self, prefix: &str) -> Vec<String> {
        let mut lines = self.all();
        lines.retain(|line| line.starts_with(prefix));
        lines.sort();
        lines
    }
}

impl Observer for Lines {
    fn on_event(&self, event: &Event<'_>) {
        self.0.lock().push(match event {
            Event::Moved(moved) => format!("{} {} {}", moved.verb, moved.source, moved.destination),
            Event::Deleted { location } => format!("rm {location}"),
            Event::Skipped { source, reason, .. } => format!("skip {source}: {reason:?}"),
            Event::Failed { error, .. } | Event::Refused { error, .. } => error.to_string(),
            Event::Notice { message } | Event::Warning { message } => (*message).to_owned(),
            Event::CopiedNotDeleted { .. } | Event::Gone { .. } => format!("{event:?}"),
        });
    }
}

/// A store in memory that is both sides, with a bucket called `bucket`.
pub(crate) struct Bench {
    pub(crate) client: MemoryClient,
    pub(crate) context: Context,
    pub(crate) accounts: Arc<Accounts>,
    pub(crate) lines: Arc<Lines>,
}

/// A bench whose store gives pages of so many rows.
pub(crate) fn bench(page: u32) -> Bench {
    let client = MemoryClient::new(MemoryOptions {
        page_rows_max: page,
        ..MemoryOptions::default()
    });
    client.insert_bucket("bucket");
    let lines = Arc::new(Lines::default());
    let context = Context {
        source: Arc::new(client.clone()),
        destination: Arc::new(client.clone()),
        limits: Limits {
            listings_max: NonZeroUsize::new(8).unwrap(),
            ..Limits::default()
        },
        objects: Arc::new(Semaphore::new(8)),
        routes: Arc::new(crate::route::Routes::default()),
        flow: Flow::fixed(ByteCount(MIB), NonZeroUsize::new(8).unwrap()),
        retry: RetryPolicy {
            tries_max: 3,
            delay_initial: Duration::from_millis(1),
            delay_max: Duration::from_millis(1),
        },
        observer: Arc::clone(&lines) as Arc<dyn Observer>,
        stopping: CancellationToken::new(),
        clock: Clock::system(),
        journal: None,
    };
    Bench {
        client,
        context,
        accounts: Arc::new(Accounts::default()),
        lines,
    }
}

impl Bench {
    /// Puts an object of one byte at each key of the bucket.
    pub(crate) fn fill(&self, keys: impl IntoIterator<Item = String>) {
        for key in keys {
            self.client.insert("bucket", &key, "x");
        }
    }

    /// Everything that a source yields.
    pub(crate) async fn entries(&self, source: &Source) -> Result<Vec<Entry>, Error> {
        let mut stream = enumerate(&self.context, &self.accounts, Side::Source, source);
        let mut entries = Vec::new();
        while let Some(entry) = stream.next().await {
            entries.push(entry?);
        }
        Ok(entries)
    }

    /// The relative names of everything that a source yields.
    pub(crate) async fn relative(&self, source: &Source) -> Result<Vec<String>, Error> {
        let entries = self.entries(source).await?;
        let names = entries.iter().map(|entry| entry.relative().to_owned());
        Ok(names.collect())
    }

    /// Pages asked for so far.
    pub(crate) fn pages_asked(&self) -> u64 {
        self.client.request_count(Operation::ListObjectsV2)
    }
}
