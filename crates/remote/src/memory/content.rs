//! An object's bytes: in memory, or made up as they are read.

use std::collections::VecDeque;
use std::sync::{Arc, LazyLock};

use base::Crc64Nvme;
use bytes::Bytes;
use md5::{Digest as _, Md5};

/// The ramp's period. A prime, so that a byte that lands in another part, block or page shows.
const RAMP_PERIOD: u8 = 251;

/// Longest run of ramp handed out in one piece.
const RAMP_RUN_MAX: usize = 1 << 20;

/// Shortest buffer that is worth comparing with the ramp before it is kept.
const RAMP_BYTES_MIN: usize = 4_096;

/// Bytes 0, 1, ... 250, 0, 1, ...: one run of any phase is a slice of it.
static RAMP: LazyLock<Bytes> = LazyLock::new(|| {
    (0..RAMP_PERIOD)
        .cycle()
        .take(RAMP_RUN_MAX + usize::from(RAMP_PERIOD))
        .collect()
});

/// Some bytes. Cloning and slicing copy none.
#[derive(Debug, Clone)]
pub(super) enum Content {
    /// Held in memory.
    Bytes(Bytes),
    /// Byte `i` is `(start + i) % 251`; costs no memory at any length.
    Ramp { start: u8, length: u64 },
    /// One after the other.
    Joined(Arc<[Content]>),
}

impl Content {
    /// Keeps bytes; a ramp among them is recognised, so that copies of made-up objects stay free.
    pub(super) fn from_bytes(bytes: Bytes) -> Content {
        match ramp_start(&bytes) {
            Some(start) => Content::Ramp {
                start,
                length: bytes.len() as u64,
            },
            None => Content::Bytes(bytes),
        }
    }

    /// A ramp that begins at `phase`.
    pub(super) fn ramp(phase: u64, length: u64) -> Content {
        Content::Ramp {
            start: ramp_phase(phase),
            length,
        }
    }

    /// The parts one after the other; ramps that continue each other become one.
    pub(super) fn join(parts: impl IntoIterator<Item = Content>) -> Content {
        let mut joined: Vec<Content> = Vec::new();
        let mut push = |part: Content| match (joined.last_mut(), part) {
            (_, part) if part.length() == 0 => {}
            (
                Some(Content::Ramp { start, length }),
                Content::Ramp {
                    start: next,
                    length: more,
                },
            ) if ramp_phase(u64::from(*start) + *length) == next => *length += more,
            (_, part) => joined.push(part),
        };
        for part in parts {
            match part {
                Content::Joined(inner) => inner.iter().cloned().for_each(&mut push),
                part @ (Content::Bytes(_) | Content::Ramp { .. }) => push(part),
            }
        }
        match joined.len() {
            0 => Content::Bytes(Bytes::new()),
            1 => joined.swap_remove(0),
            _ => Content::Joined(joined.into()),
        }
    }

    /// Number of bytes.
    pub(super) fn length(&self) -> u64 {
        match self {
            Content::Bytes(bytes) => bytes.len() as u64,
            Content::Ramp { length, .. } => *length,
            Content::Joined(parts) => parts.iter().map(Content::length).sum(),
        }
    }

    /// `length` bytes from `offset`, which must lie inside.
    pub(super) fn slice(&self, offset: u64, length: u64) -> Content {
        match self {
            Content::Bytes(bytes) => {
                let index = |at: u64| usize::try_from(at).expect("inside a buffer in memory");
                Content::Bytes(bytes.slice(index(offset)..index(offset + length)))
            }
            Content::Ramp { start, .. } => Content::Ramp {
                start: ramp_phase(u64::from(*start) + offset % u64::from(RAMP_PERIOD)),
                length,
            },
            Content::Joined(parts) => {
                let end = offset + length;
                let mut begin = 0;
                let mut cut = Vec::new();
                for part in parts.iter() {
                    let part_end = begin + part.length();
                    let (from, to) = (offset.max(begin), end.min(part_end));
                    if from < to {
                        cut.push(part.slice(from - begin, to - from));
                    }
                    begin = part_end;
                }
                Content::join(cut)
            }
        }
    }

    /// The bytes in pieces of at most `frame_bytes`.
    pub(super) fn frames(&self, frame_bytes: usize) -> Frames {
        let rest = match self {
            Content::Joined(parts) => parts.iter().cloned().collect(),
            part @ (Content::Bytes(_) | Content::Ramp { .. }) => VecDeque::from([part.clone()]),
        };
        Frames {
            rest,
            frame_bytes: frame_bytes.clamp(1, RAMP_RUN_MAX),
        }
    }

    /// All of it in memory.
    pub(super) fn to_bytes(&self) -> Bytes {
        match self {
            Content::Bytes(bytes) => bytes.clone(),
            other => {
                let mut all = Vec::new();
                other
                    .frames(RAMP_RUN_MAX)
                    .for_each(|frame| all.extend_from_slice(&frame));
                all.into()
            }
        }
    }

    /// MD5 over all bytes.
    pub(super) fn md5(&self) -> [u8; 16] {
        let mut md5 = Md5::new();
        self.frames(RAMP_RUN_MAX)
            .for_each(|frame| md5.update(&frame));
        md5.finalize().into()
    }

    /// CRC-64/NVME over all bytes; a ramp's costs the logarithm of its length.
    pub(super) fn crc64(&self) -> Crc64Nvme {
        match self {
            Content::Bytes(bytes) => Crc64Nvme::of(bytes),
            Content::Ramp { start, length } => ramp_crc64(*start, *length),
            Content::Joined(parts) => parts.iter().fold(Crc64Nvme::EMPTY, |so_far, part| {
                so_far.then(part.crc64(), part.length())
            }),
        }
    }
}

/// What is left of a content, piece by piece.
#[derive(Debug)]
pub(super) struct Frames {
    rest: VecDeque<Content>,
    frame_bytes: usize,
}

impl Iterator for Frames {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let part = self.rest.pop_front()?;
        let length = part.length();
        if length == 0 {
            return self.next();
        }
        let taken = length.min(self.frame_bytes as u64);
        if taken < length {
            self.rest.push_front(part.slice(taken, length - taken));
        }
        Some(match part.slice(0, taken) {
            Content::Bytes(bytes) => bytes,
            Content::Ramp { start, .. } => {
                let start = usize::from(start);
                let taken = usize::try_from(taken).expect("a frame fits in memory");
                RAMP.slice(start..start + taken)
            }
            Content::Joined(_) => unreachable!("frames() has taken joined contents apart"),
        })
    }
}

fn ramp_phase(position: u64) -> u8 {
    u8::try_from(position % u64::from(RAMP_PERIOD)).expect("below the period")
}

fn ramp_start(bytes: &[u8]) -> Option<u8> {
    let start = *bytes.first()?;
    if bytes.len() < RAMP_BYTES_MIN || start >= RAMP_PERIOD {
        return None;
    }
    let whole_runs = RAMP_RUN_MAX - RAMP_RUN_MAX % usize::from(RAMP_PERIOD);
    let from = usize::from(start);
    bytes
        .chunks(whole_runs)
        .all(|chunk| chunk == &RAMP[from..from + chunk.len()])
        .then_some(start)
}

fn ramp_crc64(start: u8, length: u64) -> Crc64Nvme {
    let period = u64::from(RAMP_PERIOD);
    let from = usize::from(start);
    let tail_bytes = usize::from(ramp_phase(length));
    let tail = Crc64Nvme::of(&RAMP[from..from + tail_bytes]);
    let mut block = Crc64Nvme::of(&RAMP[from..from + usize::from(RAMP_PERIOD)]);
    let mut block_bytes = period;
    let mut blocks = length / period;
    let mut crc64 = Crc64Nvme::EMPTY;
    while blocks > 0 {
        if blocks & 1 == 1 {
            crc64 = crc64.then(block, block_bytes);
        }
        blocks >>= 1;
        if blocks > 0 {
            block = block.then(block, block_bytes);
            block_bytes *= 2;
        }
    }
    crc64.then(tail, tail_bytes as u64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert_eq, proptest};

    use super::*;

    #[test]
    fn a_huge_ramp_costs_nothing_and_a_copy_of_it_is_recognised() {
        let huge = Content::ramp(7, 50_000_000_000_000);
        let part = huge.slice(49_999_999_999_000, 1_000);
        assert_eq!(part.length(), 1_000);
        assert_ne!(huge.crc64(), Crc64Nvme::EMPTY);
        let bytes = Content::ramp(9, 3_000_000).to_bytes();
        assert!(matches!(
            Content::from_bytes(bytes),
            Content::Ramp {
                start: 9,
                length: 3_000_000
            }
        ));
    }

    proptest! {
        #[test]
        fn slices_joins_and_checksums_agree_with_the_plain_bytes(
            phase in 0_u64..600, count in 0_usize..9_000, cut in 0_usize..9_000, frame in 1_usize..3_000,
        ) {
            let length = count as u64;
            let ramp = Content::ramp(phase, length);
            let plain: Vec<u8> = (0..length)
                .map(|i| ramp_phase(phase + i))
                .collect();
            prop_assert_eq!(ramp.crc64(), Crc64Nvme::of(&plain));
            let framed: Vec<u8> = ramp.frames(frame).flatten().collect();
            prop_assert_eq!(&framed, &plain);

            let cut = cut.min(count);
            let head = Content::Bytes(Bytes::copy_from_slice(&plain[..cut]));
            let tail = ramp.slice(cut as u64, (count - cut) as u64);
            let joined = Content::join([head, tail]);
            prop_assert_eq!(joined.to_bytes(), Bytes::from(plain.clone()));
            prop_assert_eq!(joined.crc64(), Crc64Nvme::of(&plain));
            let range = cut / 2..count - (count - cut) / 2;
            let middle = joined.slice(range.start as u64, range.len() as u64);
            prop_assert_eq!(middle.to_bytes(), Bytes::copy_from_slice(&plain[range]));
        }
    }
}
