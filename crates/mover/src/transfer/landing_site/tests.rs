//! Downloads that break off and go on, from a store in memory. A run that was killed is one whose
//! journal is opened again from its folder.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use base::units::MIB;
use base::{BucketName, ByteCount, Key};
use remote::Operation;
use remote::memory::{Hook, MemoryClient, Reaction};
use tempfile::TempDir;

use super::*;
use crate::accounts::Sums;
use crate::engine::{Engine, Move};
use crate::entry::Entry;
use crate::journal::{JobRecord, JobsHome, Journal};
use crate::location::{Location, ObjectLocation};
use crate::options::TransferOptions;
use crate::testing::{Ledger, context_over, ramp};
use crate::{Accounts, Verb};

struct Bench {
    store: MemoryClient,
    folder: TempDir,
    home: JobsHome,
    options: TransferOptions,
}

impl Bench {
    fn new() -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let store = MemoryClient::with_buckets(["b"]);
        store.insert("b", "k", ramp(26 * MIB));
        std::fs::create_dir(folder.path().join("here")).unwrap();
        Bench {
            store,
            home: JobsHome::new(folder.path().join("jobs")),
            options: TransferOptions {
                part_size: Some(ByteCount(5 * MIB)),
                parts_max: NonZeroUsize::new(1).unwrap(),
                ..TransferOptions::default()
            },
            folder,
        }
    }

    fn target(&self) -> PathBuf {
        self.folder.path().join("here/file")
    }

    /// The job's journal: that of the one job that there is, else a new one.
    fn journal(&self) -> Arc<Journal> {
        let clock = base::Clock::system();
        let jobs = self.home.jobs().unwrap();
        let journal = match jobs.first() {
            Some(job) => {
                let job = self.home.lock(&job.id).unwrap();
                Journal::resume(self.home.clone(), job, clock).unwrap()
            }
            None => {
                let record = JobRecord {
                    words: Vec::new(),
                    version: String::new(),
                    folder: PathBuf::new(),
                    started_at: clock.now(),
                    source_endpoint: String::new(),
                    destination_endpoint: String::new(),
                };
                Journal::new(self.home.clone(), record, clock)
            }
        };
        Arc::new(journal)
    }

    /// Downloads the object in a run of its own.
    async fn run(&self) -> Sums {
        let mut context = context_over(&self.store, &self.store, Arc::new(Ledger::default()));
        context.journal = Some(self.journal());
        let accounts = Arc::new(Accounts::default());
        let engine = Engine::new(context, Arc::clone(&accounts));
        accounts.listed.add(1);
        let object = ObjectLocation {
            bucket: BucketName::new("b").unwrap(),
            key: Key::new("k").unwrap(),
            version_id: None,
        };
        let task = Move {
            verb: Verb::Copy,
            source: Entry {
                location: Location::Remote(object),
                relative_start: 0,
                size: ByteCount(26 * MIB),
                modified: None,
                etag: None,
                storage_class: None,
                checksum_algorithm: None,
                is_delete_marker: false,
            },
            destination: Location::Local(self.target()),
            options: Arc::new(self.options.clone()),
        };
        engine.submit(task).await;
        engine.finish().await;
        accounts.sums()
    }

    /// A run in which no byte comes from this offset on.
    async fn run_until(&self, first_refused: u64) {
        self.store.set_hook(Some(Hook::new(move |call| {
            let refused = call
                .range
                .is_some_and(|range| range.offset >= first_refused);
            if call.operation == Operation::GetObject && refused {
                Reaction::Fail(call.connection_lost())
            } else {
                Reaction::Proceed
            }
        })));
        assert_eq!(self.run().await.failed, 1);
        self.store.set_hook(None);
    }

    fn fetched(&self) -> u64 {
        self.store.request_count(Operation::GetObject)
    }

    /// What stands in the folder.
    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path().join("here")).unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    fn assert_arrived(&self) {
        let bytes = std::fs::read(self.target()).unwrap();
        assert!(bytes == self.store.bytes("b", "k").unwrap());
        assert_eq!(self.names(), ["file"]);
        for job in self.home.jobs().unwrap() {
            assert!(self.home.downloads(&job.id).unwrap().is_empty());
        }
    }

    /// The one unfinished download.
    fn unfinished(&self) -> crate::journal::UnfinishedDownload {
        let job = self.home.jobs().unwrap().remove(0);
        let mut downloads = self.home.downloads(&job.id).unwrap();
        assert_eq!(downloads.len(), 1);
        downloads.remove(0)
    }
}

#[tokio::test]
async fn a_download_that_broke_off_goes_on_with_the_parts_that_landed() {
    let bench = Bench::new();
    bench.run_until(15 * MIB).await;
    let unfinished = bench.unfinished();
    assert_eq!((unfinished.parts, unfinished.bytes.0), (3, 15 * MIB));
    assert_eq!(unfinished.target, bench.target());
    assert!(unfinished.temporary.is_file());
    let before = bench.fetched();
    assert_eq!(bench.run().await.copied, 1);
    assert_eq!(bench.fetched() - before, 3, "parts 4 to 6");
    bench.assert_arrived();
}

/// After a power cut a record may be on the disk and its bytes may not.
#[tokio::test]
async fn a_kept_part_is_believed_only_when_its_bytes_read_back_right() {
    use std::os::unix::fs::FileExt as _;
    let bench = Bench::new();
    bench.run_until(15 * MIB).await;
    let temporary = bench.unfinished().temporary;
    let file = std::fs::OpenOptions::new()
        .write(true)
        .open(temporary)
        .unwrap();
    file.write_all_at(&[0xee], 7 * MIB).unwrap();
    let before = bench.fetched();
    assert_eq!(bench.run().await.copied, 1);
    assert_eq!(
        bench.fetched() - before,
        4,
        "the second one, and parts 4 to 6"
    );
    bench.assert_arrived();
}

#[tokio::test]
async fn a_download_whose_source_or_part_size_changed_begins_anew() {
    let mut bench = Bench::new();
    bench.run_until(15 * MIB).await;
    let first = bench.unfinished().temporary;
    let mut changed = ramp(26 * MIB);
    changed.reverse();
    bench.store.insert("b", "k", changed);
    bench.run_until(10 * MIB).await;
    assert!(!first.exists(), "what was begun before is removed");
    assert_eq!(bench.unfinished().parts, 2);

    bench.options.part_size = Some(ByteCount(6 * MIB));
    let before = bench.fetched();
    assert_eq!(bench.run().await.copied, 1);
    assert_eq!(bench.fetched() - before, 5);
    bench.assert_arrived();
}

#[tokio::test]
async fn a_temporary_file_that_is_gone_or_cut_costs_only_itself() {
    let bench = Bench::new();
    bench.run_until(15 * MIB).await;
    std::fs::remove_file(bench.unfinished().temporary).unwrap();
    bench.run_until(15 * MIB).await;
    let temporary = bench.unfinished().temporary;
    let file = std::fs::OpenOptions::new()
        .write(true)
        .open(temporary)
        .unwrap();
    file.set_len(MIB).unwrap();
    let before = bench.fetched();
    assert_eq!(bench.run().await.copied, 1);
    assert_eq!(bench.fetched() - before, 6);
    bench.assert_arrived();
}

/// Nothing is left of a download that has nothing to go on with, and other processes' files are
/// not ours.
#[tokio::test]
async fn what_is_not_worth_keeping_is_removed_and_nobody_elses_file_is_touched() {
    let bench = Bench::new();
    let theirs = bench
        .folder
        .path()
        .join("here/.longhaul-00000000000000aa.part");
    std::fs::write(&theirs, "theirs").unwrap();
    bench.run_until(0).await;
    assert_eq!(bench.names(), [".longhaul-00000000000000aa.part"]);

    bench.run_until(15 * MIB).await;
    assert_eq!(bench.names().len(), 2);
    let journal = bench.journal();
    assert!(journal.end_leftovers(&bench.store).await.is_empty());
    assert_eq!(bench.names(), [".longhaul-00000000000000aa.part"]);
    assert_eq!(std::fs::read(&theirs).unwrap(), b"theirs");
}
