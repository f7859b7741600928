//! Multipart uploads: begun, filled, listed, completed, given up.

use std::collections::BTreeMap;
use std::ops::Bound;

use base::ids::PartNumber;
use base::limits::PART_SIZE_MAX;
use base::{BucketName, Checksum, ChecksumAlgorithm, ETag, Key, UploadId};
use jiff::Timestamp;

use super::attributes::{Attributes, Encryption, Tags};
use super::bucket::Bucket;
use super::condition::WriteConditions;
use super::digest::{Declared, Received};
use super::error::Error;
use super::listing::{ListQuery, NestedPage, list_nested};
use super::object::Stored;
use super::upload::{ChecksumPlan, CompleteExpectations, CompletedPart, Upload};
use super::{Model, State};

/// Begins an upload.
#[derive(Debug, Clone)]
pub struct CreateMultipartUpload {
    /// The bucket.
    pub bucket: BucketName,
    /// The key.
    pub key: Key,
    /// What the object will carry.
    pub attributes: Attributes,
    /// Its tags.
    pub tags: Tags,
    /// The checksum to keep, if one was asked for.
    pub plan: Option<ChecksumPlan>,
}

/// Sends a part.
#[derive(Debug, Clone)]
pub struct UploadPart {
    /// The bucket.
    pub bucket: BucketName,
    /// The key.
    pub key: Key,
    /// The upload.
    pub upload_id: UploadId,
    /// The part's place.
    pub part_number: PartNumber,
    /// The bytes.
    pub received: Received,
    /// What the request says about them.
    pub declared: Declared,
}

/// Makes the object from its parts.
#[derive(Debug, Clone)]
pub struct CompleteMultipartUpload {
    /// The bucket.
    pub bucket: BucketName,
    /// The key.
    pub key: Key,
    /// The upload.
    pub upload_id: UploadId,
    /// The parts, as the request names them.
    pub parts: Vec<CompletedPart>,
    /// What else the request says.
    pub expectations: CompleteExpectations,
    /// Conditions on what is there.
    pub conditions: WriteConditions,
}

/// A part that was stored.
#[derive(Debug, Clone)]
pub struct StoredPart {
    /// Its ETag.
    pub etag: ETag,
    /// Its checksum, of the upload's algorithm.
    pub checksum: Checksum,
    /// The checksum that came with it, which may be of another.
    pub declared: Option<Checksum>,
    /// The upload's encryption.
    pub encryption: Encryption,
    /// When it arrived.
    pub last_modified: Timestamp,
}

/// What an upload was begun with.
#[derive(Debug, Clone)]
pub struct UploadState {
    /// When.
    pub initiated: Timestamp,
    /// What the object will carry.
    pub attributes: Attributes,
    /// The checksum asked for.
    pub plan: Option<ChecksumPlan>,
}

impl UploadState {
    /// The algorithm that parts are stored with.
    pub fn algorithm(&self) -> ChecksumAlgorithm {
        self.plan
            .map_or(ChecksumAlgorithm::Crc64Nvme, |plan| plan.algorithm)
    }
}

/// A part that is there.
#[derive(Debug, Clone)]
pub struct ListedPart {
    /// Its place.
    pub part_number: PartNumber,
    /// Its size, in bytes.
    pub size: u64,
    /// Its ETag.
    pub etag: ETag,
    /// Its checksum.
    pub checksum: Checksum,
    /// When it arrived.
    pub last_modified: Timestamp,
}

/// A page of an upload's parts.
#[derive(Debug, Clone)]
pub struct PartPage {
    /// What the upload was begun with.
    pub upload: UploadState,
    /// By number.
    pub parts: Vec<ListedPart>,
    /// The last part's number when there are more.
    pub next_after: Option<PartNumber>,
}

/// An unfinished upload in a listing.
#[derive(Debug, Clone)]
pub struct UploadSummary {
    /// The key.
    pub key: Key,
    /// The upload.
    pub upload_id: UploadId,
    /// What it was begun with.
    pub upload: UploadState,
}

impl Model {
    /// Begins an upload.
    ///
    /// # Errors
    /// `NoSuchBucket`, `MetadataTooLarge`.
    pub fn create_multipart_upload(
        &self,
        request: CreateMultipartUpload,
    ) -> Result<UploadId, Error> {
        request.attributes.check()?;
        let lock = request.attributes.lock;
        let upload = Upload {
            initiated: self.now(),
            attributes: request.attributes,
            tags: request.tags,
            plan: request.plan,
            parts: BTreeMap::new(),
        };
        let mut state = self.write();
        state
            .bucket(&request.bucket)?
            .check_lock(lock, self.0.clock.now())?;
        let upload_id = UploadId::new(state.next_id(&self.0.clock));
        let uploads = &mut state.bucket_mut(&request.bucket)?.uploads;
        let of_key = uploads.entry(request.key).or_default();
        of_key.insert(upload_id.clone(), upload);
        Ok(upload_id)
    }

    /// What an upload was begun with: known before its parts' bytes are taken in.
    ///
    /// # Errors
    /// `NoSuchBucket`, `NoSuchUpload`.
    pub fn upload(
        &self,
        bucket: &BucketName,
        key: &Key,
        upload_id: &UploadId,
    ) -> Result<UploadState, Error> {
        let state = self.read();
        Ok(state.upload(bucket, key, upload_id)?.state())
    }

    /// Stores a part; an earlier one of the same number is replaced.
    ///
    /// # Errors
    /// `BadDigest`, `EntityTooLarge`, `NoSuchBucket`, `NoSuchUpload`.
    pub fn upload_part(&self, request: UploadPart) -> Result<StoredPart, Error> {
        request.received.verify(&request.declared)?;
        if request.received.size() > PART_SIZE_MAX.get() {
            return Err(Error::EntityTooLarge);
        }
        let now = self.now();
        let mut state = self.write();
        let upload = state.upload_mut(&request.bucket, &request.key, &request.upload_id)?;
        let encryption = upload.attributes.encryption.clone();
        let etag = self.etag(&request.received, &encryption);
        let part = upload.part(&request.received, &request.declared.checksums, etag, now)?;
        let declared = request.declared.checksums.first();
        let declared = declared.and_then(|(given, _)| request.received.checksum(*given));
        let stored = StoredPart {
            etag: part.etag.clone(),
            checksum: part.checksum.clone(),
            declared: declared.cloned(),
            encryption,
            last_modified: now,
        };
        upload.parts.insert(request.part_number, part);
        Ok(stored)
    }

    /// Makes the object from the parts named; those not named are forgotten.
    ///
    /// # Errors
    /// In S3's order `NoSuchUpload`, `MalformedXml`, `InvalidPartOrder`, `InvalidPart`,
    /// `EntityTooSmall`, `InvalidRequest`, `BadDigest`, then the conditions. The upload stays.
    pub fn complete_multipart_upload(
        &self,
        request: CompleteMultipartUpload,
    ) -> Result<Stored, Error> {
        let mut state = self.write();
        let upload = state.upload(&request.bucket, &request.key, &request.upload_id)?;
        let hidden = upload.attributes.encryption.has_opaque_etags();
        let opaque_etag = hidden.then(|| {
            let digest = self.opaque_etag();
            ETag::from_header(&format!("{digest}-{}", request.parts.len()))
        });
        let object = upload.complete(
            &request.parts,
            &request.expectations,
            self.0.options.part_size_min,
            opaque_etag,
        )?;
        let key = request.key.clone();
        let stored = self.store(
            &mut state,
            &request.bucket,
            key,
            object,
            &request.conditions,
        )?;
        state
            .bucket_mut(&request.bucket)?
            .forget(&request.key, &request.upload_id);
        Ok(stored)
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
    ) -> Result<(), Error> {
        let mut state = self.write();
        state.upload(bucket, key, upload_id)?;
        state.bucket_mut(bucket)?.forget(key, upload_id);
        Ok(())
    }

    /// A page of an upload's parts behind a number.
    ///
    /// # Errors
    /// `NoSuchBucket`, `NoSuchUpload`.
    pub fn list_parts(
        &self,
        bucket: &BucketName,
        key: &Key,
        upload_id: &UploadId,
        after: Option<PartNumber>,
        limit: usize,
    ) -> Result<PartPage, Error> {
        let state = self.read();
        let upload = state.upload(bucket, key, upload_id)?;
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut behind = upload.parts.range((start, Bound::Unbounded));
        let parts: Vec<ListedPart> = behind
            .by_ref()
            .take(limit)
            .map(|(number, part)| ListedPart {
                part_number: *number,
                size: part.body.len(),
                etag: part.etag.clone(),
                checksum: part.checksum.clone(),
                last_modified: part.last_modified,
            })
            .collect();
        let last = parts.last().map(|part| part.part_number);
        Ok(PartPage {
            upload: upload.state(),
            next_after: last.filter(|_| behind.next().is_some()),
            parts,
        })
    }

    /// A page of unfinished uploads, by key, then by the time they began. With `upload_after`,
    /// the key `query.after` goes on behind that upload.
    ///
    /// # Errors
    /// `NoSuchBucket`.
    pub fn list_multipart_uploads(
        &self,
        bucket: &BucketName,
        query: &ListQuery,
        upload_after: Option<&UploadId>,
    ) -> Result<NestedPage<UploadSummary>, Error> {
        let state = self.read();
        let uploads = &state.bucket(bucket)?.uploads;
        let after = upload_after.map(UploadId::as_str);
        Ok(list_nested(uploads, query, after, |key, of_key, after| {
            let start = after.map_or(Bound::Unbounded, Bound::Excluded);
            of_key
                .range::<str, _>((start, Bound::Unbounded))
                .map(|(upload_id, upload)| {
                    let summary = UploadSummary {
                        key: key.clone(),
                        upload_id: upload_id.clone(),
                        upload: upload.state(),
                    };
                    (upload_id.as_str().to_owned(), summary)
                })
                .collect::<Vec<_>>()
        }))
    }
}

impl Upload {
    fn state(&self) -> UploadState {
        UploadState {
            initiated: self.initiated,
            attributes: self.attributes.clone(),
            plan: self.plan,
        }
    }
}

impl State {
    fn upload(&self, bucket: &BucketName, key: &Key, id: &UploadId) -> Result<&Upload, Error> {
        let of_key = self.bucket(bucket)?.uploads.get(key);
        of_key
            .and_then(|uploads| uploads.get(id))
            .ok_or(Error::NoSuchUpload)
    }

    fn upload_mut(
        &mut self,
        bucket: &BucketName,
        key: &Key,
        id: &UploadId,
    ) -> Result<&mut Upload, Error> {
        let of_key = self.bucket_mut(bucket)?.uploads.get_mut(key);
        of_key
            .and_then(|uploads| uploads.get_mut(id))
            .ok_or(Error::NoSuchUpload)
    }
}

impl Bucket {
    fn forget(&mut self, key: &Key, id: &UploadId) {
        if let Some(of_key) = self.uploads.get_mut(key) {
            of_key.remove(id);
            if of_key.is_empty() {
                self.uploads.remove(key);
            }
        }
    }
}
