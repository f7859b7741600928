//! Objects: written, read, deleted; and the rules by which versions come and go.

use std::ops::{ControlFlow, Range};

use base::limits::PART_SIZE_MAX;
use base::{BucketName, ChecksumAlgorithm, ETag, Key, VersionId};
use bytes::Bytes;

use super::bodies::{forget_layout, lay_out, pieces_within};
use super::buckets::bucket_row;
use super::{Begun, Engine};
use crate::error::Error;
use crate::format::batch::Change;
use crate::format::keys::{self, Keyspace};
use crate::format::rows::{BucketRow, ObjectRow, Row as _, VersionRow};
use crate::log::draft::Draft;
use crate::log::plan::Need;
use crate::model::{
    self, Deleted, NULL_VERSION, PutObject, ReadConditions, Versioning, WriteConditions,
    check_version_id, opaque_etag,
};
use crate::namespace::{Rows, scan_prefix};

/// An object that was found.
#[derive(Debug, Clone)]
pub struct Found {
    /// The object.
    pub object: ObjectRow,
    /// When it was written.
    pub last_modified: jiff::Timestamp,
    /// Its version, where the bucket has ever kept some.
    pub version_id: Option<VersionId>,
}

/// An object that was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Put {
    /// Its ETag.
    pub etag: ETag,
    /// Its version, where the bucket has ever kept some.
    pub version_id: Option<VersionId>,
}

impl Engine {
    /// Stores an object.
    ///
    /// # Errors
    /// `BadDigest`, `EntityTooLarge`, `MetadataTooLarge`, `NoSuchBucket`, or a condition that does
    /// not hold; [`Error::Full`], [`Error::Fenced`], [`Error::Uncertain`].
    pub fn put_object(&self, request: &PutObject) -> Begun<Put> {
        let checked = request
            .received
            .verify(&request.declared)
            .and_then(|()| request.attributes.check())
            .and_then(|()| {
                if request.received.size() > PART_SIZE_MAX.get() {
                    Err(model::Error::EntityTooLarge)
                } else {
                    Ok(())
                }
            });
        if let Err(error) = checked {
            return self.refused(error);
        }
        let etag = if request.attributes.encryption.has_opaque_etags() {
            opaque_etag(&self.0.clock)
        } else {
            request.received.md5_etag()
        };
        let algorithm = request.algorithm.unwrap_or(ChecksumAlgorithm::Crc64Nvme);
        let checksum = request
            .received
            .checksum(algorithm)
            .expect("bytes are taken in with the algorithm that is kept");
        let now = self.now();
        self.write(|rows, draft| {
            let bucket = bucket_row(rows, &request.bucket)?;
            let clock_now = self.0.clock.now();
            request
                .attributes
                .lock
                .check(bucket.takes_locks, clock_now)?;
            check_conditions(rows, &request.bucket, &request.key, &request.conditions)?;
            let pieces = draft.place(&request.received.body)?;
            let object = ObjectRow {
                size: request.received.size(),
                crc64: request.received.crc64(),
                etag: etag.clone(),
                checksum: checksum.clone(),
                attributes: request.attributes.clone(),
                tags: request.tags.clone(),
                part_count: 0,
                restored_until: None,
                layout: lay_out(draft, pieces, Vec::new()),
            };
            let version_id = self.add_version(
                rows,
                draft,
                (&request.bucket, &bucket),
                &request.key,
                now,
                Some(object),
            )?;
            Ok(Put {
                etag: etag.clone(),
                version_id: shown(&bucket, version_id),
            })
        })
    }

    pub(super) fn refused<T>(&self, error: model::Error) -> Begun<T> {
        Begun {
            engine: self.clone(),
            answer: Err(error.into()),
            round: None,
        }
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
    ) -> Result<Found, Error> {
        check_version_id(version_id)?;
        let (bucket, version) = self.0.log.read(|rows| {
            let bucket = bucket_row(rows, bucket_name)?;
            let version = find(rows, bucket_name, key, version_id)?;
            Ok::<_, Error>((bucket, version))
        })?;
        let version = match (version, version_id) {
            (None, Some(_)) => return Err(model::Error::NoSuchVersion.into()),
            (None, None) => {
                return Err(model::Error::NoSuchKey {
                    delete_marker: None,
                }
                .into());
            }
            (Some((_, version)), _) => version,
        };
        let object = match (version.object, version_id) {
            (Some(object), _) => object,
            (None, Some(_)) => {
                return Err(model::Error::VersionIsDeleteMarker {
                    version_id: version.version_id,
                }
                .into());
            }
            (None, None) => {
                return Err(model::Error::NoSuchKey {
                    delete_marker: Some(version.version_id),
                }
                .into());
            }
        };
        conditions.check(&object.etag, version.last_modified)?;
        Ok(Found {
            object,
            last_modified: version.last_modified,
            version_id: shown(&bucket, version.version_id),
        })
    }

    /// Reads bytes of an object that was found, and checks every frame it touches.
    ///
    /// # Errors
    /// [`Error::Damaged`] or [`Error::Unreadable`]: never other bytes than were stored.
    ///
    /// # Panics
    /// When the range does not lie within the object.
    pub fn read(&self, object: &ObjectRow, range: Range<u64>) -> Result<Vec<Bytes>, Error> {
        assert!(
            range.start <= range.end && range.end <= object.size,
            "a range lies within its object"
        );
        let wanted = self
            .0
            .log
            .read(|rows| pieces_within(rows, &object.layout, &range))?;
        wanted
            .into_iter()
            .map(|(block, piece, within)| self.0.log.volume().read(&block, piece.place, within))
            .collect()
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
    ) -> Begun<Deleted> {
        if let Err(error) = check_version_id(version_id) {
            return self.refused(error);
        }
        let now = self.now();
        self.write(|rows, draft| {
            let bucket = bucket_row(rows, bucket_name)?;
            let target = find(rows, bucket_name, key, version_id)?;
            let target_object = target
                .as_ref()
                .and_then(|(_, version)| version.object.as_ref());
            conditions.check_delete(target_object.map(|object| &object.etag))?;
            if let Some(version_id) = version_id {
                let locked = target_object.is_some_and(|object| {
                    !object.attributes.lock.lets_go(self.0.clock.now(), false)
                });
                if locked {
                    return Err(model::Error::ObjectLocked.into());
                }
                let marker = target
                    .as_ref()
                    .is_some_and(|(_, version)| version.object.is_none());
                if let Some(target) = target {
                    draft.reserve(Need::Release)?;
                    remove(rows, draft, (bucket_name, key), target)?;
                }
                return Ok(Deleted {
                    version_id: Some(version_id.clone()),
                    delete_marker: marker,
                });
            }
            if bucket.versioning.is_none() {
                if let Some(target) = target {
                    draft.reserve(Need::Release)?;
                    remove(rows, draft, (bucket_name, key), target)?;
                }
                return Ok(Deleted::default());
            }
            draft.reserve(Need::Release)?;
            let named = (bucket_name, &bucket);
            let marker = self.add_version(rows, draft, named, key, now, None)?;
            Ok(Deleted {
                version_id: Some(marker),
                delete_marker: true,
            })
        })
    }

    /// Makes a version the current one. A null version replaces the null version.
    pub(super) fn add_version(
        &self,
        rows: &dyn Rows,
        draft: &mut Draft,
        (bucket_name, bucket): (&BucketName, &BucketRow),
        key: &Key,
        last_modified: jiff::Timestamp,
        object: Option<ObjectRow>,
    ) -> Result<VersionId, Error> {
        let sequence = draft.next_sequence();
        let is_null = bucket.versioning != Some(Versioning::Enabled);
        let version_id = if is_null {
            VersionId::new(NULL_VERSION)
        } else {
            VersionId::new(self.id(sequence))
        };
        let current = current(rows, bucket_name, key)?;
        let null = VersionId::new(NULL_VERSION);
        if is_null && let Some((_, old)) = find(rows, bucket_name, key, Some(&null))? {
            forget_body(draft, &old);
            if current
                .as_ref()
                .is_none_or(|current| current.sequence != old.sequence)
            {
                draft.change(Change {
                    keyspace: Keyspace::Old,
                    key: keys::old_version(bucket_name, key, old.sequence),
                    value: None,
                });
            }
        }
        if let Some(current) = current
            && !(is_null && current.version_id == null)
        {
            draft.change(Change {
                keyspace: Keyspace::Old,
                key: keys::old_version(bucket_name, key, current.sequence),
                value: Some(current.encode()),
            });
        }
        let row = VersionRow {
            sequence,
            version_id: version_id.clone(),
            last_modified,
            object,
        };
        draft.change(Change {
            keyspace: Keyspace::Current,
            key: keys::object(bucket_name, key.as_str()),
            value: Some(row.encode()),
        });
        Ok(version_id)
    }
}

/// The version id as answers show it: not at all where versions were never kept.
pub(super) fn shown(bucket: &BucketRow, version_id: VersionId) -> Option<VersionId> {
    bucket.versioning.map(|_| version_id)
}

/// Decides a write by the current object's ETag.
pub(super) fn check_conditions(
    rows: &dyn Rows,
    bucket: &BucketName,
    key: &Key,
    conditions: &WriteConditions,
) -> Result<(), Error> {
    let current = current(rows, bucket, key)?;
    let object = current.as_ref().and_then(|version| version.object.as_ref());
    Ok(conditions.check(object.map(|object| &object.etag))?)
}

fn current(rows: &dyn Rows, bucket: &BucketName, key: &Key) -> Result<Option<VersionRow>, Error> {
    let row = rows.get(Keyspace::Current, &keys::object(bucket, key.as_str()));
    Ok(row.map(|row| VersionRow::decode(&row)).transpose()?)
}

/// A version, and the keyspace in which it is. The current one when none is asked for.
fn find(
    rows: &dyn Rows,
    bucket: &BucketName,
    key: &Key,
    version_id: Option<&VersionId>,
) -> Result<Option<(Keyspace, VersionRow)>, Error> {
    let current = current(rows, bucket, key)?;
    let Some(wanted) = version_id else {
        return Ok(current.map(|row| (Keyspace::Current, row)));
    };
    if let Some(row) = current.filter(|row| row.version_id == *wanted) {
        return Ok(Some((Keyspace::Current, row)));
    }
    let old = first_old(rows, bucket, key, |row| row.version_id == *wanted)?;
    Ok(old.map(|row| (Keyspace::Old, row)))
}

/// The newest old version that is wanted.
fn first_old(
    rows: &dyn Rows,
    bucket: &BucketName,
    key: &Key,
    is_wanted: impl Fn(&VersionRow) -> bool,
) -> Result<Option<VersionRow>, Error> {
    let mut found = Ok(None);
    let prefix = keys::object(bucket, key.as_str());
    scan_prefix(
        rows,
        Keyspace::Old,
        &prefix,
        &mut |_, value| match VersionRow::decode(value) {
            Ok(row) if !is_wanted(&row) => ControlFlow::Continue(()),
            other => {
                found = other.map(Some);
                ControlFlow::Break(())
            }
        },
    );
    Ok(found?)
}

/// Takes a version away; the newest old one becomes the current one.
fn remove(
    rows: &dyn Rows,
    draft: &mut Draft,
    (bucket, key): (&BucketName, &Key),
    (keyspace, version): (Keyspace, VersionRow),
) -> Result<(), Error> {
    forget_body(draft, &version);
    let old_key = |row: &VersionRow| keys::old_version(bucket, key, row.sequence);
    let taken = |key| Change {
        keyspace: Keyspace::Old,
        key,
        value: None,
    };
    if keyspace == Keyspace::Old {
        draft.change(taken(old_key(&version)));
        return Ok(());
    }
    let next = first_old(rows, bucket, key, |_| true)?;
    draft.change(Change {
        keyspace: Keyspace::Current,
        key: keys::object(bucket, key.as_str()),
        value: next.as_ref().map(VersionRow::encode),
    });
    if let Some(next) = next {
        draft.change(taken(old_key(&next)));
    }
    Ok(())
}

/// Takes away the rows of a version's body.
fn forget_body(draft: &mut Draft, version: &VersionRow) {
    if let Some(object) = &version.object {
        forget_layout(draft, &object.layout);
    }
}
