//! Tags and access control lists.

use std::collections::BTreeMap;
use std::sync::Arc;

use base::{BucketName, Fault, Key, VersionId};

use super::account::Account;
use super::bucket::StoredObject;
use super::refusal::Refusal;
use crate::types::{
    AccessControlPolicy, GetObjectAcl, GetObjectTagging, Grant, Grantee, Owner, Permission,
    PutObjectAcl, PutObjectTagging, Tag,
};

/// Most tags of an object, and the longest key and value, in characters.
/// Source: S3 user guide, "Categorizing your storage using tags" (read 2026-11).
const TAGS_MAX: usize = 10;
const TAG_KEY_MAX: usize = 128;
const TAG_VALUE_MAX: usize = 256;

impl Account {
    pub(super) fn get_object_tagging(
        &self,
        request: &GetObjectTagging,
    ) -> Result<Vec<Tag>, Refusal> {
        let bucket = self.bucket(&request.bucket)?;
        let (_, object) = bucket.find(&request.key, request.version_id.as_ref())?;
        let tagging = object.attributes.tagging.as_deref().unwrap_or_default();
        let mut tags = Tag::decode_all(tagging);
        tags.sort();
        Ok(tags)
    }

    pub(super) fn put_object_tagging(&mut self, request: &PutObjectTagging) -> Result<(), Refusal> {
        refuse_tags(&request.tags)?;
        let tagging = (!request.tags.is_empty()).then(|| Tag::encode_all(&request.tags));
        let version_id = request.version_id.as_ref();
        self.change(&request.bucket, &request.key, version_id, |object| {
            object.attributes.tagging = tagging;
        })
    }

    pub(super) fn get_object_acl(
        &self,
        request: &GetObjectAcl,
    ) -> Result<AccessControlPolicy, Refusal> {
        let bucket = self.bucket(&request.bucket)?;
        let (_, object) = bucket.find(&request.key, request.version_id.as_ref())?;
        let canned = || self.canned(object.attributes.acl.as_deref().unwrap_or("private"));
        Ok(object.policy.clone().unwrap_or_else(canned))
    }

    pub(super) fn put_object_acl(&mut self, request: &PutObjectAcl) -> Result<(), Refusal> {
        let owner = self.owner();
        let named = request.policy.owner.as_ref();
        if named.is_some_and(|named| named.id != owner.id) {
            return Err(Refusal::access_denied());
        }
        let by_mail = |grant: &Grant| matches!(grant.grantee, Grantee::Email(_));
        if request.policy.grants.iter().any(by_mail) {
            let message = "The e-mail address you provided does not match any account on record.";
            let code = "UnresolvableGrantByEmailAddress";
            return Err(Refusal::new(Fault::Invalid, 400, code, message));
        }
        let policy = AccessControlPolicy {
            owner: Some(owner),
            grants: request.policy.grants.clone(),
        };
        let version_id = request.version_id.as_ref();
        self.change(&request.bucket, &request.key, version_id, |object| {
            object.policy = Some(policy);
        })
    }

    /// The one owner of everything at this endpoint.
    fn owner(&self) -> Owner {
        Owner {
            id: format!("owner of {}", self.options.endpoint),
            display_name: None,
        }
    }

    /// What a canned ACL grants.
    fn canned(&self, name: &str) -> AccessControlPolicy {
        let group = |uri: &str, permission| Grant {
            grantee: Grantee::Group(uri.to_owned()),
            permission,
        };
        let owner = self.owner();
        let mut grants = vec![Grant {
            grantee: Grantee::CanonicalUser(owner.clone()),
            permission: Permission::FullControl,
        }];
        if matches!(name, "public-read" | "public-read-write") {
            grants.push(group(Grantee::ALL_USERS, Permission::Read));
        }
        if name == "public-read-write" {
            grants.push(group(Grantee::ALL_USERS, Permission::Write));
        }
        if name == "authenticated-read" {
            grants.push(group(Grantee::AUTHENTICATED_USERS, Permission::Read));
        }
        AccessControlPolicy {
            owner: Some(owner),
            grants,
        }
    }

    /// Changes what of an object may change, in place.
    pub(super) fn change(
        &mut self,
        bucket: &BucketName,
        key: &Key,
        id: Option<&VersionId>,
        change: impl FnOnce(&mut StoredObject),
    ) -> Result<(), Refusal> {
        self.bucket(bucket)?.find(key, id)?;
        let versions = self.bucket_mut(bucket)?.keys.get_mut(key);
        let versions = versions.map(Vec::as_mut_slice).unwrap_or_default();
        let version = match id {
            Some(id) => versions.iter_mut().find(|version| version.is(id)),
            None => versions.last_mut(),
        };
        if let Some(object) = version.and_then(|version| version.object.as_mut()) {
            change(Arc::make_mut(object));
        }
        Ok(())
    }
}

/// Refuses tags that break S3's rules.
pub(super) fn refuse_tags(tags: &[Tag]) -> Result<(), Refusal> {
    let invalid = |message| Refusal::new(Fault::Invalid, 400, "InvalidTag", message);
    let mut seen = BTreeMap::new();
    for tag in tags {
        if tag.key.is_empty() || tag.key.chars().count() > TAG_KEY_MAX {
            return Err(invalid("The TagKey you have provided is invalid"));
        }
        if tag.value.chars().count() > TAG_VALUE_MAX {
            return Err(invalid("The TagValue you have provided is invalid"));
        }
        if seen.insert(&tag.key, &tag.value).is_some() {
            return Err(invalid("Cannot provide multiple Tags with the same key"));
        }
    }
    if tags.len() > TAGS_MAX {
        return Err(invalid("Object tags cannot be greater than 10"));
    }
    Ok(())
}
