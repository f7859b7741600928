//! `longhaul` as a process that is missing something: a permission, or time.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use base::Clock;
use front::Operation;
use front::deviation::{Action, Disturbance};
use sim::server::{ACCESS_KEY_ID, SECRET_ACCESS_KEY, TestServer};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// Longer than any of these tests takes.
const PATIENCE: Duration = Duration::from_secs(600);

/// A server that is both sides, and a folder with a credentials file.
struct Bench {
    runtime: Runtime,
    server: TestServer,
    folder: TempDir,
}

impl Bench {
    fn new() -> Bench {
        let runtime = Runtime::new().unwrap();
        let server = runtime.block_on(TestServer::start());
        server.create_bucket("partner");
        server.create_bucket("ours");
        for number in 0..30 {
            server.put("partner", &format!("2026/{number:02}.mp3"), "sound");
        }
        let bench = Bench {
            runtime,
            server,
            folder: tempfile::tempdir().unwrap(),
        };
        bench.keys(ACCESS_KEY_ID);
        bench
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes the credentials file anew.
    fn keys(&self, access_key_id: &str) {
        let text = format!(
            "[default]\naws_access_key_id = {access_key_id}\n\
             aws_secret_access_key = {SECRET_ACCESS_KEY}\n"
        );
        std::fs::write(self.path().join("credentials"), text).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_longhaul"));
        command
            .args(["--credentials-file", "credentials"])
            .args(["--endpoint-url", &self.server.endpoint()])
            .args(arguments)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", self.path())
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .current_dir(self.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Requests of an operation, by its name.
    fn requests(&self, operation: &str) -> u64 {
        let counts = self.server.counters().by_operation();
        let of_name = counts
            .iter()
            .filter(|(known, _)| format!("{known:?}") == operation);
        of_name.map(|(_, count)| count).sum()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _guard = self.runtime.enter();
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn the_doctor_over_http_finds_and_leaves_nothing() {
    let bench = Bench::new();
    let output = bench.run(&["doctor", "s3://partner/2026/*", "s3://ours/copy/"]);
    let told = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(
        told.contains("nothing that is needed was found missing"),
        "{told}"
    );
    assert!(bench.server.keys("ours").is_empty());
    let begun = bench.requests("CreateMultipartUpload");
    assert_eq!((begun, bench.requests("AbortMultipartUpload")), (1, 1));
    for operation in [
        "PutObject",
        "CompleteMultipartUpload",
        "CopyObject",
        "DeleteObject",
    ] {
        assert_eq!(bench.requests(operation), 0, "{operation}");
    }

    let output = bench.run(&["--json", "doctor", "s3://nowhere/*", "s3://ours/"]);
    assert_eq!(output.status.code(), Some(1));
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["missing"], 1, "{document:#}");
    let checks = document["checks"].as_array().unwrap();
    let reach = checks
        .iter()
        .find(|check| check["name"] == "reach")
        .unwrap();
    assert_eq!(
        (&reach["side"], &reach["standing"]),
        (&"source".into(), &"missing".into())
    );
    let policies = document["policies"].as_array().unwrap();
    assert_eq!(policies.len(), 2);

    for arguments in [
        &["doctor"][..],
        &["doctor", "--for", "walk", "s3://partner"],
    ] {
        assert_eq!(bench.run(arguments).status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn keys_that_the_store_does_not_know_stop_the_run_with_code_three() {
    let bench = Bench::new();
    bench.keys("NOBODYSKEY");
    let output = bench.run(&["cp", "s3://partner/2026/*", "here/"]);
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{told}");
    assert!(told.contains("permission lost on the source"), "{told}");
    assert!(told.contains("InvalidAccessKeyId"), "{told}");
}

#[test]
fn a_waiting_run_goes_on_with_keys_that_are_written_meanwhile() {
    let bench = Bench::new();
    bench.keys("NOBODYSKEY");
    let arguments = [
        "cp",
        "--on-denied",
        "wait=2m",
        "s3://partner/2026/*",
        "here/",
    ];
    let mut child = bench.command(&arguments).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let lost = lines.next().unwrap().unwrap();
    assert!(lost.contains("waiting for it to come back"), "{lost}");
    bench.keys(ACCESS_KEY_ID);
    let back = lines.next().unwrap().unwrap();
    assert!(
        back.starts_with("permission on the source is back"),
        "{back}"
    );
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    assert_eq!(
        std::fs::read_dir(bench.path().join("here"))
            .unwrap()
            .count(),
        30
    );
}

#[test]
fn a_deadline_must_lie_ahead_and_be_one() {
    let bench = Bench::new();
    let copy = |flags: &[&str]| {
        let mut arguments = vec!["cp"];
        arguments.extend(flags);
        arguments.extend(["s3://partner/2026/*", "here/"]);
        bench.run(&arguments).status.code()
    };
    assert_eq!(copy(&["--deadline", "2020-01-01T00:00"]), Some(2));
    assert_eq!(copy(&["--deadline", "tomorrow"]), Some(2));
    assert_eq!(copy(&["--deadline-strict"]), Some(2));
    assert_eq!(copy(&["--deadline", "9000-01-01T00:00Z"]), Some(0));
}

/// A copy that cannot end, since the store keeps every object to itself, and a deadline that passes.
/// Its status once it has ended, or none where it goes on; and what was said of the deadline.
fn past_its_deadline(flags: &[&str]) -> (Option<i32>, String) {
    let bench = Bench::new();
    let never = Disturbance::once(Operation::GetObject, Action::Delay(PATIENCE));
    bench.server.disturbances().add(never.times(u64::MAX));
    // A machine may be too busy to begin before a near deadline is over: then a later one is set.
    let mut ahead = Duration::from_secs(2);
    loop {
        let deadline = Clock::system().now() + ahead;
        let deadline = deadline.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let mut arguments = vec!["cp", "--deadline", &deadline];
        arguments.extend(flags);
        arguments.extend(["s3://partner/2026/*", "here/"]);
        let mut child = bench.command(&arguments).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut said = lines.map_while(Result::ok);
        let is_over = |line: &String| line.contains("deadline ") && line.contains(" is over");
        let Some(line) = said.find(is_over) else {
            panic!("it ended without a word: {:?}", child.wait().unwrap());
        };
        if line.contains("is over already") {
            assert_eq!(child.wait().unwrap().code(), Some(2));
            ahead *= 2;
            continue;
        }
        if flags.is_empty() {
            let status = child.try_wait().unwrap();
            child.kill().unwrap();
            child.wait().unwrap();
            return (status.and_then(|status| status.code()), line);
        }
        let rest: Vec<String> = said.collect();
        let status = child.wait().unwrap();
        assert!(!bench.path().join("here/00.mp3").exists());
        return (status.code(), [vec![line], rest].concat().join("\n"));
    }
}

#[test]
fn a_deadline_that_is_lost_stops_a_strict_run_with_code_three() {
    let (code, said) = past_its_deadline(&["--deadline-strict"]);
    assert_eq!(code, Some(3), "{said}");
    assert!(
        said.contains("stopping, what is not done is pending"),
        "{said}"
    );
}

#[test]
fn a_deadline_that_is_lost_is_told_and_the_run_goes_on() {
    let (code, said) = past_its_deadline(&[]);
    assert_eq!(code, None, "{said}");
    assert!(!said.contains("stopping"), "{said}");
}
