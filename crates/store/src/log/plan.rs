//! Where the next bytes go: decided ahead, so that rows can name places that are not written yet.

use crate::format::record::record_bytes;
use crate::format::{
    BlockId, ExtentNumber, Incarnation, OpenCount, PAGE_BYTES, Sequence, StoreId, VolumeId,
};

/// Least number of extents held back for deletes.
const RESERVE_EXTENTS_MIN: u64 = 4;

/// One extent of so many is held back for deletes: 2 %.
const RESERVE_SHARE: u64 = 50;

/// What all records of one opening of a volume have in common.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Identity {
    pub(crate) store: StoreId,
    pub(crate) volume: VolumeId,
    pub(crate) open_count: OpenCount,
    pub(crate) set_epoch: u64,
    pub(crate) extent_bytes: u64,
}

/// The end of a block that takes more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tail {
    pub(crate) block: BlockId,
    pub(crate) extent: ExtentNumber,
    pub(crate) incarnation: Incarnation,
    /// Where the next record begins, in bytes.
    pub(crate) offset: u64,
}

impl Tail {
    /// Bytes left in an extent of that size.
    pub(crate) fn left(&self, extent_bytes: u64) -> u64 {
        extent_bytes.saturating_sub(self.offset)
    }

    /// The sequence of a record of a data block that begins here.
    pub(crate) fn page(&self) -> Sequence {
        Sequence(self.offset / PAGE_BYTES)
    }

    /// Steps over a record; answers where it begins.
    pub(crate) fn advance(&mut self, payload_length: usize) -> u64 {
        let offset = self.offset;
        self.offset += record_bytes(payload_length);
        offset
    }
}

/// Whether an operation makes the store smaller in the end, and so may use what is held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// It keeps more than before.
    Growth,
    /// It gives room back.
    Release,
}

/// Where the next bytes go.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// The end of the log, once it has an extent.
    pub(crate) log: Option<Tail>,
    /// Sequence of the log's next record.
    pub(crate) log_sequence: Sequence,
    /// The end of the open data block, if there is one.
    pub(crate) data: Option<Tail>,
    /// Id of the next block.
    pub(crate) next_block: BlockId,
    /// Extents whose files are there and hold nothing that counts.
    pub(crate) spare: Vec<(ExtentNumber, Incarnation)>,
    /// Number of the next new extent.
    pub(crate) next_extent: ExtentNumber,
    /// How many extents can still be made, the spare ones counted.
    pub(crate) room: u64,
    /// How many of them are held back.
    pub(crate) reserve: u64,
}

impl Plan {
    /// How many extents are held back on a volume for so many.
    pub(crate) fn reserve_of(extents: u64) -> u64 {
        RESERVE_EXTENTS_MIN.max(extents / RESERVE_SHARE)
    }

    /// Whether what is held back is in use.
    pub(crate) fn is_at_reserve(&self) -> bool {
        self.room < self.reserve
    }

    /// A new block in a new extent, its tail behind the header.
    pub(crate) fn open_block(&mut self, need: Need, header_bytes: u64) -> Option<Tail> {
        let held_back = match need {
            Need::Growth => self.reserve,
            Need::Release => 0,
        };
        if self.room <= held_back {
            return None;
        }
        self.room -= 1;
        let (extent, incarnation) = match self.spare.pop() {
            Some((extent, incarnation)) => (extent, incarnation.next()),
            None => {
                let extent = self.next_extent;
                self.next_extent = extent.next();
                (extent, Incarnation(1))
            }
        };
        let block = self.next_block;
        self.next_block = block.next();
        Some(Tail {
            block,
            extent,
            incarnation,
            offset: header_bytes,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_back_is_for_deletes() {
        let mut plan = Plan {
            log: None,
            log_sequence: Sequence(1),
            data: None,
            next_block: BlockId(1),
            spare: vec![(ExtentNumber(3), Incarnation(2))],
            next_extent: ExtentNumber(4),
            room: Plan::reserve_of(6) + 1,
            reserve: Plan::reserve_of(6),
        };
        let tail = plan.open_block(Need::Growth, PAGE_BYTES).unwrap();
        assert_eq!(
            (tail.extent, tail.incarnation),
            (ExtentNumber(3), Incarnation(3))
        );
        assert!(!plan.is_at_reserve());
        assert_eq!(plan.open_block(Need::Growth, PAGE_BYTES), None);
        for _ in 0..Plan::reserve_of(6) {
            assert!(plan.open_block(Need::Release, PAGE_BYTES).is_some());
            assert!(plan.is_at_reserve());
        }
        assert_eq!(plan.open_block(Need::Release, PAGE_BYTES), None);
        assert_eq!(Plan::reserve_of(1000), 20);
    }
}
