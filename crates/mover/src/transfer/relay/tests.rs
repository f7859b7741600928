//! Objects from store to store, both in memory, that fail, lie and change under us.

mod checksums;
mod locks;
mod resumes;
mod streams;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use base::units::MIB;
use base::{BucketName, ByteCount, Key};
use remote::faulty::Plan;
use remote::memory::{ETagStyle, Hook, MemoryClient, MemoryOptions, Reaction};
use remote::types::{
    GetObjectTagging, HeadObject, ObjectAttributes, PutObject, ServerSideEncryption, StorageClass,
    Tag,
};
use remote::{Faulty, ObjectClient as _, Operation, Payload};

use crate::accounts::{Accounts, Sums};
use crate::context::Context;
use crate::engine::{Engine, Move};
use crate::entry::Entry;
use crate::event::{Attribute, Verb, Verified};
use crate::flow::Flow;
use crate::job::copy::CopyConditions;
use crate::location::{Location, ObjectLocation};
use crate::options::TransferOptions;
use crate::testing::{Ledger, context_over, ramp};

/// Two stores in memory with a bucket each, and what was heard.
pub(super) struct Bench {
    pub(super) source: MemoryClient,
    pub(super) destination: MemoryClient,
    pub(super) ledger: Arc<Ledger>,
    accounts: Arc<Accounts>,
    pub(super) context: Context,
    pub(super) options: TransferOptions,
    pub(super) verb: Verb,
    conditions: CopyConditions,
}

impl Bench {
    pub(super) fn new() -> Bench {
        let there = MemoryClient::new(MemoryOptions {
            endpoint: "memory://two".to_owned(),
            ..MemoryOptions::default()
        });
        Bench::between(MemoryClient::with_buckets(["from"]), there)
    }

    /// One store under two clients' credentials.
    pub(super) fn one_store() -> Bench {
        let store = MemoryClient::with_buckets(["from"]);
        Bench::between(store.clone(), store)
    }

    fn between(source: MemoryClient, destination: MemoryClient) -> Bench {
        destination.insert_bucket("to");
        let ledger = Arc::new(Ledger::default());
        Bench {
            context: context_over(&source, &destination, Arc::clone(&ledger)),
            source,
            destination,
            ledger,
            accounts: Arc::new(Accounts::default()),
            options: TransferOptions::default(),
            verb: Verb::Copy,
            conditions: CopyConditions::default(),
        }
    }

    fn without_checksums(self) -> Bench {
        for store in [&self.source, &self.destination] {
            store.set_options(|options| options.checksums = false);
        }
        self
    }

    /// Puts an object at the source with what it carries.
    pub(super) async fn put(&self, key: &str, bytes: Vec<u8>, attributes: ObjectAttributes) {
        let request = PutObject {
            bucket: BucketName::new("from").unwrap(),
            key: Key::new(key).unwrap(),
            payload: Payload::from_bytes(bytes),
            attributes,
            condition: remote::types::PutCondition::None,
        };
        self.source.put_object(request).await.unwrap();
    }

    pub(super) async fn head(
        &self,
        store: &MemoryClient,
        bucket: &str,
        key: &str,
    ) -> remote::types::ObjectHead {
        let request = HeadObject::new(BucketName::new(bucket).unwrap(), Key::new(key).unwrap());
        store.head_object(request).await.unwrap()
    }

    /// Moves objects of the source, each to its own key.
    pub(super) async fn run(&self, keys: &[&str]) -> Sums {
        let mut tasks = Vec::new();
        for key in keys {
            let head = self.head(&self.source, "from", key).await;
            tasks.push(Move {
                verb: self.verb,
                source: Entry {
                    location: location("from", key),
                    relative_start: 0,
                    size: head.size,
                    modified: head.last_modified,
                    etag: head.etag,
                    storage_class: head.attributes.storage_class,
                    checksum_algorithm: None,
                    is_delete_marker: false,
                },
                destination: location("to", key),
                options: Arc::new(self.options.clone()),
            });
        }
        self.run_tasks(tasks).await
    }

    async fn run_tasks(&self, tasks: Vec<Move>) -> Sums {
        let engine = Engine::new(self.context.clone(), Arc::clone(&self.accounts));
        for task in tasks {
            self.accounts.listed.add(1);
            engine.submit_under(task, self.conditions).await;
        }
        engine.finish().await;
        let sums = self.accounts.sums();
        assert!(sums.close() && sums.in_flight == 0, "{sums:?}");
        assert_eq!(self.destination.upload_count("to"), 0, "an upload was left");
        sums
    }

    fn verified(&self) -> Vec<Verified> {
        let moved = self.ledger.moved.lock();
        moved.iter().map(|moved| moved.verified.clone()).collect()
    }

    fn assert_equal(&self, key: &str) {
        let from = self.source.fingerprint("from", key);
        assert!(from.is_some(), "{key:?}");
        assert_eq!(from, self.destination.fingerprint("to", key), "{key:?}");
    }
}

fn location(bucket: &str, key: &str) -> Location {
    Location::Remote(ObjectLocation {
        bucket: BucketName::new(bucket).unwrap(),
        key: Key::new(key).unwrap(),
        version_id: None,
    })
}

/// Sizes at which something changes: nothing, one byte, one PUT at the most, parts and their edges.
const SIZES: [u64; 9] = [
    0,
    1,
    4_097,
    5 * MIB,
    16 * MIB - 1,
    16 * MIB,
    16 * MIB + 1,
    24 * MIB,
    24 * MIB + 1,
];

const AWKWARD: [&str; 6] = [
    "a//b/../c",
    "/leading",
    "with space & %20+?#",
    "new\nline\u{7f}",
    "ünïcödé/😀",
    "=;,'\"<>&",
];

#[tokio::test]
async fn every_size_class_arrives_whole_and_is_checked_by_what_both_stores_keep() {
    for (bench, weakest) in [(Bench::new(), 4), (Bench::new().without_checksums(), 2)] {
        let mut keys = Vec::new();
        for (size, index) in SIZES.into_iter().zip(0_u64..) {
            let key = format!("size-{size}");
            bench
                .source
                .insert_ramp("from", &key, index, ByteCount(size));
            keys.push(key);
        }
        for key in AWKWARD {
            bench.source.insert("from", key, ramp(1_000));
            keys.push(key.to_owned());
        }
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let sums = bench.run(&keys).await;
        assert_eq!(sums.copied, keys.len() as u64, "{:?}", bench.ledger.rows);
        keys.iter().for_each(|key| bench.assert_equal(key));
        for verified in bench.verified() {
            let strength = match verified {
                Verified::Checksum(_) => 4,
                Verified::ETag => 2,
                Verified::PayloadSignature | Verified::ServerSide | Verified::SizeOnly => 0,
            };
            assert!(strength >= weakest, "{verified:?}");
        }
        assert_eq!(bench.source.request_count(Operation::CopyObject), 0);
    }
}

#[tokio::test]
async fn a_small_object_takes_one_get_and_one_put() {
    let bench = Bench::new();
    bench.source.insert("from", "small", ramp(9_000));
    let head_requests = |bench: &Bench| bench.source.request_count(Operation::HeadObject);
    bench.run(&["small"]).await;
    // The one HEAD is this test's own listing.
    assert_eq!(head_requests(&bench), 1);
    assert_eq!(bench.source.request_count(Operation::GetObject), 1);
    assert_eq!(bench.destination.requests(), 1);
}

#[tokio::test]
async fn stores_with_nothing_to_compare_are_told_apart_and_a_move_keeps_its_source() {
    let mut bench = Bench::new().without_checksums();
    bench
        .source
        .set_options(|options| options.etags = ETagStyle::Opaque);
    bench.verb = Verb::Move;
    bench.source.insert("from", "whole", ramp(1_000));
    bench
        .source
        .insert_ramp("from", "parts", 3, ByteCount(17 * MIB));
    let sums = bench.run(&["whole", "parts"]).await;
    assert_eq!(
        (sums.copied, sums.unverified, sums.copied_not_deleted),
        (2, 2, 2)
    );
    bench.assert_equal("whole");
    bench.assert_equal("parts");
}

#[tokio::test]
async fn a_move_across_endpoints_deletes_what_was_compared() {
    let mut bench = Bench::new();
    bench.verb = Verb::Move;
    bench.source.insert("from", "small", ramp(5_000));
    bench
        .source
        .insert_ramp("from", "large", 9, ByteCount(20 * MIB));
    let sums = bench.run(&["small", "large"]).await;
    assert_eq!((sums.copied, sums.copied_not_deleted), (2, 0));
    assert!(bench.source.keys("from").is_empty());
    assert_eq!(bench.destination.keys("to"), ["large", "small"]);
}

#[tokio::test]
async fn bytes_that_arrive_wrong_each_time_never_reach_the_destination() {
    for bench in [Bench::new(), Bench::new().without_checksums()] {
        let mut bench = bench;
        bench.verb = Verb::Move;
        bench.source.insert("from", "small", ramp(5_000));
        bench
            .source
            .insert_ramp("from", "large", 9, ByteCount(20 * MIB));
        bench
            .source
            .set_hook(Some(Hook::new(|call| match call.operation {
                Operation::GetObject => Reaction::CorruptBody { at: 17 },
                _ => Reaction::Proceed,
            })));
        let sums = bench.run(&["small", "large"]).await;
        assert_eq!((sums.failed, sums.copied), (2, 0));
        assert!(bench.destination.keys("to").is_empty());
        assert_eq!(bench.source.keys("from").len(), 2);
        assert_eq!(bench.destination.request_count(Operation::PutObject), 0);
        assert_eq!(
            bench
                .destination
                .request_count(Operation::CompleteMultipartUpload),
            0
        );
    }
}

// A store that keeps no checksums took wrong bytes, refused to delete them, and the next try failed
// for a reason of its own (or found "something" that was to be kept), which was all that was said.
#[tokio::test]
async fn a_wrong_object_that_stays_is_told_of_whatever_comes_after() {
    for (size, keep) in [
        (70_000, false),
        (70_000, true),
        (20 * MIB, false),
        (20 * MIB, true),
    ] {
        let mut bench = Bench::new().without_checksums();
        bench.conditions.no_clobber = keep;
        bench.source.insert_ramp("from", "k", 5, ByteCount(size));
        bench.source.set_hook(Some(Hook::deny(move |call| {
            let first = if size > 16 * MIB { 4 } else { 1 };
            !keep && call.operation == Operation::GetObject && call.number_of_operation > first
        })));
        bench.destination.set_hook(Some(Hook::deny(|call| {
            call.operation == Operation::DeleteObject
        })));
        let plan = Plan {
            wrong_uploads: 1_000,
            ..Plan::calm()
        };
        let destination = Arc::new(bench.destination.clone());
        bench.context.destination = Arc::new(Faulty::new(destination, 1, plan));
        let sums = bench.run(&["k"]).await;
        assert_eq!(sums.failed, 1, "{size} {keep} {sums:?}");
        let said = bench.ledger.said("failed").concat();
        assert!(said.contains("which stays"), "{size} {keep} {said}");
        assert_ne!(
            bench.source.fingerprint("from", "k"),
            bench.destination.fingerprint("to", "k")
        );
    }
}

#[tokio::test]
async fn a_source_that_changes_half_way_is_begun_anew() {
    let bench = Bench::new();
    bench
        .source
        .insert_ramp("from", "k", 1, ByteCount(40 * MIB));
    let changing = bench.source.clone();
    bench.source.set_hook(Some(Hook::new(move |call| {
        if call.operation == Operation::GetObject && call.number_of_operation == 3 {
            changing.insert_ramp("from", "k", 77, ByteCount(33 * MIB));
        }
        Reaction::Proceed
    })));
    let sums = bench.run(&["k"]).await;
    assert_eq!(sums.copied, 1, "{:?}", bench.ledger.rows);
    bench.assert_equal("k");
    assert_eq!(bench.ledger.moved.lock()[0].size, ByteCount(33 * MIB));
}

#[tokio::test]
async fn a_source_that_never_stands_still_fails_by_name() {
    let bench = Bench::new();
    bench
        .source
        .insert_ramp("from", "k", 1, ByteCount(20 * MIB));
    let changing = bench.source.clone();
    let turn = AtomicU64::new(0);
    bench.source.set_hook(Some(Hook::new(move |call| {
        if call.operation == Operation::GetObject {
            let phase = turn.fetch_add(1, Ordering::Relaxed);
            changing.insert_ramp("from", "k", phase, ByteCount(20 * MIB));
        }
        Reaction::Proceed
    })));
    let sums = bench.run(&["k"]).await;
    assert_eq!((sums.failed, sums.copied), (1, 0));
    assert!(bench.ledger.said("failed")[0].contains("changed while it was read"));
    assert!(bench.destination.keys("to").is_empty());
}

#[tokio::test]
async fn the_plan_follows_the_length_that_the_source_answers() {
    for (listed, now) in [(10, 20 * MIB), (20 * MIB, 10), (10, 12 * MIB), (0, 1)] {
        let bench = Bench::new();
        bench.source.insert_ramp("from", "k", 1, ByteCount(listed));
        let changing = bench.source.clone();
        let once = AtomicU64::new(0);
        bench.source.set_hook(Some(Hook::new(move |call| {
            // The first request is this test's own listing.
            if call.number > 1 && once.fetch_add(1, Ordering::Relaxed) == 0 {
                changing.insert_ramp("from", "k", 2, ByteCount(now));
            }
            Reaction::Proceed
        })));
        let sums = bench.run(&["k"]).await;
        assert_eq!(sums.copied, 1, "{listed} {now}");
        bench.assert_equal("k");
    }
}

#[tokio::test]
async fn gone_at_the_source_is_gone_and_kept_at_the_destination_is_kept() {
    let mut bench = Bench::new();
    bench.source.insert("from", "gone", ramp(10));
    bench.source.set_hook(Some(Hook::new(|call| {
        if call.operation == Operation::GetObject && call.key == Some("gone") {
            return Reaction::Fail(call.error(base::Fault::NotFound, 404, "NoSuchKey", "gone"));
        }
        Reaction::Proceed
    })));
    let sums = bench.run(&["gone"]).await;
    assert_eq!(sums.gone, 1);
    bench.conditions.no_clobber = true;
    bench
        .source
        .insert_ramp("from", "kept", 1, ByteCount(20 * MIB));
    let appearing = bench.destination.clone();
    bench.destination.set_hook(Some(Hook::new(move |call| {
        if call.operation == Operation::UploadPart {
            appearing.insert("to", "kept", "first");
        }
        Reaction::Proceed
    })));
    let sums = bench.run(&["kept"]).await;
    assert_eq!((sums.same, sums.copied), (1, 0));
    assert_eq!(bench.destination.bytes("to", "kept").unwrap(), "first");
}

#[tokio::test]
async fn a_denied_copy_is_relayed_and_teaches_once() {
    let bench = Bench::one_store();
    for key in ["a", "b", "c", "d"] {
        bench.source.insert("from", key, ramp(3_000));
    }
    bench.source.set_hook(Some(Hook::deny(|call| {
        call.operation == Operation::CopyObject
    })));
    for key in ["a", "b", "c", "d"] {
        bench.run(&[key]).await;
        bench.assert_equal(key);
    }
    assert_eq!(bench.source.request_count(Operation::CopyObject), 1);
    let said = bench.ledger.said("warning");
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].contains("s3://from") && said[0].contains("AccessDenied"),
        "{said:?}"
    );
}

#[tokio::test]
async fn a_denied_relay_teaches_nothing() {
    let bench = Bench::one_store();
    for key in ["a", "b", "c"] {
        bench.source.insert("from", key, ramp(3_000));
    }
    bench.source.set_hook(Some(Hook::deny(|call| {
        call.operation == Operation::CopyObject && call.key != Some("c")
            || call.operation == Operation::PutObject
    })));
    let sums = bench.run(&["a", "b"]).await;
    assert_eq!((sums.failed, sums.copied), (2, 0));
    assert!(
        bench.ledger.said("failed")[0].contains("PutObject"),
        "its own error"
    );
    assert_eq!(bench.source.request_count(Operation::CopyObject), 2);
    let sums = bench.run(&["c"]).await;
    assert_eq!(sums.copied, 1, "the store's copy is still tried");
    assert_eq!(bench.source.request_count(Operation::CopyObject), 3);
    assert!(bench.ledger.said("warning").is_empty());
}

/// One run under faults drawn from `seed`: whatever happens, what is called copied is equal, and
/// what is not is not there.
async fn under_faults(seed: u64) {
    let mut bench = Bench::new();
    // Every second run streams what is above 5 MiB.
    if !seed.is_multiple_of(2) {
        bench.context.flow = Flow::fixed(ByteCount(20 * MIB), NonZeroUsize::new(4).unwrap());
        let part_size = if seed.is_multiple_of(5) { 40 } else { 6 };
        bench.options.part_size = Some(ByteCount(part_size * MIB));
    }
    let bench = if seed.is_multiple_of(3) {
        bench.without_checksums()
    } else {
        bench
    };
    let keys = ["a", "b", "c", "d"];
    for (key, index) in keys.iter().zip(1_u64..) {
        let size = [900, 70_000, 3 * MIB, 17 * MIB][usize::try_from(index - 1).unwrap()];
        bench
            .source
            .insert_ramp("from", key, seed + index, ByteCount(size));
    }
    let draw = AtomicU64::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let changing = bench.source.clone();
    bench.source.set_hook(Some(Hook::new(move |call| {
        let number = next(&draw);
        if call.operation != Operation::GetObject {
            return Reaction::Proceed;
        }
        let at = number >> 8;
        match number % 12 {
            0 => Reaction::BreakBody {
                after: at % 100_000,
            },
            1 => Reaction::CorruptBody { at: at % 1_000 },
            2 => Reaction::Fail(call.connection_lost()),
            3 if at.is_multiple_of(4) => {
                let key = call.key.expect("a GET names a key");
                changing.insert_ramp("from", key, at % 251, ByteCount(18 * MIB));
                Reaction::Proceed
            }
            _ => Reaction::Proceed,
        }
    })));
    let sums = bench.run(&keys).await;
    let there = bench.destination.keys("to");
    assert_eq!(there.len() as u64, sums.copied, "seed {seed}");
    bench.source.set_hook(None);
    let moved = bench.ledger.moved.lock().clone();
    for moved in moved {
        let key = moved.source.as_remote().unwrap().key.to_string();
        let head = bench.head(&bench.source, "from", &key).await;
        if head.etag == moved.source_etag {
            bench.assert_equal(&key);
        }
    }
}

fn next(draw: &AtomicU64) -> u64 {
    let state = draw.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[tokio::test]
async fn whatever_breaks_no_wrong_byte_arrives() {
    for seed in 0..15 {
        under_faults(seed).await;
    }
}

#[tokio::test]
async fn many_objects_share_a_budget_that_holds_two_parts() {
    let mut bench = Bench::new().without_checksums();
    bench.context.flow = Flow::fixed(ByteCount(17 * MIB), NonZeroUsize::new(3).unwrap());
    let keys = ["a", "b", "c", "d", "e"];
    for (key, phase) in keys.iter().zip(0..) {
        bench
            .source
            .insert_ramp("from", key, phase, ByteCount(25 * MIB));
    }
    let sums = bench.run(&keys).await;
    assert_eq!(sums.copied, 5);
    keys.iter().for_each(|key| bench.assert_equal(key));
}

/// Everything that an object can carry.
fn laden() -> ObjectAttributes {
    let some = |text: &str| Some(text.to_owned());
    ObjectAttributes {
        content_type: some("audio/mpeg"),
        content_encoding: some("gzip"),
        content_disposition: some("attachment; filename=\"a.mp3\""),
        content_language: some("de"),
        cache_control: some("no-store"),
        expires: some("Sun, 06 Nov 1994 08:49:37 GMT"),
        metadata: vec![
            ("artist".to_owned(), "Bäch".to_owned()),
            ("empty".to_owned(), String::new()),
        ],
        storage_class: Some(StorageClass::from_name("STANDARD_IA")),
        encryption: ServerSideEncryption {
            algorithm: some("AES256"),
            kms_key_id: None,
        },
        tagging: some("team=a%20b&empty="),
        ..ObjectAttributes::default()
    }
}

async fn tags(store: &MemoryClient, bucket: &str, key: &str) -> Vec<Tag> {
    let request = GetObjectTagging {
        bucket: BucketName::new(bucket).unwrap(),
        key: Key::new(key).unwrap(),
        version_id: None,
    };
    let mut tags = store.get_object_tagging(request).await.unwrap();
    tags.sort();
    tags
}

#[tokio::test]
async fn aws_c_s3_641_metadata_and_tags_survive_copy_and_relay() {
    for (bench, key, size) in [
        (Bench::one_store(), "copied", 1_000),
        (Bench::new(), "relayed", 1_000),
        (Bench::new(), "relayed in parts", 17 * MIB),
    ] {
        bench.put(key, ramp(size), laden()).await;
        let sums = bench.run(&[key]).await;
        assert_eq!((sums.copied, sums.attributes_lost), (1, 0), "{key}");
        assert_carried(&bench, key).await;
    }
    // A copy inside a store in parts: those of the source, where nothing else could be compared.
    let mut bench = Bench::one_store().without_checksums();
    bench.verb = Verb::Copy;
    let key = "copied in parts";
    let parted = Bench::new().without_checksums();
    parted.put(key, ramp(17 * MIB), laden()).await;
    assert_eq!(parted.run(&[key]).await.copied, 1);
    bench.context.source = Arc::new(parted.destination.clone());
    bench.context.destination = Arc::new(parted.destination.clone());
    parted.destination.insert_bucket("again");
    bench.verb = Verb::Move;
    let head = bench.head(&parted.destination, "to", key).await;
    let task = Move {
        verb: Verb::Move,
        source: Entry {
            location: location("to", key),
            relative_start: 0,
            size: head.size,
            modified: None,
            etag: head.etag.clone(),
            storage_class: None,
            checksum_algorithm: None,
            is_delete_marker: false,
        },
        destination: location("again", key),
        options: Arc::new(bench.options.clone()),
    };
    let sums = bench.run_tasks(vec![task]).await;
    assert_eq!((sums.copied, sums.copied_not_deleted), (1, 0));
    assert!(parted.destination.request_count(Operation::UploadPartCopy) > 0);
    let copy = bench.head(&parted.destination, "again", key).await;
    assert_eq!(copy.attributes, head.attributes);
    assert_eq!(tags(&parted.destination, "again", key).await.len(), 2);
}

async fn assert_carried(bench: &Bench, key: &str) {
    let from = bench.head(&bench.source, "from", key).await.attributes;
    let to = bench.head(&bench.destination, "to", key).await.attributes;
    assert_eq!(from, to, "{key}");
    assert_eq!(to.storage_class, laden().storage_class);
    let expected = tags(&bench.source, "from", key).await;
    assert_eq!(expected.len(), 2);
    assert_eq!(tags(&bench.destination, "to", key).await, expected, "{key}");
}

#[tokio::test]
async fn what_cannot_go_along_is_said_and_under_strict_refused() {
    for strict in [false, true] {
        let mut bench = Bench::new();
        bench.options.strict = strict;
        for key in ["tags", "class", "key"] {
            let mut carried = ObjectAttributes::default();
            match key {
                "tags" => carried.tagging = Some("a=1".to_owned()),
                "class" => carried.storage_class = Some(StorageClass::from_name("OUTPOSTS")),
                _ => {
                    carried.encryption.algorithm = Some("aws:kms".to_owned());
                    carried.encryption.kms_key_id = Some("arn:theirs".to_owned());
                }
            }
            bench.put(key, ramp(100), carried).await;
        }
        bench.source.set_hook(Some(Hook::deny(|call| {
            call.operation == Operation::GetObjectTagging && call.key == Some("tags")
        })));
        let tries = AtomicU64::new(0);
        bench.destination.set_hook(Some(Hook::new(move |call| {
            let first = call.key == Some("class") && tries.fetch_add(1, Ordering::Relaxed) == 0;
            if first {
                let fault = base::Fault::Invalid;
                let message = "no such class here";
                return Reaction::Fail(call.error(fault, 400, "InvalidStorageClass", message));
            }
            Reaction::Proceed
        })));
        let sums = bench.run(&["tags", "class", "key"]).await;
        if strict {
            assert_eq!((sums.refused, sums.copied), (3, 0));
            assert!(bench.destination.keys("to").is_empty());
            continue;
        }
        assert_eq!((sums.copied, sums.attributes_lost), (3, 3));
        let moved = bench.ledger.moved.lock().clone();
        for moved in moved {
            let expected = match moved.source.as_remote().unwrap().key.as_str() {
                "tags" => Attribute::Tags,
                "class" => Attribute::StorageClass,
                _ => Attribute::Encryption,
            };
            assert_eq!(moved.lost.len(), 1, "{moved:?}");
            assert_eq!(moved.lost[0].attribute, expected);
        }
        let said = bench.ledger.said("warning");
        for word in ["its tags", "OUTPOSTS", "arn:theirs"] {
            assert!(
                said.iter().any(|line| line.contains(word)),
                "{word}: {said:?}"
            );
        }
    }
}

#[tokio::test]
async fn replace_drops_what_the_user_does_not_name() {
    let mut bench = Bench::new();
    bench.options.metadata_directive = Some(remote::types::MetadataDirective::Replace);
    bench.options.attributes.content_type = Some("text/plain".to_owned());
    bench.put("k", ramp(10), laden()).await;
    bench.run(&["k"]).await;
    let carried = bench.head(&bench.destination, "to", "k").await.attributes;
    assert_eq!(carried.content_type.as_deref(), Some("text/plain"));
    assert!(carried.metadata.is_empty() && carried.cache_control.is_none());
}

#[tokio::test]
async fn an_access_list_goes_along_when_asked_for() {
    let mut bench = Bench::new();
    let public = ObjectAttributes {
        acl: Some("public-read".to_owned()),
        ..ObjectAttributes::default()
    };
    bench.put("open", ramp(10), public).await;
    for (preserve_acl, grants) in [(false, 1), (true, 2)] {
        bench.options.preserve_acl = preserve_acl;
        let sums = bench.run(&["open"]).await;
        assert_eq!(sums.attributes_lost, 0, "{:?}", bench.ledger.rows);
        let request = remote::types::GetObjectAcl {
            bucket: BucketName::new("to").unwrap(),
            key: Key::new("open").unwrap(),
            version_id: None,
        };
        let list = bench.destination.get_object_acl(request).await.unwrap();
        assert_eq!(list.grants.len(), grants);
    }
}
