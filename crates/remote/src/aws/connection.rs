//! One connection to a store.

use std::future::Future as _;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use base::tasks;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::sync::oneshot;
use tokio::time::{Instant, Sleep};

use super::counters::RequestCounters;
use super::upload::{Upload, UploadError, UploadState};
use super::watched::{Watch, Watched};

/// Most headers in an answer. S3's 2 KB of user metadata hold about 600 of the shortest.
const HEADERS_MAX: usize = 700;

/// A connection that is nobody else's. Dropping it closes it, whatever is under way.
#[derive(Debug)]
pub(super) struct Connection {
    sender: http1::SendRequest<Upload>,
    watch: Arc<Watch>,
    /// Whether it carried a request before.
    pub(super) reused: bool,
    /// The task that drives it ends when this is dropped.
    _alive: oneshot::Sender<()>,
}

/// How long one exchange waits for what.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// From the last byte of the request to the head of the answer.
    pub(super) first_byte: Duration,
    /// Without a byte moved.
    pub(super) stall: Duration,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum ExchangeError {
    /// The store had closed an idle connection; nothing of an answer arrived.
    #[error("the store had closed the connection")]
    Stale(#[source] hyper::Error),
    /// The connection broke.
    #[error("the connection broke before the answer")]
    Broken(#[source] hyper::Error),
    /// Nothing came after the request was sent.
    #[error("no answer within {} s", .0.as_secs_f64())]
    FirstByte(Duration),
    /// The upload did not move.
    #[error("no byte of the upload was taken within {} s", .0.as_secs_f64())]
    Stalled(Duration),
    /// Our own body failed.
    #[error(transparent)]
    Upload(UploadError),
}

impl Connection {
    /// Starts HTTP on a socket, and the task that drives it.
    pub(super) async fn begin(
        socket: Watched,
        watch: Arc<Watch>,
        counters: RequestCounters,
    ) -> Result<Connection, hyper::Error> {
        let (sender, driver) = http1::Builder::new()
            .max_headers(HEADERS_MAX)
            .handshake::<_, Upload>(TokioIo::new(socket))
            .await?;
        let (alive, dropped) = oneshot::channel::<()>();
        counters.connection_opened();
        let open = OpenConnection(counters);
        tasks::spawn("connection", async move {
            let _open = open;
            tokio::select! {
                biased;
                _ = dropped => {}
                ended = driver => if let Err(error) = ended {
                    tracing::debug!(%error, "connection ended");
                }
            }
        });
        Ok(Connection {
            sender,
            watch,
            reused: false,
            _alive: alive,
        })
    }

    /// Whether the store closed it, as far as is known.
    pub(super) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// Waits until the previous answer is behind it. False when it is closed.
    pub(super) async fn ready(&mut self) -> bool {
        self.sender.ready().await.is_ok()
    }

    /// Sends a request and waits for the head of its answer. Dropping the future and then the
    /// connection closes it.
    pub(super) async fn exchange(
        &mut self,
        request: http::Request<Upload>,
        state: &UploadState,
        patience: Patience,
    ) -> Result<http::Response<Incoming>, ExchangeError> {
        self.watch.touch();
        let received_before = self.watch.received();
        let mut answer = pin!(self.sender.send_request(request));
        let first_check = patience.first_byte.min(patience.stall);
        let mut timer = pin!(tokio::time::sleep(first_check));
        let watch = &self.watch;
        let result = std::future::poll_fn(|context| {
            if let std::task::Poll::Ready(result) = answer.as_mut().poll(context) {
                return std::task::Poll::Ready(Ok(result));
            }
            while timer.as_mut().poll(context).is_ready() {
                if let Some(late) = overdue(watch, state, patience, timer.as_mut()) {
                    return std::task::Poll::Ready(Err(late));
                }
            }
            std::task::Poll::Pending
        })
        .await?;
        result.map_err(|error| {
            let upload = std::error::Error::source(&error)
                .and_then(|source| source.downcast_ref::<UploadError>());
            if let Some(upload) = upload {
                return ExchangeError::Upload(upload.clone());
            }
            if self.reused && self.watch.received() == received_before {
                ExchangeError::Stale(error)
            } else {
                ExchangeError::Broken(error)
            }
        })
    }
}

/// Sets the timer anew where bytes moved since; else says what is late.
fn overdue(
    watch: &Watch,
    state: &UploadState,
    patience: Patience,
    timer: std::pin::Pin<&mut Sleep>,
) -> Option<ExchangeError> {
    let (limit, late) = if state.ended() {
        (
            patience.first_byte,
            ExchangeError::FirstByte(patience.first_byte),
        )
    } else {
        (patience.stall, ExchangeError::Stalled(patience.stall))
    };
    let due = if state.held() {
        Instant::now() + limit
    } else {
        watch.last_progress() + limit
    };
    if due <= Instant::now() {
        return Some(late);
    }
    timer.reset(due);
    None
}

/// Counts a connection as open for as long as its task lives.
struct OpenConnection(RequestCounters);

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.connection_closed();
    }
}
