//! One thing that was looked at, and what an answer means for it. Pure.

use base::Fault;
use base::fault::Classified as _;
use serde::{Serialize, Serializer};

use crate::source::Side;

/// How a thing stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// It is as the run needs it.
    Ok,
    /// The run needs it and it is not there.
    Missing,
    /// Nothing harmless tells.
    Unknown,
    /// Worth knowing; the run does without.
    Note,
}

/// One row of what was found.
#[derive(Debug, Clone, Serialize)]
pub struct Check {
    /// Of which side.
    #[serde(serialize_with = "as_word")]
    pub side: Side,
    /// What was looked at, one word for ever: `list`, `read`, `write`, ...
    pub name: &'static str,
    /// How it stands.
    pub standing: Standing,
    /// What was seen, or why it is missing.
    pub detail: String,
    /// What to do about it.
    pub mend: Option<String>,
}

fn as_word<S: Serializer>(side: &Side, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(side)
}

impl Check {
    /// A row without advice.
    pub(super) fn new(
        side: Side,
        name: &'static str,
        standing: Standing,
        detail: impl Into<String>,
    ) -> Check {
        Check {
            side,
            name,
            standing,
            detail: detail.into(),
            mend: None,
        }
    }

    pub(super) fn ok(side: Side, name: &'static str, detail: impl Into<String>) -> Check {
        Check::new(side, name, Standing::Ok, detail)
    }

    pub(super) fn note(side: Side, name: &'static str, detail: impl Into<String>) -> Check {
        Check::new(side, name, Standing::Note, detail)
    }

    #[must_use]
    pub(super) fn with_mend(mut self, mend: impl Into<String>) -> Check {
        self.mend = Some(mend.into());
        self
    }

    /// A row of what an error means for something that `action` allows.
    pub(super) fn failed(
        side: Side,
        name: &'static str,
        action: &str,
        error: &remote::Error,
    ) -> Check {
        let check = Check::new(side, name, standing(error), words(error));
        match mend(side, action, error) {
            Some(mend) => check.with_mend(mend),
            None => check,
        }
    }

    /// As [`failed`](Self::failed), for what the run does without.
    pub(super) fn lacking(
        side: Side,
        name: &'static str,
        what_for: &str,
        error: &remote::Error,
    ) -> Check {
        Check::note(
            side,
            name,
            format!("{}; only {what_for} needs it", words(error)),
        )
    }
}

/// Whether an error leaves nothing more to find out on its side: nobody answers, or nobody is let
/// in.
pub(super) fn ends_it(error: &remote::Error) -> bool {
    error.fault() == Fault::Expired
        || error.status().is_none()
        || error.is_code("NoSuchBucket")
        || error.is_code("SignatureDoesNotMatch")
}

fn standing(error: &remote::Error) -> Standing {
    match error.fault() {
        // The run's own request would be answered so, too.
        Fault::Denied
        | Fault::Expired
        | Fault::NotFound
        | Fault::Unavailable
        | Fault::Conflict
        | Fault::Invalid
        | Fault::Unsupported
        | Fault::Local => Standing::Missing,
        Fault::Throttled { .. }
        | Fault::Corrupt
        | Fault::Fenced
        | Fault::Cancelled
        | Fault::Bug => Standing::Unknown,
    }
}

/// What to do about an error, where that is known.
fn mend(side: Side, action: &str, error: &remote::Error) -> Option<String> {
    let mend = match (error.code(), error.fault()) {
        (Some("NoCredentialProviders"), _) => format!(
            "give credentials for the {side}: a profile, keys in the environment, or \
             --no-sign-request for a public bucket"
        ),
        (Some("InvalidAccessKeyId"), _) => {
            format!("the {side}'s store does not know this access key id: give the right one")
        }
        (Some("SignatureDoesNotMatch"), _) => {
            "the secret access key is not the one of this access key id: give the right pair"
                .to_owned()
        }
        (Some("RequestTimeTooSkewed"), _) => "set this machine's clock".to_owned(),
        (Some("NoSuchBucket" | "InvalidBucketName"), _) => {
            "check the bucket's name, and the endpoint".to_owned()
        }
        (_, Fault::Expired) => {
            format!("get new credentials for the {side}: log in again, or a new token")
        }
        (_, Fault::Denied) => format!("ask for {action}, see the policy below"),
        (_, Fault::NotFound) => "check the name".to_owned(),
        (None, Fault::Unavailable | Fault::Invalid | Fault::Local) => format!(
            "check the {side}'s endpoint URL and that it can be reached from here (DNS, proxy, \
             firewall; --ca-bundle for certificates of your own)"
        ),
        (Some("PermanentRedirect"), _) => "name the bucket's region".to_owned(),
        _ => return None,
    };
    Some(mend)
}

/// An error with its causes on one line, outermost first, without saying anything twice.
pub(super) fn words(error: &remote::Error) -> String {
    // The chain of providers says at length what its first line says already.
    if error.is_code("NoCredentialProviders") {
        return error.message().to_owned();
    }
    let line = chain(error);
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn chain(error: &dyn std::error::Error) -> String {
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
