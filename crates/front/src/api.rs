//! S3's operations, each decoded by s3s and decided by the model.

mod access;
mod buckets;
mod copies;
mod deletes;
mod listings;
mod locks;
mod multipart;
mod object_attributes;
mod objects;
mod segments;
mod selection;
mod settings;
mod tags;
mod uploads;
mod versions;

use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, CompleteMultipartUploadInput,
    CompleteMultipartUploadOutput, CopyObjectInput, CopyObjectOutput, CreateBucketInput,
    CreateBucketOutput, CreateMultipartUploadInput, CreateMultipartUploadOutput, DeleteBucketInput,
    DeleteBucketOutput, DeleteBucketTaggingInput, DeleteBucketTaggingOutput, DeleteObjectInput,
    DeleteObjectOutput, DeleteObjectTaggingInput, DeleteObjectTaggingOutput, DeleteObjectsInput,
    DeleteObjectsOutput, GetBucketAclInput, GetBucketAclOutput, GetBucketCorsInput,
    GetBucketCorsOutput, GetBucketLifecycleConfigurationInput,
    GetBucketLifecycleConfigurationOutput, GetBucketLocationInput, GetBucketLocationOutput,
    GetBucketPolicyInput, GetBucketPolicyOutput, GetBucketTaggingInput, GetBucketTaggingOutput,
    GetBucketVersioningInput, GetBucketVersioningOutput, GetObjectAclInput, GetObjectAclOutput,
    GetObjectAttributesInput, GetObjectAttributesOutput, GetObjectInput, GetObjectLegalHoldInput,
    GetObjectLegalHoldOutput, GetObjectLockConfigurationInput, GetObjectLockConfigurationOutput,
    GetObjectOutput, GetObjectRetentionInput, GetObjectRetentionOutput, GetObjectTaggingInput,
    GetObjectTaggingOutput, HeadBucketInput, HeadBucketOutput, HeadObjectInput, HeadObjectOutput,
    ListBucketsInput, ListBucketsOutput, ListMultipartUploadsInput, ListMultipartUploadsOutput,
    ListObjectVersionsInput, ListObjectVersionsOutput, ListObjectsInput, ListObjectsOutput,
    ListObjectsV2Input, ListObjectsV2Output, ListPartsInput, ListPartsOutput,
    PutBucketTaggingInput, PutBucketTaggingOutput, PutBucketVersioningInput,
    PutBucketVersioningOutput, PutObjectAclInput, PutObjectAclOutput, PutObjectInput,
    PutObjectLegalHoldInput, PutObjectLegalHoldOutput, PutObjectLockConfigurationInput,
    PutObjectLockConfigurationOutput, PutObjectOutput, PutObjectTaggingInput,
    PutObjectTaggingOutput, RestoreObjectInput, RestoreObjectOutput, UploadPartCopyInput,
    UploadPartCopyOutput, UploadPartInput, UploadPartOutput,
};
use s3s::{S3, S3Request, S3Response, S3Result};
use store::Model;

use crate::deviation::Deviation;

/// The model behind s3s's trait.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    pub(crate) model: Model,
    pub(crate) region: String,
    pub(crate) deviation: Deviation,
}

/// The trait's methods, each of which runs the function of its name in its family's file.
macro_rules! operations {
    (
        $($family:ident::$name:ident: $input:ident => $output:ident,)+
        ; $($own:ident::$special:ident: $asked:ident => $answered:ident,)+
    ) => {
        #[async_trait::async_trait]
        impl S3 for Api {
            $(
                async fn $name(
                    &self,
                    request: S3Request<$input>,
                ) -> S3Result<S3Response<$output>> {
                    $family::$name(self, request).await.map(S3Response::new)
                }
            )+
            $(
                async fn $special(
                    &self,
                    request: S3Request<$asked>,
                ) -> S3Result<S3Response<$answered>> {
                    $own::$special(self, request).await
                }
            )+
        }
    };
}

operations! {
    buckets::list_buckets: ListBucketsInput => ListBucketsOutput,
    buckets::create_bucket: CreateBucketInput => CreateBucketOutput,
    buckets::head_bucket: HeadBucketInput => HeadBucketOutput,
    buckets::delete_bucket: DeleteBucketInput => DeleteBucketOutput,
    buckets::get_bucket_location: GetBucketLocationInput => GetBucketLocationOutput,
    buckets::get_bucket_versioning: GetBucketVersioningInput => GetBucketVersioningOutput,
    buckets::put_bucket_versioning: PutBucketVersioningInput => PutBucketVersioningOutput,
    tags::get_bucket_tagging: GetBucketTaggingInput => GetBucketTaggingOutput,
    tags::put_bucket_tagging: PutBucketTaggingInput => PutBucketTaggingOutput,
    tags::delete_bucket_tagging: DeleteBucketTaggingInput => DeleteBucketTaggingOutput,
    tags::get_object_tagging: GetObjectTaggingInput => GetObjectTaggingOutput,
    tags::put_object_tagging: PutObjectTaggingInput => PutObjectTaggingOutput,
    tags::delete_object_tagging: DeleteObjectTaggingInput => DeleteObjectTaggingOutput,
    objects::put_object: PutObjectInput => PutObjectOutput,
    objects::get_object: GetObjectInput => GetObjectOutput,
    objects::restore_object: RestoreObjectInput => RestoreObjectOutput,
    deletes::delete_object: DeleteObjectInput => DeleteObjectOutput,
    deletes::delete_objects: DeleteObjectsInput => DeleteObjectsOutput,
    object_attributes::get_object_attributes: GetObjectAttributesInput => GetObjectAttributesOutput,
    copies::copy_object: CopyObjectInput => CopyObjectOutput,
    copies::upload_part_copy: UploadPartCopyInput => UploadPartCopyOutput,
    multipart::create_multipart_upload: CreateMultipartUploadInput => CreateMultipartUploadOutput,
    multipart::upload_part: UploadPartInput => UploadPartOutput,
    multipart::complete_multipart_upload: CompleteMultipartUploadInput => CompleteMultipartUploadOutput,
    multipart::abort_multipart_upload: AbortMultipartUploadInput => AbortMultipartUploadOutput,
    uploads::list_parts: ListPartsInput => ListPartsOutput,
    uploads::list_multipart_uploads: ListMultipartUploadsInput => ListMultipartUploadsOutput,
    listings::list_objects: ListObjectsInput => ListObjectsOutput,
    listings::list_objects_v2: ListObjectsV2Input => ListObjectsV2Output,
    settings::get_bucket_policy: GetBucketPolicyInput => GetBucketPolicyOutput,
    settings::get_bucket_lifecycle_configuration: GetBucketLifecycleConfigurationInput => GetBucketLifecycleConfigurationOutput,
    settings::get_bucket_cors: GetBucketCorsInput => GetBucketCorsOutput,
    access::get_bucket_acl: GetBucketAclInput => GetBucketAclOutput,
    access::get_object_acl: GetObjectAclInput => GetObjectAclOutput,
    access::put_object_acl: PutObjectAclInput => PutObjectAclOutput,
    locks::get_object_lock_configuration: GetObjectLockConfigurationInput => GetObjectLockConfigurationOutput,
    locks::put_object_lock_configuration: PutObjectLockConfigurationInput => PutObjectLockConfigurationOutput,
    locks::get_object_legal_hold: GetObjectLegalHoldInput => GetObjectLegalHoldOutput,
    locks::put_object_legal_hold: PutObjectLegalHoldInput => PutObjectLegalHoldOutput,
    locks::get_object_retention: GetObjectRetentionInput => GetObjectRetentionOutput,
    ; objects::head_object: HeadObjectInput => HeadObjectOutput,
    versions::list_object_versions: ListObjectVersionsInput => ListObjectVersionsOutput,
}
