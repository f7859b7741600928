//! Objects: written, read, deleted, tagged.

use std::sync::Arc;

use base::limits::PART_SIZE_MAX;
use base::{BucketName, ChecksumAlgorithm, ETag, Key, VersionId};

use super::attributes::{Attributes, Encryption, Tags};
use super::bucket::Bucket;
use super::condition::{ReadConditions, WriteConditions};
use super::digest::{Declared, Received};
use super::error::Error;
use super::version::{Content, NULL_VERSION, Object, Version, Versioning};
use super::{Model, State, check_version_id};

/// Stores an object.
#[derive(Debug, Clone)]
pub struct PutObject {
    /// The bucket.
    pub bucket: BucketName,
    /// The key.
    pub key: Key,
    /// The bytes.
    pub received: Received,
    /// What the request says about them.
    pub declared: Declared,
    /// The checksum to keep; CRC-64/NVME when none was asked for.
    pub algorithm: Option<ChecksumAlgorithm>,
    /// What the object carries.
    pub attributes: Attributes,
    /// Its tags.
    pub tags: Tags,
    /// Conditions on what is there.
    pub conditions: WriteConditions,
}

impl PutObject {
    /// Stores these bytes without anything besides.
    pub fn new(bucket: BucketName, key: Key, received: Received) -> PutObject {
        PutObject {
            bucket,
            key,
            received,
            declared: Declared::default(),
            algorithm: None,
            attributes: Attributes::default(),
            tags: Tags::default(),
            conditions: WriteConditions::default(),
        }
    }
}

/// An object that was stored.
#[derive(Debug, Clone)]
pub struct Stored {
    /// The object.
    pub object: Arc<Object>,
    /// Its version, where the bucket has ever kept some.
    pub version_id: Option<VersionId>,
}

/// An object that was found.
#[derive(Debug, Clone)]
pub struct FoundObject {
    /// The object.
    pub object: Arc<Object>,
    /// Its version, where the bucket has ever kept some.
    pub version_id: Option<VersionId>,
}

/// What a delete did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deleted {
    /// The version deleted, or that of the delete marker that was laid.
    pub version_id: Option<VersionId>,
    /// Whether a delete marker was laid or taken away.
    pub delete_marker: bool,
}

impl Model {
    /// Stores an object.
    ///
    /// # Errors
    /// `BadDigest`, `EntityTooLarge`, `NoSuchBucket`, or a condition that does not hold.
    pub fn put_object(&self, request: PutObject) -> Result<Stored, Error> {
        request.received.verify(&request.declared)?;
        request.attributes.check()?;
        if request.received.size() > PART_SIZE_MAX.get() {
            return Err(Error::EntityTooLarge);
        }
        let lock = request.attributes.lock;
        let etag = self.etag(&request.received, &request.attributes.encryption);
        let algorithm = request.algorithm.unwrap_or(ChecksumAlgorithm::Crc64Nvme);
        let checksum = request
            .received
            .checksum(algorithm)
            .expect("bytes are taken in with the algorithm that is kept")
            .clone();
        let object = Object {
            body: request.received.body,
            etag,
            last_modified: self.now(),
            attributes: request.attributes,
            tags: request.tags,
            checksum,
            parts: Arc::from([]),
            restored_until: None,
        };
        let mut state = self.write();
        state
            .bucket(&request.bucket)?
            .check_lock(lock, self.0.clock.now())?;
        self.store(
            &mut state,
            &request.bucket,
            request.key,
            object,
            &request.conditions,
        )
    }

    /// The ETag of bytes under an encryption.
    pub(super) fn etag(&self, received: &Received, encryption: &Encryption) -> ETag {
        if encryption.has_opaque_etags() {
            self.opaque_etag()
        } else {
            received.md5_etag()
        }
    }

    /// Makes an object the current version, if the conditions hold.
    pub(super) fn store(
        &self,
        state: &mut State,
        bucket_name: &BucketName,
        key: Key,
        object: Object,
        conditions: &WriteConditions,
    ) -> Result<Stored, Error> {
        conditions.check(state.bucket(bucket_name)?.current_etag(&key))?;
        let version_id = state.next_version_id(bucket_name, &self.0.clock)?;
        let bucket = state.bucket_mut(bucket_name)?;
        let object = Arc::new(object);
        bucket.keys.entry(key).or_default().push(Version {
            version_id: version_id.clone(),
            content: Content::Object(Arc::clone(&object)),
        });
        Ok(Stored {
            object,
            version_id: bucket.shown_version(&version_id),
        })
    }

    /// Finds an object: the given version, or the current one.
    ///
    /// # Errors
    /// `NoSuchBucket`, `NoSuchKey`, `NoSuchVersion`, `InvalidVersionId`; `VersionIsDeleteMarker`
    /// when that is what the version is; or a condition that does not hold.
    pub fn get_object(
        &self,
        bucket_name: &BucketName,
        key: &Key,
        version_id: Option<&VersionId>,
        conditions: &ReadConditions,
    ) -> Result<FoundObject, Error> {
        let state = self.read();
        let (bucket, version) = state.version(bucket_name, key, version_id)?;
        let object = version.object().ok_or(Error::VersionIsDeleteMarker {
            version_id: version.version_id.clone(),
        })?;
        conditions.check(&object.etag, object.last_modified)?;
        Ok(FoundObject {
            object: Arc::clone(object),
            version_id: bucket.shown_version(&version.version_id),
        })
    }

    /// Deletes a version for good; without one, lays a delete marker where versions are kept.
    /// What is not there is as good as deleted.
    ///
    /// # Errors
    /// `NoSuchBucket`, `InvalidVersionId`, `ObjectLocked`, or a condition that does not hold.
    pub fn delete_object(
        &self,
        bucket_name: &BucketName,
        key: &Key,
        version_id: Option<&VersionId>,
        conditions: &WriteConditions,
    ) -> Result<Deleted, Error> {
        self.delete_bypassing(bucket_name, key, version_id, conditions, false)
    }

    /// As [`delete_object`](Self::delete_object), for somebody who may bypass a governance.
    ///
    /// # Errors
    /// As [`delete_object`](Self::delete_object).
    pub fn delete_bypassing(
        &self,
        bucket_name: &BucketName,
        key: &Key,
        version_id: Option<&VersionId>,
        conditions: &WriteConditions,
        bypass_governance: bool,
    ) -> Result<Deleted, Error> {
        check_version_id(version_id)?;
        let now = self.now();
        let mut state = self.write();
        let bucket = state.bucket(bucket_name)?;
        let target = bucket.keys.get(key).and_then(|history| match version_id {
            None => history.current(),
            some => history.find(some).ok().and_then(Version::object),
        });
        conditions.check_delete(target.map(|object| &object.etag))?;
        if let Some(version_id) = version_id {
            bucket.check_delete(key, version_id, self.0.clock.now(), bypass_governance)?;
            let removed = state.bucket_mut(bucket_name)?.remove(key, version_id);
            return Ok(Deleted {
                version_id: Some(version_id.clone()),
                delete_marker: removed.is_some_and(|version| version.object().is_none()),
            });
        }
        if bucket.versioning.is_none() {
            let null = VersionId::new(NULL_VERSION);
            state.bucket_mut(bucket_name)?.remove(key, &null);
            return Ok(Deleted::default());
        }
        let marker = Version {
            version_id: state.next_version_id(bucket_name, &self.0.clock)?,
            content: Content::DeleteMarker { last_modified: now },
        };
        let laid = Deleted {
            version_id: Some(marker.version_id.clone()),
            delete_marker: true,
        };
        let bucket = state.bucket_mut(bucket_name)?;
        bucket.keys.entry(key.clone()).or_default().push(marker);
        Ok(laid)
    }

    /// Replaces an object's tags, and answers its version.
    ///
    /// # Errors
    /// As [`get_object`](Self::get_object).
    pub fn set_object_tags(
        &self,
        bucket_name: &BucketName,
        key: &Key,
        version_id: Option<&VersionId>,
        tags: Tags,
    ) -> Result<Option<VersionId>, Error> {
        self.change(bucket_name, key, version_id, |object| {
            object.tags = tags;
            Ok(())
        })
    }

    /// Restores an archived object for some days from now. Nothing takes time here: it can be
    /// read at once.
    ///
    /// # Errors
    /// As [`get_object`](Self::get_object); `InvalidObjectState` for what is not archived.
    pub fn restore_object(
        &self,
        bucket_name: &BucketName,
        key: &Key,
        version_id: Option<&VersionId>,
        days: u32,
    ) -> Result<(), Error> {
        let duration = jiff::SignedDuration::from_hours(i64::from(days) * 24);
        let until = self.now().checked_add(duration).map_err(|_| {
            Error::InvalidArgument("Restoration days must be a sensible number".to_owned())
        })?;
        self.change(bucket_name, key, version_id, |object| {
            if !object.attributes.is_archived() {
                return Err(Error::InvalidObjectState);
            }
            object.restored_until = Some(until);
            Ok(())
        })
        .map(|_| ())
    }

    /// Whether an object cannot be read now for being archived.
    pub fn needs_restore(&self, object: &Object) -> bool {
        object.needs_restore(self.now())
    }

    /// Changes an object in place, and answers its version.
    pub(super) fn change(
        &self,
        bucket_name: &BucketName,
        key: &Key,
        version_id: Option<&VersionId>,
        change: impl FnOnce(&mut Object) -> Result<(), Error>,
    ) -> Result<Option<VersionId>, Error> {
        let mut state = self.write();
        let (bucket, version) = state.version(bucket_name, key, version_id)?;
        let found = version.version_id.clone();
        if version.object().is_none() {
            return Err(Error::VersionIsDeleteMarker { version_id: found });
        }
        let shown = bucket.shown_version(&found);
        let mut changed = Ok(());
        if let Some(history) = state.bucket_mut(bucket_name)?.keys.get_mut(key) {
            history.change(&found, |object| changed = change(object));
        }
        changed.map(|()| shown)
    }
}

impl State {
    /// Finds a version to read.
    fn version(
        &self,
        bucket_name: &BucketName,
        key: &Key,
        version_id: Option<&VersionId>,
    ) -> Result<(&Bucket, &Version), Error> {
        check_version_id(version_id)?;
        let bucket = self.bucket(bucket_name)?;
        let history = bucket.keys.get(key).ok_or(match version_id {
            Some(_) => Error::NoSuchVersion,
            None => Error::NoSuchKey {
                delete_marker: None,
            },
        })?;
        Ok((bucket, history.find(version_id)?))
    }
}

impl Bucket {
    /// The ETag of the current object, if there is one.
    fn current_etag(&self, key: &Key) -> Option<&ETag> {
        let current = self.keys.get(key)?.current()?;
        Some(&current.etag)
    }

    /// The version id as answers show it: not at all where versions were never kept.
    pub(super) fn shown_version(&self, version_id: &VersionId) -> Option<VersionId> {
        match self.versioning {
            Some(Versioning::Enabled | Versioning::Suspended) => Some(version_id.clone()),
            None => None,
        }
    }

    /// Takes a version away, and the key with its last one.
    fn remove(&mut self, key: &Key, version_id: &VersionId) -> Option<Version> {
        let history = self.keys.get_mut(key)?;
        let removed = history.remove(version_id);
        if history.is_empty() {
            self.keys.remove(key);
        }
        removed
    }
}
