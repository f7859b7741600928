//! What went wrong with one object, or with a whole job.

use std::io;
use std::path::PathBuf;

use base::Fault;
use base::fault::Classified;

/// Result of the mover's own work.
pub type Result<T> = std::result::Result<T, Error>;

/// A failure of one object or of a job. `Display` is one line; causes are in `source()`.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A store refused or broke; its own line says all.
    #[error(transparent)]
    Remote(#[from] remote::Error),
    /// The local file system refused.
    #[error("{action} {}", path.display())]
    Local {
        /// What was tried, as a verb: `open`, `rename`, ...
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A key cannot be a file name here, or a path cannot be a key.
    #[error("{name:?} {reason}")]
    Name {
        /// The key or path.
        name: String,
        /// Why not, beginning with a verb: "cannot be a file name: ...".
        reason: String,
    },
    /// The bytes that arrived are not those that left. Nothing was put in place.
    #[error("{what}: expected {expected}, got {actual}")]
    Mismatch {
        /// What was compared: "checksum of s3://...", "size of ...".
        what: String,
        /// What the source says.
        expected: String,
        /// What the destination says.
        actual: String,
    },
    /// The bytes that arrived are not those that left, and took the place of what stood at the
    /// destination.
    #[error("{what}, which {}: expected {expected}, got {actual}", fate(.stays.as_deref()))]
    WrongStored {
        /// What was compared.
        what: String,
        /// What the source says.
        expected: String,
        /// What the destination says.
        actual: String,
        /// Why they still stand there; none if they were deleted again.
        stays: Option<String>,
    },
    /// The source changed while it was moved.
    #[error("{0} changed while it was read")]
    Changed(String),
    /// Refused by a rule that protects the user; says which flag allows it.
    #[error("{0}")]
    Refused(String),
    /// Nothing was found where something was asked for by name or pattern.
    #[error("{0}")]
    NotFound(String),
    /// The command cannot mean what was asked.
    #[error("{0}")]
    Usage(String),
    /// The store was believed to list by key, and does not; too late to begin again.
    #[error(
        "s3://{bucket} is listed in no order ({key:?} comes after {previous:?}), \
         it must be listed as an unordered store (--source-unordered, --destination-unordered)"
    )]
    Unordered {
        /// The bucket.
        bucket: base::BucketName,
        /// A key.
        previous: String,
        /// The one after it.
        key: String,
    },
    /// Stopped on purpose.
    #[error("stopped before it was done")]
    Cancelled,
    /// A broken belief of our own.
    #[error("{0}; this is a defect of longhaul")]
    Bug(String),
}

impl Error {
    /// Names what was tried on a local path, for `map_err`.
    pub fn local(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Error {
        let path = path.into();
        move |source| Error::Local {
            action,
            path,
            source,
        }
    }
}

/// What became of an object that arrived wrong, in words.
fn fate(stays: Option<&str>) -> String {
    match stays {
        Some(reason) => format!("stays because it could not be deleted ({reason})"),
        None => "was deleted again".to_owned(),
    }
}

impl Classified for Error {
    fn fault(&self) -> Fault {
        match self {
            Error::Remote(error) => error.fault(),
            Error::Local { .. } => Fault::Local,
            Error::Name { .. } | Error::Refused(_) | Error::Usage(_) => Fault::Invalid,
            Error::Mismatch { .. } | Error::WrongStored { .. } => Fault::Corrupt,
            Error::Changed(_) => Fault::Conflict,
            Error::NotFound(_) => Fault::NotFound,
            Error::Unordered { .. } => Fault::Unsupported,
            Error::Cancelled => Fault::Cancelled,
            Error::Bug(_) => Fault::Bug,
        }
    }
}
