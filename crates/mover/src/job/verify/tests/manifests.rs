//! Manifests held against stores that keep no checksum of ours, and against folders.

use super::*;

/// Two stores whose ETags are all there is.
fn bench_of_etags(hook: Option<Hook>) -> Bench {
    let store = |endpoint: &str, hook| {
        let client = MemoryClient::new(MemoryOptions {
            endpoint: endpoint.to_owned(),
            checksums: false,
            hook,
            ..MemoryOptions::default()
        });
        client.insert_bucket("b");
        client
    };
    let (from, to) = (store("memory://from", None), store("memory://to", hook));
    Bench {
        context: context_over(&from, &to, Arc::new(Ledger::default())),
        heard: Arc::new(Heard::default()),
        from,
        to,
    }
}

/// A small object, an empty one and one that is relayed in parts.
fn fill(store: &MemoryClient) {
    store.insert("b", "from/small", "la la la");
    store.insert("b", "from/empty", "");
    store.insert("b", "from/large", ramp(17 << 20));
}

#[tokio::test]
async fn reading_needs_no_checksum_of_ours() {
    let bench = bench_of_etags(None);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.jsonl");
    fill(&bench.from);
    bench.copy("s3://b/from/*", "s3://b/to/", &path).await;
    let read = bench.verify_manifest(&path, None, "s3://b/to/", true).await;
    assert_eq!(read.sums.equal_by_reading, 3, "{:?}", bench.heard.0.lock());
    assert_eq!(read.ending(true, false), Ending::Done);
}

#[tokio::test]
async fn reading_finds_what_rotted_where_no_checksum_tells() {
    let bench = bench_of_etags(Some(rot(3)));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.jsonl");
    fill(&bench.from);
    bench.copy("s3://b/from/*", "s3://b/to/", &path).await;
    bench.verify_manifest(&path, None, "s3://b/to/", true).await;
    assert_eq!(bench.heard.of("differing"), ["s3://b/from/small"]);
    // Its parts may have been of another size, so that nothing is proved.
    assert_eq!(bench.heard.of("unverifiable"), ["s3://b/from/large"]);
    bench.heard.0.lock().clear();
    let from = Some("s3://b/from/*");
    bench.verify_manifest(&path, from, "s3://b/to/", true).await;
    let differing = bench.heard.of("differing");
    assert_eq!(differing, ["s3://b/from/large", "s3://b/from/small"]);
}

#[tokio::test]
async fn files_are_read_against_the_etags_that_were_recorded() {
    let bench = bench_of_etags(None);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.csv");
    let here = format!("{}/here/", folder.path().display());
    fill(&bench.from);
    bench.copy("s3://b/from/*", &here, &path).await;
    let whole = bench.verify_manifest(&path, None, &here, false).await;
    assert_eq!(whole.sums.equal(), 3, "{:?}", bench.heard.0.lock());
    std::fs::write(folder.path().join("here/small"), "la la lA").unwrap();
    bench.heard.0.lock().clear();
    let from = Some("s3://b/from/");
    bench.verify_manifest(&path, from, &here, true).await;
    assert_eq!(bench.heard.of("differing"), ["s3://b/from/small"]);
}

#[tokio::test]
async fn sources_in_a_folder_are_asked_too() {
    let bench = bench_of_etags(None);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.jsonl");
    let here = folder.path().join("here");
    std::fs::create_dir(&here).unwrap();
    for name in ["same", "longer", "gone"] {
        std::fs::write(here.join(name), name).unwrap();
    }
    let here = format!("{}/", here.display());
    bench.copy(&here, "s3://b/to/", &path).await;
    std::fs::write(format!("{here}longer"), "much longer").unwrap();
    std::fs::remove_file(format!("{here}gone")).unwrap();
    bench
        .verify_manifest(&path, Some(&here), "s3://b/to/", false)
        .await;
    let changed = [format!("{here}gone"), format!("{here}longer")];
    assert_eq!(bench.heard.of("differing"), changed);
    assert_eq!(bench.heard.of("equal"), [format!("{here}same")]);
}

#[tokio::test]
async fn a_source_that_no_row_names_verifies_nothing() {
    let bench = bench_of_one();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.jsonl");
    bench.from.insert("b", "from/k", "x");
    bench.copy("s3://b/from/*", "s3://b/to/", &path).await;
    let job = ManifestJob {
        manifest: path,
        source: Some(Target::parse("s3://other/from/").unwrap()),
        destination: Target::parse("s3://b/to/").unwrap(),
        unordered: false,
        scrutiny: Scrutiny::default(),
    };
    let accounts = Arc::new(Accounts::default());
    let listener = Arc::clone(&bench.heard) as Arc<dyn Listener>;
    let ended = run_manifest(job, &bench.context, &accounts, listener).await;
    assert_eq!(ended.unwrap_err().fault(), Fault::NotFound);
}

#[tokio::test]
async fn what_was_left_alone_is_compared_with_its_source_if_that_is_named() {
    let bench = bench_of_one();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.jsonl");
    for (key, there) in [("same", "x"), ("other", "y")] {
        bench.from.insert("b", &format!("from/{key}"), "x");
        bench.to.insert("b", &format!("to/{key}"), there);
    }
    let rows: String = ["same", "other"]
        .map(|key| {
            format!(
                "{{\"v\":1,\"outcome\":\"skipped\",\"verb\":\"cp\",\"key\":\"s3://b/from/{key}\",\
                 \"destination\":\"s3://b/to/{key}\",\"size\":1}}\n"
            )
        })
        .concat();
    std::fs::write(&path, rows).unwrap();
    let alone = bench.verify_manifest(&path, None, "s3://b/to/", true).await;
    assert_eq!(alone.sums.unverifiable, 2);
    bench.heard.0.lock().clear();
    for read in [false, true] {
        bench.heard.0.lock().clear();
        let from = Some("s3://b/from/");
        bench.verify_manifest(&path, from, "s3://b/to/", read).await;
        assert_eq!(bench.heard.of("differing"), ["s3://b/from/other"]);
        assert_eq!(bench.heard.of("equal"), ["s3://b/from/same"]);
    }
}
