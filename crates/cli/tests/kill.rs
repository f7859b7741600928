//! `longhaul` killed with SIGKILL at random moments, and gone on with.
//!
//! A run uploads, or relays from another store, two objects in parts and two hundred small ones.
//! It is killed once the store has seen a number of requests that the seed says. `resume` (or the
//! same sync, or the same command where nothing was worth a journal yet) must complete it: every
//! byte equal, no upload left, and no more parts sent again than were under way at the kill: whose
//! requests reached the store, then or later, and whose answers are not in the journal.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]
#![expect(
    clippy::disallowed_methods,
    reason = "processes are waited for on the machine's clock"
)]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use base::ByteCount;
use base::units::MIB;
use front::{Deviation, Operation};
use mover::journal::JobsHome;
use sim::server::{ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY, TestServer, TestServerOptions};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// Objects in parts of 5 MiB: their names, which come before those of the small ones, and MiB.
const LARGE: [(&str, u64); 2] = [("large/a", 26), ("large/b", 14)];

/// Parts of all of them.
const PARTS: u64 = 6 + 3;

/// Parts of one object under way at once.
const CONCURRENCY: u64 = 2;

/// Small objects.
const SMALL: usize = 200;

/// Objects under way at once, so many that small ones run beside the large ones.
const WORKERS: usize = 8;

/// What is run, is killed, and goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Upload,
    Sync,
    Relay,
}

/// The data, written once for all moments.
struct Goods {
    folder: TempDir,
    objects: Vec<(String, Vec<u8>)>,
}

impl Goods {
    fn new() -> Goods {
        let folder = tempfile::tempdir().unwrap();
        let objects = objects();
        for (name, bytes) in &objects {
            let path = folder.path().join("goods").join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        Goods { folder, objects }
    }
}

/// Names and bytes; those of two objects differ from their first byte on.
fn objects() -> Vec<(String, Vec<u8>)> {
    let period: Vec<u8> = (0..251).collect();
    let ramp = |phase: usize, length: usize| {
        let mut bytes = period.repeat(length / 251 + 2);
        bytes.drain(..phase % 251);
        bytes.truncate(length);
        bytes
    };
    let large = LARGE.into_iter().enumerate().map(|(phase, (name, mib))| {
        let length = usize::try_from(mib * MIB).unwrap() - 77;
        (name.to_owned(), ramp(phase, length))
    });
    let small = (0..SMALL).map(|at| (format!("small/{at:03}"), ramp(at, at * 10)));
    large.chain(small).collect()
}

/// One moment: a store, a state folder, and the program.
struct Bench<'a> {
    runtime: Runtime,
    goods: &'a Goods,
    kind: Kind,
    source: Option<TestServer>,
    server: TestServer,
    state: TempDir,
}

impl<'a> Bench<'a> {
    fn new(goods: &'a Goods, kind: Kind) -> Bench<'a> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let options = TestServerOptions {
            deviation: Deviation {
                // So that a kill meets requests that are under way.
                latency: Duration::from_millis(4),
                ..Deviation::default()
            },
            ..TestServerOptions::default()
        };
        let server = runtime.block_on(TestServer::start_with(options));
        server.create_bucket("bucket");
        let source = (kind == Kind::Relay).then(|| {
            let source = runtime.block_on(TestServer::start());
            source.create_bucket("goods");
            for (name, bytes) in goods.objects.clone() {
                if bytes.len() > usize::try_from(5 * MIB).unwrap() {
                    source.put_multipart("goods", &name, bytes, ByteCount(5 * MIB));
                } else {
                    source.put("goods", &name, bytes);
                }
            }
            source
        });
        Bench {
            runtime,
            goods,
            kind,
            source,
            server,
            state: tempfile::tempdir().unwrap(),
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_longhaul"));
        command
            .args(arguments)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", self.state.path())
            .env("XDG_STATE_HOME", self.state.path())
            .env("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID)
            .env("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY)
            .env("AWS_REGION", REGION)
            .current_dir(self.goods.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = self.command(arguments);
        command.stdout(Stdio::piped()).output().unwrap()
    }

    /// The command that is killed.
    fn job(&self) -> Vec<String> {
        let workers = WORKERS.to_string();
        let mut words = vec!["--numworkers", &workers, "--endpoint-url"];
        let endpoint = self.server.endpoint();
        words.push(&endpoint);
        let source = self.source.as_ref().map(TestServer::endpoint);
        let from = match &source {
            Some(source) => {
                words.extend(["--source-endpoint-url", source]);
                "s3://goods/*"
            }
            None => "goods/",
        };
        words.push(if self.kind == Kind::Sync {
            "sync"
        } else {
            "cp"
        });
        let concurrency = CONCURRENCY.to_string();
        words.extend(["--part-size", "5", "--concurrency", &concurrency]);
        words.extend([from, "s3://bucket/"]);
        words.into_iter().map(str::to_owned).collect()
    }

    fn requests(&self, operation: Operation) -> u64 {
        self.server.counters().requests(operation)
    }

    fn home(&self) -> JobsHome {
        JobsHome::new(self.state.path().join("longhaul/jobs"))
    }
}

impl Drop for Bench<'_> {
    fn drop(&mut self) {
        // The server's tasks end with the runtime.
        let _guard = self.runtime.enter();
    }
}

/// Waits until the store has seen so many requests, or the process ends.
fn wait_for(bench: &Bench<'_>, child: &mut Child, requests: u64) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while bench.server.counters().total() < requests {
        if child.try_wait().unwrap().is_some() {
            return;
        }
        assert!(Instant::now() < deadline, "the run hangs");
        std::thread::yield_now();
    }
}

/// Waits until the store has seen all that a process that is gone ever sent it.
fn settle(bench: &Bench<'_>) {
    let endpoint = bench.server.endpoint();
    let address = endpoint.strip_prefix("http://").unwrap();
    // Connections are accepted in the order in which they were made: once this one is answered, none
    // of the process's is still to come. The store reads each to its end.
    let mut last = TcpStream::connect(address).unwrap();
    last.write_all(b"GET / HTTP/1.0\r\nhost: store\r\n\r\n")
        .unwrap();
    last.read_to_end(&mut Vec::new()).unwrap();
    drop(last);
    let deadline = Instant::now() + Duration::from_secs(60);
    while bench.server.counters().connections_open() > 0 {
        assert!(Instant::now() < deadline, "the store keeps a connection");
        std::thread::yield_now();
    }
}

/// What one moment came to.
#[derive(Debug, Default)]
struct Outcome {
    /// Killed before the end.
    killed: bool,
    /// Gone on with by `resume` or by `sync`, not begun anew.
    resumed: bool,
    parts_again: u64,
    under_way: u64,
    puts_again: u64,
}

/// Kills a run after so many requests, goes on with it, and looks at what is there.
fn moment(goods: &Goods, kind: Kind, requests: u64) -> Outcome {
    let bench = Bench::new(goods, kind);
    let job = bench.job();
    let words: Vec<&str> = job.iter().map(String::as_str).collect();
    let mut child = bench.command(&words).spawn().unwrap();
    wait_for(&bench, &mut child, requests);
    child.kill().unwrap();
    let first = child.wait_with_output().unwrap();
    let context = format!("{kind:?} killed after {requests} requests");
    settle(&bench);

    // Parts that were sent and are neither in the journal nor in an object were under way.
    let uploads = bench.home().all_uploads().unwrap();
    let kept: u64 = uploads.iter().map(|upload| upload.parts).sum();
    let there: u64 = LARGE
        .iter()
        .filter(|(name, _)| bench.server.object("bucket", name).is_some())
        .map(|(name, mib)| {
            let forgotten = uploads.iter().all(|upload| upload.key.as_str() != *name);
            if forgotten { mib.div_ceil(5) } else { 0 }
        })
        .sum();
    let sent = bench.requests(Operation::UploadPart);
    assert!(kept + there <= sent, "{context}: {uploads:?}");
    let under_way = sent - kept - there;
    let mut outcome = Outcome {
        killed: first.status.code() != Some(0),
        under_way,
        ..Outcome::default()
    };
    if outcome.killed {
        let jobs = bench.home().jobs().unwrap();
        outcome.resumed = !jobs.is_empty();
        let again = match (kind, jobs.first()) {
            (Kind::Upload | Kind::Relay, Some(job)) => {
                assert_eq!(job.running, None, "{context}");
                bench.run(&["resume", &job.id])
            }
            (Kind::Sync, _) | (_, None) => bench.run(&words),
        };
        let told = String::from_utf8_lossy(&again.stderr).into_owned();
        assert_eq!(again.status.code(), Some(0), "{context}: {told}");
    }

    let mut keys = Vec::new();
    for (name, bytes) in &goods.objects {
        assert!(
            bench.server.get("bucket", name) == *bytes,
            "{context}: {name}"
        );
        keys.push(name.clone());
    }
    assert_eq!(bench.server.keys("bucket"), keys, "{context}");
    let endpoint = bench.server.endpoint();
    let list = ["--endpoint-url", &endpoint, "uploads", "ls", "s3://bucket"];
    let left = bench.run(&list);
    assert_eq!(left.status.code(), Some(0), "{context}");
    let left = String::from_utf8_lossy(&left.stdout).into_owned();
    // An upload whose creation was under way has no id that anybody could know.
    let created = bench.requests(Operation::CreateMultipartUpload);
    let unknown = created.saturating_sub(LARGE.len() as u64);
    assert!(left.lines().count() as u64 <= unknown, "{context}: {left}");
    assert!(bench.home().jobs().unwrap().is_empty(), "{context}");

    outcome.parts_again = bench.requests(Operation::UploadPart) - PARTS;
    outcome.puts_again = bench.requests(Operation::PutObject) - SMALL as u64;
    assert!(
        outcome.parts_again <= outcome.under_way,
        "{context}: {outcome:?}"
    );
    assert!(
        outcome.under_way <= LARGE.len() as u64 * CONCURRENCY,
        "{context}: {outcome:?}"
    );
    if outcome.resumed {
        assert!(
            outcome.puts_again <= WORKERS as u64,
            "{context}: {outcome:?}"
        );
    }
    outcome
}

/// Numbers that look random and are the same in each run.
fn spread(seed: u64) -> u64 {
    let mut state = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

fn moments(seeds: std::ops::Range<u64>) {
    let goods = Goods::new();
    let mut all = Vec::new();
    for seed in seeds {
        let kind = [Kind::Upload, Kind::Relay, Kind::Sync][usize::try_from(seed % 3).unwrap()];
        // A whole run takes some 220 requests of the store that is written to; the large objects
        // come first, so half of the moments are among those.
        let most = if spread(seed).is_multiple_of(2) {
            60
        } else {
            220
        };
        let requests = 1 + spread(seed ^ 0xff) % most;
        all.push(moment(&goods, kind, requests));
    }
    let count = |what: fn(&Outcome) -> bool| all.iter().filter(|outcome| what(outcome)).count();
    let sum = |what: fn(&Outcome) -> u64| all.iter().map(what).sum::<u64>();
    println!(
        "{} moments: {} killed before the end, {} of them gone on with from a journal; \
         {} parts sent again of {} under way, {} small objects sent again",
        all.len(),
        count(|outcome| outcome.killed),
        count(|outcome| outcome.resumed),
        sum(|outcome| outcome.parts_again),
        sum(|outcome| outcome.under_way),
        sum(|outcome| outcome.puts_again),
    );
}

#[test]
fn killed_at_any_moment_a_run_goes_on_and_sends_no_more_than_was_under_way() {
    let asked = std::env::var("LONGHAUL_MOMENTS").ok();
    moments(0..asked.map_or(12, |count| count.parse().unwrap()));
}

/// A second process must not work on a job that is running.
#[test]
fn a_running_job_is_shown_and_not_gone_on_with() {
    let goods = Goods::new();
    let bench = Bench::new(&goods, Kind::Upload);
    let job = bench.job();
    let words: Vec<&str> = job.iter().map(String::as_str).collect();
    let mut child = bench.command(&words).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    let id = loop {
        if let Some(job) = bench.home().jobs().unwrap().first() {
            break job.id.clone();
        }
        assert!(Instant::now() < deadline && child.try_wait().unwrap().is_none());
        std::thread::yield_now();
    };
    stop(&child, "STOP");
    let refused = bench.run(&["resume", &id]);
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(2), "{told}");
    assert!(told.contains(&child.id().to_string()), "{told}");
    let table = bench.run(&["--json", "jobs"]).stdout;
    let row: serde_json::Value = serde_json::from_slice(&table).unwrap();
    assert_eq!(
        (&row["state"], &row["id"]),
        (&"running".into(), &id.as_str().into())
    );
    // Nothing secret is in the job's folder.
    for entry in files(&bench.home().path().join(&id)) {
        let bytes = std::fs::read(entry).unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains(SECRET_ACCESS_KEY));
    }

    // Interrupted, it says how to go on, and keeps its uploads.
    stop(&child, "INT");
    stop(&child, "CONT");
    let output = loop {
        if child.try_wait().unwrap().is_some() {
            break child.wait_with_output().unwrap();
        }
        assert!(Instant::now() < deadline);
        std::thread::yield_now();
    };
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.code() == Some(3) {
        assert!(told.ends_with(&format!("longhaul resume {id}\n")), "{told}");
        let removed = bench.run(&["jobs", "rm", &id]);
        assert_eq!(removed.status.code(), Some(0));
    }
    let endpoint = bench.server.endpoint();
    let left = bench.run(&["--endpoint-url", &endpoint, "uploads", "ls", "s3://bucket"]);
    assert_eq!(String::from_utf8_lossy(&left.stdout), "");
}

fn stop(child: &Child, name: &str) {
    let status = Command::new("kill")
        .args([format!("-{name}"), child.id().to_string()])
        .status();
    assert!(status.unwrap().success());
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else {
            files.push(path);
        }
    }
    files
}
