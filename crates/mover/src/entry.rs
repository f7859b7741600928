//! What an enumeration yields.

use base::{ByteCount, ChecksumAlgorithm, ETag};
use jiff::Timestamp;
use remote::types::StorageClass;
use tokio::sync::mpsc;

use crate::error::Result;
use crate::location::Location;

/// One object or file that an enumeration found.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Where it is.
    pub location: Location,
    /// Where the relative part of its name begins: a byte index into the key, or into the path's
    /// text with `/` between its parts. The relative part is what both sides of a sync share.
    pub relative_start: usize,
    /// Its size as listed; the plan follows the GET's own length.
    pub size: ByteCount,
    /// When it last changed, to the precision that its side keeps.
    pub modified: Option<Timestamp>,
    /// ETag, in a store that gives one.
    pub etag: Option<ETag>,
    /// Storage class, in a store that gives one.
    pub storage_class: Option<StorageClass>,
    /// Algorithm of the stored checksum, where the listing says it.
    pub checksum_algorithm: Option<ChecksumAlgorithm>,
}

/// How many batches an enumeration may be ahead of its reader: one in hand, one in the making.
const BATCHES_AHEAD_MAX: usize = 2;

/// Entries on their way from an enumeration to a job, in batches of about a page.
///
/// Ends after the last entry, or after an error: an enumeration that broke off is an error, never
/// a short list. Dropping the stream stops the enumeration.
#[derive(Debug)]
pub struct EntryStream {
    batches: mpsc::Receiver<Result<Vec<Entry>>>,
    current: std::vec::IntoIter<Entry>,
}

/// The enumeration's end of an [`EntryStream`].
#[derive(Debug, Clone)]
pub struct EntrySink {
    batches: mpsc::Sender<Result<Vec<Entry>>>,
}

/// The reader has gone: stop enumerating.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReaderGone;

impl EntryStream {
    /// A stream and the sink that feeds it.
    pub fn channel() -> (EntrySink, EntryStream) {
        let (sender, receiver) = mpsc::channel(BATCHES_AHEAD_MAX);
        let stream = EntryStream {
            batches: receiver,
            current: Vec::new().into_iter(),
        };
        (EntrySink { batches: sender }, stream)
    }

    /// The next entry; `None` after the last. May be dropped at any await.
    pub async fn next(&mut self) -> Option<Result<Entry>> {
        loop {
            if let Some(entry) = self.current.next() {
                return Some(Ok(entry));
            }
            match self.batches.recv().await? {
                Ok(batch) => self.current = batch.into_iter(),
                Err(error) => {
                    self.batches.close();
                    return Some(Err(error));
                }
            }
        }
    }
}

impl EntrySink {
    /// Hands over the next entries; waits while the reader is behind.
    pub async fn send(&self, batch: Vec<Entry>) -> std::result::Result<(), ReaderGone> {
        self.batches.send(Ok(batch)).await.map_err(|_| ReaderGone)
    }

    /// Ends the stream with an error.
    pub async fn fail(&self, error: crate::error::Error) -> std::result::Result<(), ReaderGone> {
        self.batches.send(Err(error)).await.map_err(|_| ReaderGone)
    }
}
