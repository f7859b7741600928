//! Stored bytes on their way out, segment by segment, without a copy.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::Stream;
use s3s::StdError;
use s3s::stream::{ByteStream, RemainingLength};
use store::model::Body;

/// The segments that are still to be sent.
#[derive(Debug)]
pub(crate) struct Segments {
    body: Body,
    next: usize,
    remaining: u64,
}

impl Segments {
    pub(crate) fn new(body: Body) -> Segments {
        Segments {
            remaining: body.len(),
            body,
            next: 0,
        }
    }
}

impl Stream for Segments {
    type Item = Result<Bytes, StdError>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let segment = self.body.segments().get(self.next).cloned();
        if let Some(segment) = &segment {
            self.next += 1;
            self.remaining -= segment.len() as u64;
        }
        Poll::Ready(segment.map(Ok))
    }
}

impl ByteStream for Segments {
    fn remaining_length(&self) -> RemainingLength {
        usize::try_from(self.remaining)
            .map_or_else(|_| RemainingLength::unknown(), RemainingLength::new_exact)
    }
}
