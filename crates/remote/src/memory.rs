//! An object store in memory: the exact model of what S3 answers.
//!
//! Overview: [`MemoryClient`] is an [`ObjectClient`] whose store is a map under one lock. It is
//! the specification the suite in [`conformance`](crate::conformance) was written against, and
//! the other side of the mover's tests. Deviations that clients must live with are asked for in
//! [`MemoryOptions`]; single requests are failed, delayed or damaged by a [`Hook`].
//!
//! Invariants: a key in the map has at least one version. Ordering: every operation is atomic at
//! the moment it takes the lock. Retries: none; a hook's error is what the caller gets.
//! Cancellation: a future that is dropped before it took the lock did nothing. Crash: all is
//! gone. Limits: memory, except for made-up objects ([`MemoryClient::insert_ramp`]), which cost
//! none at any size, nor do copies of them.

mod access;
mod account;
mod body;
mod bucket;
mod content;
mod hook;
mod listing;
mod lock;
mod multipart;
mod options;
mod refusal;
#[cfg(test)]
mod tests;
mod workbench;

use std::collections::BTreeMap;
use std::fmt;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use base::{BucketName, Checksum, Crc64Nvme, Fault, Key};
use parking_lot::Mutex;

pub use hook::{Call, Hook, Reaction};
pub use options::{ETagStyle, ListingOrder, MemoryOptions};

use self::account::{Account, Received};
use self::body::{BodyFault, ContentBody};
use self::content::Content;
use self::multipart::PartPlace;
use self::refusal::Refusal;
use crate::client::ObjectClient;
use crate::error::{Error, Operation, Result};
use crate::payload::{ObjectBody, Payload, Reply, UploadCheck};
use crate::types::{
    AbortMultipartUpload, AccessControlPolicy, BucketListing, CompleteMultipartUpload,
    CompletedUpload, CopiedPart, CopyObject, CopyObjectOutput, CreateMultipartUpload,
    CreatedUpload, DeleteObject, DeleteObjectOutput, DeleteObjects, DeleteObjectsOutput, GetObject,
    GetObjectAcl, GetObjectOutput, GetObjectTagging, HeadObject, ListMultipartUploads,
    ListObjectVersions, ListObjects, ListPage, ListParts, ObjectHead, PartPage, Presign, PutObject,
    PutObjectAcl, PutObjectLegalHold, PutObjectOutput, PutObjectTagging, SignedUrl, Tag,
    UploadPage, UploadPart, UploadPartCopy, UploadedPart, VersioningState,
};

/// An object store in memory. Clones share the store.
#[derive(Clone)]
pub struct MemoryClient(Arc<Shared>);

struct Shared {
    endpoint: String,
    account: Mutex<Account>,
    hook: Mutex<Option<Hook>>,
    counts: Mutex<BTreeMap<Operation, u64>>,
    calls: AtomicU64,
    in_flight: AtomicU64,
    in_flight_max: AtomicU64,
}

impl MemoryClient {
    /// An empty store that behaves as `options` say.
    pub fn new(options: MemoryOptions) -> MemoryClient {
        MemoryClient(Arc::new(Shared {
            endpoint: options.endpoint.clone(),
            hook: Mutex::new(options.hook.clone()),
            account: Mutex::new(Account::new(options)),
            counts: Mutex::new(BTreeMap::new()),
            calls: AtomicU64::new(0),
            in_flight: AtomicU64::new(0),
            in_flight_max: AtomicU64::new(0),
        }))
    }

    /// A store with these buckets that behaves as S3.
    ///
    /// # Panics
    /// When a name could never be a bucket's.
    pub fn with_buckets<const N: usize>(buckets: [&str; N]) -> MemoryClient {
        let client = MemoryClient::new(MemoryOptions::default());
        buckets
            .into_iter()
            .for_each(|name| client.insert_bucket(name));
        client
    }

    /// Replaces the hook.
    pub fn set_hook(&self, hook: Option<Hook>) {
        *self.0.hook.lock() = hook;
    }

    /// Changes the store's behaviour from here on; `hook` and `endpoint` stay.
    pub fn set_options(&self, change: impl FnOnce(&mut MemoryOptions)) {
        change(&mut self.0.account.lock().options);
    }

    /// Lets the hook see the request, then the store act, and says what the client gets to see.
    async fn serve<T>(
        &self,
        mut call: Call<'_>,
        act: impl FnOnce(&mut Account) -> std::result::Result<T, Refusal>,
    ) -> Result<(T, BodyFault)> {
        let _in_flight = self.enter(&mut call);
        let hook = self.0.hook.lock().clone();
        let reaction = hook.map_or(Reaction::Proceed, |hook| hook.react(&call));
        let latency = self.0.account.lock().options.latency;
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
        let mut body_fault = BodyFault::None;
        let mut lost_answer = None;
        match reaction {
            Reaction::Proceed => {}
            Reaction::Fail(error) => return Err(error),
            Reaction::ActThenFail(error) => lost_answer = Some(error),
            Reaction::Wait(gate) => gate.await,
            Reaction::BreakBody { after } => body_fault = BodyFault::Break { after },
            Reaction::CorruptBody { at } => body_fault = BodyFault::Corrupt { at },
        }
        let done = act(&mut self.0.account.lock());
        match (lost_answer, done) {
            (Some(error), _) => Err(error),
            (None, Ok(value)) => Ok((value, body_fault)),
            (None, Err(refusal)) => Err(refusal.into_error(&call)),
        }
    }

    /// As [`serve`](Self::serve), for answers without a body.
    async fn answer<T>(
        &self,
        call: Call<'_>,
        act: impl FnOnce(&mut Account) -> std::result::Result<T, Refusal>,
    ) -> Result<T> {
        let (value, _) = self.serve(call, act).await?;
        Ok(value)
    }

    fn enter(&self, call: &mut Call<'_>) -> InFlight<'_> {
        let shared = &*self.0;
        call.number = shared.calls.fetch_add(1, Ordering::Relaxed) + 1;
        let mut counts = shared.counts.lock();
        let count = counts.entry(call.operation).or_default();
        *count += 1;
        call.number_of_operation = *count;
        let now = shared.in_flight.fetch_add(1, Ordering::Relaxed) + 1;
        shared.in_flight_max.fetch_max(now, Ordering::Relaxed);
        InFlight(&shared.in_flight)
    }

    /// What the client would send: the bytes and, if the store knows it, their checksum.
    async fn receive(&self, payload: Payload, operation: Operation) -> Result<Received> {
        Ok(match payload {
            Payload::Memory(sealed) => {
                let (bytes, crc64) = sealed.carry();
                Received::of(Content::from_bytes(bytes.clone()), Some(crc64))
            }
            Payload::Stream(stream) => {
                let bytes = stream.source.open().await?.collect().await?;
                let mut received = Received::of(Content::from_bytes(bytes), None);
                received.claimed = stream.crc64.or(Some(received.crc64));
                received
            }
            Payload::File(range) => {
                let read = base::tasks::blocking(move || {
                    let length = range.length.as_usize().unwrap_or(usize::MAX);
                    let mut bytes = vec![0; length];
                    let read = range.file.read_exact_at(&mut bytes, range.offset);
                    read.map(|()| Received::of(Content::from_bytes(bytes.into()), None))
                });
                let mut received = read.await.map_err(|error| {
                    let fault = match error.kind() {
                        std::io::ErrorKind::UnexpectedEof => Fault::Conflict,
                        _ => Fault::Local,
                    };
                    Error::new(operation, fault, "read the file to send").with_source(error)
                })?;
                received.claimed = Some(received.crc64);
                received
            }
        })
    }

    /// How this store checked bytes that came with `crc64`.
    fn check_made(&self, crc64: Option<Crc64Nvme>) -> UploadCheck {
        match crc64 {
            Some(crc64) if self.0.account.lock().options.checksums => {
                UploadCheck::ChecksumHeader(crc64)
            }
            Some(_) | None => UploadCheck::None,
        }
    }
}

impl fmt::Debug for MemoryClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MemoryClient")
            .field(&self.0.endpoint)
            .finish()
    }
}

impl ObjectClient for MemoryClient {
    fn endpoint(&self) -> String {
        self.0.endpoint.clone()
    }

    fn list_objects(&self, request: ListObjects) -> Reply<'_, ListPage> {
        Box::pin(async move {
            let operation = if request.v1 {
                Operation::ListObjects
            } else {
                Operation::ListObjectsV2
            };
            let call = Call::about(operation, request.bucket.as_str(), Some(&request.prefix));
            self.answer(call, |account| account.list_objects(&request))
                .await
        })
    }

    fn list_object_versions(&self, request: ListObjectVersions) -> Reply<'_, ListPage> {
        Box::pin(async move {
            let call = Call::about(
                Operation::ListObjectVersions,
                request.bucket.as_str(),
                Some(&request.prefix),
            );
            self.answer(call, |account| account.list_object_versions(&request))
                .await
        })
    }

    fn head_object(&self, request: HeadObject) -> Reply<'_, ObjectHead> {
        Box::pin(async move {
            let call = Call {
                part_number: request.part_number.map(|number| number.get()),
                ..object_call(Operation::HeadObject, &request.bucket, &request.key)
            };
            self.answer(call, |account| account.head_object(&request))
                .await
        })
    }

    fn get_object(&self, request: GetObject) -> Reply<'_, GetObjectOutput> {
        Box::pin(async move {
            let call = Call {
                range: request.range,
                ..object_call(Operation::GetObject, &request.bucket, &request.key)
            };
            let (found, fault) = self
                .serve(call, |account| account.get_object(&request))
                .await?;
            let frame_bytes = self.0.account.lock().options.frame_bytes;
            let broken = Error::new(
                Operation::GetObject,
                Fault::Unavailable,
                "the connection closed before the end of the body",
            )
            .about(Some(request.bucket.as_str()), Some(request.key.as_str()));
            Ok(GetObjectOutput {
                head: found.head,
                range: found.range,
                body: ObjectBody::new(ContentBody {
                    frames: found.content.frames(frame_bytes),
                    sent: 0,
                    fault,
                    broken: Some(broken),
                }),
            })
        })
    }

    fn put_object(&self, request: PutObject) -> Reply<'_, PutObjectOutput> {
        Box::pin(async move {
            let received = self.receive(request.payload, Operation::PutObject).await?;
            let claimed = received.claimed;
            let call = object_call(Operation::PutObject, &request.bucket, &request.key);
            let encryption = request.attributes.encryption.clone();
            let key = request.key.clone();
            let written = self
                .answer(call, |account| {
                    account.put_object(
                        &request.bucket,
                        key,
                        received,
                        request.attributes,
                        &request.condition,
                    )
                })
                .await?;
            Ok(PutObjectOutput {
                etag: Some(written.object.etag.clone()),
                version_id: written.version_id,
                check: self.check_made(claimed),
                checksum: written.object.crc64.map(Checksum::crc64nvme),
                encryption,
            })
        })
    }

    fn copy_object(&self, request: CopyObject) -> Reply<'_, CopyObjectOutput> {
        Box::pin(async move {
            let (bucket, key) = (request.bucket.clone(), request.key.clone());
            let call = object_call(Operation::CopyObject, &bucket, &key);
            self.answer(call, |account| account.copy_object(request))
                .await
        })
    }

    fn delete_object(&self, request: DeleteObject) -> Reply<'_, DeleteObjectOutput> {
        Box::pin(async move {
            let call = object_call(Operation::DeleteObject, &request.bucket, &request.key);
            self.answer(call, |account| account.delete_object(&request))
                .await
        })
    }

    fn delete_objects(&self, request: DeleteObjects) -> Reply<'_, DeleteObjectsOutput> {
        Box::pin(async move {
            let bucket = request.bucket.clone();
            let call = Call::about(Operation::DeleteObjects, bucket.as_str(), None);
            self.answer(call, |account| account.delete_objects(request))
                .await
        })
    }

    fn create_multipart_upload(&self, request: CreateMultipartUpload) -> Reply<'_, CreatedUpload> {
        Box::pin(async move {
            let (bucket, key) = (request.bucket.clone(), request.key.clone());
            let call = object_call(Operation::CreateMultipartUpload, &bucket, &key);
            self.answer(call, |account| account.create_multipart_upload(request))
                .await
        })
    }

    fn upload_part(&self, request: UploadPart) -> Reply<'_, UploadedPart> {
        Box::pin(async move {
            let mut received = self.receive(request.payload, Operation::UploadPart).await?;
            received.claimed = received.claimed.filter(|_| request.takes_crc64nvme);
            let claimed = received.claimed;
            let call = Call {
                part_number: Some(request.part_number.get()),
                ..object_call(Operation::UploadPart, &request.bucket, &request.key)
            };
            let place = PartPlace {
                bucket: &request.bucket,
                key: &request.key,
                upload_id: &request.upload_id,
                part_number: request.part_number,
            };
            let (etag, checksum) = self
                .answer(call, |account| account.upload_part(&place, received))
                .await?;
            Ok(UploadedPart {
                etag,
                check: self.check_made(claimed),
                checksum,
            })
        })
    }

    fn upload_part_copy(&self, request: UploadPartCopy) -> Reply<'_, CopiedPart> {
        Box::pin(async move {
            let call = Call {
                part_number: Some(request.part_number.get()),
                range: Some(request.range),
                ..object_call(Operation::UploadPartCopy, &request.bucket, &request.key)
            };
            self.answer(call, |account| account.upload_part_copy(&request))
                .await
        })
    }

    fn complete_multipart_upload(
        &self,
        request: CompleteMultipartUpload,
    ) -> Reply<'_, CompletedUpload> {
        Box::pin(async move {
            let (bucket, key) = (request.bucket.clone(), request.key.clone());
            let call = object_call(Operation::CompleteMultipartUpload, &bucket, &key);
            let written = self
                .answer(call, |account| account.complete_multipart_upload(request))
                .await?;
            Ok(CompletedUpload {
                etag: Some(written.object.etag.clone()),
                version_id: written.version_id,
                checksum: written.object.crc64.map(Checksum::crc64nvme),
            })
        })
    }

    fn abort_multipart_upload(&self, request: AbortMultipartUpload) -> Reply<'_, ()> {
        Box::pin(async move {
            let (bucket, key) = (request.bucket.clone(), request.key.clone());
            let call = object_call(Operation::AbortMultipartUpload, &bucket, &key);
            self.answer(call, |account| account.abort_multipart_upload(request))
                .await
        })
    }

    fn list_parts(&self, request: ListParts) -> Reply<'_, PartPage> {
        Box::pin(async move {
            let call = object_call(Operation::ListParts, &request.bucket, &request.key);
            self.answer(call, |account| account.list_parts(&request))
                .await
        })
    }

    fn list_multipart_uploads(&self, request: ListMultipartUploads) -> Reply<'_, UploadPage> {
        Box::pin(async move {
            let call = Call::about(
                Operation::ListMultipartUploads,
                request.bucket.as_str(),
                Some(&request.prefix),
            );
            self.answer(call, |account| account.list_multipart_uploads(&request))
                .await
        })
    }

    fn get_object_tagging(&self, request: GetObjectTagging) -> Reply<'_, Vec<Tag>> {
        Box::pin(async move {
            let call = object_call(Operation::GetObjectTagging, &request.bucket, &request.key);
            self.answer(call, |account| account.get_object_tagging(&request))
                .await
        })
    }

    fn put_object_tagging(&self, request: PutObjectTagging) -> Reply<'_, ()> {
        Box::pin(async move {
            let call = object_call(Operation::PutObjectTagging, &request.bucket, &request.key);
            self.answer(call, |account| account.put_object_tagging(&request))
                .await
        })
    }

    fn get_object_acl(&self, request: GetObjectAcl) -> Reply<'_, AccessControlPolicy> {
        Box::pin(async move {
            let call = object_call(Operation::GetObjectAcl, &request.bucket, &request.key);
            self.answer(call, |account| account.get_object_acl(&request))
                .await
        })
    }

    fn put_object_acl(&self, request: PutObjectAcl) -> Reply<'_, ()> {
        Box::pin(async move {
            let call = object_call(Operation::PutObjectAcl, &request.bucket, &request.key);
            self.answer(call, |account| account.put_object_acl(&request))
                .await
        })
    }

    fn put_object_legal_hold(&self, request: PutObjectLegalHold) -> Reply<'_, ()> {
        Box::pin(async move {
            let call = object_call(Operation::PutObjectLegalHold, &request.bucket, &request.key);
            self.answer(call, |account| account.put_object_legal_hold(&request))
                .await
        })
    }

    fn list_buckets(&self) -> Reply<'_, Vec<BucketListing>> {
        Box::pin(async move {
            let call = Call::new(Operation::ListBuckets);
            self.answer(call, |account| Ok(account.list_buckets()))
                .await
        })
    }

    fn create_bucket(&self, bucket: BucketName) -> Reply<'_, ()> {
        Box::pin(async move {
            let call = Call::about(Operation::CreateBucket, bucket.as_str(), None);
            self.answer(call, |account| account.create_bucket(bucket.clone()))
                .await
        })
    }

    fn delete_bucket(&self, bucket: BucketName) -> Reply<'_, ()> {
        Box::pin(async move {
            let call = Call::about(Operation::DeleteBucket, bucket.as_str(), None);
            self.answer(call, |account| account.delete_bucket(&bucket))
                .await
        })
    }

    fn head_bucket(&self, bucket: BucketName) -> Reply<'_, ()> {
        Box::pin(async move {
            let call = Call::about(Operation::HeadBucket, bucket.as_str(), None);
            self.answer(call, |account| account.bucket(&bucket).map(|_| ()))
                .await
        })
    }

    fn get_bucket_versioning(&self, bucket: BucketName) -> Reply<'_, VersioningState> {
        Box::pin(async move {
            let call = Call::about(Operation::GetBucketVersioning, bucket.as_str(), None);
            self.answer(call, |account| {
                account.bucket(&bucket).map(|bucket| bucket.versioning)
            })
            .await
        })
    }

    fn put_bucket_versioning(&self, bucket: BucketName, state: VersioningState) -> Reply<'_, ()> {
        Box::pin(async move {
            let call = Call::about(Operation::PutBucketVersioning, bucket.as_str(), None);
            self.answer(call, |account| account.put_versioning(&bucket, state))
                .await
        })
    }

    fn get_object_lock_configuration(&self, bucket: BucketName) -> Reply<'_, bool> {
        Box::pin(async move {
            let operation = Operation::GetObjectLockConfiguration;
            let call = Call::about(operation, bucket.as_str(), None);
            self.answer(call, |account| {
                account.bucket(&bucket).map(|bucket| bucket.takes_locks)
            })
            .await
        })
    }

    fn put_object_lock_configuration(&self, bucket: BucketName) -> Reply<'_, ()> {
        Box::pin(async move {
            let operation = Operation::PutObjectLockConfiguration;
            let call = Call::about(operation, bucket.as_str(), None);
            self.answer(call, |account| account.take_locks(&bucket))
                .await
        })
    }

    /// Refused: there is no HTTP to sign for.
    fn presign(&self, request: Presign) -> Reply<'_, SignedUrl> {
        Box::pin(async move {
            let message = "a store in memory has no URLs";
            let error = Error::new(Operation::GetObject, Fault::Unsupported, message);
            Err(error.about(Some(request.bucket.as_str()), Some(request.key.as_str())))
        })
    }
}

fn object_call<'a>(operation: Operation, bucket: &'a BucketName, key: &'a Key) -> Call<'a> {
    Call::about(operation, bucket.as_str(), Some(key.as_str()))
}

/// Counts a request as long as it lives.
struct InFlight<'a>(&'a AtomicU64);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
