//! How an object is cut into requests. Pure: sizes in, plans out.

use base::ids::PartNumber;
use base::limits::{OBJECT_SIZE_MAX, PART_SIZE_MAX, PART_SIZE_MIN, PART_SIZE_UNIT, PARTS_MAX};
use base::units::{GIB, MIB};
use base::{ByteCount, ETag};
use remote::types::ByteRange;

/// Part size of an object that is not too large for it.
/// Source: the CRT's default (FACTS §7). Small enough that parts of many objects fit the memory
/// budget, large enough that a part's round trip is a small share of its time.
const PART_SIZE_DEFAULT: ByteCount = ByteCount(8 * MIB);

/// Largest object that goes in one PUT or comes in one GET unless the user sets a part size.
/// Three requests more (create, complete, and a HEAD or a second part) cost more than the second
/// connection gains below two parts. Reasoned, not measured.
pub(crate) const WHOLE_MAX: ByteCount = ByteCount(2 * PART_SIZE_DEFAULT.0);

/// Largest object that CopyObject takes.
/// Source: S3 API reference, CopyObject (read 2026-11): 5 GiB, as one PUT.
const COPY_WHOLE_MAX: ByteCount = PART_SIZE_MAX;

/// Part size of a copy inside a store: no byte passes here, so parts are few.
/// A guess, not measured.
const COPY_PART_SIZE: ByteCount = ByteCount(512 * MIB);

const _: () = assert!(WHOLE_MAX.0 <= PART_SIZE_MAX.0);
const _: () = assert!(PART_SIZE_DEFAULT.0 >= PART_SIZE_MIN.0);
const _: () = assert!(5 * GIB == PART_SIZE_MAX.0);

/// How an object moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plan {
    /// In one request.
    Whole,
    /// In parts.
    Parts(Parts),
}

/// An object cut into parts of one size, the last of which may be smaller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts {
    /// The object's size; not zero.
    size: ByteCount,
    /// Each part's size but the last one's.
    part_size: ByteCount,
}

/// An object larger than S3 stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{size} is more than a store takes: {OBJECT_SIZE_MAX} at most")]
pub struct TooLarge {
    /// The object's size.
    pub size: ByteCount,
}

/// How `size` bytes go to a store. `wanted` is the user's part size: what is not larger goes in
/// one PUT, and it is raised where it would need too many parts.
pub fn upload(size: ByteCount, wanted: Option<ByteCount>) -> Result<Plan, TooLarge> {
    if size > OBJECT_SIZE_MAX {
        return Err(TooLarge { size });
    }
    let whole_max = wanted.unwrap_or(WHOLE_MAX).min(PART_SIZE_MAX);
    if size <= whole_max {
        return Ok(Plan::Whole);
    }
    Ok(Parts::fitting(size, wanted.unwrap_or(PART_SIZE_DEFAULT)))
}

/// How `size` bytes come from a store.
pub fn download(size: ByteCount, wanted: Option<ByteCount>) -> Plan {
    if size <= wanted.unwrap_or(WHOLE_MAX) {
        return Plan::Whole;
    }
    Parts::fitting(size, wanted.unwrap_or(PART_SIZE_DEFAULT))
}

/// How `size` bytes are copied inside a store.
pub fn copy(size: ByteCount) -> Result<Plan, TooLarge> {
    if size > OBJECT_SIZE_MAX {
        return Err(TooLarge { size });
    }
    if size <= COPY_WHOLE_MAX {
        return Ok(Plan::Whole);
    }
    Ok(Parts::fitting(size, COPY_PART_SIZE))
}

/// The part size of a stream whose length nobody knows, for its part number `index` (from 0).
///
/// A stream cannot know how far it goes and has 10,000 parts to get there, so parts double every
/// thousand: the first 8 GB cost 8 MiB parts, and 8.5 TB are within reach, more than most stores
/// keep in one object. The user's size is the first.
pub fn stream_part_size(index: u32, wanted: Option<ByteCount>) -> ByteCount {
    let first = wanted
        .unwrap_or(PART_SIZE_DEFAULT)
        .clamp(PART_SIZE_MIN, PART_SIZE_MAX);
    let doublings = (index / 1_000).min(32);
    ByteCount(first.0.saturating_mul(1 << doublings).min(PART_SIZE_MAX.0))
}

/// The part sizes that cut `size` bytes into as many parts as `etag` says.
pub fn part_sizes_of(etag: &ETag, size: ByteCount) -> Vec<Parts> {
    let count = etag.part_count();
    count.map_or_else(Vec::new, |count| part_sizes(count, size))
}

/// The part sizes, in whole MiB, that cut `size` bytes into `count` parts: those that tools use by
/// default first, then the smallest; few, since each costs a digest of the whole.
pub fn part_sizes(count: u32, size: ByteCount) -> Vec<Parts> {
    /// More guesses would cost more MD5 than they are worth.
    const GUESSES_MAX: usize = 4;
    /// Default part sizes in MiB of the CRT and AWS's tools, s5cmd, rclone, MinIO's client and
    /// others.
    const USUAL_MIB: [u64; 10] = [8, 5, 50, 16, 64, 10, 100, 32, 128, 15];
    let count = u64::from(count);
    if count == 0 || size.0 == 0 {
        return Vec::new();
    }
    let least = size.0.div_ceil(count).next_multiple_of(MIB);
    let fits = |part_size: &u64| size.0.div_ceil(*part_size) == count;
    // A single part says nothing of its size; it is the whole.
    let usual = USUAL_MIB.map(|mib| mib * MIB).into_iter().filter(fits);
    let smallest = (0_u64..)
        .map(|step| least + step * MIB)
        .take_while(fits)
        .filter(|part_size| !USUAL_MIB.contains(&(part_size / MIB)));
    let guesses = usual.chain(smallest);
    guesses
        .take(if count == 1 { 1 } else { GUESSES_MAX })
        .map(|part_size| Parts {
            size,
            part_size: ByteCount(part_size),
        })
        .collect()
}

/// The likeliest parts of `etag` that can be sent again as they were.
pub(crate) fn usable_layout(etag: &ETag, size: ByteCount) -> Option<Parts> {
    let count = etag.part_count()?;
    usable_parts(count, size)
}

/// The likeliest `count` parts of `size` bytes that can be sent again as they were.
pub(crate) fn usable_parts(count: u32, size: ByteCount) -> Option<Parts> {
    part_sizes(count, size).into_iter().find(|parts| {
        let fits = parts.part_size() >= PART_SIZE_MIN && parts.part_size() <= PART_SIZE_MAX;
        fits && parts.count() <= PARTS_MAX
    })
}

impl Parts {
    /// Parts of about `wanted`, at least S3's smallest, and so large that they are not too many.
    fn fitting(size: ByteCount, wanted: ByteCount) -> Plan {
        let unit = PART_SIZE_UNIT.0;
        let needed = size.0.div_ceil(u64::from(PARTS_MAX)).next_multiple_of(unit);
        let part_size = wanted.0.max(needed).clamp(PART_SIZE_MIN.0, PART_SIZE_MAX.0);
        if size.0 <= part_size {
            return Plan::Whole;
        }
        Plan::Parts(Parts {
            size,
            part_size: ByteCount(part_size),
        })
    }

    /// Parts of exactly this size; `None` where a store takes no such parts.
    pub(crate) fn exactly(size: ByteCount, part_size: ByteCount) -> Option<Parts> {
        let parts = Parts { size, part_size };
        let takes = part_size >= PART_SIZE_MIN && part_size <= PART_SIZE_MAX;
        (takes && part_size < size && parts.count() <= PARTS_MAX).then_some(parts)
    }

    /// The object's size.
    pub fn size(&self) -> ByteCount {
        self.size
    }

    /// Each part's size but the last one's.
    pub fn part_size(&self) -> ByteCount {
        self.part_size
    }

    /// How many parts there are.
    pub fn count(&self) -> u32 {
        u32::try_from(self.size.0.div_ceil(self.part_size.0)).unwrap_or(u32::MAX)
    }

    /// The bytes of part `index`, from 0.
    pub fn range(&self, index: u32) -> ByteRange {
        let offset = u64::from(index) * self.part_size.0;
        ByteRange {
            offset,
            length: ByteCount(self.part_size.0.min(self.size.0.saturating_sub(offset))),
        }
    }

    /// S3's number of part `index`, from 0.
    pub fn number(index: u32) -> PartNumber {
        PartNumber::new(index + 1).expect("a plan has at most 10,000 parts")
    }
}

#[cfg(test)]
mod tests {
    use base::units::TB;
    use proptest::option;
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    use super::*;

    fn check_cover(parts: &Parts) -> Result<(), proptest::test_runner::TestCaseError> {
        let count = parts.count();
        let last = parts.range(count - 1);
        prop_assert!((2..=PARTS_MAX).contains(&count));
        prop_assert!(parts.part_size() >= PART_SIZE_MIN && parts.part_size() <= PART_SIZE_MAX);
        prop_assert_eq!(parts.range(0).offset, 0);
        prop_assert!(last.length.0 > 0 && last.length <= parts.part_size());
        prop_assert_eq!(last.offset + last.length.0, parts.size().0);
        let middle = count / 2;
        let before = parts.range(middle - 1);
        prop_assert_eq!(before.offset + before.length.0, parts.range(middle).offset);
        Ok(())
    }

    proptest! {
        #[test]
        fn every_size_to_fifty_terabytes_is_covered_by_parts_that_s3_takes(
            exponent in 0_u32..46,
            noise in any::<u64>(),
            wanted in option::of(1_u64..(6 << 30)),
        ) {
            let size = ByteCount(((1_u64 << exponent) + noise % (1 << exponent)).min(50 * TB));
            let wanted = wanted.map(ByteCount);
            match upload(size, wanted).unwrap() {
                Plan::Whole => prop_assert!(size <= PART_SIZE_MAX),
                Plan::Parts(parts) => check_cover(&parts)?,
            }
            if let Plan::Parts(parts) = download(size, wanted) {
                check_cover(&parts)?;
            }
            match copy(size).unwrap() {
                Plan::Whole => prop_assert!(size <= COPY_WHOLE_MAX),
                Plan::Parts(parts) => check_cover(&parts)?,
            }
        }

        #[test]
        fn a_user_s_part_size_is_kept_where_it_can_be(mib in 5_u64..5_000, count in 2_u64..10_000) {
            let wanted = ByteCount(mib * MIB);
            let size = ByteCount(wanted.0 * count);
            if size <= OBJECT_SIZE_MAX {
                let Plan::Parts(parts) = upload(size, Some(wanted)).unwrap() else {
                    panic!("two parts or more");
                };
                prop_assert_eq!(parts.part_size(), wanted);
            }
        }

        #[test]
        fn the_part_size_used_is_among_the_guesses_for_many_parts(
            mib in 5_u64..64, count in 40_u64..400, rest in 1_u64..(5 << 20),
        ) {
            let size = ByteCount(mib * MIB * (count - 1) + rest);
            let etag = ETag::from_header(&format!("9b2cf535f27731c974343645a3985328-{count}"));
            let guesses = part_sizes_of(&etag, size);
            if guesses.len() < 4 {
                prop_assert!(guesses.iter().any(|parts| parts.part_size().0 == mib * MIB));
            }
        }
    }

    #[test]
    fn thresholds_are_where_they_are_said_to_be() {
        let whole = |size| upload(ByteCount(size), None) == Ok(Plan::Whole);
        assert!(whole(0) && whole(6_260_000) && whole(16 * MIB) && !whole(16 * MIB + 1));
        assert_eq!(
            upload(ByteCount(50 * TB + 1), None),
            Err(TooLarge {
                size: ByteCount(50 * TB + 1)
            })
        );
        assert_eq!(copy(ByteCount(5 * GIB)), Ok(Plan::Whole));
        assert!(matches!(copy(ByteCount(5 * GIB + 1)), Ok(Plan::Parts(_))));
        let Ok(Plan::Parts(largest)) = upload(ByteCount(50 * TB), Some(ByteCount(5 * MIB))) else {
            panic!("50 TB are many parts");
        };
        assert!(largest.count() <= PARTS_MAX);
    }

    #[test]
    fn a_stream_reaches_five_terabytes_within_ten_thousand_parts() {
        let total: u64 = (0..PARTS_MAX)
            .map(|index| stream_part_size(index, None).0)
            .sum();
        assert!(total >= 5 * TB, "the largest object of most stores");
        assert!(stream_part_size(0, Some(ByteCount(1))) == PART_SIZE_MIN);
    }
}
