//! Object lock: what keeps a version from being deleted.

use base::{BucketName, Key, VersionId};
use jiff::Timestamp;

use super::Model;
use super::bucket::Bucket;
use super::error::Error;
use super::version::{Version, Versioning};

/// How hard a retention is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockMode {
    /// Who says so may bypass it.
    Governance,
    /// Nobody may.
    Compliance,
}

impl LockMode {
    /// As S3 spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            LockMode::Governance => "GOVERNANCE",
            LockMode::Compliance => "COMPLIANCE",
        }
    }
}

/// What keeps a version from being deleted; by default nothing does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lock {
    /// How hard the retention is. There is a mode where there is a date.
    pub mode: Option<LockMode>,
    /// Until when it lasts.
    pub retain_until: Option<Timestamp>,
    /// Whether it is held until somebody says otherwise.
    pub legal_hold: bool,
}

impl Lock {
    /// Whether a version may be deleted at `now`.
    pub(crate) fn lets_go(self, now: Timestamp, bypass_governance: bool) -> bool {
        let is_over = self.retain_until.is_none_or(|until| until <= now);
        let is_retained = match self.mode {
            None => false,
            Some(LockMode::Governance) => !is_over && !bypass_governance,
            Some(LockMode::Compliance) => !is_over,
        };
        !is_retained && !self.legal_hold
    }

    /// Refuses a lock that is none, or that a bucket without locks cannot hold.
    pub(crate) fn check(self, takes_locks: bool, now: Timestamp) -> Result<(), Error> {
        if self == Lock::default() {
            return Ok(());
        }
        if self.mode.is_some() != self.retain_until.is_some() {
            return Err(Error::InvalidArgument(
                "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied"
                    .to_owned(),
            ));
        }
        if self.retain_until.is_some_and(|until| until <= now) {
            let message = "The retain until date must be in the future!";
            return Err(Error::InvalidArgument(message.to_owned()));
        }
        if takes_locks {
            Ok(())
        } else {
            Err(no_configuration())
        }
    }
}

impl Model {
    /// Whether objects of the bucket can be locked.
    ///
    /// # Errors
    /// `NoSuchBucket`.
    pub fn takes_locks(&self, bucket: &BucketName) -> Result<bool, Error> {
        Ok(self.read().bucket(bucket)?.takes_locks)
    }

    /// Lets objects of the bucket be locked, for good.
    ///
    /// # Errors
    /// `NoSuchBucket`; `InvalidBucketState` where it does not keep versions.
    pub fn take_locks(&self, bucket: &BucketName) -> Result<(), Error> {
        let mut state = self.write();
        let bucket = state.bucket_mut(bucket)?;
        if bucket.versioning != Some(Versioning::Enabled) {
            return Err(Error::InvalidBucketState);
        }
        bucket.takes_locks = true;
        Ok(())
    }

    /// Sets or takes away a version's legal hold.
    ///
    /// # Errors
    /// As [`get_object`](Self::get_object); `InvalidRequest` where objects cannot be locked.
    pub fn set_legal_hold(
        &self,
        bucket: &BucketName,
        key: &Key,
        version_id: Option<&VersionId>,
        legal_hold: bool,
    ) -> Result<(), Error> {
        if !self.takes_locks(bucket)? {
            return Err(no_configuration());
        }
        self.change(bucket, key, version_id, |object| {
            object.attributes.lock.legal_hold = legal_hold;
            Ok(())
        })
        .map(|_| ())
    }
}

impl Bucket {
    /// Refuses a lock that is none, or that this bucket cannot hold.
    pub(super) fn check_lock(&self, lock: Lock, now: Timestamp) -> Result<(), Error> {
        lock.check(self.takes_locks, now)
    }

    /// Refuses to delete a version that is kept from it.
    pub(super) fn check_delete(
        &self,
        key: &Key,
        version_id: &VersionId,
        now: Timestamp,
        bypass_governance: bool,
    ) -> Result<(), Error> {
        let version = self
            .keys
            .get(key)
            .and_then(|history| history.find(Some(version_id)).ok());
        match version.and_then(Version::object) {
            Some(object) if !object.attributes.lock.lets_go(now, bypass_governance) => {
                Err(Error::ObjectLocked)
            }
            Some(_) | None => Ok(()),
        }
    }
}

fn no_configuration() -> Error {
    Error::InvalidRequest("Bucket is missing Object Lock Configuration".to_owned())
}
