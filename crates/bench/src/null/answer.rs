//! Answers, as they go over the wire.

use std::fmt::Write as _;

use base::checksum::Crc64Nvme;

use super::content::Slices;
use super::objects::Held;
use super::xml::{self, element};

/// [`super::listing::LAST_MODIFIED`] as a header.
const LAST_MODIFIED: &str = "Thu, 01 Jan 2026 00:00:00 GMT";

/// An answer: its head's lines and what follows them.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// Header lines, each with its end.
    headers: String,
    body: Body,
}

#[derive(Debug)]
enum Body {
    Text(String),
    /// So many bytes, in pieces.
    Slices(u64, Slices),
    /// None, where a body of this length would have been.
    Absent(u64),
}

/// What the endpoint refuses, as S3 words it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: &'static str,
}

impl Refusal {
    pub(super) const NO_SUCH_KEY: Refusal = Refusal::new(404, "NoSuchKey");
    pub(super) const NO_SUCH_UPLOAD: Refusal = Refusal::new(404, "NoSuchUpload");
    pub(super) const INVALID_PART: Refusal = Refusal::new(400, "InvalidPart");
    pub(super) const INVALID_RANGE: Refusal = Refusal::new(416, "InvalidRange");
    pub(super) const BAD_DIGEST: Refusal = Refusal::new(400, "BadDigest");
    pub(super) const PRECONDITION_FAILED: Refusal = Refusal::new(412, "PreconditionFailed");
    pub(super) const NOT_IMPLEMENTED: Refusal = Refusal::new(501, "NotImplemented");
    pub(super) const SLOW_DOWN: Refusal = Refusal::new(503, "SlowDown");

    const fn new(status: u16, code: &'static str) -> Refusal {
        Refusal { status, code }
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Answer {
        let mut text = String::from(xml::DECLARATION);
        text.push_str("<Error>");
        element(&mut text, "Code", refusal.code);
        element(&mut text, "Message", "the null endpoint refuses");
        element(&mut text, "RequestId", "NULL");
        text.push_str("</Error>");
        Answer::xml(text).with_status(refusal.status)
    }
}

impl Answer {
    pub(super) fn empty() -> Answer {
        Answer {
            status: 200,
            headers: String::new(),
            body: Body::Text(String::new()),
        }
    }

    pub(super) fn xml(text: String) -> Answer {
        Answer {
            body: Body::Text(text),
            ..Answer::empty()
        }
        .header("Content-Type", "application/xml")
    }

    pub(super) fn json(text: String) -> Answer {
        Answer {
            body: Body::Text(text),
            ..Answer::empty()
        }
        .header("Content-Type", "application/json")
    }

    /// An object's bytes.
    pub(super) fn slices(length: u64, slices: Slices) -> Answer {
        Answer {
            body: Body::Slices(length, slices),
            ..Answer::empty()
        }
    }

    pub(super) fn with_status(mut self, status: u16) -> Answer {
        self.status = status;
        self
    }

    pub(super) fn header(mut self, name: &str, value: &str) -> Answer {
        for piece in [name, ": ", value, "\r\n"] {
            self.headers.push_str(piece);
        }
        self
    }

    pub(super) fn etag(self, etag: &str) -> Answer {
        self.header("ETag", &format!("\"{etag}\""))
    }

    /// A checksum over the whole object, if there is one.
    pub(super) fn checksum(self, crc64: Option<Crc64Nvme>) -> Answer {
        match crc64 {
            Some(crc64) => self
                .header("x-amz-checksum-crc64nvme", &crc64.to_base64())
                .header("x-amz-checksum-type", "FULL_OBJECT"),
            None => self,
        }
    }

    /// What GET and HEAD say of an object beside its length.
    pub(super) fn describes(self, held: &Held) -> Answer {
        self.etag(&held.etag)
            .header("Last-Modified", LAST_MODIFIED)
            .header("Accept-Ranges", "bytes")
            .header("Content-Type", "binary/octet-stream")
    }

    /// The same without its body, which is what HEAD asks for.
    pub(super) fn without_body(mut self) -> Answer {
        self.body = match self.body {
            Body::Text(text) => Body::Absent(text.len() as u64),
            Body::Slices(length, _) | Body::Absent(length) => Body::Absent(length),
        };
        self
    }

    /// What goes over the wire: the head with a short body, then the rest.
    pub(super) fn into_wire(self, close: bool) -> (Vec<u8>, Option<Slices>) {
        let mut head = String::with_capacity(512);
        let length = match &self.body {
            Body::Text(text) => text.len() as u64,
            Body::Slices(length, _) | Body::Absent(length) => *length,
        };
        // 204 has no body and says no length.
        let length_line = if self.status == 204 {
            String::new()
        } else {
            format!("Content-Length: {length}\r\n")
        };
        let connection = if close { "Connection: close\r\n" } else { "" };
        write!(
            head,
            "HTTP/1.1 {} {}\r\nx-amz-request-id: NULL\r\n{connection}{length_line}{}\r\n",
            self.status,
            reason(self.status),
            self.headers
        )
        .expect("a string takes all that is written");
        let rest = match self.body {
            Body::Text(text) => {
                head.push_str(&text);
                None
            }
            Body::Slices(_, slices) => Some(slices),
            Body::Absent(_) => None,
        };
        (head.into_bytes(), rest)
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        206 => "Partial Content",
        503 => "Slow Down",
        _ => "Refused",
    }
}
