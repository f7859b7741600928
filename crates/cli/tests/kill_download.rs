//! Downloads that are killed in the middle of large objects, again and again, and gone on with.
//!
//! A run downloads two objects in ranges beside small ones, as `cp` or as `sync`. It is killed once
//! the store was asked for, or the journal holds, as many ranges as the seed says, gone on with,
//! killed again, and so on. In the end every byte is equal, nothing else stands in the folder, and
//! the store was asked for no more ranges again than were under way at the kills.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]
#![expect(
    clippy::disallowed_methods,
    reason = "processes are waited for on the machine's clock"
)]

use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use base::units::MIB;
use front::{Deviation, Operation};
use mover::journal::JobsHome;
use sim::server::{ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY, TestServer, TestServerOptions};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// Objects in ranges of 5 MiB: names and MiB. They come before the small ones.
const LARGE: [(&str, u64); 2] = [("large/a", 36), ("large/b", 24)];

/// Ranges of all of them.
const RANGES: u64 = 8 + 5;

/// Ranges of one object under way at once.
const CONCURRENCY: u64 = 2;

/// Objects under way at once.
const WORKERS: u64 = 4;

/// Small objects.
const SMALL: usize = 20;

/// Kills of one run.
const KILLS: u64 = 3;

fn ramp(phase: usize, length: usize) -> Vec<u8> {
    let period: Vec<u8> = (0..251).collect();
    let mut bytes = period.repeat(length / 251 + 2);
    bytes.drain(..phase % 251);
    bytes.truncate(length);
    bytes
}

/// Names and bytes.
fn objects() -> Vec<(String, Vec<u8>)> {
    let large = LARGE.into_iter().enumerate().map(|(phase, (name, mib))| {
        let length = usize::try_from(mib * MIB).unwrap() - 77;
        (name.to_owned(), ramp(phase, length))
    });
    let small = (0..SMALL).map(|at| (format!("small/{at:03}"), ramp(at, at * 100)));
    large.chain(small).collect()
}

/// A store, a folder that is downloaded to, and the program.
struct Bench {
    runtime: Runtime,
    server: TestServer,
    folder: TempDir,
    command: &'static str,
}

impl Bench {
    fn new(command: &'static str) -> Bench {
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
        for (name, bytes) in objects() {
            server.put("bucket", &name, bytes);
        }
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("state")).unwrap();
        Bench {
            runtime,
            server,
            folder,
            command,
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let state = self.folder.path().join("state");
        let mut command = Command::new(env!("CARGO_BIN_EXE_longhaul"));
        command
            .args(arguments)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", &state)
            .env("XDG_STATE_HOME", &state)
            .env("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID)
            .env("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY)
            .env("AWS_REGION", REGION)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command
    }

    /// The job's words; also where one is killed before it has a journal.
    fn words(&self) -> Vec<String> {
        let (workers, concurrency) = (WORKERS.to_string(), CONCURRENCY.to_string());
        let endpoint = self.server.endpoint();
        let words = [
            "--numworkers",
            &workers,
            "--endpoint-url",
            &endpoint,
            self.command,
            "--part-size",
            "5",
            "--concurrency",
            &concurrency,
            "s3://bucket/*",
            "out/",
        ];
        words.map(str::to_owned).to_vec()
    }

    fn home(&self) -> JobsHome {
        JobsHome::new(self.folder.path().join("state/longhaul/jobs"))
    }

    fn out(&self) -> PathBuf {
        self.folder.path().join("out")
    }

    /// Begins the job, or goes on with it.
    fn start(&self) -> Child {
        let job = self.home().jobs().unwrap().pop();
        let words = match (&job, self.command) {
            (Some(job), "cp") => vec!["resume".to_owned(), job.id.clone()],
            (Some(_) | None, _) => self.words(),
        };
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.command(&words).spawn().unwrap()
    }

    fn gets(&self) -> u64 {
        self.server.counters().requests(Operation::GetObject)
    }

    /// Ranges that the journal says have landed, of objects that are not whole.
    fn parts(&self) -> u64 {
        // Not by `jobs`, which looks at locks: a process that begins must not find one taken.
        let Ok(jobs) = std::fs::read_dir(self.home().path()) else {
            return 0;
        };
        let downloads = jobs.flat_map(|job| {
            let id = job.unwrap().file_name().into_string().unwrap();
            self.home().downloads(&id).unwrap_or_default()
        });
        downloads.map(|download| download.parts).sum()
    }

    /// Every file below the target, by name.
    fn files(&self) -> Vec<String> {
        let mut names = Vec::new();
        for folder in ["large", "small"] {
            let Ok(entries) = std::fs::read_dir(self.out().join(folder)) else {
                continue;
            };
            for entry in entries {
                let name = entry.unwrap().file_name().into_string().unwrap();
                names.push(format!("{folder}/{name}"));
            }
        }
        names.sort();
        names
    }

    fn assert_whole(&self, context: &str) {
        let mut names = Vec::new();
        for (name, bytes) in objects() {
            let found = std::fs::read(self.out().join(&name)).unwrap();
            assert!(found == bytes, "{context}: {name}");
            names.push(name);
        }
        assert_eq!(self.files(), names, "{context}");
        assert!(self.home().jobs().unwrap().is_empty(), "{context}");
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        // The server's tasks end with the runtime.
        let _guard = self.runtime.enter();
    }
}

/// Waits until something is so, or the process ends.
fn wait_until(child: &mut Child, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        if child.try_wait().unwrap().is_some() {
            return;
        }
        assert!(Instant::now() < deadline, "the run hangs");
        std::thread::yield_now();
    }
}

/// Numbers that look random and are the same in each run.
fn spread(seed: u64) -> u64 {
    let mut state = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

/// What a run that was killed several times came to.
#[derive(Debug, Default)]
struct Outcome {
    kills: u64,
    /// Kills that left parts to go on with.
    left_parts: u64,
    gets_again: u64,
}

fn run(seed: u64) -> Outcome {
    let bench = Bench::new(if seed.is_multiple_of(2) { "cp" } else { "sync" });
    let context = format!("seed {seed} of {}", bench.command);
    let mut outcome = Outcome::default();
    let mut is_whole = false;
    for kill in 0..KILLS {
        let pick = spread(seed ^ (kill << 8));
        let (gets, parts) = (
            bench.gets() + 1 + pick % RANGES,
            bench.parts() + 1 + pick % 3,
        );
        let mut child = bench.start();
        // By what the store was asked for, which meets any moment, or by what has landed.
        if pick.is_multiple_of(4) {
            wait_until(&mut child, || bench.gets() >= gets);
        } else {
            wait_until(&mut child, || bench.parts() >= parts);
        }
        if child.try_wait().unwrap().is_some() {
            let output = child.wait_with_output().unwrap();
            assert_eq!(output.status.code(), Some(0), "{context}: {output:?}");
            is_whole = true;
            break;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        outcome.kills += 1;
        outcome.left_parts += u64::from(bench.parts() > 0);
    }
    if !is_whole {
        let output = bench.start().wait_with_output().unwrap();
        let told = told(&output);
        assert_eq!(output.status.code(), Some(0), "{context}: {told}");
    }
    bench.assert_whole(&context);
    outcome.gets_again = bench.gets() - RANGES - SMALL as u64;
    // What a run may have under way: ranges of each large object, and a small one per worker.
    let most = (LARGE.len() as u64 * CONCURRENCY + WORKERS) * outcome.kills;
    assert!(outcome.gets_again <= most, "{context}: {outcome:?}");
    outcome
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn downloads_killed_again_and_again_go_on_inside_their_objects() {
    let asked = std::env::var("LONGHAUL_MOMENTS").ok();
    let seeds = asked.map_or(5, |count| count.parse().unwrap());
    let all: Vec<Outcome> = (0..seeds).map(run).collect();
    let sum = |what: fn(&Outcome) -> u64| all.iter().map(what).sum::<u64>();
    println!(
        "{seeds} runs: {} kills, {} of them left parts to go on with; {} objects or ranges fetched \
         again",
        sum(|outcome| outcome.kills),
        sum(|outcome| outcome.left_parts),
        sum(|outcome| outcome.gets_again),
    );
    assert!(sum(|outcome| outcome.left_parts) > 0, "no kill met a range");
}

/// `jobs rm` takes a job's temporary files along, and nobody else's.
#[test]
fn a_removed_job_leaves_no_temporary_file_and_touches_no_other() {
    let bench = Bench::new("cp");
    std::fs::create_dir_all(bench.out().join("large")).unwrap();
    let theirs = bench.out().join("large/.longhaul-00000000000000aa.part");
    std::fs::write(&theirs, "theirs").unwrap();
    let mut child = bench.start();
    wait_until(&mut child, || bench.parts() > 0);
    child.kill().unwrap();
    child.wait().unwrap();
    let job = bench.home().jobs().unwrap().remove(0);
    let downloads = bench.home().downloads(&job.id).unwrap();
    assert!(!downloads.is_empty());
    assert!(bench.files().len() > 1, "{:?}", bench.files());

    let rows = bench
        .command(&["--json", "jobs"])
        .stdout(Stdio::piped())
        .output()
        .unwrap();
    let row: serde_json::Value = serde_json::from_slice(&rows.stdout).unwrap();
    assert_eq!(row["unfinished_downloads"], downloads.len());
    let removed = bench.command(&["jobs", "rm", &job.id]).output().unwrap();
    assert_eq!(removed.status.code(), Some(0), "{}", told(&removed));
    let left: Vec<String> = bench
        .files()
        .into_iter()
        .filter(|name| name.ends_with(".part"))
        .collect();
    assert_eq!(left, ["large/.longhaul-00000000000000aa.part"]);
    assert!(bench.home().jobs().unwrap().is_empty());
    assert_eq!(std::fs::read(&theirs).unwrap(), b"theirs");
}
