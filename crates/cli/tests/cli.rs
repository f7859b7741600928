//! `longhaul` as a process: its own exit codes, files, signals and secrets.
//!
//! What it shares with s5cmd is in `side_by_side.rs`.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]
#![expect(
    clippy::disallowed_methods,
    reason = "processes are waited for on the machine's clock"
)]

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use front::deviation::{Action, Disturbance};
use front::{Deviation, Operation};
use sim::server::{SECRET_ACCESS_KEY, TestServer, TestServerOptions};
use sim::workload::AWKWARD_KEYS;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// A server, a folder, and the program between them.
struct Bench {
    runtime: Runtime,
    server: TestServer,
    folder: TempDir,
}

impl Bench {
    fn new() -> Bench {
        Bench::with(TestServerOptions::default())
    }

    /// A server whose every answer waits.
    fn slow(latency: Duration) -> Bench {
        Bench::with(TestServerOptions {
            deviation: Deviation {
                latency,
                ..Deviation::default()
            },
            ..TestServerOptions::default()
        })
    }

    fn with(options: TestServerOptions) -> Bench {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .unwrap();
        let server = runtime.block_on(TestServer::start_with(options));
        Bench {
            runtime,
            server,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_longhaul"));
        command
            .args(arguments)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", self.path())
            .envs(self.server.environment())
            .current_dir(self.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn code(&self, arguments: &[&str]) -> Option<i32> {
        self.run(arguments).status.code()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        // The server's tasks end with the runtime.
        let _guard = self.runtime.enter();
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill")
        .args([format!("-{name}"), child.id().to_string()])
        .status();
    assert!(status.unwrap().success());
}

/// Waits for the end of a process, at most half a minute.
fn ended(mut child: Child) -> (Option<i32>, String) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while child.try_wait().unwrap().is_none() {
        assert!(Instant::now() < deadline, "the process does not end");
        std::thread::sleep(Duration::from_millis(5));
    }
    let code = child.wait().unwrap().code();
    let mut stderr = String::new();
    if let Some(mut stream) = child.stderr.take() {
        stream.read_to_string(&mut stderr).unwrap();
    }
    (code, stderr)
}

#[test]
fn exit_codes_tell_done_failed_and_could_not_run_apart() {
    let bench = Bench::new();
    bench.server.create_bucket("bucket");
    bench.server.put("bucket", "k", "v");
    for (arguments, code) in [
        (&["ls", "s3://bucket"][..], 0),
        (&["cp", "s3://bucket/k", "here"], 0),
        (&["cp", "s3://bucket/nope", "here"], 1),
        (&["ls", "s3://nobucket"], 1),
        (&["cp", "nothere", "s3://bucket/"], 1),
        (&["nope"], 2),
        (&["ls", "-nope"], 2),
        (&["cp", "a"], 2),
        (&["--retry-count", "-1", "ls"], 2),
        (&["--summary", "ls"], 2),
        (&["--manifest", "no/such/folder/m.csv", "ls"], 2),
        (&["sync", "--max-delete", "5%", "a", "s3://bucket/"], 1),
        (&["select", "csv"], 2),
        (&["presign", "--expire", "200h", "s3://bucket/k"], 2),
    ] {
        let output = bench.run(arguments);
        let told = text(&output.stderr) + &text(&output.stdout);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {told}");
    }
}

#[test]
fn events_are_versioned_json_lines_and_end_with_the_exit_code() {
    let bench = Bench::new();
    bench.server.create_bucket("bucket");
    for key in ["a", "b/c", "b/d"] {
        bench.server.put("bucket", key, key.to_owned());
    }
    let arguments = ["--events", "events.jsonl", "cp", "s3://bucket/*", "here/"];
    assert_eq!(bench.code(&arguments), Some(0));
    let events = std::fs::read_to_string(bench.path().join("events.jsonl")).unwrap();
    let rows: Vec<serde_json::Value> = events
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(rows.iter().all(|row| row["v"] == 1), "{events}");
    let moved = rows.iter().filter(|row| row["event"] == "moved");
    assert_eq!(moved.count(), 3);
    let last = rows.last().unwrap();
    assert_eq!(
        (&last["event"], &last["exit_code"]),
        (&"end".into(), &0.into())
    );
    assert_eq!(last["copied"], 3);

    let output = bench.run(&["--events", "-", "cp", "s3://bucket/nope", "here/"]);
    assert!(text(&output.stderr).contains("\"event\":\"end\""));
    assert_eq!(text(&output.stdout), "");
}

#[test]
fn a_manifest_has_one_row_an_object() {
    let bench = Bench::new();
    bench.server.create_bucket("bucket");
    for number in 0..20 {
        bench.server.put("bucket", &format!("k{number:02}"), "v");
    }
    let arguments = ["--manifest", "m.csv", "cp", "s3://bucket/*", "here/"];
    assert_eq!(bench.code(&arguments), Some(0));
    let manifest = std::fs::read_to_string(bench.path().join("m.csv")).unwrap();
    for number in 0..20 {
        let key = format!("k{number:02}");
        let rows = manifest.lines().filter(|line| line.contains(&key));
        assert_eq!(rows.count(), 1, "{key} in {manifest}");
    }
}

#[test]
fn a_dry_run_with_summary_counts_and_does_nothing() {
    let bench = Bench::new();
    bench.server.create_bucket("bucket");
    bench.server.put("bucket", "a", "12345");
    bench.server.put("bucket", "b", "67890");
    let arguments = [
        "--dry-run",
        "--summary",
        "--json",
        "cp",
        "s3://bucket/*",
        "here/",
    ];
    let output = bench.run(&arguments);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let sums: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&sums["objects"], &sums["bytes"]), (&2.into(), &10.into()));
    assert!(!bench.path().join("here").exists());
}

#[test]
fn an_interrupt_stops_taking_work_says_what_is_left_and_exits_with_3() {
    let bench = Bench::slow(Duration::from_millis(100));
    bench.server.create_bucket("bucket");
    for number in 0..400 {
        bench.server.put("bucket", &format!("k{number:03}"), "v");
    }
    let arguments = ["--numworkers", "2", "cp", "s3://bucket/*", "here/"];
    let mut child = bench.command(&arguments).spawn().unwrap();
    let stdout = child.stdout.take().unwrap();
    let mut lines = BufReader::new(stdout).lines();
    // The first line says that work is under way.
    assert!(
        lines
            .next()
            .unwrap()
            .unwrap()
            .starts_with("cp s3://bucket/")
    );
    signal(&child, "INT");
    let done = 1 + lines.count();
    let (code, stderr) = ended(child);
    assert_eq!(code, Some(3), "{stderr}");
    assert!(stderr.contains("stopped: "), "{stderr}");
    assert!(done < 400, "{done}");
    // Whatever was said to be there is there, and nothing half done is.
    let there = std::fs::read_dir(bench.path().join("here")).unwrap();
    let names: Vec<String> = there
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(names.len(), done, "{names:?}");
    assert!(names.iter().all(|name| !name.contains(".part")));
    let again = bench.run(&["--numworkers", "200", "sync", "s3://bucket/*", "here/"]);
    assert_eq!(again.status.code(), Some(0));
    assert_eq!(text(&again.stdout).lines().count(), 400 - done);
}

/// A run file keeps no journal: it says how to go on instead.
#[test]
fn an_interrupted_run_says_how_to_go_on() {
    let bench = Bench::slow(Duration::from_millis(50));
    bench.server.create_bucket("bucket");
    let mut lines = String::new();
    for number in 0..200 {
        let key = format!("k{number:03}");
        bench.server.put("bucket", &key, "v");
        lines.push_str(&format!("cp -n s3://bucket/{key} here/{key}\n"));
    }
    std::fs::write(bench.path().join("file"), lines).unwrap();
    let arguments = ["--numworkers", "2", "run", "file"];
    let mut child = bench.command(&arguments).spawn().unwrap();
    let stdout = child.stdout.take().unwrap();
    let mut printed = BufReader::new(stdout).lines();
    assert!(printed.next().unwrap().is_ok());
    signal(&child, "INT");
    let done = 1 + printed.count();
    let (code, stderr) = ended(child);
    assert_eq!(code, Some(3), "{stderr}");
    assert!(stderr.contains(" lines were begun, "), "{stderr}");
    assert!(stderr.contains("cp lines with -n"), "{stderr}");
    assert!(done < 200, "{done}");
    let again = bench.run(&["run", "file"]);
    assert_eq!(again.status.code(), Some(0));
    assert_eq!(text(&again.stdout).lines().count(), 200 - done);
}

#[test]
fn a_second_interrupt_ends_at_once() {
    let bench = Bench::new();
    bench.server.create_bucket("bucket");
    bench.server.put("bucket", "k", "v");
    // Longer than a run that was asked to stop is waited for.
    let late = Action::Delay(Duration::from_secs(60));
    let late = Disturbance::once(Operation::GetObject, late);
    bench.server.disturbances().add(late.times(u64::MAX));
    let arguments = ["cp", "s3://bucket/*", "here/"];
    let mut child = bench.command(&arguments).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    while bench.server.counters().requests(Operation::GetObject) == 0 {
        assert!(Instant::now() < deadline, "the object is not asked for");
        std::thread::sleep(Duration::from_millis(2));
    }
    signal(&child, "INT");
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    assert!(first.starts_with("stopping: "), "{first}");
    signal(&child, "INT");
    let (code, _) = ended(child);
    assert_eq!(code, Some(130));
    assert!(!bench.path().join("here/k").exists());
}

#[test]
fn sigusr1_prints_a_status_line_and_the_run_goes_on() {
    let bench = Bench::slow(Duration::from_millis(50));
    bench.server.create_bucket("bucket");
    for number in 0..40 {
        bench.server.put("bucket", &format!("k{number:02}"), "v");
    }
    let arguments = ["--numworkers", "2", "cp", "s3://bucket/*", "here/"];
    let mut child = bench.command(&arguments).spawn().unwrap();
    let stdout = child.stdout.take().unwrap();
    let mut lines = BufReader::new(stdout).lines();
    assert!(lines.next().unwrap().is_ok());
    signal(&child, "USR1");
    assert_eq!(1 + lines.count(), 40);
    let (code, stderr) = ended(child);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stderr.contains(" objects, "), "{stderr}");
}

#[test]
fn a_reader_that_goes_away_ends_the_run_quietly() {
    let bench = Bench::new();
    bench.server.create_bucket("bucket");
    for number in 0..6_000 {
        let key = format!("{}{number:05}", "a-rather-long-name/".repeat(8));
        bench.server.put("bucket", &key, "");
    }
    let mut child = bench.command(&["ls", "s3://bucket/*"]).spawn().unwrap();
    let stdout = child.stdout.take().unwrap();
    let mut first = String::new();
    BufReader::new(stdout).read_line(&mut first).unwrap();
    let (code, stderr) = ended(child);
    assert_eq!(code, Some(141), "{stderr}");
    assert_eq!(stderr, "");
}

#[test]
fn awkward_keys_go_between_stores_and_come_back_from_disk_byte_for_byte() {
    let bench = Bench::new();
    bench.server.create_bucket("bucket");
    bench.server.create_bucket("copy");
    bench.server.create_bucket("back");
    let keys: Vec<&str> = AWKWARD_KEYS
        .iter()
        .copied()
        .filter(|key| !key.ends_with('/'))
        .collect();
    for key in &keys {
        bench.server.put("bucket", key, key.as_bytes().to_vec());
    }
    let output = bench.run(&["cp", "s3://bucket/*", "s3://copy/"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    for key in &keys {
        assert_eq!(bench.server.get("copy", key), key.as_bytes(), "{key:?}");
    }

    // To disk some are refused, each by a line; what is there comes back under its own name.
    let down = bench.run(&["--manifest", "m.jsonl", "cp", "s3://bucket/*", "here/"]);
    let refused = text(&down.stderr).lines().count();
    let landed = text(&down.stdout).matches("cp s3://bucket/").count();
    assert_eq!(refused + landed, keys.len(), "{}", text(&down.stderr));
    assert_eq!(down.status.code(), Some(i32::from(refused > 0)));
    assert_eq!(bench.code(&["cp", "here/", "s3://back/"]), Some(0));
    for key in bench.server.keys("back") {
        assert_eq!(bench.server.get("back", &key), key.as_bytes(), "{key:?}");
    }
    assert_eq!(bench.server.keys("back").len(), landed);
}

#[test]
fn secrets_are_never_printed() {
    let bench = Bench::new();
    bench.server.create_bucket("bucket");
    bench.server.put("bucket", "k", "v");
    std::fs::write(bench.path().join("file"), "bytes").unwrap();
    for arguments in [
        &["--log", "trace", "ls", "s3://bucket"][..],
        &["--log", "trace", "--json", "cp", "file", "s3://bucket/"],
        &["--log", "trace", "cp", "s3://bucket/*", "here/"],
        &["--log", "trace", "cp", "s3://bucket/k", "s3://nobucket/"],
        &["--log", "trace", "sync", "s3://bucket/*", "there/"],
    ] {
        let mut command = bench.command(arguments);
        command.env("LONGHAUL_LOG", "trace");
        let output = command.output().unwrap();
        let told = text(&output.stdout) + &text(&output.stderr);
        assert!(told.len() > 100, "nothing was logged: {arguments:?}");
        for secret in [SECRET_ACCESS_KEY, "X-Amz-Signature=", "Signature="] {
            let place = told.find(secret);
            let around = place.map(|at| &told[at.saturating_sub(100)..at]);
            assert!(
                place.is_none(),
                "{arguments:?} prints {secret} behind {around:?}"
            );
        }
    }
    let signed = bench.run(&["presign", "s3://bucket/k"]);
    assert!(text(&signed.stdout).contains("X-Amz-Signature="));
}

#[test]
fn more_than_one_machine_can_share_a_copy() {
    let bench = Bench::new();
    bench.server.create_bucket("bucket");
    for number in 0..50 {
        bench.server.put("bucket", &format!("k{number:02}"), "v");
    }
    let mut landed = 0;
    for share in ["1/3", "2/3", "3/3"] {
        let output = bench.run(&["cp", "--shard", share, "s3://bucket/*", "here/"]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        landed += text(&output.stdout).lines().count();
    }
    assert_eq!(landed, 50);
}

#[test]
fn a_store_found_to_list_in_no_order_too_late_can_be_said_to() {
    let bench = Bench::with(TestServerOptions {
        deviation: Deviation {
            // The disorder shows only between pages, when names have been handed out already.
            unordered_listings: true,
            page_size_max: Some(1),
            ..Deviation::default()
        },
        ..TestServerOptions::default()
    });
    bench.server.create_bucket("bucket");
    for number in 0..30 {
        bench.server.put("bucket", &format!("k{number:02}"), "v");
    }
    let output = bench.run(&["sync", "s3://bucket/*", "here/"]);
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("--source-unordered"), "{told}");
    // The other side's store has nothing to do with it.
    let other = ["sync", "--destination-unordered", "s3://bucket/*", "here/"];
    assert_eq!(bench.run(&other).status.code(), Some(1));
    let output = bench.run(&["sync", "--source-unordered", "s3://bucket/*", "here/"]);
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{told}");
    let there = std::fs::read_dir(bench.path().join("here")).unwrap();
    assert_eq!(there.count(), 30);
    let again = bench.run(&["sync", "--unordered", "s3://bucket/*", "here/"]);
    assert_eq!(text(&again.stdout), "");
}

#[test]
fn filters_keys_and_bounds_do_what_they_say() {
    let bench = Bench::new();
    bench.server.create_bucket("bucket");
    bench.server.create_bucket("other");
    bench.server.put("bucket", "small", "1");
    bench.server.put("bucket", "large", "1".repeat(5_000));
    bench.server.put("bucket", "tmp/x", "x");
    std::fs::write(bench.path().join("ignore"), "# scratch\nbucket/tmp/*\n").unwrap();
    std::fs::write(bench.path().join("keys"), "small\nlarge\t5000\n").unwrap();
    let lines = |arguments: &[&str]| {
        let output = bench.run(arguments);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let mut lines: Vec<String> = text(&output.stdout).lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let dry = |flags: &[&str]| {
        let mut arguments = vec!["--dry-run", "cp"];
        arguments.extend_from_slice(flags);
        arguments.extend_from_slice(&["s3://bucket/*", "here/"]);
        lines(&arguments)
    };
    assert_eq!(
        dry(&["--size-min", "1kB"]),
        ["cp s3://bucket/large here/large"]
    );
    assert_eq!(dry(&["--size-max", "1kB"]).len(), 2);
    assert_eq!(dry(&["--ignore-file", "ignore"]).len(), 2);
    assert_eq!(dry(&["--newer-than", "2000-01-01T00:00:00Z"]).len(), 3);
    assert_eq!(dry(&["--older-than", "2000-01-01T00:00:00Z"]).len(), 0);
    let keyed = lines(&["cp", "--keys", "keys", "s3://bucket/", "s3://other/"]);
    assert_eq!(keyed.len(), 2);

    // Two of the three objects at the destination would go: more than a third of them.
    bench.server.put("other", "extra", "e");
    let bounded = [
        "sync",
        "--delete",
        "--max-delete",
        "0",
        "s3://bucket/*",
        "s3://other/",
    ];
    let output = bench.run(&bounded);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    assert!(bench.server.object("other", "extra").is_some());
    let empty = ["sync", "--delete", "s3://bucket/nothing*", "s3://other/"];
    assert_eq!(bench.code(&empty), Some(1));
    assert!(bench.server.object("other", "extra").is_some());
}
