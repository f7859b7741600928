//! Answers that say no, as a client hands them on.

use std::time::Duration;

use base::{BucketName, Fault};

use crate::error::{Error, Operation};

/// What a request is about, for errors and for dice.
#[derive(Debug, Clone, Copy)]
pub(super) struct About<'a> {
    pub(super) operation: Operation,
    pub(super) bucket: Option<&'a str>,
    /// The key; of a listing, the prefix.
    pub(super) key: Option<&'a str>,
    /// What else tells this request from others: a part's number, an offset, a token.
    pub(super) place: &'a str,
}

impl<'a> About<'a> {
    pub(super) fn object(operation: Operation, bucket: &'a BucketName, key: &'a str) -> About<'a> {
        About {
            operation,
            bucket: Some(bucket.as_str()),
            key: Some(key),
            place: "",
        }
    }

    pub(super) fn bucket(operation: Operation, bucket: &'a BucketName) -> About<'a> {
        About {
            operation,
            bucket: Some(bucket.as_str()),
            key: None,
            place: "",
        }
    }

    fn error(self, fault: Fault, status: u16, code: &str, message: &str) -> Error {
        self.broken(fault, message)
            .with_status(status)
            .with_code(code)
            .with_request_ids(Some("faulty".to_owned()), None)
    }

    /// An error without an answer.
    pub(super) fn broken(self, fault: Fault, message: &str) -> Error {
        Error::new(self.operation, fault, message).about(self.bucket, self.key)
    }

    pub(super) fn reset(self) -> Error {
        self.broken(Fault::Unavailable, "connection reset")
    }

    pub(super) fn stalled(self, stall: Duration) -> Error {
        let message = format!("nothing came for {} s", stall.as_secs());
        self.broken(Fault::Unavailable, &message)
    }

    pub(super) fn internal(self) -> Error {
        let message = "We encountered an internal error. Please try again.";
        self.error(Fault::Unavailable, 500, "InternalError", message)
    }

    pub(super) fn inside_200(self) -> Error {
        let message = "We encountered an internal error. Please try again.";
        self.error(Fault::Unavailable, 200, "InternalError", message)
    }

    pub(super) fn denied(self) -> Error {
        self.error(Fault::Denied, 403, "AccessDenied", "Access Denied")
    }

    pub(super) fn slow_down(self) -> Error {
        let fault = Fault::Throttled { retry_after: None };
        self.error(fault, 503, "SlowDown", "Please reduce your request rate.")
    }

    pub(super) fn expired(self) -> Error {
        let message = "The provided token has expired.";
        self.error(Fault::Expired, 400, "ExpiredToken", message)
    }

    pub(super) fn skewed(self) -> Error {
        let message = "The difference between the request time and the current time is too large.";
        self.error(Fault::Denied, 403, "RequestTimeTooSkewed", message)
    }

    /// A page without an end, as the client's parser finds it.
    pub(super) fn endless(self) -> Error {
        let message = "the page is truncated but does not say where the next one begins";
        self.broken(Fault::Unavailable, message)
    }

    /// Whether S3 may answer this with 200 before it knows how it ends.
    pub(super) fn may_fail_inside_200(self) -> bool {
        matches!(
            self.operation,
            Operation::CopyObject
                | Operation::UploadPartCopy
                | Operation::CompleteMultipartUpload
                | Operation::DeleteObjects
        )
    }
}
