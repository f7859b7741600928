//! A listing of versions, key by key.

use super::history::History;
use crate::entry::{Entry, EntryStream};
use crate::error::{Error, Result};
use crate::location::Location;

/// Versions as they are listed: keys ascending, each key's versions newest first.
#[derive(Debug)]
pub(super) struct Versions {
    stream: EntryStream,
    head: Option<Entry>,
    /// The key that was read last.
    previous: Option<String>,
    bucket: Option<base::BucketName>,
}

impl Versions {
    /// A listing and its first version.
    pub(super) async fn begin(mut stream: EntryStream) -> Result<Versions> {
        let head = stream.next().await.transpose()?;
        Ok(Versions {
            bucket: bucket_of(head.as_ref()),
            stream,
            head,
            previous: None,
        })
    }

    /// The newest version of the next key; `None` once the listing has ended whole.
    pub(super) fn head(&self) -> Option<&Entry> {
        self.head.as_ref()
    }

    /// Reads the next key's versions into a history, and tells each. An error is a listing that
    /// broke off: what was read of the key so far must not be acted upon.
    pub(super) async fn read(&mut self, mut tell: impl FnMut(&Entry)) -> Result<History> {
        let mut history = History::default();
        while let Some(entry) = self.take(&mut tell).await? {
            history.push(entry).await?;
        }
        Ok(history)
    }

    /// Passes the next key's versions over, and tells each.
    pub(super) async fn pass(&mut self, mut tell: impl FnMut(&Entry)) -> Result<()> {
        while self.take(&mut tell).await?.is_some() {}
        Ok(())
    }

    /// The next version of the key at hand; `None` after its last.
    async fn take(&mut self, tell: &mut impl FnMut(&Entry)) -> Result<Option<Entry>> {
        let Some(head) = &self.head else {
            self.previous = None;
            return Ok(None);
        };
        match &self.previous {
            Some(previous) if previous.as_str() == head.name() => {}
            // The key before has ended.
            Some(_) => {
                self.previous = None;
                return Ok(None);
            }
            None => self.previous = Some(head.name().to_owned()),
        }
        tell(head);
        let next = self.stream.next().await.transpose()?;
        if let Some(next) = &next
            && next.name() < head.name()
            && let Some(bucket) = &self.bucket
        {
            return Err(Error::Unordered {
                bucket: bucket.clone(),
                previous: head.name().to_owned(),
                key: next.name().to_owned(),
            });
        }
        Ok(std::mem::replace(&mut self.head, next))
    }
}

fn bucket_of(entry: Option<&Entry>) -> Option<base::BucketName> {
    match &entry?.location {
        Location::Remote(object) => Some(object.bucket.clone()),
        Location::Local(_) => None,
    }
}
