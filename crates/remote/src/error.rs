//! What went wrong at a store, with what a person needs at night.

use std::fmt;
use std::time::Duration;

use base::Fault;
use base::fault::Classified;

/// Result of a request to a store.
pub type Result<T> = std::result::Result<T, Error>;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// An S3 operation, by S3's own name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(
    missing_docs,
    reason = "each is the operation of that name in the S3 API reference"
)]
pub enum Operation {
    AbortMultipartUpload,
    CompleteMultipartUpload,
    CopyObject,
    CreateBucket,
    CreateMultipartUpload,
    DeleteBucket,
    DeleteObject,
    DeleteObjects,
    GetBucketLocation,
    GetBucketVersioning,
    GetObject,
    GetObjectAcl,
    GetObjectLockConfiguration,
    GetObjectTagging,
    HeadBucket,
    HeadObject,
    ListBuckets,
    ListMultipartUploads,
    ListObjectVersions,
    ListObjects,
    ListObjectsV2,
    ListParts,
    PutBucketVersioning,
    PutObject,
    PutObjectAcl,
    PutObjectLegalHold,
    PutObjectLockConfiguration,
    PutObjectTagging,
    UploadPart,
    UploadPartCopy,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// A failed request. `Display` is one line of this level; the cause, if any, is `source()`.
#[derive(Debug)]
pub struct Error(Box<Parts>);

#[derive(Debug)]
struct Parts {
    operation: Operation,
    bucket: Option<String>,
    key: Option<String>,
    fault: Fault,
    status: Option<u16>,
    code: Option<String>,
    message: String,
    request_id: Option<String>,
    host_id: Option<String>,
    source: Option<Source>,
}

impl Error {
    /// An error of `operation` with its coarse fault and what happened, for people.
    pub fn new(operation: Operation, fault: Fault, message: impl Into<String>) -> Error {
        Error(Box::new(Parts {
            operation,
            bucket: None,
            key: None,
            fault,
            status: None,
            code: None,
            message: message.into(),
            request_id: None,
            host_id: None,
            source: None,
        }))
    }

    /// Adds whom the request was about.
    #[must_use]
    pub fn about(mut self, bucket: Option<&str>, key: Option<&str>) -> Error {
        self.0.bucket = bucket.map(str::to_owned);
        self.0.key = key.map(str::to_owned);
        self
    }

    /// Adds the HTTP status of the answer.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Error {
        self.0.status = Some(status);
        self
    }

    /// Adds S3's error code, such as `NoSuchKey`.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<String>) -> Error {
        self.0.code = Some(code.into());
        self
    }

    /// Adds the ids by which the store's operator finds the request.
    #[must_use]
    pub fn with_request_ids(mut self, request: Option<String>, host: Option<String>) -> Error {
        self.0.request_id = request;
        self.0.host_id = host;
        self
    }

    /// Adds the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Source>) -> Error {
        self.0.source = Some(source.into());
        self
    }

    /// Replaces the fault, where the caller knows better than the code.
    #[must_use]
    pub fn with_fault(mut self, fault: Fault) -> Error {
        self.0.fault = fault;
        self
    }

    /// The operation that failed.
    pub fn operation(&self) -> Operation {
        self.0.operation
    }

    /// The bucket it was about.
    pub fn bucket(&self) -> Option<&str> {
        self.0.bucket.as_deref()
    }

    /// The key it was about.
    pub fn key(&self) -> Option<&str> {
        self.0.key.as_deref()
    }

    /// HTTP status, when there was an answer.
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// S3's error code, when the answer had one.
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// What the store (or we) said, without code and ids.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// `x-amz-request-id`.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// `x-amz-id-2`.
    pub fn host_id(&self) -> Option<&str> {
        self.0.host_id.as_deref()
    }

    /// Whether this is S3's error `code`.
    pub fn is_code(&self, code: &str) -> bool {
        self.code() == Some(code)
    }

    /// How long the store asked to be left alone.
    pub fn retry_after(&self) -> Option<Duration> {
        match self.0.fault {
            Fault::Throttled { retry_after } => retry_after,
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.operation)?;
        match (&self.0.bucket, &self.0.key) {
            (Some(bucket), Some(key)) => write!(f, " s3://{bucket}/{}", key.escape_debug())?,
            (Some(bucket), None) => write!(f, " s3://{bucket}")?,
            _ => {}
        }
        f.write_str(": ")?;
        if let Some(code) = &self.0.code {
            write!(f, "{code}: ")?;
        }
        f.write_str(&self.0.message)?;
        if let Some(status) = self.0.status {
            write!(f, " (status {status}")?;
            if let Some(id) = &self.0.request_id {
                write!(f, ", request id {id}")?;
            }
            f.write_str(")")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

impl Classified for Error {
    fn fault(&self) -> Fault {
        self.0.fault
    }
}
