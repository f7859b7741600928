//! A guard against the mover growing dearer unseen: instructions for each object, counted by
//! valgrind, against those that are recorded in `bench/instructions.json`.
//!
//! What is counted is the binary that the tests have built. A release build would cost CI ten
//! minutes more; the instructions of a debug build are more, but they grow with what the code
//! does, which is what the guard is for. A run with many objects minus a run with few leaves what
//! an object costs. The endpoint runs outside valgrind and is not counted.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Map, Value, json};

use super::contestant::settle;
use super::data::{Files, Room};
use super::endpoint::Endpoint;
use crate::{step, tools};

/// Objects of the two runs whose difference is taken.
const FEW: u64 = 50;
const MANY: u64 = 450;

/// By how much a count may be above or below the recorded one.
const TOLERANCE: f64 = 0.05;

/// How often a path is counted; the least counts, since what the threads wait for only adds.
const TRIES: usize = 2;

/// What is counted, by name.
const PATHS: [&str; 5] = ["upload", "download", "copy", "head", "list"];

/// Listed keys cost so little that it takes more of them.
const KEYS_LISTED_FOR_ONE: u64 = 100;

/// The bytes of an object.
const SIZE: u64 = 16_384;

/// How the guard came out.
pub(crate) enum Guard {
    Held,
    Skipped(String),
}

/// Counts and compares; what has changed by more than the tolerance is an error.
pub(crate) fn check() -> Result<Guard> {
    if !file().exists() {
        let hint = "bench/instructions.json is not there: cargo xtask bench instructions --record";
        return Ok(Guard::Skipped(hint.to_owned()));
    }
    let valgrind = match tools::valgrind() {
        Ok(valgrind) => valgrind,
        Err(error) => return Ok(Guard::Skipped(format!("no valgrind: {error:#}"))),
    };
    let recorded = recorded()?;
    let mut beyond = Vec::new();
    let counted = count_all(&valgrind, |name, count| {
        let was = recorded[name].as_f64()?;
        (count > was * (1.0 + TOLERANCE)).then_some(())
    })?;
    for (name, count) in &counted {
        let count = count.as_f64().unwrap_or(f64::NAN);
        let Some(was) = recorded[name].as_f64() else {
            bail!("{name} is not recorded: cargo xtask bench instructions --record");
        };
        let change = (count / was - 1.0) * 100.0;
        println!("  {name}: {count:.0} instructions an object, {change:+.1} %");
        if change.abs() > TOLERANCE * 100.0 {
            beyond.push(format!("{name} {change:+.1} %"));
        }
    }
    ensure!(
        beyond.is_empty(),
        "instructions an object have changed: {}. If that is meant: cargo xtask bench instructions --record",
        beyond.join(", ")
    );
    Ok(Guard::Held)
}

/// Counts and records.
pub(super) fn record() -> Result<()> {
    let counted = count_all(&tools::valgrind()?, |_, _| Some(()))?;
    for (name, count) in &counted {
        println!("{name}: {count} instructions an object");
    }
    let mut text = serde_json::to_string_pretty(&Value::Object(counted)).context("word counts")?;
    text.push('\n');
    std::fs::create_dir_all(super::folder()).context("make bench/")?;
    std::fs::write(file(), text).context("write bench/instructions.json")
}

fn file() -> PathBuf {
    super::folder().join("instructions.json")
}

fn recorded() -> Result<Value> {
    let text = std::fs::read(file()).context("read bench/instructions.json")?;
    serde_json::from_slice(&text).context("read bench/instructions.json")
}

/// Counts each path, again where `again` says so, and keeps the least.
fn count_all(
    valgrind: &Path,
    again: impl Fn(&str, f64) -> Option<()>,
) -> Result<Map<String, Value>> {
    let debug = super::contestant::target_folder().join("debug");
    let endpoint = Endpoint::start(&debug.join("null-endpoint"), &[], None)?;
    let room = Room::make()?;
    let mut counted = Map::new();
    for name in PATHS {
        let mut least = f64::INFINITY;
        for _ in 0..TRIES {
            let mut counts = [FEW, MANY].into_iter().map(|objects| {
                run(
                    valgrind,
                    &debug.join("longhaul"),
                    name,
                    objects,
                    &endpoint,
                    &room,
                )
            });
            let few = counts.next().context("a run with few")??;
            let many = counts.next().context("a run with many")??;
            let objects = objects_of(name, MANY) - objects_of(name, FEW);
            least = least.min((many - few) / objects as f64);
            if again(name, least).is_none() {
                break;
            }
        }
        counted.insert(name.to_owned(), json!(least.round()));
    }
    Ok(counted)
}

fn objects_of(name: &str, objects: u64) -> u64 {
    if name == "list" {
        objects * KEYS_LISTED_FOR_ONE
    } else {
        objects
    }
}

/// Instructions of one run.
fn run(
    valgrind: &Path,
    longhaul: &Path,
    name: &str,
    objects: u64,
    endpoint: &Endpoint,
    room: &Room,
) -> Result<f64> {
    room.clear("into")?;
    let count = objects_of(name, objects);
    let bucket = format!("s3://keys-{count}-{SIZE}");
    let all = format!("{bucket}/*");
    let into = format!("{}/", room.path("into").to_string_lossy());
    let files = Files { count, size: SIZE };
    let mut command = Command::new(valgrind);
    settle(&mut command, &room.home());
    // The thread pool is of one size on every machine, and nobody waits long for a turn.
    command.env("TOKIO_WORKER_THREADS", "2");
    command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    command.args(["--fair-sched=yes", "--"]);
    command
        .arg(longhaul)
        .args(["--max-requests", "16", "--numworkers", "16"]);
    command.args(["--endpoint-url", &endpoint.url]);
    match name {
        "upload" => {
            let folder = format!("{}/", room.files(files)?.to_string_lossy());
            command.args(["cp", &folder, "s3://sent/"]);
        }
        "download" => {
            command.args(["cp", &all, &into]);
        }
        "copy" => {
            command.args(["cp", &all, "s3://sent/"]);
        }
        "head" => {
            let keys = room.path("keys.txt");
            std::fs::write(&keys, super::measure::keys(files)).context("write keys")?;
            command.args(["exists", "--by", "head", "--keys"]);
            command.arg(&keys).arg(&bucket);
        }
        "list" => {
            command.args(["ls", &all]);
        }
        other => bail!("no path is called {other:?}"),
    }
    let output = command.output().context("start valgrind")?;
    let text = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "{name} failed under valgrind:\n{text}"
    );
    let collected = text
        .lines()
        .find_map(|line| line.split_once("Collected : "));
    let (_, collected) = collected.with_context(|| format!("valgrind counted nothing:\n{text}"))?;
    collected.trim().parse().context("read valgrind's count")
}

/// Builds what is counted, as the tests build it.
pub(super) fn build() -> Result<()> {
    let mut build = step::command(tools::cargo_nextest()?);
    build.args(["nextest", "run", "--workspace", "--no-run", "--cargo-quiet"]);
    step::run("build the tests", &mut build).map(|_| ())
}
