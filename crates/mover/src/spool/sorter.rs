//! External sorting: sorted runs on disk, merged.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Seek as _, SeekFrom};

use super::{read_field, write_field};

/// Bytes of records in memory before a run is written. A guess, not measured.
const RUN_BYTES_MAX: usize = 8 << 20;

/// Runs merged at once: each holds an open file and a read buffer.
const RUNS_MAX: usize = 64;

/// What a record costs in memory beside its bytes: two vectors.
const RECORD_OVERHEAD: usize = 64;

/// Something to be sorted by its key's bytes. Equal keys come in the order of their values.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Record {
    pub(crate) key: Vec<u8>,
    pub(crate) value: Vec<u8>,
}

/// Takes records in any order, in constant memory.
#[derive(Debug)]
pub(crate) struct Sorter {
    memory: Vec<Record>,
    memory_bytes: usize,
    run_bytes_max: usize,
    runs: Vec<File>,
}

/// The records in order.
#[derive(Debug)]
pub(crate) struct Sorted {
    memory: std::vec::IntoIter<Record>,
    runs: Vec<BufReader<File>>,
    /// The smallest record of each run that is not at its end; the last index is the memory's.
    heads: BinaryHeap<Reverse<(Record, usize)>>,
    started: bool,
}

impl Sorter {
    /// A sorter without records.
    pub(crate) fn new() -> Sorter {
        Sorter::with_memory(RUN_BYTES_MAX)
    }

    fn with_memory(run_bytes_max: usize) -> Sorter {
        Sorter {
            memory: Vec::new(),
            memory_bytes: 0,
            run_bytes_max,
            runs: Vec::new(),
        }
    }

    /// Takes a record.
    pub(crate) fn push(&mut self, record: Record) -> io::Result<()> {
        self.memory_bytes += record.key.len() + record.value.len() + RECORD_OVERHEAD;
        self.memory.push(record);
        if self.memory_bytes < self.run_bytes_max {
            return Ok(());
        }
        self.memory.sort_unstable();
        let run = write_run(self.memory.drain(..).map(Ok))?;
        self.memory_bytes = 0;
        self.runs.push(run);
        if self.runs.len() == RUNS_MAX {
            let merged = write_run(merge(Vec::new(), std::mem::take(&mut self.runs))?)?;
            self.runs.push(merged);
        }
        Ok(())
    }

    /// Turns to reading in order.
    pub(crate) fn finish(mut self) -> io::Result<Sorted> {
        self.memory.sort_unstable();
        merge(self.memory, self.runs)
    }
}

fn write_run(records: impl Iterator<Item = io::Result<Record>>) -> io::Result<File> {
    let mut file = BufWriter::new(tempfile::tempfile()?);
    for record in records {
        let record = record?;
        write_field(&mut file, &record.key)?;
        write_field(&mut file, &record.value)?;
    }
    Ok(file.into_inner()?)
}

fn merge(memory: Vec<Record>, runs: Vec<File>) -> io::Result<Sorted> {
    let rewound = runs.into_iter().map(|mut run| {
        run.seek(SeekFrom::Start(0))?;
        Ok(BufReader::new(run))
    });
    Ok(Sorted {
        memory: memory.into_iter(),
        runs: rewound.collect::<io::Result<_>>()?,
        heads: BinaryHeap::new(),
        started: false,
    })
}

impl Sorted {
    /// Brings the next record of run `at` among the heads.
    fn advance(&mut self, at: usize) -> io::Result<()> {
        let record = match self.runs.get_mut(at) {
            None => self.memory.next(),
            Some(run) => match read_field(run)? {
                None => None,
                Some(key) => {
                    let value = read_field(run)?.ok_or(io::ErrorKind::UnexpectedEof)?;
                    Some(Record { key, value })
                }
            },
        };
        self.heads
            .extend(record.map(|record| Reverse((record, at))));
        Ok(())
    }

    fn next_record(&mut self) -> io::Result<Option<Record>> {
        if !self.started {
            self.started = true;
            for at in 0..=self.runs.len() {
                self.advance(at)?;
            }
        }
        let Some(Reverse((record, at))) = self.heads.pop() else {
            return Ok(None);
        };
        self.advance(at)?;
        Ok(Some(record))
    }
}

impl Iterator for Sorted {
    type Item = io::Result<Record>;

    fn next(&mut self) -> Option<io::Result<Record>> {
        self.next_record().transpose()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::*;

    proptest! {
        #[test]
        fn sorts_as_memory_would(
            pairs in proptest::collection::vec(any::<(Vec<u8>, u8)>(), 0..150),
            memory in 100usize..4_000,
        ) {
            let mut records: Vec<Record> = pairs
                .into_iter()
                .map(|(key, value)| Record { key, value: vec![value] })
                .collect();
            let mut sorter = Sorter::with_memory(memory);
            for record in &records {
                sorter.push(record.clone()).unwrap();
            }
            let sorted: Vec<Record> = sorter.finish().unwrap().map(Result::unwrap).collect();
            records.sort();
            prop_assert_eq!(sorted, records);
        }
    }
}
