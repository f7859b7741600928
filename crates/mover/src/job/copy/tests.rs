use std::path::Path;

use base::Fault;
use base::units::MIB;
use remote::Operation;
use remote::memory::{Hook, MemoryClient, Reaction};

use super::*;
use crate::accounts::Sums;
use crate::job::Ending;
use crate::testing::{Ledger, context_over, ramp};

/// A store with two buckets, a folder, and what was heard.
struct Bench {
    store: MemoryClient,
    folder: tempfile::TempDir,
    ledger: Arc<Ledger>,
    context: Context,
}

impl Bench {
    fn new() -> Bench {
        let store = MemoryClient::with_buckets(["b", "c"]);
        let ledger = Arc::new(Ledger::default());
        Bench {
            context: context_over(&store, &store, Arc::clone(&ledger)),
            folder: tempfile::tempdir().unwrap(),
            ledger,
            store,
        }
    }

    fn job(&self, source: &str, destination: &str) -> CopyJob {
        CopyJob {
            verb: Verb::Copy,
            source: Source::new(self.target(source)),
            destination: self.target(destination),
            flatten: false,
            conditions: CopyConditions::default(),
            filter: Filter::default(),
            options: TransferOptions::default(),
        }
    }

    /// A URL, or a path below the folder.
    fn target(&self, text: &str) -> Target {
        if text.starts_with("s3://") {
            return Target::parse(text).unwrap();
        }
        Target::Local(PathBuf::from(format!(
            "{}/{text}",
            self.folder.path().display()
        )))
    }

    async fn run(&self, job: CopyJob) -> Result<Report> {
        let accounts = Arc::new(Accounts::default());
        let result = run(job, &self.context, &accounts).await;
        let sums = accounts.sums();
        assert!(sums.close(), "{sums:?}");
        result
    }

    async fn sums(&self, job: CopyJob) -> Sums {
        let report = self.run(job).await.unwrap();
        assert!(report.accounts_closed);
        report.sums
    }

    fn files(&self, below: &str) -> Vec<String> {
        let root = self.folder.path().join(below);
        let mut found = Vec::new();
        walk(&root, &root, &mut found);
        found.sort();
        found
    }
}

fn walk(folder: &Path, root: &Path, found: &mut Vec<String>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, root, found);
        } else {
            let name = path.strip_prefix(root).unwrap();
            found.push(name.to_str().unwrap().to_owned());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_tree_goes_up_across_and_down_the_same() {
    let bench = Bench::new();
    for (name, size) in [("d/a", 3), ("d/s/b", 0), ("d/s/t/c.txt", 70_000)] {
        let path = bench.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, ramp(size)).unwrap();
    }
    let sums = bench.sums(bench.job("d", "s3://b/p/")).await;
    assert_eq!(
        (sums.listed, sums.copied, sums.bytes_copied),
        (3, 3, 70_003)
    );
    assert_eq!(bench.store.keys("b"), ["p/d/a", "p/d/s/b", "p/d/s/t/c.txt"]);
    let sums = bench.sums(bench.job("s3://b/p/*", "s3://c")).await;
    assert_eq!(sums.copied, 3);
    assert_eq!(bench.store.keys("c"), ["d/a", "d/s/b", "d/s/t/c.txt"]);
    let sums = bench.sums(bench.job("s3://c/*", "out")).await;
    assert_eq!(sums.copied, 3);
    assert_eq!(bench.files("out/d"), bench.files("d"));
    let mut job = bench.job("s3://c/*", "s3://b/moved/");
    job.verb = Verb::Move;
    let sums = bench.sums(job).await;
    assert_eq!((sums.copied, sums.copied_not_deleted), (3, 0));
    assert!(bench.store.keys("c").is_empty());
}

#[tokio::test(start_paused = true)]
async fn no_key_is_skipped_silently() {
    let bench = Bench::new();
    let keys = [
        "a",
        "a//b",
        "../x",
        "ok",
        "dir/",
        "a/b",
        "\u{1}",
        "..",
        "x".repeat(300).as_str(),
    ]
    .map(str::to_owned);
    for key in &keys {
        bench.store.insert("b", key, "x");
    }
    let report = bench.run(bench.job("s3://b/*", "out")).await.unwrap();
    let sums = report.sums;
    assert_eq!(sums.listed, 9);
    // The folder's key is passed over as s5cmd does; of `a` and `a/b` whichever came first stands.
    assert_eq!(
        (sums.ignored, sums.copied, sums.refused),
        (1, 3, 5),
        "{:?}",
        bench.ledger.rows.lock()
    );
    assert_eq!(report.ending(false), Ending::Failed);
    assert!(!bench.folder.path().join("x").exists());
    // Between stores every one of them goes along.
    let sums = bench.sums(bench.job("s3://b/*", "s3://c/")).await;
    assert_eq!((sums.ignored, sums.copied), (1, 8));
}

#[tokio::test(start_paused = true)]
async fn two_objects_never_become_one() {
    let bench = Bench::new();
    for key in ["one/x", "two/x", "two/y"] {
        bench.store.insert("b", key, key.to_owned());
    }
    for destination in ["flat", "s3://c/"] {
        let mut job = bench.job("s3://b/*", destination);
        job.flatten = true;
        let sums = bench.sums(job).await;
        assert_eq!((sums.copied, sums.refused), (2, 1));
    }
    assert_eq!(bench.files("flat"), ["x", "y"]);
    let mut clashes = Clashes::new(false, true);
    assert!(clashes.claim(Location::Local("A".into())).is_ok());
    assert!(clashes.claim(Location::Local("a".into())).is_err());
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_meant_is_said_before_anything_runs() {
    let bench = Bench::new();
    bench.store.insert("b", "k", "x");
    for (source, destination) in [
        ("s3://b/k", "s3://b/k"),
        ("s3://b/*", "s3://b/"),
        ("f", "g"),
    ] {
        let result = bench.run(bench.job(source, destination)).await;
        let refused = match &result {
            Ok(report) => report.sums.refused == 1 && report.sums.copied == 0,
            Err(_) => true,
        };
        assert!(refused, "{source} {destination}: {result:?}");
    }
    let error = bench
        .run(bench.job("s3://b/none*", "out"))
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "no object found");
    std::fs::create_dir(bench.folder.path().join("empty")).unwrap();
    assert_eq!(bench.sums(bench.job("empty", "s3://b/")).await.listed, 0);
    assert_eq!(bench.store.bytes("b", "k").unwrap(), "x");
}

#[tokio::test(start_paused = true)]
async fn a_destination_inside_the_source_never_lists_its_own_output() {
    let bench = Bench::new();
    for number in 0..2_500 {
        bench.store.insert("b", &format!("k{number:04}"), "x");
    }
    let sums = bench.sums(bench.job("s3://b/*", "s3://b/copy/")).await;
    assert_eq!(sums.copied, 2_500);
    assert_eq!(bench.store.keys("b").len(), 5_000);
}

#[tokio::test(start_paused = true)]
async fn a_listing_that_breaks_off_is_a_failure_of_the_job() {
    let bench = Bench::new();
    for number in 0..3_000 {
        bench.store.insert("b", &format!("k{number:04}"), "x");
    }
    bench
        .store
        .set_hook(Some(Hook::new(|call| match call.operation {
            Operation::ListObjectsV2 if call.number_of_operation > 1 => {
                Reaction::Fail(call.error(Fault::Denied, 403, "AccessDenied", "no more"))
            }
            _ => Reaction::Proceed,
        })));
    match bench.run(bench.job("s3://b/*", "s3://c/")).await {
        Ok(report) => {
            assert_eq!(report.ending(false), Ending::Failed);
            assert!(report.sums.job_failures > 0);
        }
        Err(error) => assert!(matches!(error, Error::Remote(_)), "{error}"),
    }
}

// 145 million objects were listed for hours before the first byte moved.
#[tokio::test(start_paused = true)]
async fn s5cmd_497_the_first_object_moves_before_the_second_page_was_answered() {
    let bench = Bench::new();
    for number in 0..5_000 {
        bench.store.insert("b", &format!("k{number:04}"), "x");
    }
    let moved = tokio_util::sync::CancellationToken::new();
    let gate = moved.clone();
    bench.store.set_hook(Some(Hook::new(move |call| {
        if call.operation == Operation::CopyObject {
            gate.cancel();
        }
        if call.operation == Operation::ListObjectsV2 && call.number_of_operation > 1 {
            return Reaction::Wait(Box::pin(gate.clone().cancelled_owned()));
        }
        Reaction::Proceed
    })));
    let hour = std::time::Duration::from_secs(3_600);
    let job = bench.sums(bench.job("s3://b/*", "s3://c/"));
    let sums = tokio::time::timeout(hour, job).await;
    let sums = sums.expect("something moves while the second page is waited for");
    assert_eq!(sums.copied, 5_000);
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_run_says_what_is_left() {
    let bench = Bench::new();
    for number in 0..1_500 {
        bench.store.insert("b", &format!("k{number:04}"), "x");
    }
    bench.store.insert("b", "large", ramp(20 * MIB));
    let stopping = bench.context.stopping.clone();
    bench.store.set_hook(Some(Hook::new(move |call| {
        if call.operation == Operation::CopyObject && call.number_of_operation == 100 {
            stopping.cancel();
        }
        Reaction::Proceed
    })));
    let report = bench.run(bench.job("s3://b/*", "s3://c/")).await.unwrap();
    assert_eq!(report.ending(false), Ending::Stopped);
    assert!(
        report.sums.pending > 0 && report.sums.copied >= 99,
        "{:?}",
        report.sums
    );
    assert_eq!(bench.store.keys("c").len() as u64, report.sums.copied);
}
