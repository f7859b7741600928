//! Rows come back as they were written, and no bytes upset their readers.

use std::fmt::Debug;

use base::ChecksumAlgorithm;
use base::checksum::ChecksumType;
use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, proptest};
use proptest::test_runner::TestCaseResult;

use super::*;
use crate::format::body::Place;
use crate::format::ids::{BlockId, BodyId};
use crate::model::{Encryption, Grant, Grantee, Lock, LockMode};

fn time() -> impl Strategy<Value = Timestamp> {
    (-377_705_000_000..253_402_000_000_i64, 0..1_000_000_000_i32)
        .prop_map(|(second, nanosecond)| Timestamp::new(second, nanosecond).unwrap())
}

fn checksum() -> impl Strategy<Value = Checksum> {
    let algorithm = proptest::sample::select(ChecksumAlgorithm::ALL.to_vec());
    (algorithm, any::<bool>(), "\\PC{0,12}").prop_map(|(algorithm, full, value)| Checksum {
        algorithm,
        checksum_type: if full {
            ChecksumType::FullObject
        } else {
            ChecksumType::Composite
        },
        value,
    })
}

fn lock() -> impl Strategy<Value = Lock> {
    let mode = proptest::sample::select(vec![
        None,
        Some(LockMode::Governance),
        Some(LockMode::Compliance),
    ]);
    (mode, proptest::option::of(time()), any::<bool>()).prop_map(
        |(mode, retain_until, legal_hold)| Lock {
            mode,
            retain_until,
            legal_hold,
        },
    )
}

fn attributes() -> impl Strategy<Value = Attributes> {
    let texts = proptest::collection::vec(any::<Option<String>>(), 11);
    let grant = (any::<String>(), any::<Option<String>>(), any::<bool>()).prop_map(
        |(id, display_name, group)| Grant {
            grantee: if group {
                Grantee::Group(id)
            } else {
                Grantee::CanonicalUser { id, display_name }
            },
            permission: "READ".to_owned(),
        },
    );
    let grants = proptest::option::of(proptest::collection::vec(grant, 0..3));
    let metadata = proptest::collection::btree_map(any::<String>(), any::<String>(), 0..4);
    (texts, metadata, grants, lock()).prop_map(|(mut texts, metadata, grants, lock)| {
        let mut next = || texts.pop().flatten();
        Attributes {
            content_type: next(),
            content_encoding: next(),
            content_disposition: next(),
            content_language: next(),
            cache_control: next(),
            expires: next(),
            website_redirect_location: next(),
            metadata,
            storage_class: next(),
            acl: next(),
            grants,
            lock,
            encryption: Encryption {
                algorithm: next(),
                kms_key_id: next(),
            },
        }
    })
}

fn tags() -> impl Strategy<Value = Tags> {
    proptest::collection::btree_map("[a-z]{1,5}", "\\PC{0,5}", 0..5)
        .prop_map(|pairs| Tags::new(pairs).unwrap())
}

fn pieces() -> impl Strategy<Value = Vec<Piece>> {
    let piece = any::<(u64, u64, u32, u32)>().prop_map(|(block, record, offset, length)| Piece {
        place: Place {
            block: BlockId(block),
            record,
            offset,
        },
        length,
    });
    proptest::collection::vec(piece, 0..6)
}

fn layout() -> impl Strategy<Value = BodyLayout> {
    (any::<Option<(u64, u32)>>(), pieces()).prop_map(|(stretched, pieces)| match stretched {
        None => BodyLayout::Pieces(pieces),
        Some((body, stretches)) => BodyLayout::Stretches {
            body: BodyId(body),
            stretches,
        },
    })
}

fn object() -> impl Strategy<Value = ObjectRow> {
    (
        any::<(u64, u64, u32)>(),
        "[0-9a-f]{32}",
        checksum(),
        attributes(),
        tags(),
        proptest::option::of(time()),
        layout(),
    )
        .prop_map(
            |(numbers, etag, checksum, attributes, tags, restored_until, layout)| ObjectRow {
                size: numbers.0,
                crc64: Crc64Nvme(numbers.1),
                etag: ETag::from_header(&etag),
                checksum,
                attributes,
                tags,
                part_count: numbers.2,
                restored_until,
                layout,
            },
        )
}

/// A row is read as it was written, never when cut short, and flipped bits upset nothing.
fn holds<R: Row + PartialEq + Debug>(row: &R, cut: usize, bit: usize) -> TestCaseResult {
    let mut bytes = row.encode();
    prop_assert_eq!(&R::decode(&bytes).unwrap(), row);
    prop_assert!(R::decode(&bytes[..cut % bytes.len()]).is_err());
    let bit = bit % (bytes.len() * 8);
    bytes[bit / 8] ^= 1 << (bit % 8);
    let _ = R::decode(&bytes);
    Ok(())
}

proptest! {
    #[test]
    fn versions_are_read_as_they_were_written(
        sequence in any::<u64>(),
        version_id in "[0-9a-f]{32}|null",
        last_modified in time(),
        object in proptest::option::of(object()),
        places in any::<(usize, usize)>(),
    ) {
        let row = VersionRow {
            sequence,
            version_id: VersionId::new(version_id),
            last_modified,
            object,
        };
        holds(&row, places.0, places.1)?;
    }

    #[test]
    fn buckets_and_uploads_are_read_as_they_were_written(
        when in time(),
        versioning in 0..3_u8,
        takes_locks in any::<bool>(),
        tags in proptest::option::of(tags()),
        attributes in attributes(),
        checksum in proptest::option::of(checksum()),
        places in any::<(usize, usize)>(),
    ) {
        let upload = UploadRow {
            sequence: 77,
            initiated: when,
            attributes,
            tags: tags.clone().unwrap_or_default(),
            plan: checksum.map(|checksum| ChecksumPlan {
                algorithm: checksum.algorithm,
                checksum_type: checksum.checksum_type,
            }),
        };
        holds(&upload, places.0, places.1)?;
        let versioning = match versioning {
            0 => None,
            1 => Some(Versioning::Enabled),
            _ => Some(Versioning::Suspended),
        };
        holds(&BucketRow { created: when, versioning, takes_locks, tags }, places.0, places.1)?;
    }

    #[test]
    fn parts_and_stretches_are_read_as_they_were_written(
        numbers in any::<(u64, u64, [u8; 16])>(),
        etag in "[0-9a-f]{32}",
        checksum in checksum(),
        when in time(),
        layout in layout(),
        pieces in pieces(),
        sizes in proptest::collection::vec(any::<(u32, u64)>(), 0..4),
        places in any::<(usize, usize)>(),
    ) {
        let part = PartRow {
            size: numbers.0,
            crc64: Crc64Nvme(numbers.1),
            md5: numbers.2,
            etag: ETag::from_header(&etag),
            checksum: checksum.clone(),
            last_modified: when,
            layout,
        };
        holds(&part, places.0, places.1)?;
        let parts = sizes.into_iter().map(|(part_number, size)| ObjectPart {
            part_number,
            size,
            checksum: size.is_multiple_of(2).then(|| checksum.clone()),
        });
        holds(&StretchRow { parts: parts.collect(), pieces }, places.0, places.1)?;
    }

    #[test]
    fn blocks_are_read_as_they_were_written(
        flags in any::<(bool, bool, u8, u8)>(),
        numbers in any::<(u64, u64)>(),
        places in proptest::collection::vec(any::<(u128, u32, u64, u16)>(), 0..5),
        cuts in any::<(usize, usize)>(),
    ) {
        let row = BlockRow {
            kind: if flags.0 { ExtentKind::Log } else { ExtentKind::Data },
            state: if flags.1 { BlockState::Open } else { BlockState::Closed },
            codec: Codec::Replica,
            policy: (flags.2, flags.3),
            generation: numbers.0,
            length: numbers.1,
            places: places
                .into_iter()
                .map(|(volume, extent, incarnation, shard)| BlockPlace {
                    volume: VolumeId(volume),
                    extent: ExtentNumber(extent),
                    incarnation: Incarnation(incarnation),
                    shard,
                })
                .collect(),
        };
        holds(&row, cuts.0, cuts.1)?;
    }

    #[test]
    fn no_bytes_at_all_upset_the_readers_of_rows(mut bytes in any::<Vec<u8>>()) {
        for first in [None, Some(LAYOUT)] {
            if let (Some(first), Some(byte)) = (first, bytes.first_mut()) {
                *byte = first;
            }
            let _ = BucketRow::decode(&bytes);
            let _ = VersionRow::decode(&bytes);
            let _ = UploadRow::decode(&bytes);
            let _ = PartRow::decode(&bytes);
            let _ = StretchRow::decode(&bytes);
            let _ = BlockRow::decode(&bytes);
        }
    }
}
