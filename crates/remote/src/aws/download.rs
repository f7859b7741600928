//! An answer's body on its way in.

use std::future::Future as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use base::flow::Throttle;
use base::{BucketName, Fault, Key};
use bytes::Bytes;
use http_body::Body as _;
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep};

use super::connection::Connection;
use super::pool::Route;
use super::prepared::Prepared;
use super::traffic::Traffic;
use crate::error::{Error, Operation, Result};
use crate::payload::FrameSource;

/// A body given up with no more than this left is read to its end for the connection's sake.
const DRAIN_BYTES_MAX: u64 = 64 * 1024;

/// The connection that a body comes over, and where it goes afterwards.
#[derive(Debug)]
pub(super) struct Lease {
    pub(super) connection: Connection,
    pub(super) route: Arc<Route>,
    /// False where the request was not sent whole: the connection then still waits for the rest.
    pub(super) reusable: bool,
}

/// Frames of an answer, under a time-out for each.
///
/// After the last frame the connection rests in its route. Dropped before, it is closed, unless
/// little is left.
pub(super) struct Download {
    incoming: Incoming,
    /// None once the body ended or broke, or when the connection may not be used again.
    lease: Option<Lease>,
    /// What `Content-Length` promised and is still to come.
    remaining: Option<u64>,
    stall: Duration,
    timer: Option<Pin<Box<Sleep>>>,
    /// Whether the timer runs for the frame that is waited for.
    waiting: bool,
    ended: bool,
    throttle: Throttle,
    /// A frame that came and waits for the bandwidth.
    held: Option<Bytes>,
    traffic: Traffic,
    operation: Operation,
    bucket: Option<BucketName>,
    key: Option<Key>,
}

impl Download {
    /// A body that comes over the lease's connection.
    pub(super) fn new(
        incoming: Incoming,
        lease: Lease,
        stall: Duration,
        prepared: &Prepared,
    ) -> Download {
        let request = &prepared.request;
        let mut download = Download {
            remaining: incoming.size_hint().exact(),
            incoming,
            lease: Some(lease),
            stall,
            timer: None,
            waiting: false,
            ended: false,
            throttle: prepared.traffic.bandwidth.throttle(),
            held: None,
            traffic: prepared.traffic.clone(),
            operation: request.operation,
            bucket: request.bucket.clone(),
            key: request.key.clone(),
        };
        if download.incoming.is_end_stream() {
            download.end();
        }
        download
    }

    fn end(&mut self) {
        self.ended = true;
        if let Some(lease) = self.lease.take().filter(|lease| lease.reusable) {
            lease.route.give_back(lease.connection);
        }
    }

    fn broken(&mut self, message: &str) -> Error {
        self.ended = true;
        self.lease = None;
        let bucket = self.bucket.as_ref().map(BucketName::as_str);
        let key = self.key.as_ref().map(Key::as_str);
        Error::new(self.operation, Fault::Unavailable, message).about(bucket, key)
    }

    fn poll_stall(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        let due = Instant::now() + self.stall;
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(due)));
        if !self.waiting {
            self.waiting = true;
            timer.as_mut().reset(due);
        }
        if timer.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        let message = format!("no byte of the body within {} s", self.stall.as_secs_f64());
        Poll::Ready(Some(Err(self.broken(&message))))
    }

    /// Reads all, as long as it is at most `bytes_max`.
    pub(super) async fn collect(mut self, bytes_max: usize) -> Result<Bytes> {
        let mut first = Bytes::new();
        let mut all = Vec::new();
        let mut length = 0;
        while let Some(frame) = std::future::poll_fn(|context| self.poll_frame(context)).await {
            let frame = frame?;
            length += frame.len();
            if length > bytes_max {
                let message = format!("the answer is longer than {bytes_max} bytes");
                return Err(self.broken(&message).with_fault(Fault::Invalid));
            }
            // Most answers are one frame, which needs no copy.
            if first.is_empty() {
                first = frame;
                continue;
            }
            if all.is_empty() {
                // What is promised is taken at its word up to what would be read.
                let promised = self.remaining.and_then(|left| usize::try_from(left).ok());
                let rest = promised.unwrap_or(0).min(bytes_max - length);
                all.reserve_exact(length + rest);
                all.extend_from_slice(&first);
            }
            all.extend_from_slice(&frame);
        }
        Ok(if all.is_empty() { first } else { all.into() })
    }
}

impl FrameSource for Download {
    fn poll_frame(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        loop {
            if let Some(frame) = self.held.take() {
                if self.throttle.poll_go(context, frame.len()).is_pending() {
                    self.held = Some(frame);
                    return Poll::Pending;
                }
                return Poll::Ready(Some(Ok(frame)));
            }
            if self.ended {
                return Poll::Ready(None);
            }
            let polled = Pin::new(&mut self.incoming).poll_frame(context);
            let frame = match polled {
                Poll::Pending => return self.poll_stall(context),
                Poll::Ready(Some(Ok(frame))) => frame,
                Poll::Ready(Some(Err(error))) => {
                    let broken = self.broken("the body broke off").with_source(error);
                    return Poll::Ready(Some(Err(broken)));
                }
                Poll::Ready(None) if self.remaining.is_none_or(|remaining| remaining == 0) => {
                    self.end();
                    return Poll::Ready(None);
                }
                Poll::Ready(None) => {
                    let broken = self.broken("the body ended before its promised length");
                    return Poll::Ready(Some(Err(broken)));
                }
            };
            self.waiting = false;
            // Trailers say nothing that we asked for.
            let Ok(bytes) = frame.into_data() else {
                continue;
            };
            if let Some(remaining) = &mut self.remaining {
                *remaining = remaining.saturating_sub(bytes.len() as u64);
            }
            if self.incoming.is_end_stream() {
                self.end();
            }
            if !bytes.is_empty() {
                self.traffic.counters.moved(bytes.len());
                self.held = Some(bytes);
            }
        }
    }
}

impl Drop for Download {
    fn drop(&mut self) {
        // hyper reads what has already arrived once the body is dropped, or closes.
        let little_left = self.remaining.is_some_and(|left| left <= DRAIN_BYTES_MAX);
        if little_left && !self.ended {
            self.end();
        }
    }
}
