//! Keys that are computed: ten million of them take no memory.

use std::ops::Range;

/// How many keys share a "folder".
pub const KEYS_PER_FOLDER: u64 = 1_000;

/// Length of every key in bytes.
const KEY_LENGTH: usize = "d000000/k000000000".len();

/// Most keys a bucket can hold, so that their digits suffice.
pub const KEYS_MAX: u64 = 999_999_999;

/// The objects of a synthetic bucket: keys `d000000/k000000000` and on, in order of their bytes
/// as of their numbers, all of one size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeySpace {
    /// How many there are.
    pub count: u64,
    /// Size of each object in bytes.
    pub size: u64,
}

/// A key's text, written in place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ComputedKey([u8; KEY_LENGTH]);

impl ComputedKey {
    /// The text's bytes, all of them ASCII.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl KeySpace {
    /// What a bucket of this name holds, if the name says so: `keys-COUNT-SIZE[-WHATEVER]`.
    pub fn of_bucket(name: &str) -> Option<KeySpace> {
        let mut pieces = name.strip_prefix("keys-")?.split('-');
        let count: u64 = pieces.next()?.parse().ok()?;
        let size = pieces.next()?.parse().ok()?;
        (count <= KEYS_MAX).then_some(KeySpace { count, size })
    }

    /// The key of a number.
    pub fn key(index: u64) -> ComputedKey {
        let mut key = *b"d000000/k000000000";
        write_digits(&mut key[1..7], index / KEYS_PER_FOLDER);
        write_digits(&mut key[9..], index);
        ComputedKey(key)
    }

    /// Whether there is an object of this key.
    pub fn contains(&self, key: &[u8]) -> bool {
        let index = self.first_not_below(key);
        index < self.count && KeySpace::key(index).as_bytes() == key
    }

    /// The numbers of the keys that begin with `prefix`.
    pub fn under(&self, prefix: &[u8]) -> Range<u64> {
        let end = match successor(prefix) {
            Some(after) => self.first_not_below(&after),
            None => self.count,
        };
        self.first_not_below(prefix)..end
    }

    /// The number of the first key that is not before `text`, or the count of keys.
    pub fn first_not_below(&self, text: &[u8]) -> u64 {
        self.partition(|key| key < text)
    }

    /// The number of the first key that comes after `text`, or the count of keys.
    pub fn first_above(&self, text: &[u8]) -> u64 {
        self.partition(|key| key <= text)
    }

    /// The number of the first key for which `before` no longer holds.
    fn partition(&self, before: impl Fn(&[u8]) -> bool) -> u64 {
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = low + (high - low) / 2;
            if before(KeySpace::key(middle).as_bytes()) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}

/// The first text after all that begin with `prefix`; none where every text is before that.
pub(super) fn successor(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut after = prefix.to_vec();
    while let Some(last) = after.last_mut() {
        if *last < u8::MAX {
            *last += 1;
            return Some(after);
        }
        after.pop();
    }
    None
}

fn write_digits(place: &mut [u8], mut number: u64) {
    for digit in place.iter_mut().rev() {
        *digit = b'0' + u8::try_from(number % 10).expect("a digit is below 10");
        number /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPACE: KeySpace = KeySpace {
        count: 12_345,
        size: 1,
    };

    #[test]
    fn keys_are_in_order_and_found_again() {
        for index in 0..SPACE.count {
            let key = KeySpace::key(index);
            assert!(key < KeySpace::key(index + 1));
            assert_eq!(SPACE.first_not_below(key.as_bytes()), index);
            assert_eq!(SPACE.first_above(key.as_bytes()), index + 1);
            assert!(SPACE.contains(key.as_bytes()));
        }
        assert!(!SPACE.contains(KeySpace::key(SPACE.count).as_bytes()));
        assert!(!SPACE.contains(b"d000000/k00000000"));
    }

    #[test]
    fn prefixes_are_ranges() {
        assert_eq!(SPACE.under(b""), 0..SPACE.count);
        assert_eq!(SPACE.under(b"d000003/"), 3_000..4_000);
        assert_eq!(SPACE.under(b"d000012/"), 12_000..12_345);
        assert_eq!(SPACE.under(b"d00000"), 0..10_000);
        assert!(SPACE.under(b"e").is_empty() && SPACE.under(b"a").is_empty());
        assert_eq!(SPACE.under(b"\xff"), SPACE.count..SPACE.count);
    }

    #[test]
    fn names_of_buckets_say_what_they_hold() {
        let space = KeySpace::of_bucket("keys-10000-16384-b").unwrap();
        assert_eq!((space.count, space.size), (10_000, 16_384));
        for other in ["keys-", "keys-1", "keys-1-x", "keys-1000000000-1", "empty"] {
            assert_eq!(KeySpace::of_bucket(other), None, "{other}");
        }
    }
}
