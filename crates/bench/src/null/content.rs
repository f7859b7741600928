//! The bytes of synthetic objects, with what is known about them.

use std::collections::HashMap;
use std::ops::Range;

use base::checksum::{Crc64Hasher, Crc64Nvme};
use bytes::Bytes;
use md5::{Digest as _, Md5};

use super::options::ETags;

/// The bytes repeat after this many, a prime: no boundary of parts or frames divides by it, so
/// that a misplaced piece shows itself.
const PERIOD: u64 = 251;

/// Most bytes handed out at once. Large enough that a system call moves much, small enough to stay
/// in the processor's cache: a guess.
const SLICE_BYTES_MAX: usize = 256 * 1024;

/// Bytes of the shared buffer: a slice may begin anywhere in a period.
const BUFFER_BYTES: usize = SLICE_BYTES_MAX + 251;

/// What every object of one size has.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    /// Without quotes.
    pub(super) etag: String,
    pub(super) crc64: Crc64Nvme,
}

/// Makes up objects. All of one size are equal.
#[derive(Debug)]
pub(super) struct Content {
    buffer: Bytes,
    etags: ETags,
    /// By size, each computed once.
    known: HashMap<u64, Facts>,
}

impl Content {
    pub(super) fn new(etags: ETags) -> Content {
        let ramp = (0..PERIOD).map(|place| u8::try_from(place).expect("the period is below 256"));
        Content {
            buffer: ramp.cycle().take(BUFFER_BYTES).collect(),
            etags,
            known: HashMap::new(),
        }
    }

    /// What an object of this size has. The first time its bytes are read whole.
    pub(super) fn facts(&mut self, size: u64) -> Facts {
        if let Some(facts) = self.known.get(&size) {
            return facts.clone();
        }
        let facts = Facts {
            etag: match self.etags {
                ETags::Opaque => format!("opaque-{size}"),
                ETags::Md5 => self.md5(size),
            },
            crc64: self.crc64(0..size),
        };
        self.known.insert(size, facts.clone());
        facts
    }

    /// The checksum of a range.
    pub(super) fn crc64(&self, range: Range<u64>) -> Crc64Nvme {
        let mut hasher = Crc64Hasher::new();
        for slice in self.slices(range) {
            hasher.update(&slice);
        }
        hasher.finish()
    }

    fn md5(&self, size: u64) -> String {
        let mut hasher = Md5::new();
        for slice in self.slices(0..size) {
            hasher.update(&slice);
        }
        hex::encode(hasher.finalize())
    }

    /// The bytes of a range, in pieces that share one buffer.
    pub(super) fn slices(&self, range: Range<u64>) -> Slices {
        Slices {
            buffer: self.buffer.clone(),
            range,
        }
    }
}

/// The bytes of a range, piece by piece.
#[derive(Debug, Clone)]
pub(super) struct Slices {
    buffer: Bytes,
    range: Range<u64>,
}

impl Iterator for Slices {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let left = self.range.end.saturating_sub(self.range.start);
        if left == 0 {
            return None;
        }
        let first = usize::try_from(self.range.start % PERIOD).expect("below the period");
        let length =
            usize::try_from(left).map_or(SLICE_BYTES_MAX, |left| left.min(SLICE_BYTES_MAX));
        self.range.start += length as u64;
        Some(self.buffer.slice(first..first + length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(range: Range<u64>) -> Vec<u8> {
        range
            .map(|place| u8::try_from(place % PERIOD).unwrap())
            .collect()
    }

    #[test]
    fn every_range_is_a_piece_of_the_whole() {
        let content = Content::new(ETags::Opaque);
        for range in [0..0, 0..1, 250..252, 7..300_000, 262_100..800_003] {
            let given: Vec<u8> = content.slices(range.clone()).flatten().collect();
            assert!(given == bytes(range.clone()), "{range:?}");
            assert_eq!(content.crc64(range), Crc64Nvme::of(&given));
        }
    }

    #[test]
    fn etags_are_what_was_asked_for() {
        let mut content = Content::new(ETags::Md5);
        let md5 = hex::encode(Md5::digest(bytes(0..1_000)));
        assert_eq!(content.facts(1_000).etag, md5);
        assert_eq!(Content::new(ETags::Opaque).facts(5).etag, "opaque-5");
    }
}
