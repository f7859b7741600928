//! One bucket: its keys' histories and its unfinished uploads.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use base::{BucketName, Key, UploadId};
use jiff::Timestamp;

use super::Model;
use super::attributes::Tags;
use super::error::Error;
use super::upload::Upload;
use super::version::{History, Versioning};

/// A bucket.
#[derive(Debug)]
pub(crate) struct Bucket {
    /// When it was made.
    pub(crate) created: Timestamp,
    /// Whether it keeps versions, once somebody has said so.
    pub(crate) versioning: Option<Versioning>,
    /// Whether its objects can be locked.
    pub(crate) takes_locks: bool,
    /// Every key with its versions; no history is empty.
    pub(crate) keys: BTreeMap<Key, History>,
    /// Unfinished uploads, by key, then by id: ids sort by the time they began.
    pub(crate) uploads: BTreeMap<Key, BTreeMap<UploadId, Upload>>,
    /// Tags of the bucket itself.
    pub(crate) tags: Option<Tags>,
}

impl Bucket {
    /// An empty bucket without versions.
    pub(crate) fn new(created: Timestamp) -> Bucket {
        Bucket {
            created,
            versioning: None,
            takes_locks: false,
            keys: BTreeMap::new(),
            uploads: BTreeMap::new(),
            tags: None,
        }
    }
}

/// A bucket in a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketSummary {
    /// Its name.
    pub name: BucketName,
    /// When it was made.
    pub created: Timestamp,
}

impl Model {
    /// Makes a bucket.
    ///
    /// # Errors
    /// `BucketAlreadyOwnedByYou`.
    pub fn create_bucket(&self, name: &BucketName) -> Result<(), Error> {
        let created = self.now();
        match self.write().buckets.entry(name.clone()) {
            Entry::Occupied(_) => Err(Error::BucketAlreadyOwnedByYou),
            Entry::Vacant(place) => {
                place.insert(Bucket::new(created));
                Ok(())
            }
        }
    }

    /// Takes an empty bucket away; its unfinished uploads go with it.
    ///
    /// # Errors
    /// `NoSuchBucket`; `BucketNotEmpty` while any version or delete marker is left.
    pub fn delete_bucket(&self, name: &BucketName) -> Result<(), Error> {
        let mut state = self.write();
        if !state.bucket(name)?.keys.is_empty() {
            return Err(Error::BucketNotEmpty);
        }
        state.buckets.remove(name);
        Ok(())
    }

    /// Whether there is such a bucket.
    ///
    /// # Errors
    /// `NoSuchBucket`.
    pub fn head_bucket(&self, name: &BucketName) -> Result<(), Error> {
        self.read().bucket(name).map(|_| ())
    }

    /// All buckets in order of name.
    pub fn list_buckets(&self) -> Vec<BucketSummary> {
        let state = self.read();
        let summary = |(name, bucket): (&BucketName, &Bucket)| BucketSummary {
            name: name.clone(),
            created: bucket.created,
        };
        state.buckets.iter().map(summary).collect()
    }

    /// Whether the bucket keeps versions; none when nobody ever said so.
    ///
    /// # Errors
    /// `NoSuchBucket`.
    pub fn versioning(&self, name: &BucketName) -> Result<Option<Versioning>, Error> {
        Ok(self.read().bucket(name)?.versioning)
    }

    /// Says whether the bucket keeps versions from now on.
    ///
    /// # Errors
    /// `NoSuchBucket`; `InvalidBucketState` where its objects can be locked and it is to keep none.
    pub fn set_versioning(&self, name: &BucketName, versioning: Versioning) -> Result<(), Error> {
        let mut state = self.write();
        let bucket = state.bucket_mut(name)?;
        if bucket.takes_locks && versioning == Versioning::Suspended {
            return Err(Error::InvalidBucketState);
        }
        bucket.versioning = Some(versioning);
        Ok(())
    }

    /// The bucket's own tags, if it has some.
    ///
    /// # Errors
    /// `NoSuchBucket`.
    pub fn bucket_tags(&self, name: &BucketName) -> Result<Option<Tags>, Error> {
        Ok(self.read().bucket(name)?.tags.clone())
    }

    /// Replaces the bucket's own tags, or takes them away.
    ///
    /// # Errors
    /// `NoSuchBucket`.
    pub fn set_bucket_tags(&self, name: &BucketName, tags: Option<Tags>) -> Result<(), Error> {
        self.write().bucket_mut(name)?.tags = tags;
        Ok(())
    }
}
