//! `cargo xtask sim kill`: two hundred runs, each killed at another moment and gone on with.

use std::process::Stdio;

use anyhow::{Context as _, Result, bail};

use crate::step;

/// Moments; the ordinary tests take twelve.
const MOMENTS: u64 = 200;

/// Runs the moments and prints what they came to.
pub(crate) fn run() -> Result<()> {
    let mut command = step::command("cargo");
    command.args(["test", "--quiet", "--package", "cli", "--test", "kill"]);
    command.args(["killed_at_any_moment", "--", "--nocapture"]);
    command.env("LONGHAUL_MOMENTS", MOMENTS.to_string());
    step::without_proxies(&mut command);
    let status = command.stdin(Stdio::null()).status();
    if !status.context("start cargo")?.success() {
        bail!("a run that was killed was not gone on with as promised; its moment is named above")
    }
    Ok(())
}
