//! What each command does.
//!
//! A command first checks its arguments (what it refuses there is a [`Failure::Usage`] and counts
//! nowhere), then works. What fails for one object is printed as it happens; what ends the command
//! is its [`Failure`], printed once, here.

mod bucket;
mod bucket_version;
mod cat;
mod completions;
mod copy;
mod deadline;
mod demo;
mod disk_usage;
mod doctor;
mod exists;
mod head;
mod jobs;
mod list;
mod missing;
mod named;
mod patience;
mod pipe;
mod presign;
mod remove;
mod run;
mod select;
mod summary;
mod sync;
mod transfer;
mod uploads;
mod verify;

use std::sync::Arc;

use mover::job::Ending;
use mover::{Error, Report, Verb};

use crate::args::Command;
use crate::args::grammar::Invocation;
use crate::persona::Outcome;
use crate::session::Session;

/// Why a command ended without having done its work.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It cannot mean what was asked; nothing was done.
    Usage(String),
    /// What is named is not there, as far as can be seen before anything was done.
    Missing(String),
    /// No client could be made.
    Client(remote::Error),
    /// A request failed.
    Remote(remote::Error),
    /// A job could not run, or an object failed.
    Job(Error),
    /// Anything else, in words ready to be printed.
    Said(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Job(error)
    }
}

impl From<remote::Error> for Failure {
    fn from(error: remote::Error) -> Failure {
        Failure::Remote(error)
    }
}

/// Result of a command.
pub(crate) type Result = std::result::Result<Outcome, Failure>;

/// One call of a command.
#[derive(Clone, Copy)]
pub(crate) struct Call<'s> {
    pub(crate) session: &'s Session,
    /// The command's name, as messages and the table of `--stat` say it.
    pub(crate) name: &'s str,
    /// The command as messages repeat it.
    pub(crate) typed: &'s str,
}

/// Runs a command: prints what it prints, counts it, says how it ended.
pub(crate) async fn dispatch(invocation: &Invocation, session: &Arc<Session>) -> Outcome {
    let call = Call {
        session,
        name: &invocation.name,
        typed: &invocation.typed,
    };
    let result = match &invocation.cli.command {
        Command::Run(args) => run::run(args, call, session).await,
        Command::Demo(_) => demo::run(call).await,
        _ => return dispatch_one(invocation, session).await,
    };
    match result {
        Ok(outcome) => outcome,
        Err(failure) => ended(&failure, call),
    }
}

/// Runs any command that may stand in a run file: all but `run` and `demo`.
async fn dispatch_one(invocation: &Invocation, session: &Session) -> Outcome {
    let call = Call {
        session,
        name: &invocation.name,
        typed: &invocation.typed,
    };
    let result = match &invocation.cli.command {
        Command::List(args) => list::run(args, call).await,
        Command::DiskUsage(args) => disk_usage::run(args, call).await,
        Command::Head(args) => head::run(args, call).await,
        Command::MakeBucket(args) => bucket::make(args, call).await,
        Command::RemoveBucket(args) => bucket::remove(args, call).await,
        Command::BucketVersion(args) => bucket_version::run(args, call).await,
        Command::Presign(args) => presign::run(args, call).await,
        Command::Cat(args) => cat::run(args, call).await,
        Command::Copy(args) => copy::run(args, Verb::Copy, call).await,
        Command::Move(args) => copy::run(args, Verb::Move, call).await,
        Command::Sync(args) => sync::run(args, call).await,
        Command::Remove(args) => remove::run(args, call).await,
        Command::Pipe(args) => pipe::run(args, call).await,
        Command::Select(_) => select::run(call),
        Command::Exists(args) => exists::run(args, call).await,
        Command::Verify(args) => verify::run(args, call).await,
        Command::Jobs(args) => jobs::run(args, call).await,
        Command::Uploads(args) => uploads::run(args, call).await,
        Command::Doctor(args) => doctor::run(args, call).await,
        Command::Completions(args) => completions::run(args, call),
        Command::Version(_) => {
            let version = crate::start::version(session.settings.persona);
            session.output.text(format_args!("{version}"));
            Ok(Outcome::DONE)
        }
        // A line of a run file is never one of these, which are taken before.
        Command::Run(_) | Command::Demo(_) | Command::Resume(_) => Err(Failure::Usage(format!(
            "\"{}\" is not permitted in run-mode",
            invocation.name
        ))),
    };
    let counted = is_counted(&invocation.cli.command);
    match result {
        Ok(outcome) => {
            if counted {
                session.stat.count(call.name, outcome.peer_failed);
            }
            outcome
        }
        Err(failure) => {
            if counted && !matches!(failure, Failure::Usage(_) | Failure::Missing(_)) {
                session.stat.count(call.name, true);
            }
            ended(&failure, call)
        }
    }
}

/// s5cmd's table leaves these out.
fn is_counted(command: &Command) -> bool {
    !matches!(
        command,
        Command::Run(_) | Command::Version(_) | Command::BucketVersion(_) | Command::Completions(_)
    )
}

/// Prints a failure and says what it means for the exit code.
fn ended(failure: &Failure, call: Call<'_>) -> Outcome {
    let persona = call.session.settings.persona;
    let (cause, ending) = match failure {
        Failure::Usage(line) => (line.clone(), Ending::CouldNotRun),
        Failure::Client(error) => (persona.remote_cause(error), Ending::CouldNotRun),
        Failure::Remote(error) => (persona.remote_cause(error), Ending::Failed),
        Failure::Job(Error::Cancelled) => return Outcome::of(Ending::Stopped),
        Failure::Job(error @ Error::Usage(_)) => (persona.cause(error), Ending::CouldNotRun),
        Failure::Job(error) => (persona.cause(error), Ending::Failed),
        Failure::Said(line) | Failure::Missing(line) => (line.clone(), Ending::Failed),
    };
    call.session.output.error(call.name, call.typed, &cause);
    Outcome::of(ending)
}

/// What a job's report means for the exit code; says so when its sums do not close.
pub(crate) fn reported(report: &Report, call: Call<'_>) -> Outcome {
    let settings = &call.session.settings;
    if !report.accounts_closed {
        call.session.output.error(
            call.name,
            call.typed,
            &format!(
                "the sums do not close, this is a fault of ours: {:?}",
                report.sums
            ),
        );
    }
    let ending = report.ending(settings.strict);
    let sums = &report.sums;
    Outcome {
        ending,
        // What went away meanwhile is an error to s5cmd, too.
        peer_failed: ending != Ending::Done || sums.gone > 0,
    }
}
