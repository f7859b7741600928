//! Copies inside the store.

use base::checksum::ChecksumType;
use base::ids::PartNumber;
use base::limits::PART_SIZE_MAX;
use base::{BucketName, ChecksumAlgorithm, Key, UploadId, VersionId};

use super::Model;
use super::attributes::{Attributes, Tags};
use super::condition::{ReadConditions, WriteConditions};
use super::digest::{Declared, Received};
use super::error::Error;
use super::multipart::{StoredPart, UploadPart};
use super::object::{FoundObject, PutObject, Stored};
use super::range::RangeRequest;

/// Whose metadata a copy carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MetadataDirective {
    /// The source's.
    #[default]
    Copy,
    /// The request's.
    Replace,
}

/// Copies an object.
#[derive(Debug, Clone)]
pub struct CopyObject {
    /// The source's bucket.
    pub source_bucket: BucketName,
    /// The source's key.
    pub source_key: Key,
    /// A version of the source, else the current one.
    pub source_version_id: Option<VersionId>,
    /// What the source must be.
    pub source_conditions: ReadConditions,
    /// The destination's bucket.
    pub bucket: BucketName,
    /// The destination's key.
    pub key: Key,
    /// Whose content headers and metadata.
    pub metadata_directive: MetadataDirective,
    /// The request's attributes; storage class, ACL and encryption always count.
    pub attributes: Attributes,
    /// The request's tags, where they replace the source's.
    pub tags: Option<Tags>,
    /// The checksum to keep; the source's when none was asked for.
    pub algorithm: Option<ChecksumAlgorithm>,
    /// Conditions on what is at the destination.
    pub conditions: WriteConditions,
}

/// Copies bytes of an object into a part.
#[derive(Debug, Clone)]
pub struct UploadPartCopy {
    /// The source's bucket.
    pub source_bucket: BucketName,
    /// The source's key.
    pub source_key: Key,
    /// A version of the source, else the current one.
    pub source_version_id: Option<VersionId>,
    /// What the source must be.
    pub source_conditions: ReadConditions,
    /// First and last byte; all without it.
    pub source_range: Option<(u64, u64)>,
    /// The destination's bucket.
    pub bucket: BucketName,
    /// The destination's key.
    pub key: Key,
    /// The upload.
    pub upload_id: UploadId,
    /// The part's place.
    pub part_number: PartNumber,
}

impl Model {
    /// Copies an object, and answers the copy and the source's version. Hashes the bytes again
    /// where the source does not hold their MD5: at 0.7 GB/s.
    ///
    /// # Errors
    /// As reading the source and writing the destination; `InvalidRequest` for a copy onto itself
    /// that changes nothing, or of more than one PUT may write.
    pub fn copy_object(&self, request: CopyObject) -> Result<(Stored, Option<VersionId>), Error> {
        let source = self.copy_source(
            &request.source_bucket,
            &request.source_key,
            request.source_version_id.as_ref(),
            &request.source_conditions,
        )?;
        let onto_itself = request.source_bucket == request.bucket
            && request.source_key == request.key
            && request.source_version_id.is_none();
        let attributes = match request.metadata_directive {
            MetadataDirective::Copy => {
                if onto_itself && changes_nothing(&request.attributes) {
                    return Err(Error::InvalidRequest(
                        "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes."
                            .to_owned(),
                    ));
                }
                source
                    .object
                    .attributes
                    .with_placement_of(&request.attributes)
            }
            MetadataDirective::Replace => request.attributes,
        };
        if source.object.size() > PART_SIZE_MAX.get() {
            return Err(Error::InvalidRequest(
                "The specified copy source is larger than the maximum allowable size for a copy source: 5368709120"
                    .to_owned(),
            ));
        }
        let algorithm = request
            .algorithm
            .unwrap_or(source.object.checksum.algorithm);
        let stored = self.put_object(PutObject {
            received: rehash(&source, algorithm),
            declared: Declared::default(),
            algorithm: Some(algorithm),
            attributes,
            tags: request.tags.unwrap_or_else(|| source.object.tags.clone()),
            conditions: request.conditions,
            bucket: request.bucket,
            key: request.key,
        })?;
        Ok((stored, source.version_id))
    }

    /// Copies bytes into a part, and answers the part and the source's version.
    ///
    /// # Errors
    /// As reading the source and uploading a part; `InvalidArgument` for a range beyond the source.
    pub fn upload_part_copy(
        &self,
        request: UploadPartCopy,
    ) -> Result<(StoredPart, Option<VersionId>), Error> {
        let upload = self.upload(&request.bucket, &request.key, &request.upload_id)?;
        let source = self.copy_source(
            &request.source_bucket,
            &request.source_key,
            request.source_version_id.as_ref(),
            &request.source_conditions,
        )?;
        let size = source.object.size();
        let body = match request.source_range {
            None => source.object.body.clone(),
            Some((first, last)) => {
                if first > last || last >= size {
                    return Err(Error::InvalidArgument(format!(
                        "Range specified is not valid for source object of size: {size}"
                    )));
                }
                let range = RangeRequest::From {
                    first,
                    last: Some(last),
                };
                source.object.body.slice(range.resolve(size)?)
            }
        };
        let part = self.upload_part(UploadPart {
            received: Received::from_body(&body, upload.algorithm()),
            declared: Declared::default(),
            bucket: request.bucket,
            key: request.key,
            upload_id: request.upload_id,
            part_number: request.part_number,
        })?;
        Ok((part, source.version_id))
    }

    fn copy_source(
        &self,
        bucket: &BucketName,
        key: &Key,
        version_id: Option<&VersionId>,
        conditions: &ReadConditions,
    ) -> Result<FoundObject, Error> {
        let found = self.get_object(bucket, key, version_id, &ReadConditions::default())?;
        conditions.check_copy_source(&found.object.etag, found.object.last_modified)?;
        if found.object.needs_restore(self.now()) {
            return Err(Error::InvalidObjectState);
        }
        Ok(found)
    }
}

fn changes_nothing(attributes: &Attributes) -> bool {
    attributes.storage_class.is_none()
        && attributes.encryption.algorithm.is_none()
        && attributes.website_redirect_location.is_none()
}

/// The source's bytes as a new arrival, hashed only where its sums are not known already.
fn rehash(source: &FoundObject, algorithm: ChecksumAlgorithm) -> Received {
    let object = &source.object;
    let known = object.checksum.algorithm == algorithm
        && object.checksum.checksum_type == ChecksumType::FullObject
        && !object.attributes.encryption.has_opaque_etags();
    match object.etag.as_md5() {
        Some(md5) if known => Received {
            body: object.body.clone(),
            md5,
            checksums: vec![object.checksum.clone()],
        },
        _ => Received::from_body(&object.body, algorithm),
    }
}
