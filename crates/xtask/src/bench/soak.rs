//! Long runs with faults on: memory flat, descriptors flat, no wrong byte.
//!
//! One process relays a bucket that does not end from one store to another for the whole time and
//! is watched; beside it, short runs download and upload and every byte is compared. Both stores
//! refuse with 503 beyond a rate, one of them breaks connections off within objects and sends wrong
//! bytes. At the end a sync of ten million keys.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::json;

use super::cases;
use super::contestant::{Programs, settle};
use super::data::{Files, Room};
use super::endpoint::Endpoint;
use super::machine::{self, Stopwatch};
use super::measure;
use super::results::Results;

/// What the stores do wrong. Rates are far enough below a request's tries that none of them is
/// used up by chance.
const FAULTS: [&str; 6] = [
    "--slow-down",
    "2000",
    "--cut-every",
    "331",
    "--corrupt-every",
    "997",
];

/// Seconds between two looks at the long run.
const LOOK_EVERY_S: f64 = 5.0;

/// The first of so many pieces of the long run is left out before its memory is compared with
/// itself.
const PIECES: usize = 4;

/// By how much the last looks may be above those after the warm-up: MiB and descriptors.
const GROWTH_MAX: (f64, f64) = (8.0, 8.0);

/// What a short run moves.
const SMALL: Files = Files {
    count: 2_000,
    size: 16_384,
};
const LARGE: Files = Files {
    count: 4,
    size: 40_000_000,
};

/// A process at one moment.
#[derive(Debug, Clone, Copy)]
struct Look {
    memory_mib: f64,
    descriptors: f64,
}

/// The long run, ended when dropped.
struct LongRun {
    process: Child,
    looks: Vec<Look>,
    watch: Stopwatch,
}

/// Counts of the short runs.
#[derive(Debug, Default)]
struct Tally {
    runs: u64,
    compared: u64,
    wrong: u64,
    failed: u64,
}

/// Runs it for so many minutes.
pub(super) fn run(minutes: u64) -> Result<()> {
    let programs = Programs::ready()?;
    let room = Room::make()?;
    let mut results = Results::read_or_new(&machine::describe())?;
    let from = Endpoint::start(&programs.endpoint, &FAULTS, None)?;
    let to = Endpoint::start(&programs.endpoint, &FAULTS[..2], None)?;
    let watch = Stopwatch::start();
    let seconds = minutes as f64 * 60.0;
    let mut long = LongRun::start(&programs, &room, &from, &to)?;
    let mut tally = Tally::default();
    while watch.seconds() < seconds {
        for files in [SMALL, LARGE] {
            download(&programs, &room, &from, files, &mut tally)?;
            upload(&programs, &room, &to, files, &mut tally)?;
            long.look()?;
        }
        println!(
            "{:>6.0} s  {tally:?}, {:?}",
            watch.seconds(),
            long.looks.last()
        );
    }
    let (first, last) = long.compare()?;
    drop(long);
    let (served, kept) = (from.counters()?, to.counters()?);
    let text = |name: &str| kept[name].as_u64().unwrap_or(0);
    let mut page = format!(
        "{minutes} minutes on {}: one relay without end, and beside it {} short runs, {} of which failed. \
         {} files compared byte by byte, {} wrong; of the objects that the second store keeps, {} had other bytes. \
         The stores answered {} requests and refused {} with 503. \
         Memory of the long run {:.1} MiB after its first quarter, {:.1} at the end; descriptors {:.0} and {:.0}.\n",
        results.get("machine")["date"].as_str().unwrap_or("?"),
        tally.runs,
        tally.failed,
        tally.compared,
        tally.wrong,
        text("other_bytes"),
        served["requests"].as_u64().unwrap_or(0) + text("requests"),
        served["slow_downs"].as_u64().unwrap_or(0) + text("slow_downs"),
        first.memory_mib,
        last.memory_mib,
        first.descriptors,
        last.descriptors,
    );
    let grown = last.memory_mib > first.memory_mib + GROWTH_MAX.0
        || last.descriptors > first.descriptors + GROWTH_MAX.1;
    let wrong = tally.wrong + text("other_bytes");
    let ten_million = cases::all(false);
    let ten_million = ten_million
        .iter()
        .find(|case| case.name == "sync-buckets-memory");
    let ten_million = ten_million.context("the table has no sync of ten million")?;
    let sync = measure::case(ten_million, &programs, &room, false)?;
    let row = &sync["rows"][0];
    let _ = writeln!(
        page,
        "Sync of ten million equal keys, bucket to bucket: {:.1} s, {:.1} CPU-s, {:.0} MiB.",
        row["wall_s"].as_f64().unwrap_or(f64::NAN),
        row["cpu_s"].as_f64().unwrap_or(f64::NAN),
        row["memory_mib"].as_f64().unwrap_or(f64::NAN),
    );
    print!("{page}");
    results.put_case(ten_million.name, sync);
    results.put(
        "soak",
        json!({"text": page, "minutes": minutes, "wrong": wrong, "grown": grown}),
    );
    results.write()?;
    super::write_pages(&results)?;
    ensure!(wrong == 0, "{wrong} objects have wrong bytes");
    ensure!(tally.failed == 0, "{} short runs failed", tally.failed);
    ensure!(!grown, "the long run grew: {first:?}, then {last:?}");
    Ok(())
}

impl LongRun {
    fn start(programs: &Programs, room: &Room, from: &Endpoint, to: &Endpoint) -> Result<LongRun> {
        let mut command = Command::new(programs.longhaul());
        settle(&mut command, &room.home());
        command.args(["--memory", "32MiB", "--source-endpoint-url", &from.url]);
        command.args(["--destination-endpoint-url", &to.url, "cp"]);
        command.args(["s3://keys-900000000-50000/*", "s3://relayed/"]);
        let process = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("start longhaul")?;
        Ok(LongRun {
            process,
            looks: Vec::new(),
            watch: Stopwatch::start(),
        })
    }

    /// Looks, unless it has just been looked at.
    fn look(&mut self) -> Result<()> {
        if self.watch.seconds() < self.looks.len() as f64 * LOOK_EVERY_S {
            return Ok(());
        }
        if let Some(status) = self.process.try_wait().context("look at the long run")? {
            bail!("the long run ended by itself: {status}");
        }
        let folder = format!("/proc/{}", self.process.id());
        let status = std::fs::read_to_string(format!("{folder}/status")).context("read status")?;
        let kib = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = kib.and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok());
        let descriptors = std::fs::read_dir(format!("{folder}/fd")).context("count descriptors")?;
        self.looks.push(Look {
            memory_mib: kib.context("no VmRSS")? / 1_024.0,
            descriptors: descriptors.count() as f64,
        });
        Ok(())
    }

    /// The middle look after the warm-up's share, and that of the end.
    fn compare(&self) -> Result<(Look, Look)> {
        let quarter = self.looks.len().div_ceil(PIECES);
        let rest = &self.looks[quarter.min(self.looks.len().saturating_sub(1))..];
        ensure!(!rest.is_empty(), "too short to say anything");
        let half = rest.len().div_ceil(2);
        Ok((middle(&rest[..half]), middle(&rest[rest.len() - half..])))
    }
}

impl Drop for LongRun {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The medians of some looks.
fn middle(looks: &[Look]) -> Look {
    let median = |read: fn(&Look) -> f64| {
        let mut figures: Vec<f64> = looks.iter().map(read).collect();
        figures.sort_by(f64::total_cmp);
        figures[figures.len() / 2]
    };
    Look {
        memory_mib: median(|look| look.memory_mib),
        descriptors: median(|look| look.descriptors),
    }
}

fn short_run(programs: &Programs, room: &Room, words: &[&str], tally: &mut Tally) -> Result<()> {
    let mut command = Command::new(programs.longhaul());
    settle(&mut command, &room.home());
    let output = command
        .args(words)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .output()
        .context("start longhaul")?;
    tally.runs += 1;
    if !output.status.success() {
        tally.failed += 1;
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        println!(
            "a run failed: {}",
            errors.lines().last().unwrap_or("without a word")
        );
    }
    Ok(())
}

fn download(
    programs: &Programs,
    room: &Room,
    from: &Endpoint,
    files: Files,
    tally: &mut Tally,
) -> Result<()> {
    room.clear("into")?;
    let bucket = format!("s3://keys-{}-{}/*", files.count, files.size);
    let into = room.path("into");
    let into_word = format!("{}/", into.to_string_lossy());
    let words = ["--endpoint-url", &from.url, "cp", &bucket, &into_word];
    short_run(programs, room, &words, tally)?;
    let good: Vec<u8> = (0..251u8)
        .cycle()
        .take(usize::try_from(files.size)?)
        .collect();
    for index in 0..files.count {
        let path = into.join(format!("d{:06}/k{index:09}", index / 1_000));
        compare(&path, &good, tally);
    }
    room.clear("into")
}

/// A file that is not there was said to have failed; one that is there must be right.
fn compare(path: &Path, good: &[u8], tally: &mut Tally) {
    let Ok(bytes) = std::fs::read(path) else {
        return;
    };
    tally.compared += 1;
    if bytes != good {
        tally.wrong += 1;
        println!("wrong bytes: {}", path.display());
    }
}

fn upload(
    programs: &Programs,
    room: &Room,
    to: &Endpoint,
    files: Files,
    tally: &mut Tally,
) -> Result<()> {
    let folder = format!("{}/", room.files(files)?.to_string_lossy());
    let words = ["--endpoint-url", &to.url, "cp", &folder, "s3://sent/"];
    short_run(programs, room, &words, tally)
}
