//! Carries out moves, many at once, under the limits of the context.

use std::sync::Arc;

use crate::accounts::Accounts;
use crate::context::Context;
use crate::entry::Entry;
use crate::event::Verb;
use crate::location::Location;
use crate::options::TransferOptions;

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
/// `copied`, `failed`, `refused`, `gone` or `pending` of the accounts, and one event tells it.
/// Cancellation: once the context is stopping, `submit` counts the move as pending and returns.
#[derive(Debug)]
pub struct Engine {
    context: Context,
    accounts: Arc<Accounts>,
}

impl Engine {
    /// An engine with nothing under way.
    pub fn new(context: Context, accounts: Arc<Accounts>) -> Engine {
        Engine { context, accounts }
    }
}
