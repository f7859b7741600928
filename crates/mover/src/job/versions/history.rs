//! The versions of one key, listed newest first and read oldest first.

use std::io;

use crate::entry::Entry;
use crate::error::Result;
use crate::list::spool_error;
use crate::spool::{Stack, entry_record};

/// Versions of one key in memory; more go to disk.
/// Reason: some hundred bytes each, for both sides of every key under way.
const MEMORY_MAX: usize = 256;

/// One key's versions, as many as there are. Memory is constant at any number of them.
#[derive(Debug, Default)]
pub(super) struct History {
    /// The oldest known, newest first.
    oldest: Vec<Entry>,
    /// Newer ones, in blocks.
    newer: Option<Stack>,
    count: u64,
}

impl History {
    /// How many versions are left to be read.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Takes the version before the one taken last.
    pub(super) async fn push(&mut self, entry: Entry) -> Result<()> {
        self.count += 1;
        self.oldest.push(entry);
        if self.oldest.len() < MEMORY_MAX {
            return Ok(());
        }
        let block = std::mem::take(&mut self.oldest);
        let newer = self.newer.take();
        let written = base::tasks::blocking(move || {
            let mut newer = newer.map_or_else(Stack::new, Ok)?;
            let records: Vec<Vec<u8>> = block.iter().map(entry_record::encode).collect();
            newer.push(&records)?;
            Ok(newer)
        });
        self.newer = Some(written.await.map_err(spool_error)?);
        Ok(())
    }

    /// Reads the oldest version left.
    pub(super) async fn pop(&mut self) -> Result<Option<Entry>> {
        if self.oldest.is_empty()
            && let Some(mut newer) = self.newer.take()
        {
            let read = base::tasks::blocking(move || {
                let records = newer.pop()?.unwrap_or_default();
                let entries = records.iter().map(|record| entry_record::decode(record));
                Ok((newer, entries.collect::<io::Result<Vec<Entry>>>()?))
            });
            let (newer, entries) = read.await.map_err(spool_error)?;
            self.newer = Some(newer);
            self.oldest = entries;
        }
        let entry = self.oldest.pop();
        self.count -= u64::from(entry.is_some());
        Ok(entry)
    }
}

#[cfg(test)]
mod tests {
    use base::{BucketName, ByteCount, Key, VersionId};

    use super::*;
    use crate::location::{Location, ObjectLocation};

    fn version(number: u64) -> Entry {
        Entry {
            location: Location::Remote(ObjectLocation {
                bucket: BucketName::new("bucket").unwrap(),
                key: Key::new("k").unwrap(),
                version_id: Some(VersionId::new(format!("v{number}"))),
            }),
            relative_start: 0,
            size: ByteCount(number),
            modified: None,
            etag: None,
            storage_class: None,
            checksum_algorithm: None,
            is_delete_marker: number % 7 == 3,
        }
    }

    #[tokio::test]
    async fn a_long_history_is_read_from_its_beginning() {
        for length in [0, 1, 255, 256, 257, 1_000] {
            let mut history = History::default();
            for number in (0..length).rev() {
                history.push(version(number)).await.unwrap();
            }
            assert!(history.oldest.len() < MEMORY_MAX);
            for number in 0..length {
                assert_eq!(history.count(), length - number);
                assert_eq!(history.pop().await.unwrap(), Some(version(number)));
            }
            assert_eq!(history.pop().await.unwrap(), None);
        }
    }
}
