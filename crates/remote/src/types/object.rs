//! Objects.

use std::fmt;
use std::time::Duration;

use base::redact::RedactedUrl;
use base::{BucketName, ByteCount, Checksum, ETag, Key, VersionId};
use jiff::Timestamp;

use super::lock::ObjectLock;
use crate::payload::{ObjectBody, Payload, UploadCheck};

/// A storage class, as S3 spells it. Unknown ones pass through.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StorageClass(std::borrow::Cow<'static, str>);

impl StorageClass {
    /// S3's default.
    pub const STANDARD: StorageClass = StorageClass(std::borrow::Cow::Borrowed("STANDARD"));

    /// Takes a class by name. The common ones cost no allocation.
    pub fn from_name(name: &str) -> StorageClass {
        const KNOWN: [&str; 10] = [
            "STANDARD",
            "REDUCED_REDUNDANCY",
            "STANDARD_IA",
            "ONEZONE_IA",
            "INTELLIGENT_TIERING",
            "GLACIER",
            "DEEP_ARCHIVE",
            "GLACIER_IR",
            "EXPRESS_ONEZONE",
            "OUTPOSTS",
        ];
        StorageClass(match KNOWN.iter().find(|known| **known == name) {
            Some(known) => std::borrow::Cow::Borrowed(known),
            None => std::borrow::Cow::Owned(name.to_owned()),
        })
    }

    /// The class's name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether reading needs a restore first.
    pub fn is_archived(&self) -> bool {
        matches!(self.as_str(), "GLACIER" | "DEEP_ARCHIVE")
    }
}

/// Encryption at rest, as headers say it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServerSideEncryption {
    /// `AES256`, `aws:kms`, `aws:kms:dsse`; passed through.
    pub algorithm: Option<String>,
    /// The KMS key's id.
    pub kms_key_id: Option<String>,
}

/// What an object carries besides its bytes. Empty fields are not sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ObjectAttributes {
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// `Content-Encoding`.
    pub content_encoding: Option<String>,
    /// `Content-Disposition`.
    pub content_disposition: Option<String>,
    /// `Content-Language`.
    pub content_language: Option<String>,
    /// `Cache-Control`.
    pub cache_control: Option<String>,
    /// `Expires`, as an HTTP date.
    pub expires: Option<String>,
    /// `x-amz-website-redirect-location`.
    pub website_redirect_location: Option<String>,
    /// `x-amz-meta-*` without the prefix, in order of name.
    pub metadata: Vec<(String, String)>,
    /// `x-amz-storage-class`.
    pub storage_class: Option<StorageClass>,
    /// Canned ACL; only sent, never read back.
    pub acl: Option<String>,
    /// Encryption at rest.
    pub encryption: ServerSideEncryption,
    /// Tags, form-url-encoded ([`Tag::encode_all`](super::Tag::encode_all)); only sent.
    pub tagging: Option<String>,
    /// What keeps the version from being deleted.
    pub lock: ObjectLock,
}

/// Asks for an object without its bytes.
#[derive(Debug, Clone)]
pub struct HeadObject {
    /// The bucket.
    pub bucket: BucketName,
    /// The key.
    pub key: Key,
    /// A version, else the current one.
    pub version_id: Option<VersionId>,
    /// Ask for the stored checksum too (`x-amz-checksum-mode`).
    pub checksum_mode: bool,
    /// Ask about one part: the answer's `part_count` is then set.
    pub part_number: Option<base::ids::PartNumber>,
}

impl HeadObject {
    /// Asks for the current version.
    pub fn new(bucket: BucketName, key: Key) -> HeadObject {
        HeadObject {
            bucket,
            key,
            version_id: None,
            checksum_mode: false,
            part_number: None,
        }
    }
}

/// What the store says of an object.
#[derive(Debug, Clone, Default)]
pub struct ObjectHead {
    /// The whole object's size, also when a range was asked.
    pub size: ByteCount,
    /// ETag.
    pub etag: Option<ETag>,
    /// When the store last changed it.
    pub last_modified: Option<Timestamp>,
    /// Version, where the bucket keeps them.
    pub version_id: Option<VersionId>,
    /// What it carries.
    pub attributes: ObjectAttributes,
    /// Stored checksums that came along.
    pub checksums: Vec<Checksum>,
    /// Number of tags, where the store says it.
    pub tag_count: Option<u32>,
    /// Number of parts, when a part was asked about.
    pub part_count: Option<u32>,
    /// Whether a customer key encrypts it: then its ETag is no MD5.
    pub customer_encrypted: bool,
}

impl ObjectHead {
    /// The MD5 that the ETag is, if it can be one: single part, no KMS, no customer key.
    pub fn md5(&self) -> Option<[u8; 16]> {
        let kms = self
            .attributes
            .encryption
            .algorithm
            .as_deref()
            .is_some_and(|a| a != "AES256");
        if kms || self.customer_encrypted {
            return None;
        }
        self.etag.as_ref()?.as_md5()
    }

    /// The whole object's CRC-64/NVME, where the store keeps it.
    pub fn crc64nvme(&self) -> Option<base::Crc64Nvme> {
        self.checksums.iter().find_map(Checksum::as_crc64nvme)
    }
}

/// A range of an object's bytes. Not empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByteRange {
    /// First byte.
    pub offset: u64,
    /// Number of bytes, at least one.
    pub length: ByteCount,
}

impl ByteRange {
    /// `bytes=a-b`, for `Range` and `x-amz-copy-source-range`.
    pub fn to_header(self) -> String {
        format!("bytes={}-{}", self.offset, self.offset + self.length.0 - 1)
    }
}

/// Asks for an object's bytes.
#[derive(Debug, Clone)]
pub struct GetObject {
    /// The bucket.
    pub bucket: BucketName,
    /// The key.
    pub key: Key,
    /// A version, else the current one.
    pub version_id: Option<VersionId>,
    /// A range, else all.
    pub range: Option<ByteRange>,
    /// The object must still be this. Stores that ignore the condition exist: compare the answer.
    pub if_match: Option<ETag>,
    /// Ask for the stored checksum too.
    pub checksum_mode: bool,
}

impl GetObject {
    /// Asks for all of the current version.
    pub fn new(bucket: BucketName, key: Key) -> GetObject {
        GetObject {
            bucket,
            key,
            version_id: None,
            range: None,
            if_match: None,
            checksum_mode: true,
        }
    }
}

/// An object on its way.
#[derive(Debug)]
pub struct GetObjectOutput {
    /// What it is.
    pub head: ObjectHead,
    /// The range that the store says it sends; `None` when it sends all.
    pub range: Option<ByteRange>,
    /// The bytes.
    pub body: ObjectBody,
}

/// Condition on what stands at the destination of a write.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum PutCondition {
    /// Whatever is there is replaced.
    #[default]
    None,
    /// `If-None-Match: *`: nothing may be there.
    Absent,
    /// `If-Match`: this must be there.
    Matches(ETag),
}

/// Stores an object.
#[derive(Debug, Clone)]
pub struct PutObject {
    /// The bucket.
    pub bucket: BucketName,
    /// The key.
    pub key: Key,
    /// The bytes.
    pub payload: Payload,
    /// What it carries.
    pub attributes: ObjectAttributes,
    /// Condition on what is there.
    pub condition: PutCondition,
}

/// An object that was stored.
#[derive(Debug, Clone)]
pub struct PutObjectOutput {
    /// Its ETag.
    pub etag: Option<ETag>,
    /// Its version.
    pub version_id: Option<VersionId>,
    /// How the store checked the bytes.
    pub check: UploadCheck,
    /// The checksum the store answered, if any.
    pub checksum: Option<Checksum>,
    /// The encryption the store answered: under KMS the ETag is no MD5.
    pub encryption: ServerSideEncryption,
}

/// Whence a server-side copy reads.
#[derive(Debug, Clone)]
pub struct CopySource {
    /// The bucket.
    pub bucket: BucketName,
    /// The key.
    pub key: Key,
    /// A version, else the current one.
    pub version_id: Option<VersionId>,
}

/// What the source of a copy must still be.
#[derive(Debug, Clone, Default)]
pub struct CopyConditions {
    /// `x-amz-copy-source-if-match`.
    pub if_match: Option<ETag>,
}

/// Whose metadata a copy carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MetadataDirective {
    /// The source's.
    #[default]
    Copy,
    /// The request's.
    Replace,
}

/// Whose tags a copy carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TaggingDirective {
    /// The source's.
    #[default]
    Copy,
    /// The request's, [`ObjectAttributes::tagging`]; none where it is absent.
    Replace,
}

/// Copies inside the store.
#[derive(Debug, Clone)]
pub struct CopyObject {
    /// The destination's bucket.
    pub bucket: BucketName,
    /// The destination's key.
    pub key: Key,
    /// Whence.
    pub source: CopySource,
    /// Whose metadata.
    pub metadata_directive: MetadataDirective,
    /// Whose tags.
    pub tagging_directive: TaggingDirective,
    /// The destination's attributes; content headers and metadata count only with `Replace` of
    /// the metadata, tags only with that of the tags. ACL and lock are never the source's.
    pub attributes: ObjectAttributes,
    /// The source must still be this.
    pub conditions: CopyConditions,
}

/// A copy that was made.
#[derive(Debug, Clone)]
pub struct CopyObjectOutput {
    /// Its ETag.
    pub etag: Option<ETag>,
    /// Its version.
    pub version_id: Option<VersionId>,
    /// Its checksum, where the store says it.
    pub checksum: Option<Checksum>,
}

/// Deletes an object.
#[derive(Debug, Clone)]
pub struct DeleteObject {
    /// The bucket.
    pub bucket: BucketName,
    /// The key.
    pub key: Key,
    /// One version for good; else the current one, or a delete marker is laid.
    pub version_id: Option<VersionId>,
    /// What must be there. Stores that do not know the condition ignore or refuse it.
    pub if_match: Option<ETag>,
}

/// What a delete did.
#[derive(Debug, Clone, Default)]
pub struct DeleteObjectOutput {
    /// The version deleted, or the delete marker's.
    pub version_id: Option<VersionId>,
    /// Whether a delete marker was laid or removed.
    pub delete_marker: bool,
}

/// A key, or one version of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectIdentifier {
    /// The key.
    pub key: Key,
    /// The version.
    pub version_id: Option<VersionId>,
}

/// Deletes many.
#[derive(Debug, Clone)]
pub struct DeleteObjects {
    /// The bucket.
    pub bucket: BucketName,
    /// Up to 1,000.
    pub objects: Vec<ObjectIdentifier>,
}

/// What became of each.
#[derive(Debug, Clone, Default)]
pub struct DeleteObjectsOutput {
    /// Gone.
    pub deleted: Vec<DeletedObject>,
    /// Not gone. Every key asked for is in one of the two.
    pub failed: Vec<DeleteFailure>,
}

/// A key that is gone.
#[derive(Debug, Clone)]
pub struct DeletedObject {
    /// What was asked.
    pub object: ObjectIdentifier,
    /// The delete marker laid or removed, if any.
    pub delete_marker_version_id: Option<VersionId>,
}

/// A key that is not gone.
#[derive(Debug, Clone)]
pub struct DeleteFailure {
    /// What was asked.
    pub object: ObjectIdentifier,
    /// S3's error code.
    pub code: String,
    /// S3's message.
    pub message: String,
}

/// What a signed URL lets its holder do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PresignedMethod {
    /// GetObject.
    Get,
    /// PutObject.
    Put,
}

/// Asks for a signed URL.
#[derive(Debug, Clone)]
pub struct Presign {
    /// What it lets its holder do.
    pub method: PresignedMethod,
    /// The bucket.
    pub bucket: BucketName,
    /// The key.
    pub key: Key,
    /// A version.
    pub version_id: Option<VersionId>,
    /// How long it is good. At most seven days, and no longer than the credentials.
    pub expires_in: Duration,
}

/// A URL that is a secret for as long as it is good: `Debug` stars its signature out.
#[derive(Clone)]
pub struct SignedUrl(String);

impl SignedUrl {
    /// Keeps a signed URL.
    pub fn new(url: String) -> SignedUrl {
        SignedUrl(url)
    }

    /// The URL, for whom it was made.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SignedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        RedactedUrl(&self.0).fmt(f)
    }
}
