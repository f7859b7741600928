//! An object that comes in one GET: received, then checked and placed in one hop off the reactor
//! where it fits a batch.

use std::sync::Arc;

use base::checksum::{ChecksumHasher, Crc64Hasher};
use base::{ByteCount, Checksum};
use bytes::Bytes;
use md5::{Digest as _, Md5};
use remote::types::ObjectHead;

use crate::digest;
use crate::error::{Error, Result};
use crate::event::Verified;
use crate::file_name::Place;
use crate::landing::{Folders, Landing, Placed};
use crate::transfer::download::Errand;
use crate::transfer::fetch::Fetch;
use crate::verify::{self, Means};

/// What was received: the rest of it in memory, what came before in the landing.
#[derive(Debug)]
pub(crate) struct Receipt {
    head: Option<ObjectHead>,
    means: Means,
    size: ByteCount,
    /// Tries that it took.
    pub(crate) tries: u32,
    writing: Writing,
    rest: Vec<Bytes>,
}

/// What has been written so far, and its digest.
#[derive(Debug, Default)]
struct Writing {
    landing: Option<Landing>,
    written: u64,
    digest: Running,
}

/// The digest that the object will be compared by.
#[derive(Debug, Default)]
enum Running {
    #[default]
    None,
    Crc64(Box<Crc64Hasher>),
    Checksum(Box<ChecksumHasher>),
    Md5(Box<Md5>),
}

impl Running {
    fn of(means: &Means) -> Running {
        match means {
            Means::Crc64(_) => Running::Crc64(Box::default()),
            Means::Checksum(stored) => {
                Running::Checksum(Box::new(ChecksumHasher::new(stored.algorithm)))
            }
            Means::Md5(_) => Running::Md5(Box::default()),
            Means::Composite(_) | Means::MultipartETag(_) | Means::Size => Running::None,
        }
    }

    fn update(&mut self, frames: &[Bytes]) {
        for frame in frames {
            match self {
                Running::None => {}
                Running::Crc64(hasher) => hasher.update(frame),
                Running::Checksum(hasher) => hasher.update(frame),
                Running::Md5(hasher) => hasher.update(frame),
            }
        }
    }
}

/// What is kept from one try to the next.
struct State {
    fetch: Fetch,
    means: Option<Means>,
    writing: Writing,
    rest: Vec<Bytes>,
    rest_bytes: u64,
    tries: u32,
}

/// Receives an object, with at most about `batch` of it in memory.
pub(crate) async fn receive(errand: Errand<'_>, batch: ByteCount) -> Result<Receipt> {
    let context = &errand.scope.context;
    let state = tokio::sync::Mutex::new(State {
        fetch: Fetch::of_all(errand.object.clone()),
        means: None,
        writing: Writing::default(),
        rest: Vec::new(),
        rest_bytes: 0,
        tries: 0,
    });
    base::flow::retry(&context.retry, &context.clock, |tried| {
        let state = &state;
        async move {
            let mut state = state.lock().await;
            state.tries = tried;
            stream(errand, &mut state, batch).await
        }
    })
    .await?;
    let state = state.into_inner();
    let head = state.fetch.head().cloned();
    Ok(Receipt {
        size: head.as_ref().map_or(ByteCount::ZERO, |head| head.size),
        head,
        means: state.means.unwrap_or(Means::Size),
        tries: state.tries,
        writing: state.writing,
        rest: state.rest,
    })
}

async fn stream(errand: Errand<'_>, state: &mut State, batch: ByteCount) -> Result<()> {
    let mut body = state.fetch.ask(errand.scope.source()).await?;
    if state.means.is_none()
        && let Some(head) = state.fetch.head()
    {
        let means = verify::means(head);
        state.writing.digest = Running::of(&means);
        state.means = Some(means);
    }
    loop {
        let room = ByteCount(batch.0.saturating_sub(state.rest_bytes).max(1));
        let gathered = body.gather(room).await;
        state.fetch.took(gathered.bytes);
        errand.scope.moved(gathered.bytes);
        state.rest_bytes += gathered.bytes;
        state.rest.extend(gathered.frames);
        if let Some(error) = gathered.error {
            return Err(error);
        }
        if gathered.ended {
            break;
        }
        flush(errand, state).await?;
    }
    body.drain().await?;
    state.fetch.is_whole()
}

/// Writes what is in memory, to make room.
async fn flush(errand: Errand<'_>, state: &mut State) -> Result<()> {
    let frames = std::mem::take(&mut state.rest);
    state.rest_bytes = 0;
    let mut writing = std::mem::take(&mut state.writing);
    let (folders, place) = (Arc::clone(&errand.scope.folders), errand.place.clone());
    let random = errand.scope.context.clock.random_u64();
    state.writing = base::tasks::blocking(move || {
        writing.digest.update(&frames);
        writing.write(&folders, &place, random, &frames)?;
        Ok::<_, Error>(writing)
    })
    .await?;
    Ok(())
}

impl Writing {
    fn write(
        &mut self,
        folders: &Folders,
        place: &Place,
        random: u64,
        frames: &[Bytes],
    ) -> Result<()> {
        let landing = match &self.landing {
            Some(landing) => landing,
            None => self
                .landing
                .insert(Landing::create(folders, place, random)?),
        };
        landing.write(self.written, frames)?;
        self.written += frames.iter().map(|frame| frame.len() as u64).sum::<u64>();
        Ok(())
    }
}

impl Receipt {
    /// What the store said of the object.
    pub(crate) fn take_head(&mut self) -> ObjectHead {
        self.head.take().unwrap_or_default()
    }

    /// Whether all of it is in memory.
    pub(crate) fn is_at_hand(&self) -> bool {
        self.writing.landing.is_none()
    }

    /// Writes the rest, checks the whole, renames. Blocks.
    pub(crate) fn place(
        mut self,
        what: &str,
        folders: &Folders,
        place: &Place,
        random: u64,
        fsync: bool,
        keep: bool,
    ) -> Result<(Placed, Verified)> {
        self.writing.digest.update(&self.rest);
        let digest = std::mem::take(&mut self.writing.digest);
        // Compared before they are written: wrong bytes of a small object never touch the disk.
        let compared = compare(what, &self.means, digest)?;
        self.writing.write(folders, place, random, &self.rest)?;
        verify::equal_sizes(what, self.size, ByteCount(self.writing.written))?;
        let mut landing = self.writing.landing.take().expect("write makes one");
        let verified = match compared {
            Some(verified) => verified,
            None => match &self.means {
                Means::Composite(stored)
                    if digest::has_composite(landing.file(), self.size, stored)? =>
                {
                    Verified::Checksum(stored.clone())
                }
                Means::MultipartETag(etag)
                    if digest::has_multipart_etag(landing.file(), self.size, etag)? =>
                {
                    Verified::ETag
                }
                _ => Verified::SizeOnly,
            },
        };
        Ok((landing.place(fsync, keep)?, verified))
    }
}

/// Compares what passed with what the store keeps, where there is something to compare.
fn compare(what: &str, means: &Means, digest: Running) -> Result<Option<Verified>> {
    match (means, digest) {
        (Means::Crc64(stored), Running::Crc64(hasher)) => {
            verify::equal_checksums(what, *stored, hasher.finish())?;
            Ok(Some(Verified::Checksum(Checksum::crc64nvme(*stored))))
        }
        (Means::Checksum(stored), Running::Checksum(hasher)) => {
            let actual = hasher.finish().full_object();
            verify::equal_to_stored(what, stored, &actual).map(Some)
        }
        (Means::Md5(stored), Running::Md5(hasher)) => {
            verify::equal_md5(what, *stored, hasher.finalize().into())?;
            Ok(Some(Verified::ETag))
        }
        _ => Ok(None),
    }
}
