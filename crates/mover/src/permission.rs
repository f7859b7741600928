//! What happens when a side's permission is lost: nothing fails, the side waits.
//!
//! Overview: [`guard`] wraps both clients of a context. Each request goes through its side's
//! `Lane`, which decides (purely) what a refusal means; `guarded` carries that out. Credentials
//! that the store calls expired or unknown close the lane at once. Refusals of a key are held
//! until something shows whose fault they are: a request of the same kind that was sent later and
//! worked, or a probe (a key that worked before is asked for one byte; a write is tried against an
//! upload that does not exist). Invariants: a request that met a loss is sent again once the
//! permission is back, and its caller never hears of it; a key that is refused twice with a proof
//! between is a failure of its own. Ordering: none. Retries: those just named; requests that break
//! are the client's own matter. Cancellation: a stopping context ends every wait with
//! [`base::Fault::Cancelled`], which leaves the object pending. Crash: nothing is kept. Limits:
//! what waits holds its permits, so as much waits as was under way.

mod guarded;
mod lane;
mod probe;
mod watch;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use crate::context::Context;
use crate::source::Side;

use self::guarded::Guarded;
use self::lane::Lane;
use self::watch::Watched;

/// What is done while a side's permission is lost (`--on-denied`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDenied {
    /// Wait until it is back, this long at the most.
    Wait(Option<Duration>),
    /// Stop the run: what is not done is pending.
    Stop,
}

/// Why a text says nothing about lost permissions.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("write wait, wait=DURATION (as wait=12h) or stop")]
pub struct InvalidOnDenied;

impl FromStr for OnDenied {
    type Err = InvalidOnDenied;

    fn from_str(text: &str) -> Result<OnDenied, InvalidOnDenied> {
        match text.split_once('=') {
            None if text == "wait" => Ok(OnDenied::Wait(None)),
            None if text == "stop" => Ok(OnDenied::Stop),
            Some(("wait", length)) => {
                let length: jiff::SignedDuration = length.parse().map_err(|_| InvalidOnDenied)?;
                let length = Duration::try_from(length).map_err(|_| InvalidOnDenied)?;
                Ok(OnDenied::Wait(Some(length)))
            }
            _ => Err(InvalidOnDenied),
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Side::Source => "source",
            Side::Destination => "destination",
        })
    }
}

/// A context whose requests wait, or stop the run, when a side's permission is lost. The given
/// context's token stops the new one; a loss that stops the run stops the new one alone.
pub fn guard(context: &Context, on_denied: OnDenied) -> Context {
    let stopping: CancellationToken = context.stopping.child_token();
    let wrap = |side: Side| {
        let watched = Watched {
            client: side.client(context),
            side,
            on_denied,
            observer: Arc::clone(&context.observer),
            stopping: stopping.clone(),
            lane: Mutex::new(match side {
                Side::Source => Lane::default(),
                Side::Destination => Lane::of_destination(),
            }),
            changed: Default::default(),
        };
        Arc::new(Guarded(Arc::new(watched)))
    };
    Context {
        source: wrap(Side::Source),
        destination: wrap(Side::Destination),
        stopping: stopping.clone(),
        ..context.clone()
    }
}

#[cfg(test)]
mod tests;
