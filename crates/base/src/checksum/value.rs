//! Checksums of every algorithm that S3 knows, taken here to be compared with what a store says.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use crc_fast::{CrcAlgorithm, Digest as CrcDigest};
use sha1::{Digest as _, Sha1};
use sha2::Sha256;

use super::{Checksum, ChecksumAlgorithm, ChecksumType};

/// The checksum of some bytes under one algorithm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChecksumValue {
    algorithm: ChecksumAlgorithm,
    /// As S3 writes them before base64: CRCs big-endian.
    bytes: Vec<u8>,
}

impl ChecksumValue {
    /// The checksum of `bytes`.
    pub fn of(algorithm: ChecksumAlgorithm, bytes: &[u8]) -> ChecksumValue {
        let mut hasher = ChecksumHasher::new(algorithm);
        hasher.update(bytes);
        hasher.finish()
    }

    /// Which algorithm it is of.
    pub fn algorithm(&self) -> ChecksumAlgorithm {
        self.algorithm
    }

    /// As the checksum of a whole object.
    pub fn full_object(&self) -> Checksum {
        Checksum {
            algorithm: self.algorithm,
            checksum_type: ChecksumType::FullObject,
            value: BASE64.encode(&self.bytes),
        }
    }

    /// The checksum of these bytes followed by those of `next`, `next_length` of them. `None` for
    /// the algorithms that do not combine, or when the two differ in theirs.
    pub fn then(&self, next: &ChecksumValue, next_length: u64) -> Option<ChecksumValue> {
        if self.algorithm != next.algorithm {
            return None;
        }
        let algorithm = crc_of(self.algorithm)?;
        if next_length == 0 {
            return Some(self.clone());
        }
        let combined = crc_fast::checksum_combine(algorithm, self.crc(), next.crc(), next_length);
        Some(ChecksumValue {
            algorithm: self.algorithm,
            bytes: crc_bytes(combined, self.bytes.len()),
        })
    }

    /// The composite checksum of an object made of parts of these checksums: that over theirs, and
    /// their number. `None` without parts, or when they are of different algorithms.
    pub fn composite(parts: &[ChecksumValue]) -> Option<Checksum> {
        let algorithm = parts.first()?.algorithm;
        let mut hasher = ChecksumHasher::new(algorithm);
        for part in parts {
            if part.algorithm != algorithm {
                return None;
            }
            hasher.update(&part.bytes);
        }
        Some(Checksum {
            algorithm,
            checksum_type: ChecksumType::Composite,
            value: format!("{}-{}", BASE64.encode(hasher.finish().bytes), parts.len()),
        })
    }

    fn crc(&self) -> u64 {
        let push = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
        self.bytes.iter().fold(0, push)
    }
}

/// A running checksum of any algorithm over frames that pass by.
#[derive(Debug, Clone)]
pub struct ChecksumHasher {
    algorithm: ChecksumAlgorithm,
    running: Running,
}

#[derive(Clone)]
enum Running {
    /// With the number of bytes that a value has.
    Crc(CrcDigest, usize),
    Sha1(Sha1),
    Sha256(Sha256),
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Running")
    }
}

impl ChecksumHasher {
    /// A hasher that has seen no bytes.
    pub fn new(algorithm: ChecksumAlgorithm) -> ChecksumHasher {
        let running = match (algorithm, crc_of(algorithm)) {
            (ChecksumAlgorithm::Crc64Nvme, Some(crc)) => Running::Crc(CrcDigest::new(crc), 8),
            (_, Some(crc)) => Running::Crc(CrcDigest::new(crc), 4),
            (ChecksumAlgorithm::Sha1, None) => Running::Sha1(Sha1::new()),
            (_, None) => Running::Sha256(Sha256::new()),
        };
        ChecksumHasher { algorithm, running }
    }

    /// Which algorithm it computes.
    pub fn algorithm(&self) -> ChecksumAlgorithm {
        self.algorithm
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.running {
            Running::Crc(digest, _) => digest.update(bytes),
            Running::Sha1(digest) => digest.update(bytes),
            Running::Sha256(digest) => digest.update(bytes),
        }
    }

    /// The checksum of all bytes so far.
    pub fn finish(self) -> ChecksumValue {
        let bytes = match self.running {
            Running::Crc(digest, length) => crc_bytes(digest.finalize(), length),
            Running::Sha1(digest) => digest.finalize().to_vec(),
            Running::Sha256(digest) => digest.finalize().to_vec(),
        };
        ChecksumValue {
            algorithm: self.algorithm,
            bytes,
        }
    }
}

impl ChecksumAlgorithm {
    /// Whether the checksums of parts combine to that of the whole.
    pub fn combines(self) -> bool {
        crc_of(self).is_some()
    }
}

impl Checksum {
    /// Of how many parts a composite checksum is.
    pub fn part_count(&self) -> Option<u32> {
        let (_, count) = self.value.rsplit_once('-')?;
        count.parse().ok().filter(|count| *count > 0)
    }
}

fn crc_of(algorithm: ChecksumAlgorithm) -> Option<CrcAlgorithm> {
    match algorithm {
        ChecksumAlgorithm::Crc64Nvme => Some(CrcAlgorithm::Crc64Nvme),
        ChecksumAlgorithm::Crc32 => Some(CrcAlgorithm::Crc32IsoHdlc),
        ChecksumAlgorithm::Crc32c => Some(CrcAlgorithm::Crc32Iscsi),
        ChecksumAlgorithm::Sha1 | ChecksumAlgorithm::Sha256 => None,
    }
}

/// The last `length` bytes of a CRC, big-endian.
fn crc_bytes(crc: u64, length: usize) -> Vec<u8> {
    let bytes = crc.to_be_bytes();
    bytes[bytes.len() - length..].to_vec()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::*;

    #[test]
    fn values_match_the_published_ones() {
        // Check values for "123456789": the CRC catalogue's, and SHA test vectors made with
        // OpenSSL.
        for (algorithm, expected) in [
            (ChecksumAlgorithm::Crc32, "cbf43926"),
            (ChecksumAlgorithm::Crc32c, "e3069283"),
            (ChecksumAlgorithm::Crc64Nvme, "ae8b14860a799888"),
            (
                ChecksumAlgorithm::Sha1,
                "f7c3bc1d808e04732adf679965ccc34ca7ae3441",
            ),
            (
                ChecksumAlgorithm::Sha256,
                "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225",
            ),
        ] {
            let value = ChecksumValue::of(algorithm, b"123456789");
            assert_eq!(hex::encode(&value.bytes), expected);
            assert_eq!(value.algorithm(), algorithm);
        }
    }

    #[test]
    fn a_composite_is_the_checksum_of_the_parts_and_their_number() {
        let parts = [b"one".as_slice(), b"two"]
            .map(|part| ChecksumValue::of(ChecksumAlgorithm::Sha256, part));
        let joined: Vec<u8> = parts.iter().flat_map(|part| part.bytes.clone()).collect();
        let over = ChecksumValue::of(ChecksumAlgorithm::Sha256, &joined);
        let composite = ChecksumValue::composite(&parts).unwrap();
        assert_eq!(composite.value, format!("{}-2", BASE64.encode(over.bytes)));
        assert_eq!(composite.part_count(), Some(2));
        assert_eq!(ChecksumValue::composite(&[]), None);
        let mixed = [
            ChecksumValue::of(ChecksumAlgorithm::Crc32, b""),
            ChecksumValue::of(ChecksumAlgorithm::Crc32c, b""),
        ];
        assert_eq!(ChecksumValue::composite(&mixed), None);
    }

    proptest! {
        #[test]
        fn crcs_of_parts_combine_and_digests_do_not(one in any::<Vec<u8>>(), two in any::<Vec<u8>>()) {
            let whole = [one.clone(), two.clone()].concat();
            for algorithm in ChecksumAlgorithm::ALL {
                let [first, second] = [&one, &two].map(|part| ChecksumValue::of(algorithm, part));
                let combined = first.then(&second, two.len() as u64);
                let expected = ChecksumValue::of(algorithm, &whole);
                prop_assert_eq!(combined, algorithm.combines().then_some(expected));
            }
        }
    }
}
