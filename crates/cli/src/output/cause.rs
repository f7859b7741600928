//! Why something failed, in one line, in the words of the name that the program was called by.

use std::error::Error as _;

use base::Fault;
use base::fault::Classified as _;
use mover::Error;
use remote::Operation;

use crate::persona::Persona;

impl Persona {
    /// A failure's cause.
    pub(crate) fn cause(self, error: &Error) -> String {
        match (self, error) {
            (Persona::S5cmd, Error::Remote(error)) => sdk_line(error),
            (Persona::S5cmd, Error::Local { source, .. }) => {
                // Go prints what was tried and the path before what the system said, as ours does.
                format!("{error}: {}", system_words(source))
            }
            (Persona::Longhaul, Error::Remote(error)) => self.remote_cause(error),
            (_, error) => chain(error),
        }
    }

    /// The cause of a request that failed.
    pub(crate) fn remote_cause(self, error: &remote::Error) -> String {
        match self {
            Persona::S5cmd => sdk_line(error),
            Persona::Longhaul if is_unknown(error) => format!("{}; {UNKNOWN}", chain(error)),
            Persona::Longhaul => chain(error),
        }
    }
}

/// What a refused HEAD does not tell.
/// Source: S3 API reference, "HeadObject": 403 for an absent key to those who may not list (read
/// 2026-11).
const UNKNOWN: &str = "whether it is there is not known: who may not list the bucket is answered \
                       so for a key that is absent, too";

fn is_unknown(error: &remote::Error) -> bool {
    error.operation() == Operation::HeadObject && error.fault() == Fault::Denied
}

/// An error and what caused it, outermost first, without saying anything twice.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        if !line.ends_with(&text) {
            line.push_str(": ");
            line.push_str(&text);
        }
        source = cause.source();
    }
    line
}

/// As AWS's SDK for Go (v1) words a failed request.
fn sdk_line(error: &remote::Error) -> String {
    let Some(status) = error.status() else {
        return match error.fault() {
            Fault::Cancelled => {
                "RequestCanceled: request context canceled caused by: context canceled".to_owned()
            }
            Fault::Unavailable => {
                format!(
                    "RequestError: send request failed caused by: {}",
                    without_subject(error)
                )
            }
            _ => without_subject(error),
        };
    };
    // An answer to HEAD has no body, so the SDK knows the status alone.
    let bare = matches!(
        error.operation(),
        Operation::HeadObject | Operation::HeadBucket
    );
    let (code, message) = if bare {
        bare_words(status)
    } else {
        (error.code().unwrap_or("UnknownError"), error.message())
    };
    format!(
        "{code}: {message} status code: {status}, request id: {}, host id: {}",
        error.request_id().unwrap_or_default(),
        error.host_id().unwrap_or_default(),
    )
}

/// Code and message that the SDK makes of a status without a body.
fn bare_words(status: u16) -> (&'static str, &'static str) {
    match status {
        400 => ("BadRequest", "Bad Request"),
        403 => ("Forbidden", "Forbidden"),
        404 => ("NotFound", "Not Found"),
        405 => ("MethodNotAllowed", "Method Not Allowed"),
        412 => ("PreconditionFailed", "Precondition Failed"),
        500 => ("InternalServerError", "Internal Server Error"),
        503 => ("ServiceUnavailable", "Service Unavailable"),
        _ => ("UnknownError", "unknown error"),
    }
}

/// What happened and its causes, without the operation, bucket and key that the line before the
/// colon already names.
fn without_subject(error: &remote::Error) -> String {
    let mut line = match error.code() {
        Some(code) => format!("{code}: {}", error.message()),
        None => error.message().to_owned(),
    };
    let mut source = error.source();
    while let Some(cause) = source {
        line.push_str(": ");
        line.push_str(&cause.to_string());
        source = cause.source();
    }
    line
}

/// What the system said, without Rust's number: `no such file or directory`.
pub(crate) fn system_words(error: &std::io::Error) -> String {
    let text = error.to_string();
    let words = text.split(" (os error").next().unwrap_or(&text);
    let mut letters = words.chars();
    match letters.next() {
        Some(first) => first.to_lowercase().chain(letters).collect(),
        None => String::new(),
    }
}

/// As the SDK says that a key is not there, whatever request found out.
pub(crate) fn no_such_key(error: &remote::Error) -> String {
    worded("NoSuchKey: The specified key does not exist.", error)
}

/// As the SDK says that a bucket is not there, whatever request found out.
pub(crate) fn no_such_bucket(error: &remote::Error) -> String {
    worded("NoSuchBucket: The specified bucket does not exist", error)
}

/// As the SDK says that access is denied, whatever request found out.
pub(crate) fn access_denied(error: &remote::Error) -> String {
    worded("AccessDenied: Access Denied", error)
}

fn worded(words: &str, error: &remote::Error) -> String {
    format!(
        "{words} status code: {}, request id: {}, host id: {}",
        error.status().unwrap_or_default(),
        error.request_id().unwrap_or_default(),
        error.host_id().unwrap_or_default(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(operation: Operation) -> remote::Error {
        remote::Error::new(
            operation,
            Fault::NotFound,
            "The specified bucket does not exist",
        )
        .about(Some("b"), Some("k"))
        .with_status(404)
        .with_code("NoSuchBucket")
        .with_request_ids(Some("R".to_owned()), Some("H".to_owned()))
    }

    #[test]
    fn s5cmd_says_what_its_sdk_says() {
        let line = Persona::S5cmd.remote_cause(&missing(Operation::ListObjectsV2));
        assert_eq!(
            line,
            "NoSuchBucket: The specified bucket does not exist status code: 404, request id: R, host id: H"
        );
        let line = Persona::S5cmd.remote_cause(&missing(Operation::HeadBucket));
        assert_eq!(
            line,
            "NotFound: Not Found status code: 404, request id: R, host id: H"
        );
    }

    #[test]
    fn longhaul_names_operation_and_object() {
        let line = Persona::Longhaul.remote_cause(&missing(Operation::PutObject));
        assert_eq!(
            line,
            "PutObject s3://b/k: NoSuchBucket: The specified bucket does not exist (status 404, request id R)"
        );
    }

    #[test]
    fn a_refused_head_is_unknown_and_not_absent() {
        let denied = |operation| {
            remote::Error::new(operation, Fault::Denied, "Forbidden")
                .about(Some("b"), Some("k"))
                .with_status(403)
        };
        let line = Persona::Longhaul.remote_cause(&denied(Operation::HeadObject));
        assert!(line.contains("whether it is there is not known"), "{line}");
        let line = Persona::Longhaul.cause(&Error::Remote(denied(Operation::PutObject)));
        assert!(!line.contains("known"), "{line}");
    }

    #[test]
    fn what_the_system_said_comes_without_its_number() {
        let error = std::io::Error::from_raw_os_error(2);
        assert_eq!(system_words(&error), "no such file or directory");
    }
}
