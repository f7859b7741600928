//! Unfinished multipart uploads, and the checks that make an object of their parts.

use std::collections::BTreeMap;
use std::sync::Arc;

use base::checksum::ChecksumType;
use base::ids::PartNumber;
use base::{Checksum, ChecksumAlgorithm, ETag};
use jiff::Timestamp;

use super::attributes::{Attributes, Tags};
use super::body::Body;
use super::digest::{Received, combine, combines, multipart_etag};
use super::error::Error;
use super::version::{Object, ObjectPart};

/// Bytes of a part, in memory or wherever they are kept.
pub(crate) trait PartBody {
    /// How many.
    fn byte_count(&self) -> u64;
}

impl PartBody for Body {
    fn byte_count(&self) -> u64 {
        self.len()
    }
}

/// An unfinished upload.
#[derive(Debug, Clone)]
pub(crate) struct Upload<B = Body> {
    /// When it began: the object's time, once it is complete.
    pub(crate) initiated: Timestamp,
    /// What the object will carry.
    pub(crate) attributes: Attributes,
    /// Tags of the object.
    pub(crate) tags: Tags,
    /// The checksum that was asked for; none leaves CRC-64/NVME to the store.
    pub(crate) plan: Option<ChecksumPlan>,
    /// The parts that arrived last, by number.
    pub(crate) parts: BTreeMap<PartNumber, Part<B>>,
}

/// Which checksum an upload keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChecksumPlan {
    /// Which algorithm.
    pub algorithm: ChecksumAlgorithm,
    /// Over the object, or over its parts' checksums.
    pub checksum_type: ChecksumType,
}

impl ChecksumPlan {
    /// Completes what a CreateMultipartUpload asked for by S3's defaults.
    ///
    /// # Errors
    /// `InvalidRequest` for a pair that cannot be computed.
    pub fn new(
        algorithm: ChecksumAlgorithm,
        checksum_type: Option<ChecksumType>,
    ) -> Result<ChecksumPlan, Error> {
        let only_full = algorithm == ChecksumAlgorithm::Crc64Nvme;
        let checksum_type = match checksum_type {
            None if only_full => ChecksumType::FullObject,
            None => ChecksumType::Composite,
            Some(ChecksumType::Composite) if only_full => {
                return Err(refused_type("COMPOSITE", algorithm));
            }
            Some(ChecksumType::FullObject) if !combines(algorithm) => {
                return Err(refused_type("FULL_OBJECT", algorithm));
            }
            Some(checksum_type) => checksum_type,
        };
        Ok(ChecksumPlan {
            algorithm,
            checksum_type,
        })
    }
}

fn refused_type(checksum_type: &str, algorithm: ChecksumAlgorithm) -> Error {
    Error::InvalidRequest(format!(
        "The {checksum_type} checksum type cannot be used with the {} checksum algorithm.",
        algorithm.as_str().to_ascii_lowercase()
    ))
}

/// A part that arrived.
#[derive(Debug, Clone)]
pub(crate) struct Part<B = Body> {
    pub(crate) body: B,
    pub(crate) md5: [u8; 16],
    pub(crate) etag: ETag,
    /// Of the upload's algorithm, or CRC-64/NVME where it has none.
    pub(crate) checksum: Checksum,
    pub(crate) last_modified: Timestamp,
}

/// A part as a Complete names it.
#[derive(Debug, Clone)]
pub struct CompletedPart {
    /// Its number, as the request gave it.
    pub part_number: u32,
    /// Its ETag.
    pub etag: ETag,
    /// Its checksums, as base64.
    pub checksums: Vec<(ChecksumAlgorithm, String)>,
}

/// What a Complete says besides its parts.
#[derive(Debug, Clone, Default)]
pub struct CompleteExpectations {
    /// The whole object's checksum.
    pub checksum: Option<(ChecksumAlgorithm, String)>,
    /// `x-amz-checksum-type`.
    pub checksum_type: Option<ChecksumType>,
    /// `x-amz-mp-object-size`, in bytes.
    pub object_size: Option<u64>,
}

/// What a Complete makes of an upload's parts.
#[derive(Debug)]
pub(crate) struct Completed<'a, B> {
    /// The parts named, in order.
    pub(crate) parts: Vec<(PartNumber, &'a Part<B>)>,
    /// The object's ETag.
    pub(crate) etag: ETag,
    /// The object's checksum.
    pub(crate) checksum: Checksum,
    /// The parts, as the object tells of them.
    pub(crate) object_parts: Vec<ObjectPart>,
}

impl Upload {
    /// Checks a Complete and makes the object.
    ///
    /// # Errors
    /// As [`check_complete`](Self::check_complete).
    pub(crate) fn complete(
        &self,
        named: &[CompletedPart],
        expectations: &CompleteExpectations,
        part_size_min: u64,
        opaque_etag: Option<ETag>,
    ) -> Result<Object, Error> {
        let completed = self.check_complete(named, expectations, part_size_min, opaque_etag)?;
        Ok(Object {
            body: Body::concat(completed.parts.iter().map(|(_, part)| &part.body)),
            etag: completed.etag,
            last_modified: self.initiated,
            attributes: self.attributes.clone(),
            tags: self.tags.clone(),
            checksum: completed.checksum,
            parts: Arc::from(completed.object_parts),
            restored_until: None,
        })
    }

    /// Makes a part of bytes that arrived.
    ///
    /// # Errors
    /// As [`part_of`](Self::part_of).
    pub(crate) fn part(
        &self,
        received: &Received,
        declared: &[(ChecksumAlgorithm, String)],
        etag: ETag,
        now: Timestamp,
    ) -> Result<Part, Error> {
        self.part_of(received, declared, etag, now, received.body.clone())
    }
}

impl<B: PartBody> Upload<B> {
    /// The algorithm that parts are stored with.
    pub(crate) fn algorithm(&self) -> ChecksumAlgorithm {
        self.plan
            .map_or(ChecksumAlgorithm::Crc64Nvme, |plan| plan.algorithm)
    }

    /// Makes a part of bytes that arrived and are kept as `body`.
    ///
    /// # Errors
    /// `InvalidRequest` when the checksum that came along is not the one the upload keeps.
    pub(crate) fn part_of(
        &self,
        received: &Received,
        declared: &[(ChecksumAlgorithm, String)],
        etag: ETag,
        now: Timestamp,
        body: B,
    ) -> Result<Part<B>, Error> {
        let expected = self.algorithm();
        // An upload that asked for none takes any: SDKs send one with every part by themselves.
        if let Some(plan) = self.plan
            && let Some((other, _)) = declared.iter().find(|(given, _)| *given != expected)
        {
            return Err(Error::InvalidRequest(format!(
                "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}",
                plan.algorithm.as_str().to_ascii_lowercase(),
                other.as_str().to_ascii_lowercase()
            )));
        }
        let checksum = received
            .checksum(expected)
            .expect("bytes for an upload are taken in with its algorithm");
        Ok(Part {
            body,
            md5: received.md5,
            etag,
            checksum: checksum.clone(),
            last_modified: now,
        })
    }

    /// Checks a Complete. `opaque_etag` replaces the ETag where there is one.
    ///
    /// # Errors
    /// In S3's order: `InvalidPartOrder`, `InvalidPart`, `EntityTooSmall`, then what the
    /// expectations say.
    pub(crate) fn check_complete(
        &self,
        named: &[CompletedPart],
        expectations: &CompleteExpectations,
        part_size_min: u64,
        opaque_etag: Option<ETag>,
    ) -> Result<Completed<'_, B>, Error> {
        let parts = self.check_parts(named, part_size_min)?;
        let sizes: u64 = parts.iter().map(|(_, part)| part.body.byte_count()).sum();
        if let Some(expected) = expectations.object_size.filter(|size| *size != sizes) {
            return Err(Error::InvalidRequest(format!(
                "The provided 'x-amz-mp-object-size' header value {expected} does not match what was computed: {sizes}"
            )));
        }
        let checksum = self.check_checksum(&parts, expectations)?;
        let etag =
            opaque_etag.unwrap_or_else(|| multipart_etag(parts.iter().map(|(_, part)| &part.md5)));
        let object_parts: Vec<ObjectPart> = parts
            .iter()
            .map(|(number, part)| ObjectPart {
                part_number: number.get(),
                size: part.body.byte_count(),
                checksum: self.plan.map(|_| part.checksum.clone()),
            })
            .collect();
        Ok(Completed {
            parts,
            etag,
            checksum,
            object_parts,
        })
    }

    fn check_parts(
        &self,
        named: &[CompletedPart],
        part_size_min: u64,
    ) -> Result<Vec<(PartNumber, &Part<B>)>, Error> {
        if named.is_empty() {
            return Err(Error::MalformedXml);
        }
        if !named.is_sorted_by(|a, b| a.part_number < b.part_number) {
            return Err(Error::InvalidPartOrder);
        }
        let mut parts = Vec::with_capacity(named.len());
        for name in named {
            let number = PartNumber::new(name.part_number).ok_or(Error::InvalidPart)?;
            let part = self.parts.get(&number).ok_or(Error::InvalidPart)?;
            let checksums_match = name
                .checksums
                .iter()
                .filter(|(algorithm, _)| *algorithm == part.checksum.algorithm)
                .all(|(_, value)| *value == part.checksum.value);
            if part.etag != name.etag || !checksums_match {
                return Err(Error::InvalidPart);
            }
            parts.push((number, part));
        }
        let (_, but_last) = parts.split_last().expect("there is at least one part");
        if but_last
            .iter()
            .any(|(_, part)| part.body.byte_count() < part_size_min)
        {
            return Err(Error::EntityTooSmall);
        }
        if let Some(plan) = self.plan
            // Those that combine are computed from the parts, whether the request repeats them.
            && !combines(plan.algorithm)
        {
            let missing = named.iter().find(|name| {
                name.checksums
                    .iter()
                    .all(|(given, _)| *given != plan.algorithm)
            });
            if let Some(missing) = missing {
                return Err(Error::InvalidRequest(format!(
                    "The upload was created using a {} checksum. The complete request must include the checksum for each part. It was missing for part {} in the request.",
                    plan.algorithm.as_str().to_ascii_lowercase(),
                    missing.part_number
                )));
            }
        }
        Ok(parts)
    }

    fn check_checksum(
        &self,
        parts: &[(PartNumber, &Part<B>)],
        expectations: &CompleteExpectations,
    ) -> Result<Checksum, Error> {
        let plan = self.plan.unwrap_or(ChecksumPlan {
            algorithm: ChecksumAlgorithm::Crc64Nvme,
            checksum_type: ChecksumType::FullObject,
        });
        if expectations
            .checksum_type
            .is_some_and(|expected| expected != plan.checksum_type)
        {
            return Err(Error::InvalidRequest(
                "The checksum type of the complete request differs from that of the upload."
                    .to_owned(),
            ));
        }
        let of_parts: Vec<(&Checksum, u64)> = parts
            .iter()
            .map(|(_, part)| (&part.checksum, part.body.byte_count()))
            .collect();
        let checksum = combine(plan.algorithm, plan.checksum_type, &of_parts)
            .expect("an upload's parts have its algorithm, and its plan can be computed");
        if let Some((algorithm, value)) = &expectations.checksum {
            if *algorithm != plan.algorithm {
                return Err(Error::InvalidRequest(format!(
                    "The complete request names a {} checksum, but the upload keeps another.",
                    algorithm.as_str().to_ascii_lowercase()
                )));
            }
            // A composite checksum may be given without its part count.
            let digest = checksum.value.split('-').next();
            if *value != checksum.value && Some(value.as_str()) != digest {
                return Err(Error::BadDigest {
                    algorithm: algorithm.as_str(),
                });
            }
        }
        Ok(checksum)
    }
}
