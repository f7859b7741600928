//! A body on its way out of the store in memory, and what a test does to it.

use std::task::{Context, Poll};

use bytes::Bytes;

use super::content::{Content, Frames};
use crate::error::{Error, Result};
use crate::payload::FrameSource;

/// What happens to a body on its way.
#[derive(Debug, Clone, Copy)]
pub(super) enum BodyFault {
    None,
    Break { after: u64 },
    Corrupt { at: u64 },
}

pub(super) struct ContentBody {
    pub(super) frames: Frames,
    /// Bytes handed out so far.
    pub(super) sent: u64,
    pub(super) fault: BodyFault,
    /// Given once, when the fault is a break.
    pub(super) broken: Option<Error>,
}

impl ContentBody {
    fn next_frame(&mut self) -> Option<Result<Bytes>> {
        let frame = self.frames.next();
        let length = frame.as_ref().map_or(0, |frame| frame.len() as u64);
        let begin = self.sent;
        self.sent += length;
        match self.fault {
            BodyFault::Break { after } if self.sent > after || frame.is_none() => {
                let arrived = usize::try_from(after.saturating_sub(begin)).unwrap_or(usize::MAX);
                match frame {
                    Some(frame) if arrived > 0 => {
                        self.frames = Content::Bytes(Bytes::new()).frames(1);
                        Some(Ok(frame.slice(..arrived.min(frame.len()))))
                    }
                    Some(_) | None => self.broken.take().map(Err),
                }
            }
            BodyFault::Corrupt { at } if (begin..self.sent).contains(&at) => {
                let mut bytes = frame?.to_vec();
                let index = usize::try_from(at - begin).expect("inside a frame");
                bytes[index] ^= 1;
                Some(Ok(bytes.into()))
            }
            BodyFault::None | BodyFault::Break { .. } | BodyFault::Corrupt { .. } => frame.map(Ok),
        }
    }
}

impl FrameSource for ContentBody {
    fn poll_frame(&mut self, _: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        Poll::Ready(self.next_frame())
    }
}
