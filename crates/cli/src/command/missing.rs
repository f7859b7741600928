//! A single object that cannot be had, said as s5cmd says it.

use std::sync::Arc;

use base::Fault;
use base::fault::Classified as _;
use mover::Error;
use mover::job::Ending;
use remote::ObjectClient;

use super::{Call, Result};
use crate::output::cause::{access_denied, no_such_bucket, no_such_key};
use crate::persona::{Outcome, Persona};

/// One object, where it was to go, and whom to ask about it.
pub(super) struct Single {
    /// The source as it prints.
    pub(super) source: String,
    /// The destination as it prints.
    pub(super) destination: String,
    /// The source's store.
    pub(super) client: Arc<dyn ObjectClient>,
}

/// The failure of a job on one object: when the object cannot be had that is an error with a line
/// of its own; everything else is the command's.
///
/// HEAD found it out, and its answers have no body: whether the bucket is there is asked besides.
pub(super) async fn explain(error: Error, single: Option<&Single>, call: Call<'_>) -> Result {
    let (Error::Remote(remote), Some(single)) = (&error, single) else {
        return Err(error.into());
    };
    if remote.key().is_none() || remote.status().is_none() {
        return Err(error.into());
    }
    let persona = call.session.settings.persona;
    let no_bucket = match remote.bucket().map(base::BucketName::new) {
        Some(Ok(bucket)) if remote.fault() == Fault::NotFound => {
            let asked = single.client.head_bucket(bucket).await;
            asked.is_err_and(|error| error.fault() == Fault::NotFound)
        }
        _ => false,
    };
    let cause = match (persona, remote.status()) {
        (Persona::S5cmd, Some(404)) if no_bucket => no_such_bucket(remote),
        (Persona::S5cmd, Some(404)) if !remote.is_code("NoSuchVersion") => no_such_key(remote),
        (Persona::S5cmd, Some(403)) => access_denied(remote),
        _ if no_bucket => format!("{}: the bucket is not there", persona.remote_cause(remote)),
        _ => persona.remote_cause(remote),
    };
    let job = format!("{} {} {}", call.name, single.source, single.destination);
    call.session.output.error(call.name, &job, &cause);
    Ok(Outcome::of(Ending::Failed))
}
