//! One row for each object: what became of it, and how it was checked.

pub mod rows;

use std::fmt;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use serde::Serialize;

use crate::error::{Error, Result};
use crate::event::{Event, Moved, Observer, SkipReason, Verified};
use crate::location::Location;

/// Compression level: zstd's default.
const LEVEL: i32 = 3;

/// An observer that writes a row an object to a file.
///
/// Invariants: each event that tells of an object is one row, in the order in which they were
/// heard; warnings are none. Crash: the rows of the last moments may be missing, and a compressed
/// file then ends in the middle of a frame. Limits: rows are written on the thread that tells the
/// event, through a buffer.
pub struct Manifest {
    path: PathBuf,
    state: Mutex<State>,
}

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Csv,
    Lines,
}

/// The form that a manifest's name says, and whether it is compressed.
fn form_of(path: &Path) -> Result<(Form, bool)> {
    let name = path.to_string_lossy();
    let (form, compressed) = match name.strip_suffix(".zst") {
        Some(form) => (form, true),
        None => (&*name, false),
    };
    match form.rsplit('.').next() {
        Some("csv") => Ok((Form::Csv, compressed)),
        Some("jsonl") => Ok((Form::Lines, compressed)),
        _ => Err(Error::Usage(format!(
            "manifest {name:?} must end in .csv, .jsonl, .csv.zst or .jsonl.zst"
        ))),
    }
}

/// What is written to, until an error or the end.
enum State {
    Open(Rows),
    Broken(Error),
    Finished,
}

/// The two forms.
enum Rows {
    Csv(Box<csv::Writer<Output>>),
    Lines(Output),
}

/// Plain or compressed.
enum Output {
    Plain(BufWriter<File>),
    Zstd(Box<zstd::stream::write::Encoder<'static, BufWriter<File>>>),
}

/// A row. The names of its fields are the columns, and stay.
#[derive(Debug, Default, Serialize)]
struct Row<'a> {
    outcome: &'static str,
    verb: String,
    key: String,
    destination: String,
    size: Option<u64>,
    source_etag: Option<&'a str>,
    destination_etag: Option<&'a str>,
    source_version: Option<&'a str>,
    destination_version: Option<&'a str>,
    checksum: Option<String>,
    verified_by: Option<&'static str>,
    tries: Option<u32>,
    elapsed_ms: Option<u64>,
    cause: Option<String>,
    lost: Option<String>,
}

impl Manifest {
    /// Creates the file; its name says the form: `.csv`, `.jsonl`, each also with `.zst`.
    pub fn create(path: &Path) -> Result<Manifest> {
        let (form, compressed) = form_of(path)?;
        let file = File::create(path).map_err(Error::local("create", path))?;
        let output = Output::new(file, compressed).map_err(Error::local("write", path))?;
        let rows = match form {
            Form::Csv => Rows::Csv(Box::new(csv::Writer::from_writer(output))),
            Form::Lines => Rows::Lines(output),
        };
        Ok(Manifest {
            path: path.to_owned(),
            state: Mutex::new(State::Open(rows)),
        })
    }

    /// Writes what is buffered and closes the file. An error, also one of an earlier row, means
    /// that the manifest is not whole. A second call does nothing.
    pub fn finish(&self) -> Result<()> {
        let state = std::mem::replace(&mut *self.state.lock(), State::Finished);
        match state {
            State::Open(rows) => rows.finish().map_err(Error::local("write", &self.path)),
            State::Broken(error) => Err(error),
            State::Finished => Ok(()),
        }
    }

    fn write(&self, row: &Row<'_>) {
        let mut state = self.state.lock();
        let State::Open(rows) = &mut *state else {
            return;
        };
        if let Err(error) = rows.write(row) {
            *state = State::Broken(Error::local("write", &self.path)(error));
        }
    }
}

impl fmt::Debug for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Manifest").field(&self.path).finish()
    }
}

impl Observer for Manifest {
    fn on_event(&self, event: &Event<'_>) {
        if let Some(row) = Row::of(event) {
            self.write(&row);
        }
    }
}

impl Rows {
    fn write(&mut self, row: &Row<'_>) -> io::Result<()> {
        match self {
            Rows::Csv(writer) => writer.serialize(row).map_err(io::Error::from),
            Rows::Lines(output) => {
                serde_json::to_writer(&mut *output, row)?;
                output.write_all(b"\n")
            }
        }
    }

    fn finish(self) -> io::Result<()> {
        let output = match self {
            Rows::Csv(writer) => writer.into_inner().map_err(|error| error.into_error())?,
            Rows::Lines(output) => output,
        };
        let buffered = match output {
            Output::Plain(buffered) => buffered,
            Output::Zstd(encoder) => encoder.finish()?,
        };
        let file = buffered.into_inner().map_err(|error| error.into_error())?;
        file.sync_all()
    }
}

impl Output {
    fn new(file: File, compressed: bool) -> io::Result<Output> {
        let buffered = BufWriter::new(file);
        Ok(if compressed {
            let mut encoder = zstd::stream::write::Encoder::new(buffered, LEVEL)?;
            encoder.include_checksum(true)?;
            Output::Zstd(Box::new(encoder))
        } else {
            Output::Plain(buffered)
        })
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Output::Plain(output) => output.write(bytes),
            Output::Zstd(output) => output.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Output::Plain(output) => output.flush(),
            Output::Zstd(output) => output.flush(),
        }
    }
}

impl<'a> Row<'a> {
    fn of(event: &Event<'a>) -> Option<Row<'a>> {
        Some(match event {
            Event::Moved(moved) => Row::of_moved(moved),
            Event::CopiedNotDeleted { moved, error } => Row {
                outcome: "copied_not_deleted",
                cause: Some(error.to_string()),
                ..Row::of_moved(moved)
            },
            Event::Deleted { location } => Row {
                outcome: "deleted",
                verb: "rm".to_owned(),
                key: location.to_string(),
                source_version: version_of(location),
                ..Row::default()
            },
            Event::Skipped {
                verb,
                source,
                destination,
                size,
                reason,
            } => Row {
                outcome: "skipped",
                size: Some(size.0),
                cause: Some(reason_of(reason).to_owned()),
                ..Row::about(*verb, source, *destination)
            },
            Event::Refused {
                verb,
                source,
                destination,
                error,
            } => Row {
                outcome: "refused",
                cause: Some(error.to_string()),
                ..Row::about(*verb, source, *destination)
            },
            Event::Gone {
                verb,
                source,
                destination,
            } => Row {
                outcome: "gone",
                ..Row::about(*verb, source, *destination)
            },
            Event::Failed {
                verb,
                source: Some(source),
                destination,
                error,
            } => Row {
                outcome: "failed",
                cause: Some(chain_of(error)),
                ..Row::about(*verb, source, *destination)
            },
            // Failures of the job itself are no object's.
            Event::Failed { source: None, .. } | Event::Notice { .. } | Event::Warning { .. } => {
                return None;
            }
        })
    }

    fn about(
        verb: crate::event::Verb,
        source: &'a Location,
        destination: Option<&'a Location>,
    ) -> Row<'a> {
        Row {
            verb: verb.to_string(),
            key: source.to_string(),
            destination: destination.map(ToString::to_string).unwrap_or_default(),
            source_version: version_of(source),
            ..Row::default()
        }
    }

    fn of_moved(moved: &'a Moved) -> Row<'a> {
        let (verified_by, checksum) = match &moved.verified {
            Verified::Checksum(checksum) => (
                "checksum",
                Some(format!(
                    "{}:{}",
                    checksum.algorithm.as_str(),
                    checksum.value
                )),
            ),
            Verified::PayloadSignature => ("payload_signature", None),
            Verified::ETag => ("etag", None),
            Verified::ServerSide => ("server_side", None),
            Verified::SizeOnly => ("size", None),
        };
        Row {
            outcome: if moved.dry_run { "dry_run" } else { "copied" },
            size: Some(moved.size.0),
            source_etag: moved.source_etag.as_ref().map(base::ETag::as_str),
            destination_etag: moved.destination_etag.as_ref().map(base::ETag::as_str),
            source_version: moved.source_version.as_ref().map(base::VersionId::as_str),
            destination_version: moved
                .destination_version
                .as_ref()
                .map(base::VersionId::as_str),
            checksum,
            lost: lost_of(moved),
            verified_by: (!moved.dry_run).then_some(verified_by),
            tries: Some(moved.tries),
            elapsed_ms: Some(u64::try_from(moved.elapsed.as_millis()).unwrap_or(u64::MAX)),
            ..Row::about(moved.verb, &moved.source, Some(&moved.destination))
        }
    }
}

/// What did not go along, by name.
fn lost_of(moved: &Moved) -> Option<String> {
    let mut names: Vec<&str> = moved
        .lost
        .iter()
        .map(|loss| loss.attribute.as_str())
        .collect();
    names.dedup();
    (!names.is_empty()).then(|| names.join(" "))
}

fn version_of(location: &Location) -> Option<&str> {
    let object = location.as_remote()?;
    object.version_id.as_ref().map(base::VersionId::as_str)
}

fn reason_of(reason: &SkipReason) -> &'static str {
    match reason {
        SkipReason::Exists => "exists",
        SkipReason::SizeMatches => "size_matches",
        SkipReason::NewerOrSameAge => "newer_or_same_age",
        SkipReason::NewerOrSameAgeAndSizeMatches => "newer_or_same_age_and_size_matches",
        SkipReason::ContentMatches => "content_matches",
        SkipReason::Filtered => "filtered",
        SkipReason::OtherShard => "other_shard",
        SkipReason::DirectoryMarker => "directory_marker",
        SkipReason::Archived => "archived",
        SkipReason::DoneBefore => "done_before",
    }
}

fn chain_of(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use base::{BucketName, ByteCount, Checksum, Crc64Nvme, ETag, Key};

    use super::*;
    use crate::event::{Attribute, Loss, Verb};
    use crate::location::ObjectLocation;

    fn moved(key: &str) -> Moved {
        Moved {
            verb: Verb::Copy,
            source: Location::Remote(ObjectLocation {
                bucket: BucketName::new("b").unwrap(),
                key: Key::new(key).unwrap(),
                version_id: None,
            }),
            destination: Location::Local(PathBuf::from("out, of/\"bounds\"")),
            size: ByteCount(5),
            source_etag: Some(ETag::from_header("e")),
            destination_etag: None,
            source_version: None,
            destination_version: None,
            verified: Verified::Checksum(Checksum::crc64nvme(Crc64Nvme(1))),
            tries: 2,
            elapsed: std::time::Duration::from_millis(7),
            storage_class: None,
            lost: [Attribute::Tags, Attribute::Encryption]
                .map(|attribute| Loss {
                    attribute,
                    line: "it is left behind".to_owned(),
                })
                .into(),
            dry_run: false,
        }
    }

    fn write(name: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        let manifest = Manifest::create(&path).unwrap();
        let moved = moved("a,\"b\"\n\u{1f600}");
        let error = Error::Changed("it".to_owned());
        manifest.on_event(&Event::Moved(&moved));
        manifest.on_event(&Event::Warning { message: "no row" });
        manifest.on_event(&Event::Failed {
            verb: Verb::Move,
            source: Some(&moved.source),
            destination: None,
            error: &error,
        });
        manifest.finish().unwrap();
        manifest.finish().unwrap();
        let mut text = String::new();
        let file = File::open(&path).unwrap();
        if name.ends_with(".zst") {
            let mut decoder = zstd::stream::read::Decoder::new(file).unwrap();
            decoder.read_to_string(&mut text).unwrap();
        } else {
            text = std::fs::read_to_string(&path).unwrap();
        }
        text
    }

    #[test]
    fn every_form_holds_the_same_rows() {
        let csv = write("m.csv");
        assert_eq!(csv, write("m.csv.zst"));
        let mut reader = csv::Reader::from_reader(csv.as_bytes());
        let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.unwrap()).collect();
        assert_eq!(rows.len(), 2);
        assert_eq!(&rows[0][2], "s3://b/a,\"b\"\n\u{1f600}");
        assert_eq!(&rows[1][0], "failed");
        let lines = write("m.jsonl");
        assert_eq!(lines, write("m.jsonl.zst"));
        let rows: Vec<serde_json::Value> = lines
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(rows[0]["checksum"], "CRC64NVME:AAAAAAAAAAE=");
        assert_eq!(rows[0]["tries"], 2);
        assert_eq!(rows[0]["lost"], "tags encryption");
        assert!(rows[1]["lost"].is_null());
        assert_eq!(rows[1]["cause"], "it changed while it was read");
    }

    #[test]
    fn a_name_without_a_form_is_refused_before_a_file_is_made() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Manifest::create(&folder.path().join("m.txt")).is_err());
        assert!(std::fs::read_dir(folder.path()).unwrap().next().is_none());
    }

    #[test]
    fn a_row_that_cannot_be_written_is_an_error_at_the_end() {
        // A device that is always full, where the system has one.
        let full = Path::new("/dev/full");
        if !full.exists() {
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.jsonl");
        std::os::unix::fs::symlink(full, &path).unwrap();
        let manifest = Manifest::create(&path).unwrap();
        let moved = moved("k");
        for _ in 0..1_000 {
            manifest.on_event(&Event::Moved(&moved));
        }
        assert!(manifest.finish().is_err());
    }
}
