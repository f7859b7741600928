//! Counts what a source holds, beside the run that moves it.
//!
//! A run lists no faster than it moves, so it learns how much there is only at its end. Who asks
//! for a forecast pays for a second listing: one request for a thousand objects.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio_util::sync::DropGuard;

use crate::accounts::Accounts;
use crate::context::Context;
use crate::event::Deaf;
use crate::filter::Filter;
use crate::key_list::KeyList;
use crate::source::{Order, Side, Source, enumerate};

/// What was counted so far. Dropping it ends the counting.
#[derive(Debug)]
pub struct Census {
    counts: Arc<Counts>,
    _ends: DropGuard,
}

#[derive(Debug, Default)]
struct Counts {
    objects: AtomicU64,
    bytes: AtomicU64,
    whole: AtomicBool,
}

impl Census {
    /// Begins to count what of `source` counts. None where the source can be read only once. Ends
    /// with the context; what cannot be listed is told by the run itself, and leaves the count a
    /// lower bound.
    pub fn begin(context: &Context, source: &Source, filter: &Filter) -> Option<Census> {
        if source.keys == Some(KeyList::Stdin) {
            return None;
        }
        let counts = Arc::new(Counts::default());
        let counting = Arc::clone(&counts);
        let token = context.stopping.child_token();
        let context = Context {
            observer: Arc::new(Deaf),
            stopping: token.clone(),
            ..context.clone()
        };
        let source = Source {
            order: Order::Any,
            ..source.clone()
        };
        let filter = filter.clone();
        drop(base::tasks::spawn("census", async move {
            counting.count(&context, &source, &filter).await;
        }));
        Some(Census {
            counts,
            _ends: token.drop_guard(),
        })
    }

    /// Objects so far.
    pub fn objects(&self) -> u64 {
        self.counts.objects.load(Ordering::Relaxed)
    }

    /// Bytes so far, of those that count.
    pub fn bytes(&self) -> u64 {
        self.counts.bytes.load(Ordering::Relaxed)
    }

    /// Whether that is all.
    pub fn is_whole(&self) -> bool {
        self.counts.whole.load(Ordering::Relaxed)
    }
}

impl Counts {
    async fn count(&self, context: &Context, source: &Source, filter: &Filter) {
        let base = source.filter_base();
        let accounts = Arc::new(Accounts::default());
        let mut entries = enumerate(context, &accounts, Side::Source, source);
        let mut whole = true;
        while let Some(entry) = entries.next().await {
            match entry {
                // What is passed over is listed and settled by the run as well: it counts, and
                // costs nothing but its listing.
                Ok(entry) => {
                    self.objects.fetch_add(1, Ordering::Relaxed);
                    if source.skips(filter, &base, &entry).is_none() {
                        self.bytes.fetch_add(entry.size.0, Ordering::Relaxed);
                    }
                }
                Err(_) => whole = false,
            }
        }
        self.whole.store(whole, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::url::Target;
    use crate::wildcard::Wildcard;
    use crate::workbench::bench;

    #[tokio::test(start_paused = true)]
    async fn the_census_counts_what_counts_and_ends_with_its_run() {
        let bench = bench(10);
        bench.fill((0..95).map(|number| format!("a/{number:02}.mp3")));
        bench.fill((0..5).map(|number| format!("a/{number:02}.txt")));
        let source = Source::new(Target::parse("s3://bucket/a/*").unwrap());
        let filter = Filter {
            exclude: vec![Wildcard::new("*.txt")],
            ..Filter::default()
        };
        let census = Census::begin(&bench.context, &source, &filter).unwrap();
        while !census.is_whole() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert_eq!((census.objects(), census.bytes()), (100, 95));
        assert!(
            bench.lines.all().is_empty(),
            "the run tells, not the census"
        );

        let stopped = Census::begin(&bench.context, &source, &filter).unwrap();
        let counts = Arc::clone(&stopped.counts);
        drop(stopped);
        while Arc::strong_count(&counts) > 1 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert!(!counts.whole.load(Ordering::Relaxed));

        let once = Source {
            keys: Some(KeyList::Stdin),
            ..source
        };
        assert!(Census::begin(&bench.context, &once, &filter).is_none());
    }
}
