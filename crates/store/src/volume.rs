//! One volume: its superblocks, its records, its fence.
//!
//! **Overview.** [`Volume::commit`] writes one batch with all that it rests on; [`Volume::read`]
//! reads pieces of bodies and checks every frame it touches. [`superblocks`] is what is done when
//! a volume is made or opened.
//!
//! **Invariants.** Bytes that were flushed are never written again, but for a superblock at a
//! time. After a failed write or flush nothing more is written or flushed.
//!
//! **Ordering.** New extents are durable before records in them are written, and bytes of large
//! bodies before the batch that names them.
//!
//! **Retries.** None. A volume whose flush failed is fenced until it is opened again, which reads
//! what the disk itself has.
//!
//! **Cancellation.** A commit that has begun is carried out.
//!
//! **Crash.** Anything since the last flush may be lost, kept or torn; `recover` sorts it out.
//!
//! **Limits.** One commit at a time; who calls sees to it.

pub(crate) mod superblocks;

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;

use crate::disk::{Disk, DiskError, DiskFile};
use crate::error::Error;
use crate::format::batch::{Batch, Chain};
use crate::format::extent::ExtentHeader;
use crate::format::record::{Announced, FRAME_BYTES, RecordHeader};
use crate::format::rows::BlockRow;
use crate::format::{Damage, PAGE_LENGTH, Place};
use crate::log::plan::{Identity, Plan};

/// A batch that is ready to be written.
#[derive(Debug)]
pub(crate) struct Sealed {
    /// Extents to make first.
    pub(crate) extents: Vec<ExtentHeader>,
    /// Records to flush before the batch.
    pub(crate) data: Vec<(RecordHeader, Bytes)>,
    /// The batch's own record.
    pub(crate) log_header: RecordHeader,
    /// Its payload.
    pub(crate) payload: Vec<u8>,
    /// What the payload says.
    pub(crate) batch: Batch,
    /// The chain with it.
    pub(crate) chain: Chain,
    /// Where the next one goes.
    pub(crate) plan_after: Plan,
}

/// Why a batch was not committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CommitError {
    /// There is no room; the volume goes on.
    Full,
    /// The volume is fenced.
    Fenced,
}

/// A volume that is open.
#[derive(Debug)]
pub(crate) struct Volume {
    disk: Arc<dyn Disk>,
    identity: Identity,
    /// A write or flush failed.
    fenced: AtomicBool,
}

impl Volume {
    pub(crate) fn new(disk: Arc<dyn Disk>, identity: Identity) -> Volume {
        Volume {
            disk,
            identity,
            fenced: AtomicBool::new(false),
        }
    }

    pub(crate) fn identity(&self) -> Identity {
        self.identity
    }

    /// Whether a flush failed.
    pub(crate) fn is_fenced(&self) -> bool {
        self.fenced.load(Ordering::Acquire)
    }

    /// Writes and flushes nothing more.
    pub(crate) fn fence(&self) {
        self.fenced.store(true, Ordering::Release);
    }

    /// Writes and flushes a batch with all that it rests on.
    ///
    /// # Errors
    /// [`CommitError`]. Fenced, the batch may be durable all the same.
    pub(crate) fn commit(&self, sealed: &Sealed) -> Result<(), CommitError> {
        if self.is_fenced() {
            return Err(CommitError::Fenced);
        }
        self.write_all(sealed).map_err(|error| match error {
            DiskError::Full => CommitError::Full,
            DiskError::Missing(_) | DiskError::Failed(_) => {
                self.fence();
                CommitError::Fenced
            }
        })
    }

    fn write_all(&self, sealed: &Sealed) -> Result<(), DiskError> {
        for header in &sealed.extents {
            let file = DiskFile::Extent(header.extent);
            self.disk.create(file, self.identity.extent_bytes)?;
            self.disk.write(file, 0, &header.encode())?;
            self.disk.flush(file)?;
        }
        let mut files = BTreeSet::new();
        for (header, payload) in &sealed.data {
            let file = DiskFile::Extent(header.extent);
            self.disk
                .write(file, header.offset, &header.encode(payload))?;
            files.insert(file);
        }
        for file in files {
            self.disk.flush(file)?;
        }
        let header = &sealed.log_header;
        let file = DiskFile::Extent(header.extent);
        let record = header.encode(&sealed.payload);
        self.disk.write(file, header.offset, &record)?;
        self.disk.flush(file)
    }

    /// Reads bytes of a record that is acknowledged: `range` within what begins at `place`.
    ///
    /// # Errors
    /// [`Error::Damaged`] or [`Error::Unreadable`].
    pub(crate) fn read(
        &self,
        block: &BlockRow,
        place: Place,
        range: Range<u32>,
    ) -> Result<Bytes, Error> {
        let at = block
            .places
            .iter()
            .find(|at| at.volume == self.identity.volume)
            .ok_or(Error::Row(Damage::Field("a block's places")))?;
        let file = DiskFile::Extent(at.extent);
        let damaged = |damage| Error::Damaged {
            place: self.name(file),
            offset: place.record,
            damage,
        };
        let mut page = [0; PAGE_LENGTH];
        self.fill(file, place.record, &mut page)?;
        let announced = Announced::decode(&page).map_err(damaged)?;
        let header = &announced.header;
        let belongs = header.volume == at.volume
            && header.extent == at.extent
            && header.incarnation == at.incarnation
            && header.block == place.block
            && header.offset == place.record;
        if !belongs {
            return Err(damaged(Damage::Field("the record's place")));
        }
        let too_long = || damaged(Damage::Short);
        let start = place.offset.checked_add(range.start).ok_or_else(too_long)?;
        let end = place.offset.checked_add(range.end).ok_or_else(too_long)?;
        let (start, end) = (start as usize, end as usize);
        if end > announced.payload_length || start > end {
            return Err(too_long());
        }
        let first = start / FRAME_BYTES;
        let frames_start = first * FRAME_BYTES;
        let frames_end = (end.div_ceil(FRAME_BYTES) * FRAME_BYTES).min(announced.payload_length);
        let mut frames = vec![0; frames_end.saturating_sub(frames_start)];
        let offset = place.record + announced.payload_at() + frames_start as u64;
        self.fill(file, offset, &mut frames)?;
        announced.check_frames(first, &frames).map_err(damaged)?;
        Ok(Bytes::from(frames).slice(start - frames_start..end - frames_start))
    }

    fn fill(&self, file: DiskFile, offset: u64, into: &mut [u8]) -> Result<(), Error> {
        self.disk
            .read(file, offset, into)
            .map_err(|error| Error::Unreadable {
                place: self.name(file),
                cause: error.to_string(),
            })
    }

    fn name(&self, file: DiskFile) -> String {
        format!("{}/{file}", self.disk.place())
    }
}
