//! What seeds found, each as a test that opens with its story.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use base::units::MIB;
use base::{ByteCount, Clock};
use remote::faulty::Plan;
use remote::memory::{Hook, MemoryClient, MemoryOptions, Reaction};
use remote::{Faulty, Operation};
use tempfile::TempDir;

use crate::accounts::{Accounts, Sums};
use crate::context::Context;
use crate::event::Verb;
use crate::filter::Filter;
use crate::job::copy::{CopyConditions, CopyJob, run};
use crate::journal::{JobsHome, Journal};
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

// An object was overwritten by an upload that arrived wrong and was taken back; sending it again
// failed for another reason, which was all that was said, and what had stood there was gone.
#[tokio::test(start_paused = true)]
async fn an_overwrite_that_was_taken_back_is_told_of_when_it_cannot_be_sent_again() {
    let bench = Bench::new(Plan {
        wrong_uploads: 1_000,
        ..Plan::calm()
    });
    bench.store.set_options(|options| options.checksums = false);
    bench.store.insert("b", "f", "what stood there");
    bench.store.set_hook(Some(Hook::deny(|call| {
        call.operation == Operation::PutObject && call.number_of_operation > 1
    })));
    std::fs::write(bench.path("f"), ramp(70_000)).unwrap();
    let sums = bench.copy(Verb::Copy, "./f", "s3://b/f").await;
    assert_eq!((sums.copied, sums.failed), (0, 1));
    assert_eq!(bench.store.bytes("b", "f"), None);
    let said = bench.ledger.said("failed").concat();
    assert!(said.contains("which was deleted again"), "{said}");
}

// A run was killed when an upload was completed and its file in the journal gone, but its object
// not yet written down as done: all its parts were sent again. Moving deletes in between.
#[tokio::test(start_paused = true)]
async fn what_is_known_of_an_uploads_parts_is_kept_until_its_object_is_done() {
    let mut bench = Bench::new(Plan::calm());
    let source = MemoryClient::new(MemoryOptions {
        endpoint: "memory://source".to_owned(),
        ..MemoryOptions::default()
    });
    source.insert_bucket("s");
    source.insert_ramp("s", "k", 5, ByteCount(20 * MIB));
    bench.context.source = Arc::new(source.clone());
    let home = JobsHome::new(bench.path("jobs"));
    let journal = Journal::new(home.clone(), super::world::record(), Clock::system());
    bench.context.journal = Some(Arc::new(journal));
    let (known, jobs) = (Arc::new(AtomicU64::new(0)), home.clone());
    let seen = Arc::clone(&known);
    source.set_hook(Some(Hook::new(move |call| {
        if call.operation == Operation::DeleteObject {
            let uploads = jobs.all_uploads().unwrap();
            let parts: u64 = uploads.iter().map(|upload| upload.parts).sum();
            seen.store(parts, Ordering::Release);
        }
        Reaction::Proceed
    })));
    let sums = bench.copy(Verb::Move, "s3://s/k", "s3://b/k").await;
    assert_eq!((sums.copied, sums.copied_not_deleted), (1, 0));
    assert!(known.load(Ordering::Acquire) > 1);
    assert!(home.all_uploads().unwrap().is_empty());
}

/// Seeds that came out wrong once, as far as the worlds that they make are still the same.
#[test]
fn seeds_that_came_out_wrong_once_end_in_order() {
    for seed in [
        1_129, 2_062, 2_263, 6_322, 8_836, 13_662, 14_076, 16_668, 17_128, 18_794,
    ] {
        if let Err(wrong) = super::run(seed) {
            panic!("LONGHAUL_SEED={seed}:\n{wrong}");
        }
    }
}
