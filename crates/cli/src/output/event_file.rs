//! The versioned stream of events: `--events FILE|-`.
//!
//! One JSON object a line, `"v":1` first. Fields are added within a version, never renamed or
//! given another meaning; a reader skips kinds that it does not know.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use mover::event::{Event, Loss, Moved, Verified};
use mover::{Error, Location, Observer};
use parking_lot::Mutex;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::cause::chain;
use super::lines::verb_word;

/// The version of the stream's rows.
const VERSION: u32 = 1;

/// Writes a row an event. An error is kept and told at the end: a job does not stop for it.
pub(crate) struct EventFile {
    state: Mutex<State>,
}

struct State {
    writer: Box<dyn Write + Send>,
    error: Option<io::Error>,
}

impl EventFile {
    /// Creates the file; `-` is standard error.
    pub(crate) fn create(path: &Path) -> io::Result<EventFile> {
        let writer: Box<dyn Write + Send> = if path == Path::new("-") {
            Box::new(io::stderr())
        } else {
            Box::new(BufWriter::new(File::create(path)?))
        };
        Ok(EventFile {
            state: Mutex::new(State {
                writer,
                error: None,
            }),
        })
    }

    /// Writes a row of a kind of its own, such as the report at the end.
    pub(crate) fn write(&self, kind: &str, fields: &impl Serialize) {
        let mut row = Map::new();
        row.insert("v".to_owned(), json!(VERSION));
        row.insert("event".to_owned(), json!(kind));
        match serde_json::to_value(fields) {
            Ok(Value::Object(fields)) => row.extend(fields),
            Ok(other) => drop(row.insert("value".to_owned(), other)),
            Err(error) => drop(row.insert("error".to_owned(), json!(error.to_string()))),
        }
        let mut state = self.state.lock();
        let written = serde_json::to_writer(&mut state.writer, &row)
            .map_err(io::Error::from)
            .and_then(|()| state.writer.write_all(b"\n"));
        if let Err(error) = written {
            state.error.get_or_insert(error);
        }
    }

    /// Writes what is buffered. An error, also one of an earlier row, means that the file is not
    /// whole.
    pub(crate) fn finish(&self) -> io::Result<()> {
        let mut state = self.state.lock();
        let flushed = state.writer.flush();
        match state.error.take() {
            Some(error) => Err(error),
            None => flushed,
        }
    }
}

impl Observer for EventFile {
    fn on_event(&self, event: &Event<'_>) {
        let (kind, row) = row(event);
        self.write(kind, &row);
    }
}

fn row(event: &Event<'_>) -> (&'static str, Value) {
    match event {
        Event::Moved(moved) => ("moved", moved_row(moved)),
        Event::Deleted { location } => ("deleted", json!({ "source": place(location) })),
        Event::CopiedNotDeleted { moved, error } => {
            let mut row = moved_row(moved);
            row["error"] = json!(chain(*error));
            ("copied_not_deleted", row)
        }
        Event::Skipped {
            verb,
            source,
            destination,
            size,
            reason,
        } => (
            "skipped",
            json!({
                "operation": verb_word(*verb),
                "source": place(source),
                "destination": destination.map(place),
                "size": size.get(),
                "reason": format!("{reason:?}"),
            }),
        ),
        Event::Refused {
            verb,
            source,
            destination,
            error,
        } => (
            "refused",
            trouble(verb_word(*verb), Some(source), *destination, error),
        ),
        Event::Gone {
            verb,
            source,
            destination,
        } => (
            "gone",
            json!({
                "operation": verb_word(*verb),
                "source": place(source),
                "destination": destination.map(place),
            }),
        ),
        Event::Failed {
            verb,
            source,
            destination,
            error,
        } => (
            "failed",
            trouble(verb_word(*verb), *source, *destination, error),
        ),
        Event::Notice { message } => ("notice", json!({ "message": message })),
        Event::Warning { message } => ("warning", json!({ "message": message })),
    }
}

fn moved_row(moved: &Moved) -> Value {
    let means = match &moved.verified {
        Verified::Checksum(_) => "checksum",
        Verified::PayloadSignature => "payload signature",
        Verified::ETag => "etag",
        Verified::ServerSide => "server side",
        Verified::SizeOnly => "size only",
    };
    json!({
        "operation": verb_word(moved.verb),
        "source": place(&moved.source),
        "destination": place(&moved.destination),
        "size": moved.size.get(),
        "source_etag": moved.source_etag.as_ref().map(|etag| etag.as_str()),
        "destination_etag": moved.destination_etag.as_ref().map(|etag| etag.as_str()),
        "source_version": moved.source_version.as_ref().map(|version| version.as_str()),
        "destination_version": moved.destination_version.as_ref().map(|version| version.as_str()),
        "verified": means,
        "tries": moved.tries,
        "elapsed_ms": u64::try_from(moved.elapsed.as_millis()).unwrap_or(u64::MAX),
        "lost": moved.lost.iter().map(lost).collect::<Vec<Value>>(),
        "dry_run": moved.dry_run,
    })
}

fn lost(loss: &Loss) -> Value {
    json!({ "attribute": loss.attribute.as_str(), "reason": loss.line })
}

fn trouble(
    operation: &str,
    source: Option<&Location>,
    destination: Option<&Location>,
    error: &Error,
) -> Value {
    json!({
        "operation": operation,
        "source": source.map(place),
        "destination": destination.map(place),
        "error": chain(error),
    })
}

fn place(location: &Location) -> String {
    location.to_string()
}
