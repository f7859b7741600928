//! Two stores in memory, or a store and a folder, with maps as the oracle.

mod manifests;

use std::collections::BTreeMap;
use std::path::Path;

use base::fault::Classified as _;
use base::{ByteCount, Fault};
use parking_lot::Mutex;
use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};
use remote::memory::{ETagStyle, Hook, MemoryClient, Reaction};
use remote::{MemoryOptions, Operation};

use super::*;
use crate::event::Verb;
use crate::job::copy::{CopyConditions, CopyJob};
use crate::location::Location;
use crate::manifest::Manifest;
use crate::options::TransferOptions;
use crate::testing::{Ledger, context_over, ramp};

/// Remembers findings: state, source, destination.
#[derive(Debug, Default)]
struct Heard(Mutex<Vec<(String, String, String)>>);

impl Listener for Heard {
    fn on_finding(&self, finding: &Finding<'_>) {
        let state = match finding.state {
            State::Equal(_) => "equal",
            State::Missing => "missing",
            State::Differing(_) => "differing",
            State::Extra => "extra",
            State::Unverifiable => "unverifiable",
            State::Unknown(_) => "unknown",
        };
        self.0.lock().push((
            state.to_owned(),
            finding.source.unwrap_or_default().to_owned(),
            finding.destination.to_owned(),
        ));
    }
}

impl Heard {
    fn of(&self, state: &str) -> Vec<String> {
        let mut names: Vec<String> = self
            .0
            .lock()
            .iter()
            .filter(|row| row.0 == state)
            .map(|row| {
                if row.1.is_empty() {
                    row.2.clone()
                } else {
                    row.1.clone()
                }
            })
            .collect();
        names.sort();
        names
    }
}

struct Bench {
    from: MemoryClient,
    to: MemoryClient,
    context: Context,
    heard: Arc<Heard>,
}

fn bench() -> Bench {
    let store = |endpoint: &str| {
        let client = MemoryClient::new(MemoryOptions {
            endpoint: endpoint.to_owned(),
            page_rows_max: 3,
            ..MemoryOptions::default()
        });
        client.insert_bucket("b");
        client
    };
    let (from, to) = (store("memory://from"), store("memory://to"));
    Bench {
        context: context_over(&from, &to, Arc::new(Ledger::default())),
        heard: Arc::new(Heard::default()),
        from,
        to,
    }
}

/// Both sides in one store.
fn bench_of_one() -> Bench {
    let bench = bench();
    Bench {
        context: context_over(&bench.from, &bench.from, Arc::new(Ledger::default())),
        to: bench.from.clone(),
        ..bench
    }
}

fn job(source: &str, destination: &str) -> VerifyJob {
    VerifyJob {
        source: Source::new(Target::parse(source).unwrap()),
        destination: Target::parse(destination).unwrap(),
        filter: Filter::default(),
        scrutiny: Scrutiny::default(),
    }
}

fn reading(source: &str, destination: &str) -> VerifyJob {
    VerifyJob {
        scrutiny: Scrutiny {
            read: true,
            ..Scrutiny::default()
        },
        ..job(source, destination)
    }
}

impl Bench {
    async fn verify(&self, job: VerifyJob) -> Result<Verification> {
        let accounts = Arc::new(Accounts::default());
        let listener = Arc::clone(&self.heard) as Arc<dyn Listener>;
        let ended = run(job, &self.context, &accounts, listener).await;
        if let Ok(verification) = &ended {
            assert!(verification.sums.close(), "{:?}", verification.sums);
        }
        ended
    }

    async fn verify_manifest(
        &self,
        path: &Path,
        source: Option<&str>,
        to: &str,
        read: bool,
    ) -> Verification {
        let job = ManifestJob {
            manifest: path.to_owned(),
            source: source.map(|text| Target::parse(text).unwrap()),
            destination: Target::parse(to).unwrap(),
            unordered: false,
            scrutiny: Scrutiny {
                read,
                ..Scrutiny::default()
            },
        };
        let accounts = Arc::new(Accounts::default());
        let listener = Arc::clone(&self.heard) as Arc<dyn Listener>;
        let ended = run_manifest(job, &self.context, &accounts, listener).await;
        let verification = ended.unwrap();
        assert!(verification.sums.close(), "{:?}", verification.sums);
        verification
    }

    /// Copies a bucket and writes the manifest of it.
    async fn copy(&self, source: &str, destination: &str, manifest: &Path) {
        let manifest = Arc::new(Manifest::create(manifest).unwrap());
        let context = Context {
            observer: Arc::clone(&manifest) as Arc<dyn crate::Observer>,
            ..self.context.clone()
        };
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
        crate::job::copy::run(job, &context, &accounts)
            .await
            .unwrap();
        manifest.finish().unwrap();
    }
}

#[tokio::test]
async fn every_kind_of_finding_is_told_apart() {
    let bench = bench();
    for (key, bytes) in [
        ("same", "x"),
        ("longer", "x"),
        ("other", "x"),
        ("lost", "x"),
        ("dir/", ""),
    ] {
        bench.from.insert("b", key, bytes);
    }
    for (key, bytes) in [
        ("same", "x"),
        ("longer", "xx"),
        ("other", "y"),
        ("more", "x"),
    ] {
        bench.to.insert("b", key, bytes);
    }
    let verification = bench.verify(job("s3://b/*", "s3://b/")).await.unwrap();
    assert_eq!(bench.heard.of("equal"), ["s3://b/same"]);
    assert_eq!(bench.heard.of("missing"), ["s3://b/lost"]);
    assert_eq!(
        bench.heard.of("differing"),
        ["s3://b/longer", "s3://b/other"]
    );
    assert_eq!(bench.heard.of("extra"), ["s3://b/more"]);
    let sums = verification.sums;
    assert_eq!((sums.listed, sums.ignored, sums.equal_by_etag), (5, 1, 1));
    assert_eq!(verification.ending(false, true), Ending::Failed);
    // The listing settles what is equal by ETag; only one pair was asked about.
    assert_eq!(bench.to.request_count(Operation::HeadObject), 1);
}

#[tokio::test]
async fn a_bucket_or_a_prefix_means_all_below_it() {
    let bench = bench();
    for key in ["p/a", "p/q/b", "z"] {
        bench.from.insert("b", key, "x");
        bench.to.insert("b", &format!("to/{key}"), "x");
    }
    let whole = bench.verify(job("s3://b", "s3://b/to/")).await.unwrap();
    assert_eq!((whole.sums.equal(), whole.sums.extra), (3, 0));
    let below = bench
        .verify(job("s3://b/p/", "s3://b/to/p/"))
        .await
        .unwrap();
    assert_eq!((below.sums.equal(), below.sums.extra), (2, 0));
}

#[tokio::test]
async fn what_only_the_destination_has_is_a_finding_unless_it_is_allowed() {
    let bench = bench();
    bench.from.insert("b", "k", "x");
    bench.to.insert("b", "k", "x");
    bench.to.insert("b", "more", "x");
    let verification = bench.verify(job("s3://b/*", "s3://b/")).await.unwrap();
    assert_eq!(verification.ending(false, false), Ending::Failed);
    assert_eq!(verification.ending(true, true), Ending::Done);
}

#[tokio::test]
async fn sizes_alone_are_never_called_equal() {
    let bench = bench();
    for client in [&bench.from, &bench.to] {
        client.set_options(|options| {
            options.etags = ETagStyle::Opaque;
            options.checksums = false;
        });
        client.insert("b", "k", "x");
    }
    let verification = bench.verify(job("s3://b/*", "s3://b/")).await.unwrap();
    assert_eq!(
        (verification.sums.unverifiable, verification.sums.equal()),
        (1, 0)
    );
    assert_eq!(verification.ending(false, false), Ending::Done);
    assert_eq!(verification.ending(true, false), Ending::Failed);
    let verification = bench.verify(reading("s3://b/*", "s3://b/")).await.unwrap();
    assert_eq!(verification.sums.equal_by_reading, 1);
}

#[tokio::test]
async fn what_cannot_be_asked_is_unknown_and_a_failure() {
    let bench = bench();
    for client in [&bench.from, &bench.to] {
        client.set_options(|options| options.etags = ETagStyle::Opaque);
        client.insert("b", "k", "x");
    }
    bench.to.set_hook(Some(Hook::deny(|call| {
        call.operation == Operation::HeadObject
    })));
    let verification = bench.verify(job("s3://b/*", "s3://b/")).await.unwrap();
    assert_eq!(verification.sums.unknown, 1);
    assert_eq!(verification.ending(false, true), Ending::Failed);
}

#[tokio::test]
async fn a_broken_listing_verifies_nothing() {
    for side in 0..2 {
        let bench = bench();
        for at in 0..20 {
            bench.from.insert("b", &format!("k{at:02}"), "x");
            bench.to.insert("b", &format!("k{at:02}"), "x");
        }
        let client = [&bench.from, &bench.to][side];
        client.set_hook(Some(Hook::new(|call| match call.operation {
            Operation::ListObjectsV2 if call.number_of_operation > 2 => {
                Reaction::Fail(call.internal_error())
            }
            _ => Reaction::Proceed,
        })));
        let error = bench.verify(job("s3://b/*", "s3://b/")).await.unwrap_err();
        assert_eq!(error.fault(), Fault::Unavailable);
        assert!(bench.heard.of("missing").is_empty() && bench.heard.of("extra").is_empty());
    }
}

#[tokio::test]
async fn nothing_verified_is_not_a_success() {
    let bench = bench();
    bench.to.insert("b", "more", "x");
    let error = bench.verify(job("s3://b/*", "s3://b/")).await.unwrap_err();
    assert_eq!(error.fault(), Fault::NotFound);
    assert!(bench.verify(job("s3://b/one", "s3://b/")).await.is_err());
}

#[tokio::test]
async fn one_object_is_asked_for_by_name() {
    let bench = bench();
    bench.from.insert("b", "d/k", "x");
    let verification = bench.verify(job("s3://b/d/k", "s3://b/")).await.unwrap();
    assert_eq!(verification.sums.missing, 1);
    bench.to.insert("b", "k", "x");
    let verification = bench.verify(job("s3://b/d/k", "s3://b/")).await.unwrap();
    assert_eq!(verification.sums.equal(), 1);
}

#[tokio::test]
async fn folders_are_compared_with_buckets_by_what_the_store_keeps() {
    let bench = bench();
    let folder = tempfile::tempdir().unwrap();
    let root = format!("{}/", folder.path().display());
    let content = ramp(300_000);
    for (name, bytes) in [("a b//c", &content), ("ü/x", &content)] {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    bench.to.insert("b", "p/a b/c", content.clone());
    let mut other = content.clone();
    other[299_999] ^= 1;
    bench.to.insert("b", "p/ü/x", other);
    for read in [false, true] {
        let up = VerifyJob {
            scrutiny: Scrutiny {
                read,
                ..Scrutiny::default()
            },
            ..job(&root, "s3://b/p/")
        };
        let verification = bench.verify(up).await.unwrap();
        assert_eq!(
            (verification.sums.equal(), verification.sums.differing),
            (1, 1)
        );
        // And the other way round: the bucket is the source.
        let swapped = Bench {
            context: context_over(&bench.to, &bench.from, Arc::new(Ledger::default())),
            heard: Arc::default(),
            from: bench.to.clone(),
            to: bench.from.clone(),
        };
        let down = VerifyJob {
            scrutiny: Scrutiny {
                read,
                ..Scrutiny::default()
            },
            ..job("s3://b/p/*", &root)
        };
        let verification = swapped.verify(down).await.unwrap();
        assert_eq!(
            (verification.sums.equal(), verification.sums.differing),
            (1, 1)
        );
        assert_eq!(verification.sums.equal_by_reading, u64::from(read));
    }
}

#[tokio::test]
async fn a_sample_looks_at_so_many_and_names_the_rest() {
    let bench = bench();
    for at in 0..60 {
        let key = format!("k{at:02}");
        bench.from.insert("b", &key, "x");
        bench.to.insert("b", &key, "x");
    }
    let sampled = |sample: &str, seed| VerifyJob {
        scrutiny: Scrutiny {
            read: true,
            sample: Some(sample.parse().unwrap()),
            seed,
        },
        ..job("s3://b/*", "s3://b/")
    };
    let verification = bench.verify(sampled("7", 1)).await.unwrap();
    assert_eq!(
        (verification.sums.equal(), verification.sums.not_sampled),
        (7, 53)
    );
    let first = bench.heard.of("equal");
    bench.heard.0.lock().clear();
    bench.verify(sampled("7", 1)).await.unwrap();
    assert_eq!(bench.heard.of("equal"), first);
    bench.heard.0.lock().clear();
    bench.verify(sampled("7", 2)).await.unwrap();
    assert_ne!(bench.heard.of("equal"), first);
    let none = bench.verify(sampled("0.0001%", 1)).await.unwrap();
    assert_eq!(none.sums.not_sampled, 60);
    // Nothing was looked at, so that nothing is green.
    assert_eq!(none.ending(false, false), Ending::Failed);
    let all = bench.verify(sampled("100%", 1)).await.unwrap();
    assert_eq!(all.sums.equal(), 60);
    let more = bench.verify(sampled("1000", 1)).await.unwrap();
    assert_eq!(more.sums.equal(), 60);
}

#[tokio::test]
async fn a_stop_leaves_what_was_not_looked_at_pending() {
    let bench = bench();
    bench.from.insert("b", "k", "x");
    bench.to.insert("b", "k", "x");
    bench.context.stopping.cancel();
    let verification = bench.verify(job("s3://b/*", "s3://b/")).await.unwrap();
    assert!(verification.stopped);
    assert_eq!(verification.ending(false, false), Ending::Stopped);
}

const AWKWARD: [&str; 9] = [
    "plain",
    "a//b",
    "/lead",
    "..",
    "a b+c%20",
    "quote\",comma",
    "line\nend\r\nand\ttab",
    "\u{1f600}\u{e000}",
    "'=x",
];

#[tokio::test]
async fn a_manifest_of_awkward_keys_is_verified_in_every_form() {
    for form in ["m.csv", "m.jsonl", "m.csv.zst", "m.jsonl.zst"] {
        let bench = bench_of_one();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(form);
        for key in AWKWARD {
            bench
                .from
                .insert("b", &format!("from/{key}"), format!("of {key}"));
        }
        bench.copy("s3://b/from/*", "s3://b/to/", &path).await;
        for read in [false, true] {
            let all = AWKWARD.len() as u64;
            let alone = bench.verify_manifest(&path, None, "s3://b/to/", read).await;
            assert_eq!(
                (alone.sums.equal(), alone.sums.listed),
                (all, all),
                "{form}: {:?}",
                bench.heard.0.lock()
            );
            let both = bench
                .verify_manifest(&path, Some("s3://b/from/"), "s3://b/to/", read)
                .await;
            assert_eq!(
                both.ending(true, false),
                Ending::Done,
                "{form}: {:?}",
                both.sums
            );
            assert_eq!(both.sums.equal_by_reading, if read { all } else { 0 });
        }
    }
}

#[tokio::test]
async fn a_stale_manifest_is_found_out() {
    let bench = bench_of_one();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.jsonl");
    for key in ["same", "other", "lost", "longer", "source"] {
        bench.from.insert("b", &format!("from/{key}"), "x");
    }
    bench.copy("s3://b/from/*", "s3://b/to/", &path).await;
    bench.to.insert("b", "to/other", "y");
    bench.to.insert("b", "to/longer", "xx");
    bench.to.insert("b", "to/more", "x");
    let lost = base::BucketName::new("b").unwrap();
    let request = remote::types::DeleteObject {
        bucket: lost,
        key: base::Key::new("to/lost").unwrap(),
        version_id: None,
        if_match: None,
    };
    bench
        .context
        .destination
        .delete_object(request)
        .await
        .unwrap();
    bench.from.insert("b", "from/source", "z");
    let verification = bench
        .verify_manifest(&path, None, "s3://b/to/", false)
        .await;
    assert_eq!(
        bench.heard.of("differing"),
        ["s3://b/from/longer", "s3://b/from/other"]
    );
    assert_eq!(bench.heard.of("missing"), ["s3://b/from/lost"]);
    assert_eq!(bench.heard.of("extra"), ["s3://b/to/more"]);
    assert_eq!(
        bench.heard.of("equal"),
        ["s3://b/from/same", "s3://b/from/source"]
    );
    assert_eq!(verification.ending(false, true), Ending::Failed);
    bench.heard.0.lock().clear();
    bench
        .verify_manifest(&path, Some("s3://b/from/"), "s3://b/to/", false)
        .await;
    assert_eq!(
        bench.heard.of("differing"),
        [
            "s3://b/from/longer",
            "s3://b/from/other",
            "s3://b/from/source"
        ]
    );
}

#[tokio::test]
async fn a_manifest_that_breaks_off_or_names_nothing_here_verifies_nothing() {
    let bench = bench_of_one();
    let folder = tempfile::tempdir().unwrap();
    bench.from.insert("b", "from/k", "x");
    for form in ["m.csv", "m.jsonl", "m.jsonl.zst"] {
        let path = folder.path().join(form);
        bench.copy("s3://b/from/*", "s3://b/to/", &path).await;
        let manifest = |path: &Path, to: &str| ManifestJob {
            manifest: path.to_owned(),
            source: None,
            destination: Target::parse(to).unwrap(),
            unordered: false,
            scrutiny: Scrutiny::default(),
        };
        let accounts = Arc::new(Accounts::default());
        let listener = Arc::clone(&bench.heard) as Arc<dyn Listener>;
        let elsewhere = manifest(&path, "s3://b/elsewhere/");
        let ended = run_manifest(elsewhere, &bench.context, &accounts, Arc::clone(&listener)).await;
        assert_eq!(ended.unwrap_err().fault(), Fault::NotFound);
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() - 20]).unwrap();
        let broken = manifest(&path, "s3://b/to/");
        let ended = run_manifest(broken, &bench.context, &accounts, listener).await;
        assert!(ended.is_err(), "{form}");
    }
    assert!(bench.heard.0.lock().is_empty());
}

#[tokio::test]
async fn a_row_that_failed_is_never_green() {
    let bench = bench_of_one();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.csv");
    for key in ["k", "denied"] {
        bench.from.insert("b", &format!("from/{key}"), "x");
        bench.to.insert("b", "to/denied", "x");
    }
    bench.from.set_hook(Some(Hook::deny(|call| {
        let moves = matches!(
            call.operation,
            Operation::CopyObject | Operation::GetObject | Operation::PutObject
        );
        moves && call.key.is_some_and(|key| key.ends_with("denied"))
    })));
    bench.copy("s3://b/from/*", "s3://b/to/", &path).await;
    bench
        .verify_manifest(&path, None, "s3://b/to/", false)
        .await;
    assert_eq!(bench.heard.of("equal"), ["s3://b/from/k"]);
    assert_eq!(bench.heard.of("differing"), ["s3://b/from/denied"]);
}

/// The stored bytes go wrong at one place: the store still says what it said when they came.
fn rot(at: u64) -> Hook {
    Hook::new(move |call| match call.operation {
        Operation::GetObject => Reaction::CorruptBody { at },
        _ => Reaction::Proceed,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn verification_says_what_maps_say(
        source in proptest::collection::btree_map("[ab/é\\-]{1,4}", 0..4_u8, 1..40),
        there in proptest::collection::btree_map("[ab/é\\-]{1,4}", 0..4_u8, 0..40),
        opaque in any::<bool>(),
        checksums in any::<bool>(),
        read in any::<bool>(),
    ) {
        // Sizes 1 and 2, two contents each.
        let bytes = |kind: u8| if kind < 2 { vec![kind] } else { vec![kind; 2] };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (sums, heard) = runtime.block_on(async {
            let bench = bench();
            for (client, map) in [(&bench.from, &source), (&bench.to, &there)] {
                client.set_options(|options| {
                    options.checksums = checksums;
                    if opaque { options.etags = ETagStyle::Opaque; }
                });
                for (key, kind) in map {
                    client.insert("b", key, bytes(*kind));
                }
            }
            let job = if read { reading("s3://b/*", "s3://b/") } else { job("s3://b/*", "s3://b/") };
            match bench.verify(job).await {
                Ok(verification) => (verification.sums, Arc::clone(&bench.heard)),
                Err(error) => panic!("{error}"),
            }
        });
        let name = |key: &String| format!("s3://b/{key}");
        let counts = |key: &str| !key.ends_with('/');
        let of = |wanted: &dyn Fn(&String, &u8) -> bool, map: &BTreeMap<String, u8>| -> Vec<String> {
            map.iter().filter(|(key, kind)| counts(key) && wanted(key, kind)).map(|(key, _)| name(key)).collect()
        };
        let missing = of(&|key, _| !there.contains_key(key), &source);
        let extra = of(&|key, _| !source.contains_key(key), &there);
        let differing = of(&|key, kind| there.get(key).is_some_and(|other| other != kind), &source);
        let same = of(&|key, kind| there.get(key) == Some(kind), &source);
        prop_assert_eq!(heard.of("missing"), missing);
        prop_assert_eq!(heard.of("extra"), extra);
        let unverifiable = heard.of("unverifiable");
        if read {
            prop_assert!(unverifiable.is_empty());
        }
        for name in heard.of("equal") {
            prop_assert!(same.contains(&name), "{name} differs");
        }
        for name in heard.of("differing") {
            prop_assert!(differing.contains(&name), "{name} is the same");
        }
        let looked = heard.of("equal").len() + heard.of("differing").len() + unverifiable.len();
        prop_assert_eq!(looked, same.len() + differing.len());
        prop_assert_eq!(sums.unknown, 0);
    }

    #[test]
    fn a_single_wrong_bit_at_the_destination_is_always_found_by_reading(
        length in 1_u64..200_000,
        place in any::<u64>(),
        checksums in any::<bool>(),
        opaque in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let bench = bench();
            for client in [&bench.from, &bench.to] {
                client.set_options(|options| {
                    options.checksums = checksums;
                    if opaque { options.etags = ETagStyle::Opaque; }
                });
                client.insert_ramp("b", "k", 3, ByteCount(length));
            }
            bench.to.set_hook(Some(rot(place % length)));
            let verification = bench.verify(reading("s3://b/*", "s3://b/")).await.unwrap();
            assert_eq!(verification.sums.equal(), 0);
            assert_eq!(verification.ending(false, true), Ending::Failed);
        });
    }
}

#[test]
fn places_print_as_manifests_write_them() {
    // The merge of a manifest with a listing stands on this.
    let bucket = base::BucketName::new("b").unwrap();
    let location = Location::Remote(crate::location::ObjectLocation {
        bucket,
        key: base::Key::new("p/k").unwrap(),
        version_id: None,
    });
    let prefix = Target::parse("s3://b/p/").unwrap().to_string();
    assert!(location.to_string().starts_with(&prefix));
}
