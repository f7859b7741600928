//! From a store's rows to the entries of a source.

use base::BucketName;
use remote::types::ListedObject;

use crate::entry::{Entry, EntrySink, ReaderGone};
use crate::error::Error;
use crate::location::{Location, ObjectLocation};
use crate::wildcard::Wildcard;

/// Which rows a source means, and what they are called below it.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    pub(crate) bucket: BucketName,
    /// Where the relative part of every key begins.
    pub(crate) relative_start: usize,
    pub(crate) keys: Keys,
}

/// Which keys a source means.
#[derive(Debug, Clone)]
pub(crate) enum Keys {
    /// All under the prefix.
    All,
    /// Those that match.
    Matching(Wildcard),
    /// This one.
    Exactly(String),
}

/// Where the rows of a listing go.
#[derive(Debug)]
pub(crate) struct Output {
    sink: EntrySink,
    /// Absent where no rows come, only entries.
    shape: Option<Shape>,
    sent: bool,
}

/// Why an enumeration ends early.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Nobody wants more.
    ReaderGone,
    /// It broke.
    Failed(Error),
}

impl From<ReaderGone> for Stop {
    fn from(_: ReaderGone) -> Stop {
        Stop::ReaderGone
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Stop {
        Stop::Failed(error)
    }
}

impl Keys {
    fn mean(&self, key: &str) -> bool {
        match self {
            Keys::All => true,
            Keys::Matching(wildcard) => wildcard.matches(key),
            Keys::Exactly(wanted) => key == wanted,
        }
    }
}

impl Shape {
    /// Whether the source means this key.
    pub(crate) fn means(&self, key: &str) -> bool {
        self.keys.mean(key)
    }

    /// The entry of a row.
    pub(crate) fn entry(&self, object: ListedObject) -> Entry {
        let (version_id, is_delete_marker) = match object.version {
            Some(version) => (Some(version.id), version.is_delete_marker),
            None => (None, false),
        };
        Entry {
            location: Location::Remote(ObjectLocation {
                bucket: self.bucket.clone(),
                key: object.key,
                version_id,
            }),
            relative_start: self.relative_start,
            size: object.size,
            modified: object.last_modified,
            etag: object.etag,
            storage_class: object.storage_class,
            checksum_algorithm: object.checksum_algorithm,
            is_delete_marker,
        }
    }
}

impl Output {
    pub(crate) fn new(sink: EntrySink, shape: Shape) -> Output {
        Output {
            sink,
            shape: Some(shape),
            sent: false,
        }
    }

    /// An output of entries that are made elsewhere.
    pub(crate) fn unshaped(sink: EntrySink) -> Output {
        Output {
            sink,
            shape: None,
            sent: false,
        }
    }

    /// Where the entries go.
    pub(crate) fn sink(&self) -> &EntrySink {
        &self.sink
    }

    /// The entries of those rows that the source means.
    pub(crate) fn shape(&self, objects: Vec<ListedObject>) -> Vec<Entry> {
        let shape = self
            .shape
            .as_ref()
            .expect("only a store's enumeration has rows");
        let meant = objects
            .into_iter()
            .filter(|object| shape.means(object.key.as_str()));
        meant.map(|object| shape.entry(object)).collect()
    }

    /// Hands rows out.
    pub(crate) async fn send(&mut self, objects: Vec<ListedObject>) -> Result<(), ReaderGone> {
        self.sent = true;
        self.send_entries(self.shape(objects)).await
    }

    /// Hands entries out.
    pub(crate) async fn send_entries(&self, entries: Vec<Entry>) -> Result<(), ReaderGone> {
        if entries.is_empty() {
            return Ok(());
        }
        self.sink.send(entries).await
    }

    /// Whether rows have been handed out.
    pub(crate) fn has_sent(&self) -> bool {
        self.sent
    }

    /// Ends the enumeration.
    pub(crate) async fn end(self, result: Result<(), Stop>) {
        match result {
            Ok(()) => self.sink.finish().await,
            Err(Stop::Failed(error)) => self.sink.fail(error).await,
            Err(Stop::ReaderGone) => {}
        }
    }
}
