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

/// Stories of the storage engine when none are asked for: some hours on two cores.
const STORE_SEEDS: u64 = 100_000;

/// The arguments with which cargo runs them.
const STORE_TEST: [&str; 5] = [
    "--package",
    "sim",
    "--test",
    "store_crash",
    "what_was_acknowledged_survives_any_crash",
];

/// Plays so many stories of crashes, from `first` on, on all cores.
pub(crate) fn store(seeds: Option<u64>, first: u64) -> Result<()> {
    let seeds = seeds.unwrap_or(STORE_SEEDS);
    let variables = [
        ("LONGHAUL_STORE_SEEDS", seeds),
        ("LONGHAUL_STORE_FIRST_SEED", first),
    ];
    run_tests(&STORE_TEST, &variables)
}

/// Plays one story of crashes and tells what happened.
pub(crate) fn store_one(seed: u64) -> Result<()> {
    run_tests(&STORE_TEST, &[("LONGHAUL_STORE_SEED", seed)])
}

fn run(variables: &[(&str, u64)]) -> Result<()> {
    run_tests(&["--package", "mover", "--lib", TESTS], variables)
}

fn run_tests(which: &[&str], variables: &[(&str, u64)]) -> Result<()> {
    let mut command = step::command("cargo");
    command.args(["test", "--quiet"]).args(which);
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
