//! Bytes on their way to a store and from it.

use std::fmt;
use std::fs::File;
use std::sync::Arc;

use base::{ByteCount, Crc64Nvme, Sealed};
use bytes::Bytes;
use futures_util::future::BoxFuture;

use crate::error::Result;

/// What a PUT or a part sends. It can be read again for a retry.
#[derive(Clone)]
pub enum Payload {
    /// Bytes in memory with their checksum.
    Memory(Sealed),
    /// A range of a file, read in frames while it is sent, and read once before where a checksum
    /// or signature must stand in the head of the request.
    File(FileRange),
    /// Bytes of another place, read anew for each try and never held whole; read once before
    /// where a checksum or signature must stand in the head of the request that nobody knows yet.
    Stream(Stream),
}

/// Bytes that are read from where they are while they are sent.
#[derive(Clone)]
pub struct Stream {
    /// Where they are.
    pub source: Arc<dyn PayloadSource>,
    /// Number of bytes.
    pub length: ByteCount,
    /// Their checksum, where it is known before: then it needs no reading.
    pub crc64: Option<Crc64Nvme>,
}

/// Where a [`Stream`] is read from.
pub trait PayloadSource: Send + Sync {
    /// All of the bytes, from the first one; the same bytes each time, or an error. An error is
    /// not tried again: a source does so itself.
    fn open(&self) -> BoxFuture<'static, Result<ObjectBody>>;

    /// The digests of the last body that was read to its end.
    fn passed(&self) -> Option<Passed>;
}

/// Digests of bytes that passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passed {
    /// Always taken.
    pub crc64: Crc64Nvme,
    /// Where an ETag may have to be compared with it.
    pub md5: Option<[u8; 16]>,
}

/// A range of an open file.
#[derive(Clone, Debug)]
pub struct FileRange {
    /// The file; reads are positional, so one handle serves many ranges.
    pub file: Arc<File>,
    /// First byte.
    pub offset: u64,
    /// Number of bytes. Fewer in the file when sending is [`base::Fault::Conflict`].
    pub length: ByteCount,
}

impl Payload {
    /// Seals bytes that were made here.
    pub fn from_bytes(bytes: impl Into<Bytes>) -> Payload {
        Payload::Memory(Sealed::seal(bytes.into()))
    }

    /// Nothing.
    pub fn empty() -> Payload {
        Payload::from_bytes(Bytes::new())
    }

    /// Number of bytes.
    pub fn length(&self) -> ByteCount {
        match self {
            Payload::Memory(sealed) => ByteCount(sealed.len() as u64),
            Payload::File(range) => range.length,
            Payload::Stream(stream) => stream.length,
        }
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Payload::Memory(sealed) => sealed.fmt(f),
            Payload::File(range) => range.fmt(f),
            Payload::Stream(stream) => stream.fmt(f),
        }
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream")
            .field("length", &self.length)
            .field("crc64", &self.crc64)
            .finish_non_exhaustive()
    }
}

/// A response's body, frame by frame.
///
/// Ends with `None` only after as many bytes as the response promised; a shorter body is an error.
/// Dropping it early closes (or drains, if little is left) the connection.
pub struct ObjectBody {
    source: Box<dyn FrameSource>,
}

/// Where a body's frames come from. Polled directly; nothing is boxed a frame.
pub trait FrameSource: Send {
    /// The next frame; `None` after the last.
    fn poll_frame(
        &mut self,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Bytes>>>;
}

impl ObjectBody {
    /// A body over a source of frames.
    pub fn new(source: impl FrameSource + 'static) -> ObjectBody {
        ObjectBody {
            source: Box::new(source),
        }
    }

    /// A body of bytes at hand.
    pub fn from_bytes(bytes: Bytes) -> ObjectBody {
        ObjectBody::new(OneFrame(Some(bytes)))
    }

    /// The next frame; `None` after the last. May be dropped at any await.
    pub async fn frame(&mut self) -> Option<Result<Bytes>> {
        std::future::poll_fn(|context| self.source.poll_frame(context)).await
    }

    /// All that is left, in memory. For bodies known to be small.
    pub async fn collect(mut self) -> Result<Bytes> {
        let Some(first) = self.frame().await else {
            return Ok(Bytes::new());
        };
        let first = first?;
        let Some(second) = self.frame().await else {
            return Ok(first);
        };
        let mut all = Vec::with_capacity(first.len() * 2);
        all.extend_from_slice(&first);
        all.extend_from_slice(&second?);
        while let Some(frame) = self.frame().await {
            all.extend_from_slice(&frame?);
        }
        Ok(all.into())
    }
}

impl FrameSource for ObjectBody {
    fn poll_frame(
        &mut self,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Bytes>>> {
        self.source.poll_frame(context)
    }
}

impl fmt::Debug for ObjectBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ObjectBody")
    }
}

struct OneFrame(Option<Bytes>);

impl FrameSource for OneFrame {
    fn poll_frame(
        &mut self,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Bytes>>> {
        std::task::Poll::Ready(self.0.take().filter(|bytes| !bytes.is_empty()).map(Ok))
    }
}

/// How a store checked an upload before it said yes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UploadCheck {
    /// It compared the payload with a checksum header that we sent.
    ChecksumHeader(Crc64Nvme),
    /// It compared the payload with the SHA-256 that our signature covers.
    PayloadSignature,
    /// It had nothing to compare with: the caller compares the ETag.
    None,
}

/// Named so that the alias of the port's futures is one word in implementations.
pub type Reply<'a, T> = BoxFuture<'a, Result<T>>;
