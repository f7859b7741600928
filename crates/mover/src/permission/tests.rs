//! Runs over stores in memory whose permissions come and go, on a virtual clock.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_assert, prop_assert_eq};
use proptest::prop_oneof;
use remote::memory::{Call, Hook, Reaction};
use remote::{MemoryClient, MemoryOptions, Operation};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::{OnDenied, guard};
use crate::accounts::Accounts;
use crate::compare::Comparator;
use crate::event::Verb;
use crate::filter::Filter;
use crate::job::copy::{self, CopyConditions, CopyJob};
use crate::job::sync::{self, SyncJob};
use crate::job::{Ending, Report};
use crate::options::TransferOptions;
use crate::source::Source;
use crate::testing::{Ledger, context_over};
use crate::url::Target;

/// How long each request takes: time must pass for anything to happen in it.
const LATENCY: Duration = Duration::from_millis(5);

fn store(name: &str) -> MemoryClient {
    let client = MemoryClient::new(MemoryOptions {
        endpoint: format!("memory://{name}"),
        latency: LATENCY,
        page_rows_max: 7,
        ..MemoryOptions::default()
    });
    client.insert_bucket("bucket");
    client
}

fn filled(objects: usize) -> MemoryClient {
    let client = store("source");
    for number in 0..objects {
        client.insert("bucket", &format!("o{number:03}"), format!("{number}"));
    }
    client
}

struct Run {
    report: Report,
    ledger: Arc<Ledger>,
}

impl Run {
    /// How often each object arrived.
    fn arrived(&self) -> BTreeMap<String, usize> {
        let mut arrived = BTreeMap::new();
        for moved in self.ledger.moved.lock().iter() {
            let name = moved.source.to_string();
            let name = name.rsplit('/').next().unwrap_or_default().to_owned();
            *arrived.entry(name).or_default() += 1;
        }
        arrived
    }

    fn failed(&self) -> BTreeSet<String> {
        let rows = self.ledger.rows.lock();
        let failed = rows.iter().filter(|row| row.0 == "failed");
        failed
            .map(|row| row.1.rsplit('/').next().unwrap_or_default().to_owned())
            .collect()
    }
}

/// Copies from `source` to `destination` under watch.
async fn run(
    client: &MemoryClient,
    source: &str,
    destination: &str,
    workers: usize,
    on_denied: OnDenied,
) -> crate::Result<Run> {
    let ledger = Arc::new(Ledger::default());
    let mut context = context_over(client, client, Arc::clone(&ledger));
    context.limits.objects_max = NonZeroUsize::new(workers).unwrap();
    context.limits.listings_max = NonZeroUsize::new(3).unwrap();
    context.objects = Arc::new(Semaphore::new(workers));
    let context = guard(&context, on_denied);
    let job = CopyJob {
        verb: Verb::Copy,
        source: Source::new(Target::parse(source).unwrap()),
        destination: Target::parse(destination).unwrap(),
        flatten: false,
        conditions: CopyConditions::default(),
        filter: Filter::default(),
        options: TransferOptions::default(),
    };
    let accounts = Arc::new(Accounts::default());
    let report = copy::run(job, &context, &accounts).await?;
    assert!(report.accounts_closed, "{:?}", report.sums);
    assert_eq!(report.sums.in_flight, 0);
    Ok(Run { report, ledger })
}

async fn download(client: &MemoryClient, folder: &Path, on_denied: OnDenied) -> Run {
    let destination = format!("{}/", folder.display());
    run(client, "s3://bucket/*", &destination, 6, on_denied)
        .await
        .unwrap()
}

/// Refuses while `when` says so, counted from now.
fn during(
    when: impl Fn(Duration) -> bool + Send + Sync + 'static,
    answer: fn(&Call<'_>) -> remote::Error,
) -> Hook {
    let start = Instant::now();
    Hook::new(move |call| {
        if when(start.elapsed()) {
            Reaction::Fail(answer(call))
        } else {
            Reaction::Proceed
        }
    })
}

fn files(folder: &Path) -> usize {
    std::fs::read_dir(folder).unwrap().count()
}

#[tokio::test(start_paused = true)]
async fn aws_cli_6709_expired_credentials_pause_and_lose_nothing() {
    // A token that ended made every object after it fail, one by one.
    let (client, folder) = (filled(60), tempfile::tempdir().unwrap());
    let outage = Duration::from_millis(40)..Duration::from_secs(600);
    client.set_hook(Some(during(
        move |passed| outage.contains(&passed),
        |call| call.expired_token(),
    )));
    let run = download(&client, folder.path(), OnDenied::Wait(None)).await;
    assert_eq!(run.report.ending(false), Ending::Done);
    assert_eq!(run.report.sums.copied, 60);
    assert_eq!(files(folder.path()), 60);
    assert_eq!(run.ledger.count("failed"), 0);
    let said = run.ledger.said("warning");
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].starts_with("permission lost on the source: "));
    let back = run.ledger.said("notice");
    assert!(back[0].starts_with("permission on the source is back"));
    // Nothing but the probes went out while it lasted: at most one a minute after the first few.
    assert!(client.request_count(Operation::ListObjectsV2) < 60);
    assert!(client.request_count(Operation::GetObject) < 60 + 40);
}

#[tokio::test(start_paused = true)]
async fn a_lost_permission_is_waited_for_and_goes_on_by_itself() {
    let (client, folder) = (filled(60), tempfile::tempdir().unwrap());
    let outage = Duration::from_millis(40)..Duration::from_secs(3_000);
    client.set_hook(Some(during(
        move |passed| outage.contains(&passed),
        |call| call.access_denied(),
    )));
    let run = download(&client, folder.path(), OnDenied::Wait(None)).await;
    assert_eq!(run.report.ending(false), Ending::Done);
    assert_eq!(
        (run.report.sums.copied, run.ledger.count("failed")),
        (60, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn a_permission_that_does_not_come_back_in_time_stops_the_run() {
    let (client, folder) = (filled(60), tempfile::tempdir().unwrap());
    client.set_hook(Some(during(
        |passed| passed > Duration::from_millis(40),
        |call| call.access_denied(),
    )));
    let bound = Duration::from_secs(7_200);
    let started = Instant::now();
    let run = download(&client, folder.path(), OnDenied::Wait(Some(bound))).await;
    assert_eq!(run.report.ending(false), Ending::Stopped);
    assert_eq!(run.ledger.count("failed"), 0);
    assert!(started.elapsed() >= bound && started.elapsed() < bound * 2);
    assert!(run.ledger.said("warning")[1].contains("has not come back in time"));
}

#[tokio::test(start_paused = true)]
async fn a_lost_permission_stops_the_run_and_the_next_one_completes_it() {
    for answer in [
        (|call: &Call<'_>| call.access_denied()) as fn(&Call<'_>) -> remote::Error,
        |call| call.expired_token(),
    ] {
        let (client, folder) = (filled(60), tempfile::tempdir().unwrap());
        client.set_hook(Some(during(
            |passed| passed > Duration::from_millis(40),
            answer,
        )));
        let run = download(&client, folder.path(), OnDenied::Stop).await;
        assert_eq!(run.report.ending(false), Ending::Stopped);
        let sums = run.report.sums;
        assert_eq!((sums.failed, sums.job_failures), (0, 0));
        assert_eq!(sums.copied + sums.pending, sums.listed);
        assert!(sums.copied > 0 && sums.copied < 60);
        client.set_hook(None);
        let again = download(&client, folder.path(), OnDenied::Stop).await;
        assert_eq!(again.report.sums.copied, 60);
    }
}

#[tokio::test(start_paused = true)]
async fn forbidden_keys_fail_by_name_and_the_run_goes_on() {
    let (client, folder) = (filled(120), tempfile::tempdir().unwrap());
    // Sprinkled, and twenty in a row.
    let forbidden: BTreeSet<String> = (0..120)
        .filter(|number| number % 11 == 3 || (60..80).contains(number))
        .map(|number| format!("o{number:03}"))
        .collect();
    let denied = forbidden.clone();
    client.set_hook(Some(Hook::deny(move |call| {
        call.operation == Operation::GetObject && call.key.is_some_and(|key| denied.contains(key))
    })));
    let run = download(&client, folder.path(), OnDenied::Wait(None)).await;
    assert_eq!(run.report.ending(false), Ending::Failed);
    assert_eq!(run.failed(), forbidden);
    assert_eq!(run.arrived().len(), 120 - forbidden.len());
    assert_eq!(run.ledger.count("warning"), 0);
}

#[tokio::test(start_paused = true)]
async fn one_forbidden_object_is_a_failure_and_no_loss() {
    let (client, folder) = (filled(1), tempfile::tempdir().unwrap());
    client.set_hook(Some(Hook::deny(|call| {
        call.operation == Operation::GetObject
    })));
    let run = download(&client, folder.path(), OnDenied::Wait(None)).await;
    assert_eq!(run.report.ending(false), Ending::Failed);
    assert_eq!(run.failed(), BTreeSet::from(["o000".to_owned()]));
}

#[tokio::test(start_paused = true)]
async fn keys_that_may_never_be_read_stop_the_run_instead_of_failing_one_by_one() {
    // The list of keys is at hand, the permission to read is not, nor is the one to list.
    let (client, folder) = (filled(200), tempfile::tempdir().unwrap());
    let keys = folder.path().join("keys");
    let lines: Vec<String> = (0..200).map(|number| format!("o{number:03}")).collect();
    std::fs::write(&keys, lines.join("\n")).unwrap();
    client.set_hook(Some(Hook::deny(|_| true)));
    let ledger = Arc::new(Ledger::default());
    let context = guard(
        &context_over(&client, &client, Arc::clone(&ledger)),
        OnDenied::Stop,
    );
    let mut source = Source::new(Target::parse("s3://bucket").unwrap());
    source.keys = Some(crate::key_list::KeyList::File(keys));
    let job = CopyJob {
        verb: Verb::Copy,
        source,
        destination: Target::parse(&format!("{}/to/", folder.path().display())).unwrap(),
        flatten: false,
        conditions: CopyConditions::default(),
        filter: Filter::default(),
        options: TransferOptions::default(),
    };
    let accounts = Arc::new(Accounts::default());
    let report = copy::run(job, &context, &accounts).await.unwrap();
    assert_eq!(report.ending(false), Ending::Stopped);
    assert!(report.accounts_closed);
    assert_eq!((report.sums.failed, report.sums.copied), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_refuses_writes_is_waited_for_without_leaving_uploads() {
    let client = store("destination");
    let folder = tempfile::tempdir().unwrap();
    for number in 0..40 {
        std::fs::write(folder.path().join(format!("f{number:03}")), "bytes").unwrap();
    }
    let outage = Duration::from_millis(20)..Duration::from_secs(90);
    client.set_hook(Some(during(
        move |passed| outage.contains(&passed),
        |call| call.access_denied(),
    )));
    let source = format!("{}/", folder.path().display());
    let waiting = OnDenied::Wait(None);
    let run = run(&client, &source, "s3://bucket/", 4, waiting)
        .await
        .unwrap();
    assert_eq!(run.report.ending(false), Ending::Done);
    assert_eq!(run.report.sums.copied, 40);
    assert_eq!(client.request_count(Operation::CreateMultipartUpload), 0);
    assert!(run.ledger.said("warning")[0].contains("lost on the destination"));
}

#[tokio::test(start_paused = true)]
async fn a_sync_that_loses_its_permission_stops_and_deletes_nothing() {
    for expired in [false, true] {
        let client = filled(200);
        client.insert("copy", "extra", "only here");
        client.set_hook(Some(during(
            |passed| passed > Duration::from_millis(20),
            if expired {
                |call| call.expired_token()
            } else {
                |call| call.access_denied()
            },
        )));
        let ledger = Arc::new(Ledger::default());
        let mut context = context_over(&client, &client, Arc::clone(&ledger));
        context.limits.listings_max = NonZeroUsize::new(1).unwrap();
        let context = guard(&context, OnDenied::Stop);
        let job = SyncJob {
            source: Source::new(Target::parse("s3://bucket/*").unwrap()),
            destination: Target::parse("s3://copy/").unwrap(),
            filter: Filter::default(),
            comparator: Comparator::Default,
            delete: true,
            max_delete: None,
            allow_empty_source: false,
            exit_on_error: false,
            options: TransferOptions::default(),
        };
        let accounts = Arc::new(Accounts::default());
        let report = sync::run(job, &context, &accounts).await.unwrap();
        assert!(report.accounts_closed, "{:?}", report.sums);
        assert_eq!(report.ending(false), Ending::Stopped, "{:?}", report.sums);
        assert_eq!(report.sums.extra_deleted, 0);
        assert_eq!(ledger.count("failed"), 0, "{:?}", ledger.said("failed"));
    }
}

/// An outage of a store, in milliseconds since the run began.
#[derive(Debug, Clone)]
struct Outage {
    from: u64,
    to: u64,
    expired: bool,
}

/// Outages with room between them for what waited to come through.
fn outages() -> impl Strategy<Value = Vec<Outage>> {
    let one = (
        100_u64..400,
        prop_oneof![1_u64..50, 50_u64..5_000],
        any::<bool>(),
    );
    proptest::collection::vec(one, 0..4).prop_map(|rows| {
        let mut at = 0;
        let outages = rows.into_iter().map(|(gap, length, expired)| {
            let from = at + gap;
            at = from + length;
            Outage {
                from,
                to: at,
                expired,
            }
        });
        outages.collect()
    })
}

fn hook(outages: Vec<Outage>, forbidden: BTreeSet<String>) -> Hook {
    let start = Instant::now();
    Hook::new(move |call| {
        let passed = u64::try_from(start.elapsed().as_millis()).unwrap();
        let outage = outages
            .iter()
            .find(|outage| (outage.from..outage.to).contains(&passed));
        let moves = matches!(call.operation, Operation::GetObject | Operation::PutObject);
        match outage {
            Some(outage) if outage.expired => Reaction::Fail(call.expired_token()),
            Some(_) => Reaction::Fail(call.access_denied()),
            None if moves && call.key.is_some_and(|key| forbidden.contains(key)) => {
                Reaction::Fail(call.access_denied())
            }
            None => Reaction::Proceed,
        }
    })
}

fn on_a_virtual_clock<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap()
        .block_on(work)
}

proptest::proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn outages_of_a_permission_lose_nothing_and_repeat_nothing(
        up in any::<bool>(),
        outages in outages(),
        forbidden in proptest::collection::btree_set(0_usize..150, 0..12),
        workers in 1_usize..12,
        on_denied in prop_oneof![Just(OnDenied::Wait(None)), Just(OnDenied::Stop)],
    ) {
        const OBJECTS: usize = 150;
        let forbidden: BTreeSet<String> =
            forbidden.into_iter().map(|number| format!("o{number:03}")).collect();
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = on_a_virtual_clock(async {
            let local = format!("{}/", folder.path().display());
            let (client, from, to) = if up {
                for number in 0..OBJECTS {
                    std::fs::write(folder.path().join(format!("o{number:03}")), "x").unwrap();
                }
                (store("destination"), local.as_str(), "s3://bucket/")
            } else {
                (filled(OBJECTS), "s3://bucket/*", local.as_str())
            };
            client.set_hook(Some(hook(outages.clone(), forbidden.clone())));
            let first = run(&client, from, to, workers, on_denied).await.unwrap();
            client.set_hook(Some(hook(Vec::new(), forbidden.clone())));
            let second = run(&client, from, to, workers, on_denied).await.unwrap();
            (first, second)
        });
        let sums = first.report.sums;
        prop_assert!(first.arrived().values().all(|times| *times == 1));
        prop_assert!(first.failed().is_subset(&forbidden), "{:?}", first.failed());
        if on_denied == OnDenied::Stop && first.report.stopped {
            prop_assert_eq!(first.report.ending(false), Ending::Stopped);
            prop_assert_eq!(sums.copied + sums.pending + sums.failed, sums.listed);
        } else {
            prop_assert_eq!(&first.failed(), &forbidden);
            prop_assert_eq!(first.arrived().len(), OBJECTS - forbidden.len());
        }
        prop_assert_eq!(&second.failed(), &forbidden);
        prop_assert_eq!(second.arrived().len(), OBJECTS - forbidden.len());
    }
}
