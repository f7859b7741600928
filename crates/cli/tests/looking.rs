//! `exists` and `verify` as processes: lines, lists and exit codes.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::process::{Command, Output, Stdio};

use sim::server::TestServer;
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
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .unwrap();
        let server = runtime.block_on(TestServer::start());
        server.create_bucket("bucket");
        server.create_bucket("copy");
        Bench {
            runtime,
            server,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_longhaul"))
            .args(arguments)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", self.folder.path())
            .envs(self.server.environment())
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// The exit code, and the lines of standard output in order of their text.
    fn lines(&self, arguments: &[&str]) -> (Option<i32>, Vec<String>) {
        let output = self.run(arguments);
        let text = String::from_utf8(output.stdout).unwrap();
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        (output.status.code(), lines)
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        // The server's tasks end with the runtime.
        let _guard = self.runtime.enter();
    }
}

fn owned(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

#[test]
fn keys_are_present_absent_or_unknown_and_the_exit_code_says_whether_all_were_answered() {
    let bench = Bench::new();
    bench.server.put("bucket", "logos/a b.png", "png");
    let (code, lines) = bench.lines(&["exists", "s3://bucket", "logos/a b.png", "logos/*", "x"]);
    assert_eq!(code, Some(0));
    assert_eq!(
        lines,
        owned(&["absent\tlogos/*", "absent\tx", "present\tlogos/a b.png"])
    );
    let (code, lines) = bench.lines(&["exists", "s3://nobucket", "x"]);
    assert_eq!((code, lines), (Some(1), owned(&["unknown\tx"])));
    let (code, lines) = bench.lines(&["--json", "exists", "s3://bucket/logos/a b.png"]);
    let row: serde_json::Value = serde_json::from_str(&lines[0]).unwrap();
    assert_eq!((code, row["state"].as_str()), (Some(0), Some("present")));
    assert_eq!(row["size"], 3);
    for wrong in [
        &["exists"][..],
        &["exists", "s3://bucket"],
        &["exists", "s3://bucket", "x", "--missing-only"],
        &[
            "exists",
            "--record-missing",
            "no/folder/list",
            "s3://bucket",
            "x",
        ],
    ] {
        assert_eq!(bench.lines(wrong).0, Some(2), "{wrong:?}");
    }
}

#[test]
fn what_is_missing_is_a_list_that_cp_collects() {
    let bench = Bench::new();
    let mut wanted = String::new();
    for at in 0..300 {
        let key = format!("k {at:03}");
        bench.server.put("bucket", &key, "x");
        if at % 3 > 0 {
            bench.server.put("copy", &key, "x");
        }
        wanted.push_str(&format!("{key}\n"));
    }
    std::fs::write(bench.folder.path().join("wanted"), &wanted).unwrap();
    let ask = [
        "exists",
        "--keys",
        "wanted",
        "--missing-only",
        "--record-missing",
        "missing",
        "s3://copy",
    ];
    let (code, lines) = bench.lines(&ask);
    assert_eq!((code, lines.len()), (Some(0), 100));
    let list = std::fs::read_to_string(bench.folder.path().join("missing")).unwrap();
    assert_eq!(list.lines().collect::<Vec<_>>(), lines);
    assert_eq!(
        bench.lines(&["verify", "s3://bucket/*", "s3://copy/"]).0,
        Some(1)
    );
    let collect = ["cp", "--keys", "missing", "s3://bucket/*", "s3://copy/"];
    assert_eq!(bench.lines(&collect).0, Some(0));
    assert!(bench.lines(&ask).1.is_empty());
    let (code, lines) = bench.lines(&["verify", "s3://bucket", "s3://copy"]);
    assert_eq!((code, lines.len()), (Some(0), 0));
}

#[test]
fn verify_names_what_it_finds_and_holds_a_manifest_against_the_store() {
    let bench = Bench::new();
    for (key, bytes) in [("same", "x"), ("other", "x"), ("lost", "x")] {
        bench.server.put("bucket", key, bytes);
    }
    let copy = [
        "--manifest",
        "run.csv.zst",
        "cp",
        "s3://bucket/*",
        "s3://copy/",
    ];
    assert_eq!(bench.lines(&copy).0, Some(0));
    let manifest = [
        "verify",
        "--manifest",
        "run.csv.zst",
        "s3://bucket/",
        "s3://copy/",
    ];
    let output = bench.run(&manifest);
    assert_eq!(output.status.code(), Some(0));
    let sums = String::from_utf8(output.stderr).unwrap();
    assert!(sums.starts_with("3 listed: 3 equal"), "{sums}");
    bench.server.put("copy", "other", "y");
    bench.server.put("copy", "more", "x");
    assert_eq!(bench.lines(&["rm", "s3://copy/lost"]).0, Some(0));
    let (code, found) = bench.lines(&["verify", "s3://bucket/*", "s3://copy/"]);
    assert_eq!(code, Some(1));
    let begins: Vec<&str> = found
        .iter()
        .map(|line| line.split('\t').next().unwrap())
        .collect();
    assert_eq!(begins, ["differing", "extra", "missing"]);
    assert_eq!(found[1], "extra\t-\ts3://copy/more");
    let (code, again) = bench.lines(&manifest);
    assert_eq!((code, again.len()), (Some(1), 3));
    let (code, rows) = bench.lines(&[
        "--json",
        "verify",
        "--show-equal",
        "s3://bucket/*",
        "s3://copy/",
    ]);
    assert_eq!(code, Some(1));
    let states: Vec<String> = rows
        .iter()
        .map(|row| serde_json::from_str::<serde_json::Value>(row).unwrap())
        .map(|row| row["state"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(states.len(), 5);
    assert!(states.contains(&"equal".to_owned()) && states.contains(&"sums".to_owned()));
    for wrong in [
        &["verify", "s3://bucket/*"][..],
        &["verify", "here", "there"],
        &["verify", "--shard", "1/2", "s3://bucket/*", "s3://copy/"],
        &[
            "verify",
            "--manifest",
            "run.csv.zst",
            "--exclude",
            "x",
            "s3://copy/",
        ],
        &["verify", "--sample", "0", "s3://bucket/*", "s3://copy/"],
    ] {
        assert_eq!(bench.lines(wrong).0, Some(2), "{wrong:?}");
    }
}
