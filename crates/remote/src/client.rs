//! The port to an object store.

use std::fmt;

use base::BucketName;
use futures_util::future::BoxFuture;

use crate::error::Result;
use crate::types::{
    AbortMultipartUpload, AccessControlPolicy, BucketListing, CompleteMultipartUpload,
    CompletedUpload, CopiedPart, CopyObject, CopyObjectOutput, CreateMultipartUpload,
    CreatedUpload, DeleteObject, DeleteObjectOutput, DeleteObjects, DeleteObjectsOutput, GetObject,
    GetObjectAcl, GetObjectOutput, GetObjectTagging, HeadObject, ListMultipartUploads,
    ListObjectVersions, ListObjects, ListPage, ListParts, ObjectHead, PartPage, Presign, PutObject,
    PutObjectAcl, PutObjectLegalHold, PutObjectOutput, PutObjectTagging, SignedUrl, Signer, Tag,
    UploadPage, UploadPart, UploadPartCopy, UploadedPart, VersioningState,
};

/// An object store as its clients use it.
///
/// One method an S3 operation, named as S3 names it. A future is boxed once a request, never once
/// a frame: bodies are [`ObjectBody`](crate::ObjectBody) and [`Payload`](crate::Payload), which
/// hand out frames directly.
///
/// Retries: a client sends again what [`base::Fault::is_retryable`] allows, up to its policy,
/// until the response's head has been read; a body that breaks off later is the caller's to ask
/// for again. Cancellation: dropping a future closes its connection; whether the store acted is
/// unknown. A 200 whose body is an error is an error.
pub trait ObjectClient: fmt::Debug + Send + Sync + 'static {
    /// Names the endpoint for people and for comparing two clients: `https://host[:port]`.
    fn endpoint(&self) -> String;

    /// One page of ListObjects (V2, or V1 where [`ListObjects::v1`] says so).
    fn list_objects(&self, request: ListObjects) -> BoxFuture<'_, Result<ListPage>>;
    /// One page of versions and delete markers.
    fn list_object_versions(&self, request: ListObjectVersions) -> BoxFuture<'_, Result<ListPage>>;
    /// What the store says of an object, without its bytes.
    fn head_object(&self, request: HeadObject) -> BoxFuture<'_, Result<ObjectHead>>;
    /// An object, or a range of it.
    fn get_object(&self, request: GetObject) -> BoxFuture<'_, Result<GetObjectOutput>>;
    /// Stores an object in one request.
    fn put_object(&self, request: PutObject) -> BoxFuture<'_, Result<PutObjectOutput>>;
    /// Copies inside the store, up to 5 GiB.
    fn copy_object(&self, request: CopyObject) -> BoxFuture<'_, Result<CopyObjectOutput>>;
    /// Deletes an object or one version of it. An absent key is a success.
    fn delete_object(&self, request: DeleteObject) -> BoxFuture<'_, Result<DeleteObjectOutput>>;
    /// Deletes up to 1,000 keys; what failed is in the output, by key.
    fn delete_objects(&self, request: DeleteObjects) -> BoxFuture<'_, Result<DeleteObjectsOutput>>;

    /// Begins a multipart upload.
    fn create_multipart_upload(
        &self,
        request: CreateMultipartUpload,
    ) -> BoxFuture<'_, Result<CreatedUpload>>;
    /// Sends one part.
    fn upload_part(&self, request: UploadPart) -> BoxFuture<'_, Result<UploadedPart>>;
    /// Copies a range of an object of the store into a part.
    fn upload_part_copy(&self, request: UploadPartCopy) -> BoxFuture<'_, Result<CopiedPart>>;
    /// Makes the object from its parts. NoSuchUpload after a try that may have arrived is not yet
    /// an answer: the client reports it as it is, and the caller asks HEAD.
    fn complete_multipart_upload(
        &self,
        request: CompleteMultipartUpload,
    ) -> BoxFuture<'_, Result<CompletedUpload>>;
    /// Gives up an upload. A part in flight may still land: repeat until ListParts says
    /// NoSuchUpload.
    fn abort_multipart_upload(&self, request: AbortMultipartUpload) -> BoxFuture<'_, Result<()>>;
    /// One page of an upload's parts.
    fn list_parts(&self, request: ListParts) -> BoxFuture<'_, Result<PartPage>>;
    /// One page of the bucket's unfinished uploads.
    fn list_multipart_uploads(
        &self,
        request: ListMultipartUploads,
    ) -> BoxFuture<'_, Result<UploadPage>>;

    /// An object's tags, in the store's order.
    fn get_object_tagging(&self, request: GetObjectTagging) -> BoxFuture<'_, Result<Vec<Tag>>>;
    /// Replaces all tags of an object.
    fn put_object_tagging(&self, request: PutObjectTagging) -> BoxFuture<'_, Result<()>>;
    /// Who may do what with an object.
    fn get_object_acl(&self, request: GetObjectAcl) -> BoxFuture<'_, Result<AccessControlPolicy>>;
    /// Says who may do what with an object from now on.
    fn put_object_acl(&self, request: PutObjectAcl) -> BoxFuture<'_, Result<()>>;
    /// Sets or takes away a version's legal hold.
    fn put_object_legal_hold(&self, request: PutObjectLegalHold) -> BoxFuture<'_, Result<()>>;

    /// Every bucket of the account.
    fn list_buckets(&self) -> BoxFuture<'_, Result<Vec<BucketListing>>>;
    /// Makes a bucket in the client's region.
    fn create_bucket(&self, bucket: BucketName) -> BoxFuture<'_, Result<()>>;
    /// Removes an empty bucket.
    fn delete_bucket(&self, bucket: BucketName) -> BoxFuture<'_, Result<()>>;
    /// Whether a bucket is there and may be asked.
    fn head_bucket(&self, bucket: BucketName) -> BoxFuture<'_, Result<()>>;
    /// The bucket's versioning.
    fn get_bucket_versioning(&self, bucket: BucketName) -> BoxFuture<'_, Result<VersioningState>>;
    /// Sets the bucket's versioning to enabled or suspended.
    fn put_bucket_versioning(
        &self,
        bucket: BucketName,
        state: VersioningState,
    ) -> BoxFuture<'_, Result<()>>;

    /// Whether objects of the bucket can be locked. A store without object lock answers no.
    fn get_object_lock_configuration(&self, bucket: BucketName) -> BoxFuture<'_, Result<bool>>;
    /// Lets objects of the bucket be locked, for good. It must keep versions.
    fn put_object_lock_configuration(&self, bucket: BucketName) -> BoxFuture<'_, Result<()>>;

    /// Has the next request ask for its credentials anew where they come from, since the store
    /// refused those in use. Sends nothing. A client whose credentials cannot change does nothing.
    fn forget_credentials(&self) {}
    /// As whom and how requests are signed. Sends nothing but what credentials need.
    fn signer(&self) -> BoxFuture<'_, Result<Signer>> {
        Box::pin(std::future::ready(Ok(Signer::default())))
    }

    /// A URL that lets its holder do one request. Sends nothing but what credentials need.
    fn presign(&self, request: Presign) -> BoxFuture<'_, Result<SignedUrl>>;
}
