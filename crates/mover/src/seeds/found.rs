//! What seeds found, each as a test that opens with its story.

use std::path::Path;
use std::sync::Arc;

use base::units::MIB;
use remote::Faulty;
use remote::faulty::Plan;
use remote::memory::MemoryClient;
use tempfile::TempDir;

use crate::accounts::{Accounts, Sums};
use crate::context::Context;
use crate::event::Verb;
use crate::filter::Filter;
use crate::job::copy::{CopyConditions, CopyJob, run};
use crate::options::TransferOptions;
use crate::source::Source;
use crate::testing::{Ledger, context_over, ramp};
use crate::url::Target;

/// A folder, a store, and a faulty client of the store.
struct Bench {
    store: MemoryClient,
    folder: TempDir,
    ledger: Arc<Ledger>,
    context: Context,
}

impl Bench {
    /// Must be made inside a runtime.
    fn new(plan: Plan) -> Bench {
        let store = MemoryClient::with_buckets(["b", "c"]);
        let ledger = Arc::new(Ledger::default());
        let mut context = context_over(&store, &store, Arc::clone(&ledger));
        let faulty = Arc::new(Faulty::new(Arc::new(store.clone()), 7, plan));
        context.source = faulty.clone();
        context.destination = faulty;
        Bench {
            store,
            folder: tempfile::tempdir().unwrap(),
            ledger,
            context,
        }
    }

    fn target(&self, text: &str) -> Target {
        match text.strip_prefix("./") {
            Some(name) => Target::Local(self.folder.path().join(name)),
            None => Target::parse(text).unwrap(),
        }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        Path::new(self.folder.path()).join(name)
    }

    async fn copy(&self, verb: Verb, source: &str, destination: &str) -> Sums {
        let job = CopyJob {
            verb,
            source: Source::new(self.target(source)),
            destination: self.target(destination),
            flatten: false,
            conditions: CopyConditions::default(),
            filter: Filter::default(),
            options: TransferOptions::default(),
        };
        let accounts = Arc::new(Accounts::default());
        let report = run(job, &self.context, &accounts).await.unwrap();
        assert!(report.accounts_closed);
        report.sums
    }
}

// A store that keeps no checksums took bytes that arrived wrong; the ETag told, the object failed
// by name, and the wrong object stood: of the right size, newer than its source, the same to the
// next sync.
#[tokio::test(start_paused = true)]
async fn an_upload_that_arrives_wrong_is_sent_again_and_never_left_standing() {
    for size in [70_000, 20 * MIB] {
        for wrong_uploads in [1_000, 400] {
            let bench = Bench::new(Plan {
                wrong_uploads,
                ..Plan::calm()
            });
            bench.store.set_options(|options| options.checksums = false);
            std::fs::write(bench.path("f"), ramp(size)).unwrap();
            let sums = bench.copy(Verb::Copy, "./f", "s3://b/f").await;
            match bench.store.bytes("b", "f") {
                Some(bytes) => assert!(bytes == ramp(size), "{size} wrong bytes"),
                None => assert_eq!((sums.copied, sums.failed), (0, 1)),
            }
            let large = size > 16 * MIB;
            if wrong_uploads < 1_000 && !large {
                assert_eq!(sums.copied, 1, "{:?}", bench.ledger.said("failed"));
            }
            assert_eq!(bench.store.upload_count("b"), 0);
        }
    }
}
