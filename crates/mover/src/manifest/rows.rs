//! Reads a manifest back.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Form, form_of};
use crate::error::{Error, Result};

/// Longest line of a `.jsonl` manifest, in bytes: two keys, each character escaped, and the rest.
const LINE_BYTES_MAX: u64 = 1 << 20;

/// A row as it was written. Columns that this program does not know are passed over; those that an
/// older one did not write are empty.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ManifestRow {
    /// `copied`, `skipped`, `failed`, ...
    pub outcome: String,
    /// `cp`, `mv` or `rm`.
    #[serde(default)]
    pub verb: String,
    /// The source.
    pub key: String,
    /// Where it went; empty where it went nowhere.
    #[serde(default)]
    pub destination: String,
    /// Bytes.
    #[serde(default)]
    pub size: Option<u64>,
    /// The source's ETag.
    #[serde(default)]
    pub source_etag: Option<String>,
    /// The ETag that the destination answered.
    #[serde(default)]
    pub destination_etag: Option<String>,
    /// The source's version.
    #[serde(default)]
    pub source_version: Option<String>,
    /// The version made.
    #[serde(default)]
    pub destination_version: Option<String>,
    /// `ALGORITHM:base64` of the whole object.
    #[serde(default)]
    pub checksum: Option<String>,
    /// How the arrival was checked.
    #[serde(default)]
    pub verified_by: Option<String>,
    /// Why it failed or was left alone.
    #[serde(default)]
    pub cause: Option<String>,
    /// What of the source's attributes did not go along: `tags`, `storage_class`, ..., with a space
    /// between.
    #[serde(default)]
    pub lost: Option<String>,
}

/// A manifest's rows, in order. A file that ends in the middle of one is an error, not an end.
pub struct Rows {
    path: PathBuf,
    source: Source,
    row_number: u64,
    ended: bool,
}

enum Source {
    Csv(Box<csv::DeserializeRecordsIntoIter<Box<dyn Read + Send>, ManifestRow>>),
    Lines(Box<dyn BufRead + Send>),
}

impl std::fmt::Debug for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rows")
            .field("path", &self.path)
            .field("row_number", &self.row_number)
            .finish_non_exhaustive()
    }
}

impl Rows {
    /// Opens a manifest; its name says the form. Reading blocks: call it off the reactor.
    pub fn open(path: &Path) -> Result<Rows> {
        let (form, compressed) = form_of(path)?;
        let file = File::open(path).map_err(Error::local("open", path))?;
        let bytes: Box<dyn Read + Send> = if compressed {
            let decoder = zstd::stream::read::Decoder::new(file);
            Box::new(decoder.map_err(Error::local("read", path))?)
        } else {
            Box::new(file)
        };
        let source = match form {
            Form::Csv => Source::Csv(Box::new(
                csv::Reader::from_reader(Box::new(Ended::new(bytes)) as Box<dyn Read + Send>)
                    .into_deserialize(),
            )),
            Form::Lines => Source::Lines(Box::new(BufReader::new(bytes))),
        };
        Ok(Rows {
            path: path.to_owned(),
            source,
            row_number: 0,
            ended: false,
        })
    }

    fn read(&mut self) -> io::Result<Option<ManifestRow>> {
        match &mut self.source {
            Source::Csv(rows) => rows.next().transpose().map_err(io::Error::other),
            Source::Lines(lines) => {
                let mut line = Vec::new();
                lines
                    .by_ref()
                    .take(LINE_BYTES_MAX)
                    .read_until(b'\n', &mut line)?;
                if line.is_empty() {
                    return Ok(None);
                }
                if line.last() != Some(&b'\n') {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                Ok(Some(serde_json::from_slice(&line)?))
            }
        }
    }
}

impl Iterator for Rows {
    type Item = Result<ManifestRow>;

    fn next(&mut self) -> Option<Result<ManifestRow>> {
        if self.ended {
            return None;
        }
        self.row_number += 1;
        let row = self.read().transpose();
        let row = row.map(|row| {
            row.map_err(|source| {
                let name = format!("{} (row {})", self.path.display(), self.row_number);
                Error::local("read", name)(source)
            })
        });
        self.ended = !matches!(row, Some(Ok(_)));
        row
    }
}

/// Bytes that must end with a line: a table that was cut in the middle of its last field would
/// else look whole.
struct Ended {
    bytes: Box<dyn Read + Send>,
    last: u8,
}

impl Ended {
    fn new(bytes: Box<dyn Read + Send>) -> Ended {
        Ended { bytes, last: b'\n' }
    }
}

impl Read for Ended {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.bytes.read(buffer)?;
        match buffer[..count].last() {
            Some(last) => self.last = *last,
            None if self.last != b'\n' && !buffer.is_empty() => {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            None => {}
        }
        Ok(count)
    }
}
