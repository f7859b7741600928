//! A minimal S3 client on one of hyper's connections.
//!
//! It asks and reads, and knows no errors but its own end. What it leaves out is what a mover's
//! cost should be compared with.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use anyhow::{Context as _, Result, ensure};
use base::checksum::Crc64Hasher;
use base::tasks;
use bytes::Bytes;
use http::header::{HeaderMap, HeaderName};
use http::{Method, Request, Response};
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use sha2::{Digest as _, Sha256};
use tokio::net::TcpStream;

/// Read from a file at once.
const READ_BYTES: usize = 256 * 1024;

/// Objects up to this size are read into memory once, larger ones are read twice.
const HELD_BYTES_MAX: u64 = 1024 * 1024;

const CHECKSUM: HeaderName = HeaderName::from_static("x-amz-checksum-crc64nvme");

/// What goes with an upload so that the store can check it.
#[derive(Debug, Clone, Default)]
pub struct Checks {
    crc64: Option<String>,
    sha256: Option<String>,
}

impl From<Option<String>> for Checks {
    fn from(crc64: Option<String>) -> Checks {
        Checks {
            crc64,
            sha256: None,
        }
    }
}

/// Where an upload goes.
#[derive(Debug)]
pub struct Target<'a> {
    path: &'a str,
    copy_source: Option<&'a str>,
}

impl<'a> Target<'a> {
    /// Of the request's own bytes.
    pub fn new(path: &'a str) -> Target<'a> {
        Target {
            path,
            copy_source: None,
        }
    }

    /// Of another object's.
    pub fn copy(path: &'a str, source: &'a str) -> Target<'a> {
        Target {
            path,
            copy_source: Some(source),
        }
    }
}

/// A request's body.
#[derive(Debug)]
pub enum Body {
    /// None.
    Empty,
    /// Bytes in memory, gone once sent.
    Held(Bytes),
    /// So many bytes of a file still to be sent.
    File(File, u64),
    /// The answer to another request.
    Relayed(Incoming),
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match &mut *self {
            Body::Empty => Poll::Ready(None),
            Body::Held(bytes) if bytes.is_empty() => Poll::Ready(None),
            Body::Held(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Body::File(_, 0) => Poll::Ready(None),
            Body::File(file, left) => {
                let mut piece = vec![0; READ_BYTES];
                Poll::Ready(Some(match file.read(&mut piece) {
                    Ok(read) => {
                        piece.truncate(read);
                        *left -= read as u64;
                        Ok(Frame::data(Bytes::from(piece)))
                    }
                    Err(error) => Err(error.into()),
                }))
            }
            Body::Relayed(incoming) => {
                let frame = Pin::new(incoming).poll_frame(context);
                frame.map(|frame| frame.map(|frame| frame.map_err(Into::into)))
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Body::Empty => SizeHint::with_exact(0),
            Body::Held(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Body::File(_, left) => SizeHint::with_exact(*left),
            Body::Relayed(incoming) => incoming.size_hint(),
        }
    }
}

/// A file as a body, with its checks.
#[derive(Debug)]
pub struct FileBody {
    /// What the store can check it by.
    pub checks: Checks,
    /// The bytes.
    pub body: Body,
}

impl FileBody {
    /// Reads it, for the checks and for the body.
    pub fn read(path: &Path, signed: bool) -> Result<FileBody> {
        let mut file = File::open(path).with_context(|| format!("open {}", path.display()))?;
        let size = file.metadata()?.len();
        let mut crc64 = Crc64Hasher::new();
        let mut sha256 = signed.then(Sha256::new);
        let mut check = |bytes: &[u8]| {
            crc64.update(bytes);
            if let Some(sha256) = &mut sha256 {
                sha256.update(bytes);
            }
        };
        let body = if size <= HELD_BYTES_MAX {
            let mut bytes = Vec::with_capacity(usize::try_from(size)?);
            file.read_to_end(&mut bytes)?;
            check(&bytes);
            Body::Held(Bytes::from(bytes))
        } else {
            let mut piece = vec![0; READ_BYTES];
            loop {
                let read = file.read(&mut piece)?;
                if read == 0 {
                    break;
                }
                check(&piece[..read]);
            }
            Body::File(File::open(path)?, size)
        };
        Ok(FileBody {
            checks: Checks {
                crc64: Some(crc64.finish().to_base64()),
                sha256: sha256.map(|sha256| hex::encode(sha256.finalize())),
            },
            body,
        })
    }
}

/// One connection, one request at a time.
#[derive(Debug)]
pub struct Connection {
    host: String,
    sender: SendRequest<Body>,
}

impl Connection {
    /// Connects to `address:port`.
    pub async fn open(host: &str) -> Result<Connection> {
        let stream = TcpStream::connect(host)
            .await
            .with_context(|| format!("connect to {host}"))?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tasks::spawn("floor connection", async move {
            // Whoever waits for an answer has the error.
            let _ = connection.await;
        });
        Ok(Connection {
            host: host.to_owned(),
            sender,
        })
    }

    async fn ask(
        &mut self,
        method: Method,
        target: &str,
        headers: HeaderMap,
        body: Body,
    ) -> Result<Response<Incoming>> {
        let mut request = Request::builder()
            .method(method)
            .uri(target)
            .header("host", &self.host)
            .body(body)?;
        request.headers_mut().extend(headers);
        self.sender.ready().await?;
        let response = self.sender.send_request(request).await?;
        ensure!(
            response.status().is_success(),
            "{target}: {}",
            response.status()
        );
        Ok(response)
    }

    /// Uploads or copies.
    pub async fn put(&mut self, target: Target<'_>, checks: Checks, body: Body) -> Result<()> {
        let mut headers = HeaderMap::new();
        if let Some(source) = target.copy_source {
            headers.insert("x-amz-copy-source", source.parse()?);
        }
        if let Some(crc64) = checks.crc64 {
            headers.insert(CHECKSUM, crc64.parse()?);
        }
        let sha256 = checks.sha256.as_deref().unwrap_or("UNSIGNED-PAYLOAD");
        headers.insert("x-amz-content-sha256", sha256.parse()?);
        let mut response = self.ask(Method::PUT, target.path, headers, body).await?;
        drain(response.body_mut()).await.map(|_| ())
    }

    /// Asks for an object with its checksum; the connection is taken until the body was read.
    pub async fn get(&mut self, path: &str) -> Result<(Checks, Incoming)> {
        let mut headers = HeaderMap::new();
        headers.insert("x-amz-checksum-mode", "ENABLED".parse()?);
        let response = self.ask(Method::GET, path, headers, Body::Empty).await?;
        let crc64 = response.headers().get(CHECKSUM);
        let crc64 = crc64
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned);
        Ok((crc64.into(), response.into_body()))
    }

    /// Downloads into a file, frame by frame, checking the checksum on the way.
    pub async fn get_into(&mut self, path: &str, file: &Path) -> Result<()> {
        let (checks, mut body) = self.get(path).await?;
        let mut file = File::create(file).with_context(|| format!("make {}", file.display()))?;
        let mut crc64 = Crc64Hasher::new();
        while let Some(frame) = body.frame().await {
            if let Ok(bytes) = frame?.into_data() {
                crc64.update(&bytes);
                file.write_all(&bytes)?;
            }
        }
        let found = Some(crc64.finish().to_base64());
        ensure!(
            checks.crc64.is_none() || checks.crc64 == found,
            "{path}: wrong bytes"
        );
        Ok(())
    }

    /// Asks about an object.
    pub async fn head(&mut self, path: &str) -> Result<()> {
        let body = Body::Empty;
        let mut response = self.ask(Method::HEAD, path, HeaderMap::new(), body).await?;
        drain(response.body_mut()).await.map(|_| ())
    }

    /// Reads a page of keys, from the key of this number on, and counts them.
    pub async fn list(&mut self, bucket: &str, begin: u64) -> Result<usize> {
        let mut target = format!("/{bucket}?list-type=2&encoding-type=url");
        if let Some(before) = begin.checked_sub(1) {
            let key = crate::null::keys::KeySpace::key(before);
            let key = String::from_utf8_lossy(key.as_bytes()).replace('/', "%2F");
            target.push_str("&start-after=");
            target.push_str(&key);
        }
        let body = Body::Empty;
        let mut response = self
            .ask(Method::GET, &target, HeaderMap::new(), body)
            .await?;
        let page = drain(response.body_mut()).await?;
        Ok(memchr::memmem::find_iter(&page, b"<Key>").count())
    }
}

async fn drain(body: &mut Incoming) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    while let Some(frame) = body.frame().await {
        if let Ok(bytes) = frame?.into_data() {
            text.extend_from_slice(&bytes);
        }
    }
    Ok(text)
}
