//! `run`: the commands of a file, many at once.
//!
//! Lines are read as they are needed, so a file of millions of lines costs no memory. As many
//! commands are under way as `--numworkers` says; objects of all of them share the same bounds.
//! Once the session is stopping, no further line is begun.

use std::path::PathBuf;
use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use mover::job::Ending;
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, BufReader};
use tokio::task::JoinHandle;

use super::{Call, Failure, Result};
use crate::args::grammar::{Misuse, Request, read_line};
use crate::args::{Command, RunArgs};
use crate::output::cause::system_words;
use crate::persona::Outcome;
use crate::session::Session;
use crate::{shell_words, start};

/// Runs every line.
pub(super) async fn run(args: &RunArgs, call: Call<'_>, session: &Arc<Session>) -> Result {
    let reader: Box<dyn AsyncBufRead + Unpin + Send> = match args.arguments.as_slice() {
        [] => Box::new(BufReader::new(tokio::io::stdin())),
        [path] => {
            let path = PathBuf::from(path);
            let file = tokio::fs::File::open(&path).await.map_err(|error| {
                let words = system_words(&error);
                Failure::Missing(format!("open {}: {words}", path.display()))
            })?;
            Box::new(BufReader::new(file))
        }
        _ => return Err(Failure::Usage("expected only 1 file".to_owned())),
    };
    let mut batch = Batch {
        call,
        session,
        running: FuturesUnordered::new(),
        outcome: Outcome::DONE,
    };
    let mut lines = reader.split(b'\n');
    let mut number = 0_u64;
    loop {
        let line = tokio::select! {
            line = lines.next_segment() => line,
            () = session.stopping.cancelled() => break,
        };
        match line {
            Ok(Some(bytes)) => batch.line(&bytes, number).await,
            Ok(None) => break,
            Err(error) => {
                batch.refuse(&format!("read line {number}: {}", system_words(&error)));
                break;
            }
        }
        number += 1;
    }
    batch.finish().await;
    if session.stopping.is_cancelled() {
        session.output.talk(format_args!(
            "{number} lines were begun, of which the last ones may not be done"
        ));
        batch.outcome = batch.outcome.worse(Outcome::of(Ending::Stopped));
    }
    Ok(batch.outcome)
}

struct Batch<'s> {
    call: Call<'s>,
    session: &'s Arc<Session>,
    running: FuturesUnordered<JoinHandle<Outcome>>,
    outcome: Outcome,
}

impl Batch<'_> {
    /// Begins the command of one line, once there is room.
    async fn line(&mut self, bytes: &[u8], number: u64) {
        let Ok(line) = std::str::from_utf8(bytes) else {
            self.refuse(&format!("line {number} is not UTF-8"));
            return;
        };
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return;
        }
        let words = match shell_words::split(line) {
            Ok(words) => words,
            Err(error) => {
                self.refuse(&format!("line {number}: {error}"));
                // s5cmd ends with 1 here, without a word.
                self.add(Outcome::of(Ending::Failed));
                return;
            }
        };
        let request = match read_line(&words) {
            Ok(request) => request,
            Err(Misuse::UnknownCommand(name)) => {
                self.refuse(&format!("\"{name}\" command (line: {number}) not found"));
                // s5cmd prints this and exits with 0.
                return;
            }
            Err(misuse) => {
                start::misused(&misuse, self.session.settings.persona, &self.session.output);
                self.add(Outcome::of(Ending::CouldNotRun));
                return;
            }
        };
        match request {
            Request::Run(mut invocation) => {
                if matches!(invocation.cli.command, Command::Run(_)) {
                    self.refuse(&format!(
                        "\"run\" command (line: {number}) is not permitted in run-mode"
                    ));
                    return;
                }
                // The file's own flags hold; a line has none before its command.
                invocation.cli.global.json = self.session.settings.json;
                while self.running.len() >= self.session.settings.workers.get() {
                    self.next().await;
                }
                let session = Arc::clone(self.session);
                self.running.push(base::tasks::spawn("line", async move {
                    super::dispatch_one(&invocation, &session).await
                }));
            }
            Request::Help(about) => {
                crate::args::help::print(&self.session.output, about.as_deref());
            }
            Request::Version | Request::InstallCompletion => {}
        }
    }

    /// Waits for one command.
    async fn next(&mut self) {
        if let Some(ended) = self.running.next().await {
            match ended {
                Ok(outcome) => self.add(outcome),
                Err(error) => std::panic::resume_unwind(error.into_panic()),
            }
        }
    }

    async fn finish(&mut self) {
        while !self.running.is_empty() {
            self.next().await;
        }
    }

    /// A line that is no command: an error to us, a remark to s5cmd.
    fn refuse(&mut self, cause: &str) {
        self.session
            .output
            .error(self.call.name, self.call.typed, cause);
        self.add(Outcome::of(Ending::Failed).quiet_at_peer());
    }

    /// A line that could not run is a failed line of a run that could.
    fn add(&mut self, outcome: Outcome) {
        let ending = match outcome.ending {
            Ending::CouldNotRun => Ending::Failed,
            other => other,
        };
        self.outcome = self.outcome.worse(Outcome { ending, ..outcome });
    }
}
