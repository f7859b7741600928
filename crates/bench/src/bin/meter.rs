//! Runs one command and prints what it cost, as JSON: `meter SECONDS_MAX PROGRAM ARGUMENT...`.
//!
//! A process of its own, because the kernel counts a child's peak memory from the moment of the
//! fork: a child of a large parent would be charged with its parent's pages. The command's output
//! goes nowhere, the end of its errors into the answer. It is ended after so many seconds.

use std::io::Read as _;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result};
use base::tasks;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use tokio::time::{Instant, timeout};
use wait4::{ResUse, Wait4 as _};

/// How much of the end of what went wrong is told, in bytes.
const ERRORS_SHOWN_MAX: usize = 2_000;

/// How long a command that was asked to end may take to do so.
const GRACE: Duration = Duration::from_secs(10);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<()> {
    let mut words = std::env::args().skip(1);
    let seconds_max = words.next().context("no SECONDS_MAX")?.parse()?;
    let program = words.next().context("no PROGRAM")?;
    let begun = Instant::now();
    let child = Command::new(&program)
        .args(words)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("start {program}"))?;
    let id = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let id = id.context("the command has no process id")?;
    let mut ended = tasks::spawn("meter", tasks::blocking(move || watch(child)));
    let (result, timed_out) = match timeout(Duration::from_secs(seconds_max), &mut ended).await {
        Ok(result) => (result, false),
        Err(_) => {
            kill_process(id, Signal::INT).context("interrupt the command")?;
            if let Ok(result) = timeout(GRACE, &mut ended).await {
                (result, true)
            } else {
                kill_process(id, Signal::KILL).context("kill the command")?;
                (ended.await, true)
            }
        }
    };
    let wall = begun.elapsed();
    let (used, errors) = result.context("watch the command")??;
    let answer = json!({
        "wall_s": wall.as_secs_f64(),
        "user_s": used.rusage.utime.as_secs_f64(),
        "system_s": used.rusage.stime.as_secs_f64(),
        // The crate gives bytes whatever unit the kernel has.
        "memory_kib": used.rusage.maxrss / 1_024,
        "timed_out": timed_out,
        "exit_code": used.status.code(),
        "errors": String::from_utf8_lossy(&errors),
    });
    println!("{answer}");
    Ok(())
}

/// Waits for the end, keeping the last of what the command complains of.
fn watch(mut child: Child) -> Result<(ResUse, Vec<u8>)> {
    let mut stderr = child.stderr.take().context("the command's errors")?;
    let mut errors = Vec::new();
    let mut piece = vec![0; 16 * 1024];
    while let Ok(read) = stderr.read(&mut piece)
        && read > 0
    {
        errors.extend_from_slice(&piece[..read]);
        if errors.len() > 2 * ERRORS_SHOWN_MAX {
            errors.drain(..errors.len() - ERRORS_SHOWN_MAX);
        }
    }
    let used = child.wait4().context("wait for the command")?;
    Ok((used, errors))
}
