//! `cargo xtask sim`: many more worlds of faults than the tests run, or one of them alone.

pub(crate) mod kill;

use std::process::Stdio;

use anyhow::{Context as _, Result, bail};

use crate::step;

/// Seeds when none are asked for: some minutes.
const SEEDS: u64 = 20_000;

/// The tests that run seeds. Each takes a share, so that all cores are busy.
const TESTS: &str = "seeds::a_thousand_seeds";

/// Runs so many seeds, from `first` on. Built as the tests are, so that assertions stay on.
pub(crate) fn run_many(seeds: Option<u64>, first: u64) -> Result<()> {
    let seeds = seeds.unwrap_or(SEEDS);
    println!("seeds {first} to {}", first + seeds);
    run(&[("LONGHAUL_SEEDS", seeds), ("LONGHAUL_FIRST_SEED", first)])
}

/// Runs one seed and tells its story.
pub(crate) fn run_one(seed: u64) -> Result<()> {
    run(&[("LONGHAUL_SEED", seed)])
}

fn run(variables: &[(&str, u64)]) -> Result<()> {
    let mut command = step::command("cargo");
    command.args(["test", "--quiet", "--package", "mover", "--lib", TESTS]);
    command.args(["--", "--nocapture"]);
    step::without_proxies(&mut command);
    for (name, value) in variables {
        command.env(name, value.to_string());
    }
    let status = command.stdin(Stdio::null()).status();
    if !status.context("start cargo")?.success() {
        bail!("a seed came out wrong; `cargo xtask sim --seed N` runs it alone")
    }
    Ok(())
}
