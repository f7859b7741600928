//! The one place that writes to standard output and standard error.
//!
//! Standard output carries data, standard error talk. Lines gather in a buffer that is written
//! when it is full, a quarter of a second after it was touched, and at the end; on a terminal after
//! every line. A reader that goes away (`ls | head`) stops the run quietly.

pub(crate) mod cause;
pub(crate) mod event_file;
mod json;
pub(crate) mod lines;
pub(crate) mod rows;
pub(crate) mod stat;

use std::fmt;
use std::io::{self, BufWriter, IsTerminal as _, Stdout, Write as _};
use std::time::Duration;

use indicatif::ProgressBar;
use parking_lot::Mutex;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::args::LogLevel;
use crate::args::quoted;
pub(crate) use json::go_json;

/// Bytes of lines gathered before they are written.
const BUFFER_BYTES: usize = 64 << 10;

/// How long a line may wait for others.
const IDLE_FLUSH: Duration = Duration::from_millis(250);

/// Something that is printed as a line of text or as a JSON object.
pub(crate) trait Line: fmt::Display + Serialize {}
impl<T: fmt::Display + Serialize> Line for T {}

/// Standard output and error of the process.
#[derive(Debug)]
pub(crate) struct Output {
    json: bool,
    level: LogLevel,
    stdout: Mutex<Sink>,
    bar: Mutex<Option<ProgressBar>>,
    /// Cancelled once nobody reads any more.
    reader_gone: CancellationToken,
}

#[derive(Debug)]
struct Sink {
    writer: BufWriter<Stdout>,
    terminal: bool,
    dirty: bool,
}

impl Output {
    /// Output in text or JSON, from `level` up.
    pub(crate) fn new(json: bool, level: LogLevel) -> Output {
        let stdout = io::stdout();
        let terminal = stdout.is_terminal();
        Output {
            json,
            level,
            stdout: Mutex::new(Sink {
                writer: BufWriter::with_capacity(BUFFER_BYTES, stdout),
                terminal,
                dirty: false,
            }),
            bar: Mutex::new(None),
            reader_gone: CancellationToken::new(),
        }
    }

    /// Cancelled once standard output was closed by its reader.
    pub(crate) fn reader_gone(&self) -> &CancellationToken {
        &self.reader_gone
    }

    /// Whether lines of this level are printed at all.
    pub(crate) fn says(&self, level: LogLevel) -> bool {
        level >= self.level
    }

    /// Whether lines are JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// A line of data, unless `--log error`.
    pub(crate) fn info(&self, line: &impl Line) {
        if self.says(LogLevel::Info) {
            self.data(line);
        }
    }

    /// A line of data at any level.
    pub(crate) fn data(&self, line: &impl Line) {
        if self.json {
            self.text(format_args!("{}", go_json(line)));
        } else {
            self.text(format_args!("{line}"));
        }
    }

    /// Adds a row of `ls` to `text`, unless `--log error`: [`write`](Self::write) then writes many.
    pub(crate) fn push_row(&self, text: &mut Vec<u8>, row: &rows::ObjectRow<'_>) {
        if !self.says(LogLevel::Info) {
            return;
        }
        if self.json {
            text.extend_from_slice(go_json(row).as_bytes());
        } else {
            row.push_text(text);
        }
        text.push(b'\n');
    }

    /// Writes whole lines.
    pub(crate) fn write(&self, lines: &[u8]) {
        if !lines.is_empty() {
            self.put(|writer| writer.write_all(lines));
        }
    }

    /// A line as it is.
    pub(crate) fn text(&self, line: fmt::Arguments<'_>) {
        self.put(|writer| {
            writer.write_fmt(line)?;
            writer.write_all(b"\n")
        });
    }

    fn put(&self, put: impl FnOnce(&mut BufWriter<Stdout>) -> io::Result<()>) {
        let write = || {
            let mut sink = self.stdout.lock();
            sink.dirty = true;
            let written = put(&mut sink.writer);
            let flushed = if sink.terminal {
                written.and_then(|()| sink.writer.flush())
            } else {
                written
            };
            self.note(flushed);
        };
        self.beside_the_bar(write);
    }

    /// Why an object was left alone: only said at `--log debug`, on standard output as s5cmd.
    pub(crate) fn skipped(&self, operation: &str, job: &str, reason: &str) {
        if !self.says(LogLevel::Debug) {
            return;
        }
        if self.json {
            let row = rows::Skip {
                operation,
                job,
                error: reason,
            };
            self.text(format_args!("{}", go_json(&row)));
        } else {
            self.text(format_args!("DEBUG {}: {reason}", quoted(job)));
        }
    }

    /// An error: `ERROR "command": cause` on standard error.
    pub(crate) fn error(&self, operation: &str, command: &str, cause: &str) {
        self.complain("ERROR", operation, command, cause);
    }

    /// Something that changed no outcome, on standard error.
    pub(crate) fn warning(&self, operation: &str, command: &str, cause: &str) {
        self.complain("WARNING", operation, command, cause);
    }

    /// How things stand, on standard error.
    pub(crate) fn notice(&self, operation: &str, command: &str, message: &str) {
        if self.json {
            let row = rows::Notice {
                operation,
                command,
                notice: message,
            };
            self.talk(format_args!("{}", go_json(&row)));
        } else {
            self.talk(format_args!("{message}"));
        }
    }

    fn complain(&self, word: &str, operation: &str, command: &str, cause: &str) {
        let cause = one_line(cause);
        if self.json {
            let row = rows::Complaint {
                operation,
                command,
                error: &cause,
            };
            self.talk(format_args!("{}", go_json(&row)));
        } else if command.is_empty() {
            self.talk(format_args!("{word} {cause}"));
        } else {
            self.talk(format_args!("{word} {}: {cause}", quoted(command)));
        }
    }

    /// A line on standard error as it is. A closed standard error is nobody's failure.
    pub(crate) fn talk(&self, line: fmt::Arguments<'_>) {
        self.beside_the_bar(|| {
            let mut stderr = io::stderr().lock();
            let _ = stderr.write_fmt(format_args!("{line}\n"));
        });
    }

    /// Writes what is gathered.
    pub(crate) fn flush(&self) {
        let mut sink = self.stdout.lock();
        sink.dirty = false;
        let flushed = sink.writer.flush();
        self.note(flushed);
    }

    /// Writes what is gathered a while after it was touched, for as long as it is polled.
    pub(crate) async fn flush_when_idle(&self) {
        loop {
            tokio::time::sleep(IDLE_FLUSH).await;
            if self.stdout.lock().dirty {
                self.flush();
            }
        }
    }

    /// Draws lines above a progress bar until the bar is taken away again with `None`.
    pub(crate) fn set_bar(&self, bar: Option<ProgressBar>) {
        *self.bar.lock() = bar;
    }

    fn beside_the_bar(&self, write: impl FnOnce()) {
        match self.bar.lock().as_ref() {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    fn note(&self, written: io::Result<()>) {
        if written.is_err() {
            self.reader_gone.cancel();
        }
    }
}

/// Joins the lines of a cause with single spaces, as s5cmd does.
fn one_line(cause: &str) -> String {
    cause.split_whitespace().collect::<Vec<_>>().join(" ")
}
