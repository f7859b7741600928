//! Multipart uploads: random parts against a plain map, and S3's refusals in S3's order.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use std::collections::BTreeMap;

use base::checksum::ChecksumType;
use base::ids::PartNumber;
use base::{BucketName, Checksum, ChecksumAlgorithm, Clock, Crc64Nvme, ETag, Key, UploadId};
use bytes::Bytes;
use proptest::prelude::{any, prop_assert_eq, proptest};
use store::Model;
use store::model::{
    Attributes, ChecksumPlan, CompleteExpectations, CompleteMultipartUpload, CompletedPart,
    CreateMultipartUpload, Declared, Encryption, Error, ModelOptions, PutObject, Received, Stored,
    StoredPart, Tags, UploadPart, UploadPartCopy, WriteConditions,
};

struct Bench {
    model: Model,
    bucket: BucketName,
    key: Key,
    upload_id: UploadId,
}

impl Bench {
    fn new(part_size_min: u64, plan: Option<ChecksumPlan>, attributes: Attributes) -> Bench {
        let options = ModelOptions {
            part_size_min,
            ..ModelOptions::default()
        };
        let model = Model::new(Clock::system(), options);
        let bucket = BucketName::new("bucket").unwrap();
        let key = Key::new("key").unwrap();
        model.create_bucket(&bucket).unwrap();
        let upload_id = model
            .create_multipart_upload(CreateMultipartUpload {
                bucket: bucket.clone(),
                key: key.clone(),
                attributes,
                tags: Tags::default(),
                plan,
            })
            .unwrap();
        Bench {
            model,
            bucket,
            key,
            upload_id,
        }
    }

    fn plain() -> Bench {
        Bench::new(2, None, Attributes::default())
    }

    fn send(&self, number: u32, bytes: &[u8]) -> Result<StoredPart, Error> {
        let received = Received::from_bytes(bytes.to_vec(), ChecksumAlgorithm::ALL);
        self.model.upload_part(UploadPart {
            bucket: self.bucket.clone(),
            key: self.key.clone(),
            upload_id: self.upload_id.clone(),
            part_number: PartNumber::new(number).unwrap(),
            received,
            declared: Declared::default(),
        })
    }

    fn complete(
        &self,
        parts: Vec<CompletedPart>,
        expectations: CompleteExpectations,
    ) -> Result<Stored, Error> {
        self.model
            .complete_multipart_upload(CompleteMultipartUpload {
                bucket: self.bucket.clone(),
                key: self.key.clone(),
                upload_id: self.upload_id.clone(),
                parts,
                expectations,
                conditions: WriteConditions::default(),
            })
    }
}

fn named(part_number: u32, stored: &StoredPart) -> CompletedPart {
    CompletedPart {
        part_number,
        etag: stored.etag.clone(),
        checksums: Vec::new(),
    }
}

proptest! {
    #[test]
    fn the_object_is_the_last_of_each_part_named(
        sent in proptest::collection::vec((1_u32..6, any::<Vec<u8>>()), 1..12),
        page in 1_usize..4,
    ) {
        let bench = Bench::new(0, None, Attributes::default());
        let mut expected: BTreeMap<u32, (Vec<u8>, StoredPart)> = BTreeMap::new();
        for (number, bytes) in sent {
            let stored = bench.send(number, &bytes).unwrap();
            expected.insert(number, (bytes, stored));
        }
        let mut listed = Vec::new();
        let mut after = None;
        loop {
            let found = bench
                .model
                .list_parts(&bench.bucket, &bench.key, &bench.upload_id, after, page)
                .unwrap();
            listed.extend(found.parts.into_iter().map(|part| {
                (part.part_number.get(), part.size, part.etag)
            }));
            after = found.next_after;
            if after.is_none() {
                break;
            }
        }
        let sizes: Vec<_> = expected
            .iter()
            .map(|(number, (bytes, part))| (*number, bytes.len() as u64, part.etag.clone()))
            .collect();
        prop_assert_eq!(listed, sizes);
        let parts = expected.iter().map(|(number, (_, part))| named(*number, part)).collect();
        let stored = bench.complete(parts, CompleteExpectations::default()).unwrap();
        let whole: Vec<u8> = expected.values().flat_map(|(bytes, _)| bytes.clone()).collect();
        prop_assert_eq!(&stored.object.body.to_bytes()[..], &whole[..]);
        prop_assert_eq!(&stored.object.checksum, &Checksum::crc64nvme(Crc64Nvme::of(&whole)));
        prop_assert_eq!(stored.object.etag.part_count(), Some(u32::try_from(expected.len()).unwrap()));
        let again = bench.complete(Vec::new(), CompleteExpectations::default());
        prop_assert_eq!(again.err(), Some(Error::NoSuchUpload));
    }
}

#[test]
fn a_multipart_etag_is_the_md5_of_the_parts_md5s() {
    let bench = Bench::plain();
    let first = bench.send(1, b"12345").unwrap();
    let second = bench.send(2, b"6789").unwrap();
    let parts = vec![named(1, &first), named(2, &second)];
    let stored = bench
        .complete(parts, CompleteExpectations::default())
        .unwrap();
    let joined = [first.etag.as_md5().unwrap(), second.etag.as_md5().unwrap()].concat();
    let over = Received::from_bytes(joined, []);
    let other = Bench::plain();
    let over = other
        .model
        .put_object(PutObject::new(
            other.bucket.clone(),
            other.key.clone(),
            over,
        ))
        .unwrap();
    let expected = format!("{}-2", over.object.etag);
    assert_eq!(stored.object.etag.as_str(), expected);
}

#[test]
fn refusals_come_in_s3s_order_and_leave_the_upload() {
    let bench = Bench::plain();
    let small = bench.send(1, b"1").unwrap();
    let last = bench.send(2, b"2").unwrap();
    let complete = |parts| bench.complete(parts, CompleteExpectations::default());
    assert_eq!(complete(Vec::new()).err(), Some(Error::MalformedXml));
    let unknown = CompletedPart {
        part_number: 1,
        etag: ETag::from_header("nobody"),
        checksums: Vec::new(),
    };
    let disordered = vec![named(2, &last), unknown.clone()];
    assert_eq!(complete(disordered).err(), Some(Error::InvalidPartOrder));
    let doubled = vec![named(1, &small), named(1, &small)];
    assert_eq!(complete(doubled).err(), Some(Error::InvalidPartOrder));
    let wrong = vec![unknown, named(2, &last)];
    assert_eq!(complete(wrong).err(), Some(Error::InvalidPart));
    let too_small = vec![named(1, &small), named(2, &last)];
    assert_eq!(complete(too_small).err(), Some(Error::EntityTooSmall));
    let size = CompleteExpectations {
        object_size: Some(9),
        ..CompleteExpectations::default()
    };
    let refused = bench.complete(vec![named(2, &last)], size).err();
    assert!(
        matches!(refused, Some(Error::InvalidRequest(_))),
        "{refused:?}"
    );
    let checksum = CompleteExpectations {
        checksum: Some((ChecksumAlgorithm::Crc64Nvme, Crc64Nvme(1).to_base64())),
        ..CompleteExpectations::default()
    };
    let refused = bench.complete(vec![named(2, &last)], checksum).err();
    assert!(
        matches!(refused, Some(Error::BadDigest { .. })),
        "{refused:?}"
    );
    assert!(complete(vec![named(2, &last)]).is_ok());
}

#[test]
fn composite_checksums_are_taken_over_the_parts_checksums() {
    let plan = ChecksumPlan::new(ChecksumAlgorithm::Sha256, None).unwrap();
    assert_eq!(plan.checksum_type, ChecksumType::Composite);
    let bench = Bench::new(2, Some(plan), Attributes::default());
    let first = bench.send(1, b"12345").unwrap();
    let second = bench.send(2, b"6789").unwrap();
    let without = bench.complete(
        vec![named(1, &first), named(2, &second)],
        CompleteExpectations::default(),
    );
    assert!(matches!(without.err(), Some(Error::InvalidRequest(_))));
    let with = |number, part: &StoredPart| CompletedPart {
        checksums: vec![(ChecksumAlgorithm::Sha256, part.checksum.value.clone())],
        ..named(number, part)
    };
    let stored = bench
        .complete(
            vec![with(1, &first), with(2, &second)],
            CompleteExpectations::default(),
        )
        .unwrap();
    // Computed with OpenSSL: SHA-256 over the two parts' SHA-256s.
    assert_eq!(
        stored.object.checksum.value,
        COMPOSITE_SHA256_OF_12345_AND_6789
    );
    assert_eq!(
        stored.object.checksum.checksum_type,
        ChecksumType::Composite
    );
}

const COMPOSITE_SHA256_OF_12345_AND_6789: &str = "/wiQ+jHXUUcr18tTEaeru5H1cBgrYDQGvfxkGFLzgl4=-2";

#[test]
fn checksum_types_that_cannot_be_computed_are_refused() {
    let refused =
        |algorithm, checksum_type| ChecksumPlan::new(algorithm, Some(checksum_type)).is_err();
    assert!(refused(ChecksumAlgorithm::Sha1, ChecksumType::FullObject));
    assert!(refused(ChecksumAlgorithm::Sha256, ChecksumType::FullObject));
    assert!(refused(
        ChecksumAlgorithm::Crc64Nvme,
        ChecksumType::Composite
    ));
    assert!(!refused(ChecksumAlgorithm::Crc32, ChecksumType::Composite));
    assert!(!refused(
        ChecksumAlgorithm::Crc32c,
        ChecksumType::FullObject
    ));
}

#[test]
fn encryption_by_kms_hides_the_md5() {
    let attributes = Attributes {
        encryption: Encryption {
            algorithm: Some("aws:kms".to_owned()),
            kms_key_id: None,
        },
        ..Attributes::default()
    };
    let bench = Bench::new(0, None, attributes);
    let part = bench.send(1, b"123456789").unwrap();
    assert_ne!(part.etag.as_str(), "25f9e794323b453885f5181f1b624d0b");
    let stored = bench
        .complete(vec![named(1, &part)], CompleteExpectations::default())
        .unwrap();
    assert_eq!(stored.object.etag.part_count(), Some(1));
}

#[test]
fn a_copied_part_shares_its_bytes_with_the_source() {
    let bench = Bench::plain();
    let source = Bytes::from_static(b"0123456789");
    let source_key = Key::new("source").unwrap();
    let received = Received::from_bytes(source.clone(), []);
    bench
        .model
        .put_object(PutObject::new(
            bench.bucket.clone(),
            source_key.clone(),
            received,
        ))
        .unwrap();
    let copy = |source_range| {
        bench.model.upload_part_copy(UploadPartCopy {
            source_bucket: bench.bucket.clone(),
            source_key: source_key.clone(),
            source_version_id: None,
            source_conditions: store::model::ReadConditions::default(),
            source_range,
            bucket: bench.bucket.clone(),
            key: bench.key.clone(),
            upload_id: bench.upload_id.clone(),
            part_number: PartNumber::new(1).unwrap(),
        })
    };
    assert!(matches!(
        copy(Some((5, 10))),
        Err(Error::InvalidArgument(_))
    ));
    let (part, version) = copy(Some((2, 4))).unwrap();
    assert_eq!(version, None);
    let stored = bench
        .complete(vec![named(1, &part)], CompleteExpectations::default())
        .unwrap();
    assert_eq!(stored.object.body.to_bytes(), source.slice(2..5));
}
