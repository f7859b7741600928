//! The superblock: what a volume is, whose it is, and how often it was opened.

use super::fields::{FieldReader, FieldWriter};
use super::ids::{OpenCount, Sequence, StoreId, VolumeId};
use super::{Damage, FORMAT, PAGE_BYTES, crc32c};

/// Bytes of a superblock: one page.
pub const SUPERBLOCK_BYTES: usize = 4096;
const _: () = assert!(SUPERBLOCK_BYTES as u64 == PAGE_BYTES);

/// Superblocks of a volume. They are written one after the other, so one is always whole.
pub const SUPERBLOCKS: u8 = 2;

/// Most volumes of a store: as many as fit on the page beside the rest.
pub const MEMBERS_MAX: usize = 64;

const MAGIC: &[u8; 8] = b"LHSUPER1";

/// Where the members begin.
const MEMBERS_AT: usize = 128;

/// Bytes of a member.
const MEMBER_BYTES: usize = 32;
const _: () = assert!(MEMBERS_AT + MEMBERS_MAX * MEMBER_BYTES <= SUPERBLOCK_BYTES - 4);

/// How a volume of the set stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberState {
    /// It takes and serves bytes.
    Live,
    /// It serves bytes and takes no new ones.
    Draining,
    /// It is gone for good.
    Lost,
}

/// A volume of the set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// Which.
    pub volume: VolumeId,
    /// How it stands.
    pub state: MemberState,
    /// Grows when the volume was replaced or returned: what an older generation holds is stale.
    pub generation: u64,
}

/// A superblock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Superblock {
    /// The store that the volume belongs to.
    pub store: StoreId,
    /// The volume.
    pub volume: VolumeId,
    /// Pages of each extent of the volume.
    pub extent_pages: u32,
    /// Which of the sets of volumes is the current one.
    pub set_epoch: u64,
    /// Grows with every write: the newest superblock counts.
    pub generation: u64,
    /// How often the volume was opened, this time counted.
    pub open_count: OpenCount,
    /// Where the log ended when it was opened: records of this sequence and behind it count only
    /// with this open count.
    pub cut: Sequence,
    /// Log records before this one were flushed.
    pub durable_mark: Sequence,
    /// Drawn by the process that opened it last.
    pub owner: u128,
    /// The set of volumes.
    pub members: Vec<Member>,
}

impl Superblock {
    /// The page.
    ///
    /// # Panics
    /// With more than [`MEMBERS_MAX`] members.
    pub fn encode(&self) -> Vec<u8> {
        assert!(self.members.len() <= MEMBERS_MAX, "a set fits on its page");
        let mut page = FieldWriter::new();
        page.bytes(MAGIC);
        page.u16(FORMAT);
        page.u16(u16::try_from(self.members.len()).expect("checked above"));
        page.u32(self.extent_pages);
        page.u128(self.store.0);
        page.u128(self.volume.0);
        page.u64(self.set_epoch);
        page.u64(self.generation);
        page.u64(self.open_count.0);
        page.u64(self.cut.0);
        page.u64(self.durable_mark.0);
        page.u128(self.owner);
        page.zeros_to(MEMBERS_AT);
        for member in &self.members {
            page.u128(member.volume.0);
            page.u64(match member.state {
                MemberState::Live => 1,
                MemberState::Draining => 2,
                MemberState::Lost => 3,
            });
            page.u64(member.generation);
        }
        page.zeros_to(SUPERBLOCK_BYTES - 4);
        let mut bytes = page.finish();
        bytes.extend_from_slice(&crc32c(&bytes).to_le_bytes());
        bytes
    }

    /// Reads a page.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn decode(page: &[u8]) -> Result<Superblock, Damage> {
        let mut fields = checked_page(page, MAGIC)?;
        let count = usize::from(fields.u16()?);
        let extent_pages = fields.u32()?;
        let store = StoreId(fields.u128()?);
        let volume = VolumeId(fields.u128()?);
        let set_epoch = fields.u64()?;
        let generation = fields.u64()?;
        let open_count = OpenCount(fields.u64()?);
        let cut = Sequence(fields.u64()?);
        let durable_mark = Sequence(fields.u64()?);
        let owner = fields.u128()?;
        fields.zeros(MEMBERS_AT - (SUPERBLOCK_BYTES - 4 - fields.left()))?;
        if count > MEMBERS_MAX {
            return Err(Damage::Field("the number of volumes"));
        }
        if extent_pages < 2 {
            return Err(Damage::Field("the size of extents"));
        }
        let members = (0..count)
            .map(|_| {
                Ok(Member {
                    volume: VolumeId(fields.u128()?),
                    state: match fields.u64()? {
                        1 => MemberState::Live,
                        2 => MemberState::Draining,
                        3 => MemberState::Lost,
                        _ => return Err(Damage::Field("a volume's state")),
                    },
                    generation: fields.u64()?,
                })
            })
            .collect::<Result<_, _>>()?;
        fields.zeros(fields.left())?;
        Ok(Superblock {
            store,
            volume,
            extent_pages,
            set_epoch,
            generation,
            open_count,
            cut,
            durable_mark,
            owner,
            members,
        })
    }
}

/// The fields of a page behind magic and format, its CRC-32C at the end checked.
pub(super) fn checked_page<'a>(page: &'a [u8], magic: &[u8; 8]) -> Result<FieldReader<'a>, Damage> {
    let page = page.get(..SUPERBLOCK_BYTES).ok_or(Damage::Short)?;
    let (content, crc) = page.split_at(SUPERBLOCK_BYTES - 4);
    let mut fields = FieldReader::new(content);
    if fields.bytes(magic.len())? != magic {
        return Err(Damage::Magic);
    }
    // A newer format may keep its checksum elsewhere: it is told apart first, so that an upgrade
    // undone by accident reads as what it is.
    let format = fields.u16()?;
    if format > FORMAT {
        return Err(Damage::Newer { found: format });
    }
    if crc != crc32c(content).to_le_bytes() {
        return Err(Damage::Checksum);
    }
    if format != FORMAT {
        return Err(Damage::Field("the format"));
    }
    Ok(fields)
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, proptest};

    use super::*;

    fn members() -> impl Strategy<Value = Vec<Member>> {
        let state = proptest::sample::select(vec![
            MemberState::Live,
            MemberState::Draining,
            MemberState::Lost,
        ]);
        let member =
            (any::<u128>(), state, any::<u64>()).prop_map(|(volume, state, generation)| Member {
                volume: VolumeId(volume),
                state,
                generation,
            });
        proptest::collection::vec(member, 0..=MEMBERS_MAX)
    }

    proptest! {
        #[test]
        fn a_superblock_is_read_as_it_was_written_and_no_flipped_bit_passes(
            ids in any::<[u128; 3]>(),
            numbers in any::<[u64; 5]>(),
            extent_pages in 2_u32..,
            members in members(),
            bit in 0..SUPERBLOCK_BYTES * 8,
        ) {
            let superblock = Superblock {
                store: StoreId(ids[0]),
                volume: VolumeId(ids[1]),
                extent_pages,
                set_epoch: numbers[0],
                generation: numbers[1],
                open_count: OpenCount(numbers[2]),
                cut: Sequence(numbers[3]),
                durable_mark: Sequence(numbers[4]),
                owner: ids[2],
                members,
            };
            let mut page = superblock.encode();
            prop_assert_eq!(page.len(), SUPERBLOCK_BYTES);
            prop_assert_eq!(Superblock::decode(&page), Ok(superblock));
            page[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(Superblock::decode(&page).is_err());
        }

        #[test]
        fn no_bytes_at_all_upset_the_reader_of_superblocks(bytes in any::<Vec<u8>>()) {
            prop_assert!(Superblock::decode(&bytes).is_err());
            let mut page = signed(MAGIC, &bytes);
            let _ = Superblock::decode(&page);
            page.truncate(bytes.len());
            prop_assert!(Superblock::decode(&page).is_err());
        }
    }

    /// A page with a right magic and checksum around any bytes.
    pub(in crate::format) fn signed(magic: &[u8; 8], bytes: &[u8]) -> Vec<u8> {
        let mut page = [&magic[..], &FORMAT.to_le_bytes(), bytes].concat();
        page.resize(SUPERBLOCK_BYTES - 4, 0);
        page.extend_from_slice(&crc32c(&page).to_le_bytes());
        page
    }
}
