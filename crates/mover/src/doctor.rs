//! What a run would be missing, found out by harmless calls before it begins.
//!
//! Overview: [`examine`] looks at each side in turn. A store's source side is listed, and one
//! object of it is asked for a byte; its destination side is tried by an upload that gets one part
//! and is given up again. Nothing is ever put in place. What the answers mean is decided in
//! `check`, what to ask the other party for in [`policy`]. Invariants: an upload that was begun is
//! given up, and that it is gone is looked at; where it cannot be, the check says so with its id.
//! Retries: the clients' own. Cancellation: dropping the future between begin and abort leaves an
//! upload without an object, which costs what one byte costs. Limits: some twenty requests.

mod check;
mod destination;
mod folder;
pub mod policy;
mod source;

use std::sync::Arc;

use remote::ObjectClient;

use crate::source::Side;
use crate::url::Target;

pub use self::check::{Check, Standing};
use self::policy::{Intent, PolicyRequest};

/// One end of a run that is planned.
#[derive(Debug, Clone)]
pub struct Party {
    /// Where.
    pub target: Target,
    /// Who asks there; of no use for a folder.
    pub client: Arc<dyn ObjectClient>,
}

/// What is to be examined.
#[derive(Debug, Clone)]
pub struct Visit {
    /// What is to be read.
    pub source: Party,
    /// Where it is to go, if that matters.
    pub destination: Option<Party>,
    /// What is planned.
    pub intent: Intent,
    /// A key of the source to try, instead of one that is listed.
    pub key: Option<base::Key>,
    /// For a name at the destination that nobody uses.
    pub random: u64,
}

/// What was found.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Findings {
    /// One row a thing that was looked at.
    pub checks: Vec<Check>,
    /// The smallest policies that let the run through, one a bucket.
    pub policies: Vec<PolicyRequest>,
}

impl Findings {
    /// How many things are missing that the run needs.
    pub fn missing(&self) -> usize {
        let missing = |check: &&Check| check.standing == Standing::Missing;
        self.checks.iter().filter(missing).count()
    }
}

/// Looks at everything that can be looked at without harm.
pub async fn examine(visit: &Visit) -> Findings {
    let mut checks = Vec::new();
    let mut policies = Vec::new();
    let sample = match &visit.source.target {
        Target::Remote(url) => {
            let sample = source::examine(visit, url, &mut checks).await;
            let need = policy::of_source(visit.intent, url, &sample.traits);
            policies.push(PolicyRequest::new(
                Side::Source,
                &need,
                sample.region.as_deref(),
            ));
            Some(sample)
        }
        Target::Local(path) => {
            checks.extend(folder::readable(path.clone()).await);
            None
        }
    };
    if let Some(party) = &visit.destination {
        match &party.target {
            Target::Remote(url) => {
                let region = destination::examine(visit, party, url, sample.as_ref(), &mut checks);
                let region = region.await;
                let traits = sample.map(|sample| sample.traits).unwrap_or_default();
                let need = policy::of_destination(visit.intent, url, &traits);
                let side = Side::Destination;
                policies.push(PolicyRequest::new(side, &need, region.as_deref()));
            }
            Target::Local(path) => {
                checks.extend(folder::writable(path.clone(), visit.random).await);
            }
        }
    }
    Findings { checks, policies }
}

#[cfg(test)]
mod tests;
