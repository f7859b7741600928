//! What keeps versions from being deleted.

use base::{BucketName, Fault, Key, VersionId};
use jiff::Timestamp;

use super::access::refuse_tags;
use super::account::Account;
use super::bucket::Bucket;
use super::refusal::Refusal;
use crate::types::{LockMode, ObjectAttributes, PutObjectLegalHold, Tag, VersioningState};

/// The refusal of what only a bucket that keeps versions can do.
pub(super) fn invalid_bucket_state() -> Refusal {
    let message = "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration";
    Refusal::new(Fault::Conflict, 409, "InvalidBucketState", message)
}

fn no_configuration() -> Refusal {
    let message = "Bucket is missing Object Lock Configuration";
    Refusal::new(Fault::Invalid, 400, "InvalidRequest", message)
}

impl Account {
    /// Lets objects of the bucket be locked.
    pub(super) fn take_locks(&mut self, name: &BucketName) -> Result<(), Refusal> {
        let bucket = self.bucket_mut(name)?;
        if bucket.versioning != VersioningState::Enabled {
            return Err(invalid_bucket_state());
        }
        bucket.takes_locks = true;
        Ok(())
    }

    /// Refuses a write with a lock that the bucket cannot hold or that is none, or with tags that
    /// are none.
    pub(super) fn refuse_attributes(
        &self,
        name: &BucketName,
        attributes: &ObjectAttributes,
    ) -> Result<(), Refusal> {
        let bucket = self.bucket(name)?;
        let tagging = attributes.tagging.as_deref().unwrap_or_default();
        refuse_tags(&Tag::decode_all(tagging))?;
        let lock = attributes.lock;
        if lock.is_none() {
            return Ok(());
        }
        let invalid = |message| Refusal::new(Fault::Invalid, 400, "InvalidArgument", message);
        if lock.mode.is_some() != lock.retain_until.is_some() {
            return Err(invalid(
                "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be \
                 supplied",
            ));
        }
        let now = self.options.clock.now();
        if lock.retain_until.is_some_and(|until| until <= now) {
            return Err(invalid("The retain until date must be in the future!"));
        }
        if bucket.takes_locks {
            Ok(())
        } else {
            Err(no_configuration())
        }
    }

    pub(super) fn put_object_legal_hold(
        &mut self,
        request: &PutObjectLegalHold,
    ) -> Result<(), Refusal> {
        if !self.bucket(&request.bucket)?.takes_locks {
            return Err(no_configuration());
        }
        let version_id = request.version_id.as_ref();
        self.change(&request.bucket, &request.key, version_id, |object| {
            object.attributes.lock.legal_hold = request.legal_hold;
        })
    }
}

impl Bucket {
    /// Refuses to delete a version that is kept from it.
    pub(super) fn refuse_locked(
        &self,
        key: &Key,
        id: &VersionId,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let versions = self.keys.get(key).map(Vec::as_slice).unwrap_or_default();
        let version = versions.iter().find(|version| version.is(id));
        let Some(object) = version.and_then(|version| version.object.as_ref()) else {
            return Ok(());
        };
        let lock = object.attributes.lock;
        let retained = match lock.mode {
            // This port asks nobody to bypass a governance.
            Some(LockMode::Governance | LockMode::Compliance) => {
                lock.retain_until.is_some_and(|until| until > now)
            }
            None => false,
        };
        if retained || lock.legal_hold {
            return Err(Refusal::access_denied());
        }
        Ok(())
    }
}
