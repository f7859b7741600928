//! The first page of an extent.

use super::fields::FieldWriter;
use super::ids::{BlockId, ExtentNumber, Incarnation, OpenCount, Sequence, StoreId, VolumeId};
use super::superblock::{SUPERBLOCK_BYTES, checked_page};
use super::{Damage, FORMAT};

/// Bytes of the header: one page. Records begin behind it.
pub const EXTENT_HEADER_BYTES: usize = SUPERBLOCK_BYTES;

const MAGIC: &[u8; 8] = b"LHEXTENT";

/// What an extent's records hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExtentKind {
    /// Batches of the log.
    Log,
    /// Bytes of objects.
    Data,
}

impl ExtentKind {
    pub(super) fn code(self) -> u8 {
        match self {
            ExtentKind::Log => 1,
            ExtentKind::Data => 2,
        }
    }

    pub(super) fn from_code(code: u8) -> Result<ExtentKind, Damage> {
        match code {
            1 => Ok(ExtentKind::Log),
            2 => Ok(ExtentKind::Data),
            _ => Err(Damage::Field("the kind")),
        }
    }
}

/// How a block's bytes are coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// Each place holds all of them.
    Replica,
}

impl Codec {
    pub(super) fn code(self) -> u8 {
        match self {
            Codec::Replica => 0,
        }
    }

    pub(super) fn from_code(code: u8) -> Result<Codec, Damage> {
        match code {
            0 => Ok(Codec::Replica),
            _ => Err(Damage::Field("the codec")),
        }
    }
}

/// An extent's header. It is flushed before the first record behind it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtentHeader {
    /// What its records hold.
    pub kind: ExtentKind,
    /// How the block is coded.
    pub codec: Codec,
    /// Which shard of the block this is.
    pub shard: u16,
    /// The store.
    pub store: StoreId,
    /// The volume.
    pub volume: VolumeId,
    /// The extent.
    pub extent: ExtentNumber,
    /// Its pages, this one counted.
    pub pages: u32,
    /// How often it was reset.
    pub incarnation: Incarnation,
    /// The block of which it holds a copy or a shard.
    pub block: BlockId,
    /// The generation of that block's row under which it was made.
    pub block_generation: u64,
    /// The volume's open count when it was made.
    pub open_count: OpenCount,
    /// Sequence of its first record.
    pub first_sequence: Sequence,
    /// Log records before this one were flushed when it was made.
    pub durable_mark: Sequence,
    /// The set of volumes when it was made.
    pub set_epoch: u64,
}

impl ExtentHeader {
    /// The page.
    pub fn encode(&self) -> Vec<u8> {
        let mut page = FieldWriter::new();
        page.bytes(MAGIC);
        page.u16(FORMAT);
        page.u8(self.kind.code());
        page.u8(self.codec.code());
        page.u16(self.shard);
        page.u16(0);
        page.u128(self.store.0);
        page.u128(self.volume.0);
        page.u32(self.extent.0);
        page.u32(self.pages);
        page.u64(self.incarnation.0);
        page.u64(self.block.0);
        page.u64(self.block_generation);
        page.u64(self.open_count.0);
        page.u64(self.first_sequence.0);
        page.u64(self.durable_mark.0);
        page.u64(self.set_epoch);
        page.zeros_to(EXTENT_HEADER_BYTES - 4);
        let mut bytes = page.finish();
        bytes.extend_from_slice(&super::crc32c(&bytes).to_le_bytes());
        bytes
    }

    /// Reads a page.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn decode(page: &[u8]) -> Result<ExtentHeader, Damage> {
        let mut fields = checked_page(page, MAGIC)?;
        let kind = ExtentKind::from_code(fields.u8()?)?;
        let codec = Codec::from_code(fields.u8()?)?;
        let shard = fields.u16()?;
        fields.zeros(2)?;
        let header = ExtentHeader {
            kind,
            codec,
            shard,
            store: StoreId(fields.u128()?),
            volume: VolumeId(fields.u128()?),
            extent: ExtentNumber(fields.u32()?),
            pages: fields.u32()?,
            incarnation: Incarnation(fields.u64()?),
            block: BlockId(fields.u64()?),
            block_generation: fields.u64()?,
            open_count: OpenCount(fields.u64()?),
            first_sequence: Sequence(fields.u64()?),
            durable_mark: Sequence(fields.u64()?),
            set_epoch: fields.u64()?,
        };
        fields.zeros(fields.left())?;
        Ok(header)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    use super::*;
    use crate::format::superblock::tests::signed;

    proptest! {
        #[test]
        fn an_extent_header_is_read_as_it_was_written_and_no_flipped_bit_passes(
            ids in any::<[u128; 2]>(),
            numbers in any::<[u64; 7]>(),
            small in any::<(bool, u16, u32, u32)>(),
            bit in 0..EXTENT_HEADER_BYTES * 8,
        ) {
            let header = ExtentHeader {
                kind: if small.0 { ExtentKind::Log } else { ExtentKind::Data },
                codec: Codec::Replica,
                shard: small.1,
                store: StoreId(ids[0]),
                volume: VolumeId(ids[1]),
                extent: ExtentNumber(small.2),
                pages: small.3,
                incarnation: Incarnation(numbers[0]),
                block: BlockId(numbers[1]),
                block_generation: numbers[2],
                open_count: OpenCount(numbers[3]),
                first_sequence: Sequence(numbers[4]),
                durable_mark: Sequence(numbers[5]),
                set_epoch: numbers[6],
            };
            let mut page = header.encode();
            prop_assert_eq!(ExtentHeader::decode(&page), Ok(header));
            page[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(ExtentHeader::decode(&page).is_err());
        }

        #[test]
        fn no_bytes_at_all_upset_the_reader_of_extent_headers(bytes in any::<Vec<u8>>()) {
            prop_assert!(ExtentHeader::decode(&bytes).is_err());
            let _ = ExtentHeader::decode(&signed(MAGIC, &bytes));
        }
    }
}
