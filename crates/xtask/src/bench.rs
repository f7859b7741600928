//! `cargo xtask bench`: what our mover costs beside those that people use instead.
//!
//! # Overview
//! Every case of [`cases`] is run by every contestant that can do it, in turns (A B A B), against
//! endpoints that cost next to nothing (`crates/bench`); a process of its own measures each run.
//! What comes out is kept after every case, so that a run that breaks off loses one case.
//!
//! # Limits
//! A full run fits in twenty minutes on two idle cores: a contestant that is slow is run less
//! often, and the page says how often. Data lies in memory (`/dev/shm`) and is removed at the end.

mod cases;
mod chart;
mod contestant;
mod data;
mod endpoint;
pub(crate) mod instructions;
mod machine;
mod measure;
mod page;
mod results;
mod soak;
mod tuning;

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

use crate::step;

/// Seconds after which the cases that are left are run as often as in a quick run, so that a slow
/// machine ends in its twenty minutes too.
const HURRY_AFTER_S: f64 = 720.0;

/// What was asked on the command line.
#[derive(Debug, Default)]
struct Options {
    /// Fewer runs of fewer objects.
    quick: bool,
    /// Only cases whose names contain this.
    case: Option<String>,
}

/// Runs what the words ask for.
pub(crate) fn run(words: &[&str]) -> Result<()> {
    match words {
        ["soak"] => return soak::run(60),
        ["soak", "--minutes", minutes] => return soak::run(crate::number(minutes)?),
        ["instructions"] => {
            instructions::build()?;
            return match instructions::check()? {
                instructions::Guard::Held => Ok(()),
                instructions::Guard::Skipped(reason) => bail!("{reason}"),
            };
        }
        ["instructions", "--record"] => {
            instructions::build()?;
            return instructions::record();
        }
        ["page"] => return write_pages(&results::Results::read_or_new(&machine::describe())?),
        _ => {}
    }
    let mut options = Options::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match *word {
            "--quick" => options.quick = true,
            "--suite" => match words.next() {
                Some(&"mover") => {}
                other => bail!("--suite {other:?}: there is the suite \"mover\""),
            },
            "--case" => options.case = Some((*words.next().context("--case NAME")?).to_owned()),
            other => bail!("bench knows no {other:?}"),
        }
    }
    measure_all(&options)
}

fn measure_all(options: &Options) -> Result<()> {
    let programs = contestant::Programs::ready()?;
    let begun = machine::Stopwatch::start();
    let room = data::Room::make()?;
    let mut results = results::Results::read_or_new(&machine::describe())?;
    results.set_run(options.quick, &programs.versions());
    let wanted = |name: &str| options.case.as_ref().is_none_or(|part| name.contains(part));
    let mut failed = Vec::new();
    for case in cases::all(options.quick)
        .iter()
        .filter(|case| wanted(case.name))
    {
        println!("{:>5.0} s  {}", begun.seconds(), case.title);
        let quick = options.quick || begun.seconds() > HURRY_AFTER_S;
        match measure::case(case, &programs, &room, quick) {
            Ok(found) => results.put_case(case.name, found),
            Err(error) => {
                println!("         failed: {error:#}");
                results.put_case(case.name, results::failed_case(case, &format!("{error:#}")));
                failed.push(case.name);
            }
        }
        results.write()?;
    }
    if wanted("tuning") {
        println!("{:>5.0} s  auto against fixed settings", begun.seconds());
        match tuning::measure(&programs, &room, options.quick) {
            Ok(found) => results.put("tuning", found),
            Err(error) => {
                println!("         failed: {error:#}");
                failed.push("tuning");
            }
        }
    }
    results.put_seconds(begun.seconds());
    results.write()?;
    write_pages(&results)?;
    println!("{:>5.0} s  written: bench/RESULTS.md", begun.seconds());
    if failed.is_empty() {
        return Ok(());
    }
    bail!("could not be measured: {}", failed.join(", "))
}

fn write_pages(results: &results::Results) -> Result<()> {
    std::fs::write(folder().join("RESULTS.md"), page::text(results)).context("write RESULTS.md")?;
    for (name, text) in chart::all(results) {
        std::fs::write(folder().join(name), text).with_context(|| format!("write {name}"))?;
    }
    Ok(())
}

/// Where results are kept.
fn folder() -> PathBuf {
    step::root().join("bench")
}
