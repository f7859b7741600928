//! The operations of S3: each worded as a [`Request`](super::request::Request), sent by the
//! client, its answer read from headers and XML.
//!
//! Nothing here retries, signs or knows a host. What an answer may lack, and what it must have, is
//! decided by the readers in [`xml`](super::xml) and [`headers`].

mod acl;
mod bucket;
mod copy;
mod delete;
mod exchange;
mod headers;
mod listing;
mod lock;
mod metadata;
mod multipart;
mod object;
mod presign;
mod tags;

use base::BucketName;

use super::AwsClient;
use crate::client::ObjectClient;
use crate::payload::Reply;
use crate::types::{
    AbortMultipartUpload, AccessControlPolicy, BucketListing, CompleteMultipartUpload,
    CompletedUpload, CopiedPart, CopyObject, CopyObjectOutput, CreateMultipartUpload,
    CreatedUpload, DeleteObject, DeleteObjectOutput, DeleteObjects, DeleteObjectsOutput, GetObject,
    GetObjectAcl, GetObjectOutput, GetObjectTagging, HeadObject, ListMultipartUploads,
    ListObjectVersions, ListObjects, ListPage, ListParts, ObjectHead, PartPage, Presign, PutObject,
    PutObjectAcl, PutObjectLegalHold, PutObjectOutput, PutObjectTagging, SignedUrl, Signer, Tag,
    UploadPage, UploadPart, UploadPartCopy, UploadedPart, VersioningState,
};

impl ObjectClient for AwsClient {
    fn endpoint(&self) -> String {
        self.endpoint_url()
    }

    fn list_objects(&self, request: ListObjects) -> Reply<'_, ListPage> {
        Box::pin(listing::list_objects(self, request))
    }

    fn list_object_versions(&self, request: ListObjectVersions) -> Reply<'_, ListPage> {
        Box::pin(listing::list_object_versions(self, request))
    }

    fn head_object(&self, request: HeadObject) -> Reply<'_, ObjectHead> {
        Box::pin(object::head_object(self, request))
    }

    fn get_object(&self, request: GetObject) -> Reply<'_, GetObjectOutput> {
        Box::pin(object::get_object(self, request))
    }

    fn put_object(&self, request: PutObject) -> Reply<'_, PutObjectOutput> {
        Box::pin(object::put_object(self, request))
    }

    fn copy_object(&self, request: CopyObject) -> Reply<'_, CopyObjectOutput> {
        Box::pin(copy::copy_object(self, request))
    }

    fn delete_object(&self, request: DeleteObject) -> Reply<'_, DeleteObjectOutput> {
        Box::pin(delete::delete_object(self, request))
    }

    fn delete_objects(&self, request: DeleteObjects) -> Reply<'_, DeleteObjectsOutput> {
        Box::pin(delete::delete_objects(self, request))
    }

    fn create_multipart_upload(&self, request: CreateMultipartUpload) -> Reply<'_, CreatedUpload> {
        Box::pin(multipart::create_multipart_upload(self, request))
    }

    fn upload_part(&self, request: UploadPart) -> Reply<'_, UploadedPart> {
        Box::pin(multipart::upload_part(self, request))
    }

    fn upload_part_copy(&self, request: UploadPartCopy) -> Reply<'_, CopiedPart> {
        Box::pin(copy::upload_part_copy(self, request))
    }

    fn complete_multipart_upload(
        &self,
        request: CompleteMultipartUpload,
    ) -> Reply<'_, CompletedUpload> {
        Box::pin(multipart::complete_multipart_upload(self, request))
    }

    fn abort_multipart_upload(&self, request: AbortMultipartUpload) -> Reply<'_, ()> {
        Box::pin(multipart::abort_multipart_upload(self, request))
    }

    fn list_parts(&self, request: ListParts) -> Reply<'_, PartPage> {
        Box::pin(multipart::list_parts(self, request))
    }

    fn list_multipart_uploads(&self, request: ListMultipartUploads) -> Reply<'_, UploadPage> {
        Box::pin(multipart::list_multipart_uploads(self, request))
    }

    fn get_object_tagging(&self, request: GetObjectTagging) -> Reply<'_, Vec<Tag>> {
        Box::pin(tags::get_object_tagging(self, request))
    }

    fn put_object_tagging(&self, request: PutObjectTagging) -> Reply<'_, ()> {
        Box::pin(tags::put_object_tagging(self, request))
    }

    fn get_object_acl(&self, request: GetObjectAcl) -> Reply<'_, AccessControlPolicy> {
        Box::pin(acl::get_object_acl(self, request))
    }

    fn put_object_acl(&self, request: PutObjectAcl) -> Reply<'_, ()> {
        Box::pin(acl::put_object_acl(self, request))
    }

    fn put_object_legal_hold(&self, request: PutObjectLegalHold) -> Reply<'_, ()> {
        Box::pin(lock::put_object_legal_hold(self, request))
    }

    fn list_buckets(&self) -> Reply<'_, Vec<BucketListing>> {
        Box::pin(bucket::list_buckets(self))
    }

    fn create_bucket(&self, bucket: BucketName) -> Reply<'_, ()> {
        Box::pin(bucket::create_bucket(self, bucket))
    }

    fn delete_bucket(&self, bucket: BucketName) -> Reply<'_, ()> {
        Box::pin(bucket::delete_bucket(self, bucket))
    }

    fn head_bucket(&self, bucket: BucketName) -> Reply<'_, ()> {
        Box::pin(bucket::head_bucket(self, bucket))
    }

    fn get_bucket_versioning(&self, bucket: BucketName) -> Reply<'_, VersioningState> {
        Box::pin(bucket::get_bucket_versioning(self, bucket))
    }

    fn put_bucket_versioning(&self, bucket: BucketName, state: VersioningState) -> Reply<'_, ()> {
        Box::pin(bucket::put_bucket_versioning(self, bucket, state))
    }

    fn get_object_lock_configuration(&self, bucket: BucketName) -> Reply<'_, bool> {
        Box::pin(lock::get_object_lock_configuration(self, bucket))
    }

    fn put_object_lock_configuration(&self, bucket: BucketName) -> Reply<'_, ()> {
        Box::pin(lock::put_object_lock_configuration(self, bucket))
    }

    fn forget_credentials(&self) {
        self.forget_identity();
    }

    fn signer(&self) -> Reply<'_, Signer> {
        Box::pin(self.describe_signer())
    }

    fn presign(&self, request: Presign) -> Reply<'_, SignedUrl> {
        Box::pin(presign::presign(self, request))
    }
}
