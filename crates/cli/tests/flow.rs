//! Bounds of the program as a process: memory, requests, bytes a second.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]
#![expect(
    clippy::disallowed_methods,
    reason = "processes are waited for on the machine's clock"
)]

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use front::Deviation;
use front::deviation::RateMax;
use sim::server::{TestServer, TestServerOptions};
use tempfile::TempDir;
use tokio::runtime::Runtime;

const MIB: usize = 1 << 20;

/// Memory beside the budget.
const BESIDE_MIB: u64 = 48;

/// A server, a folder, and the program between them.
struct Bench {
    runtime: Runtime,
    server: TestServer,
    folder: TempDir,
}

impl Bench {
    fn new(deviation: Deviation) -> Bench {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .unwrap();
        let server = runtime.block_on(TestServer::start_with(TestServerOptions {
            deviation,
            ..TestServerOptions::default()
        }));
        server.create_bucket("box");
        Bench {
            runtime,
            server,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn start(&self, arguments: &[&str], stdin: Stdio) -> Child {
        Command::new(env!("CARGO_BIN_EXE_longhaul"))
            .args(arguments)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", self.path())
            .envs(self.server.environment())
            .current_dir(self.path())
            .stdin(stdin)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Runs to the end; what was said on standard error, and how long it took.
    fn run(&self, arguments: &[&str]) -> (String, Duration) {
        let began = Instant::now();
        let output = self.start(arguments, Stdio::null());
        let output = output.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {said}");
        (said, began.elapsed())
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        // The server's tasks end with the runtime.
        let _guard = self.runtime.enter();
    }
}

fn until(child: &mut Child, mut look: impl FnMut(u32)) {
    let deadline = Instant::now() + Duration::from_secs(300);
    let pid = child.id();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            assert_eq!(status.code(), Some(0));
            return;
        }
        assert!(Instant::now() < deadline, "the run does not end");
        look(pid);
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The memory that a process has made for itself and that is resident, in KiB; none once it is
/// gone. Pages of the binary are left out: they are the kernel's cache, and of a binary that is not
/// optimised there are three times as many.
fn resident(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

#[test]
#[cfg(target_os = "linux")]
fn large_objects_stay_within_the_memory_that_was_given() {
    let bench = Bench::new(Deviation::default());
    let bytes: Vec<u8> = (0..251).collect::<Vec<u8>>().repeat(40 * MIB / 251);
    for name in ["one", "two", "three", "four"] {
        std::fs::write(bench.path().join(name), &bytes).unwrap();
    }
    let memory = ["--memory", "32MiB"];
    let folder = bench.path().display().to_string();
    let commands: [(&[&str], bool); 4] = [
        (
            &["cp", "-c", "20", &format!("{folder}/"), "s3://box/"],
            false,
        ),
        (
            &[
                "cp",
                "-p",
                "100",
                "-c",
                "20",
                &format!("{folder}/"),
                "s3://box/large/",
            ],
            false,
        ),
        (&["cp", "-c", "20", "s3://box/large/*", "down/"], false),
        (&["pipe", "-c", "20", "-p", "100", "s3://box/piped"], true),
    ];
    for (command, piped) in commands {
        let stdin = match piped {
            true => Stdio::from(std::fs::File::open(bench.path().join("one")).unwrap()),
            false => Stdio::null(),
        };
        let arguments = [&memory[..], command].concat();
        let mut child = bench.start(&arguments, stdin);
        let mut most = 0;
        until(&mut child, |pid| {
            most = most.max(resident(pid).unwrap_or(0));
        });
        assert!(most <= (32 + BESIDE_MIB) * 1024, "{command:?}: {most} KiB");
        assert!(most > 0);
    }
    assert_eq!(bench.server.get("box", "piped").len(), bytes.len());
}

// On the machine's clock, since the program and the store that throttles it are two processes; a
// slow machine asks less and is refused less. The search itself is tried on a clock of its own in
// `a_throttling_store_is_not_kept_in_503s`.
#[test]
fn minio_14566_a_throttling_source_is_not_killed_by_retries() {
    // Less than one request after another would ask for.
    let rate_max = RateMax::per_second(100.0);
    let bench = Bench::new(Deviation {
        rate_max: Some(rate_max.clone()),
        ..Deviation::default()
    });
    for number in 0..1_200 {
        bench.server.put("box", &format!("k{number:04}"), "x");
    }
    let mut child = bench.start(
        &["--log", "error", "cp", "s3://box/*", "down/"],
        Stdio::null(),
    );
    let began = Instant::now();
    let mut at_first = None;
    until(&mut child, |_| {
        if at_first.is_none() && began.elapsed() > Duration::from_secs(4) {
            at_first = Some((bench.server.counters().total(), rate_max.refused()));
        }
    });
    let (asked_at_first, refused_at_first) = at_first.unwrap();
    let asked = bench.server.counters().total() - asked_at_first;
    let refused = rate_max.refused() - refused_at_first;
    let arrived = std::fs::read_dir(bench.path().join("down"))
        .unwrap()
        .count();
    assert_eq!(arrived, 1_200);
    assert!(
        asked > 0 && refused * 10 <= asked,
        "{refused} of {asked} after {asked_at_first} with {refused_at_first}"
    );
}

#[test]
fn every_try_of_a_side_is_paced() {
    let bench = Bench::new(Deviation::default());
    for number in 0..60 {
        bench.server.put("box", &format!("k{number}"), "x");
    }
    let (_, took) = bench.run(&["--requests-per-second", "30", "cp", "s3://box/*", "down/"]);
    // A listing and sixty objects, of which the first turn comes at once. No machine is too slow for
    // this: it only bounds from below.
    assert!(took >= Duration::from_millis(1_999), "{took:?}");
}

#[test]
fn bytes_keep_to_the_bandwidth_both_ways() {
    let bench = Bench::new(Deviation::default());
    std::fs::write(bench.path().join("up"), vec![7; 6_000_000]).unwrap();
    let bounded = |command: &[&str]| {
        let (_, took) = bench.run(&[&["--bandwidth", "3MB/s"], command].concat());
        // A tenth of a second's may go at once. No machine is too slow for this: it only bounds from
        // below.
        assert!(took >= Duration::from_millis(1_900), "{command:?} {took:?}");
    };
    bounded(&["cp", "up", "s3://box/up"]);
    bounded(&["cp", "s3://box/up", "down"]);
    // At the plain rate it would take ten weeks.
    bench.run(&[
        "--bandwidth",
        "00:00-00:00=off,1B/s",
        "cp",
        "up",
        "s3://box/up",
    ]);
}

/// The limit in a line of progress, which says `requests USED/LIMIT`.
fn requests_max(line: &str) -> Option<u32> {
    let (_, rest) = line.split_once(", requests ")?;
    let (_, limit) = rest.split(',').next()?.trim().split_once('/')?;
    limit.parse().ok()
}

#[test]
fn the_limits_that_were_found_are_said_and_why() {
    let latency = Duration::from_millis(20);
    let bench = Bench::new(Deviation {
        latency,
        ..Deviation::default()
    });
    for number in 0..1_500 {
        bench.server.put("box", &format!("k{number}"), "x");
    }
    let arguments = [
        "--log",
        "debug",
        "--progress",
        "plain",
        "cp",
        "s3://box/*",
        "down/",
    ];
    let (said, _) = bench.run(&arguments);
    assert!(said.contains(", requests 0/"), "{said}");
    let bounded = [
        "--max-requests",
        "4",
        "--progress",
        "plain",
        "cp",
        "s3://box/k1*",
        "few/",
    ];
    let (said, _) = bench.run(&bounded);
    // An upper bound: while our own processors are full the limit need not rise to it.
    let limits: Vec<u32> = said.lines().filter_map(requests_max).collect();
    assert!(!limits.is_empty(), "{said}");
    assert!(limits.iter().all(|limit| *limit <= 4), "{said}");
    for wrong in [
        ["--max-requests", "0"],
        ["--max-requests", "x"],
        ["--bandwidth", "fast"],
    ] {
        let mut child = bench.start(&[&wrong[..], &["ls"]].concat(), Stdio::null());
        assert!(!child.wait().unwrap().success(), "{wrong:?}");
    }
}
