//! A bucket: keys, their versions, and what happens to them on writes and deletes.

use std::collections::BTreeMap;
use std::sync::Arc;

use base::ids::PartNumber;
use base::{Checksum, Crc64Nvme, ETag, Key, UploadId, VersionId};
use jiff::Timestamp;

use super::content::Content;
use super::multipart::Upload;
use super::refusal::Refusal;
use crate::types::{
    AccessControlPolicy, DeleteObjectOutput, ObjectAttributes, PutCondition, VersioningState,
};

/// The null version's id.
const NULL_VERSION: &str = "null";

/// An object's bytes and what it carries. Only tags, access and legal hold ever change.
#[derive(Debug, Clone)]
pub(super) struct StoredObject {
    pub(super) content: Content,
    pub(super) etag: ETag,
    pub(super) attributes: ObjectAttributes,
    /// Who may do what, once somebody has said so; else the canned ACL of the attributes holds.
    pub(super) policy: Option<AccessControlPolicy>,
    /// Kept if the store keeps checksums.
    pub(super) crc64: Option<Crc64Nvme>,
    /// What a test has the store keep instead.
    pub(super) checksum: Option<Checksum>,
    /// The numbers of the parts it was made from; none for an object stored whole. They need not
    /// follow one another, and parts are asked for by them.
    pub(super) part_numbers: Vec<PartNumber>,
}

impl StoredObject {
    /// Whether it can be asked for this part. An object stored whole is its own first part.
    pub(super) fn has_part(&self, number: PartNumber) -> bool {
        if self.part_numbers.is_empty() {
            number.get() == 1
        } else {
            self.part_numbers.contains(&number)
        }
    }

    /// How many parts it was made from; none for an object stored whole.
    pub(super) fn part_count(&self) -> Option<u32> {
        let count = u32::try_from(self.part_numbers.len()).ok()?;
        (count > 0).then_some(count)
    }
}

/// One version of a key.
#[derive(Debug, Clone)]
pub(super) struct Version {
    /// Grows with every write to the account: later versions are newer.
    pub(super) sequence: u64,
    /// `None` is the null version.
    pub(super) id: Option<VersionId>,
    pub(super) last_modified: Timestamp,
    /// `None` is a delete marker.
    pub(super) object: Option<Arc<StoredObject>>,
}

impl Version {
    /// The id as listings give it.
    pub(super) fn id_or_null(&self) -> VersionId {
        self.id
            .clone()
            .unwrap_or_else(|| VersionId::new(NULL_VERSION))
    }

    pub(super) fn is(&self, id: &VersionId) -> bool {
        match &self.id {
            Some(own) => own == id,
            None => id.as_str() == NULL_VERSION,
        }
    }
}

/// A bucket.
#[derive(Debug)]
pub(super) struct Bucket {
    pub(super) created: Timestamp,
    pub(super) versioning: VersioningState,
    /// Whether versions can be kept from being deleted.
    pub(super) takes_locks: bool,
    /// Each key's versions, oldest first; never empty.
    pub(super) keys: BTreeMap<Key, Vec<Version>>,
    /// Unfinished uploads by key and by the order in which they began.
    pub(super) uploads: BTreeMap<(Key, UploadId), Upload>,
}

impl Bucket {
    pub(super) fn new(created: Timestamp) -> Bucket {
        Bucket {
            created,
            versioning: VersioningState::Unversioned,
            takes_locks: false,
            keys: BTreeMap::new(),
            uploads: BTreeMap::new(),
        }
    }

    /// The current object of a key.
    pub(super) fn current(&self, key: &Key) -> Option<(&Version, &Arc<StoredObject>)> {
        let version = self.keys.get(key)?.last()?;
        Some((version, version.object.as_ref()?))
    }

    /// The object asked for: the current one, or the version named.
    pub(super) fn find(
        &self,
        key: &Key,
        id: Option<&VersionId>,
    ) -> Result<(&Version, &Arc<StoredObject>), Refusal> {
        let Some(id) = id else {
            return self.current(key).ok_or_else(Refusal::no_such_key);
        };
        let versions = self.keys.get(key).ok_or_else(Refusal::no_such_version)?;
        let version = versions
            .iter()
            .find(|version| version.is(id))
            .ok_or_else(Refusal::no_such_version)?;
        let object = version
            .object
            .as_ref()
            .ok_or_else(Refusal::is_delete_marker)?;
        Ok((version, object))
    }

    /// Whether a write to `key` may go on.
    pub(super) fn check(&self, key: &Key, condition: &PutCondition) -> Result<(), Refusal> {
        let current = self.current(key).map(|(_, object)| &object.etag);
        match (condition, current) {
            (PutCondition::None, _) | (PutCondition::Absent, None) => Ok(()),
            (PutCondition::Absent, Some(_)) => Err(Refusal::precondition_failed()),
            (PutCondition::Matches(_), None) => Err(Refusal::no_such_key()),
            (PutCondition::Matches(wanted), Some(etag)) if wanted == etag => Ok(()),
            (PutCondition::Matches(_), Some(_)) => Err(Refusal::precondition_failed()),
        }
    }

    /// Makes `object` (or a delete marker) the key's current version and says its id, where the
    /// bucket keeps versions.
    pub(super) fn add(
        &mut self,
        key: Key,
        sequence: u64,
        last_modified: Timestamp,
        object: Option<Arc<StoredObject>>,
    ) -> Option<VersionId> {
        let id = match self.versioning {
            VersioningState::Enabled => Some(VersionId::new(format!("v{sequence:016x}"))),
            VersioningState::Unversioned | VersioningState::Suspended => None,
        };
        let version = Version {
            sequence,
            id: id.clone(),
            last_modified,
            object,
        };
        let versions = self.keys.entry(key).or_default();
        if id.is_none() {
            versions.retain(|version| version.id.is_some());
        }
        versions.reserve_exact(1);
        versions.push(version);
        match self.versioning {
            VersioningState::Unversioned => None,
            VersioningState::Enabled => id,
            VersioningState::Suspended => Some(VersionId::new(NULL_VERSION)),
        }
    }

    /// Deletes without a version: the object goes, or a delete marker is laid over it.
    pub(super) fn delete_current(
        &mut self,
        key: &Key,
        sequence: u64,
        now: Timestamp,
    ) -> DeleteObjectOutput {
        match self.versioning {
            VersioningState::Unversioned => {
                self.keys.remove(key);
                DeleteObjectOutput::default()
            }
            VersioningState::Enabled | VersioningState::Suspended => DeleteObjectOutput {
                version_id: self.add(key.clone(), sequence, now, None),
                delete_marker: true,
            },
        }
    }

    /// Deletes one version for good. An absent one is a success.
    pub(super) fn delete_version(&mut self, key: &Key, id: &VersionId) -> DeleteObjectOutput {
        let mut delete_marker = false;
        if let Some(versions) = self.keys.get_mut(key) {
            versions.retain(|version| {
                let goes = version.is(id);
                delete_marker |= goes && version.object.is_none();
                !goes
            });
            if versions.is_empty() {
                self.keys.remove(key);
            }
        }
        DeleteObjectOutput {
            version_id: Some(id.clone()),
            delete_marker,
        }
    }
}
