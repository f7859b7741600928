//! One machine's share of a job that several machines do without a fleet.

use std::num::NonZeroU32;
use std::str::FromStr;

use twox_hash::XxHash3_64;

/// Share `index` of `count`, written `2/5`, counted from one.
///
/// A key belongs to share `xxhash3_64(key, seed 0) mod count + 1`, over the key's UTF-8 bytes (for
/// files: the path relative to the source). The rule is part of the command line's contract: machines
/// with different versions of this program must agree, so it never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    index: NonZeroU32,
    count: NonZeroU32,
}

/// Why a text is no share.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no share: write i/n with i from 1 to n, as 2/5")]
pub struct InvalidShard(String);

impl Shard {
    /// Share `index` of `count`, from one; none where `index` is beyond `count`.
    pub fn new(index: u32, count: u32) -> Option<Shard> {
        let (index, count) = (NonZeroU32::new(index)?, NonZeroU32::new(count)?);
        (index <= count).then_some(Shard { index, count })
    }

    /// Whether `key` belongs to this share.
    pub fn holds(&self, key: &str) -> bool {
        let share = XxHash3_64::oneshot(key.as_bytes()) % u64::from(self.count.get());
        share + 1 == u64::from(self.index.get())
    }
}

impl FromStr for Shard {
    type Err = InvalidShard;

    fn from_str(text: &str) -> Result<Shard, InvalidShard> {
        let shard = || {
            let (index, count) = text.split_once('/')?;
            Shard::new(index.trim().parse().ok()?, count.trim().parse().ok()?)
        };
        shard().ok_or_else(|| InvalidShard(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_exactly_one_share() {
        let shards: Vec<Shard> = (1..=5).map(|index| Shard::new(index, 5).unwrap()).collect();
        let mut sizes = [0; 5];
        for number in 0..1_000 {
            let key = format!("photos/{number}.jpg");
            let holders: Vec<usize> = (0..5).filter(|at| shards[*at].holds(&key)).collect();
            assert_eq!(holders.len(), 1);
            sizes[holders[0]] += 1;
        }
        assert!(sizes.iter().all(|size| *size > 150), "{sizes:?}");
    }

    #[test]
    fn the_hash_never_changes() {
        // xxHash3-64 of the empty input with seed 0, from the algorithm's specification.
        assert_eq!(XxHash3_64::oneshot(b""), 0x2d06_8005_38d3_94c2);
    }

    #[test]
    fn shares_read_from_one() {
        assert_eq!("2/5".parse(), Ok(Shard::new(2, 5).unwrap()));
        for wrong in ["0/5", "6/5", "1/0", "1", "a/b", "", "-1/2"] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }
}
