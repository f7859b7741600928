//! A client of a store that fails, by seed.
//!
//! Overview: [`Faulty`] stands between a caller and any [`ObjectClient`], and is a network, a store
//! and a client at once: each try may meet a fault of its [`Plan`], and is made again as a client
//! does by itself; what no client mends goes on to the caller. Over the store in memory it makes a
//! whole run of faults on a virtual clock; over a client of a real store it does the same to that.
//!
//! Invariants: what befalls a try depends on the seed, on what is asked, and on how often that was
//! asked before; the order of different requests is nothing to it. Only spells (storms, expired
//! credentials, skewed clocks) depend on the time. So the same seed makes the same faults wherever
//! requests and times are the same, as on a runtime of one thread with paused time. Ordering: none.
//! Retries: as the plan says. Cancellation: a future dropped after the store was asked may have
//! acted. Limits: remembers eight bytes for each different request, and each change it made.

mod body;
mod die;
mod plan;
#[cfg(test)]
mod tests;
mod trouble;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use base::flow::retry;
use base::{BucketName, Clock, Key, Sealed, UploadId};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use tokio::time::Instant;

pub use plan::{Plan, Spell};

use self::body::{BodyFault, FaultyBody};
use self::die::Die;
use self::plan::share;
use self::trouble::About;
use crate::client::ObjectClient;
use crate::error::{Error, Operation, Result};
use crate::payload::{ObjectBody, Payload, Reply};
use crate::types::{
    AbortMultipartUpload, AccessControlPolicy, BucketListing, CompleteMultipartUpload,
    CompletedUpload, CopiedPart, CopyObject, CopyObjectOutput, CreateMultipartUpload,
    CreatedUpload, DeleteFailure, DeleteObject, DeleteObjectOutput, DeleteObjects,
    DeleteObjectsOutput, GetObject, GetObjectAcl, GetObjectOutput, GetObjectTagging, HeadObject,
    ListMultipartUploads, ListObjectVersions, ListObjects, ListPage, ListParts, ObjectAttributes,
    ObjectHead, PartPage, Presign, PutCondition, PutObject, PutObjectAcl, PutObjectLegalHold,
    PutObjectOutput, PutObjectTagging, SignedUrl, Tag, UploadPage, UploadPart, UploadPartCopy,
    UploadedPart, VersioningState,
};

/// Largest object that somebody else writes instead of a small one, in bytes.
const CHANGE_MAX: u64 = 64 << 20;

/// A client over another one that fails by seed. Clones share what they remember.
#[derive(Clone)]
pub struct Faulty(Arc<Shared>);

struct Shared {
    inner: Arc<dyn ObjectClient>,
    plan: Plan,
    die: Die,
    clock: Clock,
    begin: Instant,
    /// How often each request was tried, by the number of its die.
    asked: Mutex<HashMap<u64, u64>>,
    told: Mutex<Told>,
}

/// What a test asks for afterwards.
#[derive(Debug, Default)]
struct Told {
    faults: BTreeMap<&'static str, u64>,
    lost_uploads: Vec<UploadId>,
    wrong_unseen: Vec<Key>,
    changes: Vec<Change>,
}

/// What somebody else did to an object of the bucket that changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The object.
    pub key: Key,
    /// What it holds from then on; nothing if it was deleted.
    pub bytes: Option<Bytes>,
}

impl Faulty {
    /// A client over `inner` that fails as `plan` says, by `seed`. Spells begin now. Must be made
    /// inside a runtime.
    pub fn new(inner: Arc<dyn ObjectClient>, seed: u64, plan: Plan) -> Faulty {
        Faulty(Arc::new(Shared {
            inner,
            plan,
            die: Die::new(seed),
            clock: Clock::seeded(jiff::Timestamp::UNIX_EPOCH, seed),
            begin: Instant::now(),
            asked: Mutex::new(HashMap::new()),
            told: Mutex::new(Told::default()),
        }))
    }

    /// How often each kind of fault struck so far.
    pub fn faults(&self) -> BTreeMap<&'static str, u64> {
        self.0.told.lock().faults.clone()
    }

    /// The uploads that the store made and whose ids no caller ever saw.
    pub fn lost_uploads(&self) -> Vec<UploadId> {
        self.0.told.lock().lost_uploads.clone()
    }

    /// The keys where wrong bytes were stored of whose PUT no caller ever saw an answer.
    pub fn wrong_unseen(&self) -> Vec<Key> {
        self.0.told.lock().wrong_unseen.clone()
    }

    /// What somebody else did so far, in order.
    pub fn changes(&self) -> Vec<Change> {
        self.0.told.lock().changes.clone()
    }
}

impl fmt::Debug for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Faulty").field(&self.0.inner).finish()
    }
}

impl Shared {
    /// The die of a request, however often it was asked.
    fn die_of(&self, about: About<'_>) -> Die {
        let die = self.die.with(about.operation as u64);
        let named = [about.bucket, about.key, Some(about.place)];
        named
            .into_iter()
            .fold(die, |die, name| die.named(name.unwrap_or_default()))
    }

    /// The die of one try of it.
    fn die_of_try(&self, about: About<'_>) -> Die {
        let die = self.die_of(about);
        let mut asked = self.asked.lock();
        let count = asked.entry(die.number()).or_default();
        *count += 1;
        die.with(*count)
    }

    /// Whether a fault strikes; counts it.
    fn strikes(&self, die: Die, fault: &'static str, per_mille: u16) -> bool {
        let strikes = die.strikes(fault, per_mille);
        if strikes {
            *self.told.lock().faults.entry(fault).or_default() += 1;
        }
        strikes
    }

    async fn wait(&self, die: Die, face: &str) {
        let max = self.plan.latency_max;
        if !max.is_zero() {
            tokio::time::sleep(share(die, face, max)).await;
        }
    }

    fn spell(&self, name: &'static str, spell: Option<Spell>) -> bool {
        let elapsed = self.begin.elapsed();
        let bad = spell.is_some_and(|spell| spell.is_bad(self.die.named(name), elapsed));
        if bad {
            *self.told.lock().faults.entry(name).or_default() += 1;
        }
        bad
    }

    /// Asks until the plan's tries are used up. `act` is asked with the die of the try.
    async fn serve<T, F>(&self, about: About<'_>, act: impl Fn(Die) -> F) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        retry(&self.plan.retry, &self.clock, |_| self.attempt(about, &act)).await
    }

    /// One try.
    async fn attempt<T, F>(&self, about: About<'_>, act: &impl Fn(Die) -> F) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        let die = self.die_of_try(about);
        self.wait(die, "before").await;
        if let Some(error) = self.before(about, die) {
            return Err(error);
        }
        if self.strikes(die, "stalls", self.plan.stalls) {
            tokio::time::sleep(self.plan.stall).await;
            return Err(about.stalled(self.plan.stall));
        }
        let output = act(die).await?;
        self.wait(die, "after").await;
        if self.strikes(die, "lost answers", self.plan.lost_answers) {
            return Err(about.reset());
        }
        Ok(output)
    }

    /// What keeps a try from the store, if anything does.
    fn before(&self, about: About<'_>, die: Die) -> Option<Error> {
        let plan = &self.plan;
        if self.strikes(self.die_of(about), "denials", plan.denials) {
            return Some(about.denied());
        }
        if self.spell("storms", plan.storms) {
            return Some(about.slow_down());
        }
        if self.spell("expiries", plan.expiries) {
            return Some(about.expired());
        }
        if self.spell("skews", plan.skews) {
            return Some(about.skewed());
        }
        if self.strikes(die, "resets", plan.resets) {
            return Some(about.reset());
        }
        if self.strikes(die, "errors", plan.errors) {
            return Some(about.internal());
        }
        let inside = about.may_fail_inside_200();
        if inside && self.strikes(die, "errors in 200", plan.errors_in_200) {
            return Some(about.inside_200());
        }
        None
    }

    /// Somebody else writes or deletes an object just before it is asked for.
    async fn change(&self, die: Die, bucket: &BucketName, key: &Key) -> Result<()> {
        let plan = &self.plan;
        if plan.changing.as_ref() != Some(bucket) || !die.strikes("changes", plan.changes) {
            return Ok(());
        }
        let told = self.told.lock().changes.clone();
        let so_far = told.iter().filter(|change| change.key == *key);
        if so_far.count() >= usize::try_from(plan.changes_max).unwrap_or(usize::MAX) {
            return Ok(());
        }
        // Of the same size, which is the hardest to see, unless nothing is there.
        let head = HeadObject::new(bucket.clone(), key.clone());
        let size = match self.inner.head_object(head).await {
            Ok(head) if head.size.0 <= CHANGE_MAX => head.size.0,
            Ok(_) | Err(_) => 100,
        };
        let bytes = match die.below("what becomes of it", 8) {
            0 => None,
            1 => Some(other_content(die, size + 1)),
            2 => Some(other_content(die, size / 2)),
            _ => Some(other_content(die, size)),
        };
        *self.told.lock().faults.entry("changes").or_default() += 1;
        match &bytes {
            None => {
                let request = DeleteObject {
                    bucket: bucket.clone(),
                    key: key.clone(),
                    version_id: None,
                    if_match: None,
                };
                self.inner.delete_object(request).await?;
            }
            Some(bytes) => {
                let request = PutObject {
                    bucket: bucket.clone(),
                    key: key.clone(),
                    payload: Payload::from_bytes(bytes.clone()),
                    attributes: ObjectAttributes::default(),
                    condition: PutCondition::None,
                };
                self.inner.put_object(request).await?;
            }
        }
        let key = key.clone();
        self.told.lock().changes.push(Change { key, bytes });
        Ok(())
    }

    async fn head(&self, die: Die, request: HeadObject) -> Result<ObjectHead> {
        self.change(die, &request.bucket, &request.key).await?;
        self.inner.head_object(request).await
    }

    async fn get(&self, die: Die, request: GetObject) -> Result<GetObjectOutput> {
        self.change(die, &request.bucket, &request.key).await?;
        let (bucket, key) = (request.bucket.clone(), request.key.clone());
        let mut output = self.inner.get_object(request).await?;
        let length = output.range.map_or(output.head.size, |range| range.length);
        if length.0 == 0 {
            return Ok(output);
        }
        let about = About::object(Operation::GetObject, &bucket, key.as_str());
        let plan = &self.plan;
        let fault = if self.strikes(die, "broken bodies", plan.broken_bodies) {
            BodyFault::Break(about.reset())
        } else if self.strikes(die, "stalled bodies", plan.stalled_bodies) {
            BodyFault::Stall(plan.stall, about.stalled(plan.stall))
        } else if self.strikes(die, "short bodies", plan.short_bodies) {
            BodyFault::End
        } else if self.strikes(die, "wrong bodies", plan.wrong_bodies) {
            BodyFault::Flip
        } else {
            return Ok(output);
        };
        let at = die.below("byte", length.0);
        output.body = ObjectBody::new(FaultyBody::new(output.body, at, fault));
        Ok(output)
    }

    async fn copy(&self, die: Die, request: CopyObject) -> Result<CopyObjectOutput> {
        self.change(die, &request.source.bucket, &request.source.key)
            .await?;
        self.inner.copy_object(request).await
    }

    async fn copy_part(&self, die: Die, request: UploadPartCopy) -> Result<CopiedPart> {
        self.change(die, &request.source.bucket, &request.source.key)
            .await?;
        self.inner.upload_part_copy(request).await
    }

    /// A payload as it arrives. What is read from a file arrives as it is: the store in memory
    /// reads it itself.
    fn on_its_way(&self, die: Die, payload: Payload) -> Payload {
        let Payload::Memory(sealed) = &payload else {
            return payload;
        };
        let (bytes, crc64) = sealed.carry();
        if bytes.is_empty() || !self.strikes(die, "wrong uploads", self.plan.wrong_uploads) {
            return payload;
        }
        let at = die.below("byte", bytes.len() as u64);
        let mut bytes = bytes.to_vec();
        bytes[usize::try_from(at).expect("inside the bytes")] ^= 1;
        Payload::Memory(Sealed::with_checksum(bytes.into(), crc64))
    }

    async fn put(&self, die: Die, mut request: PutObject) -> Result<PutObjectOutput> {
        let key = request.key.clone();
        let wrong =
            request.payload.length().0 > 0 && die.strikes("wrong uploads", self.plan.wrong_uploads);
        request.payload = self.on_its_way(die, request.payload);
        let stored = self.inner.put_object(request).await?;
        // The same draw as that by which the answer is lost.
        if wrong && die.strikes("lost answers", self.plan.lost_answers) {
            self.told.lock().wrong_unseen.push(key);
        }
        Ok(stored)
    }

    fn part(&self, die: Die, mut request: UploadPart) -> BoxFuture<'_, Result<UploadedPart>> {
        request.payload = self.on_its_way(die, request.payload);
        self.inner.upload_part(request)
    }

    async fn create(&self, die: Die, request: CreateMultipartUpload) -> Result<CreatedUpload> {
        let created = self.inner.create_multipart_upload(request).await?;
        // The same draw as that by which the answer is lost.
        if die.strikes("lost answers", self.plan.lost_answers) {
            let mut told = self.told.lock();
            told.lost_uploads.push(created.upload_id.clone());
        }
        Ok(created)
    }

    async fn list(&self, page: Page<'_>, die: Die, request: ListObjects) -> Result<ListPage> {
        let token = request.continuation_token.clone();
        self.page_fault(page)?;
        let mut answer = self.inner.list_objects(request).await?;
        if token.is_some()
            && answer.next.is_some()
            && self.strikes(die, "repeated tokens", self.plan.repeated_tokens)
        {
            answer.next = token;
        }
        let rows = answer.objects.len() as u64;
        if rows > 1 && self.strikes(die, "swapped rows", self.plan.swapped_rows) {
            let row = usize::try_from(die.below("row", rows - 1)).expect("inside a page");
            answer.objects.swap(row, row + 1);
        }
        Ok(answer)
    }

    /// What keeps a page from coming, as often as it is asked for.
    fn page_fault(&self, page: Page<'_>) -> Result<()> {
        let die = self.die_of(page.0);
        if self.strikes(die, "lost pages", self.plan.lost_pages) {
            return Err(page.0.internal());
        }
        if self.strikes(die, "endless pages", self.plan.endless_pages) {
            return Err(page.0.endless());
        }
        Ok(())
    }

    async fn delete_many(&self, die: Die, request: DeleteObjects) -> Result<DeleteObjectsOutput> {
        let fails = |object: &crate::types::ObjectIdentifier| {
            let die = die.named(object.key.as_str());
            self.strikes(die, "failed deletes", self.plan.failed_deletes)
        };
        let (failing, others): (Vec<_>, Vec<_>) = request.objects.into_iter().partition(fails);
        let mut output = DeleteObjectsOutput::default();
        if !others.is_empty() {
            let bucket = request.bucket;
            let objects = others;
            let request = DeleteObjects { bucket, objects };
            output = self.inner.delete_objects(request).await?;
        }
        output
            .failed
            .extend(failing.into_iter().map(|object| DeleteFailure {
                object,
                code: "InternalError".to_owned(),
                message: "We encountered an internal error. Please try again.".to_owned(),
            }));
        Ok(output)
    }
}

/// A page that is asked for.
#[derive(Clone, Copy)]
struct Page<'a>(About<'a>);

/// Bytes that were not there before.
fn other_content(die: Die, size: u64) -> Bytes {
    let size = usize::try_from(size).expect("changes are small");
    let mark = die.number().to_le_bytes();
    let mut bytes = mark.repeat(size.div_ceil(mark.len()));
    bytes.truncate(size);
    bytes.into()
}

impl ObjectClient for Faulty {
    fn endpoint(&self) -> String {
        self.0.inner.endpoint()
    }

    fn list_objects(&self, request: ListObjects) -> Reply<'_, ListPage> {
        Box::pin(async move {
            let token = request.continuation_token.as_ref();
            let place = match (token, &request.start_after) {
                (Some(token), _) => token.0.clone(),
                (None, Some(after)) => format!("after {after}"),
                (None, None) => String::new(),
            };
            let operation = if request.v1 {
                Operation::ListObjects
            } else {
                Operation::ListObjectsV2
            };
            let about = About {
                place: &place,
                ..About::object(operation, &request.bucket, &request.prefix)
            };
            let list = |die| self.0.list(Page(about), die, request.clone());
            self.0.serve(about, list).await
        })
    }

    fn list_object_versions(&self, request: ListObjectVersions) -> Reply<'_, ListPage> {
        Box::pin(async move {
            let token = request.continuation_token.as_ref();
            let about = About {
                place: token.map_or("", |token| &token.0),
                ..About::object(
                    Operation::ListObjectVersions,
                    &request.bucket,
                    &request.prefix,
                )
            };
            self.0.page_fault(Page(about))?;
            let list = |_| self.0.inner.list_object_versions(request.clone());
            self.0.serve(about, list).await
        })
    }

    fn head_object(&self, request: HeadObject) -> Reply<'_, ObjectHead> {
        Box::pin(async move {
            let key = request.key.as_str();
            let about = About::object(Operation::HeadObject, &request.bucket, key);
            let head = |die| self.0.head(die, request.clone());
            self.0.serve(about, head).await
        })
    }

    fn get_object(&self, request: GetObject) -> Reply<'_, GetObjectOutput> {
        Box::pin(async move {
            let place = request
                .range
                .map_or(String::new(), |range| range.to_header());
            let about = About {
                place: &place,
                ..About::object(Operation::GetObject, &request.bucket, request.key.as_str())
            };
            let get = |die| self.0.get(die, request.clone());
            self.0.serve(about, get).await
        })
    }

    fn put_object(&self, request: PutObject) -> Reply<'_, PutObjectOutput> {
        Box::pin(async move {
            let key = request.key.as_str();
            let about = About::object(Operation::PutObject, &request.bucket, key);
            let put = |die| self.0.put(die, request.clone());
            self.0.serve(about, put).await
        })
    }

    fn copy_object(&self, request: CopyObject) -> Reply<'_, CopyObjectOutput> {
        Box::pin(async move {
            let key = request.key.as_str();
            let about = About::object(Operation::CopyObject, &request.bucket, key);
            let copy = |die| self.0.copy(die, request.clone());
            self.0.serve(about, copy).await
        })
    }

    fn delete_object(&self, request: DeleteObject) -> Reply<'_, DeleteObjectOutput> {
        Box::pin(async move {
            let key = request.key.as_str();
            let about = About::object(Operation::DeleteObject, &request.bucket, key);
            let delete = |_| self.0.inner.delete_object(request.clone());
            self.0.serve(about, delete).await
        })
    }

    fn delete_objects(&self, request: DeleteObjects) -> Reply<'_, DeleteObjectsOutput> {
        Box::pin(async move {
            let first = request.objects.first();
            let first = first.map_or("", |object| object.key.as_str());
            let about = About {
                place: first,
                ..About::bucket(Operation::DeleteObjects, &request.bucket)
            };
            let delete = |die| self.0.delete_many(die, request.clone());
            self.0.serve(about, delete).await
        })
    }

    fn create_multipart_upload(&self, request: CreateMultipartUpload) -> Reply<'_, CreatedUpload> {
        Box::pin(async move {
            let key = request.key.as_str();
            let about = About::object(Operation::CreateMultipartUpload, &request.bucket, key);
            let create = |die| self.0.create(die, request.clone());
            self.0.serve(about, create).await
        })
    }

    fn upload_part(&self, request: UploadPart) -> Reply<'_, UploadedPart> {
        Box::pin(async move {
            let place = request.part_number.get().to_string();
            let about = About {
                place: &place,
                ..About::object(Operation::UploadPart, &request.bucket, request.key.as_str())
            };
            let part = |die| self.0.part(die, request.clone());
            self.0.serve(about, part).await
        })
    }

    fn upload_part_copy(&self, request: UploadPartCopy) -> Reply<'_, CopiedPart> {
        Box::pin(async move {
            let place = request.part_number.get().to_string();
            let key = request.key.as_str();
            let about = About {
                place: &place,
                ..About::object(Operation::UploadPartCopy, &request.bucket, key)
            };
            let copy = |die| self.0.copy_part(die, request.clone());
            self.0.serve(about, copy).await
        })
    }

    fn complete_multipart_upload(
        &self,
        request: CompleteMultipartUpload,
    ) -> Reply<'_, CompletedUpload> {
        Box::pin(async move {
            let key = request.key.as_str();
            let about = About::object(Operation::CompleteMultipartUpload, &request.bucket, key);
            let complete = |_| self.0.inner.complete_multipart_upload(request.clone());
            self.0.serve(about, complete).await
        })
    }

    fn abort_multipart_upload(&self, request: AbortMultipartUpload) -> Reply<'_, ()> {
        Box::pin(async move {
            let key = request.key.as_str();
            let about = About::object(Operation::AbortMultipartUpload, &request.bucket, key);
            let abort = |_| self.0.inner.abort_multipart_upload(request.clone());
            self.0.serve(about, abort).await
        })
    }

    fn list_parts(&self, request: ListParts) -> Reply<'_, PartPage> {
        Box::pin(async move {
            let key = request.key.as_str();
            let about = About::object(Operation::ListParts, &request.bucket, key);
            let list = |_| self.0.inner.list_parts(request.clone());
            self.0.serve(about, list).await
        })
    }

    fn list_multipart_uploads(&self, request: ListMultipartUploads) -> Reply<'_, UploadPage> {
        Box::pin(async move {
            let operation = Operation::ListMultipartUploads;
            let about = About::object(operation, &request.bucket, &request.prefix);
            let list = |_| self.0.inner.list_multipart_uploads(request.clone());
            self.0.serve(about, list).await
        })
    }

    fn list_buckets(&self) -> Reply<'_, Vec<BucketListing>> {
        Box::pin(async move {
            let about = About {
                operation: Operation::ListBuckets,
                bucket: None,
                key: None,
                place: "",
            };
            self.0.serve(about, |_| self.0.inner.list_buckets()).await
        })
    }

    fn create_bucket(&self, bucket: BucketName) -> Reply<'_, ()> {
        Box::pin(async move {
            let about = About::bucket(Operation::CreateBucket, &bucket);
            let create = |_| self.0.inner.create_bucket(bucket.clone());
            self.0.serve(about, create).await
        })
    }

    fn delete_bucket(&self, bucket: BucketName) -> Reply<'_, ()> {
        Box::pin(async move {
            let about = About::bucket(Operation::DeleteBucket, &bucket);
            let delete = |_| self.0.inner.delete_bucket(bucket.clone());
            self.0.serve(about, delete).await
        })
    }

    fn head_bucket(&self, bucket: BucketName) -> Reply<'_, ()> {
        Box::pin(async move {
            let about = About::bucket(Operation::HeadBucket, &bucket);
            let head = |_| self.0.inner.head_bucket(bucket.clone());
            self.0.serve(about, head).await
        })
    }

    fn get_bucket_versioning(&self, bucket: BucketName) -> Reply<'_, VersioningState> {
        Box::pin(async move {
            let about = About::bucket(Operation::GetBucketVersioning, &bucket);
            let get = |_| self.0.inner.get_bucket_versioning(bucket.clone());
            self.0.serve(about, get).await
        })
    }

    fn put_bucket_versioning(&self, bucket: BucketName, state: VersioningState) -> Reply<'_, ()> {
        Box::pin(async move {
            let about = About::bucket(Operation::PutBucketVersioning, &bucket);
            let put = |_| self.0.inner.put_bucket_versioning(bucket.clone(), state);
            self.0.serve(about, put).await
        })
    }

    fn get_object_tagging(&self, request: GetObjectTagging) -> Reply<'_, Vec<Tag>> {
        Box::pin(async move {
            let about = About::object(
                Operation::GetObjectTagging,
                &request.bucket,
                request.key.as_str(),
            );
            let ask = |_| self.0.inner.get_object_tagging(request.clone());
            self.0.serve(about, ask).await
        })
    }

    fn put_object_tagging(&self, request: PutObjectTagging) -> Reply<'_, ()> {
        Box::pin(async move {
            let about = About::object(
                Operation::PutObjectTagging,
                &request.bucket,
                request.key.as_str(),
            );
            let ask = |_| self.0.inner.put_object_tagging(request.clone());
            self.0.serve(about, ask).await
        })
    }

    fn get_object_acl(&self, request: GetObjectAcl) -> Reply<'_, AccessControlPolicy> {
        Box::pin(async move {
            let about = About::object(
                Operation::GetObjectAcl,
                &request.bucket,
                request.key.as_str(),
            );
            let ask = |_| self.0.inner.get_object_acl(request.clone());
            self.0.serve(about, ask).await
        })
    }

    fn put_object_acl(&self, request: PutObjectAcl) -> Reply<'_, ()> {
        Box::pin(async move {
            let about = About::object(
                Operation::PutObjectAcl,
                &request.bucket,
                request.key.as_str(),
            );
            let ask = |_| self.0.inner.put_object_acl(request.clone());
            self.0.serve(about, ask).await
        })
    }

    fn put_object_legal_hold(&self, request: PutObjectLegalHold) -> Reply<'_, ()> {
        Box::pin(async move {
            let about = About::object(
                Operation::PutObjectLegalHold,
                &request.bucket,
                request.key.as_str(),
            );
            let ask = |_| self.0.inner.put_object_legal_hold(request.clone());
            self.0.serve(about, ask).await
        })
    }

    fn get_object_lock_configuration(&self, bucket: BucketName) -> Reply<'_, bool> {
        Box::pin(async move {
            let about = About::bucket(Operation::GetObjectLockConfiguration, &bucket);
            let ask = |_| self.0.inner.get_object_lock_configuration(bucket.clone());
            self.0.serve(about, ask).await
        })
    }

    fn put_object_lock_configuration(&self, bucket: BucketName) -> Reply<'_, ()> {
        Box::pin(async move {
            let about = About::bucket(Operation::PutObjectLockConfiguration, &bucket);
            let ask = |_| self.0.inner.put_object_lock_configuration(bucket.clone());
            self.0.serve(about, ask).await
        })
    }

    /// Nothing is sent, so nothing fails.
    fn presign(&self, request: Presign) -> Reply<'_, SignedUrl> {
        self.0.inner.presign(request)
    }
}
