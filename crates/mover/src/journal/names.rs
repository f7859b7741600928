//! Which objects one run has done.
//!
//! Two files in turn hold a snapshot of the window and, behind it, the name of each object that was
//! done since; a third one the names that are to be done again. Each run has a folder of its own.
//! Crash: the newer file with a whole snapshot counts. Power cut: a file is only written over once
//! the other one is on the disk.
//!
//! ```text
//! names-0, names-1: snapshot (sequence, last name taken, names under way) · done (name)*
//! redo:             again (name)*
//! ```

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::record::{Appender, FieldReader, FieldWriter, Records};
use super::window::Window;

const SNAPSHOT: u8 = 1;
const DONE: u8 = 2;
const AGAIN: u8 = 3;

/// Objects done since a snapshot before the next one is due: reading the journal holds their names
/// in memory. At some 60 bytes a name it is 1 MiB.
const DONE_MAX: u64 = 16_384;

/// The files of the run under way.
#[derive(Debug)]
pub(super) struct NamesLog {
    folder: PathBuf,
    file: Appender,
    sequence: u64,
    done: u64,
    redo: Appender,
}

/// What an earlier run had done, but for its `redo` file.
#[derive(Debug, Default)]
pub(super) struct Layer {
    /// Every name up to this one is done but those in `open` and in the `redo` file.
    pub(super) taken: Option<String>,
    /// Names up to `taken` that were under way.
    pub(super) open: BTreeSet<String>,
    /// Names behind `taken` that are done.
    pub(super) beyond: BTreeSet<String>,
}

impl NamesLog {
    /// Begins a run's files in a folder, which is made.
    pub(super) fn create(folder: &Path, window: &Window) -> io::Result<NamesLog> {
        match std::fs::create_dir(folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            Ok(()) | Err(_) => {}
        }
        Ok(NamesLog {
            file: begin(folder, 0, window)?,
            redo: Appender::create(&folder.join("redo"))?,
            folder: folder.to_owned(),
            sequence: 0,
            done: 0,
        })
    }

    /// Writes down an object that is done.
    pub(super) fn done(&mut self, name: &str) -> io::Result<()> {
        self.done += 1;
        self.file
            .append(FieldWriter::of_kind(DONE).text(name).bytes())
    }

    /// Writes down an object that is to be done again.
    pub(super) fn again(&mut self, name: &str) -> io::Result<()> {
        self.redo
            .append(FieldWriter::of_kind(AGAIN).text(name).bytes())
    }

    /// Whether the names since the last snapshot are many.
    pub(super) fn is_long(&self) -> bool {
        self.done >= DONE_MAX
    }

    /// Goes on in the other file, behind a snapshot.
    pub(super) fn turn(&mut self, window: &Window) -> io::Result<()> {
        self.file = begin(&self.folder, self.sequence + 1, window)?;
        self.sequence += 1;
        self.done = 0;
        Ok(())
    }

    /// Handles of both files, to flush them.
    pub(super) fn handles(&self) -> io::Result<[File; 2]> {
        Ok([self.redo.handle()?, self.file.handle()?])
    }
}

fn begin(folder: &Path, sequence: u64, window: &Window) -> io::Result<Appender> {
    let mut fields = FieldWriter::of_kind(SNAPSHOT);
    fields.number(sequence);
    fields.optional(window.taken(), |fields, name| {
        fields.text(name);
    });
    let under_way = window.under_way();
    fields.number(under_way.len() as u64);
    for name in under_way {
        fields.text(name);
    }
    let mut file = Appender::create(&folder.join(format!("names-{}", sequence % 2)))?;
    file.append(fields.bytes())?;
    Ok(file)
}

/// Reads what a run left in its folder.
pub(super) fn read(folder: &Path) -> io::Result<Layer> {
    let mut newest: Option<(u64, Layer)> = None;
    for file in ["names-0", "names-1"] {
        if let Some((sequence, layer)) = read_one(&folder.join(file))?
            && newest.as_ref().is_none_or(|(other, _)| sequence > *other)
        {
            newest = Some((sequence, layer));
        }
    }
    Ok(newest.map(|(_, layer)| layer).unwrap_or_default())
}

fn read_one(path: &Path) -> io::Result<Option<(u64, Layer)>> {
    let Some(mut records) = open(path)? else {
        return Ok(None);
    };
    let Some(first) = records.next_payload()? else {
        return Ok(None);
    };
    let Some((sequence, mut layer)) = decode_snapshot(&first) else {
        return Ok(None);
    };
    while let Some(payload) = records.next_payload()? {
        let Some(name) = decode_name(&payload, DONE) else {
            break;
        };
        if layer.taken.as_ref().is_some_and(|taken| name <= *taken) {
            layer.open.remove(&name);
        } else {
            layer.beyond.insert(name);
        }
    }
    Ok(Some((sequence, layer)))
}

/// The names of a `redo` file, in the order in which they were written.
pub(super) fn read_again(
    folder: &Path,
    mut each: impl FnMut(String) -> io::Result<()>,
) -> io::Result<()> {
    let Some(mut records) = open(&folder.join("redo"))? else {
        return Ok(());
    };
    while let Some(payload) = records.next_payload()? {
        match decode_name(&payload, AGAIN) {
            Some(name) => each(name)?,
            None => break,
        }
    }
    Ok(())
}

fn open(path: &Path) -> io::Result<Option<Records>> {
    match Records::open(path) {
        Ok(records) => Ok(Some(records)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn decode_snapshot(payload: &[u8]) -> Option<(u64, Layer)> {
    let mut fields = FieldReader::new(payload);
    if fields.byte()? != SNAPSHOT {
        return None;
    }
    let sequence = fields.number()?;
    let taken = fields.optional(|f| f.text())?.map(str::to_owned);
    let open = (0..fields.number()?).map(|_| fields.text().map(str::to_owned));
    let open = open.collect::<Option<_>>()?;
    let layer = Layer {
        taken,
        open,
        beyond: BTreeSet::new(),
    };
    Some((sequence, layer))
}

fn decode_name(payload: &[u8], kind: u8) -> Option<String> {
    let mut fields = FieldReader::new(payload);
    (fields.byte()? == kind).then_some(())?;
    fields.text().map(str::to_owned)
}
