//! What an enumeration yields.

use std::sync::Arc;

use base::{ByteCount, ChecksumAlgorithm, ETag};
use jiff::Timestamp;
use remote::types::StorageClass;
use tokio::sync::mpsc;

use crate::accounts::Counter;
use crate::error::{Error, Result};
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
    /// In a listing of versions: a delete marker, which has no bytes and cannot be read.
    pub is_delete_marker: bool,
}

impl Entry {
    /// Its whole name: the key, or the path's text. Enumerations yield no path that is not UTF-8.
    pub fn name(&self) -> &str {
        match &self.location {
            Location::Local(path) => path.to_str().unwrap_or_default(),
            Location::Remote(object) => object.key.as_str(),
        }
    }

    /// The part of its name that both sides of a copy or sync share.
    pub fn relative(&self) -> &str {
        self.name().get(self.relative_start..).unwrap_or_default()
    }

    /// Whether it is a key that consoles show as a folder; jobs skip and count it.
    pub fn is_directory_marker(&self) -> bool {
        match &self.location {
            Location::Local(_) => false,
            Location::Remote(object) => object.key.is_directory_marker(),
        }
    }
}

/// How many batches an enumeration may be ahead of its reader: one in hand, one in the making.
const BATCHES_AHEAD_MAX: usize = 2;

/// Entries on their way from an enumeration to a job, in batches of about a page.
///
/// Ends after the last entry, or after an error: an enumeration that broke off is an error, never
/// a short list. Dropping the stream stops the enumeration.
#[derive(Debug)]
pub struct EntryStream {
    batches: mpsc::Receiver<Message>,
    problems: Arc<Counter>,
    current: std::vec::IntoIter<Entry>,
    ended: bool,
}

#[derive(Debug)]
enum Message {
    Batch(Vec<Entry>),
    Failed(Error),
    /// Said, not inferred from a closed channel: a task that panics closes its channel too.
    Whole,
}

/// The enumeration's end of an [`EntryStream`]. Dropping it without [`finish`](Self::finish) or
/// [`fail`](Self::fail) is a failure of the stream.
#[derive(Debug)]
pub struct EntrySink {
    problems: Arc<Counter>,
    batches: mpsc::Sender<Message>,
}

/// The reader has gone: stop enumerating.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReaderGone;

impl EntryStream {
    /// A stream and the sink that feeds it.
    pub fn channel() -> (EntrySink, EntryStream) {
        let (sender, receiver) = mpsc::channel(BATCHES_AHEAD_MAX);
        let problems = Arc::new(Counter::default());
        let stream = EntryStream {
            batches: receiver,
            problems: Arc::clone(&problems),
            current: Vec::new().into_iter(),
            ended: false,
        };
        let sink = EntrySink {
            problems,
            batches: sender,
        };
        (sink, stream)
    }

    /// The next entry; `None` after the last. May be dropped at any await.
    pub async fn next(&mut self) -> Option<Result<Entry>> {
        loop {
            if let Some(entry) = self.current.next() {
                return Some(Ok(entry));
            }
            match self.receive().await? {
                Ok(batch) => self.current = batch.into_iter(),
                Err(error) => return Some(Err(error)),
            }
        }
    }

    /// The entries that are at hand, at least one; `None` after the last. May be dropped at any
    /// await.
    pub async fn next_batch(&mut self) -> Option<Result<std::vec::IntoIter<Entry>>> {
        loop {
            if !self.current.as_slice().is_empty() {
                return Some(Ok(std::mem::take(&mut self.current)));
            }
            match self.receive().await? {
                Ok(batch) => self.current = batch.into_iter(),
                Err(error) => return Some(Err(error)),
            }
        }
    }

    /// The next batch; nothing of the one before is left.
    async fn receive(&mut self) -> Option<Result<Vec<Entry>>> {
        if self.ended {
            return None;
        }
        let message = self.batches.recv().await;
        if let Some(Message::Batch(batch)) = message {
            return Some(Ok(batch));
        }
        self.ended = true;
        match message {
            Some(Message::Batch(_) | Message::Whole) => None,
            Some(Message::Failed(error)) => Some(Err(error)),
            None => {
                let what = "an enumeration ended without a word".to_owned();
                Some(Err(Error::Bug(what)))
            }
        }
    }

    /// Things that were there and could not be yielded (a broken link, a folder that may not be
    /// read), each told as an event and counted as a job's failure already. Above zero the stream
    /// does not name everything that its source holds: nothing may be deleted because of it.
    pub fn problems(&self) -> u64 {
        self.problems.get()
    }
}

impl EntrySink {
    /// Hands over the next entries; waits while the reader is behind.
    pub async fn send(&self, batch: Vec<Entry>) -> std::result::Result<(), ReaderGone> {
        let message = Message::Batch(batch);
        self.batches.send(message).await.map_err(|_| ReaderGone)
    }

    /// [`send`](Self::send) for code that may block.
    pub fn send_blocking(&self, batch: Vec<Entry>) -> std::result::Result<(), ReaderGone> {
        let message = Message::Batch(batch);
        self.batches.blocking_send(message).map_err(|_| ReaderGone)
    }

    /// Counts one thing that was there and cannot be yielded.
    pub fn problem(&self) {
        self.problems.add(1);
    }

    /// Ends the stream: everything was yielded.
    pub async fn finish(self) {
        // Nobody left to hear it is an end too.
        let _ = self.batches.send(Message::Whole).await;
    }

    /// Ends the stream with an error.
    pub async fn fail(self, error: Error) {
        // Nobody left to hear it is an end too.
        let _ = self.batches.send(Message::Failed(error)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_sink_that_vanishes_is_an_error_and_no_short_list() {
        let (sink, mut stream) = EntryStream::channel();
        drop(sink);
        assert!(matches!(stream.next().await, Some(Err(Error::Bug(_)))));
        assert!(stream.next().await.is_none());

        let (sink, mut stream) = EntryStream::channel();
        sink.finish().await;
        assert!(stream.next().await.is_none());
    }
}
