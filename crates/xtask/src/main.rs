//! What the README names and CI runs: `cargo xtask test`, and the chores around it.
//!
//! `cargo xtask` alone lists the commands.

mod bench;
mod fuzz;
mod peers;
mod sim;
mod step;
mod test;
mod tidy;
mod tools;

use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask test          everything that must hold: format, lints, tests, licences, structure
cargo xtask test -- ARGS  only the tests, ARGS go to cargo nextest (a name to filter by)
cargo xtask peers         conformance against servers that must be compiled first (minutes)
cargo xtask fuzz [SECONDS]  every parser, guided by coverage, 20 s each or so long (nightly compiler)
cargo xtask sim [SEEDS [FIRST]]   worlds in which everything fails, 20000 of them or so many
cargo xtask sim --seed N  one of them alone, with its story
cargo xtask sim store [--seeds N [--first N] | --seed N]   crashes of the storage engine, 100000 stories or so many
cargo xtask sim kill      two hundred runs killed at random moments and gone on with
cargo xtask bench [--suite mover] [--quick] [--case NAME]   what moving costs, beside peers (20 minutes)
cargo xtask bench soak [--minutes N]   an hour, or so long, of mixed work with faults on
cargo xtask bench instructions [--record]   what an object costs in instructions, against the record
cargo xtask tidy          the structure checks alone";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        ["test"] => test::run_all(),
        ["test", "--", filter @ ..] => test::run_filtered(filter),
        ["peers"] => peers::run(),
        ["fuzz"] => fuzz::run(None),
        ["fuzz", seconds] => number(seconds).and_then(|seconds| fuzz::run(Some(seconds))),
        ["sim"] => sim::run_many(None, 0),
        ["sim", "kill"] => sim::kill::run(),
        ["sim", "store"] => sim::store(None, 0),
        ["sim", "store", "--seed", seed] => number(seed).and_then(sim::store_one),
        ["sim", "store", "--seeds", seeds] => {
            number(seeds).and_then(|seeds| sim::store(Some(seeds), 0))
        }
        ["sim", "store", "--seeds", seeds, "--first", first] => number(seeds)
            .and_then(|seeds| number(first).and_then(|first| sim::store(Some(seeds), first))),
        ["sim", "--seed", seed] => number(seed).and_then(sim::run_one),
        ["sim", seeds] => number(seeds).and_then(|seeds| sim::run_many(Some(seeds), 0)),
        ["sim", seeds, first] => number(seeds)
            .and_then(|seeds| number(first).and_then(|first| sim::run_many(Some(seeds), first))),
        ["bench", words @ ..] => bench::run(words),
        ["tidy"] => tidy::run(),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn number(word: &str) -> anyhow::Result<u64> {
    anyhow::Context::with_context(word.parse(), || format!("{word:?} is no number"))
}
