//! Histories drawn at random, carried, interrupted and carried again; the stores are the model.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

use base::{BucketName, Fault, Key};
use proptest::prelude::{Just, Strategy, any, prop, prop_assert, prop_assert_eq, prop_oneof};
use proptest::test_runner::{Config, TestRunner};
use remote::memory::{Hook, MemoryClient, Reaction};
use remote::types::{
    DeleteObject, ListObjectVersions, ObjectAttributes, PutCondition, PutObject, VersioningState,
};
use remote::{ObjectClient as _, Operation, Payload};

use super::*;
use crate::job::Ending;
use crate::testing::{Ledger, context_over};

const KEYS: [&str; 4] = ["a", "a/1", "b c", "d/"];

/// What happens to a key of the source.
#[derive(Debug, Clone)]
enum Op {
    Put(usize, u8),
    Delete(usize),
    Suspend,
    Enable,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        // Few contents, so that versions repeat.
        6 => (0..KEYS.len(), 0_u8..3).prop_map(|(key, byte)| Op::Put(key, byte)),
        3 => (0..KEYS.len()).prop_map(Op::Delete),
        1 => Just(Op::Suspend),
        1 => Just(Op::Enable),
    ]
}

fn bucket(name: &str) -> BucketName {
    BucketName::new(name).unwrap()
}

async fn versioning(store: &MemoryClient, name: &str, state: VersioningState) {
    let set = store.put_bucket_versioning(bucket(name), state).await;
    set.unwrap();
}

async fn put(store: &MemoryClient, name: &str, key: &str, bytes: Vec<u8>) {
    let put = PutObject {
        bucket: bucket(name),
        key: Key::new(key).unwrap(),
        payload: Payload::from_bytes(bytes),
        attributes: ObjectAttributes::default(),
        condition: PutCondition::None,
    };
    store.put_object(put).await.unwrap();
}

async fn delete(store: &MemoryClient, name: &str, key: &str) {
    let delete = DeleteObject {
        bucket: bucket(name),
        key: Key::new(key).unwrap(),
        version_id: None,
        if_match: None,
    };
    store.delete_object(delete).await.unwrap();
}

async fn play(store: &MemoryClient, ops: &[Op]) {
    for op in ops {
        match op {
            Op::Put(key, byte) => put(store, "from", KEYS[*key], vec![*byte; 3]).await,
            Op::Delete(key) => delete(store, "from", KEYS[*key]).await,
            Op::Suspend => versioning(store, "from", VersioningState::Suspended).await,
            Op::Enable => versioning(store, "from", VersioningState::Enabled).await,
        }
    }
}

/// Each key's versions, oldest first: an ETag, or none for a delete marker.
async fn histories(store: &MemoryClient, name: &str) -> BTreeMap<String, Vec<Option<String>>> {
    let mut list = ListObjectVersions {
        bucket: bucket(name),
        prefix: String::new(),
        delimiter: None,
        continuation_token: None,
        keys_max: None,
    };
    let mut histories: BTreeMap<String, Vec<Option<String>>> = BTreeMap::new();
    loop {
        let page = store.list_object_versions(list.clone()).await.unwrap();
        for row in page.objects {
            let etag = row.etag.map(|etag| etag.to_string());
            let history = histories.entry(row.key.to_string()).or_default();
            history.insert(0, etag);
        }
        list.continuation_token = page.next;
        if list.continuation_token.is_none() {
            return histories;
        }
    }
}

/// What the destination is to hold: directory markers are passed over, as by every sync.
async fn wanted(store: &MemoryClient) -> BTreeMap<String, Vec<Option<String>>> {
    let mut histories = histories(store, "from").await;
    histories.retain(|key, _| !key.ends_with('/'));
    histories
}

fn job(source: &str, destination: &str) -> VersionsJob {
    VersionsJob {
        source: Source::new(Target::parse(source).unwrap()),
        destination: Target::parse(destination).unwrap(),
        filter: Filter::default(),
        exit_on_error: false,
        options: TransferOptions::default(),
    }
}

async fn store() -> MemoryClient {
    let store = MemoryClient::with_buckets(["from", "to"]);
    versioning(&store, "from", VersioningState::Enabled).await;
    versioning(&store, "to", VersioningState::Enabled).await;
    store.set_options(|options| options.page_rows_max = 3);
    store
}

struct Run {
    result: Result<Report>,
    accounts: Arc<Accounts>,
    ledger: Arc<Ledger>,
}

impl Run {
    fn report(&self) -> &Report {
        self.result.as_ref().unwrap()
    }
}

async fn carry(store: &MemoryClient, job: VersionsJob) -> Run {
    let ledger = Arc::new(Ledger::default());
    let accounts = Arc::new(Accounts::default());
    let mut context = context_over(store, store, Arc::clone(&ledger));
    context.limits.objects_max = NonZeroUsize::new(3).unwrap();
    let result = Box::pin(run(job, &context, &accounts)).await;
    Run {
        result,
        accounts,
        ledger,
    }
}

/// What a history becomes at the destination, or `None` where it must be left alone: a source
/// whose versioning was suspended meanwhile has replaced what was carried already.
fn carried(whole: &[Option<String>], there: &[Option<String>]) -> Option<Vec<Option<String>>> {
    let mut at = 0;
    for version in there {
        if whole.get(at) == Some(version) {
            at += 1;
        } else if at == 0 || whole[at - 1] != *version {
            return None;
        }
    }
    Some([there, &whole[at..]].concat())
}

#[test]
fn version_history_survives_in_order() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut runner = TestRunner::new(Config {
        cases: 96,
        failure_persistence: None,
        ..Config::default()
    });
    let faults = prop::collection::vec((1_u64..12, any::<bool>()), 0..4);
    let rounds = prop::collection::vec((prop::collection::vec(op(), 0..14), faults), 1..4);
    let outcome = runner.run(&rounds, |rounds| {
        runtime.block_on(async {
            let store = store().await;
            for (ops, faults) in rounds {
                play(&store, &ops).await;
                let wanted = wanted(&store).await;
                let mut expected = histories(&store, "to").await;
                let mut differing = 0;
                for (key, whole) in &wanted {
                    let there = expected.entry(key.clone()).or_default();
                    match carried(whole, there) {
                        Some(after) => *there = after,
                        None => differing += whole.len() as u64,
                    }
                }
                for (nth, acts) in faults {
                    store.set_hook(Some(fail_write(nth, acts)));
                    let run = Box::pin(carry(&store, job("s3://from/*", "s3://to/"))).await;
                    if run.result.is_ok() {
                        prop_assert!(run.accounts.sums().close(), "{:?}", run.accounts.sums());
                    }
                    store.set_hook(None);
                    for (key, history) in histories(&store, "to").await {
                        let whole = &expected[&key];
                        prop_assert_eq!(&history[..], &whole[..history.len()], "{}", key);
                    }
                }
                let run = Box::pin(carry(&store, job("s3://from/*", "s3://to/"))).await;
                prop_assert_eq!(histories(&store, "to").await, expected);
                if let Ok(report) = &run.result {
                    prop_assert!(report.sums.close());
                    prop_assert_eq!(report.sums.failed, differing);
                }
                let again = Box::pin(carry(&store, job("s3://from/*", "s3://to/"))).await;
                if let Ok(Report { sums, .. }) = again.result {
                    prop_assert_eq!((sums.copied, sums.failed), (0, differing));
                    prop_assert_eq!(sums.listed, sums.same + sums.ignored + sums.failed);
                }
            }
            Ok(())
        })
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

/// Fails the nth write, before the store acts or after.
fn fail_write(nth: u64, acts: bool) -> Hook {
    let writes = std::sync::atomic::AtomicU64::new(0);
    Hook::new(move |call| {
        let is_write = matches!(
            call.operation,
            Operation::CopyObject | Operation::DeleteObject
        );
        if !is_write || writes.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1 != nth {
            return Reaction::Proceed;
        }
        let error = call.error(Fault::Unavailable, 503, "SlowDown", "not now");
        if acts {
            Reaction::ActThenFail(error)
        } else {
            Reaction::Fail(error)
        }
    })
}

#[tokio::test]
async fn a_history_that_differs_is_named_and_left_as_it_is() {
    let store = store().await;
    for byte in 0..3 {
        put(&store, "from", "k", vec![byte]).await;
        put(&store, "from", "other", vec![byte]).await;
    }
    put(&store, "to", "k", vec![0]).await;
    put(&store, "to", "k", vec![9]).await;
    let before = histories(&store, "to").await["k"].clone();
    let run = Box::pin(carry(&store, job("s3://from/*", "s3://to/"))).await;
    let sums = run.report().sums;
    assert_eq!((sums.failed, sums.copied, sums.listed), (3, 3, 6));
    assert_eq!(run.report().ending(false), Ending::Failed);
    assert!(sums.close());
    let said = run.ledger.said("failed");
    assert_eq!(said.len(), 1);
    assert!(
        said[0].contains("the history of s3://to/k differs: its version 2"),
        "{said:?}"
    );
    let after = histories(&store, "to").await;
    assert_eq!(after["k"], before);
    assert_eq!(after["other"].len(), 3);
}

#[tokio::test]
async fn a_destination_that_has_more_versions_differs_too() {
    let store = store().await;
    put(&store, "from", "k", vec![1]).await;
    put(&store, "to", "k", vec![1]).await;
    delete(&store, "to", "k").await;
    put(&store, "to", "alone", vec![1]).await;
    let run = Box::pin(carry(&store, job("s3://from/*", "s3://to/"))).await;
    let sums = run.report().sums;
    assert_eq!((sums.failed, sums.extra, sums.extra_kept), (1, 1, 1));
    assert!(run.ledger.said("failed")[0].contains("has nothing there"));
}

#[tokio::test]
async fn a_version_that_a_lost_answer_doubled_counts_once() {
    let store = store().await;
    for byte in [1, 2] {
        put(&store, "from", "k", vec![byte]).await;
        put(&store, "to", "k", vec![1]).await;
    }
    let run = Box::pin(carry(&store, job("s3://from/*", "s3://to/"))).await;
    assert_eq!(run.report().ending(true), Ending::Done);
    assert_eq!(histories(&store, "to").await["k"].len(), 3);
    assert_eq!(run.ledger.count("warning"), 1);
    let again = Box::pin(carry(&store, job("s3://from/*", "s3://to/"))).await;
    assert_eq!(again.report().sums.same, 2);
}

#[tokio::test]
async fn one_key_goes_by_itself_to_another_name() {
    let store = store().await;
    for byte in 0..5 {
        put(&store, "from", "k", vec![byte]).await;
        put(&store, "from", "kk", vec![byte]).await;
    }
    delete(&store, "from", "k").await;
    let run = Box::pin(carry(&store, job("s3://from/k", "s3://to/other"))).await;
    assert_eq!(run.report().sums.copied, 6);
    let there = histories(&store, "to").await;
    let here = histories(&store, "from").await;
    assert_eq!(there.len(), 1);
    assert_eq!(there["other"], here["k"]);
}

#[tokio::test]
async fn a_failed_version_holds_back_those_behind_it() {
    let store = store().await;
    for byte in 0..4 {
        put(&store, "from", "k", vec![byte]).await;
    }
    store.set_hook(Some(fail_write(2, false)));
    let run = Box::pin(carry(&store, job("s3://from/*", "s3://to/"))).await;
    let sums = run.report().sums;
    assert_eq!((sums.copied, sums.failed, sums.pending), (1, 1, 2));
    assert!(sums.close());
    assert_eq!(run.report().ending(false), Ending::Failed);
    assert_eq!(histories(&store, "to").await["k"].len(), 1);
}

#[tokio::test]
async fn a_broken_listing_leaves_the_key_at_hand_alone() {
    let store = store().await;
    for byte in 0..4 {
        put(&store, "from", "a", vec![byte]).await;
        put(&store, "from", "b", vec![byte]).await;
    }
    store.set_hook(Some(Hook::new(|call| {
        let lists_source = call.operation == Operation::ListObjectVersions
            && call.bucket == Some("from")
            && call.number_of_operation > 2;
        if lists_source {
            Reaction::Fail(call.error(Fault::Denied, 403, "AccessDenied", "no more"))
        } else {
            Reaction::Proceed
        }
    })));
    let run = Box::pin(carry(&store, job("s3://from/*", "s3://to/"))).await;
    store.set_hook(None);
    let there = histories(&store, "to").await;
    assert!(there.get("b").is_none_or(|history| history.len() == 4));
    assert!(run.accounts.sums().close());
    match &run.result {
        Ok(report) => assert_eq!(report.ending(false), Ending::Failed),
        Err(_) => assert!(there.is_empty()),
    }
}

#[tokio::test]
async fn buckets_that_keep_no_history_are_refused() {
    let store = MemoryClient::with_buckets(["from", "to"]);
    store.insert("from", "k", "x");
    let refused = async |source: &str, destination: &str| {
        let run = Box::pin(carry(&store, job(source, destination))).await;
        assert_eq!(run.accounts.sums().listed, 0);
        run.result.unwrap_err().to_string()
    };
    let from = refused("s3://from/*", "s3://to/").await;
    assert!(from.starts_with("s3://from keeps no versions"), "{from}");
    versioning(&store, "from", VersioningState::Enabled).await;
    let to = refused("s3://from/*", "s3://to/").await;
    assert!(to.starts_with("s3://to keeps no versions"), "{to}");
    versioning(&store, "to", VersioningState::Suspended).await;
    let suspended = refused("s3://from/*", "s3://to/").await;
    assert!(suspended.contains("is suspended"), "{suspended}");
    let local = refused("s3://from/*", "folder/").await;
    assert!(local.contains("from bucket to bucket"), "{local}");
    versioning(&store, "to", VersioningState::Enabled).await;
    let inside = refused("s3://from/*", "s3://from/below/").await;
    assert!(inside.contains("lies inside of"), "{inside}");
}

#[tokio::test]
async fn a_stopped_run_leaves_a_beginning_and_goes_on() {
    let store = store().await;
    for byte in 0..6 {
        for key in ["a", "b", "c"] {
            put(&store, "from", key, vec![byte]).await;
        }
    }
    let ledger = Arc::new(Ledger::default());
    let accounts = Arc::new(Accounts::default());
    let context = context_over(&store, &store, ledger);
    let stopping = context.stopping.clone();
    store.set_hook(Some(Hook::new(move |call| {
        if call.operation == Operation::CopyObject && call.number_of_operation == 7 {
            stopping.cancel();
        }
        Reaction::Proceed
    })));
    let asked = job("s3://from/*", "s3://to/");
    let report = Box::pin(run(asked, &context, &accounts)).await.unwrap();
    store.set_hook(None);
    assert_eq!(report.ending(false), Ending::Stopped);
    assert!(report.sums.close() && report.sums.pending > 0, "{report:?}");
    let wanted = wanted(&store).await;
    for (key, history) in histories(&store, "to").await {
        assert_eq!(history[..], wanted[&key][..history.len()]);
    }
    let run = Box::pin(carry(&store, job("s3://from/*", "s3://to/"))).await;
    assert_eq!(run.report().ending(true), Ending::Done);
    assert_eq!(histories(&store, "to").await, wanted);
}
