//! What a volume holds, found out from its own bytes.
//!
//! **Overview.** [`recover`] reads the log from its beginning, applies every batch to a view, and
//! says where the log goes on.
//!
//! **Invariants.** Nothing is written here. What was acknowledged is either found or reported as
//! damaged; it is never cut off.
//!
//! **Ordering.** Extents of the log in the order of their first records, records without a gap.
//!
//! **Retries.** None: a disk that fails to read fails the start.
//!
//! **Crash.** It may be repeated as often as one likes.
//!
//! **Limits.** Memory for one record beside the view. The log is read whole: checkpoints are not
//! there yet.

use std::collections::BTreeMap;

use crate::disk::{Disk, DiskError, DiskFile};
use crate::error::StartError;
use crate::format::batch::{Batch, Chain};
use crate::format::extent::{EXTENT_HEADER_BYTES, ExtentHeader, ExtentKind};
use crate::format::keys::{self, Keyspace};
use crate::format::record::Announced;
use crate::format::rows::{BlockRow, BlockState, Row as _};
use crate::format::superblock::Superblock;
use crate::format::{
    BlockId, Damage, ExtentNumber, Incarnation, OpenCount, PAGE_BYTES, PAGE_LENGTH, Sequence,
    VolumeId,
};
use crate::log::plan::{Plan, Tail};
use crate::log::sequencer::Recovered;
use crate::namespace::View;

/// What a volume holds.
#[derive(Debug)]
pub(crate) struct Found<V> {
    pub(crate) recovered: Recovered<V>,
    /// Extents of the log that hold records which may not have been flushed.
    pub(crate) to_flush: Vec<DiskFile>,
}

/// Reads a volume.
///
/// # Errors
/// [`StartError::Damaged`] and [`StartError::OldSuperblocks`] when acknowledged bytes are not
/// there, [`StartError::Disk`].
pub(crate) fn recover<V: View>(
    disk: &dyn Disk,
    superblock: &Superblock,
    view: V,
) -> Result<Found<V>, StartError> {
    let extents = Extents::read(disk, superblock)?;
    let mut walk = Walk {
        disk,
        superblock,
        mark: extents.mark.max(superblock.durable_mark),
        sequence: Sequence(1),
        open_count: OpenCount(0),
        number: 0,
        chain: Chain::START,
        view,
        tail: None,
        end: None,
        to_flush: Vec::new(),
    };
    let mut next = extents.log.get(&walk.sequence);
    while let Some(header) = next {
        let before = walk.sequence;
        walk.read_extent(header)?;
        // An extent without one record is where the log ends, or was never used.
        next = if walk.sequence == before {
            None
        } else {
            extents.log.get(&walk.sequence)
        };
    }
    for header in extents.log.values() {
        walk.scan_for_marks(header)?;
    }
    walk.check_end(&extents)?;
    let plan = walk.plan(&extents)?;
    Ok(Found {
        to_flush: walk.to_flush,
        recovered: Recovered {
            view: walk.view,
            plan,
            number: walk.number,
            chain: walk.chain,
        },
    })
}

/// The extents of a volume by what their headers say.
#[derive(Debug)]
struct Extents {
    /// Of the log, by their first record. Of two with the same, the newer one: the older was made
    /// for a batch that came to nothing.
    log: BTreeMap<Sequence, ExtentHeader>,
    /// All files, with the incarnation that their header tells.
    files: BTreeMap<ExtentNumber, Incarnation>,
    /// The greatest mark in any header.
    mark: Sequence,
}

impl Extents {
    fn read(disk: &dyn Disk, superblock: &Superblock) -> Result<Extents, StartError> {
        let failed = |cause| StartError::Disk {
            place: disk.place(),
            cause,
        };
        let mut extents = Extents {
            log: BTreeMap::new(),
            files: BTreeMap::new(),
            mark: Sequence(0),
        };
        for file in disk.files().map_err(failed)? {
            let DiskFile::Extent(number) = file else {
                continue;
            };
            let mut page = vec![0; EXTENT_HEADER_BYTES];
            disk.read_stored(file, 0, &mut page).map_err(failed)?;
            let header = match ExtentHeader::decode(&page) {
                Ok(header) => header,
                Err(Damage::Newer { found }) => {
                    return Err(StartError::Newer {
                        place: format!("{}/{file}", disk.place()),
                        found,
                    });
                }
                // Made, and never used: its header is flushed before its first record is written.
                Err(damage) => {
                    if let Some(found) = used_without_header(disk, superblock, number)? {
                        return Err(StartError::Damaged {
                            place: format!("{}/{file}", disk.place()),
                            offset: 0,
                            sequence: found,
                            mark: superblock.durable_mark,
                            damage,
                        });
                    }
                    extents.files.insert(number, Incarnation(0));
                    continue;
                }
            };
            let ours = header.store == superblock.store
                && header.volume == superblock.volume
                && header.extent == number;
            extents.files.insert(number, header.incarnation);
            if !ours {
                continue;
            }
            extents.mark = extents.mark.max(header.durable_mark);
            if header.kind == ExtentKind::Log {
                let first = header.first_sequence;
                let newer = extents
                    .log
                    .get(&first)
                    .is_none_or(|other| other.open_count < header.open_count);
                if newer {
                    extents.log.insert(first, header);
                }
            }
        }
        Ok(extents)
    }
}

/// The sequence of a record in an extent whose header is damaged, if it holds one.
fn used_without_header(
    disk: &dyn Disk,
    superblock: &Superblock,
    number: ExtentNumber,
) -> Result<Option<Sequence>, StartError> {
    let mut page = [0; PAGE_LENGTH];
    for index in 1..u64::from(superblock.extent_pages) {
        let offset = index * PAGE_BYTES;
        match disk.read_stored(DiskFile::Extent(number), offset, &mut page) {
            Ok(()) => {}
            Err(cause) => {
                return Err(StartError::Disk {
                    place: disk.place(),
                    cause,
                });
            }
        }
        if let Ok(announced) = Announced::decode(&page) {
            let header = announced.header;
            let belongs = header.volume == superblock.volume
                && header.extent == number
                && header.offset == offset;
            if belongs {
                return Ok(Some(header.sequence));
            }
        }
    }
    Ok(None)
}

/// A walk along the log.
struct Walk<'a, V> {
    disk: &'a dyn Disk,
    superblock: &'a Superblock,
    /// The greatest mark found so far.
    mark: Sequence,
    /// Of the next record.
    sequence: Sequence,
    /// Of the last record.
    open_count: OpenCount,
    /// Of the last batch.
    number: u64,
    chain: Chain,
    view: V,
    /// Behind the last record.
    tail: Option<Tail>,
    /// Where the log ended, and why.
    end: Option<(ExtentNumber, u64, Damage)>,
    to_flush: Vec<DiskFile>,
}

impl<V: View> Walk<'_, V> {
    fn failed(&self, cause: DiskError) -> StartError {
        StartError::Disk {
            place: self.disk.place(),
            cause,
        }
    }

    fn extent_bytes(&self) -> u64 {
        u64::from(self.superblock.extent_pages) * PAGE_BYTES
    }

    /// Takes the records of an extent, as far as they go on from what was read.
    fn read_extent(&mut self, extent: &ExtentHeader) -> Result<(), StartError> {
        let file = DiskFile::Extent(extent.extent);
        let mut offset = EXTENT_HEADER_BYTES as u64;
        let mut unflushed = false;
        loop {
            match self.read_record(extent, offset)? {
                Ok(bytes) => {
                    offset += bytes;
                    unflushed |= self.sequence > self.superblock.durable_mark;
                    self.tail = Some(Tail {
                        block: extent.block,
                        extent: extent.extent,
                        incarnation: extent.incarnation,
                        offset,
                    });
                }
                Err(damage) => {
                    self.end = Some((extent.extent, offset, damage));
                    break;
                }
            }
        }
        if unflushed {
            self.to_flush.push(file);
        }
        Ok(())
    }

    /// Takes the record at `offset` if it is the next one; answers the bytes it takes.
    fn read_record(
        &mut self,
        extent: &ExtentHeader,
        offset: u64,
    ) -> Result<Result<u64, Damage>, StartError> {
        let announced = match self.announced(extent, offset)? {
            Ok(announced) => announced,
            Err(damage) => return Ok(Err(damage)),
        };
        let header = &announced.header;
        if header.sequence != self.sequence {
            return Ok(Err(Damage::Field("the sequence")));
        }
        if header.open_count > self.superblock.open_count {
            return Err(StartError::OldSuperblocks {
                place: self.disk.place(),
            });
        }
        let is_stale = header.open_count < self.open_count
            || header.open_count < self.superblock.open_count
                && header.sequence >= self.superblock.cut;
        if is_stale {
            return Ok(Err(Damage::Field("the open count")));
        }
        let length = announced.record_bytes();
        if offset + length > self.extent_bytes() {
            return Ok(Err(Damage::Short));
        }
        let mut record = vec![0; usize::try_from(length).expect("records are at most 16 MiB")];
        let file = DiskFile::Extent(extent.extent);
        self.disk
            .read_stored(file, offset, &mut record)
            .map_err(|cause| self.failed(cause))?;
        let start = usize::try_from(announced.payload_at()).expect("a header is a page at most");
        let payload = &record[start..start + announced.payload_length];
        if let Err(damage) = announced.check_frames(0, payload) {
            return Ok(Err(damage));
        }
        if let Err(damage) = self.apply(payload) {
            // The record is whole, so this is no torn write: it is not the log that was written.
            return Err(self.damaged(extent.extent, offset, damage));
        }
        self.mark = self.mark.max(header.durable_mark);
        self.open_count = header.open_count;
        self.sequence = self.sequence.next();
        Ok(Ok(length))
    }

    /// A record's header, when it belongs where it is.
    fn announced(
        &self,
        extent: &ExtentHeader,
        offset: u64,
    ) -> Result<Result<Announced, Damage>, StartError> {
        if offset + PAGE_BYTES > self.extent_bytes() {
            return Ok(Err(Damage::Short));
        }
        let mut page = [0; PAGE_LENGTH];
        self.disk
            .read_stored(DiskFile::Extent(extent.extent), offset, &mut page)
            .map_err(|cause| self.failed(cause))?;
        Ok(Announced::decode(&page).and_then(|announced| {
            let header = &announced.header;
            let belongs = header.kind == ExtentKind::Log
                && header.volume == extent.volume
                && header.extent == extent.extent
                && header.incarnation == extent.incarnation
                && header.block == extent.block
                && header.offset == offset;
            if belongs {
                Ok(announced)
            } else {
                Err(Damage::Field("the record's place"))
            }
        }))
    }

    fn apply(&mut self, payload: &[u8]) -> Result<(), Damage> {
        let (batch, chain) = Batch::decode(payload)?;
        if batch.number != self.number + 1 {
            return Err(Damage::Field("the number"));
        }
        if batch.previous != self.chain {
            return Err(Damage::Field("the chain"));
        }
        self.view.apply(batch.number, &batch.changes);
        if self.view.applied().1 != batch.contents {
            return Err(Damage::Field("the sum of all rows"));
        }
        self.number = batch.number;
        self.chain = chain;
        Ok(())
    }

    /// Looks at every page of an extent for records that say how far the log was flushed.
    fn scan_for_marks(&mut self, extent: &ExtentHeader) -> Result<(), StartError> {
        // What the walk has read needs no second look.
        let mut offset = match self.tail {
            Some(tail) if tail.extent == extent.extent => tail.offset,
            Some(_) if extent.first_sequence < self.sequence => return Ok(()),
            Some(_) | None => EXTENT_HEADER_BYTES as u64,
        };
        while offset + PAGE_BYTES <= self.extent_bytes() {
            if let Ok(announced) = self.announced(extent, offset)? {
                self.mark = self.mark.max(announced.header.durable_mark);
            }
            offset += PAGE_BYTES;
        }
        Ok(())
    }

    /// Refuses a log that ends before what was flushed.
    fn check_end(&self, extents: &Extents) -> Result<(), StartError> {
        if self.sequence >= self.mark {
            return Ok(());
        }
        let (extent, offset, damage) = match &self.end {
            Some((extent, offset, damage)) => (*extent, *offset, damage.clone()),
            None => {
                let first = extents.files.keys().next().copied();
                (first.unwrap_or_default(), 0, Damage::Magic)
            }
        };
        Err(self.damaged(extent, offset, damage))
    }

    fn damaged(&self, extent: ExtentNumber, offset: u64, damage: Damage) -> StartError {
        StartError::Damaged {
            place: format!("{}/{}", self.disk.place(), DiskFile::Extent(extent)),
            offset,
            sequence: self.sequence,
            mark: self.mark,
            damage,
        }
    }

    /// Where bytes go from here.
    fn plan(&self, extents: &Extents) -> Result<Plan, StartError> {
        let mut next_block = BlockId(1);
        let mut data = None;
        let mut used = BTreeMap::new();
        let mut wrong = None;
        self.view
            .scan(Keyspace::Blocks, &[], &mut |key, value| match (
                keys::block_id(key),
                BlockRow::decode(value),
            ) {
                (Ok(block), Ok(row)) => {
                    next_block = next_block.max(block.next());
                    let tail = tail_of(block, &row, self.superblock.volume);
                    if let Some(tail) = tail {
                        used.insert(tail.extent, tail.incarnation);
                        if row.kind == ExtentKind::Data && row.state == BlockState::Open {
                            data = Some(tail);
                        }
                    }
                    std::ops::ControlFlow::Continue(())
                }
                (Err(damage), _) | (_, Err(damage)) => {
                    wrong = Some(damage);
                    std::ops::ControlFlow::Break(())
                }
            });
        if let Some(damage) = wrong {
            return Err(self.damaged(ExtentNumber(0), 0, damage));
        }
        let spare: Vec<(ExtentNumber, Incarnation)> = extents
            .files
            .iter()
            .filter(|(number, _)| !used.contains_key(number))
            .map(|(number, incarnation)| (*number, *incarnation))
            .collect();
        let room = self.disk.room().map_err(|cause| self.failed(cause))?;
        let room = room / self.extent_bytes() + spare.len() as u64;
        let last = extents.files.keys().next_back();
        Ok(Plan {
            log: self.tail,
            log_sequence: self.sequence,
            data,
            next_block,
            next_extent: last.map_or(ExtentNumber(0), |last| last.next()),
            reserve: Plan::reserve_of(room + used.len() as u64),
            spare,
            room,
        })
    }
}

/// Where a block goes on in this volume.
fn tail_of(block: BlockId, row: &BlockRow, volume: VolumeId) -> Option<Tail> {
    let place = row.places.iter().find(|place| place.volume == volume)?;
    Some(Tail {
        block,
        extent: place.extent,
        incarnation: place.incarnation,
        offset: row.length,
    })
}
