//! `cargo xtask test`: all that must hold before a change lands.

use anyhow::{Result, bail};

use crate::bench::instructions::{self, Guard};
use crate::{step, tidy, tools};

/// The test binaries that run programs written by others.
const PEER_BINARIES: [&str; 3] = ["peers", "servers", "side_by_side"];

/// What became of tests.
#[derive(Default)]
struct Tally {
    passed: u64,
    failed: u64,
    skipped: u64,
}

/// Every check, in the order in which a mistake is cheapest to find.
pub(crate) fn run_all() -> Result<()> {
    step::run(
        "format",
        step::command("cargo").args(["fmt", "--all", "--check"]),
    )?;
    tidy::run()?;
    let mut clippy = step::command("cargo");
    clippy.args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--quiet",
        "--",
        "-D",
        "warnings",
    ]);
    step::run("lints", &mut clippy)?;
    // cargo-deny looks at every platform's dependencies, also those that no build here fetches.
    step::run(
        "fetch dependencies",
        step::command("cargo").args(["fetch", "--locked", "--quiet"]),
    )?;
    let deny = tools::cargo_deny()?;
    let checks = [
        "deny",
        "--offline",
        "check",
        "--hide-inclusion-graph",
        "licenses",
        "bans",
        "sources",
    ];
    step::run("licences and sources", step::command(deny).args(checks))?;

    let mut tally = Tally::default();
    run_tests(&[], &mut tally)?;
    // `.config/nextest.toml` leaves this binary out, which nextest does not count.
    println!("skipped: tests beside compiled peers: run cargo xtask peers");
    tally.skipped += 1;
    run_doc_tests(&mut tally)?;
    match instructions::check()? {
        Guard::Held => println!("instructions an object ... ok"),
        Guard::Skipped(reason) => {
            println!("skipped: instructions an object: {reason}");
            tally.skipped += 1;
        }
    }
    println!(
        "{} passed, {} failed, {} skipped",
        tally.passed, tally.failed, tally.skipped
    );
    if tally.failed > 0 {
        bail!("{} tests failed", tally.failed);
    }
    Ok(())
}

/// Only the tests, with the caller's own words for nextest.
pub(crate) fn run_filtered(filter: &[&str]) -> Result<()> {
    let mut tally = Tally::default();
    run_tests(filter, &mut tally)?;
    println!(
        "{} passed, {} failed, {} skipped",
        tally.passed, tally.failed, tally.skipped
    );
    if tally.failed > 0 {
        bail!("{} tests failed", tally.failed);
    }
    Ok(())
}

/// Unit and integration tests. Peers that cannot be installed are skipped by name, but never in
/// CI, where the registries carry them.
fn run_tests(filter: &[&str], tally: &mut Tally) -> Result<()> {
    let nextest = tools::cargo_nextest()?;
    let mut build = step::command(&nextest);
    build.args(["nextest", "run", "--workspace", "--no-run", "--cargo-quiet"]);
    step::run("build the tests", &mut build)?;

    let mut command = step::command(&nextest);
    command.args([
        "nextest",
        "run",
        "--workspace",
        "--no-fail-fast",
        "--cargo-quiet",
    ]);
    command.args([
        "--status-level",
        "fail",
        "--final-status-level",
        "fail",
        "--color",
        "never",
    ]);
    command.args(filter);
    step::without_proxies(&mut command);
    match tools::python_peers() {
        Ok(peers) => peers.announce(&mut command),
        Err(error) if std::env::var_os("CI").is_some() => return Err(error),
        Err(error) => {
            let left_out: Vec<String> = PEER_BINARIES
                .iter()
                .map(|name| format!("not binary(={name})"))
                .collect();
            println!("skipped: tests beside {PEER_BINARIES:?}: {error:#}");
            tally.skipped += PEER_BINARIES.len() as u64;
            command.args(["-E", &left_out.join(" and ")]);
        }
    }
    let outcome = step::run("tests", &mut command);
    let text = outcome.as_deref().unwrap_or_default();
    match text
        .lines()
        .rev()
        .find(|line| line.trim_start().starts_with("Summary"))
    {
        Some(summary) => tally.add_nextest_summary(summary),
        None => tally.failed += 1,
    }
    outcome.map(|_| ())
}

/// Examples in documentation.
fn run_doc_tests(tally: &mut Tally) -> Result<()> {
    let mut command = step::command("cargo");
    command.args(["test", "--workspace", "--doc", "--quiet"]);
    step::without_proxies(&mut command);
    let text = step::run("examples in the documentation", &mut command)?;
    for line in text.lines().filter(|line| line.starts_with("test result:")) {
        tally.passed += number_before(line, " passed");
        tally.failed += number_before(line, " failed");
    }
    Ok(())
}

impl Tally {
    /// Reads `Summary [ 1.2s] 12 tests run: 11 passed (1 slow), 1 failed, 2 skipped`.
    fn add_nextest_summary(&mut self, line: &str) {
        self.passed += number_before(line, " passed");
        self.failed += number_before(line, " failed") + number_before(line, " timed out");
        self.skipped += number_before(line, " skipped");
    }
}

/// The number that stands before `word` in `line`; zero where there is none.
fn number_before(line: &str, word: &str) -> u64 {
    let Some(end) = line.find(word) else { return 0 };
    let digits = line[..end].rsplit(|c: char| !c.is_ascii_digit()).next();
    digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nextest_summaries_are_read() {
        let mut tally = Tally::default();
        tally.add_nextest_summary(
            "     Summary [   1.214s] 15 tests run: 12 passed (1 slow), 2 failed, 1 timed out, 4 skipped",
        );
        assert_eq!((tally.passed, tally.failed, tally.skipped), (12, 3, 4));
    }
}
