//! A client whose requests wait while their side's permission is lost.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use base::fault::Classified as _;
use base::{BucketName, Fault, Key};
use remote::payload::Reply;
use remote::types::{
    AbortMultipartUpload, AccessControlPolicy, BucketListing, CompleteMultipartUpload,
    CompletedUpload, CopiedPart, CopyObject, CopyObjectOutput, CreateMultipartUpload,
    CreatedUpload, DeleteObject, DeleteObjectOutput, DeleteObjects, DeleteObjectsOutput, GetObject,
    GetObjectAcl, GetObjectOutput, GetObjectTagging, HeadObject, ListMultipartUploads,
    ListObjectVersions, ListObjects, ListPage, ListParts, ObjectHead, PartPage, Presign, PutObject,
    PutObjectAcl, PutObjectLegalHold, PutObjectOutput, PutObjectTagging, SignedUrl, Signer, Tag,
    UploadPage, UploadPart, UploadPartCopy, UploadedPart, VersioningState,
};
use remote::{ObjectClient, Operation, Result};

use super::lane::{Kind, Place};
use super::probe::{is_absent, is_denial};
use super::watch::{Stopped, Watched};

/// The client of one side, under watch.
#[derive(Clone)]
pub(super) struct Guarded(pub(super) Arc<Watched>);

impl fmt::Debug for Guarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Guarded").field(&self.0.client).finish()
    }
}

/// Counts a request as under way until it is dropped, answered or not.
struct UnderWay<'a> {
    watched: &'a Watched,
    kind: Option<Kind>,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.watched.lane.lock().ended(self.kind);
        self.watched.changed.notify_waiters();
    }
}

impl Guarded {
    /// Sends a request when its side is open, and again after each loss, until it is answered for
    /// good.
    async fn send<'a, R, T, F>(
        &'a self,
        operation: Operation,
        place: Place,
        request: R,
        ask: impl Fn(&'a dyn ObjectClient, R) -> F,
    ) -> Result<T>
    where
        R: Clone,
        F: Future<Output = Result<T>>,
    {
        let watched = &self.0;
        let kind = kind_of(operation);
        let stopped = |Stopped| {
            remote::Error::new(
                operation,
                Fault::Cancelled,
                "stopped while permission was lost",
            )
            .about(
                Some(place.bucket.as_str()),
                place.key.as_ref().map(Key::as_str),
            )
        };
        let mut proven = false;
        loop {
            watched.pass().await.map_err(stopped)?;
            let ticket = watched.lane.lock().sent(kind);
            let under_way = UnderWay { watched, kind };
            let result = ask(&*watched.client, request.clone()).await;
            let error = match (result, kind) {
                (Ok(answer), Some(kind)) => {
                    watched.lane.lock().worked(kind, ticket, &place);
                    return Ok(answer);
                }
                (Ok(answer), None) => return Ok(answer),
                (Err(error), _) => error,
            };
            if error.fault() == Fault::Expired {
                let closes = watched.lane.lock().expired(ticket);
                drop(under_way);
                if closes {
                    let kind = kind.unwrap_or(Kind::List);
                    watched.closed(kind, place.clone(), &error);
                }
                continue;
            }
            if let Some(Kind::Read) = kind.filter(|_| is_absent(&error)) {
                watched.lane.lock().worked(Kind::Read, ticket, &place);
                return Err(error);
            }
            let Some(kind) = kind.filter(|_| is_denial(&error)) else {
                return Err(error);
            };
            let denial = watched.lane.lock().denied(kind, proven);
            drop(under_way);
            match watched
                .verdict(kind, denial, &place)
                .await
                .map_err(stopped)?
            {
                Some(after_proof) => proven = after_proof,
                None => return Err(error),
            }
        }
    }
}

/// The permission that covers an operation, where its loss is looked for. Copies inside a store
/// have none: a refused one is carried over instead. Neither have deletes: nothing harmless shows
/// whether they are allowed.
fn kind_of(operation: Operation) -> Option<Kind> {
    match operation {
        Operation::GetObject | Operation::HeadObject => Some(Kind::Read),
        Operation::ListObjects | Operation::ListObjectsV2 | Operation::ListObjectVersions => {
            Some(Kind::List)
        }
        Operation::PutObject
        | Operation::CreateMultipartUpload
        | Operation::UploadPart
        | Operation::CompleteMultipartUpload => Some(Kind::Write),
        _ => None,
    }
}

fn whole(bucket: &BucketName) -> Place {
    Place {
        bucket: bucket.clone(),
        key: None,
    }
}

fn at(bucket: &BucketName, key: &Key) -> Place {
    Place {
        bucket: bucket.clone(),
        key: Some(key.clone()),
    }
}

/// The prefix of a listing as a place: what was listed is listed again to find out.
fn below(bucket: &BucketName, prefix: &str) -> Place {
    Place {
        bucket: bucket.clone(),
        key: Key::new(prefix).ok(),
    }
}

/// Methods that go through [`Guarded::send`], each with the place that its request is about.
macro_rules! guarded {
    ($($method:ident($request:ident: $type:ty) -> $answer:ty, $operation:ident, $place:expr;)+) => {
        $(fn $method(&self, $request: $type) -> Reply<'_, $answer> {
            let place = $place;
            Box::pin(self.send(
                Operation::$operation,
                place,
                $request,
                |client, request| client.$method(request),
            ))
        })+
    };
}

impl ObjectClient for Guarded {
    fn endpoint(&self) -> String {
        self.0.client.endpoint()
    }

    guarded! {
        list_objects(request: ListObjects) -> ListPage, ListObjectsV2,
            below(&request.bucket, &request.prefix);
        list_object_versions(request: ListObjectVersions) -> ListPage, ListObjectVersions,
            below(&request.bucket, &request.prefix);
        head_object(request: HeadObject) -> ObjectHead, HeadObject,
            at(&request.bucket, &request.key);
        get_object(request: GetObject) -> GetObjectOutput, GetObject,
            at(&request.bucket, &request.key);
        put_object(request: PutObject) -> PutObjectOutput, PutObject,
            at(&request.bucket, &request.key);
        copy_object(request: CopyObject) -> CopyObjectOutput, CopyObject,
            at(&request.bucket, &request.key);
        delete_object(request: DeleteObject) -> DeleteObjectOutput, DeleteObject,
            at(&request.bucket, &request.key);
        delete_objects(request: DeleteObjects) -> DeleteObjectsOutput, DeleteObjects,
            whole(&request.bucket);
        create_multipart_upload(request: CreateMultipartUpload) -> CreatedUpload,
            CreateMultipartUpload, at(&request.bucket, &request.key);
        upload_part(request: UploadPart) -> UploadedPart, UploadPart,
            at(&request.bucket, &request.key);
        upload_part_copy(request: UploadPartCopy) -> CopiedPart, UploadPartCopy,
            at(&request.bucket, &request.key);
        complete_multipart_upload(request: CompleteMultipartUpload) -> CompletedUpload,
            CompleteMultipartUpload, at(&request.bucket, &request.key);
        list_parts(request: ListParts) -> PartPage, ListParts, at(&request.bucket, &request.key);
        list_multipart_uploads(request: ListMultipartUploads) -> UploadPage, ListMultipartUploads,
            whole(&request.bucket);
        get_object_tagging(request: GetObjectTagging) -> Vec<Tag>, GetObjectTagging,
            at(&request.bucket, &request.key);
        put_object_tagging(request: PutObjectTagging) -> (), PutObjectTagging,
            at(&request.bucket, &request.key);
        get_object_acl(request: GetObjectAcl) -> AccessControlPolicy, GetObjectAcl,
            at(&request.bucket, &request.key);
        put_object_acl(request: PutObjectAcl) -> (), PutObjectAcl,
            at(&request.bucket, &request.key);
        put_object_legal_hold(request: PutObjectLegalHold) -> (), PutObjectLegalHold,
            at(&request.bucket, &request.key);
        get_object_lock_configuration(bucket: BucketName) -> bool, GetObjectLockConfiguration,
            whole(&bucket);
        create_bucket(bucket: BucketName) -> (), CreateBucket, whole(&bucket);
        delete_bucket(bucket: BucketName) -> (), DeleteBucket, whole(&bucket);
        head_bucket(bucket: BucketName) -> (), HeadBucket, whole(&bucket);
        get_bucket_versioning(bucket: BucketName) -> VersioningState, GetBucketVersioning,
            whole(&bucket);
    }

    /// Never held back: what a run that stops began must be given up.
    fn abort_multipart_upload(&self, request: AbortMultipartUpload) -> Reply<'_, ()> {
        self.0.client.abort_multipart_upload(request)
    }

    fn put_bucket_versioning(&self, bucket: BucketName, state: VersioningState) -> Reply<'_, ()> {
        self.0.client.put_bucket_versioning(bucket, state)
    }

    fn put_object_lock_configuration(&self, bucket: BucketName) -> Reply<'_, ()> {
        self.0.client.put_object_lock_configuration(bucket)
    }

    fn list_buckets(&self) -> Reply<'_, Vec<BucketListing>> {
        self.0.client.list_buckets()
    }

    fn forget_credentials(&self) {
        self.0.client.forget_credentials();
    }

    fn signer(&self) -> Reply<'_, Signer> {
        self.0.client.signer()
    }

    fn presign(&self, request: Presign) -> Reply<'_, SignedUrl> {
        self.0.client.presign(request)
    }
}
