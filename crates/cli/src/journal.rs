//! The journal of the one job that this process runs, if it keeps one.
//!
//! `cp`, `mv` and `sync` keep one when they are the command itself, called as longhaul and not dry;
//! lines of a run file keep none.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use base::{ByteCount, Clock};
use jiff::Timestamp;
use mover::Journal;
use mover::job::Ending;
use mover::journal::{Figures, JobRecord, JobsHome, LockedJob};
use parking_lot::Mutex;

use crate::args::Command;
use crate::args::grammar::{Invocation, Request, read};
use crate::command::Failure;
use crate::output::Output;
use crate::output::cause::system_words;
use crate::persona::{Outcome, Persona};
use crate::session::Totals;

/// Between two writings of a job's figures.
const FIGURES_EVERY: Duration = Duration::from_secs(1);

/// Figures written for each flush: a power cut costs what was written since the last one.
const FIGURES_PER_FLUSH: u32 = 5;

/// The job of the process.
#[derive(Default)]
pub(crate) struct JobBook {
    plan: Mutex<Option<Plan>>,
    journal: OnceLock<Arc<Journal>>,
    home: Option<JobsHome>,
}

/// What the journal is to be once the job's stores are known.
enum Plan {
    New { words: Vec<String>, folder: PathBuf },
    Resume(LockedJob),
}

/// Where jobs are kept: `$XDG_STATE_HOME/longhaul/jobs`, else below `~/.local/state`.
pub(crate) fn home() -> Option<JobsHome> {
    let absolute = |name: &str| {
        let path = std::env::var_os(name).map(PathBuf::from);
        path.filter(|path| path.is_absolute())
    };
    let state =
        absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")))?;
    Some(JobsHome::new(state.join("longhaul/jobs")))
}

impl JobBook {
    /// The book of a command as typed: empty for one that keeps no journal.
    pub(crate) fn of(invocation: &Invocation, words: &[String], persona: Persona) -> JobBook {
        let command = &invocation.cli.command;
        let keeps = matches!(
            command,
            Command::Copy(_) | Command::Move(_) | Command::Sync(_)
        );
        let dry = invocation.cli.global.dry_run;
        let (Some(home), Ok(folder)) = (home(), std::env::current_dir()) else {
            return JobBook::default();
        };
        if !keeps || dry || persona == Persona::S5cmd || words.iter().any(|word| is_secret(word)) {
            return JobBook::default();
        }
        let plan = match earlier_sync(command, &home, &folder, persona) {
            Some(job) => Plan::Resume(job),
            None => Plan::New {
                words: words.to_vec(),
                folder,
            },
        };
        JobBook {
            plan: Mutex::new(Some(plan)),
            journal: OnceLock::new(),
            home: Some(home),
        }
    }

    /// The book of a job that is gone on with.
    pub(crate) fn resume(home: JobsHome, job: LockedJob) -> JobBook {
        JobBook {
            plan: Mutex::new(Some(Plan::Resume(job))),
            journal: OnceLock::new(),
            home: Some(home),
        }
    }

    /// Begins the journal, now that both stores are known.
    pub(crate) fn begin(
        &self,
        source_endpoint: String,
        destination_endpoint: String,
        clock: &Clock,
    ) -> Result<Option<Arc<Journal>>, Failure> {
        let (Some(plan), Some(home)) = (self.plan.lock().take(), &self.home) else {
            return Ok(None);
        };
        let journal = match plan {
            Plan::New { words, folder } => {
                let record = JobRecord {
                    words,
                    version: env!("CARGO_PKG_VERSION").to_owned(),
                    folder,
                    started_at: clock.now(),
                    source_endpoint,
                    destination_endpoint,
                };
                Journal::new(home.clone(), record, clock.clone())
            }
            Plan::Resume(job) => {
                let record = &job.record;
                for (was, is) in [
                    (&record.source_endpoint, &source_endpoint),
                    (&record.destination_endpoint, &destination_endpoint),
                ] {
                    if was != is {
                        return Err(Failure::Usage(format!(
                            "job {} was begun with {was}, and would go on with {is}: \
                             set the endpoint as it was",
                            job.id
                        )));
                    }
                }
                let id = job.id.clone();
                Journal::resume(home.clone(), job, clock.clone()).map_err(|error| {
                    let words = system_words(&error);
                    Failure::Said(format!("read the journal of job {id}: {words}"))
                })?
            }
        };
        let journal = Arc::new(journal);
        // A process has one job, so nothing is there yet.
        let _ = self.journal.set(Arc::clone(&journal));
        Ok(Some(journal))
    }

    /// The job's name, once there is something to go on with.
    pub(crate) fn id(&self) -> Option<String> {
        self.journal.get()?.id()
    }

    /// Writes how far the job is, every second for as long as it is polled.
    pub(crate) async fn keep(&self, clock: &Clock, totals: impl Fn() -> Totals) {
        let began = clock.now();
        for tick in 1_u32.. {
            tokio::time::sleep(FIGURES_EVERY).await;
            let Some(journal) = self.journal.get().filter(|journal| journal.id().is_some()) else {
                continue;
            };
            let journal = Arc::clone(journal);
            let figures = figures(&totals(), began, clock.now(), None);
            base::tasks::blocking(move || {
                journal.write_figures(&figures);
                if tick.is_multiple_of(FIGURES_PER_FLUSH) {
                    journal.flush();
                }
            })
            .await;
        }
    }

    /// Ends the job: forgets it if all of it was done, else says how to go on.
    pub(crate) fn end(&self, outcome: Outcome, totals: &Totals, now: Timestamp, output: &Output) {
        let (Some(journal), Some(home)) = (self.journal.get(), &self.home) else {
            return;
        };
        let Some(id) = journal.id() else {
            if let Some(trouble) = journal.trouble() {
                output.warning("", "", &trouble);
            }
            return;
        };
        let ending = match outcome.ending {
            Ending::Done => "done",
            Ending::Failed => "failed",
            Ending::CouldNotRun => "could not run",
            Ending::Stopped => "stopped",
        };
        let began = journal.record().started_at;
        journal.write_figures(&figures(totals, began, now, Some(ending)));
        let uploads = home.uploads(&id).unwrap_or_default().len();
        let downloads = home.downloads(&id).unwrap_or_default();
        let whole = outcome.ending == Ending::Done && uploads == 0 && downloads.is_empty();
        journal.finish(whole);
        if let Some(trouble) = journal.trouble() {
            output.warning("", "", &trouble);
        }
        if whole {
            return;
        }
        if uploads > 0 {
            output.talk(format_args!(
                "{uploads} unfinished uploads are kept: longhaul uploads ls"
            ));
        }
        if !downloads.is_empty() {
            let bytes: ByteCount = downloads.iter().map(|download| download.bytes).sum();
            output.talk(format_args!(
                "{} unfinished downloads are kept beside their targets ({bytes}): \
                 longhaul jobs rm {id} removes them",
                downloads.len()
            ));
        }
        output.talk(format_args!("longhaul resume {id}"));
    }
}

/// The sums as the journal's folder keeps them.
fn figures(totals: &Totals, began: Timestamp, now: Timestamp, ending: Option<&str>) -> Figures {
    Figures {
        ending: ending.map(str::to_owned),
        at: now,
        listed: totals.listed,
        settled: totals.settled,
        failed: totals.failed,
        bytes_listed: totals.bytes_listed,
        bytes_copied: totals.bytes_copied,
        bytes_moved: totals.bytes_moved,
        elapsed_s: now.duration_since(began).as_secs_f64(),
    }
}

/// Whether a word would let a reader of the journal in somewhere.
fn is_secret(word: &str) -> bool {
    let redacted = base::redact::RedactedUrl(word).to_string();
    word.contains("://") && redacted != word
}

/// The job of an earlier sync from and to the same places that did not end whole: its unfinished
/// uploads are gone on with.
fn earlier_sync(
    command: &Command,
    home: &JobsHome,
    folder: &PathBuf,
    persona: Persona,
) -> Option<LockedJob> {
    let Command::Sync(args) = command else {
        return None;
    };
    let same = |words: &[String]| match read(words, persona) {
        Ok(Request::Run(earlier)) => match earlier.cli.command {
            Command::Sync(earlier) => earlier.arguments == args.arguments,
            _ => false,
        },
        _ => false,
    };
    let jobs = home.jobs().ok()?;
    let job = jobs.into_iter().rev().find(|job| {
        job.running.is_none() && job.record.folder == *folder && same(&job.record.words)
    })?;
    home.lock(&job.id).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_let_somebody_in_are_not_written_down() {
        assert!(is_secret("https://user:word@host/"));
        assert!(is_secret("https://host/key?X-Amz-Signature=abc"));
        assert!(!is_secret("https://host:9000/") && !is_secret("s3://bucket/a@b"));
        assert!(!is_secret("plain"));
    }
}
