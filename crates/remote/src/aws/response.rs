//! A store's answer to one request.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use crate::payload::{ObjectBody, UploadCheck};

/// A successful answer. Everything else is an [`Error`](crate::Error).
#[derive(Debug)]
pub(crate) struct Response {
    /// A status from 200 to 299.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, as the request wanted it.
    pub body: ResponseBody,
    /// How the store checked the request's body.
    pub check: UploadCheck,
    /// Whether the headers that only some stores take went along
    /// ([`Request::checksum_headers`](super::request::Request)).
    pub checksum_headers_sent: bool,
}

impl Response {
    /// The header `name` where it is there and is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// A successful answer's body.
#[derive(Debug)]
pub(crate) enum ResponseBody {
    /// All of it. Not an `<Error>` document.
    Buffered(Bytes),
    /// On its way.
    Stream(ObjectBody),
}

impl ResponseBody {
    /// The bytes of a buffered body; none of a streamed one, which was asked for by the operation
    /// itself.
    pub(crate) fn into_bytes(self) -> Bytes {
        match self {
            ResponseBody::Buffered(bytes) => bytes,
            ResponseBody::Stream(_) => Bytes::new(),
        }
    }

    /// The body as frames.
    pub(crate) fn into_stream(self) -> ObjectBody {
        match self {
            ResponseBody::Buffered(bytes) => ObjectBody::from_bytes(bytes),
            ResponseBody::Stream(body) => body,
        }
    }
}
