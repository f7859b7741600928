//! Keys asked of stores in memory, with a set as the oracle.

use std::collections::BTreeSet;
use std::time::Duration;

use base::Fault;
use base::fault::Classified as _;
use proptest::prelude::{
    ProptestConfig, Strategy as _, any, prop_assert, prop_assert_eq, proptest,
};
use remote::memory::{Call, Hook, ListingOrder, Reaction};
use remote::{MemoryClient, MemoryOptions, Operation};

use super::*;
use crate::job::exists::missing::Recorded;
use crate::url::Target;
use crate::workbench::bench;

fn bucket() -> BucketName {
    BucketName::new("bucket").unwrap()
}

fn key(text: &str) -> Key {
    Key::new(text).unwrap()
}

fn store(page: u32, keys: impl IntoIterator<Item = String>) -> MemoryClient {
    let client = MemoryClient::new(MemoryOptions {
        page_rows_max: page,
        ..MemoryOptions::default()
    });
    client.insert_bucket("bucket");
    for key in keys {
        client.insert("bucket", &key, "x");
    }
    client
}

/// Few of either at once, so that small tests reach every way of asking.
fn narrow(by: By) -> ExistsOptions {
    ExistsOptions {
        by,
        heads_max: 4,
        lists_max: 3,
        ..ExistsOptions::default()
    }
}

async fn all(mut answers: Answers) -> Vec<Answer> {
    let mut got = Vec::new();
    while let Some(answer) = answers.next().await {
        got.push(answer.unwrap());
    }
    got
}

async fn ask(client: &MemoryClient, keys: &[&str], options: ExistsOptions) -> Vec<Answer> {
    let keys = keys.iter().map(|text| key(text)).collect();
    all(answer(Arc::new(client.clone()), bucket(), keys, options)).await
}

fn words(answers: &[Answer]) -> Vec<String> {
    let word = |answer: &Answer| {
        let verdict = match &answer.verdict {
            Verdict::Present(_) => "present",
            Verdict::Absent => "absent",
            Verdict::Unknown(_) => "unknown",
        };
        format!("{verdict} {}", answer.name)
    };
    answers.iter().map(word).collect()
}

fn heads(client: &MemoryClient) -> u64 {
    client.request_count(Operation::HeadObject)
}

fn lists(client: &MemoryClient) -> u64 {
    client.request_count(Operation::ListObjectsV2)
}

#[tokio::test(start_paused = true)]
async fn ten_keys_are_ten_heads_side_by_side_and_nothing_before_them() {
    let client = MemoryClient::new(MemoryOptions {
        latency: Duration::from_millis(100),
        ..MemoryOptions::default()
    });
    let present: Vec<String> = (0..9).map(|at| format!("logos/{at}.png")).collect();
    for name in &present {
        client.insert("bucket", name, "png");
    }
    let started = tokio::time::Instant::now();
    let keys = (0..10).map(|at| key(&format!("logos/{at}.png"))).collect();
    let options = ExistsOptions::default();
    let mut answers = answer(Arc::new(client.clone()), bucket(), keys, options);
    let mut got = Vec::new();
    while let Some(answer) = answers.next().await {
        got.push(answer.unwrap());
    }
    // One round trip on the virtual clock.
    assert_eq!(started.elapsed(), Duration::from_millis(100));
    assert_eq!(words(&got)[9], "absent logos/9.png");
    assert_eq!((heads(&client), lists(&client)), (10, 0));
    match &got[0].verdict {
        Verdict::Present(presence) => {
            assert_eq!(presence.size, Some(ByteCount(3)));
            assert!(presence.etag.is_some() && presence.last_modified.is_some());
        }
        other => panic!("{other:?}"),
    }
    let why = answers.explanation().unwrap();
    assert!(!why.listing && why.keys == 10);
    assert_eq!(answers.spent().heads, 10);
}

#[tokio::test]
async fn answers_come_in_the_order_given_and_duplicates_are_answered_each() {
    let client = store(1_000, ["b".to_owned(), "c".to_owned()]);
    for by in [By::Auto, By::Head, By::List] {
        let got = ask(&client, &["c", "a", "b", "c", "a"], narrow(by)).await;
        assert_eq!(
            words(&got),
            [
                "present c",
                "absent a",
                "present b",
                "present c",
                "absent a"
            ],
            "{by:?}"
        );
    }
}

#[tokio::test]
async fn nothing_asked_is_nothing_answered() {
    let client = store(1_000, []);
    assert!(ask(&client, &[], narrow(By::Auto)).await.is_empty());
    assert_eq!((heads(&client), lists(&client)), (0, 0));
}

#[tokio::test]
async fn a_bucket_that_is_not_there_makes_nothing_absent() {
    let client = MemoryClient::with_buckets(["other"]);
    for by in [By::Auto, By::Head, By::List] {
        for answer in ask(&client, &["a", "b"], narrow(by)).await {
            match answer.verdict {
                Verdict::Unknown(error) => assert_eq!(error.fault(), Fault::NotFound),
                other => panic!("{by:?}: {other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn who_may_neither_list_nor_read_is_told_unknown_and_never_absent() {
    let client = store(1_000, ["there".to_owned()]);
    // As S3 answers those without ListBucket: 403 for what is not there.
    client.set_hook(Some(Hook::deny(|call| {
        call.operation != Operation::HeadObject || call.key != Some("there")
    })));
    let got = ask(&client, &["there", "not"], narrow(By::Auto)).await;
    assert_eq!(words(&got), ["present there", "unknown not"]);
    match &got[1].verdict {
        Verdict::Unknown(error) => assert_eq!(error.fault(), Fault::Denied),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn who_may_list_but_not_read_is_told_by_the_listing() {
    let client = store(1_000, ["k".to_owned(), "k2".to_owned()]);
    let no_heads = |call: &Call<'_>| call.operation == Operation::HeadObject;
    client.set_hook(Some(Hook::deny(no_heads)));
    let got = ask(&client, &["k", "no", "k2"], narrow(By::Auto)).await;
    assert_eq!(words(&got), ["present k", "absent no", "present k2"]);
    let asked = heads(&client);
    let got = ask(&client, &["k", "no"], narrow(By::Head)).await;
    assert_eq!(words(&got), ["unknown k", "unknown no"]);
    assert_eq!(heads(&client), asked + 2);
}

#[tokio::test]
async fn refused_listings_are_not_asked_for_again_and_again() {
    let client = store(1_000, []);
    client.set_hook(Some(Hook::deny(|_| true)));
    let names: Vec<String> = (0..200).map(|at| format!("k{at}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let got = ask(&client, &names, narrow(By::Auto)).await;
    assert_eq!(got.len(), 200);
    assert!(words(&got).iter().all(|line| line.starts_with("unknown")));
    assert!(lists(&client) < 20, "{}", lists(&client));
}

#[tokio::test]
async fn many_of_a_small_bucket_are_known_by_one_page() {
    let stored = (0..50).map(|at| format!("p/{at:03}"));
    let client = store(1_000, stored);
    let names: Vec<String> = (0..3_000).map(|at| format!("p/{at:03}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let got = ask(&client, &names, ExistsOptions::default()).await;
    let present = words(&got)
        .iter()
        .filter(|line| line.starts_with("present"))
        .count();
    assert_eq!(present, 50);
    // A few HEADs are sent until the page has come.
    assert!(heads(&client) <= 12 && lists(&client) <= 8);
}

/// Asked of a store that takes as long for a page as for five HEADs.
async fn requests_for(stored: Vec<String>, asked: Vec<String>) -> (u64, u64) {
    let latency = Hook::new(|call: &Call<'_>| match call.operation {
        Operation::ListObjectsV2 => {
            Reaction::Wait(Box::pin(tokio::time::sleep(Duration::from_millis(80))))
        }
        _ => Reaction::Proceed,
    });
    let client = MemoryClient::new(MemoryOptions {
        latency: Duration::from_millis(20),
        hook: Some(latency),
        ..MemoryOptions::default()
    });
    client.insert_bucket("bucket");
    for key in &stored {
        client.insert("bucket", key, "x");
    }
    let names: Vec<&str> = asked.iter().map(String::as_str).collect();
    let got = ask(&client, &names, ExistsOptions::default()).await;
    let stored: BTreeSet<&String> = stored.iter().collect();
    for (answer, name) in got.iter().zip(&asked) {
        let present = matches!(answer.verdict, Verdict::Present(_));
        assert_eq!(present, stored.contains(name), "{name}");
    }
    (heads(&client), lists(&client))
}

#[tokio::test(start_paused = true)]
async fn listing_costs_a_handful_of_heads_and_few_pages_more_than_it_must() {
    // All of three thousand neighbours: three pages would do. It was 1,822 HEADs and 32 pages.
    let dense: Vec<String> = (0..3_000).map(|at| format!("d/{at:06}")).collect();
    let (heads, lists) = requests_for(dense.clone(), dense).await;
    assert!(heads <= 12 && lists <= 8, "{heads} HEADs, {lists} pages");
}

#[tokio::test(start_paused = true)]
async fn scattered_keys_cost_few_pages_more_than_their_heads() {
    let stored: Vec<String> = (0..60_000).map(|at| format!("d/{at:06}")).collect();
    let asked: Vec<String> = (0..200)
        .map(|at| format!("d/{:06}{}", at * 300, if at % 2 == 0 { "" } else { "x" }))
        .collect();
    let (heads, lists) = requests_for(stored, asked).await;
    assert!(heads <= 200 && lists <= 12, "{heads} HEADs, {lists} pages");
}

#[tokio::test]
async fn close_keys_are_read_off_the_listing_and_only_their_pages() {
    // A thousandth of the bucket, all in one place.
    let stored: Vec<String> = (0..20_000).map(|at| format!("d/{at:06}")).collect();
    let client = store(100, stored);
    let names: Vec<String> = (9_000..9_400).map(|at| format!("d/{at:06}x")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let got = ask(&client, &names, narrow(By::List)).await;
    assert!(words(&got).iter().all(|line| line.starts_with("absent")));
    assert_eq!(heads(&client), 0);
    assert!(lists(&client) <= 20, "{} of 200 pages", lists(&client));
}

#[tokio::test]
async fn a_listing_that_breaks_leaves_its_keys_to_head() {
    let stored: Vec<String> = (0..2_000).map(|at| format!("k{at:05}")).collect();
    let client = store(100, stored);
    client.set_hook(Some(Hook::new(|call| match call.operation {
        Operation::ListObjectsV2 if call.number_of_operation > 2 => {
            Reaction::Fail(call.internal_error())
        }
        _ => Reaction::Proceed,
    })));
    let names: Vec<String> = (0..2_000).map(|at| format!("k{at:05}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let got = ask(&client, &names, narrow(By::Auto)).await;
    assert!(words(&got).iter().all(|line| line.starts_with("present")));
    // Where only the listing may be asked, what it did not say is unknown.
    let got = ask(&client, &names, narrow(By::List)).await;
    assert!(!words(&got).iter().any(|line| line.starts_with("absent")));
    assert!(words(&got).iter().any(|line| line.starts_with("unknown")));
}

#[tokio::test]
async fn a_stop_ends_the_answers_with_an_error() {
    let client = store(1_000, []);
    let options = ExistsOptions::default();
    options.stopping.cancel();
    let mut answers = answer(Arc::new(client), bucket(), vec![key("a")], options);
    assert!(matches!(answers.next().await, Some(Err(Error::Cancelled))));
    assert!(answers.next().await.is_none());
}

#[tokio::test]
async fn credentials_that_expire_end_the_asking_instead_of_failing_key_by_key() {
    let client = store(1_000, []);
    client.set_hook(Some(Hook::new(|call| match call.operation {
        // HEAD's answers have no body: the store says why only to a listing.
        Operation::HeadObject if call.number_of_operation > 20 => {
            Reaction::Fail(call.error(Fault::Invalid, 400, "BadRequest", "Bad Request"))
        }
        Operation::ListObjectsV2 if call.number_of_operation > 1 => {
            Reaction::Fail(call.expired_token())
        }
        _ => Reaction::Proceed,
    })));
    let keys = (0..500).map(|at| key(&format!("k{at}"))).collect();
    // No page holds a bucket of which nothing is asked below one.
    let options = ExistsOptions {
        by: By::Auto,
        lists_max: 1,
        heads_max: 2,
        ..ExistsOptions::default()
    };
    client.set_options(|options| options.page_rows_max = 1);
    client.insert("bucket", "a", "x");
    client.insert("bucket", "b", "x");
    let mut answers = answer(Arc::new(client.clone()), bucket(), keys, options);
    let error = loop {
        match answers.next().await.unwrap() {
            Ok(answer) => assert!(!matches!(answer.verdict, Verdict::Present(_))),
            Err(error) => break error,
        }
    };
    assert_eq!(error.fault(), Fault::Expired);
    assert!(answers.next().await.is_none());
    assert!(heads(&client) < 200);
}

#[tokio::test]
async fn names_that_are_no_keys_of_the_bucket_are_unknown() {
    let client = store(1_000, ["p/a".to_owned()]);
    let options = ExistsOptions {
        prefix: "p/".to_owned(),
        ..narrow(By::Auto)
    };
    let names = ["p/a", "a", "s3://bucket/p/a", "s3://other/p/a", "p/b", ""];
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    let got = all(answer_names(Arc::new(client), bucket(), names, options)).await;
    assert_eq!(
        words(&got),
        [
            "present p/a",
            "unknown a",
            "present s3://bucket/p/a",
            "unknown s3://other/p/a",
            "absent p/b",
            "unknown "
        ]
    );
}

#[tokio::test]
async fn a_list_too_long_for_memory_is_answered_in_order_of_key() {
    let bench = bench(1_000);
    bench.fill((0..70_000).step_by(7).map(|at| format!("k/{at:06}")));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys");
    let mut text = String::new();
    for at in (0..70_000).rev() {
        text.push_str(&format!("k/{at:06}\t5\n"));
    }
    text.push_str("k/000000\n\tno key\n");
    std::fs::write(&path, text).unwrap();
    let list = KeyList::File(path);
    let options = ExistsOptions::default();
    let got = all(answer_list(&bench.context, bucket(), list, options)).await;
    assert_eq!(got.len(), 70_002);
    let unknown: Vec<&Answer> = got
        .iter()
        .filter(|answer| matches!(answer.verdict, Verdict::Unknown(_)))
        .collect();
    assert_eq!(unknown.len(), 1);
    let mut keys = got.iter().filter(|answer| answer.name.starts_with("k/"));
    let mut previous = String::new();
    let mut present = 0;
    assert!(keys.all(|answer| {
        let ascends = previous <= answer.name;
        previous.clone_from(&answer.name);
        let number: u32 = answer.name[2..].parse().unwrap();
        let there = matches!(answer.verdict, Verdict::Present(_));
        present += u32::from(there);
        ascends && there == number.is_multiple_of(7)
    }));
    assert_eq!(present, 10_001);
    // Ten pages hold the bucket; HEADs would be seventy thousand.
    assert!(bench.pages_asked() < 200 && heads(&bench.client) < 20_000);
}

#[tokio::test]
async fn what_is_missing_is_a_list_of_keys_once_each_and_whole_or_not_there() {
    let bench = bench(1_000);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("missing");
    let url = crate::url::S3Url::parse("s3://bucket/lists/missing").unwrap();
    for target in [Target::Local(path.clone()), Target::Remote(url)] {
        let mut missing = Missing::new(target).unwrap();
        for at in (0..2_500).rev().chain(0..10) {
            missing.add(&format!("k {at:05}")).await.unwrap();
        }
        missing.add("with\na line").await.unwrap();
        let recorded = missing.write(&bench.context).await.unwrap();
        assert_eq!(
            recorded,
            Recorded {
                keys: 2_500,
                unnamed: vec!["with\na line".to_owned()],
            }
        );
    }
    let text = std::fs::read_to_string(&path).unwrap();
    let expected: String = (0..2_500).map(|at| format!("k {at:05}\n")).collect();
    assert_eq!(text, expected);
    let stored = bench.client.bytes("bucket", "lists/missing").unwrap();
    assert_eq!(stored, expected.as_bytes());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    assert!(Missing::new(Target::Local("no/such/folder/list".into())).is_err());
}

/// What a store may do to those who ask.
#[derive(Debug, Clone)]
struct Manner {
    page: u32,
    order: ListingOrder,
    honours_start_after: bool,
    empty_pages: bool,
    /// Of a hundred requests so many fail.
    faults: u64,
    /// Keys of this many, by their sum of bytes, may not be read.
    hidden: u32,
    may_list: bool,
    seed: u64,
}

fn manner() -> impl proptest::strategy::Strategy<Value = Manner> {
    let orders = proptest::sample::select(vec![
        ListingOrder::Bytes,
        ListingOrder::Bytes,
        ListingOrder::PathComponents,
        ListingOrder::Unordered,
        ListingOrder::SwappedRows,
    ]);
    let faults = proptest::sample::select(vec![0_u64, 0, 3, 30]);
    (
        1..40_u32,
        orders,
        any::<bool>(),
        any::<bool>(),
        faults,
        0..4_u32,
        any::<bool>(),
        any::<u64>(),
    )
        .prop_map(
            |(page, order, honours_start_after, empty_pages, faults, hidden, may_list, seed)| {
                Manner {
                    page,
                    order,
                    honours_start_after,
                    empty_pages,
                    faults,
                    hidden,
                    may_list,
                    seed,
                }
            },
        )
}

impl Manner {
    fn hides(&self, key: &str) -> bool {
        self.hidden > 1
            && key
                .bytes()
                .map(u32::from)
                .sum::<u32>()
                .is_multiple_of(self.hidden)
    }

    /// 403 for what may not be read, and, as S3 does, for what is absent to those who may not list.
    fn hook(&self, stored: BTreeSet<String>) -> Hook {
        let manner = self.clone();
        Hook::new(move |call| {
            let drawn = (call.number ^ manner.seed)
                .wrapping_mul(0x9e37_79b9_7f4a_7c15)
                .rotate_left(31)
                .wrapping_mul(0xbf58_476d_1ce4_e5b9);
            if (drawn >> 33) % 100 < manner.faults {
                return Reaction::Fail(call.internal_error());
            }
            let key = call.key.unwrap_or_default();
            let denied = match call.operation {
                Operation::ListObjectsV2 | Operation::HeadBucket => !manner.may_list,
                Operation::HeadObject => {
                    manner.hides(key) || (!manner.may_list && !stored.contains(key))
                }
                _ => false,
            };
            match denied {
                true => Reaction::Fail(call.access_denied()),
                false => Reaction::Proceed,
            }
        })
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(160))]

    #[test]
    fn no_answer_is_ever_false(
        stored in proptest::collection::btree_set("[ab/.\\-]{1,5}", 0..120),
        others in proptest::collection::vec("[ab/.\\-é]{1,5}", 0..60),
        manner in manner(),
        by in proptest::sample::select(vec![By::Auto, By::Head, By::List]),
        wide in any::<bool>(),
    ) {
        let asked: Vec<String> = stored.iter().step_by(2).cloned().chain(others).collect();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        let got = runtime.block_on(async {
            let client = store(manner.page, stored.iter().cloned());
            client.set_options(|options| {
                options.listing_order = manner.order;
                options.honours_start_after = manner.honours_start_after;
                options.empty_pages = manner.empty_pages;
            });
            client.set_hook(Some(manner.hook(stored.clone())));
            let options = if wide { ExistsOptions { by, ..ExistsOptions::default() } } else { narrow(by) };
            let asked: Vec<&str> = asked.iter().map(String::as_str).collect();
            ask(&client, &asked, options).await
        });
        let names: Vec<&str> = got.iter().map(|answer| answer.name.as_str()).collect();
        prop_assert_eq!(names, asked.iter().map(String::as_str).collect::<Vec<_>>());
        for answer in &got {
            let there = stored.contains(&answer.name);
            match &answer.verdict {
                Verdict::Present(_) => prop_assert!(there, "{} is not there", answer.name),
                Verdict::Absent => prop_assert!(!there, "{} is there", answer.name),
                // A store in order without faults that may be asked everything says all.
                Verdict::Unknown(error) => prop_assert!(
                    manner.faults > 0
                        || !manner.may_list
                        || manner.hidden > 1
                        || by == By::List,
                    "{}: {error}", answer.name
                ),
            }
        }
    }
}
