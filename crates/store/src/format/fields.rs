//! Fields of fixed width, and texts and lists with their length in front.

use base::Checksum;
use base::ChecksumAlgorithm;
use base::checksum::ChecksumType;
use jiff::Timestamp;

use super::Damage;

/// Reads fields one after the other; whoever reads past the end gets [`Damage::Short`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct FieldReader<'a> {
    rest: &'a [u8],
}

impl<'a> FieldReader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> FieldReader<'a> {
        FieldReader { rest: bytes }
    }

    /// How many bytes are left.
    pub(crate) fn left(&self) -> usize {
        self.rest.len()
    }

    pub(crate) fn bytes(&mut self, length: usize) -> Result<&'a [u8], Damage> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Damage::Short)?;
        self.rest = rest;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Damage> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(Damage::Short)?;
        self.rest = rest;
        Ok(*taken)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Damage> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    pub(crate) fn u16(&mut self) -> Result<u16, Damage> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Damage> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub(crate) fn u64(&mut self) -> Result<u64, Damage> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    pub(crate) fn u128(&mut self) -> Result<u128, Damage> {
        Ok(u128::from_le_bytes(self.array()?))
    }

    /// Bytes that are zero until a later format gives them a meaning.
    pub(crate) fn zeros(&mut self, length: usize) -> Result<(), Damage> {
        if self.bytes(length)?.iter().all(|byte| *byte == 0) {
            Ok(())
        } else {
            Err(Damage::Field("a reserved field"))
        }
    }

    pub(crate) fn text(&mut self) -> Result<&'a str, Damage> {
        let length = self.length()?;
        let bytes = self.bytes(length)?;
        std::str::from_utf8(bytes).map_err(|_| Damage::Field("a text"))
    }

    /// A length in bytes.
    pub(crate) fn length(&mut self) -> Result<usize, Damage> {
        usize::try_from(self.u32()?).map_err(|_| Damage::Short)
    }

    pub(crate) fn flag(&mut self) -> Result<bool, Damage> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Damage::Field("a flag")),
        }
    }

    pub(crate) fn option<T>(
        &mut self,
        read: impl FnOnce(&mut FieldReader<'a>) -> Result<T, Damage>,
    ) -> Result<Option<T>, Damage> {
        if self.flag()? {
            read(self).map(Some)
        } else {
            Ok(None)
        }
    }

    /// A list. Nothing is set aside for it beforehand: what is not there ends it.
    pub(crate) fn list<T>(
        &mut self,
        mut read: impl FnMut(&mut FieldReader<'a>) -> Result<T, Damage>,
    ) -> Result<Vec<T>, Damage> {
        let count = self.length()?;
        let mut items = Vec::new();
        for _ in 0..count {
            // An item has at least one byte, or a count alone could take all memory.
            if self.rest.is_empty() {
                return Err(Damage::Short);
            }
            items.push(read(self)?);
        }
        Ok(items)
    }

    pub(crate) fn time(&mut self) -> Result<Timestamp, Damage> {
        let nanoseconds = i128::from_le_bytes(self.array()?);
        Timestamp::from_nanosecond(nanoseconds).map_err(|_| Damage::Field("a time"))
    }

    pub(crate) fn algorithm(&mut self) -> Result<ChecksumAlgorithm, Damage> {
        Ok(match self.u8()? {
            1 => ChecksumAlgorithm::Crc64Nvme,
            2 => ChecksumAlgorithm::Crc32,
            3 => ChecksumAlgorithm::Crc32c,
            4 => ChecksumAlgorithm::Sha1,
            5 => ChecksumAlgorithm::Sha256,
            _ => return Err(Damage::Field("a checksum's algorithm")),
        })
    }

    pub(crate) fn checksum_type(&mut self) -> Result<ChecksumType, Damage> {
        Ok(match self.u8()? {
            1 => ChecksumType::FullObject,
            2 => ChecksumType::Composite,
            _ => return Err(Damage::Field("a checksum's type")),
        })
    }

    pub(crate) fn checksum(&mut self) -> Result<Checksum, Damage> {
        Ok(Checksum {
            algorithm: self.algorithm()?,
            checksum_type: self.checksum_type()?,
            value: self.text()?.to_owned(),
        })
    }

    /// Nothing may be left.
    pub(crate) fn finish(self) -> Result<(), Damage> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(Damage::Field("the length"))
        }
    }
}

/// Writes what [`FieldReader`] reads.
#[derive(Debug, Default)]
pub(crate) struct FieldWriter(Vec<u8>);

impl FieldWriter {
    pub(crate) fn new() -> FieldWriter {
        FieldWriter::default()
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.0
    }

    /// Fills with zeros up to `length` bytes.
    pub(crate) fn zeros_to(&mut self, length: usize) {
        assert!(
            self.0.len() <= length,
            "fields fit in front of what follows"
        );
        self.0.resize(length, 0);
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn u8(&mut self, value: u8) {
        self.0.push(value);
    }

    pub(crate) fn u16(&mut self, value: u16) {
        self.bytes(&value.to_le_bytes());
    }

    pub(crate) fn u32(&mut self, value: u32) {
        self.bytes(&value.to_le_bytes());
    }

    pub(crate) fn u64(&mut self, value: u64) {
        self.bytes(&value.to_le_bytes());
    }

    pub(crate) fn u128(&mut self, value: u128) {
        self.bytes(&value.to_le_bytes());
    }

    /// A length in bytes, or of a list.
    ///
    /// # Panics
    /// Beyond 4 GiB: callers keep far smaller limits.
    pub(crate) fn length(&mut self, length: usize) {
        self.u32(u32::try_from(length).expect("what is stored in one row is small"));
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.length(text.len());
        self.bytes(text.as_bytes());
    }

    pub(crate) fn flag(&mut self, flag: bool) {
        self.u8(u8::from(flag));
    }

    pub(crate) fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut FieldWriter, T)) {
        self.flag(value.is_some());
        if let Some(value) = value {
            write(self, value);
        }
    }

    pub(crate) fn list<T>(
        &mut self,
        items: impl ExactSizeIterator<Item = T>,
        mut write: impl FnMut(&mut FieldWriter, T),
    ) {
        self.length(items.len());
        for item in items {
            write(self, item);
        }
    }

    pub(crate) fn time(&mut self, time: Timestamp) {
        self.bytes(&time.as_nanosecond().to_le_bytes());
    }

    pub(crate) fn algorithm(&mut self, algorithm: ChecksumAlgorithm) {
        self.u8(match algorithm {
            ChecksumAlgorithm::Crc64Nvme => 1,
            ChecksumAlgorithm::Crc32 => 2,
            ChecksumAlgorithm::Crc32c => 3,
            ChecksumAlgorithm::Sha1 => 4,
            ChecksumAlgorithm::Sha256 => 5,
        });
    }

    pub(crate) fn checksum_type(&mut self, checksum_type: ChecksumType) {
        self.u8(match checksum_type {
            ChecksumType::FullObject => 1,
            ChecksumType::Composite => 2,
        });
    }

    pub(crate) fn checksum(&mut self, checksum: &Checksum) {
        self.algorithm(checksum.algorithm);
        self.checksum_type(checksum.checksum_type);
        self.text(&checksum.value);
    }
}
