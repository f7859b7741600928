//! This binary as processes of their own: what a person would type, and what can be killed.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tokio_util::sync::CancellationToken;

use super::stores::Stores;
use crate::output::Output;

/// How often is looked whether a process has ended.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Lines that are repeated of a long output.
const END_LINES: usize = 6;

/// Starts processes of this binary that know nothing but the demo's stores and folder.
pub(super) struct Shell<'a> {
    program: PathBuf,
    /// Home, state and working directory of every process.
    folder: PathBuf,
    environment: Vec<(&'static str, OsString)>,
    stopping: &'a CancellationToken,
    out: &'a Output,
}

/// A process under way; dropping it kills it.
pub(super) struct Process<'a> {
    child: Child,
    stdout: PathBuf,
    stderr: PathBuf,
    stopping: &'a CancellationToken,
}

/// A process that has ended by itself.
#[derive(Debug)]
pub(super) struct Ended {
    /// Its exit code.
    pub(super) code: i32,
    /// What it printed.
    pub(super) stdout: String,
    /// What it said besides.
    pub(super) stderr: String,
}

impl<'a> Shell<'a> {
    /// A shell whose processes live in `folder` and reach `stores`.
    pub(super) fn new(
        folder: &Path,
        stores: &Stores,
        stopping: &'a CancellationToken,
        out: &'a Output,
    ) -> Result<Shell<'a>> {
        let folder = folder.join("home");
        std::fs::create_dir(&folder).context("make a home for the demo's processes")?;
        let mut environment: Vec<(&'static str, OsString)> = stores
            .environment()
            .into_iter()
            .map(|(name, value)| (name, value.into()))
            .collect();
        environment.push(("HOME", folder.clone().into()));
        environment.push(("XDG_STATE_HOME", folder.join("state").into()));
        Ok(Shell {
            program: std::env::current_exe().context("find this binary")?,
            folder,
            environment,
            stopping,
            out,
        })
    }

    /// Starts `longhaul WORDS` and says so.
    pub(super) fn start(&self, words: &[&str]) -> Result<Process<'a>> {
        self.out
            .text(format_args!("   $ longhaul {}", typed(words)));
        let (stdout, stderr) = (self.folder.join("stdout"), self.folder.join("stderr"));
        let file = |path: &Path| std::fs::File::create(path).context("keep a process's output");
        let child = Command::new(&self.program)
            .arg0("longhaul")
            .args(words)
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(file(&stdout)?)
            .stderr(file(&stderr)?)
            .spawn()
            .context("start this binary again")?;
        Ok(Process {
            child,
            stdout,
            stderr,
            stopping: self.stopping,
        })
    }

    /// Runs `longhaul WORDS` to its end.
    pub(super) async fn run(&self, words: &[&str]) -> Result<Ended> {
        self.start(words)?.wait().await
    }
}

impl Process<'_> {
    /// Whether it runs no longer.
    pub(super) fn has_ended(&mut self) -> Result<bool> {
        Ok(self
            .child
            .try_wait()
            .context("look at a process")?
            .is_some())
    }

    /// Kills it as a power cut or the kernel would: it gets to say nothing.
    pub(super) fn kill(mut self) -> Result<()> {
        self.child.kill().context("kill a process")
    }

    /// Waits for its end; an interrupt of the demo ends it at once.
    pub(super) async fn wait(mut self) -> Result<Ended> {
        let status = loop {
            if let Some(status) = self.child.try_wait().context("wait for a process")? {
                break status;
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = self.stopping.cancelled() => bail!("interrupted"),
            }
        };
        let read = |path: &Path| {
            let bytes = std::fs::read(path).context("read what a process printed")?;
            anyhow::Ok(String::from_utf8_lossy(&bytes).into_owned())
        };
        Ok(Ended {
            code: status.code().unwrap_or(-1),
            stdout: read(&self.stdout)?,
            stderr: read(&self.stderr)?,
        })
    }
}

impl Drop for Process<'_> {
    fn drop(&mut self) {
        // One that has ended already takes no signal; either way it must be reaped.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ended {
    /// Repeats what it printed, set in.
    pub(super) fn tell(&self, out: &Output) {
        for line in self.stdout.lines().chain(self.stderr.lines()) {
            out.text(format_args!("     {line}"));
        }
    }

    /// Repeats what it printed up to its first empty line, set in; all of it if it did not succeed.
    pub(super) fn tell_beginning(&self, out: &Output) {
        if self.code != 0 {
            return self.tell(out);
        }
        for line in self.stdout.lines().take_while(|line| !line.is_empty()) {
            out.text(format_args!("     {line}"));
        }
    }

    /// Repeats the end of what it printed, set in; all of it if it did not succeed.
    pub(super) fn tell_end(&self, out: &Output) {
        if self.code != 0 {
            return self.tell(out);
        }
        let lines: Vec<&str> = self.stdout.lines().chain(self.stderr.lines()).collect();
        for line in &lines[lines.len().saturating_sub(END_LINES)..] {
            out.text(format_args!("     {line}"));
        }
    }

    /// The last line that it said besides what it printed.
    pub(super) fn last_words(&self) -> &str {
        self.stderr.lines().last().unwrap_or_default()
    }
}

/// Words as one would type them.
fn typed(words: &[&str]) -> String {
    let quoted = words
        .iter()
        .map(|word| match word.contains(['*', '?', ' ']) {
            true => format!("'{word}'"),
            false => (*word).to_owned(),
        });
    quoted.collect::<Vec<_>>().join(" ")
}
