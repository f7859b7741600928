//! A request's body on its way out, and what must be known of it before.

use std::fs::File;
use std::future::Future;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use base::checksum::Crc64Hasher;
use base::flow::Throttle;
use base::{ByteCount, Crc64Nvme, Fault, tasks};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http_body::{Body, Frame, SizeHint};
use md5::Md5;
use sha2::{Digest as _, Sha256};

use super::counters::RequestCounters;
use super::traffic::Traffic;
use crate::payload::{FileRange, FrameSource as _, ObjectBody, Payload, Stream};

/// Pieces in which bytes in memory go to the socket: small enough to see that they move.
const MEMORY_FRAME_BYTES: usize = 256 * 1024;
/// Pieces in which files are read. A guess: large enough that hopping to the blocking pool (about
/// 10 us) does not count, small enough to keep two of them for each upload.
const FILE_FRAME_BYTES: usize = 512 * 1024;
/// Pieces in which a file is hashed before it is sent: at most some milliseconds each, after which
/// the work may be dropped.
const DIGEST_PIECE_BYTES: usize = 4 * 1024 * 1024;
/// Above this, hashing bytes in memory leaves the reactor: it would take longer than some 200 us.
const HASH_INLINE_BYTES_MAX: usize = 256 * 1024;

/// Why a body could not be made.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum UploadError {
    /// The file ended before its promised length.
    #[error("the file is shorter than when it was opened: it ended before byte {at}")]
    Short { at: u64 },
    /// The file was written to between being hashed and being sent.
    #[error("it changed while it was being sent")]
    Changed,
    /// The file could not be read.
    #[error("read the file")]
    Read(#[source] Arc<io::Error>),
    /// What is sent from elsewhere could not be read there.
    #[error("read what is to be sent")]
    Source { error: Arc<crate::Error> },
    /// Bytes in memory no longer match the checksum that travels with them.
    #[error("bytes in memory do not match their checksum")]
    Corrupt,
}

impl UploadError {
    pub(super) fn fault(&self) -> Fault {
        match self {
            UploadError::Short { .. } | UploadError::Changed => Fault::Conflict,
            // Of a source: it has tried again itself.
            UploadError::Read(_) | UploadError::Source { .. } => Fault::Local,
            UploadError::Corrupt => Fault::Corrupt,
        }
    }
}

/// What is known of an upload under way.
#[derive(Debug, Default)]
pub(super) struct UploadState {
    ended: AtomicBool,
    /// Whether it is we who hold it back.
    held: AtomicBool,
}

impl UploadState {
    /// Whether every byte was handed to the connection.
    pub(super) fn ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// Whether the bandwidth holds it back: that nothing moves is then no fault of the store.
    pub(super) fn held(&self) -> bool {
        self.held.load(Ordering::Acquire)
    }
}

/// A body for hyper.
pub(super) struct Upload {
    source: Source,
    remaining: u64,
    state: Arc<UploadState>,
    throttle: Throttle,
    /// A frame that waits for the bandwidth.
    waiting: Bytes,
    counters: RequestCounters,
}

enum Source {
    Memory(Bytes),
    File(Box<FileSource>),
    Stream(StreamSource),
}

/// A body of elsewhere that is asked for when the connection is ready for it.
enum StreamSource {
    Opening(BoxFuture<'static, crate::Result<ObjectBody>>),
    Open(ObjectBody),
}

impl StreamSource {
    fn poll_frame(&mut self, context: &mut Context<'_>, remaining: u64) -> Poll<Read> {
        if let StreamSource::Opening(opening) = self {
            match ready!(opening.as_mut().poll(context)) {
                Ok(body) => *self = StreamSource::Open(body),
                Err(error) => return Poll::Ready(Err(source_error(error))),
            }
        }
        let StreamSource::Open(body) = self else {
            return Poll::Pending;
        };
        Poll::Ready(match ready!(body.poll_frame(context)) {
            Some(Ok(frame)) if frame.len() as u64 <= remaining => Ok(frame),
            Some(Err(error)) => Err(source_error(error)),
            Some(Ok(_)) | None => Err(UploadError::Changed),
        })
    }
}

fn source_error(error: crate::Error) -> UploadError {
    UploadError::Source {
        error: Arc::new(error),
    }
}

struct FileSource {
    range: FileRange,
    next: NextFrame,
}

type Read = Result<Bytes, UploadError>;

enum NextFrame {
    /// Being read off the reactor.
    Reading(Pin<Box<dyn Future<Output = Read> + Send>>),
    Ready(Read),
    Done,
}

impl Upload {
    /// A body over a payload; it can be made again for another try.
    pub(super) fn new(payload: &Payload, traffic: &Traffic) -> Upload {
        let remaining = payload.length().get();
        let state = Arc::new(UploadState::default());
        state.ended.store(remaining == 0, Ordering::Release);
        let source = match payload {
            Payload::Memory(sealed) => Source::Memory(sealed.carry().0.clone()),
            Payload::File(range) => Source::File(Box::new(FileSource {
                range: range.clone(),
                next: if remaining == 0 {
                    NextFrame::Done
                } else {
                    NextFrame::Reading(read_frame(range, 0))
                },
            })),
            Payload::Stream(stream) => Source::Stream(StreamSource::Opening(stream.source.open())),
        };
        Upload {
            source,
            remaining,
            state,
            throttle: traffic.bandwidth.throttle(),
            waiting: Bytes::new(),
            counters: traffic.counters.clone(),
        }
    }

    /// What is known of it while it goes.
    pub(super) fn state(&self) -> Arc<UploadState> {
        Arc::clone(&self.state)
    }

    /// The next frame of the source.
    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<Option<Read>> {
        match &mut self.source {
            Source::Stream(stream) => {
                let read = stream.poll_frame(context, self.remaining);
                // That nothing moves while its source is slow is no fault of the store.
                self.state.held.store(read.is_pending(), Ordering::Release);
                Poll::Ready(Some(ready!(read)))
            }
            Source::Memory(bytes) => {
                let frame = bytes.split_to(bytes.len().min(MEMORY_FRAME_BYTES));
                Poll::Ready(Some(Ok(frame)))
            }
            Source::File(file) => {
                let FileSource { range, next } = &mut **file;
                let read = match std::mem::replace(next, NextFrame::Done) {
                    NextFrame::Reading(mut reading) => match reading.as_mut().poll(context) {
                        Poll::Ready(read) => read,
                        Poll::Pending => {
                            *next = NextFrame::Reading(reading);
                            return Poll::Pending;
                        }
                    },
                    NextFrame::Ready(read) => read,
                    NextFrame::Done => return Poll::Ready(None),
                };
                let frame = match read {
                    Ok(frame) => frame,
                    Err(error) => return Poll::Ready(Some(Err(error))),
                };
                let left = self.remaining - frame.len() as u64;
                if left > 0 {
                    // The next frame is read while this one is written.
                    let mut reading = read_frame(range, range.length.get() - left);
                    *next = match reading.as_mut().poll(context) {
                        Poll::Ready(read) => NextFrame::Ready(read),
                        Poll::Pending => NextFrame::Reading(reading),
                    };
                }
                Poll::Ready(Some(Ok(frame)))
            }
        }
    }

    fn handed_over(&mut self, bytes: usize) {
        self.counters.moved(bytes);
        self.remaining = self.remaining.saturating_sub(bytes as u64);
        if self.remaining == 0 {
            self.state.ended.store(true, Ordering::Release);
        }
    }
}

impl std::fmt::Debug for Upload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upload")
            .field("remaining", &self.remaining)
            .finish_non_exhaustive()
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = UploadError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, UploadError>>> {
        let this = self.get_mut();
        if this.remaining == 0 {
            return Poll::Ready(None);
        }
        if this.waiting.is_empty() {
            match ready!(this.poll_read(context)) {
                Some(Ok(frame)) => this.waiting = frame,
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
        let going = this.throttle.poll_go(context, this.waiting.len());
        this.state.held.store(going.is_pending(), Ordering::Release);
        ready!(going);
        let frame = std::mem::take(&mut this.waiting);
        this.handed_over(frame.len());
        Poll::Ready(Some(Ok(Frame::data(frame))))
    }

    fn is_end_stream(&self) -> bool {
        self.remaining == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.remaining)
    }
}

fn read_frame(range: &FileRange, done: u64) -> Pin<Box<dyn Future<Output = Read> + Send>> {
    let file = Arc::clone(&range.file);
    let offset = range.offset + done;
    let length = piece_length(range.length.get() - done, FILE_FRAME_BYTES);
    Box::pin(tasks::blocking(move || {
        read_at(&file, offset, length).map(Bytes::from)
    }))
}

fn piece_length(left: u64, most: usize) -> usize {
    usize::try_from(left).map_or(most, |left| left.min(most))
}

fn read_at(file: &File, offset: u64, length: usize) -> Result<Vec<u8>, UploadError> {
    let mut buffer = vec![0; length];
    match file.read_exact_at(&mut buffer, offset) {
        Ok(()) => Ok(buffer),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(UploadError::Short {
            at: offset + length as u64,
        }),
        Err(error) => Err(UploadError::Read(Arc::new(error))),
    }
}

/// Digests of a whole payload, each where it was wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Digests {
    pub(super) crc64: Option<Crc64Nvme>,
    pub(super) sha256: Option<[u8; 32]>,
    pub(super) md5: Option<[u8; 16]>,
}

/// Which digests are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) crc64: bool,
    pub(super) sha256: bool,
    pub(super) md5: bool,
}

/// Reads a payload once. Bytes in memory are also checked against the checksum they travel with.
pub(super) async fn digest(payload: &Payload, wanted: Wanted) -> Result<Digests, UploadError> {
    match payload {
        Payload::Memory(sealed) => {
            let sealed = sealed.clone();
            let work = move || {
                let crc64 = sealed.crc64();
                let bytes = sealed.open().map_err(|_| UploadError::Corrupt)?;
                let mut hashers = Hashers::new(Wanted {
                    crc64: false,
                    ..wanted
                });
                hashers.update(&bytes);
                Ok(Digests {
                    crc64: Some(crc64),
                    ..hashers.finish()
                })
            };
            let slow = wanted.sha256 || wanted.md5;
            if slow && payload.length() > ByteCount(HASH_INLINE_BYTES_MAX as u64) {
                tasks::blocking(work).await
            } else {
                work()
            }
        }
        Payload::File(range) => digest_file(range, wanted).await,
        Payload::Stream(stream) => digest_stream(stream, wanted).await,
    }
}

/// Reads a stream where something is wanted that nobody knows. Frames are small enough to be
/// hashed where they are.
async fn digest_stream(stream: &Stream, wanted: Wanted) -> Result<Digests, UploadError> {
    let unknown = Wanted {
        crc64: wanted.crc64 && stream.crc64.is_none(),
        ..wanted
    };
    let mut hashers = Hashers::new(unknown);
    if unknown.crc64 || unknown.sha256 || unknown.md5 {
        let mut body = stream.source.open().await.map_err(source_error)?;
        while let Some(frame) = body.frame().await {
            hashers.update(&frame.map_err(source_error)?);
        }
    }
    let digests = hashers.finish();
    Ok(Digests {
        crc64: digests.crc64.or(stream.crc64),
        ..digests
    })
}

async fn digest_file(range: &FileRange, wanted: Wanted) -> Result<Digests, UploadError> {
    let mut hashers = Hashers::new(wanted);
    let mut done = 0;
    while done < range.length.get() {
        let length = piece_length(range.length.get() - done, DIGEST_PIECE_BYTES);
        let (file, offset) = (Arc::clone(&range.file), range.offset + done);
        hashers = tasks::blocking(move || {
            let piece = read_at(&file, offset, length)?;
            hashers.update(&piece);
            Ok::<_, UploadError>(hashers)
        })
        .await?;
        done += length as u64;
    }
    Ok(hashers.finish())
}

struct Hashers {
    crc64: Option<Crc64Hasher>,
    sha256: Option<Sha256>,
    md5: Option<Md5>,
}

impl Hashers {
    fn new(wanted: Wanted) -> Hashers {
        Hashers {
            crc64: wanted.crc64.then(Crc64Hasher::new),
            sha256: wanted.sha256.then(Sha256::new),
            md5: wanted.md5.then(Md5::new),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        if let Some(crc64) = &mut self.crc64 {
            crc64.update(bytes);
        }
        if let Some(sha256) = &mut self.sha256 {
            sha256.update(bytes);
        }
        if let Some(md5) = &mut self.md5 {
            md5.update(bytes);
        }
    }

    fn finish(self) -> Digests {
        Digests {
            crc64: self.crc64.map(|hasher| hasher.finish()),
            sha256: self.sha256.map(|hasher| hasher.finalize().into()),
            md5: self.md5.map(|hasher| hasher.finalize().into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use http_body_util::BodyExt as _;

    use super::*;

    fn ramp(length: usize) -> Vec<u8> {
        let period: Vec<u8> = (0..251).collect();
        let mut bytes = period.repeat(length / period.len() + 1);
        bytes.truncate(length);
        bytes
    }

    fn file_of(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    fn range_of(file: File, offset: u64, length: u64) -> Payload {
        Payload::File(FileRange {
            file: Arc::new(file),
            offset,
            length: ByteCount(length),
        })
    }

    const ALL: Wanted = Wanted {
        crc64: true,
        sha256: true,
        md5: true,
    };

    #[tokio::test]
    async fn a_range_of_a_file_is_sent_as_it_stands() {
        let bytes = ramp(2 * FILE_FRAME_BYTES + 77);
        let payload = range_of(file_of(&bytes), 5, bytes.len() as u64 - 10);
        let expected = &bytes[5..bytes.len() - 5];
        let upload = Upload::new(&payload, &Traffic::default());
        let state = upload.state();
        assert!(!state.ended());
        assert_eq!(upload.collect().await.unwrap().to_bytes(), expected);
        assert!(state.ended());
        let in_memory = digest(&Payload::from_bytes(expected.to_vec()), ALL)
            .await
            .unwrap();
        assert_eq!(digest(&payload, ALL).await.unwrap(), in_memory);
        assert_eq!(in_memory.crc64, Some(Crc64Nvme::of(expected)));
    }

    #[tokio::test]
    async fn a_file_that_became_shorter_is_a_conflict() {
        let payload = range_of(file_of(&ramp(1_000)), 0, 1_001);
        let error = Upload::new(&payload, &Traffic::default())
            .collect()
            .await
            .unwrap_err();
        assert_eq!(error.fault(), Fault::Conflict);
        let error = digest(&payload, ALL).await.unwrap_err();
        assert_eq!(error.fault(), Fault::Conflict);
    }

    /// Bytes of elsewhere in frames, and how often they were asked for.
    #[derive(Clone)]
    struct Elsewhere {
        bytes: Bytes,
        breaks: bool,
        opened: Arc<std::sync::atomic::AtomicUsize>,
    }

    impl crate::payload::PayloadSource for Elsewhere {
        fn open(&self) -> BoxFuture<'static, crate::Result<ObjectBody>> {
            self.opened.fetch_add(1, Ordering::Relaxed);
            let this = self.clone();
            Box::pin(async move {
                if this.breaks {
                    let operation = crate::Operation::GetObject;
                    return Err(crate::Error::new(operation, Fault::Unavailable, "gone"));
                }
                Ok(ObjectBody::from_bytes(this.bytes))
            })
        }

        fn passed(&self) -> Option<crate::payload::Passed> {
            None
        }
    }

    fn stream_of(bytes: &Bytes, length: usize, known: bool) -> (Payload, Elsewhere) {
        let source = Elsewhere {
            bytes: bytes.clone(),
            breaks: false,
            opened: Arc::default(),
        };
        let stream = Stream {
            source: Arc::new(source.clone()),
            length: ByteCount(length as u64),
            crc64: known.then(|| Crc64Nvme::of(bytes)),
        };
        (Payload::Stream(stream), source)
    }

    #[tokio::test]
    async fn a_stream_is_read_for_each_try_and_once_before_where_a_digest_is_unknown() {
        let bytes = Bytes::from(ramp(70_000));
        let crc_alone = Wanted {
            crc64: true,
            sha256: false,
            md5: false,
        };
        for (known, wanted, reads) in [
            (true, crc_alone, 0),
            (false, crc_alone, 1),
            (true, ALL, 1),
            (
                false,
                Wanted {
                    crc64: false,
                    ..crc_alone
                },
                0,
            ),
        ] {
            let (payload, source) = stream_of(&bytes, bytes.len(), known);
            let digests = digest(&payload, wanted).await.unwrap();
            assert_eq!(source.opened.load(Ordering::Relaxed), reads);
            let expected = (wanted.crc64 || known).then(|| Crc64Nvme::of(&bytes));
            assert_eq!(digests.crc64, expected);
            for _ in 0..2 {
                let upload = Upload::new(&payload, &Traffic::default());
                let state = upload.state();
                assert_eq!(upload.collect().await.unwrap().to_bytes(), bytes);
                assert!(state.ended());
            }
            assert_eq!(source.opened.load(Ordering::Relaxed), reads + 2);
        }
    }

    #[tokio::test]
    async fn a_stream_that_breaks_or_has_another_length_is_never_a_whole_body() {
        let bytes = Bytes::from(ramp(1_000));
        for length in [999, 1_001] {
            let (payload, _) = stream_of(&bytes, length, false);
            let sent = Upload::new(&payload, &Traffic::default()).collect().await;
            assert_eq!(sent.unwrap_err().fault(), Fault::Conflict);
        }
        let (_, mut source) = stream_of(&bytes, 1_000, false);
        source.breaks = true;
        let payload = Payload::Stream(Stream {
            source: Arc::new(source),
            length: ByteCount(1_000),
            crc64: None,
        });
        let sent = Upload::new(&payload, &Traffic::default()).collect().await;
        // The source has tried again itself.
        assert!(!sent.unwrap_err().fault().is_retryable());
        assert!(digest(&payload, ALL).await.is_err());
    }

    #[tokio::test]
    async fn nothing_is_sent_whole_at_once() {
        let upload = Upload::new(&Payload::empty(), &Traffic::default());
        assert!(upload.is_end_stream() && upload.state().ended());
        let upload = Upload::new(&range_of(file_of(b""), 0, 0), &Traffic::default());
        assert!(upload.is_end_stream() && upload.state().ended());
        let bytes = ramp(3 * MEMORY_FRAME_BYTES + 1);
        let upload = Upload::new(&Payload::from_bytes(bytes.clone()), &Traffic::default());
        assert_eq!(upload.collect().await.unwrap().to_bytes(), bytes);
    }

    #[tokio::test]
    async fn bytes_that_rotted_in_memory_are_not_sent() {
        let sealed = base::Sealed::with_checksum(Bytes::from_static(b"x"), Crc64Nvme::of(b"y"));
        let error = digest(&Payload::Memory(sealed), ALL).await.unwrap_err();
        assert!(matches!(error, UploadError::Corrupt));
    }
}
