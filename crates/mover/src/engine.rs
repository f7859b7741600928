//! Carries out moves, many at once, under the limits of the context.

use std::sync::Arc;

use tokio_util::task::TaskTracker;

use crate::accounts::Accounts;
use crate::context::Context;
use crate::entry::Entry;
use crate::event::Verb;
use crate::job::copy::CopyConditions;
use crate::journal::Slip;
use crate::location::Location;
use crate::options::TransferOptions;
use crate::task::{self, Outcome};
use crate::transfer::scope::Scope;

/// One object's move, decided by a job.
#[derive(Debug, Clone)]
pub struct Move {
    /// Copy or move.
    pub verb: Verb,
    /// The object as it was found.
    pub source: Entry,
    /// Where it goes.
    pub destination: Location,
    /// How.
    pub options: Arc<TransferOptions>,
}

/// Takes moves and carries them out.
///
/// Overview: `submit` waits for one of the context's object permits, then runs the move in a task
/// of its own; `finish` waits for all. Invariants: every submitted move ends in exactly one of
/// `copied`, `same`, `ignored`, `failed`, `refused`, `gone` or `pending` of the accounts, and one
/// event tells it (none tells what is pending). Ordering: none. Retries: requests by the client,
/// bodies that break off by the transfer. Cancellation: once the context is stopping, `submit`
/// counts the move as pending and returns; moves under way are finished or given up within
/// seconds, and what is given up counts as pending too. Crash: files under a temporary name and
/// unfinished uploads may be left. Limits: `Context::objects` and `Context::flow`.
#[derive(Debug)]
pub struct Engine {
    scope: Arc<Scope>,
    tasks: TaskTracker,
}

impl Engine {
    /// An engine with nothing under way.
    pub fn new(context: Context, accounts: Arc<Accounts>) -> Engine {
        Engine {
            scope: Arc::new(Scope::new(context, accounts)),
            tasks: TaskTracker::new(),
        }
    }

    /// Takes a move: waits for an object permit, then returns while the move runs. Dropping the
    /// future while it waits leaves the move counted as pending.
    pub async fn submit(&self, task: Move) {
        self.submit_under(task, CopyConditions::default()).await;
    }

    /// Takes a move that is made only where `conditions` let it.
    pub(crate) async fn submit_under(&self, task: Move, conditions: CopyConditions) {
        self.submit_journalled(task, conditions, None).await;
    }

    /// As [`submit_under`](Self::submit_under), with the move's place in the journal.
    pub(crate) async fn submit_journalled(
        &self,
        task: Move,
        conditions: CopyConditions,
        slip: Option<Slip>,
    ) {
        let accounts = &self.scope.accounts;
        accounts.pending.add(1);
        let context = &self.scope.context;
        let permit = tokio::select! {
            biased;
            () = context.stopping.cancelled() => return,
            permit = Arc::clone(&context.objects).acquire_owned() => {
                permit.expect("the semaphore of objects is never closed")
            }
        };
        accounts.in_flight.add(1);
        accounts.pending.subtract(1);
        let scope = Arc::clone(&self.scope);
        let work = async move {
            task::run(scope, task, conditions, slip).await;
            drop(permit);
        };
        let tracked = self.tasks.track_future(work);
        // The tracker waits for it; a panic inside is settled by the task's own guard.
        drop(base::tasks::spawn("move", tracked));
    }

    /// Carries out a move here and now and says how it ended. The caller holds an object permit and
    /// has counted the move as pending.
    pub(crate) async fn carry(&self, task: Move) -> Outcome {
        let accounts = &self.scope.accounts;
        accounts.in_flight.add(1);
        accounts.pending.subtract(1);
        let scope = Arc::clone(&self.scope);
        task::run(scope, task, CopyConditions::default(), None).await
    }

    /// Waits until every move has ended.
    pub async fn finish(self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}

#[cfg(test)]
mod tests;
