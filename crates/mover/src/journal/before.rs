//! Which objects all earlier runs of a job have done.
//!
//! When a job is gone on with, what its last run did is laid over what those before had done, and
//! written to one file in order of name, so that the next run reads it beside its own enumeration.
//! Crash: the file is replaced by renaming; the number in it says which runs' folders are in it.
//! Limits: names to be done again stay on disk, however many they are.
//!
//! ```text
//! before: head (runs in it, last name taken) · beyond (name)* · again (name)*, ascending · end
//! ```

use std::collections::BTreeSet;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use super::names::{self, Layer};
use super::record::{FieldReader, FieldWriter, MAGIC, Records, frame};
use crate::spool::{Record, Sorter};

const HEAD: u8 = 1;
const BEYOND: u8 = 2;
const AGAIN: u8 = 3;
const END: u8 = 4;

/// Answers for one name after the other, ascending.
#[derive(Debug)]
pub(super) struct Before {
    /// How many runs are in it; the next one's number.
    runs: u64,
    taken: Option<String>,
    beyond: BTreeSet<String>,
    records: Option<Records>,
    /// The next name to be done again.
    next: Option<String>,
    /// The name that was asked for last.
    asked: Option<String>,
}

/// The folder of run `number`.
pub(super) fn run_folder(job: &Path, number: u64) -> PathBuf {
    job.join(format!("run-{number}"))
}

impl Before {
    /// Nothing was done before.
    fn nothing() -> Before {
        Before {
            runs: 0,
            taken: None,
            beyond: BTreeSet::new(),
            records: None,
            next: None,
            asked: None,
        }
    }

    /// Lays what the last run of a job did over what those before had done.
    pub(super) fn gather(job: &Path) -> io::Result<Before> {
        let old = Before::open(job)?;
        let last = run_folder(job, old.runs);
        if !last.is_dir() {
            return Ok(old);
        }
        let layer = names::read(&last)?;
        let new = job.join("before.new");
        let mut file = BufWriter::new(std::fs::File::create(&new)?);
        write(&mut file, old, layer, &last)?;
        let file = file.into_inner()?;
        file.sync_data()?;
        std::fs::rename(new, job.join("before"))?;
        super::job::sync_folder(job)?;
        std::fs::remove_dir_all(last)?;
        Before::open(job)
    }

    fn open(job: &Path) -> io::Result<Before> {
        let mut records = match Records::open(&job.join("before")) {
            Ok(records) => records,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Before::nothing()),
            Err(error) => return Err(error),
        };
        let broken = || io::Error::from(io::ErrorKind::InvalidData);
        let first = records.next_payload()?.ok_or_else(broken)?;
        let mut before = decode_head(&first).ok_or_else(broken)?;
        before.next = loop {
            match decode(&records.next_payload()?.ok_or_else(broken)?).ok_or_else(broken)? {
                Row::Beyond(name) => before.beyond.insert(name),
                Row::Again(name) => break Some(name),
                Row::End => break None,
            };
        };
        before.records = Some(records);
        Ok(before)
    }

    /// How many runs are in it; the next one's number.
    pub(super) fn runs(&self) -> u64 {
        self.runs
    }

    /// Whether an object was done before. Names must be asked for in order; one that is not is
    /// said not to be done.
    pub(super) fn is_done(&mut self, name: &str) -> io::Result<bool> {
        if self.asked.as_deref().is_some_and(|asked| name < asked) {
            return Ok(false);
        }
        self.asked = Some(name.to_owned());
        if self.taken.as_deref().is_none_or(|taken| name > taken) {
            return Ok(self.beyond.contains(name));
        }
        while self.next.as_deref().is_some_and(|next| next < name) {
            self.advance()?;
        }
        Ok(self.next.as_deref() != Some(name))
    }

    /// Reads the next name that is to be done again.
    fn advance(&mut self) -> io::Result<()> {
        let Some(records) = &mut self.records else {
            self.next = None;
            return Ok(());
        };
        let row = records.next_payload()?.as_deref().and_then(decode);
        self.next = match row {
            Some(Row::Again(name)) => Some(name),
            Some(Row::End) => None,
            Some(Row::Beyond(_)) | None => return Err(io::ErrorKind::InvalidData.into()),
        };
        Ok(())
    }
}

/// Writes `layer` over `old`. A name up to the layer's last is the layer's to say, a later one
/// the old's.
fn write(file: &mut impl io::Write, mut old: Before, layer: Layer, last: &Path) -> io::Result<()> {
    file.write_all(&MAGIC)?;
    let runs = old.runs + 1;
    let taken = layer.taken.as_ref().max(old.taken.as_ref());
    let mut head = FieldWriter::of_kind(HEAD);
    head.number(runs).optional(taken, |fields, name| {
        fields.text(name);
    });
    let mut put = |fields: &FieldWriter| {
        let mut record = Vec::new();
        frame(fields.bytes(), &mut record)?;
        file.write_all(&record)
    };
    put(&head)?;
    for name in layer.beyond.union(&old.beyond) {
        if taken.is_none_or(|taken| name > taken) {
            put(FieldWriter::of_kind(BEYOND).text(name))?;
        }
    }
    let mut sorter = Sorter::new();
    let mut push = |name: String| {
        sorter.push(Record {
            key: name.into_bytes(),
            value: Vec::new(),
        })
    };
    layer.open.iter().try_for_each(|name| push(name.clone()))?;
    names::read_again(last, |name| {
        let covered = layer.taken.as_ref().is_some_and(|taken| name <= *taken);
        if covered { push(name) } else { Ok(()) }
    })?;
    for record in sorter.finish()? {
        let name = String::from_utf8(record?.key).expect("names went in as text");
        put(FieldWriter::of_kind(AGAIN).text(&name))?;
    }
    while let Some(name) = old.next.take() {
        let covered = layer.taken.as_ref().is_some_and(|taken| name <= *taken);
        if !covered && !layer.beyond.contains(&name) {
            put(FieldWriter::of_kind(AGAIN).text(&name))?;
        }
        old.advance()?;
    }
    put(&FieldWriter::of_kind(END))
}

enum Row {
    Beyond(String),
    Again(String),
    End,
}

fn decode_head(payload: &[u8]) -> Option<Before> {
    let mut fields = FieldReader::new(payload);
    (fields.byte()? == HEAD).then_some(())?;
    Some(Before {
        runs: fields.number()?,
        taken: fields.optional(|f| f.text())?.map(str::to_owned),
        ..Before::nothing()
    })
}

fn decode(payload: &[u8]) -> Option<Row> {
    let mut fields = FieldReader::new(payload);
    Some(match fields.byte()? {
        BEYOND => Row::Beyond(fields.text()?.to_owned()),
        AGAIN => Row::Again(fields.text()?.to_owned()),
        END => Row::End,
        _ => return None,
    })
}
