//! A request's body that comes back when whoever had it lets go of it.
//!
//! A refusal often comes before the body was read. Were the connection closed then, the reset
//! could overtake the answer, and the client would see a broken pipe instead of the reason. So
//! what is left is read and thrown away, up to a limit; not where the client waits to be asked
//! for its body, for then nothing is under way.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::sync::oneshot;

/// Most bytes read for nothing. A guess, not measured: above it, a new connection is cheaper.
const DRAINED_BYTES_MAX: u64 = 64 << 20;

/// The body, as it is lent.
#[derive(Debug)]
pub(crate) struct LentBody {
    /// Present until it is given back.
    body: Option<Incoming>,
    back: Option<oneshot::Sender<Incoming>>,
}

/// Where a lent body comes back.
#[derive(Debug)]
pub(crate) struct Remainder(oneshot::Receiver<Incoming>);

impl LentBody {
    pub(crate) fn new(body: Incoming) -> (LentBody, Remainder) {
        let (back, remainder) = oneshot::channel();
        let lent = LentBody {
            body: Some(body),
            back: Some(back),
        };
        (lent, Remainder(remainder))
    }
}

impl Remainder {
    /// Reads what is left of the body, if nobody holds it any more.
    pub(crate) async fn drain(mut self) {
        if let Ok(body) = self.0.try_recv() {
            drain(body).await;
        }
    }
}

/// Reads a body to its end, or as far as that is worth it.
pub(crate) async fn drain(mut body: Incoming) {
    let mut drained = 0;
    while drained < DRAINED_BYTES_MAX {
        let frame = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await;
        let Some(Ok(frame)) = frame else { return };
        drained += frame.data_ref().map_or(0, Bytes::len) as u64;
    }
}

impl Drop for LentBody {
    fn drop(&mut self) {
        if let (Some(body), Some(back)) = (self.body.take(), self.back.take())
            && !body.is_end_stream()
        {
            // Nobody waits for it when the whole request was given up.
            let _ = back.send(body);
        }
    }
}

impl Body for LentBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match &mut self.body {
            Some(body) => Pin::new(body).poll_frame(context),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map(Body::size_hint).unwrap_or_default()
    }
}
