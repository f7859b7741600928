//! A list of keys by name, for those who may read a bucket but not list it.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::PathBuf;

use base::fault::Classified as _;
use base::{ByteCount, ETag, Fault, Key};
use remote::types::{ByteRange, GetObject, ListedObject};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::source::Side;
use crate::url::S3Url;

/// Where the list is.
///
/// Each line is a key, as it is, then optionally a tab and its size in bytes, then optionally a
/// tab and its ETag; further columns say nothing. A line ends in LF or CR LF; blank lines say
/// nothing. A key that holds a tab or a line end cannot be named in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyList {
    /// In a file.
    File(PathBuf),
    /// On standard input.
    Stdin,
    /// In an object of the source's store.
    Object(S3Url),
}

/// Longest line read, in bytes: a key, a size, an ETag and room for columns nobody reads.
const LINE_BYTES_MAX: usize = 64 << 10;

/// What a line names, or why it names nothing.
pub(crate) type Row = std::result::Result<ListedObject, Error>;

/// The lines of a key list, read as they are asked for.
pub(crate) struct KeyLines {
    source: Bytes,
    buffer: Vec<u8>,
    line_number: u64,
    ended: bool,
}

/// Where the bytes of a list come from.
enum Bytes {
    /// Taken out only while a blocking task reads from it.
    Blocking(Option<Box<dyn BufRead + Send>>, PathBuf),
    Object(Box<ObjectBytes>),
}

impl std::fmt::Debug for KeyLines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyLines")
            .field("line_number", &self.line_number)
            .finish_non_exhaustive()
    }
}

impl KeyLines {
    /// Opens a list.
    pub(crate) async fn open(list: &KeyList, context: &Context, side: Side) -> Result<KeyLines> {
        let source = match list {
            KeyList::File(path) => {
                let path = path.clone();
                let file = base::tasks::blocking(move || {
                    let file = File::open(&path).map_err(Error::local("open", path.clone()))?;
                    Ok::<_, Error>(Bytes::Blocking(Some(Box::new(BufReader::new(file))), path))
                });
                file.await?
            }
            KeyList::Stdin => {
                let stdin = BufReader::new(io::stdin());
                Bytes::Blocking(Some(Box::new(stdin)), PathBuf::from("standard input"))
            }
            KeyList::Object(url) => {
                Bytes::Object(Box::new(ObjectBytes::open(url, context, side).await?))
            }
        };
        Ok(KeyLines {
            source,
            buffer: Vec::new(),
            line_number: 0,
            ended: false,
        })
    }

    /// The next rows, up to a page; empty after the last.
    pub(crate) async fn next_batch(&mut self) -> Result<Vec<Row>> {
        let mut rows = Vec::new();
        while rows.is_empty() && !self.ended {
            let more = self.source.read().await?;
            self.ended = more.is_empty();
            self.buffer.extend_from_slice(&more);
            self.take_lines(&mut rows)?;
        }
        Ok(rows)
    }

    /// Turns the whole lines of the buffer (at the end, also its rest) into rows.
    fn take_lines(&mut self, rows: &mut Vec<Row>) -> Result<()> {
        let whole = match self.buffer.iter().rposition(|byte| *byte == b'\n') {
            _ if self.ended => self.buffer.len(),
            Some(end) => end + 1,
            None => 0,
        };
        if whole == 0 {
            return self.check_line_length();
        }
        for line in self.buffer[..whole].split(|byte| *byte == b'\n') {
            self.line_number += 1;
            rows.extend(row(line, self.line_number));
        }
        if self.buffer[whole - 1] == b'\n' {
            // What stands behind the last line end is no line.
            self.line_number -= 1;
        }
        self.buffer.drain(..whole);
        self.check_line_length()
    }

    fn check_line_length(&self) -> Result<()> {
        if self.buffer.len() > LINE_BYTES_MAX {
            let line = self.line_number + 1;
            return Err(Error::Usage(format!(
                "line {line} of the key list is longer than {LINE_BYTES_MAX} bytes"
            )));
        }
        Ok(())
    }
}

/// What a line names; `None` for a blank one.
pub(crate) fn row(line: &[u8], number: u64) -> Option<Row> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.is_empty() {
        return None;
    }
    Some(parse(line).map_err(|reason| Error::Name {
        name: String::from_utf8_lossy(line).into_owned(),
        reason: format!("(line {number} of the key list) names no object: {reason}"),
    }))
}

fn parse(line: &[u8]) -> std::result::Result<ListedObject, String> {
    let text = std::str::from_utf8(line).map_err(|_| "it is not UTF-8".to_owned())?;
    let mut columns = text.split('\t');
    let key = Key::new(columns.next().unwrap_or_default()).map_err(|error| error.to_string())?;
    let size = match columns
        .next()
        .map(str::trim)
        .filter(|size| !size.is_empty())
    {
        None => 0,
        Some(size) => size
            .parse()
            .map_err(|_| format!("\"{size}\" is no size in bytes"))?,
    };
    let etag = columns
        .next()
        .map(str::trim)
        .filter(|etag| !etag.is_empty());
    Ok(ListedObject {
        key,
        size: ByteCount(size),
        last_modified: None,
        etag: etag.map(ETag::from_header),
        storage_class: None,
        checksum_algorithm: None,
        version: None,
    })
}

impl Bytes {
    /// Some bytes; none at the end.
    async fn read(&mut self) -> Result<Vec<u8>> {
        match self {
            Bytes::Object(object) => object.read().await,
            Bytes::Blocking(reader, path) => {
                let mut taken = reader.take().expect("only absent while a task has it");
                let (taken, bytes) = base::tasks::blocking(move || {
                    let bytes = taken.fill_buf().map(<[u8]>::to_vec);
                    if let Ok(bytes) = &bytes {
                        taken.consume(bytes.len());
                    }
                    (taken, bytes)
                })
                .await;
                *reader = Some(taken);
                bytes.map_err(Error::local("read", path.clone()))
            }
        }
    }
}

/// An object's bytes, gone on with where they break off.
struct ObjectBytes {
    context: Context,
    side: Side,
    request: GetObject,
    body: remote::ObjectBody,
    etag: Option<ETag>,
    size: u64,
    offset: u64,
}

impl ObjectBytes {
    async fn open(url: &S3Url, context: &Context, side: Side) -> Result<ObjectBytes> {
        let key = Key::new(url.path.as_str())
            .map_err(|error| Error::Usage(format!("{url} names no key list: {error}")))?;
        let request = GetObject::new(url.bucket.clone(), key);
        let answer = side.client(context).get_object(request.clone()).await?;
        Ok(ObjectBytes {
            context: context.clone(),
            side,
            request,
            body: answer.body,
            etag: answer.head.etag,
            size: answer.head.size.0,
            offset: 0,
        })
    }

    async fn read(&mut self) -> Result<Vec<u8>> {
        let mut tries = 1;
        loop {
            let error = match self.body.frame().await {
                None => return Ok(Vec::new()),
                Some(Ok(frame)) => {
                    self.offset += frame.len() as u64;
                    return Ok(frame.to_vec());
                }
                Some(Err(error)) => error,
            };
            let policy = &self.context.retry;
            let delay = policy.delay_after(tries, error.fault(), &self.context.clock);
            let Some(delay) = delay else {
                return Err(error.into());
            };
            tokio::time::sleep(delay).await;
            tries += 1;
            self.resume().await?;
        }
    }

    async fn resume(&mut self) -> Result<()> {
        let mut request = self.request.clone();
        request.if_match.clone_from(&self.etag);
        request.checksum_mode = false;
        if self.offset > 0 {
            request.range = Some(ByteRange {
                offset: self.offset,
                length: ByteCount(self.size - self.offset),
            });
        }
        let answer = self.side.client(&self.context).get_object(request).await?;
        let name = || format!("s3://{}/{}", self.request.bucket, self.request.key);
        // Stores that ignore the condition exist.
        if answer.head.etag != self.etag || answer.head.size.0 != self.size {
            return Err(Error::Changed(name()));
        }
        if self.offset > 0 && answer.range.is_none_or(|range| range.offset != self.offset) {
            let message = "the store sent another range than was asked for";
            let error = remote::Error::new(remote::Operation::GetObject, Fault::Invalid, message);
            return Err(error.into());
        }
        self.body = answer.body;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_a_key_a_size_and_an_etag() {
        let object = parse(b"a b//c\t17\t\"abc\"\tmore").unwrap();
        assert_eq!(object.key.as_str(), "a b//c");
        assert_eq!(object.size, ByteCount(17));
        assert_eq!(object.etag.unwrap().as_str(), "abc");
        assert_eq!(parse(b"k").unwrap().size, ByteCount::ZERO);
        assert!(parse(b"k\tmany").is_err() && parse(b"\t1").is_err() && parse(b"\xff").is_err());
        assert!(row(b"", 1).is_none() && row(b"\r", 1).is_none());
    }

    #[tokio::test]
    async fn lists_are_read_in_pieces_of_any_size() {
        let text = b"one\r\ntwo\t2\n\nthr\xc3\xa9e\nlast";
        for capacity in 1..text.len() + 1 {
            let reader = BufReader::with_capacity(capacity, &text[..]);
            let mut lines = KeyLines {
                source: Bytes::Blocking(Some(Box::new(reader)), "test".into()),
                buffer: Vec::new(),
                line_number: 0,
                ended: false,
            };
            let mut keys = Vec::new();
            loop {
                let batch = lines.next_batch().await.unwrap();
                if batch.is_empty() {
                    break;
                }
                keys.extend(batch.into_iter().map(|row| row.unwrap().key.to_string()));
            }
            assert_eq!(keys, ["one", "two", "thrée", "last"]);
            assert_eq!(lines.line_number, 5);
        }
    }
}
