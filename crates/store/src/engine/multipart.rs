//! Multipart uploads: begun, filled, completed, given up.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use base::checksum::Crc64Nvme;
use base::ids::PartNumber;
use base::limits::PART_SIZE_MAX;
use base::{BucketName, ETag, Key, UploadId};

use super::bodies::{StoredBody, forget_layout, lay_out, pieces_of};
use super::buckets::bucket_row;
use super::objects::{Put, check_conditions, shown};
use super::{Begun, Engine};
use crate::error::Error;
use crate::format::Damage;
use crate::format::batch::Change;
use crate::format::keys::{self, Keyspace};
use crate::format::rows::{ObjectRow, PartRow, Row as _, UploadRow};
use crate::log::draft::Draft;
use crate::log::plan::Need;
use crate::model::{
    self, CompleteMultipartUpload, CreateMultipartUpload, ListedPart, Part, Upload, UploadPart,
    opaque_etag,
};
use crate::namespace::{Rows, scan_prefix};

impl Engine {
    /// Begins an upload.
    ///
    /// # Errors
    /// `NoSuchBucket`, `MetadataTooLarge`.
    pub fn create_multipart_upload(&self, request: &CreateMultipartUpload) -> Begun<UploadId> {
        if let Err(error) = request.attributes.check() {
            return self.refused(error);
        }
        let initiated = self.now();
        self.write(|rows, draft| {
            let bucket = bucket_row(rows, &request.bucket)?;
            let clock_now = self.0.clock.now();
            request
                .attributes
                .lock
                .check(bucket.takes_locks, clock_now)?;
            draft.reserve(Need::Growth)?;
            let sequence = draft.next_sequence();
            let upload_id = UploadId::new(self.id(sequence));
            let row = UploadRow {
                sequence,
                initiated,
                attributes: request.attributes.clone(),
                tags: request.tags.clone(),
                plan: request.plan,
            };
            draft.change(Change {
                keyspace: Keyspace::Uploads,
                key: keys::upload(&request.bucket, &request.key, &upload_id),
                value: Some(row.encode()),
            });
            Ok(upload_id)
        })
    }

    /// Stores a part; an earlier one of the same number is replaced.
    ///
    /// # Errors
    /// `BadDigest`, `EntityTooLarge`, `NoSuchBucket`, `NoSuchUpload`.
    pub fn upload_part(&self, request: &UploadPart) -> Begun<ETag> {
        let received = &request.received;
        if let Err(error) = received.verify(&request.declared) {
            return self.refused(error);
        }
        if received.size() > PART_SIZE_MAX.get() {
            return self.refused(model::Error::EntityTooLarge);
        }
        let now = self.now();
        self.write(|rows, draft| {
            let (_, row) = upload_row(rows, &request.bucket, &request.key, &request.upload_id)?;
            let etag = if row.attributes.encryption.has_opaque_etags() {
                opaque_etag(&self.0.clock)
            } else {
                received.md5_etag()
            };
            let sequence = row.sequence;
            let upload = open_upload(row);
            let place = keys::part(sequence, request.part_number);
            let part = upload.part_of(
                received,
                &request.declared.checksums,
                etag,
                now,
                StoredBody::EMPTY,
            )?;
            if let Some(before) = rows.get(Keyspace::Parts, &place) {
                forget_layout(draft, &PartRow::decode(&before)?.layout);
            }
            let pieces = draft.place(&received.body)?;
            let row = PartRow {
                size: received.size(),
                crc64: received.crc64(),
                md5: part.md5,
                etag: part.etag.clone(),
                checksum: part.checksum,
                last_modified: now,
                layout: lay_out(draft, pieces, Vec::new()),
            };
            draft.change(Change {
                keyspace: Keyspace::Parts,
                key: place,
                value: Some(row.encode()),
            });
            Ok(part.etag)
        })
    }

    /// Makes the object from the parts named; those not named are forgotten.
    ///
    /// # Errors
    /// In S3's order `NoSuchUpload`, `MalformedXml`, `InvalidPartOrder`, `InvalidPart`,
    /// `EntityTooSmall`, `InvalidRequest`, `BadDigest`, then the conditions. The upload stays.
    pub fn complete_multipart_upload(&self, request: &CompleteMultipartUpload) -> Begun<Put> {
        self.write(|rows, draft| {
            let (bucket_name, key) = (&request.bucket, &request.key);
            let (place, row) = upload_row(rows, bucket_name, key, &request.upload_id)?;
            let bucket = bucket_row(rows, bucket_name)?;
            let mut crcs = BTreeMap::new();
            let mut upload = open_upload(row.clone());
            for (number, part) in parts_of(rows, row.sequence)? {
                crcs.insert(number, part.crc64);
                let part = Part {
                    body: StoredBody {
                        size: part.size,
                        layout: part.layout,
                    },
                    md5: part.md5,
                    etag: part.etag,
                    checksum: part.checksum,
                    last_modified: part.last_modified,
                };
                upload.parts.insert(number, part);
            }
            let opaque = row.attributes.encryption.has_opaque_etags().then(|| {
                let digest = opaque_etag(&self.0.clock);
                ETag::from_header(&format!("{digest}-{}", request.parts.len()))
            });
            let completed = upload.check_complete(
                &request.parts,
                &request.expectations,
                self.0.part_size_min,
                opaque,
            )?;
            check_conditions(rows, bucket_name, key, &request.conditions)?;
            draft.reserve(Need::Growth)?;
            let (mut size, mut crc64, mut pieces) = (0, Crc64Nvme::EMPTY, Vec::new());
            for (number, part) in &completed.parts {
                size += part.body.size;
                crc64 = crc64.then(crcs[number], part.body.size);
                pieces.extend(pieces_of(rows, &part.body.layout)?);
            }
            forget(rows, draft, &place, &row)?;
            let etag = completed.etag;
            let part_count = u32::try_from(completed.object_parts.len())
                .expect("an upload has at most 10,000 parts");
            let object = ObjectRow {
                size,
                crc64,
                etag: etag.clone(),
                checksum: completed.checksum,
                attributes: row.attributes,
                tags: row.tags,
                part_count,
                restored_until: None,
                layout: lay_out(draft, pieces, completed.object_parts),
            };
            let named = (bucket_name, &bucket);
            let version_id =
                self.add_version(rows, draft, named, key, row.initiated, Some(object))?;
            Ok(Put {
                etag,
                version_id: shown(&bucket, version_id),
            })
        })
    }

    /// Gives up an upload with its parts.
    ///
    /// # Errors
    /// `NoSuchBucket`, `NoSuchUpload`.
    pub fn abort_multipart_upload(
        &self,
        bucket: &BucketName,
        key: &Key,
        upload_id: &UploadId,
    ) -> Begun<()> {
        self.write(|rows, draft| {
            let (place, row) = upload_row(rows, bucket, key, upload_id)?;
            draft.reserve(Need::Release)?;
            forget(rows, draft, &place, &row)
        })
    }

    /// The parts of an upload, by number.
    ///
    /// # Errors
    /// `NoSuchBucket`, `NoSuchUpload`.
    pub fn list_parts(
        &self,
        bucket: &BucketName,
        key: &Key,
        upload_id: &UploadId,
    ) -> Result<Vec<ListedPart>, Error> {
        let parts = self.0.log.read(|rows| {
            let (_, row) = upload_row(rows, bucket, key, upload_id)?;
            parts_of(rows, row.sequence)
        })?;
        let listed = parts.into_iter().map(|(part_number, part)| ListedPart {
            part_number,
            size: part.size,
            etag: part.etag,
            checksum: part.checksum,
            last_modified: part.last_modified,
        });
        Ok(listed.collect())
    }
}

/// Takes away an upload, its parts, and what tells where their bytes are.
pub(super) fn forget(
    rows: &dyn Rows,
    draft: &mut Draft,
    place: &[u8],
    upload: &UploadRow,
) -> Result<(), Error> {
    for (number, part) in parts_of(rows, upload.sequence)? {
        forget_layout(draft, &part.layout);
        draft.change(Change {
            keyspace: Keyspace::Parts,
            key: keys::part(upload.sequence, number),
            value: None,
        });
    }
    draft.change(Change {
        keyspace: Keyspace::Uploads,
        key: place.to_vec(),
        value: None,
    });
    Ok(())
}

/// An upload's row, and where it stands.
fn upload_row(
    rows: &dyn Rows,
    bucket: &BucketName,
    key: &Key,
    upload_id: &UploadId,
) -> Result<(Vec<u8>, UploadRow), Error> {
    bucket_row(rows, bucket)?;
    let place = keys::upload(bucket, key, upload_id);
    let row = rows
        .get(Keyspace::Uploads, &place)
        .ok_or(model::Error::NoSuchUpload)?;
    Ok((place, UploadRow::decode(&row)?))
}

fn open_upload(row: UploadRow) -> Upload<StoredBody> {
    Upload {
        initiated: row.initiated,
        attributes: row.attributes,
        tags: row.tags,
        plan: row.plan,
        parts: BTreeMap::new(),
    }
}

fn parts_of(rows: &dyn Rows, sequence: u64) -> Result<Vec<(PartNumber, PartRow)>, Error> {
    let mut found: Vec<Result<_, Damage>> = Vec::new();
    let prefix = keys::parts(sequence);
    scan_prefix(rows, Keyspace::Parts, &prefix, &mut |key, value| {
        found.push(keys::part_number(key).and_then(|number| Ok((number, PartRow::decode(value)?))));
        ControlFlow::Continue(())
    });
    found
        .into_iter()
        .map(|part| part.map_err(Error::Row))
        .collect()
}
