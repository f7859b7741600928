//! Records: they describe themselves, so that an extent can be read without anything else.
//!
//! A record begins on a page, and the next begins on a page behind it. Its header tells where it
//! belongs; whoever finds it elsewhere, or under another volume, incarnation or place, has found
//! a stranger (an object may well hold a copy of a record).

use super::extent::{Codec, ExtentKind};
use super::fields::{FieldReader, FieldWriter};
use super::ids::{BlockId, ExtentNumber, Incarnation, OpenCount, Sequence, VolumeId};
use super::{Damage, FORMAT, crc32c, crc32c_of, page_up};

/// Bytes under one CRC-32C. A read checks every frame that it touches.
pub const FRAME_BYTES: usize = 64 << 10;

/// Most bytes of a payload: 256 frames, whose checksums fit on the header's first page.
pub const PAYLOAD_BYTES_MAX: usize = 16 << 20;

/// Bytes of the header before the frames' checksums.
pub const RECORD_HEADER_BYTES: usize = 128;

const MAGIC: &[u8; 8] = b"LHRECORD";

/// Where the header's own checksum stands.
const HEADER_CRC_AT: usize = RECORD_HEADER_BYTES - 4;

/// Most bytes of a header with its table.
pub const HEADER_BYTES_MAX: usize =
    RECORD_HEADER_BYTES + 4 * PAYLOAD_BYTES_MAX.div_ceil(FRAME_BYTES);
const _: () = assert!(HEADER_BYTES_MAX <= 4096);

/// A record's header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordHeader {
    /// What the payload is.
    pub kind: ExtentKind,
    /// How the block is coded.
    pub codec: Codec,
    /// Which shard of the block this is.
    pub shard: u16,
    /// The volume.
    pub volume: VolumeId,
    /// The extent.
    pub extent: ExtentNumber,
    /// The extent's incarnation.
    pub incarnation: Incarnation,
    /// The record's number in its stream.
    pub sequence: Sequence,
    /// The volume's open count when it was written.
    pub open_count: OpenCount,
    /// Records of the same stream before this one were flushed when it was written.
    pub durable_mark: Sequence,
    /// The block.
    pub block: BlockId,
    /// The generation of the block's row.
    pub block_generation: u64,
    /// Where the record begins, in bytes from the beginning of its block.
    pub offset: u64,
    /// The set of volumes when it was written.
    pub set_epoch: u64,
}

/// A header that was read, with what it says about its payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announced {
    /// The header.
    pub header: RecordHeader,
    /// Bytes of the payload.
    pub payload_length: usize,
    /// CRC-32C of each frame of the payload.
    frames: Vec<u32>,
}

/// Bytes of a header in front of a payload of that length.
pub const fn header_bytes(payload_length: usize) -> usize {
    RECORD_HEADER_BYTES + 4 * payload_length.div_ceil(FRAME_BYTES)
}

/// Bytes that a record with such a payload takes in its extent: whole pages.
pub const fn record_bytes(payload_length: usize) -> u64 {
    page_up(header_bytes(payload_length) as u64 + payload_length as u64)
}

impl RecordHeader {
    /// The record, filled up to whole pages.
    ///
    /// # Panics
    /// With a payload beyond [`PAYLOAD_BYTES_MAX`].
    pub fn encode(&self, payload: &[u8]) -> Vec<u8> {
        assert!(
            payload.len() <= PAYLOAD_BYTES_MAX,
            "who writes a record keeps its limit"
        );
        let mut header = FieldWriter::new();
        header.bytes(MAGIC);
        header.u16(FORMAT);
        header.u8(self.kind.code());
        header.u8(self.codec.code());
        header.u16(self.shard);
        header.u16(0);
        header.u128(self.volume.0);
        header.u32(self.extent.0);
        header.u32(0);
        header.u64(self.incarnation.0);
        header.u64(self.sequence.0);
        header.u64(self.open_count.0);
        header.u64(self.durable_mark.0);
        header.u64(self.block.0);
        header.u64(self.block_generation);
        header.u64(self.offset);
        header.u64(self.set_epoch);
        header.length(payload.len());
        header.zeros_to(HEADER_CRC_AT);
        let fixed = header.finish();
        let mut table = FieldWriter::new();
        for frame in payload.chunks(FRAME_BYTES) {
            table.u32(crc32c(frame));
        }
        let table = table.finish();
        let crc = crc32c_of([&fixed[..], &table]);
        let length = usize::try_from(record_bytes(payload.len())).expect("checked above");
        let mut bytes = Vec::with_capacity(length);
        bytes.extend_from_slice(&fixed);
        bytes.extend_from_slice(&crc.to_le_bytes());
        bytes.extend_from_slice(&table);
        bytes.extend_from_slice(payload);
        bytes.resize(length, 0);
        bytes
    }
}

impl Announced {
    /// Reads a header from the first page of a record.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn decode(page: &[u8]) -> Result<Announced, Damage> {
        let mut fields = FieldReader::new(page);
        if fields.bytes(MAGIC.len())? != MAGIC {
            return Err(Damage::Magic);
        }
        let format = fields.u16()?;
        if format > FORMAT {
            return Err(Damage::Newer { found: format });
        }
        let kind = fields.u8()?;
        let codec = fields.u8()?;
        let shard = fields.u16()?;
        fields.zeros(2)?;
        let volume = VolumeId(fields.u128()?);
        let extent = ExtentNumber(fields.u32()?);
        fields.zeros(4)?;
        let incarnation = Incarnation(fields.u64()?);
        let sequence = Sequence(fields.u64()?);
        let open_count = OpenCount(fields.u64()?);
        let durable_mark = Sequence(fields.u64()?);
        let block = BlockId(fields.u64()?);
        let block_generation = fields.u64()?;
        let offset = fields.u64()?;
        let set_epoch = fields.u64()?;
        let payload_length = fields.length()?;
        fields.zeros(HEADER_CRC_AT - (page.len() - fields.left()))?;
        let crc = fields.u32()?;
        if payload_length > PAYLOAD_BYTES_MAX {
            return Err(Damage::Field("the payload's length"));
        }
        let table = fields.bytes(header_bytes(payload_length) - RECORD_HEADER_BYTES)?;
        let fixed = page.get(..HEADER_CRC_AT).ok_or(Damage::Short)?;
        if crc != crc32c_of([fixed, table]) {
            return Err(Damage::Checksum);
        }
        let frames = table
            .as_chunks()
            .0
            .iter()
            .map(|crc| u32::from_le_bytes(*crc))
            .collect();
        Ok(Announced {
            header: RecordHeader {
                kind: ExtentKind::from_code(kind)?,
                codec: Codec::from_code(codec)?,
                shard,
                volume,
                extent,
                incarnation,
                sequence,
                open_count,
                durable_mark,
                block,
                block_generation,
                offset,
                set_epoch,
            },
            payload_length,
            frames,
        })
    }

    /// Bytes from the record's first to its payload.
    pub fn payload_at(&self) -> u64 {
        header_bytes(self.payload_length) as u64
    }

    /// Bytes that the record takes in its extent.
    pub fn record_bytes(&self) -> u64 {
        record_bytes(self.payload_length)
    }

    /// Checks frames, given with the first one's number. The last one of the payload is shorter.
    ///
    /// # Errors
    /// [`Damage::Checksum`], or [`Damage::Short`] when no frames end where these do.
    pub fn check_frames(&self, first: usize, bytes: &[u8]) -> Result<(), Damage> {
        let start = first.checked_mul(FRAME_BYTES).ok_or(Damage::Short)?;
        let end = start.checked_add(bytes.len()).ok_or(Damage::Short)?;
        let whole = end == self.payload_length || end.is_multiple_of(FRAME_BYTES);
        if end > self.payload_length || !whole {
            return Err(Damage::Short);
        }
        let frames = self.frames.get(first..).ok_or(Damage::Short)?;
        for (frame, crc) in bytes.chunks(FRAME_BYTES).zip(frames) {
            if crc32c(frame) != *crc {
                return Err(Damage::Checksum);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, proptest};

    use super::*;

    fn header(numbers: [u64; 8]) -> RecordHeader {
        RecordHeader {
            kind: ExtentKind::Data,
            codec: Codec::Replica,
            shard: 3,
            volume: VolumeId(u128::from(numbers[0]) << 60),
            extent: ExtentNumber(7),
            incarnation: Incarnation(numbers[1]),
            sequence: Sequence(numbers[2]),
            open_count: OpenCount(numbers[3]),
            durable_mark: Sequence(numbers[4]),
            block: BlockId(numbers[5]),
            block_generation: numbers[6],
            offset: numbers[7],
            set_epoch: 1,
        }
    }

    /// Bytes that name their place.
    fn ramp(length: usize) -> Vec<u8> {
        (0..length)
            .map(|at| u8::try_from(at % 251).expect("below 251"))
            .collect()
    }

    #[test]
    fn payloads_around_a_frames_edge_are_read_as_they_were_written() {
        let sizes = [
            0,
            1,
            FRAME_BYTES - 1,
            FRAME_BYTES,
            FRAME_BYTES + 1,
            3 * FRAME_BYTES + 5,
        ];
        for size in sizes {
            let payload = ramp(size);
            let record = header([1; 8]).encode(&payload);
            assert_eq!(record.len() as u64, record_bytes(size));
            assert!(record.len().is_multiple_of(4096));
            let announced = Announced::decode(&record[..4096]).unwrap();
            assert_eq!(announced.header, header([1; 8]));
            let at = usize::try_from(announced.payload_at()).unwrap();
            assert_eq!(&record[at..at + size], payload);
            announced.check_frames(0, &payload).unwrap();
            if size > FRAME_BYTES {
                announced.check_frames(1, &payload[FRAME_BYTES..]).unwrap();
                announced.check_frames(0, &payload[..FRAME_BYTES]).unwrap();
            }
            if size > 1 {
                assert!(announced.check_frames(0, &payload[..1]).is_err());
            }
        }
    }

    #[test]
    fn the_largest_header_is_on_the_first_page() {
        let record = header([9; 8]).encode(&vec![7; PAYLOAD_BYTES_MAX]);
        let announced = Announced::decode(&record[..4096]).unwrap();
        assert_eq!(announced.payload_length, PAYLOAD_BYTES_MAX);
    }

    proptest! {
        #[test]
        fn no_flipped_bit_of_a_record_passes(
            numbers in any::<[u64; 8]>(),
            size in 0_usize..10_000,
            bit in any::<proptest::sample::Index>(),
        ) {
            let payload = ramp(size);
            let mut record = header(numbers).encode(&payload);
            let used = header_bytes(size) + size;
            let bit = bit.index(used * 8);
            record[bit / 8] ^= 1 << (bit % 8);
            let passed = Announced::decode(&record[..4096]).and_then(|announced| {
                announced.check_frames(0, &record[header_bytes(size)..used])
            });
            prop_assert!(passed.is_err());
        }

        #[test]
        fn no_bytes_at_all_upset_the_reader_of_records(bytes in any::<Vec<u8>>(), length: u32) {
            prop_assert!(Announced::decode(&bytes).is_err());
            let mut page = header([4; 8]).encode(&bytes);
            page[104..108].copy_from_slice(&length.to_le_bytes());
            let _ = Announced::decode(&page);
            page.splice(8.., bytes);
            prop_assert!(Announced::decode(&page).is_err());
        }

        #[test]
        fn no_frames_at_all_upset_the_check(first in any::<usize>(), bytes in any::<Vec<u8>>()) {
            let record = header([4; 8]).encode(&vec![7; FRAME_BYTES * 2]);
            let announced = Announced::decode(&record).unwrap();
            let _ = announced.check_frames(first, &bytes);
        }
    }

    #[test]
    fn the_fixed_header_has_its_fields_where_the_drawing_says() {
        let record = header([1, 2, 3, 4, 5, 6, 7, 8]).encode(b"payload");
        assert_eq!(&record[..8], MAGIC);
        assert_eq!(u64::from_le_bytes(record[48..56].try_into().unwrap()), 3);
        assert_eq!(u64::from_le_bytes(record[64..72].try_into().unwrap()), 5);
        assert_eq!(u32::from_le_bytes(record[104..108].try_into().unwrap()), 7);
        assert_eq!(&record[132..139], b"payload");
    }
}
