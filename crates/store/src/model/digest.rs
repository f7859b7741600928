//! Checksums of bytes that arrive, and how those of parts become one.

use base::checksum::{ChecksumType, Crc64Hasher};
use base::{Checksum, ChecksumAlgorithm, ETag};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use crc_fast::{CrcAlgorithm, Digest as Crc32Digest};
use md5::{Digest as _, Md5};
use sha1::Sha1;
use sha2::Sha256;

use super::body::{Body, BodyBuilder};
use super::error::Error;

/// What a request says about its bytes; compared once they are all there.
#[derive(Debug, Clone, Default)]
pub struct Declared {
    /// `Content-MD5`.
    pub content_md5: Option<[u8; 16]>,
    /// `x-amz-checksum-*`, from headers or trailers: algorithm and base64 text.
    pub checksums: Vec<(ChecksumAlgorithm, String)>,
}

/// Hashes a body while it passes by, once, and keeps its frames.
#[derive(Debug)]
pub struct Intake {
    md5: Md5,
    crc64: Crc64Hasher,
    others: Vec<Hasher>,
    body: BodyBuilder,
}

impl Intake {
    /// Ready for the first frame; MD5 and CRC-64/NVME are always taken, `algorithms` besides.
    pub fn new(algorithms: impl IntoIterator<Item = ChecksumAlgorithm>) -> Intake {
        Intake {
            md5: Md5::new(),
            crc64: Crc64Hasher::new(),
            others: algorithms.into_iter().filter_map(Hasher::new).collect(),
            body: BodyBuilder::default(),
        }
    }

    /// Takes the next frame.
    pub fn push(&mut self, frame: Bytes) {
        self.md5.update(&frame);
        self.crc64.update(&frame);
        for hasher in &mut self.others {
            hasher.update(&frame);
        }
        self.body.push(frame);
    }

    /// All frames are there.
    pub fn finish(self) -> Received {
        let mut checksums = vec![Checksum::crc64nvme(self.crc64.finish())];
        checksums.extend(self.others.into_iter().map(Hasher::finish));
        Received {
            body: self.body.finish(),
            md5: self.md5.finalize().into(),
            checksums,
        }
    }
}

/// Bytes that arrived, with all that was computed on their way.
#[derive(Debug, Clone)]
pub struct Received {
    /// The bytes.
    pub(crate) body: Body,
    /// Their MD5.
    pub(crate) md5: [u8; 16],
    /// Their checksums, all over the whole: CRC-64/NVME first, then those asked for.
    pub(crate) checksums: Vec<Checksum>,
}

impl Received {
    /// Takes bytes that are all there.
    pub fn from_bytes(
        bytes: impl Into<Bytes>,
        algorithms: impl IntoIterator<Item = ChecksumAlgorithm>,
    ) -> Received {
        let mut intake = Intake::new(algorithms);
        intake.push(bytes.into());
        intake.finish()
    }

    /// Hashes bytes that the store holds already.
    pub(crate) fn from_body(body: &Body, algorithm: ChecksumAlgorithm) -> Received {
        let mut intake = Intake::new([algorithm]);
        for segment in body.segments() {
            intake.push(segment.clone());
        }
        let received = intake.finish();
        // The stored segments, rather than what gathering made of them.
        Received {
            body: body.clone(),
            ..received
        }
    }

    /// Number of bytes.
    pub fn size(&self) -> u64 {
        self.body.len()
    }

    /// The CRC-64/NVME of all bytes.
    pub(crate) fn crc64(&self) -> base::Crc64Nvme {
        self.checksum(ChecksumAlgorithm::Crc64Nvme)
            .and_then(Checksum::as_crc64nvme)
            .expect("it is always taken, first of all")
    }

    /// The MD5 as an ETag.
    pub fn md5_etag(&self) -> ETag {
        ETag::from_header(&hex::encode(self.md5))
    }

    /// The checksum of one algorithm, if it was taken.
    pub(crate) fn checksum(&self, algorithm: ChecksumAlgorithm) -> Option<&Checksum> {
        self.checksums.iter().find(|c| c.algorithm == algorithm)
    }

    /// Compares with what the request said.
    ///
    /// # Errors
    /// `BadDigest` when something differs, `InvalidRequest` for what is no checksum at all.
    pub fn verify(&self, declared: &Declared) -> Result<(), Error> {
        if declared.content_md5.is_some_and(|md5| md5 != self.md5) {
            return Err(Error::BadDigest {
                algorithm: "Content-MD5",
            });
        }
        for (algorithm, value) in &declared.checksums {
            let wrong_length = BASE64
                .decode(value)
                .map_or(true, |bytes| bytes.len() != digest_bytes(*algorithm));
            if wrong_length {
                let header = algorithm.header();
                return Err(Error::InvalidRequest(format!(
                    "Value for {header} header is invalid."
                )));
            }
            let computed = self
                .checksum(*algorithm)
                .expect("the caller asked for every algorithm that is declared");
            if computed.value != *value {
                return Err(Error::BadDigest {
                    algorithm: algorithm.as_str(),
                });
            }
        }
        Ok(())
    }
}

/// Length of a value of the algorithm, in bytes.
fn digest_bytes(algorithm: ChecksumAlgorithm) -> usize {
    match algorithm {
        ChecksumAlgorithm::Crc64Nvme => 8,
        ChecksumAlgorithm::Crc32 | ChecksumAlgorithm::Crc32c => 4,
        ChecksumAlgorithm::Sha1 => 20,
        ChecksumAlgorithm::Sha256 => 32,
    }
}

/// The running state of an algorithm besides CRC-64/NVME.
#[derive(Debug)]
enum Hasher {
    Crc32(ChecksumAlgorithm, Crc32Digest),
    Sha1(Sha1),
    Sha256(Sha256),
}

impl Hasher {
    fn new(algorithm: ChecksumAlgorithm) -> Option<Hasher> {
        match algorithm {
            // Always taken.
            ChecksumAlgorithm::Crc64Nvme => None,
            ChecksumAlgorithm::Crc32 | ChecksumAlgorithm::Crc32c => Some(Hasher::Crc32(
                algorithm,
                Crc32Digest::new(crc_algorithm(algorithm)?),
            )),
            ChecksumAlgorithm::Sha1 => Some(Hasher::Sha1(Sha1::new())),
            ChecksumAlgorithm::Sha256 => Some(Hasher::Sha256(Sha256::new())),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Hasher::Crc32(_, digest) => digest.update(bytes),
            Hasher::Sha1(digest) => digest.update(bytes),
            Hasher::Sha256(digest) => digest.update(bytes),
        }
    }

    fn finish(self) -> Checksum {
        let (algorithm, value) = match self {
            Hasher::Crc32(algorithm, digest) => {
                (algorithm, crc_value(algorithm, digest.finalize()))
            }
            Hasher::Sha1(digest) => (ChecksumAlgorithm::Sha1, BASE64.encode(digest.finalize())),
            Hasher::Sha256(digest) => (ChecksumAlgorithm::Sha256, BASE64.encode(digest.finalize())),
        };
        Checksum {
            algorithm,
            checksum_type: ChecksumType::FullObject,
            value,
        }
    }
}

fn crc_algorithm(algorithm: ChecksumAlgorithm) -> Option<CrcAlgorithm> {
    match algorithm {
        ChecksumAlgorithm::Crc64Nvme => Some(CrcAlgorithm::Crc64Nvme),
        ChecksumAlgorithm::Crc32 => Some(CrcAlgorithm::Crc32IsoHdlc),
        ChecksumAlgorithm::Crc32c => Some(CrcAlgorithm::Crc32Iscsi),
        ChecksumAlgorithm::Sha1 | ChecksumAlgorithm::Sha256 => None,
    }
}

/// Base64 of a CRC's big-endian bytes.
fn crc_value(algorithm: ChecksumAlgorithm, crc: u64) -> String {
    let bytes = crc.to_be_bytes();
    BASE64.encode(&bytes[bytes.len() - digest_bytes(algorithm)..])
}

fn crc_from_value(value: &str) -> Option<u64> {
    let bytes = BASE64.decode(value).ok()?;
    Some(
        bytes
            .iter()
            .fold(0, |crc, byte| crc << 8 | u64::from(*byte)),
    )
}

/// Whether checksums of this algorithm can be combined to that of the whole.
pub(crate) fn combines(algorithm: ChecksumAlgorithm) -> bool {
    crc_algorithm(algorithm).is_some()
}

/// The checksum of an object from those of its parts, each with its part's size in bytes.
///
/// `None` when the parts' checksums are of another algorithm, or cannot be combined.
pub(crate) fn combine(
    algorithm: ChecksumAlgorithm,
    checksum_type: ChecksumType,
    parts: &[(&Checksum, u64)],
) -> Option<Checksum> {
    let value = match checksum_type {
        ChecksumType::FullObject => {
            let crc = crc_algorithm(algorithm)?;
            let mut combined: Option<u64> = None;
            for (checksum, size) in parts {
                let next = crc_from_value(&checksum.value)?;
                combined = Some(match combined {
                    // A CRC of nothing changes nothing, whatever came before.
                    Some(so_far) if *size == 0 => so_far,
                    Some(so_far) => crc_fast::checksum_combine(crc, so_far, next, *size),
                    None => next,
                });
            }
            crc_value(algorithm, combined?)
        }
        ChecksumType::Composite => {
            let mut digests = Vec::new();
            for (checksum, _) in parts {
                digests.extend(BASE64.decode(&checksum.value).ok()?);
            }
            let over_digests = Received::from_bytes(digests, [algorithm]);
            let value = &over_digests.checksum(algorithm)?.value;
            format!("{value}-{}", parts.len())
        }
    };
    Some(Checksum {
        algorithm,
        checksum_type,
        value,
    })
}

/// The ETag of an object made from parts: the MD5 over the parts' MD5s, and their number.
pub(crate) fn multipart_etag<'a>(parts: impl ExactSizeIterator<Item = &'a [u8; 16]>) -> ETag {
    let count = parts.len();
    let mut md5 = Md5::new();
    for part in parts {
        md5.update(part);
    }
    ETag::from_header(&format!("{}-{count}", hex::encode(md5.finalize())))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::*;

    #[test]
    fn checksums_match_their_published_check_values() {
        // Check values for "123456789": the CRC catalogue's, and SHA test vectors made with
        // OpenSSL.
        let received = Received::from_bytes(&b"123456789"[..], ChecksumAlgorithm::ALL);
        let value = |algorithm| received.checksum(algorithm).unwrap().value.clone();
        let hex_of = |text: String| hex::encode(BASE64.decode(text).unwrap());
        assert_eq!(hex_of(value(ChecksumAlgorithm::Crc32)), "cbf43926");
        assert_eq!(hex_of(value(ChecksumAlgorithm::Crc32c)), "e3069283");
        assert_eq!(
            hex_of(value(ChecksumAlgorithm::Crc64Nvme)),
            "ae8b14860a799888"
        );
        assert_eq!(
            hex_of(value(ChecksumAlgorithm::Sha1)),
            "f7c3bc1d808e04732adf679965ccc34ca7ae3441"
        );
        assert_eq!(
            hex_of(value(ChecksumAlgorithm::Sha256)),
            "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"
        );
        assert_eq!(
            received.md5_etag().as_str(),
            "25f9e794323b453885f5181f1b624d0b"
        );
    }

    proptest! {
        #[test]
        fn full_object_checksums_do_not_depend_on_the_parts(
            parts in proptest::collection::vec(any::<Vec<u8>>(), 1..6),
        ) {
            let whole = Received::from_bytes(parts.concat(), ChecksumAlgorithm::ALL);
            let received: Vec<Received> = parts
                .iter()
                .map(|part| Received::from_bytes(part.clone(), ChecksumAlgorithm::ALL))
                .collect();
            for algorithm in ChecksumAlgorithm::ALL.into_iter().filter(|a| combines(*a)) {
                let checksums: Vec<(&Checksum, u64)> = received
                    .iter()
                    .map(|part| (part.checksum(algorithm).unwrap(), part.size()))
                    .collect();
                let combined = combine(algorithm, ChecksumType::FullObject, &checksums);
                prop_assert_eq!(combined.as_ref(), whole.checksum(algorithm));
            }
        }
    }
}
