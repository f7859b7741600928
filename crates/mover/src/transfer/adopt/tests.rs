//! Uploads of somebody else, at stores in memory, that are taken over as far as they are right.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use base::units::MIB;
use base::{BucketName, ETag, Key};
use remote::memory::{Hook, MemoryClient, MemoryOptions, Reaction};
use remote::types::{CreateMultipartUpload, ObjectAttributes, UploadPart};
use remote::{ObjectClient as _, Operation, Payload};
use tempfile::TempDir;

use super::*;
use crate::accounts::Sums;
use crate::engine::{Engine, Move};
use crate::entry::Entry;
use crate::journal::{JobRecord, JobsHome, Journal};
use crate::location::Location;
use crate::testing::{Ledger, context_over, ramp};
use crate::{Accounts, Verb};

struct Bench {
    source: MemoryClient,
    store: MemoryClient,
    folder: TempDir,
    options: TransferOptions,
    /// From the object at the source, not from the file.
    relays: bool,
}

impl Bench {
    fn new() -> Bench {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("file"), ramp(26 * MIB)).unwrap();
        let source = MemoryClient::new(MemoryOptions {
            endpoint: "memory://two".to_owned(),
            ..MemoryOptions::default()
        });
        source.insert_bucket("from");
        source.insert("from", "k", ramp(26 * MIB));
        Bench {
            source,
            store: MemoryClient::with_buckets(["b"]),
            options: TransferOptions {
                part_size: Some(ByteCount(5 * MIB)),
                parts_max: NonZeroUsize::new(2).unwrap(),
                adopt_uploads: Some(Adoption {
                    jobs: Some(JobsHome::new(folder.path().join("jobs"))),
                }),
                ..TransferOptions::default()
            },
            folder,
            relays: false,
        }
    }

    fn home(&self) -> JobsHome {
        JobsHome::new(self.folder.path().join("jobs"))
    }

    /// A new job's journal.
    fn journal(&self) -> Arc<Journal> {
        let clock = base::Clock::system();
        let record = JobRecord {
            words: Vec::new(),
            version: String::new(),
            folder: PathBuf::new(),
            started_at: clock.now(),
            source_endpoint: String::new(),
            destination_endpoint: String::new(),
        };
        Arc::new(Journal::new(self.home(), record, clock))
    }

    /// The journal of the job that began first.
    fn journal_again(&self) -> Arc<Journal> {
        let job = self.home().jobs().unwrap().remove(0);
        let job = self.home().lock(&job.id).unwrap();
        Arc::new(Journal::resume(self.home(), job, base::Clock::system()).unwrap())
    }

    async fn run(&self, journal: Option<Arc<Journal>>) -> (Sums, Arc<Ledger>) {
        let ledger = Arc::new(Ledger::default());
        let mut context = context_over(&self.source, &self.store, Arc::clone(&ledger));
        context.journal = journal;
        let accounts = Arc::new(Accounts::default());
        let engine = Engine::new(context, Arc::clone(&accounts));
        accounts.listed.add(1);
        let location = if self.relays {
            Location::Remote(object("from"))
        } else {
            Location::Local(self.folder.path().join("file"))
        };
        let task = Move {
            verb: Verb::Copy,
            source: Entry {
                location,
                relative_start: 0,
                size: ByteCount(26 * MIB),
                modified: None,
                etag: None,
                storage_class: None,
                checksum_algorithm: None,
                is_delete_marker: false,
            },
            destination: Location::Remote(object("b")),
            options: Arc::new(self.options.clone()),
        };
        engine.submit(task).await;
        engine.finish().await;
        (accounts.sums(), ledger)
    }

    /// Somebody's upload of parts of `part_mib`: these numbers, and whether each holds our bytes.
    async fn foreign(&self, part_mib: u64, parts: &[(u32, bool)]) -> UploadId {
        let create = CreateMultipartUpload {
            bucket: object("b").bucket,
            key: object("b").key,
            attributes: ObjectAttributes::default(),
        };
        let created = self.store.create_multipart_upload(create).await.unwrap();
        let all = ramp(26 * MIB);
        let pieces = all.chunks(usize::try_from(part_mib * MIB).unwrap());
        for (number, is_right) in parts {
            let index = usize::try_from(number - 1).unwrap();
            let mut bytes = pieces.clone().nth(index).unwrap().to_vec();
            if !is_right {
                bytes[7] ^= 1;
            }
            let part = UploadPart {
                bucket: object("b").bucket,
                key: object("b").key,
                upload_id: created.upload_id.clone(),
                part_number: Parts::number(number - 1),
                payload: Payload::from_bytes(bytes),
                takes_crc64nvme: created.takes_crc64nvme,
            };
            self.store.upload_part(part).await.unwrap();
        }
        created.upload_id
    }

    fn sent(&self) -> u64 {
        self.store.request_count(Operation::UploadPart)
    }

    /// Runs, and says how many parts were sent and what was warned of.
    async fn sent_by_a_run(&self) -> (u64, Vec<String>) {
        let before = self.sent();
        let (sums, ledger) = self.run(None).await;
        assert_eq!(sums.copied, 1, "{:?}", ledger.rows);
        assert!(self.store.bytes("b", "k").unwrap() == ramp(26 * MIB));
        (self.sent() - before, ledger.said("warning"))
    }
}

fn object(bucket: &str) -> ObjectLocation {
    ObjectLocation {
        bucket: BucketName::new(bucket).unwrap(),
        key: Key::new("k").unwrap(),
        version_id: None,
    }
}

#[tokio::test]
async fn an_upload_of_somebody_else_is_taken_over_with_the_parts_that_agree_and_only_when_asked() {
    for (relays, checksums) in [(false, true), (false, false), (true, true), (true, false)] {
        let mut bench = Bench::new();
        bench.relays = relays;
        for store in [&bench.store, &bench.source] {
            store.set_options(|options| options.checksums = checksums);
        }
        let id = bench
            .foreign(5, &[(1, true), (2, false), (3, true), (6, true)])
            .await;
        let adoption = bench.options.adopt_uploads.take();
        let (sent, said) = bench.sent_by_a_run().await;
        assert_eq!((sent, said), (6, Vec::new()), "not without being asked");
        assert_eq!(bench.store.upload_count("b"), 1);

        bench.options.adopt_uploads = adoption;
        let (sent, said) = bench.sent_by_a_run().await;
        assert_eq!(sent, 3, "parts 2, 4 and 5; {said:?}");
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].contains(id.as_str()) && said[0].contains("3 of its 4 parts"));
        assert!(said[0].contains("metadata"), "{said:?}");
        assert_eq!(bench.store.upload_count("b"), 0);
    }
}

#[tokio::test]
async fn an_upload_whose_parts_lie_elsewhere_or_hold_other_bytes_is_left_alone() {
    let bench = Bench::new();
    let other = bench.foreign(6, &[(1, true), (2, true)]).await;
    let wrong = bench.foreign(5, &[(1, false)]).await;
    let empty = bench.foreign(5, &[]).await;
    let (sent, said) = bench.sent_by_a_run().await;
    assert_eq!(sent, 6);
    for (id, why) in [
        (other, "its parts are of 6.0 MiB"),
        (wrong, "none of its parts"),
        (empty, "it has no parts"),
    ] {
        let tells = |line: &String| line.contains(id.as_str()) && line.contains(why);
        assert!(said.iter().any(tells), "{why}: {said:?}");
    }
    assert_eq!(bench.store.upload_count("b"), 3);
}

#[tokio::test]
async fn without_a_part_size_of_the_user_the_newest_uploads_own_does() {
    for relays in [false, true] {
        let mut bench = Bench::new();
        bench.relays = relays;
        bench.options.part_size = None;
        bench.foreign(7, &[(1, true), (2, true)]).await;
        let newest = bench.foreign(6, &[(1, true), (2, true), (4, true)]).await;
        let (sent, said) = bench.sent_by_a_run().await;
        assert_eq!(sent, 2, "parts 3 and 5; {said:?}");
        assert!(said[0].contains(newest.as_str()), "{said:?}");
        assert_eq!(bench.store.upload_count("b"), 1, "the older one stays");
    }
}

#[tokio::test]
async fn what_was_taken_over_goes_on_as_ours_and_ours_is_taken_over_by_nobody() {
    let mut bench = Bench::new();
    bench.options.part_size = None;
    bench.options.parts_max = NonZeroUsize::MIN;
    bench.foreign(5, &[(2, true), (4, true)]).await;
    bench.store.set_hook(Some(Hook::new(|call| {
        let refused = call.part_number.is_some_and(|part| part > 3);
        if call.operation == Operation::UploadPart && refused {
            Reaction::Fail(call.connection_lost())
        } else {
            Reaction::Proceed
        }
    })));
    let (sums, _) = bench.run(Some(bench.journal())).await;
    assert_eq!(sums.failed, 1);
    bench.store.set_hook(None);
    let uploads = bench.home().all_uploads().unwrap();
    assert_eq!((uploads.len(), uploads[0].parts), (1, 4), "1 to 4");

    // Another job finds an upload that a journal knows, and sends its own: four parts of 8 MiB.
    let before = bench.sent();
    let (sums, _) = bench.run(Some(bench.journal())).await;
    assert_eq!((sums.copied, bench.sent() - before), (1, 4));
    assert_eq!(bench.store.upload_count("b"), 1);

    let before = bench.sent();
    let (sums, ledger) = bench.run(Some(bench.journal_again())).await;
    assert_eq!(
        (sums.copied, bench.sent() - before),
        (1, 2),
        "parts 5 and 6"
    );
    assert_eq!(ledger.said("warning"), Vec::<String>::new());
    assert_eq!(bench.store.upload_count("b"), 0);
}

#[test]
fn a_foreign_part_is_ours_by_checksum_where_one_is_kept_else_by_md5() {
    let digest = BothDigests {
        crc64: Crc64Nvme(5),
        md5: [1; 16],
    };
    let part = |crc64: Option<u64>, md5: u8| ListedPart {
        part_number: Parts::number(0),
        size: ByteCount(5 * MIB),
        etag: ETag::from_header(&hex::encode([md5; 16])),
        checksum: crc64.map(|crc64| Checksum::crc64nvme(Crc64Nvme(crc64))),
    };
    let is_kept = |part: ListedPart, takes| seal(&part, digest, takes).is_some();
    assert!(is_kept(part(Some(5), 9), true) && !is_kept(part(Some(6), 1), true));
    assert!(is_kept(part(None, 1), false) && !is_kept(part(None, 9), false));
    assert!(!is_kept(part(None, 1), true), "it cannot be completed with");

    let page = |algorithm: Option<&str>| PartPage {
        parts: vec![part(None, 1)],
        next_after: None,
        checksum_algorithm: algorithm.map(str::to_owned),
    };
    let planned = Parts::exactly(ByteCount(26 * MIB), ByteCount(5 * MIB)).unwrap();
    let takes = |algorithm| fit(&page(algorithm), &planned, None).map(|(_, takes)| takes);
    assert_eq!(takes(None), Ok(false));
    assert_eq!(takes(Some("CRC64NVME")), Ok(true));
    assert!(takes(Some("SHA256")).unwrap_err().contains("SHA256"));
}
