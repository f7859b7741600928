//! Object lock: versions that nobody may delete yet.

use base::{BucketName, Key, VersionId};
use jiff::Timestamp;

/// How hard a retention is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LockMode {
    /// Who has a special permission may shorten it.
    Governance,
    /// Nobody may, not even the owner of the account.
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

    /// By S3's spelling.
    pub fn from_name(name: &str) -> Option<LockMode> {
        let mut all = [LockMode::Governance, LockMode::Compliance].into_iter();
        all.find(|mode| mode.as_str() == name)
    }
}

/// What keeps a version from being deleted. The default keeps it from nothing.
///
/// Mode and date come together: a store refuses one without the other, and both where the bucket
/// was made without object lock. Answers say them only to whom may know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ObjectLock {
    /// How hard the retention is.
    pub mode: Option<LockMode>,
    /// Until when it lasts.
    pub retain_until: Option<Timestamp>,
    /// Whether it is held until somebody says otherwise.
    pub legal_hold: bool,
}

impl ObjectLock {
    /// Whether there is nothing to send.
    pub fn is_none(&self) -> bool {
        *self == ObjectLock::default()
    }
}

/// Sets or takes away a version's legal hold.
#[derive(Debug, Clone)]
pub struct PutObjectLegalHold {
    /// The bucket.
    pub bucket: BucketName,
    /// The key.
    pub key: Key,
    /// A version, else the current one.
    pub version_id: Option<VersionId>,
    /// Whether it is held from now on.
    pub legal_hold: bool,
}
