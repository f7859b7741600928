//! Where a test steps in: it sees every request before the store acts and says what happens.

use std::fmt;
use std::sync::Arc;

use base::Fault;
use futures_util::future::BoxFuture;

use crate::error::{Error, Operation};
use crate::types::ByteRange;

/// A request, as a hook sees it.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// Its place among all requests to this client, from 1.
    pub number: u64,
    /// Its place among the requests of its operation, from 1.
    pub number_of_operation: u64,
    /// The operation.
    pub operation: Operation,
    /// The bucket.
    pub bucket: Option<&'a str>,
    /// The key; of a listing, the prefix.
    pub key: Option<&'a str>,
    /// The part sent, copied or asked about.
    pub part_number: Option<u32>,
    /// The range asked for.
    pub range: Option<ByteRange>,
}

impl<'a> Call<'a> {
    pub(super) fn new(operation: Operation) -> Call<'a> {
        Call {
            number: 0,
            number_of_operation: 0,
            operation,
            bucket: None,
            key: None,
            part_number: None,
            range: None,
        }
    }

    pub(super) fn about(operation: Operation, bucket: &'a str, key: Option<&'a str>) -> Call<'a> {
        Call {
            bucket: Some(bucket),
            key,
            ..Call::new(operation)
        }
    }

    pub(super) fn is_head(&self) -> bool {
        matches!(
            self.operation,
            Operation::HeadObject | Operation::HeadBucket
        )
    }

    /// An answer of the store to this request that says no.
    pub fn error(
        &self,
        fault: Fault,
        status: u16,
        code: &str,
        message: impl Into<String>,
    ) -> Error {
        Error::new(self.operation, fault, message)
            .about(self.bucket, self.key)
            .with_status(status)
            .with_code(code)
            .with_request_ids(Some(format!("memory-{}", self.number)), None)
    }

    /// 403 AccessDenied.
    pub fn access_denied(&self) -> Error {
        self.error(Fault::Denied, 403, "AccessDenied", "Access Denied")
    }

    /// 400 ExpiredToken.
    pub fn expired_token(&self) -> Error {
        let message = "The provided token has expired.";
        self.error(Fault::Expired, 400, "ExpiredToken", message)
    }

    /// 503 SlowDown.
    pub fn slow_down(&self) -> Error {
        let fault = Fault::Throttled { retry_after: None };
        self.error(fault, 503, "SlowDown", "Please reduce your request rate.")
    }

    /// 500 InternalError.
    pub fn internal_error(&self) -> Error {
        let message = "We encountered an internal error. Please try again.";
        self.error(Fault::Unavailable, 500, "InternalError", message)
    }

    /// The connection broke before an answer came.
    pub fn connection_lost(&self) -> Error {
        Error::new(self.operation, Fault::Unavailable, "connection closed")
            .about(self.bucket, self.key)
    }
}

/// What a hook makes of a request.
pub enum Reaction {
    /// The store answers as it should.
    Proceed,
    /// The store does nothing and this is the answer.
    Fail(Error),
    /// The store acts, but this is all the client gets to see.
    ActThenFail(Error),
    /// The store acts once the future is done: latency, or a gate that the test opens.
    Wait(BoxFuture<'static, ()>),
    /// The body of the answer breaks off after so many bytes.
    BreakBody {
        /// Bytes that still arrive.
        after: u64,
    },
    /// One bit of the body is turned over at this offset.
    CorruptBody {
        /// Offset in the body.
        at: u64,
    },
}

impl fmt::Debug for Reaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reaction::Proceed => f.write_str("Proceed"),
            Reaction::Fail(error) => f.debug_tuple("Fail").field(error).finish(),
            Reaction::ActThenFail(error) => f.debug_tuple("ActThenFail").field(error).finish(),
            Reaction::Wait(_) => f.write_str("Wait"),
            Reaction::BreakBody { after } => write!(f, "BreakBody({after})"),
            Reaction::CorruptBody { at } => write!(f, "CorruptBody({at})"),
        }
    }
}

/// Sees every request in the order in which they arrive.
#[derive(Clone)]
pub struct Hook(Arc<dyn Fn(&Call<'_>) -> Reaction + Send + Sync>);

impl Hook {
    /// A hook that runs `react` for each request.
    pub fn new(react: impl Fn(&Call<'_>) -> Reaction + Send + Sync + 'static) -> Hook {
        Hook(Arc::new(react))
    }

    /// Fails request number `number` (from 1) of `operation`.
    pub fn fail_nth(
        operation: Operation,
        number: u64,
        error: impl Fn(&Call<'_>) -> Error + Send + Sync + 'static,
    ) -> Hook {
        Hook::new(move |call| {
            if call.operation == operation && call.number_of_operation == number {
                Reaction::Fail(error(call))
            } else {
                Reaction::Proceed
            }
        })
    }

    /// Answers 403 AccessDenied where `denies` says so.
    pub fn deny(denies: impl Fn(&Call<'_>) -> bool + Send + Sync + 'static) -> Hook {
        Hook::new(move |call| {
            if denies(call) {
                Reaction::Fail(call.access_denied())
            } else {
                Reaction::Proceed
            }
        })
    }

    pub(super) fn react(&self, call: &Call<'_>) -> Reaction {
        (self.0)(call)
    }
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hook")
    }
}
