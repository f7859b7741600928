//! The one mapping from what a store says to what a caller can do about it.

use base::Fault;

use super::refusal::Refusal;

/// The fault of a refusal: by its code where S3 gives it a meaning, else by its status.
///
/// Codes of compatible stores stand beside S3's.
pub(super) fn fault_of(refusal: &Refusal) -> Fault {
    let throttled = Fault::Throttled {
        retry_after: refusal.retry_after,
    };
    match refusal.code.as_str() {
        "SlowDown"
        | "SlowDownRead"
        | "SlowDownWrite"
        | "RequestLimitExceeded"
        | "BandwidthLimitExceeded"
        | "QpsLimitExceeded"
        | "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "ServiceUnavailable"
        | "ServerBusy"
        | "TooManyRequests"
        | "TooManyRequestsException" => throttled,

        "InternalError"
        | "InternalServerError"
        | "RequestTimeout"
        | "IncompleteBody"
        | "OperationAborted"
        | "ConditionalRequestConflict" => Fault::Unavailable,

        "NoSuchKey" | "NoSuchBucket" | "NoSuchUpload" | "NoSuchVersion" | "NotFound" => {
            Fault::NotFound
        }

        "PreconditionFailed"
        | "NotModified"
        | "BucketAlreadyExists"
        | "BucketAlreadyOwnedByYou"
        | "BucketNotEmpty" => Fault::Conflict,

        "ExpiredToken"
        | "ExpiredTokenException"
        | "InvalidToken"
        | "InvalidAccessKeyId"
        | "InvalidClientTokenId"
        | "TokenRefreshRequired" => Fault::Expired,

        "AccessDenied"
        | "AllAccessDisabled"
        | "AccountProblem"
        | "SignatureDoesNotMatch"
        | "RequestTimeTooSkewed"
        | "RequestExpired"
        | "InvalidSecurity"
        | "Unauthorized"
        | "Forbidden" => Fault::Denied,

        "BadDigest" | "XAmzContentSHA256Mismatch" | "XAmzContentChecksumMismatch" => Fault::Corrupt,

        // An archived object: no try will help before somebody restores it.
        "InvalidObjectState" => Fault::Invalid,

        "MethodNotAllowed" if refusal.delete_marker => Fault::NotFound,
        "NotImplemented" | "MethodNotAllowed" => Fault::Unsupported,

        _ => match refusal.status.as_u16() {
            401 | 403 => Fault::Denied,
            404 | 410 => Fault::NotFound,
            405 | 501 => Fault::Unsupported,
            409 | 412 | 304 => Fault::Conflict,
            408 | 500 | 502 | 504 | 507 => Fault::Unavailable,
            429 | 503 => throttled,
            status if status > 504 => Fault::Unavailable,
            _ => Fault::Invalid,
        },
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::StatusCode;

    use super::*;

    fn fault(status: u16, code: &str) -> Fault {
        fault_of(&Refusal {
            status: StatusCode::from_u16(status).unwrap(),
            code: code.to_owned(),
            retry_after: Some(Duration::from_secs(2)),
            ..Refusal::default()
        })
    }

    #[test]
    fn codes_and_statuses_have_their_fault() {
        let throttled = Fault::Throttled {
            retry_after: Some(Duration::from_secs(2)),
        };
        let cases = [
            (503, "SlowDown", throttled),
            (503, "Whatever", throttled),
            (429, "Whatever", throttled),
            // S3's own quirk: these come with other statuses than their meaning has.
            (400, "RequestTimeout", Fault::Unavailable),
            (200, "InternalError", Fault::Unavailable),
            (200, "SlowDown", throttled),
            (502, "BadGateway", Fault::Unavailable),
            (504, "GatewayTimeout", Fault::Unavailable),
            (404, "NoSuchUpload", Fault::NotFound),
            (404, "Whatever", Fault::NotFound),
            (412, "PreconditionFailed", Fault::Conflict),
            (409, "ConditionalRequestConflict", Fault::Unavailable),
            (409, "OperationAborted", Fault::Unavailable),
            (409, "BucketNotEmpty", Fault::Conflict),
            (403, "AccessDenied", Fault::Denied),
            (403, "Whatever", Fault::Denied),
            (400, "ExpiredToken", Fault::Expired),
            (403, "InvalidAccessKeyId", Fault::Expired),
            (400, "BadDigest", Fault::Corrupt),
            (400, "XAmzContentSHA256Mismatch", Fault::Corrupt),
            (501, "NotImplemented", Fault::Unsupported),
            (405, "MethodNotAllowed", Fault::Unsupported),
            (416, "InvalidRange", Fault::Invalid),
            (403, "InvalidObjectState", Fault::Invalid),
            (301, "PermanentRedirect", Fault::Invalid),
            (400, "Whatever", Fault::Invalid),
        ];
        for (status, code, expected) in cases {
            assert_eq!(fault(status, code), expected, "{status} {code}");
        }
    }
}
