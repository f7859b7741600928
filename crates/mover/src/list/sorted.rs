//! Entries that came in no order, handed out in order.

use std::io;

use super::output::{Output, Stop};
use crate::entry::Entry;
use crate::error::Error;
use crate::spool::entry_record;
use crate::spool::{Record, Sorted, Sorter};

/// Entries handed out at once.
const BATCH: usize = 1_000;

/// Entries on their way through the disk. Memory is constant at any number of them.
#[derive(Debug)]
pub(crate) struct Sorting {
    // Taken out only while a blocking task works on it.
    sorter: Option<Sorter>,
}

impl Sorting {
    pub(crate) fn new() -> Sorting {
        Sorting {
            sorter: Some(Sorter::new()),
        }
    }

    /// Takes entries in any order.
    pub(crate) async fn add(&mut self, entries: Vec<Entry>) -> Result<(), Error> {
        let mut sorter = self.sorter.take().expect("only absent while a task has it");
        let (sorter, result) = base::tasks::blocking(move || {
            let added = entries.iter().try_for_each(|entry| {
                sorter.push(Record {
                    key: entry.relative().as_bytes().to_vec(),
                    value: entry_record::encode(entry),
                })
            });
            (sorter, added)
        })
        .await;
        self.sorter = Some(sorter);
        result.map_err(spool_error)
    }

    /// Hands all of them out by their relative parts.
    pub(crate) async fn hand_out(mut self, output: &Output) -> Result<(), Stop> {
        let sorter = self.sorter.take().expect("only absent while a task has it");
        let mut sorted = base::tasks::blocking(move || sorter.finish())
            .await
            .map_err(spool_error)?;
        loop {
            let (rest, batch) = base::tasks::blocking(move || {
                let batch = next_batch(&mut sorted);
                (sorted, batch)
            })
            .await;
            sorted = rest;
            let batch = batch.map_err(spool_error)?;
            if batch.is_empty() {
                return Ok(());
            }
            output.send_entries(batch).await?;
        }
    }
}

fn next_batch(sorted: &mut Sorted) -> io::Result<Vec<Entry>> {
    let records = sorted.by_ref().take(BATCH);
    records
        .map(|record| entry_record::decode(&record?.value))
        .collect()
}

/// The temporary folder's disk refused.
pub(crate) fn spool_error(source: io::Error) -> Error {
    Error::Local {
        action: "spool to",
        path: std::env::temp_dir(),
        source,
    }
}
