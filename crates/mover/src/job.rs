//! A job: what a command asks for, and how it ended.

pub mod copy;
pub mod delete;
pub mod estimate;
pub mod exists;
pub mod sync;
pub mod verify;
pub mod versions;

use std::time::Duration;

use crate::accounts::{Accounts, Sums};

/// How a job ended.
#[derive(Debug, Clone)]
pub struct Report {
    /// The sums; they close, or `accounts_closed` says that they do not.
    pub sums: Sums,
    /// False is a broken belief of ours: the run must not be called complete.
    pub accounts_closed: bool,
    /// Stopped on purpose before the end.
    pub stopped: bool,
    /// Wall time.
    pub elapsed: Duration,
}

/// The four ways a run can end, by exit code (DESIGN §4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// 0: everything asked for was done.
    Done,
    /// 1: something failed or was refused, by name.
    Failed,
    /// 2: could not run.
    CouldNotRun,
    /// 3: stopped on purpose; can go on.
    Stopped,
}

impl Report {
    /// The report of a job that has ended. `stopping` says that it was asked to stop, `whole` that
    /// its listing had ended by itself: a job that had nothing left to do was not stopped.
    pub(crate) fn of(
        accounts: &Accounts,
        stopping: bool,
        whole: bool,
        elapsed: Duration,
    ) -> Report {
        let sums = accounts.sums();
        Report {
            sums,
            accounts_closed: sums.close(),
            stopped: stopping && (!whole || sums.pending > 0),
            elapsed,
        }
    }

    /// The ending that the sums amount to. Gone and unverified objects fail only under `strict`.
    pub fn ending(&self, strict: bool) -> Ending {
        let sums = &self.sums;
        let failures = sums.failed
            + sums.refused
            + sums.copied_not_deleted
            + sums.extra_delete_failed
            + sums.job_failures;
        let unsure = sums.gone + sums.unverified;
        if self.stopped {
            Ending::Stopped
        } else if failures > 0 || !self.accounts_closed || (strict && unsure > 0) {
            Ending::Failed
        } else {
            Ending::Done
        }
    }
}
