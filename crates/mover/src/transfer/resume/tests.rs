//! Uploads that break off and go on, against a store in memory. A run that was killed is one whose
//! journal is opened again from its folder.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use base::units::MIB;
use base::{BucketName, ByteCount, Key};
use remote::memory::{Hook, MemoryClient, Reaction};
use remote::types::UploadPart;
use remote::{ObjectClient as _, Operation, Payload};
use tempfile::TempDir;

use super::*;
use crate::accounts::Sums;
use crate::engine::{Engine, Move};
use crate::entry::Entry;
use crate::journal::{JobRecord, JobsHome, Journal};
use crate::location::Location;
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
        Bench {
            store: MemoryClient::with_buckets(["b"]),
            home: JobsHome::new(folder.path().join("jobs")),
            options: TransferOptions {
                part_size: Some(ByteCount(5 * MIB)),
                parts_max: NonZeroUsize::new(1).unwrap(),
                ..TransferOptions::default()
            },
            folder,
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("file")
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

    /// Uploads the file in a run of its own.
    async fn run(&self) -> (Sums, Arc<Ledger>) {
        let ledger = Arc::new(Ledger::default());
        let mut context = context_over(&self.store, &self.store, Arc::clone(&ledger));
        context.journal = Some(self.journal());
        let accounts = Arc::new(Accounts::default());
        let engine = Engine::new(context, Arc::clone(&accounts));
        let size = std::fs::metadata(self.path()).unwrap().len();
        accounts.listed.add(1);
        let task = Move {
            verb: Verb::Copy,
            source: Entry {
                location: Location::Local(self.path()),
                relative_start: 0,
                size: ByteCount(size),
                modified: None,
                etag: None,
                storage_class: None,
                checksum_algorithm: None,
                is_delete_marker: false,
            },
            destination: Location::Remote(ObjectLocation {
                bucket: BucketName::new("b").unwrap(),
                key: Key::new("k").unwrap(),
                version_id: None,
            }),
            options: Arc::new(self.options.clone()),
        };
        engine.submit(task).await;
        engine.finish().await;
        (accounts.sums(), ledger)
    }

    /// A run in which the store takes no part from this number on.
    async fn run_until_part(&self, first_refused: u32) {
        self.store.set_hook(Some(Hook::new(move |call| {
            let refused = call.part_number.is_some_and(|part| part >= first_refused);
            if call.operation == Operation::UploadPart && refused {
                Reaction::Fail(call.connection_lost())
            } else {
                Reaction::Proceed
            }
        })));
        let (sums, _) = self.run().await;
        assert_eq!(sums.failed, 1);
        self.store.set_hook(None);
    }

    fn sent(&self) -> u64 {
        self.store.request_count(Operation::UploadPart)
    }

    fn assert_arrived(&self) {
        let bytes = std::fs::read(self.path()).unwrap();
        assert!(self.store.bytes("b", "k").unwrap() == bytes);
        assert_eq!(self.store.upload_count("b"), 0);
        assert!(self.home.all_uploads().unwrap().is_empty());
    }
}

/// s5cmd#528, aws-cli#1425, rclone#87: a large object began from its first byte after every kill.
#[tokio::test]
async fn s5cmd_528_a_kill_inside_an_object_resumes_its_parts() {
    let bench = Bench::new();
    std::fs::write(bench.path(), ramp(26 * MIB)).unwrap();
    bench.run_until_part(4).await;
    let uploads = bench.home.all_uploads().unwrap();
    assert_eq!((uploads.len(), uploads[0].parts), (1, 3));
    assert_eq!(bench.store.upload_count("b"), 1, "kept for the next run");

    let before = bench.sent();
    let (sums, _) = bench.run().await;
    assert_eq!(sums.copied, 1);
    assert_eq!(bench.sent() - before, 3, "parts 4 to 6");
    bench.assert_arrived();
}

/// The seed's worker trusted part numbers: a changed chunk size or source made a mixed object.
#[tokio::test]
async fn a_changed_chunk_size_or_source_never_makes_a_mixed_object() {
    let mut bench = Bench::new();
    std::fs::write(bench.path(), ramp(26 * MIB)).unwrap();
    bench.run_until_part(4).await;
    bench.options.part_size = Some(ByteCount(6 * MIB));
    let before = bench.sent();
    bench.run_until_part(3).await;
    assert_eq!(bench.store.upload_count("b"), 1, "the first one is aborted");

    // Another source of the same length.
    let mut changed = ramp(26 * MIB);
    changed.reverse();
    std::fs::write(bench.path(), &changed).unwrap();
    let (sums, _) = bench.run().await;
    assert_eq!(sums.copied, 1);
    assert!(bench.sent() - before >= 3 + 5, "all parts of each");
    bench.assert_arrived();

    // Other metadata are settled when an upload is created: no mixture of those either.
    bench.run_until_part(3).await;
    bench.options.attributes.content_type = Some("text/x-other".to_owned());
    let before = bench.sent();
    let (sums, _) = bench.run().await;
    assert_eq!((sums.copied, bench.sent() - before), (1, 5));
    bench.assert_arrived();
}

#[tokio::test]
async fn a_part_that_somebody_replaced_is_sent_again() {
    let bench = Bench::new();
    std::fs::write(bench.path(), ramp(26 * MIB)).unwrap();
    bench.run_until_part(4).await;
    let upload = bench.home.all_uploads().unwrap().remove(0);
    let foreign = UploadPart {
        bucket: upload.bucket,
        key: upload.key,
        upload_id: upload.upload_id.unwrap(),
        part_number: Parts::number(1),
        payload: Payload::from_bytes(vec![7; 5 * usize::try_from(MIB).unwrap()]),
        takes_crc64nvme: true,
    };
    bench.store.upload_part(foreign).await.unwrap();
    let before = bench.sent();
    let (sums, _) = bench.run().await;
    assert_eq!((sums.copied, bench.sent() - before), (1, 4));
    bench.assert_arrived();
}

#[tokio::test]
async fn what_was_completed_when_the_run_died_is_not_sent_again() {
    let bench = Bench::new();
    std::fs::write(bench.path(), ramp(26 * MIB)).unwrap();
    bench.run_until_part(6).await;
    // Complete arrives, its answer does not, and neither does any HEAD: the run knows nothing.
    bench
        .store
        .set_hook(Some(Hook::new(|call| match call.operation {
            Operation::CompleteMultipartUpload => Reaction::ActThenFail(call.connection_lost()),
            Operation::HeadObject => Reaction::Fail(call.connection_lost()),
            _ => Reaction::Proceed,
        })));
    let (sums, _) = bench.run().await;
    assert_eq!(sums.failed, 1);
    bench.store.set_hook(None);
    let before = bench.sent();
    let (sums, _) = bench.run().await;
    assert_eq!((sums.copied, bench.sent() - before), (1, 0));
    bench.assert_arrived();
}

#[tokio::test]
async fn an_upload_that_the_store_forgot_is_begun_anew() {
    let bench = Bench::new();
    std::fs::write(bench.path(), ramp(26 * MIB)).unwrap();
    bench.run_until_part(4).await;
    let upload = bench.home.all_uploads().unwrap().remove(0);
    let abort = remote::types::AbortMultipartUpload {
        bucket: upload.bucket,
        key: upload.key,
        upload_id: upload.upload_id.unwrap(),
    };
    bench.store.abort_multipart_upload(abort).await.unwrap();
    let (sums, _) = bench.run().await;
    assert_eq!(sums.copied, 1);
    bench.assert_arrived();
}

#[tokio::test]
async fn an_upload_whose_creation_was_not_answered_is_reported_and_not_touched() {
    let bench = Bench::new();
    std::fs::write(bench.path(), ramp(26 * MIB)).unwrap();
    bench
        .store
        .set_hook(Some(Hook::new(|call| match call.operation {
            Operation::CreateMultipartUpload => Reaction::ActThenFail(call.connection_lost()),
            _ => Reaction::Proceed,
        })));
    let (sums, _) = bench.run().await;
    assert_eq!(sums.failed, 1);
    bench.store.set_hook(None);
    let unanswered = bench.home.all_uploads().unwrap().remove(0);
    assert_eq!((unanswered.upload_id, unanswered.parts), (None, 0));
    let (sums, ledger) = bench.run().await;
    assert_eq!(sums.copied, 1);
    let said = ledger.said("warning");
    assert!(
        said.iter().any(|line| line.contains("was not answered")),
        "{said:?}"
    );
    assert_eq!(bench.store.upload_count("b"), 1, "nobody knows whose it is");
}

#[test]
fn a_part_is_kept_by_checksum_where_there_is_one_else_by_etag() {
    let seal = |crc64: Option<u64>| PartSeal {
        size: ByteCount(5 * MIB),
        crc64: crc64.map(base::Crc64Nvme),
        etag: base::ETag::from_header("e"),
        verified: None,
        suspect: false,
    };
    let listed = |etag: &str, crc64: Option<u64>| ListedPart {
        part_number: Parts::number(0),
        size: ByteCount(5 * MIB),
        etag: base::ETag::from_header(etag),
        checksum: crc64.map(|sum| base::Checksum::crc64nvme(base::Crc64Nvme(sum))),
    };
    assert!(is_same(&seal(Some(1)), &listed("other", Some(1))));
    assert!(!is_same(&seal(Some(1)), &listed("e", Some(2))));
    assert!(is_same(&seal(Some(1)), &listed("e", None)));
    assert!(!is_same(&seal(Some(1)), &listed("other", None)));
    let Ok(crate::plan::Plan::Parts(parts)) =
        crate::plan::upload(ByteCount(12 * MIB), Some(ByteCount(5 * MIB)))
    else {
        panic!("12 MiB are three parts");
    };
    let found = BTreeMap::from([(0, seal(Some(1))), (2, seal(Some(1)))]);
    let mut short = listed("e", Some(1));
    short.part_number = Parts::number(2);
    let kept = kept(&found, &[listed("e", Some(1)), short], &parts);
    let kept: Vec<bool> = kept.iter().map(Option::is_some).collect();
    assert_eq!(kept, [true, false, false], "the last part is shorter");
}

/// A sync was killed between Complete and its record: the next one found the object in place and
/// had no use for the upload any more.
#[tokio::test]
async fn a_job_of_which_all_is_done_ends_the_uploads_it_did_not_need() {
    let bench = Bench::new();
    std::fs::write(bench.path(), ramp(26 * MIB)).unwrap();
    bench.run_until_part(4).await;
    let journal = bench.journal();
    assert!(journal.end_leftovers(&bench.store).await.is_empty());
    assert_eq!(bench.store.upload_count("b"), 0);
    assert!(bench.home.all_uploads().unwrap().is_empty());
}
