//! Checksums that travel with their bytes.
//!
//! CRC-64/NVME is the house's own: it costs next to nothing, S3 stores it for a whole object, and
//! the checksums of parts combine to that of the whole. The other algorithms are known by name so
//! that what a store says can be compared.

mod value;

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use crc_fast::{CrcAlgorithm, Digest};

pub use self::value::{ChecksumHasher, ChecksumValue};
use crate::fault::Fault;

/// The CRC-64/NVME of some bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Crc64Nvme(pub u64);

impl Crc64Nvme {
    /// The checksum of no bytes.
    pub const EMPTY: Crc64Nvme = Crc64Nvme(0);

    /// The checksum of `bytes`.
    pub fn of(bytes: &[u8]) -> Crc64Nvme {
        Crc64Nvme(crc_fast::crc64_nvme(bytes))
    }

    /// The checksum of these bytes followed by `next`, which is `next_length` bytes long.
    #[must_use]
    pub fn then(self, next: Crc64Nvme, next_length: u64) -> Crc64Nvme {
        if next_length == 0 {
            return self;
        }
        Crc64Nvme(crc_fast::checksum_combine(
            CrcAlgorithm::Crc64Nvme,
            self.0,
            next.0,
            next_length,
        ))
    }

    /// The text S3 uses in headers and XML: base64 of the big-endian value.
    pub fn to_base64(self) -> String {
        BASE64.encode(self.0.to_be_bytes())
    }

    /// Reads what [`to_base64`](Self::to_base64) writes.
    pub fn from_base64(text: &str) -> Option<Crc64Nvme> {
        let bytes = BASE64.decode(text.trim()).ok()?;
        Some(Crc64Nvme(u64::from_be_bytes(bytes.try_into().ok()?)))
    }
}

impl fmt::Debug for Crc64Nvme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Crc64Nvme({:016x})", self.0)
    }
}

impl fmt::Display for Crc64Nvme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_base64())
    }
}

/// A running CRC-64/NVME over frames that pass by.
#[derive(Clone)]
pub struct Crc64Hasher(Digest);

impl Crc64Hasher {
    /// A hasher that has seen no bytes.
    pub fn new() -> Crc64Hasher {
        Crc64Hasher(Digest::new(CrcAlgorithm::Crc64Nvme))
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The checksum of all bytes so far.
    pub fn finish(&self) -> Crc64Nvme {
        Crc64Nvme(self.0.finalize())
    }
}

impl Default for Crc64Hasher {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Crc64Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Crc64Hasher").field(&self.finish()).finish()
    }
}

/// An algorithm that S3 knows for object checksums.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChecksumAlgorithm {
    /// CRC-64/NVME, always over the whole object.
    Crc64Nvme,
    /// CRC-32 (ISO-HDLC).
    Crc32,
    /// CRC-32C (Castagnoli).
    Crc32c,
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
}

impl ChecksumAlgorithm {
    /// Every algorithm, strongest means of the house first.
    pub const ALL: [ChecksumAlgorithm; 5] = [
        ChecksumAlgorithm::Crc64Nvme,
        ChecksumAlgorithm::Sha256,
        ChecksumAlgorithm::Crc32c,
        ChecksumAlgorithm::Crc32,
        ChecksumAlgorithm::Sha1,
    ];

    /// The name in `x-amz-checksum-algorithm` and in XML.
    pub fn as_str(self) -> &'static str {
        match self {
            ChecksumAlgorithm::Crc64Nvme => "CRC64NVME",
            ChecksumAlgorithm::Crc32 => "CRC32",
            ChecksumAlgorithm::Crc32c => "CRC32C",
            ChecksumAlgorithm::Sha1 => "SHA1",
            ChecksumAlgorithm::Sha256 => "SHA256",
        }
    }

    /// The header that carries a value of this algorithm.
    pub fn header(self) -> &'static str {
        match self {
            ChecksumAlgorithm::Crc64Nvme => "x-amz-checksum-crc64nvme",
            ChecksumAlgorithm::Crc32 => "x-amz-checksum-crc32",
            ChecksumAlgorithm::Crc32c => "x-amz-checksum-crc32c",
            ChecksumAlgorithm::Sha1 => "x-amz-checksum-sha1",
            ChecksumAlgorithm::Sha256 => "x-amz-checksum-sha256",
        }
    }

    /// Reads what [`as_str`](Self::as_str) writes.
    pub fn from_name(name: &str) -> Option<ChecksumAlgorithm> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.as_str() == name)
    }
}

/// Over what a stored checksum was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChecksumType {
    /// Over the object's bytes: comparable whatever the parts were.
    FullObject,
    /// Over the checksums of its parts: comparable only for equal part boundaries.
    Composite,
}

/// A checksum as a store says it: algorithm, kind, and the base64 text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Checksum {
    /// Which algorithm.
    pub algorithm: ChecksumAlgorithm,
    /// Over what.
    pub checksum_type: ChecksumType,
    /// Base64, with `-N` after it when composite.
    pub value: String,
}

impl Checksum {
    /// A full-object CRC-64/NVME.
    pub fn crc64nvme(value: Crc64Nvme) -> Checksum {
        Checksum {
            algorithm: ChecksumAlgorithm::Crc64Nvme,
            checksum_type: ChecksumType::FullObject,
            value: value.to_base64(),
        }
    }

    /// The value if this is a full-object CRC-64/NVME.
    pub fn as_crc64nvme(&self) -> Option<Crc64Nvme> {
        match (self.algorithm, self.checksum_type) {
            (ChecksumAlgorithm::Crc64Nvme, ChecksumType::FullObject) => {
                Crc64Nvme::from_base64(&self.value)
            }
            _ => None,
        }
    }
}

/// Bytes with their checksum: slicing and joining go through it, and only [`open`](Self::open)
/// hands the bytes out, after checking them.
#[derive(Clone)]
pub struct Sealed {
    bytes: Bytes,
    crc64: Crc64Nvme,
}

impl Sealed {
    /// Seals bytes that were made here, just now.
    pub fn seal(bytes: Bytes) -> Sealed {
        let crc64 = Crc64Nvme::of(&bytes);
        Sealed { bytes, crc64 }
    }

    /// Seals bytes under a checksum that came with them; nothing is checked before
    /// [`open`](Self::open).
    pub fn with_checksum(bytes: Bytes, crc64: Crc64Nvme) -> Sealed {
        Sealed { bytes, crc64 }
    }

    /// The checksum under which the bytes travel.
    pub fn crc64(&self) -> Crc64Nvme {
        self.crc64
    }

    /// Number of bytes.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Checks the bytes against their checksum and hands them over.
    pub fn open(self) -> Result<Bytes, Fault> {
        if Crc64Nvme::of(&self.bytes) == self.crc64 {
            Ok(self.bytes)
        } else {
            Err(Fault::Corrupt)
        }
    }

    /// The bytes for a reader that carries the checksum on itself (the socket, beside a checksum
    /// header) and so lets the other end check.
    pub fn carry(&self) -> (&Bytes, Crc64Nvme) {
        (&self.bytes, self.crc64)
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealed")
            .field("len", &self.bytes.len())
            .field("crc64", &self.crc64)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::*;

    #[test]
    fn crc64nvme_matches_the_published_check_value() {
        // Check value of CRC-64/NVME for "123456789", from the NVM Express specification.
        assert_eq!(Crc64Nvme::of(b"123456789").0, 0xae8b_1486_0a79_9888);
        assert_eq!(Crc64Nvme::of(b""), Crc64Nvme::EMPTY);
    }

    #[test]
    fn a_changed_byte_does_not_open() {
        let crc64 = Crc64Nvme::of(b"what was sent");
        let sealed = Sealed::with_checksum(Bytes::from_static(b"what was sEnt"), crc64);
        assert_eq!(sealed.open(), Err(Fault::Corrupt));
    }

    proptest! {
        #[test]
        fn parts_combine_to_the_whole(parts in proptest::collection::vec(any::<Vec<u8>>(), 0..8)) {
            let whole: Vec<u8> = parts.concat();
            let combined = parts.iter().fold(Crc64Nvme::EMPTY, |so_far, part| {
                so_far.then(Crc64Nvme::of(part), part.len() as u64)
            });
            prop_assert_eq!(combined, Crc64Nvme::of(&whole));
            prop_assert_eq!(Crc64Nvme::from_base64(&combined.to_base64()), Some(combined));
        }
    }
}
