//! How the store in memory says no: S3's codes and statuses.

use std::borrow::Cow;

use base::Fault;

use super::hook::Call;
use crate::error::Error;
use crate::types::{DeleteFailure, ObjectIdentifier};

/// A refused request, before it is known what was asked about.
#[derive(Debug)]
pub(super) struct Refusal {
    fault: Fault,
    status: u16,
    code: &'static str,
    message: Cow<'static, str>,
}

impl Refusal {
    pub(super) fn new(
        fault: Fault,
        status: u16,
        code: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) -> Refusal {
        Refusal {
            fault,
            status,
            code,
            message: message.into(),
        }
    }

    pub(super) fn no_such_bucket() -> Refusal {
        let message = "The specified bucket does not exist";
        Refusal::new(Fault::NotFound, 404, "NoSuchBucket", message)
    }

    pub(super) fn no_such_key() -> Refusal {
        let message = "The specified key does not exist.";
        Refusal::new(Fault::NotFound, 404, "NoSuchKey", message)
    }

    pub(super) fn no_such_version() -> Refusal {
        let message = "The specified version does not exist.";
        Refusal::new(Fault::NotFound, 404, "NoSuchVersion", message)
    }

    pub(super) fn no_such_upload() -> Refusal {
        let message = "The specified upload does not exist. The upload ID may be invalid, or the \
                       upload may have been aborted or completed.";
        Refusal::new(Fault::NotFound, 404, "NoSuchUpload", message)
    }

    pub(super) fn precondition_failed() -> Refusal {
        let message = "At least one of the pre-conditions you specified did not hold";
        Refusal::new(Fault::Conflict, 412, "PreconditionFailed", message)
    }

    pub(super) fn is_delete_marker() -> Refusal {
        let message = "The specified method is not allowed against this resource.";
        Refusal::new(Fault::NotFound, 405, "MethodNotAllowed", message)
    }

    pub(super) fn invalid_range() -> Refusal {
        let message = "The requested range is not satisfiable";
        Refusal::new(Fault::Invalid, 416, "InvalidRange", message)
    }

    pub(super) fn archived() -> Refusal {
        let message = "The operation is not valid for the object's storage class";
        Refusal::new(Fault::Invalid, 403, "InvalidObjectState", message)
    }

    pub(super) fn access_denied() -> Refusal {
        let message = "Access Denied because object protected by object lock.";
        Refusal::new(Fault::Denied, 403, "AccessDenied", message)
    }

    pub(super) fn bad_digest() -> Refusal {
        let message = "The CRC64NVME you specified did not match the calculated checksum.";
        Refusal::new(Fault::Corrupt, 400, "BadDigest", message)
    }

    pub(super) fn invalid_part() -> Refusal {
        let message = "One or more of the specified parts could not be found. The part may not \
                       have been uploaded, or the specified entity tag may not match the part's \
                       entity tag.";
        Refusal::new(Fault::Invalid, 400, "InvalidPart", message)
    }

    /// What DeleteObjects says of one of its keys.
    pub(super) fn into_failure(self, object: ObjectIdentifier) -> DeleteFailure {
        DeleteFailure {
            object,
            code: self.code.to_owned(),
            message: self.message.into_owned(),
        }
    }

    /// The error of `call`, which HEAD answers without a body: then there is no code but the
    /// status's own.
    pub(super) fn into_error(self, call: &Call<'_>) -> Error {
        let (code, message) = match (call.is_head(), self.status) {
            (true, 404) => ("NotFound", Cow::Borrowed("Not Found")),
            (true, 412) => ("PreconditionFailed", Cow::Borrowed("Precondition Failed")),
            (true, 403) => ("Forbidden", Cow::Borrowed("Forbidden")),
            _ => (self.code, self.message),
        };
        call.error(self.fault, self.status, code, message)
    }
}
