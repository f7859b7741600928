//! A span of the source as it goes into a request to the destination, never held whole.
//!
//! Invariants: each time it is opened it is the same bytes of the same version, or fails; what
//! passed to its end was hashed on the way. Where what the source's store keeps of the whole is
//! given, the last frame is held back until the bytes were compared with it, so that no request of
//! wrong bytes is ever complete. Retries: a body that breaks off is asked for again from where it
//! broke; its destination asks for all of it anew. Limits: a frame of the source and what the two
//! connections hold, for which [`STREAMED`](crate::flow::STREAMED) is taken.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use base::checksum::Crc64Hasher;
use base::{ByteCount, Crc64Nvme, Fault};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream;
use md5::{Digest as _, Md5};
use parking_lot::Mutex;
use remote::payload::{FrameSource, Passed, PayloadSource, Stream};
use remote::types::ObjectHead;
use remote::{ObjectBody, Operation, Payload};

use super::source_check::{Running, compare_passed};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::location::ObjectLocation;
use crate::transfer::fetch::{Body, Fetch, Span};
use crate::verify::Means;

type Frames = Pin<Box<dyn futures_util::Stream<Item = remote::Result<Bytes>> + Send>>;

/// A span of an object, to be read while it is sent. Clones share what became of it.
#[derive(Clone)]
pub(super) struct SourceStream(Arc<Shared>);

/// What is streamed, and what must be known of it.
pub(super) struct Piece<'a> {
    pub(super) context: &'a Context,
    pub(super) from: &'a ObjectLocation,
    pub(super) head: &'a ObjectHead,
    pub(super) span: Span,
    /// The digest of the source's kind, as far as it is before this piece.
    pub(super) running: Option<Running>,
    /// What the whole must be, where this piece is all of it.
    pub(super) whole: Option<Means>,
    /// Whether the destination may have nothing to compare but an ETag.
    pub(super) md5: bool,
}

struct Shared {
    context: Context,
    from: ObjectLocation,
    head: ObjectHead,
    span: Span,
    before: Option<Running>,
    whole: Option<Means>,
    md5: bool,
    outcome: Mutex<Outcome>,
}

/// What became of the times that it was read.
#[derive(Default)]
struct Outcome {
    passed: Option<Passed>,
    running: Option<Running>,
    failure: Option<Error>,
}

impl SourceStream {
    pub(super) fn new(piece: Piece<'_>) -> SourceStream {
        SourceStream(Arc::new(Shared {
            context: piece.context.clone(),
            from: piece.from.clone(),
            head: piece.head.clone(),
            span: piece.span,
            before: piece.running,
            whole: piece.whole,
            md5: piece.md5,
            outcome: Mutex::default(),
        }))
    }

    /// As what a request sends. A whole object brings the checksum that its store keeps.
    pub(super) fn payload(&self) -> Payload {
        let whole = self.0.whole.as_ref();
        Payload::Stream(Stream {
            source: Arc::new(self.clone()),
            length: self.0.span.length,
            crc64: whole.and_then(|_| self.0.head.crc64nvme()),
        })
    }

    /// Reads it to its end and sends it nowhere.
    pub(super) async fn pass(&self) -> Result<()> {
        let mut frames = self.open().await?;
        while let Some(frame) = frames.frame().await {
            self.settle(frame.map_err(Error::Remote))?;
        }
        Ok(())
    }

    /// What came of a request that sent it: where the source failed, that is why.
    pub(super) fn settle<T>(&self, result: Result<T>) -> Result<T> {
        match result {
            Ok(value) => Ok(value),
            Err(error) => Err(self.0.outcome.lock().failure.take().unwrap_or(error)),
        }
    }

    /// The digest of the source's kind after this piece, once it has passed.
    pub(super) fn running(&self) -> Option<Running> {
        self.0.outcome.lock().running.clone()
    }
}

impl PayloadSource for SourceStream {
    fn open(&self) -> BoxFuture<'static, remote::Result<ObjectBody>> {
        let shared = Arc::clone(&self.0);
        Box::pin(async move {
            *shared.outcome.lock() = Outcome::default();
            let frames: Frames = Box::pin(stream::try_unfold(
                Reading::new(shared),
                |mut reading| async move {
                    let frame = reading.next().await;
                    let frame = frame.map_err(|error| reading.failed(error))?;
                    Ok(frame.map(|frame| (frame, reading)))
                },
            ));
            Ok(ObjectBody::new(Polled(frames)))
        })
    }

    fn passed(&self) -> Option<Passed> {
        self.0.outcome.lock().passed
    }
}

struct Polled(Frames);

impl FrameSource for Polled {
    fn poll_frame(&mut self, context: &mut TaskContext<'_>) -> Poll<Option<remote::Result<Bytes>>> {
        self.0.as_mut().poll_next(context)
    }
}

/// One time that it is read.
struct Reading {
    shared: Arc<Shared>,
    state: tokio::sync::Mutex<State>,
    crc64: Crc64Hasher,
    md5: Option<Md5>,
    running: Option<Running>,
    ended: bool,
}

/// What one try to get a frame leaves to the next.
struct State {
    fetch: Fetch,
    body: Option<Body>,
}

impl Reading {
    fn new(shared: Arc<Shared>) -> Reading {
        let fetch = Fetch::of_span(shared.from.clone(), &shared.head, shared.span);
        Reading {
            state: tokio::sync::Mutex::new(State { fetch, body: None }),
            crc64: Crc64Hasher::new(),
            md5: shared.md5.then(Md5::new),
            running: shared.before.clone(),
            ended: false,
            shared,
        }
    }

    async fn next(&mut self) -> Result<Option<Bytes>> {
        if self.ended {
            return Ok(None);
        }
        let context = &self.shared.context;
        let frame = base::flow::retry(&context.retry, &context.clock, |_| {
            let state = &self.state;
            async move { state.lock().await.frame(context).await }
        })
        .await?;
        self.crc64.update(&frame);
        if let Some(md5) = &mut self.md5 {
            md5.update(&frame);
        }
        if let Some(running) = &mut self.running {
            running.update(&frame);
        }
        if self.state.get_mut().fetch.left() == Some(0) {
            self.end()?;
        }
        Ok(Some(frame))
    }

    /// Before the last frame is handed over.
    fn end(&mut self) -> Result<()> {
        self.ended = true;
        let crc64: Crc64Nvme = self.crc64.finish();
        let running = self.running.take();
        if let Some(means) = &self.shared.whole {
            compare_passed(
                &self.shared.from.to_string(),
                means,
                crc64,
                running.as_ref(),
            )?;
        }
        let mut outcome = self.shared.outcome.lock();
        outcome.passed = Some(Passed {
            crc64,
            md5: self.md5.take().map(|md5| md5.finalize().into()),
        });
        outcome.running = running;
        Ok(())
    }

    /// Keeps why, and tells the request that sends it.
    fn failed(&self, error: Error) -> remote::Error {
        let message = format!("its source could not be read: {error}");
        self.shared.outcome.lock().failure = Some(error);
        let from = &self.shared.from;
        remote::Error::new(Operation::GetObject, Fault::Local, message)
            .about(Some(from.bucket.as_str()), Some(from.key.as_str()))
    }
}

impl State {
    /// The next frame, never an empty one.
    async fn frame(&mut self, context: &Context) -> Result<Bytes> {
        let body = match &mut self.body {
            Some(body) => body,
            None => {
                let body = self.fetch.ask(&*context.source).await?;
                self.body.insert(body)
            }
        };
        let mut gathered = body.gather(ByteCount(1)).await;
        self.fetch.took(gathered.bytes);
        if let Some(frame) = gathered.frames.pop() {
            if self.fetch.left() == Some(0) {
                body.drain().await?;
            }
            return Ok(frame);
        }
        self.body = None;
        match gathered.error {
            Some(error) => Err(error),
            // It ended too early.
            None => self.fetch.is_whole().map(|()| Bytes::new()),
        }
    }
}
