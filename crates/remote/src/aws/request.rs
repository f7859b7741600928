//! One request to a store, before it is addressed, signed and sent.

use std::borrow::Cow;

use base::{BucketName, ByteCount, Fault, Key};
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::error::{Error, Operation};
use crate::payload::Payload;

/// A request as an operation words it: what is asked, not yet to whom and by whom.
///
/// The client adds the host, the date, checksums, and the signature. It may send the request
/// several times.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// For errors, traces and time-outs.
    pub operation: Operation,
    /// HTTP method.
    pub method: Method,
    /// The bucket, for everything but ListBuckets.
    pub bucket: Option<BucketName>,
    /// The key, where the operation is about an object.
    pub key: Option<Key>,
    /// Query parameters as they are, not encoded, in any order. A parameter without a value is
    /// `uploads` or `versioning`.
    pub query: Vec<(Cow<'static, str>, Option<Cow<'static, str>>)>,
    /// The operation's headers. All of them are signed.
    pub headers: HeaderMap,
    /// Headers that only go to stores that take CRC64NVME, and are left out with the checksum of
    /// the payload: `x-amz-checksum-algorithm` and `x-amz-checksum-type` of CreateMultipartUpload,
    /// the whole object's checksum of CompleteMultipartUpload.
    pub checksum_headers: Vec<(HeaderName, HeaderValue)>,
    /// The body.
    pub payload: Payload,
    /// Which checksums of the body go along.
    pub payload_checksum: PayloadChecksum,
    /// How the answer's body is wanted when the status is a success.
    pub reply: ReplyBody,
}

impl Request {
    /// A request without query, headers or body, whose answer is read whole.
    pub(crate) fn new(operation: Operation, method: Method) -> Request {
        Request {
            operation,
            method,
            bucket: None,
            key: None,
            query: Vec::new(),
            headers: HeaderMap::new(),
            checksum_headers: Vec::new(),
            payload: Payload::empty(),
            payload_checksum: PayloadChecksum::None,
            reply: ReplyBody::Buffered(REPLY_BYTES_MAX),
        }
    }

    /// Names the bucket.
    #[must_use]
    pub(crate) fn bucket(mut self, bucket: BucketName) -> Request {
        self.bucket = Some(bucket);
        self
    }

    /// Names the key.
    #[must_use]
    pub(crate) fn key(mut self, key: Key) -> Request {
        self.key = Some(key);
        self
    }

    /// Adds a query parameter with a value.
    #[must_use]
    pub(crate) fn query(
        mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<Cow<'static, str>>,
    ) -> Request {
        self.query.push((name.into(), Some(value.into())));
        self
    }

    /// Adds a query parameter without a value, such as `uploads`.
    #[must_use]
    pub(crate) fn flag(mut self, name: impl Into<Cow<'static, str>>) -> Request {
        self.query.push((name.into(), None));
        self
    }
}

impl Request {
    /// An error of this request.
    pub(crate) fn error(&self, fault: Fault, message: impl Into<String>) -> Error {
        let bucket = self.bucket.as_ref().map(BucketName::as_str);
        let key = self.key.as_ref().map(Key::as_str);
        Error::new(self.operation, fault, message).about(bucket, key)
    }
}

/// Largest body that is read into memory, unless the operation says another bound.
/// A page of 1,000 keys of 1,024 bytes, each byte written as `%XX` or `&#x..;`, stays below 8 MiB;
/// twice that is a guess with room.
pub(crate) const REPLY_BYTES_MAX: ByteCount = ByteCount(16 * base::units::MIB);

/// Which checksums of a request's body go along as headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PayloadChecksum {
    /// None: the operation stores nothing.
    None,
    /// CRC64NVME, where the store takes it.
    Crc64Nvme,
    /// The store insists on one: Content-MD5 always, CRC64NVME beside it where the store takes it.
    Required,
}

/// How the body of a successful answer is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReplyBody {
    /// In memory, up to so many bytes, and looked at: a body that is an `<Error>` is an error.
    Buffered(ByteCount),
    /// As it comes: an object's bytes, which are never looked at.
    Streamed,
}
