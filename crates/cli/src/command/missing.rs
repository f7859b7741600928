//! A single object that is not there, said as s5cmd says it.

use base::Fault;
use base::fault::Classified as _;
use mover::Error;
use mover::job::Ending;

use super::{Call, Result};
use crate::output::cause::no_such_key;
use crate::persona::{Outcome, Persona};

/// The failure of a job on one object: a key that is not there is an error of that object, with
/// its own line; everything else is the command's.
pub(super) fn explain(error: Error, single: Option<&(String, String)>, call: Call<'_>) -> Result {
    let (Error::Remote(remote), Some((source, destination))) = (&error, single) else {
        return Err(error.into());
    };
    if remote.fault() != Fault::NotFound || remote.key().is_none() {
        return Err(error.into());
    }
    let session = call.session;
    let cause = match session.settings.persona {
        Persona::S5cmd if remote.is_code("NoSuchVersion") => {
            session.settings.persona.remote_cause(remote)
        }
        Persona::S5cmd => no_such_key(remote),
        Persona::Longhaul => session.settings.persona.remote_cause(remote),
    };
    let job = format!("{} {source} {destination}", call.name);
    session.output.error(call.name, &job, &cause);
    Ok(Outcome::of(Ending::Failed))
}
