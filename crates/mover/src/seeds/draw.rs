//! What a seed draws.

use base::Clock;
use bytes::Bytes;
use jiff::Timestamp;

/// The day on which every world begins.
pub(super) const DAY: i64 = 1_790_000_000;

/// Draws, the same for the same seed.
#[derive(Debug)]
pub(super) struct Draw(Clock);

impl Draw {
    pub(super) fn new(seed: u64) -> Draw {
        let start = Timestamp::from_second(DAY).expect("a day of this century");
        Draw(Clock::seeded(start, seed))
    }

    pub(super) fn clock(&self) -> Clock {
        self.0.clone()
    }

    pub(super) fn below(&self, end: u64) -> u64 {
        self.0.random_u64() % end
    }

    pub(super) fn one_in(&self, count: u64) -> bool {
        self.below(count) == 0
    }

    pub(super) fn pick<T: Copy>(&self, from: &[T]) -> T {
        let index = self.below(from.len() as u64);
        from[usize::try_from(index).expect("inside a slice")]
    }

    /// A time near the beginning of the world, before or after it.
    pub(super) fn time(&self) -> Timestamp {
        let second = DAY - 500 + i64::try_from(self.below(1_000)).expect("small");
        Timestamp::from_second(second).expect("a day of this century")
    }

    /// Bytes that nothing else has.
    pub(super) fn content(&self, size: u64) -> Bytes {
        let size = usize::try_from(size).expect("small");
        let mark = self.0.random_u64().to_le_bytes();
        let mut bytes = mark.repeat(size.div_ceil(mark.len()));
        bytes.truncate(size);
        bytes.into()
    }
}
