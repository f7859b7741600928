//! A body that does not arrive as it was sent.

use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Sleep;

use crate::error::{Error, Result};
use crate::payload::{FrameSource, ObjectBody};

/// What befalls a body.
#[derive(Debug)]
pub(super) enum BodyFault {
    /// It breaks off.
    Break(Error),
    /// Nothing comes for so long, then it breaks off.
    Stall(Duration, Error),
    /// It ends as if it were whole.
    End,
    /// The bit is turned over and the body goes on.
    Flip,
}

/// A body whose byte `at` is the first that does not arrive as it should.
pub(super) struct FaultyBody {
    inner: ObjectBody,
    at: u64,
    sent: u64,
    fault: Option<BodyFault>,
    /// Runs while the body stalls.
    sleep: Option<(Pin<Box<Sleep>>, Option<Error>)>,
    ended: bool,
}

impl FaultyBody {
    pub(super) fn new(inner: ObjectBody, at: u64, fault: BodyFault) -> FaultyBody {
        FaultyBody {
            inner,
            at,
            sent: 0,
            fault: Some(fault),
            sleep: None,
            ended: false,
        }
    }

    /// What comes of `frame`, in which the fault lies `within` bytes after its begin.
    fn strike(&mut self, frame: Bytes, within: usize) -> Bytes {
        if let Some(BodyFault::Flip) = self.fault {
            self.fault = None;
            let mut bytes = frame.to_vec();
            bytes[within] ^= 1;
            return bytes.into();
        }
        // The frame after this one is the fault itself.
        frame.slice(..within)
    }

    /// The end that the fault makes of the body.
    fn end(&mut self) -> Option<Error> {
        match self.fault.take()? {
            BodyFault::Break(error) => Some(error),
            BodyFault::Stall(stall, error) => {
                let sleep = Box::pin(tokio::time::sleep(stall));
                self.sleep = Some((sleep, Some(error)));
                None
            }
            BodyFault::End | BodyFault::Flip => None,
        }
    }
}

impl FrameSource for FaultyBody {
    fn poll_frame(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        if let Some((sleep, error)) = &mut self.sleep {
            ready!(sleep.as_mut().poll(context));
            return Poll::Ready(error.take().map(Err));
        }
        if self.ended {
            return Poll::Ready(None);
        }
        if self.fault.is_some() && self.sent == self.at && !self.flips() {
            self.ended = true;
            return match self.end() {
                Some(error) => Poll::Ready(Some(Err(error))),
                None if self.sleep.is_some() => self.poll_frame(context),
                None => Poll::Ready(None),
            };
        }
        let Some(frame) = ready!(self.inner.poll_frame(context)) else {
            return Poll::Ready(None);
        };
        let mut frame = frame?;
        let end = self.sent + frame.len() as u64;
        if self.fault.is_some() && self.at < end {
            let within = usize::try_from(self.at - self.sent).expect("inside a frame");
            frame = self.strike(frame, within);
        }
        self.sent += frame.len() as u64;
        Poll::Ready(Some(Ok(frame)))
    }
}

impl FaultyBody {
    fn flips(&self) -> bool {
        matches!(self.fault, Some(BodyFault::Flip))
    }
}
