//! The test's own hands on the store: what it puts in place and looks at past hooks and counts.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use base::ids::PartNumber;
use base::{BucketName, ByteCount, Checksum, Crc64Nvme, Key};
use bytes::Bytes;
use jiff::Timestamp;

use super::MemoryClient;
use super::bucket::StoredObject;
use super::content::Content;
use crate::error::Operation;
use crate::types::ObjectAttributes;

impl MemoryClient {
    /// Makes a bucket unless it is there.
    ///
    /// # Panics
    /// When the name could never be a bucket's.
    pub fn insert_bucket(&self, name: &str) {
        let name = BucketName::new(name).expect("a bucket's name");
        // The only refusal is that it is there already.
        let _there = self.0.account.lock().create_bucket(name);
    }

    /// Puts an object in place, past hooks and counts. The bucket is made if it is absent.
    ///
    /// # Panics
    /// When a name is none.
    pub fn insert(&self, bucket: &str, key: &str, bytes: impl Into<Bytes>) {
        self.place(bucket, key, Content::from_bytes(bytes.into()));
    }

    /// Puts a made-up object in place: byte `i` is `(phase + i) % 251`. Costs no memory.
    ///
    /// Its ETag is the MD5 up to 64 MiB; above, hashing would take long, so it is that of an
    /// upload in one part whose MD5 nobody knows.
    ///
    /// # Panics
    /// When a name is none.
    pub fn insert_ramp(&self, bucket: &str, key: &str, phase: u64, length: ByteCount) {
        self.place(bucket, key, Content::ramp(phase, length.0));
    }

    fn place(&self, bucket: &str, key: &str, content: Content) {
        const HASHED_MAX: u64 = 64 << 20;
        self.insert_bucket(bucket);
        let bucket = BucketName::new(bucket).expect("a bucket's name");
        let key = Key::new(key).expect("a key");
        let mut account = self.0.account.lock();
        let (etag, part_numbers) = if content.length() <= HASHED_MAX {
            (hex::encode(content.md5()), Vec::new())
        } else {
            (
                format!("{:032x}-1", content.crc64().0),
                PartNumber::new(1).into_iter().collect(),
            )
        };
        let attributes = ObjectAttributes::default();
        let object = StoredObject {
            etag: account.etag_of(&attributes, || etag),
            crc64: account.options.checksums.then(|| content.crc64()),
            content,
            attributes,
            checksum: None,
            policy: None,
            part_numbers,
        };
        let now = account.now();
        account
            .write(&bucket, key, object, now)
            .map(|_| ())
            .unwrap_or_else(|refusal| panic!("an object is placed in its bucket: {refusal:?}"));
    }

    /// Has the store keep this checksum of a key's current object instead of its own. Says whether
    /// the key is there.
    pub fn set_checksum(&self, bucket: &str, key: &str, checksum: Checksum) -> bool {
        let mut account = self.0.account.lock();
        let versions = account
            .buckets
            .get_mut(bucket)
            .and_then(|bucket| bucket.keys.get_mut(key));
        let object = versions.and_then(|versions| versions.last_mut()?.object.as_mut());
        let Some(object) = object else {
            return false;
        };
        Arc::make_mut(object).checksum = Some(checksum);
        true
    }

    /// The bytes of a key's current object, past hooks and counts.
    pub fn bytes(&self, bucket: &str, key: &str) -> Option<Bytes> {
        let account = self.0.account.lock();
        let bucket = account.buckets.get(bucket)?;
        let (_, object) = bucket.current(&Key::new(key).ok()?)?;
        Some(object.content.to_bytes())
    }

    /// Length and CRC-64/NVME of a key's current object: compares made-up objects of any size.
    pub fn fingerprint(&self, bucket: &str, key: &str) -> Option<(ByteCount, Crc64Nvme)> {
        let account = self.0.account.lock();
        let bucket = account.buckets.get(bucket)?;
        let (_, object) = bucket.current(&Key::new(key).ok()?)?;
        Some((ByteCount(object.content.length()), object.content.crc64()))
    }

    /// The keys of a bucket's current objects, by bytes.
    pub fn keys(&self, bucket: &str) -> Vec<String> {
        let account = self.0.account.lock();
        let Some(bucket) = account.buckets.get(bucket) else {
            return Vec::new();
        };
        let keys = bucket.keys.keys();
        keys.filter(|key| bucket.current(key).is_some())
            .map(Key::to_string)
            .collect()
    }

    /// Number of unfinished uploads in a bucket.
    pub fn upload_count(&self, bucket: &str) -> usize {
        let account = self.0.account.lock();
        account
            .buckets
            .get(bucket)
            .map_or(0, |bucket| bucket.uploads.len())
    }

    /// Sets when a key was last changed. Says whether the key is there.
    pub fn set_last_modified(&self, bucket: &str, key: &str, time: Timestamp) -> bool {
        let mut account = self.0.account.lock();
        let versions = account
            .buckets
            .get_mut(bucket)
            .and_then(|bucket| bucket.keys.get_mut(key));
        let Some(version) = versions.and_then(|versions| versions.last_mut()) else {
            return false;
        };
        version.last_modified = time;
        true
    }

    /// Requests of one operation so far.
    pub fn request_count(&self, operation: Operation) -> u64 {
        let counts = self.0.counts.lock();
        counts.get(&operation).copied().unwrap_or_default()
    }

    /// All requests so far.
    pub fn requests(&self) -> u64 {
        self.0.calls.load(Ordering::Relaxed)
    }

    /// Most requests that were ever waiting or acting at once.
    pub fn in_flight_max(&self) -> u64 {
        self.0.in_flight_max.load(Ordering::Relaxed)
    }
}
