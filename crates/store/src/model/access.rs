//! Who may do what with an object: kept and answered, not enforced.

use base::{BucketName, Key, VersionId};

use super::Model;
use super::error::Error;

/// A permission for somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// For whom.
    pub grantee: Grantee,
    /// `FULL_CONTROL`, `READ`, `WRITE`, `READ_ACP` or `WRITE_ACP`.
    pub permission: String,
}

/// For whom a grant is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grantee {
    /// An account.
    CanonicalUser {
        /// Its canonical user id.
        id: String,
        /// Its name for people.
        display_name: Option<String>,
    },
    /// One of S3's groups, by its URI.
    Group(String),
}

impl Model {
    /// Replaces an object's access control list.
    ///
    /// # Errors
    /// As [`get_object`](Self::get_object).
    pub fn set_object_grants(
        &self,
        bucket: &BucketName,
        key: &Key,
        version_id: Option<&VersionId>,
        grants: Vec<Grant>,
    ) -> Result<(), Error> {
        self.change(bucket, key, version_id, |object| {
            object.attributes.grants = Some(grants);
            Ok(())
        })
        .map(|_| ())
    }

    /// Replaces an object's access control list by a canned one.
    ///
    /// # Errors
    /// As [`get_object`](Self::get_object).
    pub fn set_canned_acl(
        &self,
        bucket: &BucketName,
        key: &Key,
        version_id: Option<&VersionId>,
        acl: String,
    ) -> Result<(), Error> {
        self.change(bucket, key, version_id, |object| {
            object.attributes.acl = Some(acl);
            object.attributes.grants = None;
            Ok(())
        })
        .map(|_| ())
    }
}
