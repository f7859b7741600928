//! Requests and answers of the port, one struct an S3 operation.

mod acl;
mod bucket;
mod listing;
mod lock;
mod multipart;
mod object;
mod signer;
mod tags;

pub use acl::{AccessControlPolicy, GetObjectAcl, Grant, Grantee, Owner, Permission, PutObjectAcl};
pub use bucket::{BucketListing, VersioningState};
pub use listing::{
    ContinuationToken, ListObjectVersions, ListObjects, ListPage, ListedObject, ListedVersion,
};
pub use lock::{LockMode, ObjectLock, PutObjectLegalHold};
pub use multipart::{
    AbortMultipartUpload, CompleteMultipartUpload, CompletedUpload, CopiedPart,
    CreateMultipartUpload, CreatedUpload, ListMultipartUploads, ListParts, ListedPart, PartPage,
    UploadPage, UploadPart, UploadPartCopy, UploadSummary, UploadedPart,
};
pub use object::{
    ByteRange, CopyConditions, CopyObject, CopyObjectOutput, CopySource, DeleteFailure,
    DeleteObject, DeleteObjectOutput, DeleteObjects, DeleteObjectsOutput, DeletedObject, GetObject,
    GetObjectOutput, HeadObject, MetadataDirective, ObjectAttributes, ObjectHead, ObjectIdentifier,
    Presign, PresignedMethod, PutCondition, PutObject, PutObjectOutput, ServerSideEncryption,
    SignedUrl, StorageClass, TaggingDirective,
};
pub use signer::Signer;
pub use tags::{GetObjectTagging, PutObjectTagging, Tag};
