//! An object's bytes, or a span of them, asked for as often as it takes, always of one version.

use base::ByteCount;
use bytes::Bytes;
use remote::types::{ByteRange, GetObject, ObjectHead};
use remote::{ObjectBody, ObjectClient};

use crate::error::{Error, Result};
use crate::location::ObjectLocation;
use crate::pin::ObjectPin;
use crate::transfer::download::changed_or;
use crate::verify;

/// Bytes of an object; may be empty, which a range cannot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) offset: u64,
    pub(crate) length: ByteCount,
}

impl Span {
    pub(crate) fn of(range: ByteRange) -> Span {
        Span {
            offset: range.offset,
            length: range.length,
        }
    }
}

/// How far the fetching of a span is, and what the object was when it began.
#[derive(Debug)]
pub(crate) struct Fetch {
    object: ObjectLocation,
    /// None until the first answer, when all of an object is asked for.
    pinned: Option<(ObjectPin, Span)>,
    received: u64,
    /// What the first answer said.
    head: Option<ObjectHead>,
}

/// Frames gathered until there were enough, the body ended, or it broke.
#[derive(Debug)]
pub(crate) struct Gathered {
    pub(crate) frames: Vec<Bytes>,
    pub(crate) bytes: u64,
    pub(crate) ended: bool,
    pub(crate) error: Option<Error>,
}

/// A body being read, of which no more than the span is taken.
#[derive(Debug)]
pub(crate) struct Body {
    body: ObjectBody,
    /// Bytes to pass over first: a store that ignores Range sends all.
    skip: u64,
    left: u64,
}

impl Fetch {
    /// All of an object, whatever it is when it is first asked for.
    pub(crate) fn of_all(object: ObjectLocation) -> Fetch {
        Fetch {
            object,
            pinned: None,
            received: 0,
            head: None,
        }
    }

    /// A span of the object that `head` tells of.
    pub(crate) fn of_span(object: ObjectLocation, head: &ObjectHead, span: Span) -> Fetch {
        Fetch {
            object,
            pinned: Some((ObjectPin::of(head), span)),
            received: 0,
            head: None,
        }
    }

    /// What the first answer said of the object.
    pub(crate) fn head(&self) -> Option<&ObjectHead> {
        self.head.as_ref()
    }

    /// Where in the object the next byte stands.
    pub(crate) fn position(&self) -> u64 {
        self.pinned.as_ref().map_or(0, |(_, span)| span.offset) + self.received
    }

    /// How many bytes are missing, once that is known.
    pub(crate) fn left(&self) -> Option<u64> {
        let (_, span) = self.pinned.as_ref()?;
        Some(span.length.0 - self.received)
    }

    /// Counts bytes as received.
    pub(crate) fn took(&mut self, bytes: u64) {
        self.received += bytes;
    }

    /// Whether every byte came.
    pub(crate) fn is_whole(&self) -> Result<()> {
        let expected = self.pinned.as_ref().map_or(0, |(_, span)| span.length.0);
        verify::equal_sizes(
            &self.object.to_string(),
            ByteCount(expected),
            ByteCount(self.received),
        )
    }

    /// Asks for what is missing. Fails with [`Error::Changed`] when the answer is about other
    /// bytes than the first one was.
    pub(crate) async fn ask(&mut self, client: &dyn ObjectClient) -> Result<Body> {
        let left = self.left();
        if left == Some(0) {
            let body = ObjectBody::from_bytes(Bytes::new());
            return Ok(Body {
                body,
                skip: 0,
                left: 0,
            });
        }
        let output = client
            .get_object(self.request(left))
            .await
            .map_err(|error| match &self.pinned {
                Some(_) => changed_or(&self.object, error),
                None => Error::Remote(error),
            })?;
        let Some((pin, _)) = &self.pinned else {
            let length = output.head.size;
            self.pinned = Some((ObjectPin::of(&output.head), Span { offset: 0, length }));
            self.head = Some(output.head);
            return Ok(Body {
                body: output.body,
                skip: 0,
                left: length.0,
            });
        };
        if !pin.fits(&output.head) {
            return Err(Error::Changed(self.object.to_string()));
        }
        let position = self.position();
        let starts_at = output.range.map_or(0, |range| range.offset);
        if starts_at > position {
            return Err(Error::Mismatch {
                what: format!("range of {}", self.object),
                expected: format!("from byte {position}"),
                actual: format!("from byte {starts_at}"),
            });
        }
        Ok(Body {
            body: output.body,
            skip: position - starts_at,
            left: left.unwrap_or(0),
        })
    }

    fn request(&self, left: Option<u64>) -> GetObject {
        let mut request = GetObject::new(self.object.bucket.clone(), self.object.key.clone());
        request.version_id = self.object.version_id.clone();
        if let (Some((pin, _)), Some(left)) = (&self.pinned, left) {
            request.range = Some(ByteRange {
                offset: self.position(),
                length: ByteCount(left),
            });
            request.if_match = pin.etag.clone();
            request.version_id = request.version_id.or_else(|| pin.version_id.clone());
            // A range has no stored checksum; asking for one costs some stores an error.
            request.checksum_mode = false;
        }
        request
    }
}

impl Body {
    /// Gathers about `enough` bytes. What was gathered before a break is handed over with it.
    pub(crate) async fn gather(&mut self, enough: ByteCount) -> Gathered {
        let mut gathered = Gathered {
            frames: Vec::new(),
            bytes: 0,
            ended: false,
            error: None,
        };
        while gathered.bytes < enough.0 && self.left > 0 {
            match self.body.frame().await {
                Some(Ok(frame)) => {
                    let frame = self.cut(frame);
                    if !frame.is_empty() {
                        gathered.bytes += frame.len() as u64;
                        gathered.frames.push(frame);
                    }
                }
                Some(Err(error)) => {
                    gathered.error = Some(error.into());
                    return gathered;
                }
                None => break,
            }
        }
        // The end of the body is read only where the span is all of it: a store that ignores
        // Range would send the rest of the object.
        gathered.ended = self.left == 0 || gathered.bytes < enough.0;
        gathered
    }

    fn cut(&mut self, frame: Bytes) -> Bytes {
        let length = frame.len() as u64;
        let skipped = self.skip.min(length);
        self.skip -= skipped;
        let taken = (length - skipped).min(self.left);
        self.left -= taken;
        let start = usize::try_from(skipped).expect("no more than the frame");
        let end = usize::try_from(skipped + taken).expect("no more than the frame");
        frame.slice(start..end)
    }

    /// Reads the end of a body of which every byte was taken, so that its connection can be used
    /// again, and what the client checks at the end is checked.
    pub(crate) async fn drain(&mut self) -> Result<()> {
        match self.body.frame().await {
            None | Some(Ok(_)) => Ok(()),
            Some(Err(error)) => Err(error.into()),
        }
    }
}
