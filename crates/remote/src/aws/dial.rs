//! Making a connection: TCP, a proxy's CONNECT, TLS, and hyper on top.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use base::Fault;
use parking_lot::Mutex;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;

use super::addresses::Addresses;
use super::authority::Authority;
use super::connection::Connection;
use super::counters::RequestCounters;
use super::options::TlsOptions;
use super::proxy::Proxy;
use super::tls::{self, TlsSetupError};
use super::watched::{Transport, Watched};

/// Most of a proxy's answer to CONNECT that is read. A guess with room.
const CONNECT_REPLY_BYTES_MAX: usize = 8 * 1024;

/// Silence after which the kernel asks whether the other side is there. A guess.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(60);

/// Most bytes that wait in the kernel unsent. A guess: two frames of an upload.
#[cfg(target_os = "linux")]
const UNSENT_BYTES_MAX: u32 = 512 * 1024;

/// Why there is no connection. What is named is the host, which the URL's secrets are not part of.
#[derive(Debug, thiserror::Error)]
pub(super) enum DialError {
    /// The name has no address now.
    #[error("resolve {host}")]
    Resolve { host: String, source: io::Error },
    /// No address took the connection; the cause is the last one's.
    #[error("connect to {host} at {address}")]
    Connect {
        host: String,
        address: SocketAddr,
        source: io::Error,
    },
    /// Nothing within the time for connecting.
    #[error("connect to {host}: nothing within {} s", after.as_secs_f64())]
    TimedOut { host: String, after: Duration },
    /// The kernel does not know the congestion control or does not let us use it.
    #[error("TCP congestion control \"{name}\" is not available here")]
    Congestion { name: String, source: io::Error },
    /// The proxy hung up.
    #[error("ask the proxy {proxy} for {host}")]
    Proxy {
        proxy: String,
        host: String,
        source: io::Error,
    },
    /// The proxy said no.
    #[error("the proxy {proxy} refused {host}: {answer}")]
    ProxyRefused {
        proxy: String,
        host: String,
        answer: String,
    },
    /// No TLS at all.
    #[error(transparent)]
    TlsSetup(TlsSetupError),
    /// The handshake failed.
    #[error("TLS with {host}")]
    Tls { host: String, source: io::Error },
    /// hyper refused the connection.
    #[error("begin HTTP with {host}")]
    Http { host: String, source: hyper::Error },
}

impl DialError {
    pub(super) fn fault(&self) -> Fault {
        match self {
            DialError::Resolve { .. }
            | DialError::Connect { .. }
            | DialError::TimedOut { .. }
            | DialError::Proxy { .. }
            | DialError::Http { .. } => Fault::Unavailable,
            DialError::Congestion { .. } | DialError::TlsSetup(_) => Fault::Invalid,
            DialError::ProxyRefused { answer, .. } => {
                // A proxy that cannot reach the store answers 5xx; 403 and 407 stay.
                if answer.starts_with('5') {
                    Fault::Unavailable
                } else {
                    Fault::Denied
                }
            }
            DialError::Tls { source, .. } => {
                let cause = source
                    .get_ref()
                    .and_then(|inner| inner.downcast_ref::<rustls::Error>());
                match cause {
                    Some(rustls::Error::InvalidCertificate(_)) => Fault::Invalid,
                    _ => Fault::Unavailable,
                }
            }
        }
    }
}

/// Makes connections.
#[derive(Debug)]
pub(super) struct Dialer {
    pub(super) tls_options: TlsOptions,
    pub(super) tls_config: Mutex<Option<Arc<ClientConfig>>>,
    pub(super) tcp_congestion: Option<String>,
    pub(super) connect_timeout: Duration,
    pub(super) counters: RequestCounters,
}

impl Dialer {
    /// Connects to `authority`, by way of `proxy` where there is one. `addresses` are those of
    /// whichever comes first.
    pub(super) async fn dial(
        &self,
        authority: &Authority,
        proxy: Option<&Proxy>,
        addresses: &Addresses,
    ) -> Result<Connection, DialError> {
        let dialled = self.dial_patiently(authority, proxy, addresses);
        match tokio::time::timeout(self.connect_timeout.saturating_mul(2), dialled).await {
            Ok(result) => result,
            Err(_) => Err(DialError::TimedOut {
                host: authority.host_and_port(),
                after: self.connect_timeout.saturating_mul(2),
            }),
        }
    }

    async fn dial_patiently(
        &self,
        authority: &Authority,
        proxy: Option<&Proxy>,
        addresses: &Addresses,
    ) -> Result<Connection, DialError> {
        let host = proxy.map_or(authority.host.as_str(), |proxy| proxy.host.as_str());
        let mut stream = self.connect(host, addresses).await?;
        if let (Some(proxy), true) = (proxy, authority.tls) {
            tunnel(&mut stream, proxy, authority).await?;
        }
        let transport = if authority.tls {
            self.handshake(stream, &authority.host).await?
        } else {
            Transport::Plain(stream)
        };
        let (watched, watch) = Watched::new(transport);
        Connection::begin(watched, watch, self.counters.clone())
            .await
            .map_err(|source| DialError::Http {
                host: authority.host_and_port(),
                source,
            })
    }

    async fn connect(&self, host: &str, addresses: &Addresses) -> Result<TcpStream, DialError> {
        let in_turn = addresses
            .in_turn()
            .await
            .map_err(|source| DialError::Resolve {
                host: host.to_owned(),
                source,
            })?;
        let mut last = DialError::TimedOut {
            host: host.to_owned(),
            after: self.connect_timeout,
        };
        for address in in_turn {
            match self.connect_one(host, address).await {
                Ok(stream) => {
                    addresses.works(address);
                    return Ok(stream);
                }
                Err(error @ DialError::Congestion { .. }) => return Err(error),
                Err(error) => {
                    addresses.failed(address);
                    last = error;
                }
            }
        }
        Err(last)
    }

    async fn connect_one(&self, host: &str, address: SocketAddr) -> Result<TcpStream, DialError> {
        let refused = |source| DialError::Connect {
            host: host.to_owned(),
            address,
            source,
        };
        let socket = if address.is_ipv4() {
            TcpSocket::new_v4()
        } else {
            TcpSocket::new_v6()
        }
        .map_err(refused)?;
        if let Some(name) = &self.tcp_congestion {
            set_congestion(&socket, name)?;
        }
        let connecting = tokio::time::timeout(self.connect_timeout, socket.connect(address));
        let stream = match connecting.await {
            Ok(connected) => connected.map_err(refused)?,
            Err(_) => {
                return Err(DialError::TimedOut {
                    host: format!("{host} at {address}"),
                    after: self.connect_timeout,
                });
            }
        };
        // Requests are written in one go; waiting for more only costs time.
        stream.set_nodelay(true).map_err(refused)?;
        limit_unsent(&stream);
        // A store may work on a copy for minutes; a gateway on the way forgets silent connections
        // (AWS's after 350 s).
        let keepalive = socket2::TcpKeepalive::new().with_time(KEEPALIVE_AFTER);
        let socket = socket2::SockRef::from(&stream);
        socket.set_tcp_keepalive(&keepalive).map_err(refused)?;
        Ok(stream)
    }

    async fn handshake(&self, stream: TcpStream, host: &str) -> Result<Transport, DialError> {
        let config = self.tls_config().await.map_err(DialError::TlsSetup)?;
        let failed = |source| DialError::Tls {
            host: host.to_owned(),
            source,
        };
        let name = ServerName::try_from(host.to_owned())
            .map_err(|error| failed(io::Error::new(io::ErrorKind::InvalidInput, error)))?;
        let stream = TlsConnector::from(config)
            .connect(name, stream)
            .await
            .map_err(failed)?;
        Ok(Transport::Tls(Box::new(stream)))
    }

    /// Whom to trust; read from disk the first time.
    pub(super) async fn tls_config(&self) -> Result<Arc<ClientConfig>, TlsSetupError> {
        if let Some(config) = &*self.tls_config.lock() {
            return Ok(Arc::clone(config));
        }
        let options = self.tls_options.clone();
        let config = base::tasks::blocking(move || tls::configure(&options)).await?;
        *self.tls_config.lock() = Some(Arc::clone(&config));
        Ok(config)
    }
}

#[cfg(target_os = "linux")]
fn set_congestion(socket: &TcpSocket, name: &str) -> Result<(), DialError> {
    socket2::SockRef::from(socket)
        .set_tcp_congestion(name.as_bytes())
        .map_err(|source| DialError::Congestion {
            name: name.to_owned(),
            source,
        })
}

#[cfg(not(target_os = "linux"))]
fn set_congestion(_: &TcpSocket, name: &str) -> Result<(), DialError> {
    Err(DialError::Congestion {
        name: name.to_owned(),
        source: io::Error::from(io::ErrorKind::Unsupported),
    })
}

/// Keeps what waits in the kernel short, so that the time-outs see what the network takes and not
/// what the kernel buffers (up to 4 MiB, minutes on a slow line). Without it all works, less
/// exactly.
#[cfg(target_os = "linux")]
fn limit_unsent(stream: &TcpStream) {
    if let Err(error) = socket2::SockRef::from(stream).set_tcp_notsent_lowat(UNSENT_BYTES_MAX) {
        tracing::debug!(%error, "unsent bytes not limited");
    }
}

#[cfg(not(target_os = "linux"))]
fn limit_unsent(_: &TcpStream) {}

/// Asks the proxy for a way through to the store.
async fn tunnel(
    stream: &mut TcpStream,
    proxy: &Proxy,
    authority: &Authority,
) -> Result<(), DialError> {
    let host = if authority.host.contains(':') {
        format!("[{}]:{}", authority.host, authority.port)
    } else {
        format!("{}:{}", authority.host, authority.port)
    };
    let name = format!("{}:{}", proxy.host, proxy.port);
    let authorization = match &proxy.authorization {
        Some(value) => format!("Proxy-Authorization: {value}\r\n"),
        None => String::new(),
    };
    let request = format!("CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n{authorization}\r\n");
    let head = async {
        stream.write_all(request.as_bytes()).await?;
        read_head(stream).await
    };
    let head = head.await.map_err(|source| DialError::Proxy {
        proxy: name.clone(),
        host: host.clone(),
        source,
    })?;
    let line = String::from_utf8_lossy(head.split(|&byte| byte == b'\r').next().unwrap_or(&head));
    let answer = line.split_once(' ').map_or("", |(_, rest)| rest).trim();
    if answer.starts_with('2') {
        return Ok(());
    }
    Err(DialError::ProxyRefused {
        proxy: name,
        host,
        answer: answer.chars().take(200).collect(),
    })
}

/// Reads up to the empty line and not a byte further: what follows belongs to TLS.
async fn read_head(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(256);
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= CONNECT_REPLY_BYTES_MAX {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the answer to CONNECT has no end",
            ));
        }
        head.push(stream.read_u8().await?);
    }
    Ok(head)
}
