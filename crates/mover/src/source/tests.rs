//! Enumerations against the store in memory and folders on disk.

use std::num::NonZeroUsize;
use std::time::Duration;

use base::fault::Classified as _;
use base::{ByteCount, Fault};
use remote::Operation;
use remote::memory::{Hook, ListingOrder, Reaction};
use remote::types::VersioningState;

use super::*;
use crate::workbench::bench;
use crate::{Error, S3Url};

fn source(url: &str) -> Source {
    Source::new(Target::parse(url).unwrap())
}

fn by_key(url: &str) -> Source {
    Source {
        order: Order::Key,
        ..source(url)
    }
}

fn numbered(count: usize) -> impl Iterator<Item = String> + Clone {
    (0..count).map(|number| format!("k/{number:05}"))
}

#[tokio::test]
async fn a_small_bucket_costs_exactly_one_request() {
    let bench = bench(1_000);
    bench.fill(numbered(1_000));
    assert_eq!(
        bench.entries(&source("s3://bucket/*")).await.unwrap().len(),
        1_000
    );
    assert_eq!(bench.client.requests(), 1);
}

#[tokio::test]
async fn a_large_bucket_is_listed_in_parallel_and_whole() {
    for order in [Order::Any, Order::Key] {
        let bench = bench(10);
        bench
            .client
            .set_options(|options| options.latency = Duration::from_millis(1));
        bench.fill(numbered(3_000));
        let source = Source {
            order,
            ..source("s3://bucket/*")
        };
        let mut names = bench.relative(&source).await.unwrap();
        if order == Order::Any {
            names.sort();
        }
        assert!(names.iter().cloned().eq(numbered(3_000)));
        assert!(
            bench.client.in_flight_max() > 4,
            "{}",
            bench.client.in_flight_max()
        );
        assert!(bench.pages_asked() < 600, "{}", bench.pages_asked());
    }
}

#[tokio::test]
async fn start_after_ignored_means_one_serial_listing() {
    for order in [Order::Any, Order::Key] {
        let bench = bench(10);
        bench
            .client
            .set_options(|options| options.honours_start_after = false);
        bench.fill(numbered(300));
        let source = Source {
            order,
            ..source("s3://bucket/*")
        };
        let names = bench.relative(&source).await.unwrap();
        assert!(names.into_iter().eq(numbered(300)));
        assert!(bench.pages_asked() <= 32, "{}", bench.pages_asked());
    }
}

#[tokio::test]
async fn an_unordered_store_goes_on_or_is_sorted_on_disk() {
    for listing_order in [ListingOrder::Unordered, ListingOrder::SwappedRows] {
        let bench = bench(10);
        bench.client.set_options(|options| {
            options.listing_order = listing_order;
            options.honours_start_after = false;
        });
        bench.fill(numbered(100));
        let mut names = bench.relative(&source("s3://bucket/*")).await.unwrap();
        names.sort();
        assert!(names.into_iter().eq(numbered(100)), "{listing_order:?}");
        let names = bench.relative(&by_key("s3://bucket/*")).await.unwrap();
        assert!(names.into_iter().eq(numbered(100)), "{listing_order:?}");
    }
}

#[tokio::test]
async fn a_store_in_path_order_is_whole_or_an_error() {
    let bench = bench(2);
    bench
        .client
        .set_options(|options| options.listing_order = ListingOrder::PathComponents);
    let keys = ["a/b", "a/c", "a-b", "a.txt", "b/x", "b-", "c"].map(str::to_owned);
    bench.fill(keys.clone());
    let mut sorted = keys.to_vec();
    sorted.sort();
    for source in [source("s3://bucket/*"), by_key("s3://bucket/*")] {
        match bench.relative(&source).await {
            Ok(mut names) => {
                names.sort();
                assert_eq!(names, sorted);
            }
            Err(error) => assert!(matches!(error, Error::Unordered { .. }), "{error}"),
        }
        let known = Source {
            unordered: true,
            ..source
        };
        let mut names = bench.relative(&known).await.unwrap();
        if known.order == Order::Any {
            names.sort();
        }
        assert_eq!(names, sorted);
    }
}

#[tokio::test]
async fn repeated_tokens_are_an_error_and_no_short_list() {
    for (order, v1) in [(Order::Any, false), (Order::Key, false), (Order::Any, true)] {
        let bench = bench(10);
        bench
            .client
            .set_options(|options| options.repeats_token_from_page = Some(1));
        bench.fill(numbered(100));
        let source = Source {
            order,
            list_v1: v1,
            ..source("s3://bucket/*")
        };
        let error = bench.relative(&source).await.unwrap_err();
        assert!(error.to_string().contains("continuation token"), "{error}");
    }
}

#[tokio::test]
async fn empty_truncated_pages_are_followed() {
    for v1 in [false, true] {
        let bench = bench(10);
        bench
            .client
            .set_options(|options| options.empty_pages = true);
        bench.fill(numbered(95));
        let source = Source {
            list_v1: v1,
            ..by_key("s3://bucket/*")
        };
        assert!(
            bench
                .relative(&source)
                .await
                .unwrap()
                .into_iter()
                .eq(numbered(95))
        );
    }
}

#[tokio::test]
async fn a_page_that_breaks_is_asked_for_again_and_a_lost_listing_is_an_error() {
    let mut bench = bench(10);
    bench.context.limits.listings_max = NonZeroUsize::new(1).unwrap();
    bench.fill(numbered(300));
    bench.client.set_hook(Some(Hook::new(|call| {
        // Every page fails once.
        if call.number % 2 == 1 {
            Reaction::Fail(call.internal_error())
        } else {
            Reaction::Proceed
        }
    })));
    let names = bench.relative(&by_key("s3://bucket/*")).await.unwrap();
    assert!(names.into_iter().eq(numbered(300)));

    bench.client.set_hook(Some(Hook::new(|call| {
        if call.number_of_operation > 60 {
            Reaction::Fail(call.access_denied())
        } else {
            Reaction::Proceed
        }
    })));
    let error = bench.relative(&source("s3://bucket/*")).await.unwrap_err();
    assert_eq!(error.fault(), Fault::Denied);
}

#[tokio::test]
async fn sources_name_what_s5cmd_would() {
    let bench = bench(1_000);
    let keys = [
        "a/dir/",
        "a/pre/pp",
        "a/pre1/x",
        "a/pre1/y/z",
        "a/pre2",
        "a/prefix/q",
        "top",
    ];
    bench.fill(keys.map(str::to_owned));
    let names = async |url: &str| bench.relative(&by_key(url)).await.unwrap();
    assert_eq!(
        names("s3://bucket/a/pre*").await,
        ["pre/pp", "pre1/x", "pre1/y/z", "pre2", "prefix/q"]
    );
    assert_eq!(names("s3://bucket/a/pre1/*").await, ["x", "y/z"]);
    assert_eq!(names("s3://bucket/a/pre?/*").await, ["pre1/x", "pre1/y/z"]);
    assert_eq!(names("s3://bucket/a/pre2").await, ["pre2"]);
    assert_eq!(names("s3://bucket/a/pre1/").await, ["x", "y/z"]);
    assert_eq!(names("s3://bucket").await, keys);
    assert_eq!(names("s3://bucket/none*").await, [""; 0]);
    let raw = Source {
        raw: true,
        ..source("s3://bucket/a/dir/")
    };
    assert_eq!(bench.relative(&raw).await.unwrap(), ["dir/"]);
    let absent = bench.relative(&source("s3://bucket/a")).await.unwrap_err();
    assert_eq!(absent.fault(), Fault::NotFound);
}

#[tokio::test]
async fn keys_are_bytes_in_every_listing() {
    let bench = bench(2);
    let keys = [
        "//a",
        "/",
        "a//b",
        "a/../b",
        "a/./b",
        " a ",
        "a\u{1}\n",
        "é/😀",
        "a*b?",
        "\u{10ffff}",
    ];
    bench.fill(keys.map(str::to_owned));
    let mut sorted = keys.to_vec();
    sorted.sort_unstable();
    assert_eq!(
        bench.relative(&by_key("s3://bucket/*")).await.unwrap(),
        sorted
    );
    let v1 = Source {
        list_v1: true,
        ..by_key("s3://bucket/*")
    };
    assert_eq!(bench.relative(&v1).await.unwrap(), sorted);
}

#[tokio::test]
async fn versions_and_delete_markers_carry_their_ids() {
    let bench = bench(2);
    let name = S3Url::parse("s3://bucket").unwrap().bucket;
    let client = &bench.context.source;
    let enabled = VersioningState::Enabled;
    client
        .put_bucket_versioning(name.clone(), enabled)
        .await
        .unwrap();
    bench.fill(["a", "a", "b", "c"].map(str::to_owned));
    let delete = remote::types::DeleteObject {
        bucket: name,
        key: base::Key::new("b").unwrap(),
        version_id: None,
        if_match: None,
    };
    client.delete_object(delete).await.unwrap();
    let source = Source {
        all_versions: true,
        ..by_key("s3://bucket/*")
    };
    let entries = bench.entries(&source).await.unwrap();
    let names: Vec<&str> = entries.iter().map(Entry::relative).collect();
    assert_eq!(names, ["a", "a", "b", "b", "c"]);
    assert_eq!(
        entries
            .iter()
            .filter(|entry| entry.is_delete_marker)
            .count(),
        1
    );
    assert!(entries.iter().all(|entry| {
        entry
            .location
            .as_remote()
            .is_some_and(|object| object.version_id.is_some())
    }));
    let one = Source {
        all_versions: true,
        ..source_of_one()
    };
    assert_eq!(bench.entries(&one).await.unwrap().len(), 2);
}

fn source_of_one() -> Source {
    source("s3://bucket/a")
}

#[tokio::test]
async fn a_listed_level_has_objects_and_prefixes() {
    let bench = bench(2);
    bench.fill(["a", "b/1", "b/2", "c", "d/1/2"].map(str::to_owned));
    let bucket = S3Url::parse("s3://bucket").unwrap().bucket;
    let client = Arc::clone(&bench.context.source);
    let mut pages = crate::list::level(client, bucket, "", "/", Protocol::V2);
    let (mut objects, mut prefixes) = (Vec::new(), Vec::new());
    while let Some(page) = pages.next().await {
        let page = page.unwrap();
        objects.extend(
            page.objects
                .into_iter()
                .map(|object| object.key.to_string()),
        );
        prefixes.extend(page.common_prefixes);
    }
    assert_eq!(
        (objects, prefixes),
        (
            vec!["a".to_owned(), "c".to_owned()],
            vec!["b/".to_owned(), "d/".to_owned()]
        )
    );
}

#[tokio::test]
async fn key_lists_come_from_files_and_objects_and_foreign_keys_fail_by_name() {
    let bench = bench(10);
    let text = "k/b\t5\t\"e\"\nother\nk/a\n";
    bench.client.insert("bucket", "list.txt", text);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys");
    std::fs::write(&file, text).unwrap();
    let url = S3Url::parse("s3://bucket/list.txt").unwrap();
    for list in [KeyList::File(file), KeyList::Object(url)] {
        let source = Source {
            keys: Some(list),
            ..by_key("s3://bucket/k/")
        };
        assert_eq!(bench.relative(&source).await.unwrap(), ["a", "b"]);
    }
    assert_eq!(bench.accounts.job_failures.get(), 2);
    assert!(bench.lines.all()[0].contains("is not below s3://bucket/k/"));
    assert_eq!(bench.pages_asked(), 0);
}

#[tokio::test]
async fn a_key_list_that_breaks_off_is_gone_on_with() {
    let bench = bench(10);
    let keys: Vec<String> = numbered(5_000).collect();
    bench.client.insert("bucket", "list.txt", keys.join("\n"));
    bench.client.set_hook(Some(Hook::new(|call| {
        if call.operation == Operation::GetObject && call.number_of_operation == 1 {
            Reaction::BreakBody { after: 10_001 }
        } else {
            Reaction::Proceed
        }
    })));
    let list = KeyList::Object(S3Url::parse("s3://bucket/list.txt").unwrap());
    let source = Source {
        keys: Some(list),
        ..source("s3://bucket/")
    };
    assert_eq!(bench.relative(&source).await.unwrap(), keys);
}

#[tokio::test]
async fn local_sources_are_walked_by_relative_part() {
    let bench = bench(10);
    let folder = tempfile::tempdir().unwrap();
    for file in ["g/a.txt", "g/sub/b.txt", "g/sub/deep/c.txt", "g/zz/a.txt"] {
        let path = folder.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "12345").unwrap();
    }
    let at = |name: &str| by_key(&format!("{}/{name}", folder.path().display()));
    let names = async |name: &str| bench.relative(&at(name)).await;
    assert_eq!(names("g/").await.unwrap()[..2], ["a.txt", "sub/b.txt"]);
    assert_eq!(names("g").await.unwrap()[0], "g/a.txt");
    assert_eq!(names("g/a.txt").await.unwrap(), ["a.txt"]);
    // Parts below several parents are sorted across them.
    assert_eq!(
        names("g/*/*").await.unwrap(),
        ["deep/c.txt", "sub/b.txt", "zz/a.txt"]
    );
    let absent = names("nowhere").await.unwrap_err();
    assert!(
        absent.to_string().ends_with("nowhere not found"),
        "{absent}"
    );
    let nothing = names("g/*.jpg").await.unwrap_err();
    assert!(
        nothing.to_string().starts_with("no match found for"),
        "{nothing}"
    );
    let entry = bench.entries(&at("g/a.txt")).await.unwrap().remove(0);
    assert_eq!(entry.size, ByteCount(5));
    assert!(entry.modified.is_some());
}

#[tokio::test]
async fn a_broken_link_is_a_problem_by_name_and_the_walk_goes_on() {
    let bench = bench(10);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a"), "x").unwrap();
    std::os::unix::fs::symlink("nowhere", folder.path().join("broken")).unwrap();
    let source = by_key(&format!("{}/", folder.path().display()));
    let mut stream = enumerate(&bench.context, &bench.accounts, Side::Source, &source);
    let mut names = Vec::new();
    while let Some(entry) = stream.next().await {
        names.push(entry.unwrap().relative().to_owned());
    }
    assert_eq!(names, ["a"]);
    assert_eq!(
        (stream.problems(), bench.accounts.job_failures.get()),
        (1, 1)
    );
    assert!(bench.lines.all()[0].contains("broken not found"));
}

#[tokio::test]
async fn a_stopping_context_ends_a_listing_as_cancelled() {
    let bench = bench(10);
    bench.fill(numbered(100));
    bench.context.stopping.cancel();
    for source in [source("s3://bucket/*"), source(".")] {
        let error = bench.relative(&source).await.unwrap_err();
        assert!(matches!(error, Error::Cancelled), "{error}");
    }
}

#[test]
fn filters_see_names_below_the_literal_prefix() {
    let filter = |exclude: &[&str], include: &[&str]| Filter {
        exclude: exclude
            .iter()
            .map(|text| crate::Wildcard::new(*text))
            .collect(),
        include: include
            .iter()
            .map(|text| crate::Wildcard::new(*text))
            .collect(),
        ..Filter::default()
    };
    let skips = |url: &str, filter: &Filter, key: &str| {
        let source = source(url);
        let url = source.target.as_remote().unwrap();
        let entry = Entry {
            location: crate::Location::Remote(crate::ObjectLocation {
                bucket: url.bucket.clone(),
                key: base::Key::new(key).unwrap(),
                version_id: None,
            }),
            relative_start: 0,
            size: ByteCount(5),
            modified: None,
            etag: None,
            storage_class: None,
            checksum_algorithm: None,
            is_delete_marker: false,
        };
        source
            .skips(filter, &source.filter_base(), &entry)
            .is_some()
    };
    // Each seen with s5cmd v2.3.0.
    assert!(!skips(
        "s3://b/a/pre*",
        &filter(&["prefix/*"], &[]),
        "a/prefix/q"
    ));
    assert!(skips(
        "s3://b/a/pre*",
        &filter(&["a/prefix/*"], &[]),
        "a/prefix/q"
    ));
    assert!(skips("s3://b/a/pre*", &filter(&["pp"], &[]), "a/pre/pp"));
    assert!(skips(
        "s3://b/a/*",
        &filter(&["pre1/*"], &["*x"]),
        "a/pre1/x"
    ));
    assert!(!skips("s3://b/a/*", &filter(&[], &["*x"]), "a/pre1/x"));
    assert!(skips("s3://b/a/*", &filter(&[], &["*x"]), "a/pre1/y"));

    let ignoring = Filter {
        ignore: crate::filter::IgnoreList::parse("# not these\n\nb/a/*.tmp\nb/?\n"),
        ..Filter::default()
    };
    assert!(skips("s3://b/*", &ignoring, "a/x/y.tmp") && skips("s3://b/*", &ignoring, "k"));
    assert!(!skips("s3://b/*", &ignoring, "x.tmp") && !skips("s3://b/*", &ignoring, "# not these"));
    let sized = Filter {
        size_min: Some(ByteCount(6)),
        ..Filter::default()
    };
    assert!(skips("s3://b/*", &sized, "k"));
    assert!(skips("s3://b/*", &Filter::default(), "k/"));
}

#[tokio::test]
async fn rclone_7974_the_first_key_comes_with_the_first_page() {
    for order in [Order::Any, Order::Key] {
        let bench = bench(10);
        bench.fill(numbered(1_000));
        // The second page never comes.
        bench
            .client
            .set_hook(Some(Hook::new(|call| match call.number {
                1 => Reaction::Proceed,
                _ => Reaction::Wait(Box::pin(std::future::pending())),
            })));
        let source = Source {
            order,
            ..source("s3://bucket/*")
        };
        let mut stream = enumerate(&bench.context, &bench.accounts, Side::Source, &source);
        let first = stream.next().await.unwrap().unwrap();
        assert_eq!(first.relative(), "k/00000");
    }
}

#[tokio::test]
async fn s5cmd_441_a_slow_reader_holds_a_bounded_part_of_the_listing() {
    for order in [Order::Any, Order::Key] {
        let bench = bench(10);
        bench.fill(numbered(20_000));
        let source = Source {
            order,
            ..source("s3://bucket/*")
        };
        let mut stream = enumerate(&bench.context, &bench.accounts, Side::Source, &source);
        stream.next().await.unwrap().unwrap();
        // Everything that can run runs until nothing moves any more.
        let mut asked = 0;
        for _ in 0..10_000 {
            tokio::task::yield_now().await;
            asked = bench.pages_asked();
        }
        // 2,000 pages there are; 2 x 8 ranges of 4 pages, and what is under way.
        assert!(asked <= 2 * 8 * 4 + 16, "{order:?}: {asked} pages");
        drop(stream);
    }
}

#[tokio::test]
async fn a_dropped_stream_stops_asking() {
    let bench = bench(10);
    bench.fill(numbered(20_000));
    let mut stream = enumerate(
        &bench.context,
        &bench.accounts,
        Side::Source,
        &source("s3://bucket/*"),
    );
    stream.next().await.unwrap().unwrap();
    drop(stream);
    let mut asked = u64::MAX;
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while asked != bench.pages_asked() {
        assert!(tokio::time::Instant::now() < deadline, "it goes on asking");
        asked = bench.pages_asked();
        for _ in 0..1_000 {
            tokio::task::yield_now().await;
        }
    }
    assert!(asked < 500, "{asked}");
}
