//! Multipart uploads.

use base::ids::PartNumber;
use base::{BucketName, ByteCount, Checksum, ETag, Key, UploadId, VersionId};
use jiff::Timestamp;

use super::object::{ByteRange, CopyConditions, CopySource, ObjectAttributes, PutCondition};
use crate::payload::{Payload, UploadCheck};

/// Begins an upload. A full-object CRC-64/NVME is asked for where the store takes it.
#[derive(Debug, Clone)]
pub struct CreateMultipartUpload {
    /// The bucket.
    pub bucket: BucketName,
    /// The key.
    pub key: Key,
    /// What the object will carry.
    pub attributes: ObjectAttributes,
}

/// An upload that has begun.
#[derive(Debug, Clone)]
pub struct CreatedUpload {
    /// Its id.
    pub upload_id: UploadId,
    /// Whether the store will keep a full-object CRC-64/NVME: then parts carry one each.
    pub takes_crc64nvme: bool,
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
    pub payload: Payload,
    /// As the upload was created.
    pub takes_crc64nvme: bool,
}

/// A part that arrived.
#[derive(Debug, Clone)]
pub struct UploadedPart {
    /// Its ETag.
    pub etag: ETag,
    /// How the store checked it.
    pub check: UploadCheck,
    /// The checksum the store answered, if any.
    pub checksum: Option<Checksum>,
}

/// Copies a range of an object of the store into a part.
#[derive(Debug, Clone)]
pub struct UploadPartCopy {
    /// The destination's bucket.
    pub bucket: BucketName,
    /// The destination's key.
    pub key: Key,
    /// The upload.
    pub upload_id: UploadId,
    /// The part's place.
    pub part_number: PartNumber,
    /// Whence.
    pub source: CopySource,
    /// Which bytes.
    pub range: ByteRange,
    /// The source must still be this.
    pub conditions: CopyConditions,
}

/// A part that was copied.
#[derive(Debug, Clone)]
pub struct CopiedPart {
    /// Its ETag.
    pub etag: ETag,
    /// The checksum the store answered, if any.
    pub checksum: Option<Checksum>,
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
    /// All parts by number, each with its ETag and, where the store keeps them, its checksum.
    pub parts: Vec<(PartNumber, ETag, Option<Checksum>)>,
    /// The whole object's checksum, which the store then compares.
    pub checksum: Option<Checksum>,
    /// Condition on what is there.
    pub condition: PutCondition,
}

/// An object made from parts.
#[derive(Debug, Clone)]
pub struct CompletedUpload {
    /// Its ETag.
    pub etag: Option<ETag>,
    /// Its version.
    pub version_id: Option<VersionId>,
    /// The checksum the store answered, if any.
    pub checksum: Option<Checksum>,
}

/// Gives up an upload.
#[derive(Debug, Clone)]
pub struct AbortMultipartUpload {
    /// The bucket.
    pub bucket: BucketName,
    /// The key.
    pub key: Key,
    /// The upload.
    pub upload_id: UploadId,
}

/// A page of an upload's parts.
#[derive(Debug, Clone)]
pub struct ListParts {
    /// The bucket.
    pub bucket: BucketName,
    /// The key.
    pub key: Key,
    /// The upload.
    pub upload_id: UploadId,
    /// Only parts after this number.
    pub part_number_after: Option<PartNumber>,
}

/// Parts that the store holds.
#[derive(Debug, Clone, Default)]
pub struct PartPage {
    /// By number.
    pub parts: Vec<ListedPart>,
    /// Where the next page begins; `None` on the last.
    pub next_after: Option<PartNumber>,
    /// The checksum that the upload was created to keep, as the store spells it, if it says so.
    pub checksum_algorithm: Option<String>,
}

/// A part that the store holds.
#[derive(Debug, Clone)]
pub struct ListedPart {
    /// Its place.
    pub part_number: PartNumber,
    /// Its size.
    pub size: ByteCount,
    /// Its ETag.
    pub etag: ETag,
    /// Its checksum, where the store lists one.
    pub checksum: Option<Checksum>,
}

/// A page of a bucket's unfinished uploads.
#[derive(Debug, Clone)]
pub struct ListMultipartUploads {
    /// The bucket.
    pub bucket: BucketName,
    /// Only keys that begin so.
    pub prefix: String,
    /// Goes on after this key and upload.
    pub after: Option<(String, String)>,
}

/// Unfinished uploads.
#[derive(Debug, Clone, Default)]
pub struct UploadPage {
    /// In the store's order.
    pub uploads: Vec<UploadSummary>,
    /// Where the next page begins (key marker, upload id marker); `None` on the last.
    pub next_after: Option<(String, String)>,
}

/// An unfinished upload.
#[derive(Debug, Clone)]
pub struct UploadSummary {
    /// The key.
    pub key: Key,
    /// The upload.
    pub upload_id: UploadId,
    /// When it began.
    pub initiated: Option<Timestamp>,
}
