//! Listening, connections, and the end of both.
//!
//! **Overview.** [`Server::bind`] listens and answers until [`Server::shutdown`]. Each connection
//! is a task that speaks HTTP/1.1, with or without TLS.
//!
//! **Cancellation.** Dropping a server stops it listening and lets connections end by
//! themselves; `shutdown` waits for requests under way up to a deadline, then cuts them.
//!
//! **Limits.** Connections are not counted against a limit: this server is for tests and demos.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use base::{Clock, tasks};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use s3s::service::S3ServiceBuilder;
use store::Model;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::api::Api;
use crate::auth::{Account, AnonymousAccess, Guard};
use crate::counters::Counters;
use crate::deviation::{Deviation, Disturbances};
use crate::gate::Gate;
use crate::virtual_host::Domain;

/// How long requests under way may take once the server is to end. A guess, not measured.
const SHUTDOWN_MAX: Duration = Duration::from_secs(5);

/// How long a client may take for a TLS handshake or the head of a request.
/// A guess, not measured: what common web servers grant.
const HEAD_MAX: Duration = Duration::from_secs(30);

/// Bytes read from a connection at once, at most. Large enough that a body's frames are kept as
/// they come.
const READ_BUFFER_BYTES: usize = 512 << 10;

/// Pause after a failed accept, which is mostly for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How a server answers.
#[derive(Debug, Clone)]
pub struct FrontOptions {
    /// Who may sign requests.
    pub accounts: Vec<Account>,
    /// What unsigned requests may do.
    pub anonymous: AnonymousAccess,
    /// The region of all buckets.
    pub region: String,
    /// Speak TLS.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// With it, `bucket.DOMAIN` addresses a bucket too, whatever the port.
    pub virtual_host_domain: Option<String>,
    /// Differences from S3, for tests.
    pub deviation: Deviation,
    /// Where request ids come from.
    pub clock: Clock,
}

impl Default for FrontOptions {
    fn default() -> FrontOptions {
        FrontOptions {
            accounts: Vec::new(),
            anonymous: AnonymousAccess::Deny,
            region: "us-east-1".to_owned(),
            tls: None,
            virtual_host_domain: None,
            deviation: Deviation::default(),
            clock: Clock::system(),
        }
    }
}

/// A server that listens.
pub struct Server {
    address: SocketAddr,
    counters: Counters,
    disturbances: Disturbances,
    /// Ends the listening when dropped; connections then end with the request under way.
    stop: DropGuard,
    /// Cuts connections off when cancelled.
    cut: CancellationToken,
    /// Counts the connections that are still open.
    connections: TaskTracker,
    listening: JoinHandle<()>,
}

impl Server {
    /// Listens on an address and answers from the model.
    ///
    /// # Errors
    /// The address cannot be had.
    pub async fn bind(
        address: SocketAddr,
        model: Model,
        options: FrontOptions,
    ) -> io::Result<Server> {
        let counters = Counters::default();
        let disturbances = options.deviation.disturbances.clone();
        let tls = options.tls.clone().map(TlsAcceptor::from);
        let gate = Arc::new(gate(model, options, counters.clone()));
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let lifetime = Lifetime {
            stop: CancellationToken::new(),
            cut: CancellationToken::new(),
            connections: TaskTracker::new(),
        };
        let listening = tasks::spawn(
            "front accept",
            accept(listener, gate, tls, counters.clone(), lifetime.clone()),
        );
        Ok(Server {
            address,
            counters,
            disturbances,
            stop: lifetime.stop.drop_guard(),
            cut: lifetime.cut,
            connections: lifetime.connections,
            listening,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What was asked so far.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Failures to come.
    pub fn disturbances(&self) -> &Disturbances {
        &self.disturbances
    }

    /// Stops listening, and waits a few seconds for requests under way; then cuts them.
    pub async fn shutdown(self) {
        drop(self.stop);
        // The listening task only loops and cannot fail; once it has ended, no connection is new.
        let _ = self.listening.await;
        self.connections.close();
        let patience = tokio::time::timeout(SHUTDOWN_MAX, self.connections.wait());
        if patience.await.is_err() {
            self.cut.cancel();
            self.connections.wait().await;
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// How connections learn that the server ends.
#[derive(Debug, Clone)]
struct Lifetime {
    /// No new request.
    stop: CancellationToken,
    /// Not even those under way.
    cut: CancellationToken,
    /// Holds every connection.
    connections: TaskTracker,
}

fn gate(model: Model, options: FrontOptions, counters: Counters) -> Gate {
    let guard = Guard {
        accounts: options.accounts,
        anonymous: options.anonymous,
    };
    let mut builder = S3ServiceBuilder::new(Api {
        model,
        region: options.region,
        deviation: options.deviation.clone(),
    });
    builder.set_auth(guard.clone());
    builder.set_access(guard);
    let domain = options.virtual_host_domain.as_deref().map(Domain::new);
    if let Some(domain) = &domain {
        builder.set_host(domain.clone());
    }
    Gate {
        service: builder.build(),
        counters,
        deviation: options.deviation,
        clock: options.clock,
        domain,
    }
}

async fn accept(
    listener: TcpListener,
    gate: Arc<Gate>,
    tls: Option<TlsAcceptor>,
    counters: Counters,
    lifetime: Lifetime,
) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = lifetime.stop.cancelled() => return,
        };
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let open = counters.connection();
        let gate = Arc::clone(&gate);
        let tls = tls.clone();
        let lifetime = lifetime.clone();
        let connection = lifetime.connections.clone().track_future(async move {
            // Whatever ends a connection early is the client's affair, or was on purpose.
            let _ = serve(stream, tls, gate, lifetime).await;
            drop(open);
        });
        tasks::spawn("front connection", connection);
    }
}

async fn serve(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    gate: Arc<Gate>,
    lifetime: Lifetime,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    match tls {
        None => speak(stream, gate, lifetime).await,
        Some(tls) => {
            let stream = tokio::time::timeout(HEAD_MAX, tls.accept(stream)).await??;
            speak(stream, gate, lifetime).await
        }
    }
}

async fn speak(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    gate: Arc<Gate>,
    lifetime: Lifetime,
) -> io::Result<()> {
    let service = service_fn(move |request| {
        let gate = Arc::clone(&gate);
        async move { gate.handle(request).await }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_MAX)
        .max_buf_size(READ_BUFFER_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        () = lifetime.stop.cancelled() => None,
    };
    let ended = match ended {
        Some(ended) => ended,
        None => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                ended = connection => ended,
                () = lifetime.cut.cancelled() => Ok(()),
            }
        }
    };
    ended.map_err(io::Error::other)
}
