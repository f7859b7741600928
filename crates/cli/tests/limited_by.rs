//! What `longhaul` says that limits it, when a store asks for less or keeps it waiting.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]
#![expect(
    clippy::disallowed_methods,
    reason = "processes are waited for on the machine's clock"
)]

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use front::Operation;
use front::deviation::{Action, Disturbance, Refusal};
use sim::server::TestServer;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// How long a condition may take to come true.
const PATIENCE: Duration = Duration::from_secs(30);

struct Bench {
    runtime: Runtime,
    server: TestServer,
    folder: TempDir,
}

impl Bench {
    fn new() -> Bench {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .unwrap();
        let server = runtime.block_on(TestServer::start());
        server.create_bucket("bucket");
        server.create_bucket("copy");
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("up")).unwrap();
        for number in 0..20 {
            server.put("bucket", &format!("k{number:02}"), "v");
            std::fs::write(folder.path().join(format!("up/k{number:02}")), "v").unwrap();
        }
        Bench {
            runtime,
            server,
            folder,
        }
    }

    /// From now on the server answers every request of this kind with SlowDown.
    fn throttle(&self, operation: Operation) {
        let refusal = Action::Answer(Refusal::slow_down(None));
        let disturbance = Disturbance::once(operation, refusal).times(u64::MAX);
        self.server.disturbances().add(disturbance);
    }

    fn start(&self, arguments: &[&str]) -> Run {
        let mut child = Command::new(env!("CARGO_BIN_EXE_longhaul"))
            .args(arguments)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", self.folder.path())
            .envs(self.server.environment())
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = child.stderr.take().unwrap();
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Run { child, lines }
    }

    /// Waits until so many requests of a kind have come.
    fn asked(&self, operation: Operation, times: u64) {
        let deadline = Instant::now() + PATIENCE;
        while self.server.counters().requests(operation) < times {
            assert!(Instant::now() < deadline, "{operation:?} is not asked");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// What a run says limits it once `operation` was refused some times.
    fn said_when_throttled(&self, operation: Operation, arguments: &[&str]) -> String {
        self.throttle(operation);
        let run = self.start(arguments);
        self.asked(operation, 3);
        // The store has counted its refusals; the run may not have read them yet.
        run.status_with(" throttling")
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        // The server's tasks end with the runtime.
        let _guard = self.runtime.enter();
    }
}

/// A process, killed when the test has seen enough.
struct Run {
    child: Child,
    lines: Receiver<String>,
}

impl Run {
    fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args([format!("-{name}"), self.child.id().to_string()])
            .status();
        assert!(status.unwrap().success());
    }

    /// Asks for the status until a line holds this; the line.
    fn status_with(&self, text: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            self.signal("USR1");
            let line = self.lines.recv_timeout(PATIENCE).unwrap();
            if line.contains(text) {
                return line;
            }
            assert!(Instant::now() < deadline, "{line}");
        }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_side_that_asks_for_less_is_named() {
    for (operation, arguments, side) in [
        (
            Operation::GetObject,
            &["cp", "s3://bucket/*", "down/"][..],
            "source",
        ),
        (
            Operation::PutObject,
            &["cp", "up/", "s3://copy/"],
            "destination",
        ),
        // One store is both sides: what was asked for which of them tells them apart.
        (
            Operation::CopyObject,
            &["cp", "s3://bucket/*", "s3://copy/"],
            "destination",
        ),
        (
            Operation::ListObjectsV2,
            &["--retry-count", "1000", "cp", "s3://bucket/*", "s3://copy/"],
            "source",
        ),
    ] {
        let line = Bench::new().said_when_throttled(operation, arguments);
        let expected = format!(", limited by {side} throttling");
        assert!(line.ends_with(&expected), "{operation:?}: {line}");
    }
}

#[test]
fn plain_progress_names_the_side_without_being_asked() {
    let bench = Bench::new();
    bench.throttle(Operation::PutObject);
    let arguments = ["--progress", "plain", "cp", "up/", "s3://copy/"];
    let run = bench.start(&arguments);
    let line = run.lines.recv_timeout(PATIENCE).unwrap();
    assert!(
        line.ends_with(", limited by destination throttling"),
        "{line}"
    );
}

#[test]
fn a_listing_that_has_ended_is_not_blamed() {
    let bench = Bench::new();
    let late = Disturbance::once(Operation::GetObject, Action::Delay(PATIENCE));
    bench.server.disturbances().add(late.times(u64::MAX));
    // Room for many more objects than there are: only the end of the listing tells that no more
    // will come.
    let run = bench.start(&["cp", "s3://bucket/*", "down/"]);
    bench.asked(Operation::GetObject, 20);
    let line = run.status_with(", limited by ");
    assert!(!line.contains("listing"), "{line}");
    let line = run.status_with(", limited by network");
    assert!(line.starts_with("0 of 20 objects"), "{line}");
}

#[test]
fn a_listing_that_keeps_it_waiting_is_blamed() {
    let bench = Bench::new();
    let late = Action::Delay(PATIENCE);
    let late = Disturbance::once(Operation::ListObjectsV2, late);
    bench.server.disturbances().add(late.times(u64::MAX));
    let run = bench.start(&["cp", "s3://bucket/*", "down/"]);
    bench.asked(Operation::ListObjectsV2, 1);
    let line = run.status_with(", limited by ");
    assert!(line.ends_with(", limited by listing"), "{line}");
}
