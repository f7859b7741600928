//! What interrupts do: the first stops taking work, the second ends at once.

use std::io;
use std::time::Duration;

use base::ByteCount;
use mover::job::Ending;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::args::Command;
use crate::persona::Outcome;
use crate::session::Session;

/// After this long a run that was asked to stop is abandoned. Parts under way end or are given up
/// within a few seconds; what has not ended by then hangs.
const GRACE: Duration = Duration::from_secs(15);

/// What a process exits with at the second interrupt: 128 and SIGINT's number.
const INTERRUPTED: i32 = 130;

/// The signals that a run listens to.
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    status: Signal,
}

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Stop.
    Stop,
    /// Say how far it is.
    Status,
}

impl Signals {
    /// Begins to listen. Must be called inside a runtime.
    pub(crate) fn listen() -> io::Result<Signals> {
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            status: signal(SignalKind::user_defined1())?,
        })
    }

    /// The next signal.
    pub(crate) async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.interrupt.recv() => Asked::Stop,
            _ = self.terminate.recv() => Asked::Stop,
            _ = self.status.recv() => Asked::Status,
        }
    }
}

/// Answers the first interrupt, and ends the process at the second.
pub(crate) fn stop(session: &Session) {
    let output = &session.output;
    if session.stopping.is_cancelled() {
        output.flush();
        output.set_bar(None);
        if let Some(id) = session.job.id() {
            output.talk(format_args!("longhaul resume {id}"));
        }
        std::process::exit(INTERRUPTED);
    }
    session.stopping.cancel();
    output.talk(format_args!(
        "stopping: finishing what is under way; interrupt again to end at once"
    ));
}

/// Says what was done and how to go on, where there is something to go on with.
pub(crate) fn say_what_is_left(session: &Session, command: &Command) {
    let journalled = session.job.id().is_some();
    let again = match command {
        Command::Copy(_) | Command::Move(_) | Command::Sync(_) if journalled => "go on with:",
        Command::Sync(_) | Command::Remove(_) => "the same command goes on",
        Command::Copy(_) => "sync goes on without what has arrived, cp begins anew",
        Command::Move(_) => "the same command goes on: what was moved is no longer at the source",
        Command::Run(_) => {
            "run it again: sync lines, and cp lines with -n, leave alone what has arrived"
        }
        Command::List(_)
        | Command::MakeBucket(_)
        | Command::RemoveBucket(_)
        | Command::Select(_)
        | Command::DiskUsage(_)
        | Command::Cat(_)
        | Command::Pipe(_)
        | Command::Version(_)
        | Command::BucketVersion(_)
        | Command::Presign(_)
        | Command::Head(_)
        | Command::Exists(_)
        | Command::Verify(_)
        | Command::Jobs(_)
        | Command::Resume(_)
        | Command::Uploads(_)
        | Command::Doctor(_)
        | Command::Completions(_)
        | Command::Demo(_) => return,
    };
    let totals = session.totals();
    session.output.talk(format_args!(
        "stopped: {} of the {} objects found so far are done ({} copied, {}), {} are left; {again}",
        totals.settled,
        totals.listed,
        totals.copied,
        ByteCount(totals.bytes_copied),
        totals.listed.saturating_sub(totals.settled + totals.failed),
    ));
}

/// Ends, a while after the session began to stop, what has not ended by itself.
pub(crate) async fn give_up(session: &Session) -> Outcome {
    session.stopping.cancelled().await;
    tokio::time::sleep(GRACE).await;
    Outcome::of(Ending::Stopped)
}
