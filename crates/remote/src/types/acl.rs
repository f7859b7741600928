//! Access control lists of objects.

use base::{BucketName, Key, VersionId};

/// Who an account is to S3.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Owner {
    /// The canonical user id.
    pub id: String,
    /// A name for people, where the store says one.
    pub display_name: Option<String>,
}

/// Who may do what with an object.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccessControlPolicy {
    /// Whose the object is. A store refuses a policy that names another than itself does.
    pub owner: Option<Owner>,
    /// In the store's order.
    pub grants: Vec<Grant>,
}

/// A permission for somebody.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Grant {
    /// For whom.
    pub grantee: Grantee,
    /// What they may do.
    pub permission: Permission,
}

/// For whom a grant is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Grantee {
    /// An account, by its canonical user id.
    CanonicalUser(Owner),
    /// An account, by its mail address. Stores answer with ids instead.
    Email(String),
    /// One of S3's groups, by its URI.
    Group(String),
}

impl Grantee {
    /// The group of everybody.
    /// Source: S3 user guide, "Access control list (ACL) overview", "Amazon S3 predefined groups"
    /// (read 2026-11).
    pub const ALL_USERS: &'static str = "http://acs.amazonaws.com/groups/global/AllUsers";

    /// The group of everybody with an account. Source: as above.
    pub const AUTHENTICATED_USERS: &'static str =
        "http://acs.amazonaws.com/groups/global/AuthenticatedUsers";
}

/// What a grant allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Permission {
    /// All of the others.
    FullControl,
    /// Reading the object.
    Read,
    /// Nothing for an object; S3 keeps it all the same.
    Write,
    /// Reading the list.
    ReadAcp,
    /// Writing the list.
    WriteAcp,
}

impl Permission {
    /// Every permission.
    pub const ALL: [Permission; 5] = [
        Permission::FullControl,
        Permission::Read,
        Permission::Write,
        Permission::ReadAcp,
        Permission::WriteAcp,
    ];

    /// As S3 spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Permission::FullControl => "FULL_CONTROL",
            Permission::Read => "READ",
            Permission::Write => "WRITE",
            Permission::ReadAcp => "READ_ACP",
            Permission::WriteAcp => "WRITE_ACP",
        }
    }

    /// By S3's spelling.
    pub fn from_name(name: &str) -> Option<Permission> {
        let mut all = Permission::ALL.into_iter();
        all.find(|permission| permission.as_str() == name)
    }
}

/// Asks for an object's access control list.
#[derive(Debug, Clone)]
pub struct GetObjectAcl {
    /// The bucket.
    pub bucket: BucketName,
    /// The key.
    pub key: Key,
    /// A version, else the current one.
    pub version_id: Option<VersionId>,
}

/// Replaces an object's access control list.
#[derive(Debug, Clone)]
pub struct PutObjectAcl {
    /// The bucket.
    pub bucket: BucketName,
    /// The key.
    pub key: Key,
    /// A version, else the current one.
    pub version_id: Option<VersionId>,
    /// What is to hold from now on.
    pub policy: AccessControlPolicy,
}
