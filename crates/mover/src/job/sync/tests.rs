//! Whole syncs, against the store in memory and folders on disk.

use std::fs;
use std::path::Path;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::{any, proptest};
use remote::Operation;
use remote::memory::{Hook, ListingOrder, Reaction};

use super::*;
use crate::Wildcard;
use crate::job::Ending;
use crate::workbench::{Bench, bench};

mod broken_ranges;

fn job(source: &str, destination: &str) -> SyncJob {
    SyncJob {
        source: Source::new(Target::parse(source).unwrap()),
        destination: Target::parse(destination).unwrap(),
        filter: Filter::default(),
        comparator: Comparator::Default,
        delete: false,
        max_delete: None,
        allow_empty_source: false,
        exit_on_error: false,
        options: TransferOptions::default(),
    }
}

fn deleting(source: &str, destination: &str) -> SyncJob {
    SyncJob {
        delete: true,
        ..job(source, destination)
    }
}

/// A bench with `bucket` and `there`, both listed in small pages.
fn two_buckets(source: &[&str], there: &[&str]) -> Bench {
    let bench = bench(3);
    bench.client.insert_bucket("there");
    for key in source {
        bench.client.insert("bucket", key, last_part(key));
    }
    for key in there {
        bench.client.insert("there", key, last_part(key));
    }
    bench
}

/// What the objects of these tests hold: equal names, equal bytes.
fn last_part(key: &str) -> String {
    key.rsplit('/').next().unwrap_or_default().to_owned()
}

/// Files are older than what is made of them; within one second s5cmd's rule could not tell.
fn write_old(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_modified(std::time::UNIX_EPOCH + Duration::from_secs(1_000_000))
        .unwrap();
}

impl Bench {
    async fn sync(&self, job: SyncJob) -> Result<Report> {
        let report = run(job, &self.context, &self.accounts).await;
        if let Ok(report) = &report {
            assert!(report.accounts_closed, "{:?}", report.sums);
        }
        report
    }

    async fn sums(&self, job: SyncJob) -> crate::accounts::Sums {
        self.sync(job).await.unwrap().sums
    }
}

#[tokio::test]
async fn what_is_missing_newer_or_of_another_size_is_copied_and_nothing_else() {
    let bench = two_buckets(
        &["a/new", "a/newer", "a/size", "a/same", "b"],
        &["newer", "same", "extra"],
    );
    bench.client.insert("there", "size", "another size");
    let late = bench.context.clock.now() + SignedDuration::from_secs(100);
    bench.client.set_last_modified("bucket", "a/newer", late);
    let sums = bench.sums(job("s3://bucket/a/*", "s3://there/")).await;
    assert_eq!((sums.listed, sums.copied, sums.same), (4, 3, 1));
    assert_eq!((sums.extra, sums.extra_kept), (1, 1));
    assert_eq!(
        bench.lines.sorted(""),
        [
            "cp s3://bucket/a/new s3://there/new",
            "cp s3://bucket/a/newer s3://there/newer",
            "cp s3://bucket/a/size s3://there/size",
            "skip s3://bucket/a/same: NewerOrSameAgeAndSizeMatches",
        ]
    );
    assert_eq!(
        bench.client.keys("there"),
        ["extra", "new", "newer", "same", "size"]
    );
}

#[tokio::test]
async fn a_second_sync_copies_nothing() {
    let keys: Vec<String> = (0..50).map(|number| format!("k/{number}")).collect();
    let bench = two_buckets(&keys.iter().map(String::as_str).collect::<Vec<_>>(), &[]);
    assert_eq!(
        bench
            .sums(job("s3://bucket/*", "s3://there/p/"))
            .await
            .copied,
        50
    );
    let sums = bench.sums(job("s3://bucket/*", "s3://there/p/")).await;
    assert_eq!((sums.copied, sums.same), (50, 50));
    assert_eq!(bench.client.request_count(Operation::CopyObject), 50);
}

#[tokio::test]
async fn extra_objects_are_deleted_after_both_listings() {
    let bench = two_buckets(&["a", "m", "z"], &["0", "a", "b", "zz", "dir/"]);
    let report = bench
        .sync(deleting("s3://bucket/*", "s3://there/"))
        .await
        .unwrap();
    assert_eq!((report.sums.extra, report.sums.extra_deleted), (3, 3));
    assert_eq!(report.ending(true), Ending::Done);
    assert_eq!(bench.client.keys("there"), ["a", "dir/", "m", "z"]);
    let lines = bench.lines.all();
    let first_deletion = lines
        .iter()
        .position(|line| line.starts_with("rm"))
        .unwrap();
    assert!(
        lines[first_deletion..]
            .iter()
            .all(|line| line.starts_with("rm")),
        "{lines:?}"
    );
}

#[tokio::test]
async fn s5cmd_695_a_source_listing_that_fails_deletes_nothing() {
    let bench = two_buckets(&["a", "b", "c", "d", "e", "f", "g"], &["x", "y"]);
    bench.client.set_hook(Some(Hook::new(|call| {
        let second_page = call.operation == Operation::ListObjectsV2 && call.number > 2;
        if second_page && call.bucket == Some("bucket") {
            Reaction::Fail(call.access_denied())
        } else {
            Reaction::Proceed
        }
    })));
    match bench.sync(deleting("s3://bucket/*", "s3://there/")).await {
        Ok(report) => assert_eq!(report.ending(false), Ending::Failed),
        Err(error) => assert!(error.to_string().contains("AccessDenied"), "{error}"),
    }
    assert_eq!(bench.client.request_count(Operation::DeleteObjects), 0);
    assert_eq!(bench.client.request_count(Operation::DeleteObject), 0);
    for key in ["x", "y"] {
        assert!(bench.client.keys("there").contains(&key.to_owned()));
    }
}

#[tokio::test]
async fn s5cmd_564_a_destination_that_cannot_be_listed_copies_nothing() {
    let bench = two_buckets(&["a", "b"], &[]);
    bench.client.set_hook(Some(Hook::deny(|call| {
        call.operation == Operation::ListObjectsV2 && call.bucket == Some("there")
    })));
    let error = bench
        .sync(job("s3://bucket/*", "s3://there/"))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("AccessDenied"), "{error}");
    assert!(bench.client.keys("there").is_empty());
}

#[tokio::test]
async fn s5cmd_564_a_destination_listing_that_breaks_off_stops_new_copies() {
    let keys: Vec<String> = (0..30).map(|number| format!("{number:02}")).collect();
    let names: Vec<&str> = keys.iter().map(String::as_str).collect();
    let mut bench = two_buckets(&names, &names[..10]);
    bench.context.limits.listings_max = std::num::NonZeroUsize::MIN;
    bench.client.set_hook(Some(Hook::new(|call| {
        let there = call.bucket == Some("there") && call.operation == Operation::ListObjectsV2;
        if there && call.number > 4 {
            Reaction::Fail(call.access_denied())
        } else {
            Reaction::Proceed
        }
    })));
    let report = bench.sync(deleting("s3://bucket/*", "s3://there/")).await;
    if let Ok(report) = report {
        assert_eq!(report.ending(false), Ending::Failed);
        assert_eq!(report.sums.job_failures, 1);
    }
    assert_eq!(bench.client.request_count(Operation::CopyObject), 0);
}

#[tokio::test]
async fn aws_cli_1564_an_empty_source_is_refused_unless_allowed() {
    let bench = two_buckets(&[], &["x", "y"]);
    let report = bench
        .sync(deleting("s3://bucket/*", "s3://there/"))
        .await
        .unwrap();
    assert_eq!(report.ending(false), Ending::Failed);
    assert!(
        bench.lines.all()[0].contains("--allow-empty-source"),
        "{:?}",
        bench.lines.all()
    );
    assert_eq!(bench.client.keys("there"), ["x", "y"]);

    let allowed = SyncJob {
        allow_empty_source: true,
        ..deleting("s3://bucket/*", "s3://there/")
    };
    assert_eq!(bench.sums(allowed).await.extra_deleted, 2);
    assert!(bench.client.keys("there").is_empty());
}

#[tokio::test]
async fn max_delete_refuses_wholly() {
    for (max, done) in [
        ("1", false),
        ("2", true),
        ("39%", false),
        ("40%", true),
        ("0", false),
    ] {
        let bench = two_buckets(&["a", "b", "c"], &["a", "b", "c", "x", "y"]);
        let bounded = SyncJob {
            max_delete: Some(max.parse().unwrap()),
            ..deleting("s3://bucket/*", "s3://there/")
        };
        let report = bench.sync(bounded).await.unwrap();
        assert_eq!(report.ending(false) == Ending::Done, done, "{max}");
        assert_eq!(
            bench.client.keys("there").len(),
            if done { 3 } else { 5 },
            "{max}"
        );
        if !done {
            let lines = bench.lines.sorted("nothing is deleted");
            assert_eq!(lines.len(), 1);
            assert!(
                lines[0].contains(&format!("--max-delete allows {max}")),
                "{lines:?}"
            );
        }
    }
}

#[test]
fn bounds_for_deletions_read() {
    assert_eq!("10".parse(), Ok(MaxDelete::Count(10)));
    assert_eq!(" 2.5 % ".parse(), Ok(MaxDelete::Percent(2.5)));
    for wrong in ["", "%", "-1", "101%", "NaN%", "ten", "1.5"] {
        assert!(wrong.parse::<MaxDelete>().is_err(), "{wrong}");
    }
}

/// Whether a request stores an object: by the store's own copy, or by the relay that follows when
/// that is denied.
fn is_write(call: &remote::memory::Call<'_>) -> bool {
    matches!(call.operation, Operation::CopyObject | Operation::PutObject)
}

#[tokio::test]
async fn a_key_seen_at_the_source_protects_its_counterpart_and_so_does_the_filter() {
    let bench = two_buckets(
        &["keep.txt", "plain", "failing"],
        &["keep.txt", "other.txt", "plain", "extra"],
    );
    bench.client.set_hook(Some(Hook::deny(|call| {
        is_write(call) && call.key == Some("failing")
    })));
    let filtered = SyncJob {
        filter: Filter {
            exclude: vec![Wildcard::new("*.txt")],
            ..Filter::default()
        },
        ..deleting("s3://bucket/*", "s3://there/")
    };
    let sums = bench.sums(filtered).await;
    assert_eq!((sums.ignored, sums.failed, sums.extra_deleted), (1, 1, 1));
    // As s5cmd: what the filter would not let come is not deleted either.
    assert_eq!(
        bench.client.keys("there"),
        ["keep.txt", "other.txt", "plain"]
    );
}

#[tokio::test]
async fn a_sync_into_its_own_source_neither_reads_nor_deletes_it() {
    let bench = two_buckets(&["a", "b", "backup/a", "backup/old"], &[]);
    let sums = bench
        .sums(deleting("s3://bucket/*", "s3://bucket/backup/"))
        .await;
    assert_eq!(
        (sums.listed, sums.ignored, sums.copied, sums.same),
        (4, 2, 1, 1)
    );
    assert_eq!(
        bench.client.keys("bucket"),
        ["a", "b", "backup/a", "backup/b"]
    );
    // The other way round the source lies inside the destination.
    let sums = bench
        .sums(deleting("s3://bucket/backup/*", "s3://bucket/"))
        .await;
    assert_eq!(sums.copied, 1);
    assert_eq!(
        bench.client.keys("bucket"),
        ["a", "b", "backup/a", "backup/b"]
    );
    let same = bench
        .sync(deleting("s3://bucket/*", "s3://bucket/"))
        .await
        .unwrap_err();
    assert!(
        same.to_string()
            .contains("source and destination are the same"),
        "{same}"
    );
}

#[tokio::test]
async fn folders_go_up_and_come_down_with_their_awkward_names() {
    let bench = two_buckets(&[], &["extra"]);
    let folder = tempfile::tempdir().unwrap();
    let names = ["a-b", "a/b", "a/c d", "a.txt", "é/😀", "deep/er/file"];
    for name in names {
        write_old(&folder.path().join("up").join(name), name);
    }
    let up = format!("{}/up/", folder.path().display());
    let sums = bench.sums(deleting(&up, "s3://there/p/")).await;
    assert_eq!((sums.copied, sums.extra), (6, 0));
    let mut sorted = names.map(|name| format!("p/{name}")).to_vec();
    sorted.push("extra".to_owned());
    sorted.sort();
    assert_eq!(bench.client.keys("there"), sorted);
    let sums = bench.sums(job(&up, "s3://there/p/")).await;
    assert_eq!(sums.same, 6, "{:?}", bench.lines.all());

    let down = folder.path().join("down");
    fs::create_dir_all(down.join("old/er")).unwrap();
    fs::write(down.join("old/er/file"), "x").unwrap();
    let url = format!("{}/", down.display());
    let sums = bench.sums(deleting("s3://there/p/*", &url)).await;
    assert_eq!((sums.extra, sums.extra_deleted), (1, 1));
    for name in names {
        assert_eq!(fs::read(down.join(name)).unwrap(), name.as_bytes());
    }
    // As s5cmd: folders stay.
    assert!(down.join("old/er").is_dir() && !down.join("old/er/file").exists());
}

#[tokio::test]
async fn a_folder_that_cannot_be_read_whole_deletes_nothing() {
    let bench = two_buckets(&[], &["a", "x"]);
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a"), "a").unwrap();
    std::os::unix::fs::symlink("nowhere", folder.path().join("x")).unwrap();
    let source = format!("{}/", folder.path().display());
    let report = bench.sync(deleting(&source, "s3://there/")).await.unwrap();
    assert_eq!(report.ending(false), Ending::Failed);
    assert_eq!(bench.client.keys("there"), ["a", "x"]);
}

#[tokio::test]
async fn one_object_is_compared_by_name_alone() {
    let bench = two_buckets(&["dir/a"], &["a", "b"]);
    let sums = bench.sums(job("s3://bucket/dir/a", "s3://there/")).await;
    assert_eq!((sums.listed, sums.same), (1, 1));
    let sums = bench
        .sums(job("s3://bucket/dir/a", "s3://there/other"))
        .await;
    assert_eq!((sums.copied, bench.client.keys("there").len()), (1, 3));
    assert_eq!(bench.pages_asked(), 0);
    let absent = bench
        .sync(job("s3://bucket/none", "s3://there/"))
        .await
        .unwrap_err();
    assert!(absent.to_string().contains("none"), "{absent}");
}

#[tokio::test]
async fn a_missing_destination_bucket_is_one_error() {
    let bench = two_buckets(&["a"], &[]);
    let error = bench
        .sync(job("s3://bucket/*", "s3://nowhere/"))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("NoSuchBucket"), "{error}");
    assert!(bench.lines.all().is_empty());
}

#[tokio::test]
async fn what_cannot_be_meant_is_refused() {
    let bench = two_buckets(&["a"], &["x"]);
    let mut sharded = deleting("s3://bucket/*", "s3://there/");
    sharded.source.shard = crate::shard::Shard::new(1, 2);
    let mut listed = deleting("s3://bucket/*", "s3://there/");
    listed.source.keys = Some(crate::key_list::KeyList::Stdin);
    for job in [sharded, listed] {
        assert!(matches!(bench.sync(job).await, Err(Error::Usage(_))));
    }
    let nothing = bench
        .sync(job("s3://bucket/none*", "s3://there/"))
        .await
        .unwrap_err();
    assert_eq!(nothing.to_string(), "no object found");
}

#[tokio::test]
async fn shares_of_a_sync_add_up() {
    let keys: Vec<String> = (0..40).map(|number| format!("{number}")).collect();
    let bench = two_buckets(&keys.iter().map(String::as_str).collect::<Vec<_>>(), &[]);
    for index in 1..=3 {
        let mut part = job("s3://bucket/*", "s3://there/");
        part.source.shard = crate::shard::Shard::new(index, 3);
        bench.sync(part).await.unwrap();
    }
    let sums = bench.accounts.sums();
    assert_eq!((sums.listed, sums.copied, sums.ignored), (120, 40, 80));
    assert_eq!(bench.client.keys("there").len(), 40);
}

#[tokio::test]
async fn a_key_list_is_compared_object_by_object() {
    let bench = two_buckets(&["a", "b", "c"], &["b"]);
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("keys");
    fs::write(&list, "c\nb\nb\ngone\n").unwrap();
    let mut listed = job("s3://bucket/", "s3://there/");
    listed.source.keys = Some(crate::key_list::KeyList::File(list));
    let sums = bench.sums(listed).await;
    assert_eq!(
        (sums.listed, sums.copied, sums.same),
        (4, 1, 1),
        "{:?}",
        bench.lines.all()
    );
    assert_eq!((sums.refused, sums.gone), (1, 1), "{:?}", bench.lines.all());
    assert_eq!(bench.client.keys("there"), ["b", "c"]);
}

#[tokio::test]
async fn aws_cli_575_checksums_decide_where_both_have_one_else_the_bytes() {
    for opaque in [false, true] {
        let bench = two_buckets(&["equal", "other"], &["equal"]);
        bench.client.insert("there", "other", "0ther");
        bench.client.set_options(|options| {
            if opaque {
                options.etags = remote::memory::ETagStyle::Opaque;
                options.checksums = false;
            }
        });
        if opaque {
            for (bucket, key, text) in [
                ("bucket", "equal", "equal"),
                ("bucket", "other", "other"),
                ("there", "equal", "equal"),
                ("there", "other", "0ther"),
            ] {
                bench.client.insert(bucket, key, text);
            }
        }
        // Newer all the same: only the bytes count.
        let late = bench.context.clock.now() + SignedDuration::from_secs(100);
        bench.client.set_last_modified("bucket", "equal", late);
        let checking = SyncJob {
            comparator: Comparator::Checksum,
            ..job("s3://bucket/*", "s3://there/")
        };
        let sums = bench.sums(checking).await;
        assert_eq!((sums.same, sums.copied), (1, 1), "{:?}", bench.lines.all());
        let read = bench.client.request_count(Operation::GetObject);
        assert_eq!(read > 0, opaque, "{read}");
    }
}

#[tokio::test]
async fn aws_cli_575_checksums_decide_between_files_and_objects() {
    for stored in [true, false] {
        let bench = two_buckets(&[], &[]);
        bench
            .client
            .set_options(|options| options.checksums = stored);
        let folder = tempfile::tempdir().unwrap();
        for name in ["equal", "other"] {
            fs::write(folder.path().join(name), name).unwrap();
        }
        bench.client.insert("there", "equal", "equal");
        bench.client.insert("there", "other", "0ther");
        let source = format!("{}/", folder.path().display());
        let checking = SyncJob {
            comparator: Comparator::Checksum,
            ..job(&source, "s3://there/")
        };
        let sums = bench.sums(checking).await;
        assert_eq!((sums.same, sums.copied), (1, 1), "{:?}", bench.lines.all());
        assert_eq!(bench.client.request_count(Operation::GetObject), 0);
        assert_eq!(bench.client.bytes("there", "other").unwrap(), "other");
    }
}

#[tokio::test]
async fn a_dry_run_changes_nothing() {
    let bench = two_buckets(&["a"], &["x"]);
    let mut dry = deleting("s3://bucket/*", "s3://there/");
    dry.options.dry_run = true;
    bench.sync(dry).await.unwrap();
    assert_eq!(bench.client.keys("there"), ["x"]);
    assert_eq!(bench.lines.sorted("").len(), 2, "{:?}", bench.lines.all());
}

#[tokio::test]
async fn exit_on_error_stops_before_the_rest_and_deletes_nothing() {
    let keys: Vec<String> = (0..200).map(|number| format!("{number:03}")).collect();
    let mut bench = two_buckets(&keys.iter().map(String::as_str).collect::<Vec<_>>(), &["x"]);
    bench.context.objects = Arc::new(tokio::sync::Semaphore::new(1));
    bench.client.set_hook(Some(Hook::deny(is_write)));
    let stopping = SyncJob {
        exit_on_error: true,
        ..deleting("s3://bucket/*", "s3://there/")
    };
    let report = bench.sync(stopping).await.unwrap();
    assert_eq!(report.ending(false), Ending::Failed);
    assert!(report.sums.failed < 10, "{:?}", report.sums);
    assert_eq!(bench.client.keys("there"), ["x"]);
}

#[tokio::test]
async fn a_stopping_context_deletes_nothing() {
    let bench = two_buckets(&["a"], &["x"]);
    bench.context.stopping.cancel();
    match bench.sync(deleting("s3://bucket/*", "s3://there/")).await {
        Ok(report) => assert_eq!(report.ending(false), Ending::Stopped),
        Err(error) => assert!(matches!(error, Error::Cancelled), "{error}"),
    }
    assert_eq!(bench.client.keys("there"), ["x"]);
}

/// What a file tree and a bucket hold after a sync is what a model of sets says.
fn against_the_model(
    source: &std::collections::BTreeMap<String, u8>,
    there: &std::collections::BTreeMap<String, u8>,
    delete: bool,
    store: (u32, usize, bool, bool),
) {
    let (page, listings_max, honours_start_after, swaps_rows) = store;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut bench = bench(page);
        bench.context.limits.listings_max = std::num::NonZeroUsize::new(listings_max).unwrap();
        bench.client.set_options(|options| {
            options.honours_start_after = honours_start_after && !swaps_rows;
            if swaps_rows {
                options.listing_order = ListingOrder::SwappedRows;
            }
        });
        bench.client.insert_bucket("there");
        let old = Timestamp::from_second(1_000).unwrap();
        for (key, length) in source {
            bench
                .client
                .insert("bucket", key, vec![b's'; usize::from(*length)]);
            bench.client.set_last_modified("bucket", key, old);
        }
        for (key, length) in there {
            bench
                .client
                .insert("there", key, vec![b'd'; usize::from(*length)]);
        }
        let job = SyncJob {
            delete,
            allow_empty_source: true,
            ..job("s3://bucket/*", "s3://there/")
        };
        let sums = match run(job, &bench.context, &bench.accounts).await {
            Ok(report) => report.sums,
            Err(error) => {
                assert!(source.is_empty(), "{error}");
                bench.accounts.sums()
            }
        };
        assert!(sums.close(), "{sums:?}");
        let mut expected = there.clone();
        if delete {
            expected.retain(|key, _| source.contains_key(key));
        }
        expected.extend(source.iter().map(|(key, length)| (key.clone(), *length)));
        let held: Vec<(String, usize)> = bench
            .client
            .keys("there")
            .into_iter()
            .map(|key| {
                let length = bench.client.bytes("there", &key).unwrap().len();
                (key, length)
            })
            .collect();
        let expected: Vec<(String, usize)> = expected
            .into_iter()
            .map(|(key, length)| (key, usize::from(length)))
            .collect();
        assert_eq!(held, expected);
        let differing = source
            .iter()
            .filter(|(key, length)| there.get(*key) != Some(length));
        assert_eq!(sums.copied, differing.count() as u64);
    });
}

proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(60))]
    #[test]
    fn a_sync_leaves_what_sets_say(
        source in proptest::collection::btree_map("[a-c/é-]{0,3}[a-c]", 0u8..3, 0..60),
        there in proptest::collection::btree_map("[a-c/é-]{0,3}[a-c]", 0u8..3, 0..60),
        delete in any::<bool>(),
        page in 1u32..6,
        listings_max in 1usize..9,
        honours_start_after in proptest::bool::weighted(0.8),
        swaps_rows in proptest::bool::weighted(0.2),
    ) {
        let store = (page, listings_max, honours_start_after, swaps_rows);
        against_the_model(&source, &there, delete, store);
    }
}

#[tokio::test]
async fn rclone_9383_keys_with_doubled_slashes_arrive_byte_for_byte() {
    let keys = [
        "//",
        "//a",
        "a//b",
        "a/../b",
        "a/./c",
        " ",
        "a\u{1}\u{7f}\n",
        "é/😀",
    ];
    let bench = bench(3);
    bench.client.insert_bucket("there");
    for key in keys {
        bench.client.insert("bucket", key, "x");
    }
    let sums = bench.sums(job("s3://bucket/*", "s3://there/")).await;
    // One ends in a slash: consoles' folders are passed over and counted, as s5cmd does.
    assert_eq!((sums.listed, sums.copied, sums.ignored), (8, 7, 1));
    let mut moved = bench.client.keys("bucket");
    moved.retain(|key| key != "//");
    assert_eq!(bench.client.keys("there"), moved);
}

#[tokio::test]
async fn rclone_9383_keys_that_cannot_be_file_names_fail_by_name() {
    let bench = two_buckets(&["ok", "a/../../b", "a//c"], &[]);
    let folder = tempfile::tempdir().unwrap();
    let into = format!("{}/in/", folder.path().display());
    let report = bench.sync(job("s3://bucket/*", &into)).await.unwrap();
    assert_eq!(report.ending(false), Ending::Failed);
    assert_eq!(
        (report.sums.copied, report.sums.refused),
        (1, 2),
        "{:?}",
        bench.lines.all()
    );
    assert!(
        bench
            .lines
            .all()
            .iter()
            .any(|line| line.contains("a/../../b"))
    );
    assert!(!folder.path().join("b").exists());
}

#[tokio::test]
async fn s5cmd_869_a_failed_object_shows_in_the_ending() {
    let bench = two_buckets(&["a", "b", "c"], &[]);
    bench.client.set_hook(Some(Hook::deny(|call| {
        is_write(call) && call.key == Some("b")
    })));
    let report = bench
        .sync(job("s3://bucket/*", "s3://there/"))
        .await
        .unwrap();
    assert_eq!((report.sums.copied, report.sums.failed), (2, 1));
    assert_eq!(report.ending(false), Ending::Failed);
}

#[test]
fn rclone_5302_an_etag_under_kms_is_no_md5() {
    let head = |etag: &str, algorithm: Option<&str>| {
        let mut head = remote::types::ObjectHead {
            etag: Some(base::ETag::from_header(etag)),
            ..remote::types::ObjectHead::default()
        };
        head.attributes.encryption.algorithm = algorithm.map(str::to_owned);
        head
    };
    let (one, other) = (
        "9b2cf535f27731c974343645a3985328",
        "0123456789abcdef0123456789abcdef",
    );
    let agree = |here: &_, there: &_| content::heads_agree(here, there);
    assert_eq!(
        agree(&head(one, None), &head(one, Some("AES256"))),
        Some(true)
    );
    assert_eq!(agree(&head(one, None), &head(other, None)), Some(false));
    assert_eq!(agree(&head(one, Some("aws:kms")), &head(other, None)), None);
    assert_eq!(agree(&head(one, Some("aws:kms")), &head(one, None)), None);
    let (two_parts, other_parts) = (format!("{one}-2"), format!("{other}-3"));
    assert_eq!(
        agree(&head(&two_parts, None), &head(&two_parts, None)),
        Some(true)
    );
    assert_eq!(
        agree(&head(&two_parts, None), &head(&other_parts, None)),
        None
    );
}

#[tokio::test]
async fn patterns_match_names_below_the_prefix_and_whole_names() {
    for (exclude, copied) in [("pp", 2), ("a/pre/pp", 2), ("*pp", 2), ("pre/pp", 3)] {
        let bench = two_buckets(&["a/pre/pp", "a/pre1/x", "a/prefix/q"], &[]);
        let filtered = SyncJob {
            filter: Filter {
                exclude: vec![Wildcard::new(exclude)],
                ..Filter::default()
            },
            ..job("s3://bucket/a/pre*", "s3://there/")
        };
        assert_eq!(bench.sums(filtered).await.copied, copied, "{exclude}");
    }
}
