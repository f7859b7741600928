//! What the partner's store is filled with.

use base::ByteCount;
use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

/// Number of mp3s.
pub(super) const MP3_COUNT: usize = 100;
/// Their mean size: 6.26 MB, as measured over a label's ten million.
pub(super) const MP3_BYTES_MEAN: u64 = 6_260_000;
/// Number of small files.
pub(super) const SMALL_COUNT: usize = 3_000;
/// The key of the object that needs parts.
pub(super) const LARGE_KEY: &str = "delivery/booklet.tar";
/// Its size.
pub(super) const LARGE_BYTES: u64 = 96 << 20;

/// Keys that careless tools lose or mangle, and that a disk can hold.
const AWKWARD_ON_DISK: [&str; 7] = [
    "awkward/two  spaces and + and %2B",
    "awkward/quote'quote\"quote",
    "awkward/emoji \u{1f3b5}.mp3",
    "awkward/한국어/노래.mp3",
    "awkward/a&b=c;d?e#f",
    "awkward/-starts-with-a-dash",
    "awkward/line\nbreak",
];

/// Keys that S3 keeps and no disk can: they must be refused by name, never skipped in silence.
pub(super) const IMPOSSIBLE_ON_DISK: [&str; 2] = ["awkward//empty part", "awkward/../climbs out"];

/// All awkward keys.
pub(super) const AWKWARD_KEYS: [&str; AWKWARD_ON_DISK.len() + IMPOSSIBLE_ON_DISK.len()] = {
    let mut all = [""; AWKWARD_ON_DISK.len() + IMPOSSIBLE_ON_DISK.len()];
    let mut index = 0;
    while index < all.len() {
        all[index] = if index < AWKWARD_ON_DISK.len() {
            AWKWARD_ON_DISK[index]
        } else {
            IMPOSSIBLE_ON_DISK[index - AWKWARD_ON_DISK.len()]
        };
        index += 1;
    }
    all
};

/// One random block serves all objects, so that 700 MB of goods cost a few MB of memory.
const BLOCK_BYTES: usize = 16 << 20;

/// The beginning of an mp3 with an ID3v2.4 tag.
const MP3_HEAD: &[u8] = b"ID3\x04\x00\x00\x00\x00\x00\x00";

/// One object to be.
#[derive(Debug)]
pub(super) struct Item {
    /// The key.
    pub(super) key: String,
    /// The bytes, as pieces that share the block.
    pub(super) pieces: Vec<Bytes>,
}

/// Everything the partner has.
#[derive(Debug)]
pub(super) struct Goods {
    /// The objects.
    pub(super) items: Vec<Item>,
}

impl Item {
    /// Number of bytes.
    pub(super) fn size(&self) -> u64 {
        self.pieces.iter().map(|piece| piece.len() as u64).sum()
    }
}

impl Goods {
    /// Makes the goods; the same seed makes the same.
    pub(super) fn from_seed(seed: u64) -> Goods {
        let mut random = StdRng::seed_from_u64(seed);
        let mut block = vec![0; BLOCK_BYTES];
        random.fill(block.as_mut_slice());
        let block = Bytes::from(block);
        let mut items = Vec::new();
        for (index, size) in mp3_sizes(&mut random).into_iter().enumerate() {
            let key = format!(
                "delivery/{:04}/disc-{}/track-{index:03}.mp3",
                index / 20,
                index % 2
            );
            items.push(item(key, size, &block, &mut random));
        }
        for index in 0..SMALL_COUNT {
            let size = random.random_range(200..16_384);
            items.push(item(
                format!("notes/{:02}/{index:05}.json", index % 40),
                size,
                &block,
                &mut random,
            ));
        }
        for key in AWKWARD_KEYS {
            items.push(item(key.to_owned(), 4_096, &block, &mut random));
        }
        items.push(item(LARGE_KEY.to_owned(), LARGE_BYTES, &block, &mut random));
        Goods { items }
    }

    /// All their bytes.
    pub(super) fn bytes(&self) -> ByteCount {
        ByteCount(self.items.iter().map(Item::size).sum())
    }
}

/// Sizes between 0.4 and 1.6 times the mean, in pairs that lie equally far on both sides of it:
/// so their mean is exact.
fn mp3_sizes(random: &mut StdRng) -> Vec<u64> {
    let spread = MP3_BYTES_MEAN * 6 / 10;
    let mut sizes = Vec::with_capacity(MP3_COUNT);
    while sizes.len() < MP3_COUNT {
        let away = random.random_range(0..spread);
        sizes.extend([MP3_BYTES_MEAN - away, MP3_BYTES_MEAN + away]);
    }
    sizes
}

/// An object whose head names its key, so that no two are alike, and whose rest is cut from the
/// block at a random place.
fn item(key: String, size: u64, block: &Bytes, random: &mut StdRng) -> Item {
    let mut head = MP3_HEAD.to_vec();
    head.extend_from_slice(key.as_bytes());
    let head = Bytes::from(head);
    let mut left = usize::try_from(size).expect("the demo's objects fit in memory");
    let mut pieces = vec![head.slice(..head.len().min(left))];
    left -= pieces[0].len();
    while left > 0 {
        let start = random.random_range(0..block.len() / 2);
        let length = left.min(block.len() - start);
        pieces.push(block.slice(start..start + length));
        left -= length;
    }
    Item { key, pieces }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_goods_are_the_same_for_the_same_seed_and_have_the_promised_mean() {
        let (one, two) = (Goods::from_seed(7), Goods::from_seed(7));
        assert_eq!(one.bytes(), two.bytes());
        assert!(
            one.items
                .iter()
                .zip(&two.items)
                .all(|(a, b)| a.key == b.key && a.pieces == b.pieces)
        );
        let mp3s: u64 = one.items[..MP3_COUNT].iter().map(Item::size).sum();
        assert_eq!(mp3s, MP3_BYTES_MEAN * MP3_COUNT as u64);
    }
}
