//! An upload of a machine that is gone, taken over by another one.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]
#![expect(
    clippy::disallowed_methods,
    reason = "processes are waited for on the machine's clock"
)]

use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use base::units::MIB;
use front::{Deviation, Operation};
use mover::journal::JobsHome;
use sim::server::{TestServer, TestServerOptions};
use tempfile::TempDir;

/// Parts of 5 MiB of the one file.
const PARTS: u64 = 8;

/// A store, a file, and machines of which nothing is left but what they sent.
struct Bench {
    server: TestServer,
    folder: TempDir,
}

impl Bench {
    async fn new() -> Bench {
        let options = TestServerOptions {
            deviation: Deviation {
                // So that a kill meets parts that are under way.
                latency: Duration::from_millis(20),
                ..Deviation::default()
            },
            ..TestServerOptions::default()
        };
        let server = TestServer::start_with(options).await;
        server.create_bucket("bucket");
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("file"), bytes()).unwrap();
        Bench { server, folder }
    }

    /// The program, on a machine of this name.
    fn command(&self, machine: &str, arguments: &[&str]) -> Command {
        let home = self.folder.path().join(machine);
        std::fs::create_dir_all(&home).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_longhaul"));
        command
            .args(arguments)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", &home)
            .env("XDG_STATE_HOME", &home)
            .envs(self.server.environment())
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command
    }

    fn run(&self, machine: &str, arguments: &[&str]) -> Output {
        let mut command = self.command(machine, arguments);
        command.stdout(Stdio::piped()).output().unwrap()
    }

    /// Uploads the file on a machine that dies once two parts have arrived.
    fn die(&self, machine: &str) {
        let mut child = self
            .command(
                machine,
                &["cp", "-p", "5", "-c", "1", "file", "s3://bucket/k"],
            )
            .spawn()
            .unwrap();
        let home = JobsHome::new(self.folder.path().join(machine).join("longhaul/jobs"));
        let deadline = Instant::now() + Duration::from_secs(60);
        let arrived = || {
            let uploads = home.all_uploads().unwrap_or_default();
            uploads.first().is_some_and(|upload| upload.parts >= 2)
        };
        while !arrived() {
            assert!(Instant::now() < deadline && child.try_wait().unwrap().is_none());
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }

    fn parts_sent(&self) -> u64 {
        self.server.counters().requests(Operation::UploadPart)
    }
}

fn bytes() -> Vec<u8> {
    let period: Vec<u8> = (0..251).collect();
    let length = usize::try_from(PARTS * 5 * MIB - 77).unwrap();
    let mut bytes = period.repeat(length / 251 + 1);
    bytes.truncate(length);
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_of_a_machine_that_is_gone_is_taken_over_by_another() {
    let bench = Bench::new().await;
    bench.die("gone");
    let before = bench.parts_sent();

    let words = ["cp", "--adopt-uploads", "-p", "5", "file", "s3://bucket/k"];
    let output = bench.run("new", &words);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(told.contains("is taken over with"), "{told}");
    assert!(bench.server.get("bucket", "k") == bytes());
    let sent = bench.parts_sent() - before;
    assert!(sent <= PARTS - 2, "{sent} parts sent again");
    let left = bench.run("new", &["uploads", "ls", "s3://bucket"]);
    assert_eq!(String::from_utf8_lossy(&left.stdout), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_flag_an_upload_of_another_machine_is_not_touched() {
    let bench = Bench::new().await;
    bench.die("gone");
    let output = bench.run("new", &["cp", "-p", "5", "file", "s3://bucket/k"]);
    assert_eq!(output.status.code(), Some(0));
    let left = bench.run("new", &["uploads", "ls", "s3://bucket"]);
    assert_eq!(String::from_utf8_lossy(&left.stdout).lines().count(), 1);
}
