//! What one part of an object takes while it is under way: bytes of memory and request slots.
//!
//! Overview: one acquisition covers a part, or a small object, from its GET to the answer of its
//! PUT. Ordering: bytes first, then the source's slot, then the destination's (one slot where both
//! sides are one endpoint); it is never widened while held, so that no two holders can wait for
//! each other. Narrowing is free: slots go back once the store has answered while bytes may still
//! wait to be written. Not covered, so that bodies never starve them: listings, HEADs, deletes and
//! the begin and end of an upload; they carry next to no bytes, and are bounded by the objects
//! under way and by `Limits::listings_max`. Cancellation: dropping a waiting acquisition takes
//! nothing.

use std::num::NonZeroUsize;

use base::ByteCount;
use base::flow::{ByteBudget, BytePermit, Lane, LanePermit};
use base::limits::PART_SIZE_MIN;
use base::units::MIB;

use crate::buffers::{Buffer, Buffers};
use crate::plan;

/// What a part that is streamed takes of the budget.
/// Reason: two frames of a file, or a batch of a body, are in memory at once.
pub const STREAMED: ByteCount = ByteCount(MIB);

/// Share of the budget above which a part is streamed.
/// Source: promise 6; with four parts in memory at the least, one that waits does not idle all.
const HELD_SHARE: u64 = 4;

/// Largest part that is held in memory however large the budget is.
/// Reason: a quarter of the smallest budget that is sensible for parts of any size (64 MiB).
const HELD_MAX: ByteCount = ByteCount(16 * MIB);

/// The limits that all transfers of a process share. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Flow {
    memory: ByteBudget,
    buffers: Buffers,
    source: Lane,
    destination: Lane,
}

/// What a part is about to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Need {
    /// Bytes that it holds in memory.
    pub bytes: ByteCount,
    /// Whether it sends a request to the source.
    pub source: bool,
    /// Whether it sends a request to the destination.
    pub destination: bool,
}

/// What a part holds; dropping gives it back.
#[derive(Debug)]
pub struct FlowPermit {
    _bytes: BytePermit,
    source: Option<LanePermit>,
    destination: Option<LanePermit>,
}

impl Need {
    /// A request to the source, and the bytes that its answer takes.
    pub fn from_source(bytes: ByteCount) -> Need {
        Need {
            bytes,
            source: true,
            destination: false,
        }
    }

    /// A request to the destination, and the bytes that it carries.
    pub fn to_destination(bytes: ByteCount) -> Need {
        Need {
            bytes,
            source: false,
            destination: true,
        }
    }
}

impl Flow {
    /// A budget of bytes, and each side's slots: clones of one lane where one endpoint is both.
    pub fn new(memory: ByteBudget, source: Lane, destination: Lane) -> Flow {
        let held_max = held_max(&memory);
        Flow {
            memory,
            buffers: Buffers::new(held_max),
            source,
            destination,
        }
    }

    /// A budget of its own, and one lane for both sides.
    pub fn fixed(memory: ByteCount, requests_max: NonZeroUsize) -> Flow {
        let lane = Lane::new(requests_max);
        Flow::new(ByteBudget::new(memory), lane.clone(), lane)
    }

    /// Waits for all of `need` and takes it.
    pub async fn acquire(&self, need: Need) -> FlowPermit {
        let one_endpoint = self.source.is(&self.destination);
        let bytes = self.memory.acquire(need.bytes).await;
        let source = match need.source {
            true => Some(self.source.acquire().await),
            false => None,
        };
        let destination = match need.destination && !(need.source && one_endpoint) {
            true => Some(self.destination.acquire().await),
            false => None,
        };
        FlowPermit {
            _bytes: bytes,
            source,
            destination,
        }
    }

    /// Largest part that is held in memory; above it, parts are streamed.
    pub fn held_max(&self) -> ByteCount {
        held_max(&self.memory)
    }

    /// Memory for `length` bytes that a permit covers.
    pub(crate) fn buffer(&self, length: usize) -> Buffer {
        self.buffers.take(length)
    }

    /// The part size of what can only be held, since it is read once: `wanted` or the plan's own,
    /// but no more than a share of the budget (and no less than a store takes).
    pub fn part_size(&self, wanted: Option<ByteCount>) -> Option<ByteCount> {
        let most = self.share_max();
        let planned = wanted.unwrap_or(plan::WHOLE_MAX);
        if planned > most { Some(most) } else { wanted }
    }

    /// A share of the budget, in whole MiB, and no less than the smallest part that a store takes.
    pub fn share_max(&self) -> ByteCount {
        let share = self.memory.total().0 / HELD_SHARE / MIB * MIB;
        ByteCount(share).max(PART_SIZE_MIN)
    }

    /// All bytes that there are.
    pub fn memory(&self) -> ByteCount {
        self.memory.total()
    }

    /// The bytes that a part of `length` takes: all of it, or what streaming takes.
    pub fn bytes_of(&self, length: ByteCount) -> ByteCount {
        if length <= self.held_max() {
            length
        } else {
            STREAMED
        }
    }
}

fn held_max(memory: &ByteBudget) -> ByteCount {
    HELD_MAX.min(ByteCount(memory.total().0 / HELD_SHARE))
}

impl FlowPermit {
    /// Gives the request slots back and keeps the bytes: the stores have answered, and what they
    /// sent is still to be written.
    pub fn answered(&mut self) {
        self.source = None;
        self.destination = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(number: usize) -> NonZeroUsize {
        NonZeroUsize::new(number).unwrap()
    }

    fn both() -> Need {
        Need {
            bytes: ByteCount(1),
            source: true,
            destination: true,
        }
    }

    #[tokio::test]
    async fn one_endpoint_gives_one_slot_for_both_sides() {
        let flow = Flow::fixed(ByteCount(MIB), count(1));
        let mut permit = flow.acquire(both()).await;
        assert_eq!(flow.source.in_use(), 1);
        permit.answered();
        assert_eq!(flow.source.in_use(), 0);
        let (source, destination) = (Lane::new(count(1)), Lane::new(count(1)));
        let flow = Flow::new(ByteBudget::new(ByteCount(MIB)), source, destination);
        let _permit = flow.acquire(both()).await;
        assert_eq!((flow.source.in_use(), flow.destination.in_use()), (1, 1));
    }

    #[test]
    fn a_part_above_a_quarter_of_the_budget_is_streamed() {
        let small = Flow::fixed(ByteCount(32 * MIB), count(1));
        assert_eq!(small.bytes_of(ByteCount(8 * MIB)), ByteCount(8 * MIB));
        assert_eq!(small.bytes_of(ByteCount(8 * MIB + 1)), STREAMED);
        assert_eq!(small.part_size(None), Some(ByteCount(8 * MIB)));
        let wanted = Some(ByteCount(6 * MIB));
        assert_eq!(small.part_size(wanted), wanted);
        let least = Flow::fixed(ByteCount(16 * MIB), count(1));
        assert_eq!(least.part_size(wanted), Some(PART_SIZE_MIN));
        let large = Flow::fixed(ByteCount(1 << 40), count(1));
        assert_eq!(large.part_size(None), None);
        assert_eq!(large.bytes_of(ByteCount(16 * MIB + 1)), STREAMED);
    }
}
