//! The coarse fault: what a caller can do about an error, across crates.

use std::time::Duration;

/// What the caller can do about an error. The message beside it is for people and may change.
///
/// A variant is added only when somebody would act differently on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The other side asks for less; wait at least `retry_after` if it said so.
    Throttled { retry_after: Option<Duration> },
    /// The other side, or the way to it, is out of order for now.
    Unavailable,
    /// What was asked for is not there.
    NotFound,
    /// A condition did not hold, or the thing changed under us.
    Conflict,
    /// We may not do this.
    Denied,
    /// The credentials are no longer valid (or not yet): new ones may mend it.
    Expired,
    /// Bytes differ from their checksum.
    Corrupt,
    /// A newer owner has taken over.
    Fenced,
    /// Stopped on purpose. Not a failure.
    Cancelled,
    /// The request can never succeed as it is.
    Invalid,
    /// The other side does not know this operation or header.
    Unsupported,
    /// The local disk or the operating system refused.
    Local,
    /// A broken belief of our own.
    Bug,
}

impl Fault {
    /// Whether the same request may succeed when it is simply sent again.
    ///
    /// The one place where this is decided, for every crate.
    pub fn is_retryable(self) -> bool {
        match self {
            Fault::Throttled { .. } | Fault::Unavailable | Fault::Corrupt => true,
            Fault::NotFound
            | Fault::Conflict
            | Fault::Denied
            | Fault::Expired
            | Fault::Fenced
            | Fault::Cancelled
            | Fault::Invalid
            | Fault::Unsupported
            | Fault::Local
            | Fault::Bug => false,
        }
    }
}

/// An error that knows its coarse fault; `flow::retry` acts on nothing else.
pub trait Classified {
    /// What the caller can do about this error.
    fn fault(&self) -> Fault;
}

impl Classified for Fault {
    fn fault(&self) -> Fault {
        *self
    }
}
