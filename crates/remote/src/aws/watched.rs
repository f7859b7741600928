//! A socket that tells when bytes last moved, and that keeps an early answer readable.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::client::TlsStream;

/// What is seen of a connection from outside.
#[derive(Debug)]
pub(super) struct Watch {
    origin: Instant,
    /// Milliseconds after `origin` at which bytes last moved.
    last_progress: AtomicU64,
    received: AtomicU64,
}

impl Watch {
    fn new() -> Watch {
        Watch {
            origin: Instant::now(),
            last_progress: AtomicU64::new(0),
            received: AtomicU64::new(0),
        }
    }

    /// Counts from now on.
    pub(super) fn touch(&self) {
        let passed = u64::try_from(self.origin.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last_progress.store(passed, Ordering::Relaxed);
    }

    /// When bytes last moved in either direction.
    pub(super) fn last_progress(&self) -> Instant {
        self.origin + Duration::from_millis(self.last_progress.load(Ordering::Relaxed))
    }

    /// Bytes received so far.
    pub(super) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }
}

/// Plain or TLS.
#[derive(Debug)]
pub(super) enum Transport {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// A transport under watch.
///
/// A store that refuses an upload early closes its side while we still write. The write then fails
/// although the refusal stands in our receive buffer. So a failed write is kept back here: it
/// stays pending, and the read side shows either the answer or the broken connection.
#[derive(Debug)]
pub(super) struct Watched {
    transport: Transport,
    watch: Arc<Watch>,
    write_broken: bool,
}

impl Watched {
    pub(super) fn new(transport: Transport) -> (Watched, Arc<Watch>) {
        let watch = Arc::new(Watch::new());
        let watched = Watched {
            transport,
            watch: Arc::clone(&watch),
            write_broken: false,
        };
        (watched, watch)
    }

    fn after_write(&mut self, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match result {
            Poll::Ready(Ok(written)) => {
                self.watch.touch();
                Poll::Ready(Ok(written))
            }
            Poll::Ready(Err(error)) if is_closed_by_peer(&error) => {
                self.write_broken = true;
                Poll::Pending
            }
            other => other,
        }
    }
}

fn is_closed_by_peer(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::BrokenPipe
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::NotConnected
    )
}

impl AsyncRead for Watched {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let result = match &mut this.transport {
            Transport::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Transport::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        };
        let read = buffer.filled().len() - before;
        if read > 0 {
            let read = u64::try_from(read).unwrap_or(u64::MAX);
            this.watch.received.fetch_add(read, Ordering::Relaxed);
            this.watch.touch();
        }
        result
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.write_broken {
            return Poll::Pending;
        }
        let result = match &mut this.transport {
            Transport::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Transport::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        };
        this.after_write(result)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.write_broken {
            return Poll::Pending;
        }
        let result = match &mut this.transport {
            Transport::Plain(stream) => Pin::new(stream).poll_write_vectored(context, slices),
            Transport::Tls(stream) => Pin::new(stream).poll_write_vectored(context, slices),
        };
        this.after_write(result)
    }

    fn is_write_vectored(&self) -> bool {
        match &self.transport {
            Transport::Plain(stream) => stream.is_write_vectored(),
            Transport::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.write_broken {
            return Poll::Pending;
        }
        let result = match &mut this.transport {
            Transport::Plain(stream) => Pin::new(stream).poll_flush(context),
            Transport::Tls(stream) => Pin::new(stream).poll_flush(context),
        };
        match result {
            Poll::Ready(Err(error)) if is_closed_by_peer(&error) => {
                this.write_broken = true;
                Poll::Pending
            }
            other => other,
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.write_broken {
            return Poll::Ready(Ok(()));
        }
        match &mut this.transport {
            Transport::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Transport::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
