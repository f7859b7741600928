//! Moves through the engine against stores in memory that fail, lie, and change under us.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use base::units::MIB;
use base::{BucketName, ByteCount, ETag, Fault, Key};
use jiff::Timestamp;
use remote::memory::{Call, ETagStyle, Hook, MemoryClient, Reaction};
use remote::types::{HeadObject, StorageClass};
use remote::{ObjectClient as _, Operation};
use tempfile::TempDir;

use super::*;
use crate::accounts::Sums;
use crate::event::Verified;
use crate::location::ObjectLocation;
use crate::testing::{Ledger, context_over, ramp};

/// Two stores in memory (one in two roles), a folder, and what was heard.
struct Bench {
    store: MemoryClient,
    folder: TempDir,
    ledger: Arc<Ledger>,
    accounts: Arc<Accounts>,
    context: Context,
    options: TransferOptions,
    conditions: CopyConditions,
}

impl Bench {
    fn new() -> Bench {
        Bench::over(MemoryClient::with_buckets(["b", "c"]))
    }

    fn over(store: MemoryClient) -> Bench {
        let ledger = Arc::new(Ledger::default());
        Bench {
            folder: tempfile::tempdir().unwrap(),
            context: context_over(&store, &store, Arc::clone(&ledger)),
            ledger,
            store,
            accounts: Arc::new(Accounts::default()),
            options: TransferOptions::default(),
            conditions: CopyConditions::default(),
        }
    }

    /// A store that keeps no checksums.
    fn plain(etags: ETagStyle) -> Bench {
        let bench = Bench::new();
        bench.store.set_options(|options| {
            options.checksums = false;
            options.etags = etags;
        });
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn file(&self, name: &str, bytes: &[u8]) -> Move {
        std::fs::write(self.path(name), bytes).unwrap();
        let entry = entry(Location::Local(self.path(name)), bytes.len() as u64);
        self.task(entry, object("b", name))
    }

    async fn object(&self, key: &str, destination: Location) -> Move {
        let request = HeadObject::new(BucketName::new("b").unwrap(), Key::new(key).unwrap());
        let head = self.store.head_object(request).await.unwrap();
        let entry = Entry {
            etag: head.etag,
            modified: head.last_modified,
            ..entry(object("b", key), head.size.0)
        };
        self.task(entry, destination)
    }

    fn task(&self, source: Entry, destination: Location) -> Move {
        Move {
            verb: Verb::Copy,
            source,
            destination,
            options: Arc::new(self.options.clone()),
        }
    }

    async fn run(&self, tasks: Vec<Move>) -> Sums {
        let engine = Engine::new(self.context.clone(), Arc::clone(&self.accounts));
        for task in tasks {
            self.accounts.listed.add(1);
            engine.submit_under(task, self.conditions).await;
        }
        engine.finish().await;
        let sums = self.accounts.sums();
        assert!(sums.close(), "{sums:?}");
        assert_eq!(sums.in_flight, 0);
        sums
    }

    /// No file under a temporary name, no unfinished upload.
    fn assert_nothing_left(&self) {
        assert_eq!(part_files(self.folder.path()), Vec::<PathBuf>::new());
        assert_eq!(
            self.store.upload_count("b") + self.store.upload_count("c"),
            0
        );
    }

    fn verified(&self) -> Vec<Verified> {
        let moved = self.ledger.moved.lock();
        moved.iter().map(|moved| moved.verified.clone()).collect()
    }
}

fn part_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(part_files(&path));
        } else if path.to_string_lossy().ends_with(".part") {
            found.push(path);
        }
    }
    found
}

fn object(bucket: &str, key: &str) -> Location {
    Location::Remote(ObjectLocation {
        bucket: BucketName::new(bucket).unwrap(),
        key: Key::new(key).unwrap(),
        version_id: None,
    })
}

fn entry(location: Location, size: u64) -> Entry {
    let relative_start = match &location {
        Location::Local(path) => path
            .to_str()
            .unwrap()
            .rfind('/')
            .map_or(0, |slash| slash + 1),
        Location::Remote(_) => 0,
    };
    Entry {
        location,
        relative_start,
        size: ByteCount(size),
        modified: Some(Timestamp::UNIX_EPOCH),
        etag: None,
        storage_class: None,
        checksum_algorithm: None,
        is_delete_marker: false,
    }
}

/// Around every threshold: nothing, one byte, one frame, one batch, one request, three parts.
const SIZES: [u64; 7] = [0, 1, 65_536, MIB + 1, 16 * MIB, 16 * MIB + 1, 20 * MIB];

#[tokio::test(start_paused = true)]
async fn every_size_goes_up_down_and_across_whole_and_verified() {
    for (bench, checksums) in [(Bench::new(), true), (Bench::plain(ETagStyle::Md5), false)] {
        for size in SIZES {
            let name = format!("f{size}");
            let task = bench.file(&name, &ramp(size));
            bench.run(vec![task]).await;
            let stored = bench.store.bytes("b", &name).unwrap();
            assert!(stored == ramp(size), "upload of {size} bytes");
            let down = bench.object(&name, Location::Local(bench.path(&format!("d{size}"))));
            let across = bench.object(&name, object("c", &name));
            bench.run(vec![down.await, across.await]).await;
            let downloaded = std::fs::read(bench.path(&format!("d{size}"))).unwrap();
            assert!(downloaded == ramp(size), "download of {size} bytes");
            assert!(
                bench.store.bytes("c", &name).unwrap() == ramp(size),
                "copy of {size} bytes"
            );
        }
        let sums = bench.accounts.sums();
        assert_eq!(bench.ledger.said("failed"), Vec::<String>::new());
        assert_eq!(sums.copied, SIZES.len() as u64 * 3);
        assert_eq!(sums.bytes_copied, SIZES.iter().sum::<u64>() * 3);
        let unverified = bench
            .verified()
            .iter()
            .filter(|v| **v == Verified::SizeOnly)
            .count();
        // A copy in one request of an object that was uploaded in parts has another ETag; without
        // a checksum nothing says that both are the same.
        assert_eq!(unverified, if checksums { 0 } else { 2 });
        bench.assert_nothing_left();
    }
}

#[tokio::test(start_paused = true)]
async fn a_small_object_is_one_request() {
    let mut bench = Bench::new();
    // To keep the source's encryption costs a copy inside the store a HEAD.
    bench.options.keeps_placement = false;
    let task = bench.file("f", &ramp(6_000_000));
    bench.run(vec![task]).await;
    assert_eq!(bench.store.requests(), 1);
    let down = bench.object("f", Location::Local(bench.path("d"))).await;
    let across = bench.object("f", object("c", "f")).await;
    let before = bench.store.requests();
    bench.run(vec![down, across]).await;
    assert_eq!(bench.store.requests() - before, 2);
}

#[tokio::test(start_paused = true)]
async fn what_is_known_of_an_object_is_not_asked_for() {
    let mut bench = Bench::new();
    bench.options.attributes.encryption.algorithm = Some("AES256".to_owned());
    bench.store.insert("b", "k", ramp(1_000));
    let mut across = bench.object("k", object("c", "k")).await;
    let class = StorageClass::from_name("STANDARD_IA");
    across.source.storage_class = Some(class.clone());
    let before = bench.store.requests();
    bench.run(vec![across]).await;
    assert_eq!(bench.store.requests() - before, 1);
    let copy = HeadObject::new(BucketName::new("c").unwrap(), Key::new("k").unwrap());
    let carried = bench.store.head_object(copy).await.unwrap().attributes;
    assert_eq!(carried.storage_class, Some(class));
    assert_eq!(carried.encryption.algorithm.as_deref(), Some("AES256"));
}

#[tokio::test(start_paused = true)]
async fn an_opaque_etag_is_never_taken_for_an_md5() {
    let bench = Bench::plain(ETagStyle::Opaque);
    let task = bench.file("f", b"content");
    bench.run(vec![task]).await;
    let mut down = bench.object("f", Location::Local(bench.path("d"))).await;
    down.verb = Verb::Move;
    let sums = bench.run(vec![down]).await;
    // Done, counted as unverified, and therefore not deleted at the source.
    assert_eq!(
        (sums.copied, sums.unverified, sums.copied_not_deleted),
        (2, 2, 1)
    );
    assert!(bench.store.bytes("b", "f").is_some());
    assert_eq!(std::fs::read(bench.path("d")).unwrap(), b"content");
}

#[tokio::test(start_paused = true)]
async fn uppy_4985_size_and_checksum_are_compared_before_done() {
    for size in [1_000, 20 * MIB] {
        let bench = Bench::new();
        bench.store.insert("b", "k", ramp(size));
        let task = bench.object("k", Location::Local(bench.path("d"))).await;
        bench
            .store
            .set_hook(Some(Hook::new(|call| match call.operation {
                Operation::GetObject => Reaction::CorruptBody { at: 500 },
                _ => Reaction::Proceed,
            })));
        let sums = bench.run(vec![task.clone()]).await;
        assert_eq!((sums.failed, sums.copied), (1, 0));
        assert!(bench.ledger.said("failed")[0].contains("checksum"));
        assert!(!bench.path("d").exists());
        bench.assert_nothing_left();
        // Wrong once is read again.
        let wrong_once = AtomicU64::new(0);
        bench.store.set_hook(Some(Hook::new(move |call| {
            if call.operation == Operation::GetObject
                && wrong_once.fetch_add(1, Ordering::Relaxed) == 0
            {
                return Reaction::CorruptBody { at: 500 };
            }
            Reaction::Proceed
        })));
        let sums = bench.run(vec![task]).await;
        assert_eq!((sums.failed, sums.copied), (1, 1));
        assert!(std::fs::read(bench.path("d")).unwrap() == ramp(size));
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_breaks_off_is_asked_for_from_where_it_broke() {
    for size in [3 * MIB, 20 * MIB] {
        let bench = Bench::new();
        bench.store.insert("b", "k", ramp(size));
        let task = bench.object("k", Location::Local(bench.path("d"))).await;
        let asked = Arc::new(parking_lot::Mutex::new(Vec::new()));
        let heard = Arc::clone(&asked);
        let broken = AtomicU64::new(0);
        bench.store.set_hook(Some(Hook::new(move |call| {
            if call.operation != Operation::GetObject {
                return Reaction::Proceed;
            }
            heard.lock().push(call.range);
            match broken.fetch_add(1, Ordering::Relaxed) {
                0 | 1 => Reaction::BreakBody { after: 1_500_000 },
                _ => Reaction::Proceed,
            }
        })));
        let sums = bench.run(vec![task]).await;
        assert_eq!(
            (sums.copied, sums.failed),
            (1, 0),
            "{:?}",
            bench.ledger.said("failed")
        );
        assert!(std::fs::read(bench.path("d")).unwrap() == ramp(size));
        assert!(
            asked
                .lock()
                .iter()
                .flatten()
                .any(|range| range.offset % MIB != 0)
        );
        // Nothing was fetched twice but what was on its way.
        assert!(sums.bytes_moved <= size + 131_072, "{}", sums.bytes_moved);
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_always_short_leaves_no_file() {
    for size in [100_000, 20 * MIB] {
        let bench = Bench::new();
        bench.store.insert("b", "k", ramp(size));
        let task = bench.object("k", Location::Local(bench.path("d"))).await;
        bench
            .store
            .set_hook(Some(Hook::new(|call| match call.operation {
                Operation::GetObject => Reaction::BreakBody { after: 10 },
                _ => Reaction::Proceed,
            })));
        let sums = bench.run(vec![task]).await;
        assert_eq!((sums.copied, sums.failed), (0, 1));
        assert!(!bench.path("d").exists());
        bench.assert_nothing_left();
    }
}

#[tokio::test(start_paused = true)]
async fn a_source_that_changes_while_it_is_read_is_never_mixed() {
    for size in [3 * MIB, 20 * MIB] {
        let bench = Bench::new();
        bench.store.insert("b", "k", ramp(size));
        let task = bench.object("k", Location::Local(bench.path("d"))).await;
        let other: Vec<u8> = ramp(size).into_iter().rev().collect();
        let (store, after) = (bench.store.clone(), other.clone());
        let gets = AtomicU64::new(0);
        bench.store.set_hook(Some(Hook::new(move |call| {
            if call.operation != Operation::GetObject {
                return Reaction::Proceed;
            }
            match gets.fetch_add(1, Ordering::Relaxed) {
                0 => Reaction::BreakBody { after: 100_000 },
                1 => {
                    store.insert("b", "k", after.clone());
                    Reaction::Proceed
                }
                _ => Reaction::Proceed,
            }
        })));
        let sums = bench.run(vec![task]).await;
        assert_eq!(
            (sums.copied, sums.failed),
            (1, 0),
            "{:?}",
            bench.ledger.said("failed")
        );
        assert!(
            std::fs::read(bench.path("d")).unwrap() == other,
            "all of the new one"
        );
        bench.assert_nothing_left();
    }
}

#[tokio::test(start_paused = true)]
async fn a_source_that_never_rests_fails_by_name() {
    let bench = Bench::new();
    bench.store.insert("b", "k", ramp(20 * MIB));
    let task = bench.object("k", Location::Local(bench.path("d"))).await;
    let store = bench.store.clone();
    let round = AtomicU64::new(0);
    bench.store.set_hook(Some(Hook::new(move |call| {
        if call.operation == Operation::GetObject {
            let round = round.fetch_add(1, Ordering::Relaxed);
            let content = vec![u8::try_from(round).unwrap(); 20 << 20];
            store.insert("b", "k", content);
        }
        Reaction::Proceed
    })));
    let sums = bench.run(vec![task]).await;
    assert_eq!(sums.failed, 1);
    assert!(bench.ledger.said("failed")[0].contains("changed while it was read"));
    assert!(!bench.path("d").exists());
    bench.assert_nothing_left();
}

#[tokio::test(start_paused = true)]
async fn s5cmd_450_no_such_upload_after_a_complete_that_had_arrived_is_a_success() {
    for bench in [Bench::new(), Bench::plain(ETagStyle::Md5)] {
        let task = bench.file("f", &ramp(20 * MIB));
        bench
            .store
            .set_hook(Some(Hook::new(|call| match call.operation {
                Operation::CompleteMultipartUpload => Reaction::ActThenFail(no_such_upload(call)),
                _ => Reaction::Proceed,
            })));
        let sums = bench.run(vec![task]).await;
        assert_eq!(
            (sums.copied, sums.failed),
            (1, 0),
            "{:?}",
            bench.ledger.said("failed")
        );
        assert!(bench.store.bytes("b", "f").unwrap() == ramp(20 * MIB));
    }
}

#[tokio::test(start_paused = true)]
async fn no_such_upload_with_another_object_in_place_is_a_failure() {
    let bench = Bench::new();
    bench.store.insert("b", "f", vec![7; 20 << 20]);
    let task = bench.file("f", &ramp(20 * MIB));
    bench
        .store
        .set_hook(Some(Hook::new(|call| match call.operation {
            Operation::CompleteMultipartUpload => Reaction::Fail(no_such_upload(call)),
            _ => Reaction::Proceed,
        })));
    let sums = bench.run(vec![task]).await;
    assert_eq!((sums.copied, sums.failed), (0, 1));
    bench.assert_nothing_left();
}

fn no_such_upload(call: &Call<'_>) -> remote::Error {
    call.error(
        Fault::NotFound,
        404,
        "NoSuchUpload",
        "The upload does not exist.",
    )
}

#[tokio::test(start_paused = true)]
async fn aws_c_s3_622_a_200_with_an_error_in_it_counts_as_a_failure() {
    let bench = Bench::new();
    bench.store.insert("b", "k", "x");
    let up = bench.file("f", &ramp(20 * MIB));
    let across = bench.object("k", object("c", "k")).await;
    bench
        .store
        .set_hook(Some(Hook::new(|call| match call.operation {
            Operation::CompleteMultipartUpload | Operation::CopyObject => {
                Reaction::Fail(call.error(Fault::Invalid, 200, "InvalidRequest", "inside a 200"))
            }
            _ => Reaction::Proceed,
        })));
    let sums = bench.run(vec![up, across]).await;
    assert_eq!((sums.copied, sums.failed), (0, 2));
    bench.assert_nothing_left();
}

#[tokio::test(start_paused = true)]
async fn a_file_that_changes_while_it_is_read_leaves_nothing() {
    let bench = Bench::new();
    let task = bench.file("f", &ramp(20 * MIB));
    let path = bench.path("f");
    bench.store.set_hook(Some(Hook::new(move |call| {
        if call.operation == Operation::UploadPart && call.part_number == Some(2) {
            std::fs::write(&path, "shorter and newer").unwrap();
        }
        Reaction::Proceed
    })));
    let sums = bench.run(vec![task]).await;
    assert_eq!((sums.copied, sums.failed), (0, 1));
    assert!(bench.ledger.said("failed")[0].contains("changed while it was read"));
    assert_eq!(bench.store.bytes("b", "f"), None);
    bench.assert_nothing_left();
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_cannot_be_aborted_is_named() {
    let bench = Bench::new();
    let task = bench.file("f", &ramp(20 * MIB));
    bench.store.set_hook(Some(Hook::deny(|call| {
        matches!(
            call.operation,
            Operation::UploadPart | Operation::AbortMultipartUpload
        )
    })));
    let sums = bench.run(vec![task]).await;
    assert_eq!(sums.failed, 1);
    assert!(bench.ledger.said("warning")[0].contains("could not be aborted"));
}

#[tokio::test(start_paused = true)]
async fn a_move_deletes_what_arrived_and_nothing_else() {
    let bench = Bench::new();
    bench.store.insert("b", "k", "content");
    bench.store.insert("b", "racer", "old");
    let mut up = bench.file("f", b"file");
    let mut down = bench.object("k", Location::Local(bench.path("d"))).await;
    let mut racer = bench.object("racer", object("c", "racer")).await;
    for task in [&mut up, &mut down, &mut racer] {
        task.verb = Verb::Move;
    }
    let store = bench.store.clone();
    bench.store.set_hook(Some(Hook::new(move |call| {
        // Somebody writes between the copy and its delete.
        if call.operation == Operation::DeleteObject && call.key == Some("racer") {
            store.insert("b", "racer", "new");
        }
        Reaction::Proceed
    })));
    let sums = bench.run(vec![up, down, racer]).await;
    assert_eq!((sums.copied, sums.copied_not_deleted), (3, 1));
    assert!(!bench.path("f").exists());
    assert_eq!(bench.store.bytes("b", "k"), None);
    assert_eq!(bench.store.bytes("b", "racer").unwrap(), "new");
    assert_eq!(bench.store.bytes("c", "racer").unwrap(), "old");
}

#[tokio::test(start_paused = true)]
async fn a_move_inside_a_store_without_checksums_compares_the_parts() {
    let bench = Bench::plain(ETagStyle::Md5);
    let task = bench.file("f", &ramp(20 * MIB));
    bench.run(vec![task]).await;
    let mut across = bench.object("f", object("c", "f")).await;
    across.verb = Verb::Move;
    let sums = bench.run(vec![across]).await;
    assert_eq!(
        (sums.copied, sums.copied_not_deleted),
        (2, 0),
        "{:?}",
        bench.ledger.said("kept")
    );
    assert!(bench.store.bytes("c", "f").unwrap() == ramp(20 * MIB));
    assert_eq!(bench.store.bytes("b", "f"), None);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_or_must_not_be_moved_is_refused_by_name() {
    let bench = Bench::new();
    for key in ["../x", "a//b", "a/./b", "/abs", "nul\0", "same"] {
        bench.store.insert("b", key, "x");
    }
    let mut tasks = Vec::new();
    for key in ["../x", "a//b", "a/./b", "/abs", "nul\0"] {
        let path = format!("{}/{key}", bench.folder.path().display());
        tasks.push(
            bench
                .object(key, Location::Local(PathBuf::from(path)))
                .await,
        );
    }
    tasks.push(bench.object("same", object("b", "same")).await);
    let mut archived = bench.object("same", object("c", "same")).await;
    archived.source.storage_class = Some(StorageClass::from_name("GLACIER"));
    tasks.push(archived);
    let local = entry(Location::Local(bench.path("x")), 1);
    tasks.push(bench.task(local, Location::Local(bench.path("y"))));
    let sums = bench.run(tasks).await;
    assert_eq!(sums.refused, 8, "{:?}", bench.ledger.rows.lock());
    assert!(
        bench
            .ledger
            .said("refused")
            .iter()
            .all(|line| !line.is_empty())
    );
    assert!(
        std::fs::read_dir(bench.folder.path())
            .unwrap()
            .next()
            .is_none()
    );
    assert!(!bench.folder.path().parent().unwrap().join("x").exists());
}

#[tokio::test(start_paused = true)]
async fn what_vanished_since_it_was_listed_is_gone_not_failed() {
    let bench = Bench::new();
    let mut tasks = vec![bench.file("f", b"x")];
    std::fs::remove_file(bench.path("f")).unwrap();
    tasks.push(bench.task(entry(object("b", "k"), 1), Location::Local(bench.path("d"))));
    tasks.push(bench.task(
        entry(object("b", "big"), 20 * MIB),
        Location::Local(bench.path("d")),
    ));
    tasks.push(bench.task(entry(object("b", "k"), 1), object("c", "k")));
    let listed = Entry {
        etag: Some(ETag::from_header("9b2cf535f27731c974343645a3985328")),
        ..entry(object("b", "k"), 1)
    };
    tasks.push(bench.task(listed, object("c", "k")));
    let sums = bench.run(tasks).await;
    assert_eq!(sums.gone, 5, "{:?}", bench.ledger.rows.lock());
}

#[tokio::test(start_paused = true)]
async fn no_clobber_keeps_what_appears_in_the_meantime() {
    let mut bench = Bench::new();
    bench.conditions.no_clobber = true;
    bench.store.insert("b", "k", "source");
    let tasks = vec![
        bench.file("f", b"mine"),
        bench.file("g", &ramp(20 * MIB)),
        bench.object("k", Location::Local(bench.path("d"))).await,
    ];
    let (store, path) = (bench.store.clone(), bench.path("d"));
    bench.store.set_hook(Some(Hook::new(move |call| {
        match call.operation {
            Operation::PutObject => store.insert("b", "f", "theirs"),
            Operation::CompleteMultipartUpload => store.insert("b", "g", "theirs"),
            Operation::GetObject => std::fs::write(&path, "theirs").unwrap(),
            _ => {}
        }
        Reaction::Proceed
    })));
    let sums = bench.run(tasks).await;
    assert_eq!(
        (sums.same, sums.copied),
        (3, 0),
        "{:?}",
        bench.ledger.rows.lock()
    );
    assert_eq!(bench.store.bytes("b", "f").unwrap(), "theirs");
    assert_eq!(bench.store.bytes("b", "g").unwrap(), "theirs");
    assert_eq!(std::fs::read(bench.path("d")).unwrap(), b"theirs");
    bench.assert_nothing_left();
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_creates_nothing() {
    let mut bench = Bench::new();
    bench.options.dry_run = true;
    bench.store.insert("b", "k", "x");
    let tasks = vec![
        bench.file("f", b"x"),
        bench
            .object("k", Location::Local(bench.path("new/d")))
            .await,
        bench.object("k", object("c", "k")).await,
    ];
    let before = bench.store.requests();
    let sums = bench.run(tasks).await;
    assert_eq!((sums.copied, sums.unverified), (3, 0));
    assert_eq!(bench.store.requests(), before);
    assert!(!bench.path("new").exists());
    assert!(bench.ledger.moved.lock().iter().all(|moved| moved.dry_run));
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_leaves_nothing_half_done() {
    let bench = Bench::new();
    bench.store.insert("b", "k", ramp(20 * MIB));
    let tasks = vec![
        bench.file("f", &ramp(40 * MIB)),
        bench.object("k", Location::Local(bench.path("d"))).await,
        bench.object("k", object("c", "k")).await,
        bench.file("never", b"x"),
    ];
    let stopping = bench.context.stopping.clone();
    bench.store.set_hook(Some(Hook::new(move |call| {
        match call.operation {
            // Parts that never come to an end, and the interrupt.
            Operation::UploadPart | Operation::GetObject => {
                stopping.cancel();
                Reaction::Wait(Box::pin(std::future::pending()))
            }
            _ => Reaction::Proceed,
        }
    })));
    let started = tokio::time::Instant::now();
    let sums = bench.run(tasks).await;
    assert!(started.elapsed() < Duration::from_secs(4));
    assert_eq!(sums.failed, 0, "{:?}", bench.ledger.rows.lock());
    assert!(sums.pending >= 2);
    bench.store.set_hook(None);
    assert_eq!(bench.store.bytes("b", "f"), None);
    assert!(!bench.path("d").exists());
    bench.assert_nothing_left();
}

mod sums {
    use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        /// Whatever fails and whenever the run is stopped: every listed object is in exactly one
        /// sum, every outcome but pending was told once, what was called copied is whole, and
        /// nothing is left behind.
        #[test]
        fn s5cmd_419_the_accounts_close_under_any_faults_and_stops(
            faults in proptest::collection::vec(any::<u8>(), 64),
            stop_at in proptest::option::of(0_u64..60),
            moves in any::<bool>(),
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .start_paused(true)
                .build()
                .unwrap();
            runtime.block_on(async {
                let mut bench = Bench::new();
                bench.store.set_options(|options| options.part_size_min = ByteCount(1));
                bench.context.objects = Arc::new(tokio::sync::Semaphore::new(3));
                let mut tasks = Vec::new();
                for number in 0..8_u64 {
                    let (name, size) = (format!("f{number}"), number * 97_000);
                    bench.store.insert("b", &format!("k{number}"), ramp(size));
                    tasks.push(bench.file(&name, &ramp(size)));
                    let down = Location::Local(bench.path(&format!("d{number}")));
                    tasks.push(bench.object(&format!("k{number}"), down).await);
                    tasks.push(bench.object(&format!("k{number}"), object("c", &name)).await);
                }
                tasks.push(bench.file("large", &ramp(17 * MIB)));
                if moves {
                    tasks.iter_mut().step_by(2).for_each(|task| task.verb = Verb::Move);
                }
                let count = tasks.len() as u64;
                let stopping = bench.context.stopping.clone();
                let calls = AtomicU64::new(0);
                bench.store.set_hook(Some(Hook::new(move |call| {
                    let number = calls.fetch_add(1, Ordering::Relaxed);
                    if Some(number) == stop_at {
                        stopping.cancel();
                    }
                    let pick = faults[usize::try_from(number).unwrap() % faults.len()];
                    // What would undo a failure must work, or something is left, rightly.
                    if matches!(call.operation, Operation::AbortMultipartUpload | Operation::ListParts) {
                        return Reaction::Proceed;
                    }
                    match pick % 12 {
                        0 => Reaction::Fail(call.access_denied()),
                        1 => Reaction::Fail(call.internal_error()),
                        // An upload whose id never arrived is nobody's to abort.
                        2 if call.operation != Operation::CreateMultipartUpload => {
                            Reaction::ActThenFail(call.connection_lost())
                        }
                        3 => Reaction::BreakBody { after: u64::from(pick) * 300 },
                        4 => Reaction::CorruptBody { at: u64::from(pick) },
                        _ => Reaction::Proceed,
                    }
                })));
                let sums = bench.run(tasks).await;
                prop_assert_eq!(sums.listed, count);
                let warnings = bench.ledger.count("warning");
                let told = bench.ledger.rows.lock().len() - warnings;
                prop_assert_eq!(told as u64 + sums.pending, count);
                if stop_at.is_none() {
                    prop_assert_eq!(sums.pending, 0);
                }
                bench.assert_nothing_left();
                for moved in bench.ledger.moved.lock().iter() {
                    let arrived = match &moved.destination {
                        Location::Local(path) => std::fs::read(path).unwrap(),
                        Location::Remote(object) => bench
                            .store
                            .bytes(object.bucket.as_str(), object.key.as_str())
                            .unwrap()
                            .to_vec(),
                    };
                    prop_assert!(arrived == ramp(moved.size.0), "{} is whole", moved.destination);
                }
                Ok(())
            })?;
        }
    }
}
