//! Deletes what sources name.

use std::sync::Arc;

use crate::accounts::Accounts;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::filter::Filter;
use crate::job::Report;
use crate::source::Source;

/// An `rm` as it was asked for.
#[derive(Debug, Clone)]
pub struct DeleteJob {
    /// What, in the context's destination store or on this machine.
    pub sources: Vec<Source>,
    /// Which of it counts.
    pub filter: Filter,
    /// Say what would be deleted, and delete nothing.
    pub dry_run: bool,
}

/// Runs a delete to its end.
///
/// An error is what kept it from running; what failed later is in the report.
pub async fn run(job: DeleteJob, context: &Context, accounts: &Arc<Accounts>) -> Result<Report> {
    let _ = (job, context, accounts);
    Err(Error::Usage("rm is on its way".to_owned()))
}
