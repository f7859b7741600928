//! One case: contestants in turns, each run measured.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::cases::{Case, Figure, Store, Work};
use super::contestant::{Contestant, Line, Place, Programs};
use super::data::{Files, Room};
use super::endpoint::Endpoint;
use super::machine;
use super::results;

/// Counted runs of a contestant in a case.
const RUNS: usize = 5;

/// The same in a quick run.
const QUICK_RUNS: usize = 2;

/// Seconds that a contestant may take for a case; a slower one is run less often.
const CONTESTANT_SECONDS: f64 = 12.0;

/// A contestant with its runs so far.
struct Entrant {
    who: Contestant,
    line: Line,
    runs: Vec<Value>,
    /// How many runs it shall have, known after the warm-up.
    wanted: usize,
    broken: Option<String>,
}

/// Runs a case and gives its rows.
pub(super) fn case(case: &Case, programs: &Programs, room: &Room, quick: bool) -> Result<Value> {
    let trust = (case.store == Store::Tls).then(|| room.path("trust.pem"));
    let words: &[&str] = match case.store {
        Store::Plain | Store::Tls => &[],
        Store::Md5ETags => &["--etag", "md5", "--no-checksums"],
    };
    let start = || Endpoint::start(&programs.endpoint, words, trust.clone());
    let source = match case.store {
        Store::Plain => Endpoint::start_at_80(&programs.endpoint, words)?,
        Store::Tls | Store::Md5ETags => start()?,
    };
    let other = match case.work {
        Work::Relay(_) => Some(start()?),
        _ => None,
    };
    let place = Place {
        room,
        source: &source,
        destination: other.as_ref().unwrap_or(&source),
        files: match case.work {
            Work::Upload(files) | Work::SyncFiles(files) => Some(room.files(files)?),
            _ => None,
        },
        into: room.path("into"),
        s5cmd_lines: room.path("lines.txt"),
        keys: room.path("keys.txt"),
    };
    if let Work::Head(files) = case.work {
        write_lists(&place, files)?;
    }
    let mut entrants = Vec::new();
    let mut rows = Vec::new();
    for who in Contestant::ALL {
        match programs.line(who, case, &place) {
            Ok(line) => entrants.push(Entrant {
                who,
                line,
                runs: Vec::new(),
                wanted: 0,
                broken: None,
            }),
            Err(reason) => rows.push((who, json!({"who": who.name(), "cannot": reason}))),
        }
    }
    // Turns: everybody's warm-up, then everybody's first counted run, and so on.
    for round in 0..=RUNS {
        for entrant in &mut entrants {
            entrant.turn(round, case, programs, &place, quick)?;
        }
    }
    room.clear("into")?;
    for entrant in entrants {
        rows.push((entrant.who, entrant.row(case, &place)));
    }
    rows.sort_by_key(|(who, _)| Contestant::ALL.iter().position(|known| known == who));
    let rows = rows.into_iter().map(|(_, row)| row).collect();
    // The largest files would crowd out what comes after.
    if case.files().size >= 1 << 28 {
        let files = case.files();
        room.clear(&format!("files-{}-{}", files.count, files.size))?;
    }
    Ok(results::case_of(case, rows))
}

impl Entrant {
    fn turn(
        &mut self,
        round: usize,
        case: &Case,
        programs: &Programs,
        place: &Place<'_>,
        quick: bool,
    ) -> Result<()> {
        if self.broken.is_some() || (round > 0 && round > self.wanted) {
            return Ok(());
        }
        place.room.clear("into")?;
        place.source.reset()?;
        place.destination.reset()?;
        let watch = machine::Stopwatch::start();
        let mut run = programs.run(&self.line, place.room)?;
        let seconds = watch.seconds();
        self.count(&mut run, case, place)?;
        if let Some(reason) = failure(&run, case) {
            println!("         {}: {reason}", self.who.name());
            self.broken = Some(reason);
            return Ok(());
        }
        let shown = ["user_s", "system_s"].map(|name| run[name].as_f64().unwrap_or(0.0));
        println!(
            "         {:<20} {:>7.2} s, {:>7.3} CPU-s, {:>6} KiB",
            self.who.name(),
            seconds,
            shown[0] + shown[1],
            run["memory_kib"]
        );
        if round > 0 {
            self.runs.push(run);
            return Ok(());
        }
        let most = if quick { QUICK_RUNS } else { RUNS };
        let fitting = (0..most)
            .rev()
            .find(|runs| *runs as f64 * seconds <= CONTESTANT_SECONDS);
        self.wanted = match fitting {
            _ if most as f64 * seconds <= CONTESTANT_SECONDS => most,
            Some(runs) => runs,
            None => 0,
        };
        // The first run of who is that slow is its only one, and counts.
        if self.wanted == 0 {
            self.runs.push(run);
        }
        Ok(())
    }

    /// Adds what the endpoints saw.
    fn count(&self, run: &mut Value, case: &Case, place: &Place<'_>) -> Result<()> {
        let (source, destination) = (place.source.counters()?, place.destination.counters()?);
        let own = u64::from(place.source.url != place.destination.url);
        let sum = |name: &str| {
            let read = |counters: &Value| counters[name].as_u64().unwrap_or(0);
            read(&source) + own * read(&destination)
        };
        // The question itself takes a connection of each endpoint.
        run["connections"] = json!(sum("connections").saturating_sub(1 + own));
        run["requests"] = json!(sum("requests"));
        run["bad_checksums"] = json!(sum("bad_checksums"));
        if case.figure == Figure::FirstByte {
            run["first_object_s"] = match source["first_object_us"].as_f64() {
                Some(micros) => json!(micros / 1e6),
                None => Value::Null,
            };
        }
        Ok(())
    }

    fn row(&self, case: &Case, place: &Place<'_>) -> Value {
        let mut row = json!({
            "who": self.who.name(),
            "command": self.line.shown(place),
            "verifies": self.who.verifies(case),
            "warmed_up": self.wanted > 0,
            "runs": self.runs,
        });
        if let Some(reason) = &self.broken {
            row["cannot"] = json!(reason);
        }
        row
    }
}

/// Why a run does not count.
fn failure(run: &Value, case: &Case) -> Option<String> {
    let first_byte = case.figure == Figure::FirstByte;
    if first_byte && !run["first_object_s"].is_null() {
        return None;
    }
    if first_byte {
        return Some("nothing had moved after 12 s".to_owned());
    }
    if run["timed_out"] == true {
        return Some("was not done after 240 s".to_owned());
    }
    if run["exit_code"] == 0 {
        return None;
    }
    let errors = run["errors"].as_str().unwrap_or_default();
    let last = errors.lines().rev().find(|line| !line.trim().is_empty());
    Some(format!(
        "exit code {}: {}",
        run["exit_code"],
        last.unwrap_or("without a word")
    ))
}

fn write_lists(place: &Place<'_>, files: Files) -> Result<()> {
    let bucket = format!("keys-{}-{}", files.count, files.size);
    let keys = keys(files);
    let mut lines = String::new();
    for key in keys.lines() {
        writeln!(lines, "head s3://{bucket}/{key}").context("write a line")?;
    }
    std::fs::write(&place.s5cmd_lines, lines).context("write the list of commands")?;
    std::fs::write(&place.keys, keys).context("write the list of keys")
}

/// The keys of a synthetic bucket, a line each.
pub(super) fn keys(files: Files) -> String {
    (0..files.count)
        .map(|index| format!("d{:06}/k{index:09}\n", index / 1_000))
        .collect()
}
