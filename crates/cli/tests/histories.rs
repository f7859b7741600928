//! `longhaul` and object versions: histories carried between two accounts, and s5cmd's flags.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]
#![expect(
    clippy::disallowed_methods,
    reason = "processes are waited for on the machine's clock"
)]

use std::collections::BTreeMap;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use base::redact::Secret;
use base::{BucketName, ByteCount, Key};
use bytes::Bytes;
use front::{Account, Deviation};
use sim::server::{TestServer, TestServerOptions};
use store::model::{Entry, ListQuery, Versioning, WriteConditions};
use tempfile::TempDir;
use tokio::runtime::Runtime;

const PARTNER_KEY: &str = "PARTNERKEY";
const PARTNER_SECRET: &str = "partner/secret";

/// A partner's store, which is read, and ours.
struct Bench {
    runtime: Runtime,
    partner: TestServer,
    ours: TestServer,
    folder: TempDir,
}

fn bucket(name: &str) -> BucketName {
    BucketName::new(name).unwrap()
}

fn key(name: &str) -> Key {
    Key::new(name).unwrap()
}

impl Bench {
    /// Our store's every answer waits for so long.
    fn new(latency: Duration) -> Bench {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .unwrap();
        let partner = TestServerOptions {
            account: Some(Account {
                access_key_id: PARTNER_KEY.to_owned(),
                secret: Secret::new(PARTNER_SECRET),
            }),
            ..TestServerOptions::default()
        };
        let ours = TestServerOptions {
            deviation: Deviation {
                latency,
                ..Deviation::default()
            },
            ..TestServerOptions::default()
        };
        let (partner, ours) = runtime.block_on(async {
            let partner = TestServer::start_with(partner).await;
            (partner, TestServer::start_with(ours).await)
        });
        partner.create_bucket("theirs");
        ours.create_bucket("ours");
        Bench {
            runtime,
            partner,
            ours,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn keep_versions(&self) {
        set(&self.partner, "theirs", Versioning::Enabled);
        set(&self.ours, "ours", Versioning::Enabled);
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_longhaul"));
        command
            .args(arguments)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", self.folder.path())
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .envs(self.ours.environment())
            .env("LONGHAUL_SOURCE_AWS_ACCESS_KEY_ID", PARTNER_KEY)
            .env("LONGHAUL_SOURCE_AWS_SECRET_ACCESS_KEY", PARTNER_SECRET)
            .env("LONGHAUL_SOURCE_AWS_ENDPOINT_URL", self.partner.endpoint())
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn sync(&self) -> Output {
        self.run(&["sync", "--versions", "s3://theirs/*", "s3://ours/"])
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        // The servers' tasks end with the runtime.
        let _guard = self.runtime.enter();
    }
}

fn set(server: &TestServer, name: &str, versioning: Versioning) {
    let set = server.model().set_versioning(&bucket(name), versioning);
    set.unwrap();
}

fn delete(server: &TestServer, bucket_name: &str, key_name: &str) {
    let conditions = WriteConditions::default();
    server
        .model()
        .delete_object(&bucket(bucket_name), &key(key_name), None, &conditions)
        .unwrap();
}

/// Each key's versions, oldest first: their bytes, or none for a delete marker.
fn histories(server: &TestServer, name: &str) -> BTreeMap<String, Vec<Option<Bytes>>> {
    let whole = ListQuery {
        limit: usize::MAX,
        ..ListQuery::default()
    };
    let page = server
        .model()
        .list_object_versions(&bucket(name), &whole, None)
        .unwrap();
    let mut histories: BTreeMap<String, Vec<Option<Bytes>>> = BTreeMap::new();
    for entry in page.entries {
        let Entry::Item(item) = entry else { continue };
        let history = histories.entry(item.key.to_string()).or_default();
        let bytes = item.object.as_ref().map(|object| object.body.to_bytes());
        history.insert(0, bytes);
    }
    histories
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn histories_go_from_account_to_account() {
    let bench = Bench::new(Duration::ZERO);
    bench.partner.put("theirs", "before", "null version");
    let refused = bench.sync();
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains("keeps no versions"));
    bench.keep_versions();
    bench.partner.put("theirs", "before", "one more");
    delete(&bench.partner, "theirs", "before");
    bench.partner.put("theirs", "before", "again");
    let large = vec![7; 6 << 20];
    bench
        .partner
        .put_multipart("theirs", "dir/large +", large, ByteCount(5 << 20));
    bench.partner.put("theirs", "dir/large +", "small now");
    delete(&bench.partner, "theirs", "gone");
    let done = bench.sync();
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    assert!(text(&done.stdout).contains("rm s3://ours/before"));
    let wanted = histories(&bench.partner, "theirs");
    assert!(histories(&bench.ours, "ours") == wanted);

    bench.partner.put("theirs", "gone", "back");
    let done = bench.sync();
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    assert_eq!(text(&done.stdout), "cp s3://theirs/gone s3://ours/gone\n");
    let there = histories(&bench.ours, "ours");
    assert!(there == histories(&bench.partner, "theirs"));

    bench.ours.put("ours", "gone", "not theirs");
    let differs = bench.sync();
    assert_eq!(differs.status.code(), Some(1));
    let told = text(&differs.stderr);
    assert!(
        told.contains("the history of s3://ours/gone differs"),
        "{told}"
    );
    assert_eq!(histories(&bench.ours, "ours")["gone"].len(), 3);

    for senseless in ["--delete", "--checksum", "--size-only"] {
        let flags = [
            "sync",
            "--versions",
            senseless,
            "s3://theirs/*",
            "s3://ours/",
        ];
        let usage = bench.run(&flags);
        assert!(!usage.status.success());
        let told = text(&usage.stderr) + &text(&usage.stdout);
        assert!(told.contains("cannot be used with --versions"), "{told}");
    }
}

#[test]
fn a_killed_run_leaves_beginnings_and_is_run_again() {
    let bench = Bench::new(Duration::from_millis(20));
    bench.keep_versions();
    for version in 0..12 {
        for name in ["a", "b", "c"] {
            bench
                .partner
                .put("theirs", name, format!("{name}{version}"));
        }
        if version % 4 == 1 {
            delete(&bench.partner, "theirs", "b");
        }
    }
    let wanted = histories(&bench.partner, "theirs");
    let mut child = bench
        .command(&["sync", "--versions", "s3://theirs/*", "s3://ours/"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    let arrived = || -> usize { histories(&bench.ours, "ours").values().map(Vec::len).sum() };
    while arrived() < 10 {
        assert!(Instant::now() < deadline, "nothing arrives");
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    for (name, history) in histories(&bench.ours, "ours") {
        assert_eq!(history[..], wanted[&name][..history.len()], "{name}");
    }
    let done = bench.sync();
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    assert!(histories(&bench.ours, "ours") == wanted);
}

#[test]
fn version_flags_work_as_s5cmds() {
    let bench = Bench::new(Duration::ZERO);
    set(&bench.partner, "theirs", Versioning::Enabled);
    bench.partner.put("theirs", "k", "one");
    bench.partner.put("theirs", "k", "two");
    delete(&bench.partner, "theirs", "k");
    let done = |arguments: &[&str]| {
        let output = bench.run(arguments);
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {told}");
        text(&output.stdout)
    };
    let listed = done(&["ls", "--all-versions", "s3://theirs/*"]);
    assert_eq!(listed.lines().count(), 3, "{listed}");
    let ids: Vec<&str> = listed
        .lines()
        .filter_map(|line| line.split_whitespace().last())
        .collect();
    let sizes = done(&["du", "--all-versions", "s3://theirs/*"]);
    assert!(sizes.starts_with("6 bytes in 3 objects"), "{sizes}");
    let first = ids.iter().copied().find(|id| {
        let output = bench.run(&["cat", "--version-id", id, "s3://theirs/k"]);
        output.stdout == b"one"
    });
    let first = first.unwrap();
    done(&["cp", "--version-id", first, "s3://theirs/k", "file"]);
    let landed = std::fs::read_to_string(bench.folder.path().join("file"));
    assert_eq!(landed.unwrap(), "one");
    let head = done(&["head", "--version-id", first, "s3://theirs/k"]);
    assert!(head.contains(first), "{head}");
    done(&["rm", "--version-id", first, "s3://theirs/k"]);
    assert_eq!(histories(&bench.partner, "theirs")["k"].len(), 2);
    done(&["rm", "--all-versions", "s3://theirs/*"]);
    assert!(histories(&bench.partner, "theirs").is_empty());
}
