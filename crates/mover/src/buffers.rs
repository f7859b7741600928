//! Memory for parts that are held, used again from part to part.
//!
//! A part of some MiB is memory that the system maps page by page and takes back when the part is
//! done: about a fifth of what an upload over plain HTTP costs. Here the last few stay mapped.
//! Limits: what lies idle is bounded; what is in use counts in the budget of whoever took it.

use std::sync::Arc;

use base::ByteCount;
use bytes::Bytes;
use parking_lot::Mutex;

/// Below, the allocator keeps memory mapped by itself.
const KEPT_MIN: usize = 256 * 1024;

/// Buffers are made in steps of this size, so that parts of nearly one size share them.
const STEP: usize = 512 * 1024;

/// Buffers that lie idle. Cheap to clone; clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Buffers(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    idle_max: usize,
    /// The one used last stands last: its pages are warm.
    idle: Mutex<Vec<Vec<u8>>>,
}

/// A buffer in use. It goes back to those that lie idle when the last of its bytes is dropped.
#[derive(Debug)]
pub(crate) struct Buffer {
    /// Longer than what was asked for, and never shortened: all of it is initialised.
    bytes: Vec<u8>,
    length: usize,
    home: Buffers,
}

impl Buffers {
    /// Keeps up to `idle_max` bytes while nobody uses them.
    pub(crate) fn new(idle_max: ByteCount) -> Buffers {
        Buffers(Arc::new(Shared {
            idle_max: idle_max.as_usize().unwrap_or(usize::MAX),
            idle: Mutex::default(),
        }))
    }

    /// A buffer of `length` bytes, whatever they are.
    pub(crate) fn take(&self, length: usize) -> Buffer {
        let kept = if length < KEPT_MIN {
            None
        } else {
            let mut idle = self.0.idle.lock();
            // One of another size would hold more memory than was counted for the part.
            let fitting = idle
                .iter()
                .rposition(|bytes| bytes.len() >= length && bytes.len() - length <= STEP);
            fitting.map(|index| idle.remove(index))
        };
        let fresh = || match length < KEPT_MIN {
            true => vec![0; length],
            false => vec![0; length.next_multiple_of(STEP)],
        };
        Buffer {
            bytes: kept.unwrap_or_else(fresh),
            length,
            home: self.clone(),
        }
    }

    fn give_back(&self, bytes: Vec<u8>) {
        if bytes.len() < KEPT_MIN || bytes.len() > self.0.idle_max {
            return;
        }
        let mut idle = self.0.idle.lock();
        idle.push(bytes);
        let mut sum: usize = idle.iter().map(Vec::len).sum();
        // The oldest go: theirs is the size that is no longer asked for.
        while sum > self.0.idle_max {
            sum -= idle.remove(0).len();
        }
    }
}

impl Buffer {
    /// The bytes, to be written over.
    pub(crate) fn space(&mut self) -> &mut [u8] {
        &mut self.bytes[..self.length]
    }

    /// The bytes as they are now, for good.
    pub(crate) fn freeze(self) -> Bytes {
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.home.give_back(std::mem::take(&mut self.bytes));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

    use super::*;

    proptest! {
        #[test]
        fn bytes_in_use_are_nobody_else_s_and_idle_ones_bounded(
            steps in proptest::collection::vec((0..6_usize, 0..3_000_000_usize), 1..40)
        ) {
            let buffers = Buffers::new(ByteCount(4 << 20));
            let mut held: Vec<(u8, Bytes)> = Vec::new();
            for (step, (keep, length)) in steps.into_iter().enumerate() {
                let mark = u8::try_from(step).unwrap();
                let mut buffer = buffers.take(length);
                buffer.space().fill(mark);
                held.push((mark, buffer.freeze()));
                prop_assert_eq!(held.last().unwrap().1.len(), length);
                while held.len() > keep {
                    let (mark, bytes) = held.remove(0);
                    prop_assert!(bytes.iter().step_by(4_093).all(|byte| *byte == mark));
                }
                let idle = buffers.0.idle.lock();
                prop_assert!(idle.iter().map(Vec::len).sum::<usize>() <= 4 << 20);
            }
        }
    }

    #[test]
    fn the_next_part_of_a_size_uses_the_memory_of_the_last() {
        let buffers = Buffers::new(ByteCount(8 << 20));
        let first = buffers.take(6_260_000).freeze();
        let place = first.as_ptr();
        drop(first.slice(5..9));
        assert!(buffers.0.idle.lock().is_empty());
        drop(first);
        assert_eq!(buffers.take(6_270_000).freeze().as_ptr(), place);
    }
}
