//! Requests and answers of the port, one struct an S3 operation.

mod bucket;
mod listing;
mod multipart;
mod object;

pub use bucket::{BucketListing, VersioningState};
pub use listing::{
    ContinuationToken, ListObjectVersions, ListObjects, ListPage, ListedObject, ListedVersion,
};
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
    SignedUrl, StorageClass,
};
