//! `cargo xtask fuzz`: coverage-guided fuzzing of everything that reads what others wrote.
//!
//! What a target finds is kept below `fuzz/artifacts`; it becomes a test of that parser.

use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::{step, tools};

/// How long each target runs unless the caller says otherwise.
const SECONDS: u64 = 20;

/// Longest input in bytes: some pages of a listing are longer, and find nothing more.
const INPUT_MAX: u32 = 4_096;

const TARGETS: [&str; 4] = ["answers", "names", "journal", "words"];

/// Runs each target so long, and stops at the first that finds something.
pub(crate) fn run(seconds: Option<u64>) -> Result<()> {
    let seconds = seconds.unwrap_or(SECONDS);
    let toolchains = Command::new("rustup").args(["toolchain", "list"]).output();
    let toolchains = toolchains.context("start rustup")?;
    if !String::from_utf8_lossy(&toolchains.stdout).contains("nightly") {
        bail!("fuzzing needs a nightly compiler: rustup toolchain install nightly");
    }
    let cargo_fuzz = tools::cargo_fuzz()?;
    // The same versions as in the workspace.
    let lock = step::root().join("Cargo.lock");
    std::fs::copy(lock, step::root().join("fuzz/Cargo.lock")).context("copy Cargo.lock")?;
    for target in TARGETS {
        let corpus = step::root().join("fuzz/corpus").join(target);
        std::fs::create_dir_all(&corpus).context("make a folder for the corpus")?;
        let mut command = step::command(&cargo_fuzz);
        command.current_dir(step::root().join("fuzz"));
        command.env("RUSTUP_TOOLCHAIN", "nightly");
        // Nothing here is unsafe: a sanitizer would only be slow.
        command.args(["fuzz", "run", "--dev", "--sanitizer", "none", target]);
        command.arg(&corpus).arg(format!("seeds/{target}"));
        command.arg("--").args([
            format!("-max_total_time={seconds}"),
            format!("-max_len={INPUT_MAX}"),
            "-print_final_stats=1".to_owned(),
        ]);
        step::without_proxies(&mut command);
        println!("fuzzing {target} for {seconds} s");
        let status = command.stdin(Stdio::null()).status();
        if !status.context("start cargo fuzz")?.success() {
            bail!("{target} found something: see fuzz/artifacts/{target}");
        }
    }
    Ok(())
}
