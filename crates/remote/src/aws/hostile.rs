//! A server that answers byte by byte as a test tells it, and remembers what it was asked.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use base::tasks;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// A request as it stood on the wire.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// `GET /bucket/key?query HTTP/1.1`.
    pub(super) line: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Seen {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(other, _)| other == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The region that the signature is for.
    pub(super) fn signed_region(&self) -> Option<&str> {
        self.header("authorization")?.split('/').nth(2)
    }
}

/// The server's end of one connection.
pub(super) struct Peer {
    stream: Box<dyn Stream>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {
    fn linger_zero(&self) {}
}

impl Stream for TcpStream {
    fn linger_zero(&self) {
        socket2::SockRef::from(self)
            .set_linger(Some(Duration::ZERO))
            .unwrap();
    }
}

impl Stream for tokio_rustls::server::TlsStream<TcpStream> {}

impl Peer {
    /// A request's head and body; none when the client closed.
    pub(super) async fn read_request(&mut self) -> Option<Seen> {
        let mut seen = self.read_head().await?;
        let length = seen
            .header("content-length")
            .map_or(0, |length| length.parse().unwrap());
        seen.body = vec![0; length];
        self.stream.read_exact(&mut seen.body).await.ok()?;
        self.seen.lock().push(seen.clone());
        Some(seen)
    }

    /// A request's head, byte by byte, so that its body stays unread.
    pub(super) async fn read_head(&mut self) -> Option<Seen> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.stream.read_u8().await.ok()?);
        }
        let head = String::from_utf8(head).unwrap();
        let mut lines = head.lines();
        let line = lines.next()?.to_owned();
        let headers = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        Some(Seen {
            line,
            headers,
            body: Vec::new(),
        })
    }

    /// Reads so many bytes and throws them away.
    pub(super) async fn read_some(&mut self, count: usize) {
        let mut scratch = vec![0; count];
        let _ = self.stream.read_exact(&mut scratch).await;
    }

    pub(super) async fn send(&mut self, text: &str) {
        // The client may be gone; the test sees that on its own side.
        let _ = self.stream.write_all(text.as_bytes()).await;
        let _ = self.stream.flush().await;
    }

    /// Reads on, throwing all away, until the client closes.
    pub(super) async fn until_closed(mut self) {
        let mut scratch = vec![0; 64 * 1024];
        while self
            .stream
            .read(&mut scratch)
            .await
            .is_ok_and(|read| read > 0)
        {}
    }

    /// Holds the connection without reading.
    pub(super) async fn hold(self) {
        std::future::pending::<()>().await;
    }

    /// Breaks the connection at once.
    pub(super) fn reset(self) {
        self.stream.linger_zero();
    }

    /// Goes on as TLS.
    pub(super) async fn tunnel_to(mut self, address: SocketAddr) {
        let mut onward = TcpStream::connect(address).await.unwrap();
        let _ = tokio::io::copy_bidirectional(&mut self.stream, &mut onward).await;
    }
}

/// A listening server; it ends with this.
pub(super) struct Hostile {
    pub(super) address: SocketAddr,
    connections: Arc<AtomicUsize>,
    seen: Arc<Mutex<Vec<Seen>>>,
    accepting: JoinHandle<()>,
}

impl Drop for Hostile {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Hostile {
    /// Hands each connection, with its number from 0, to `serve`.
    pub(super) async fn start<F, S>(serve: S) -> Hostile
    where
        S: Fn(usize, Peer) -> F + Send + Sync + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        Hostile::start_with(None, serve).await
    }

    /// The same behind TLS.
    pub(super) async fn start_tls<F, S>(config: rustls::ServerConfig, serve: S) -> Hostile
    where
        S: Fn(usize, Peer) -> F + Send + Sync + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        Hostile::start_with(Some(TlsAcceptor::from(Arc::new(config))), serve).await
    }

    async fn start_with<F, S>(tls: Option<TlsAcceptor>, serve: S) -> Hostile
    where
        S: Fn(usize, Peer) -> F + Send + Sync + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (counted, kept) = (Arc::clone(&connections), Arc::clone(&seen));
        let serve = Arc::new(serve);
        let accepting = tasks::spawn("hostile server", async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let number = counted.fetch_add(1, Ordering::SeqCst);
                let (tls, kept, serve) = (tls.clone(), Arc::clone(&kept), Arc::clone(&serve));
                tasks::spawn("hostile connection", async move {
                    let stream: Box<dyn Stream> = match tls {
                        None => Box::new(stream),
                        Some(tls) => match tls.accept(stream).await {
                            Ok(stream) => Box::new(stream),
                            Err(_) => return,
                        },
                    };
                    serve(number, Peer { stream, seen: kept }).await;
                });
            }
        });
        Hostile {
            address,
            connections,
            seen,
            accepting,
        }
    }

    /// Answers the n-th request (from 0, over all connections) with what `answer` says, and keeps
    /// connections alive.
    pub(super) async fn answering(
        answer: impl Fn(usize, &Seen) -> String + Send + Sync + 'static,
    ) -> Hostile {
        let (answer, count) = (Arc::new(answer), Arc::new(AtomicUsize::new(0)));
        Hostile::start(move |_, mut peer| {
            let (answer, count) = (Arc::clone(&answer), Arc::clone(&count));
            async move {
                while let Some(seen) = peer.read_request().await {
                    let number = count.fetch_add(1, Ordering::SeqCst);
                    peer.send(&answer(number, &seen)).await;
                }
            }
        })
        .await
    }

    /// Pauses before the head of its answers, and again after the first byte of their body.
    pub(super) async fn answering_late(pause: Duration) -> Hostile {
        Hostile::start(move |_, mut peer| async move {
            while peer.read_request().await.is_some() {
                tokio::time::sleep(pause).await;
                peer.send("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n ")
                    .await;
                tokio::time::sleep(pause).await;
                peer.send(" <Done/>").await;
            }
        })
        .await
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Connections accepted so far.
    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Whole requests read so far.
    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().clone()
    }
}

/// An answer with a body.
pub(super) fn answer(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{headers}\r\n{body}")
}

/// An answer with S3's error document.
pub(super) fn refuse(status: &str, code: &str) -> String {
    let body = format!("<Error><Code>{code}</Code><Message>because</Message></Error>");
    answer(status, "content-type: application/xml\r\n", &body)
}

pub(super) fn ok(body: &str) -> String {
    answer("200 OK", "", body)
}
