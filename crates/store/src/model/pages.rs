//! Listings of objects and of versions.

use std::sync::Arc;

use base::{BucketName, Key, VersionId};
use jiff::Timestamp;

use super::Model;
use super::error::Error;
use super::listing::{ListQuery, NestedPage, Page, list, list_nested};
use super::version::{History, NULL_VERSION, Object};

/// A current object in a listing.
#[derive(Debug, Clone)]
pub struct ListedObject {
    /// Its key.
    pub key: Key,
    /// The object.
    pub object: Arc<Object>,
}

/// A version in a listing.
#[derive(Debug, Clone)]
pub struct ListedVersion {
    /// The key.
    pub key: Key,
    /// The version's id.
    pub version_id: VersionId,
    /// Whether it is the newest.
    pub is_latest: bool,
    /// When it was written.
    pub last_modified: Timestamp,
    /// The object; none for a delete marker.
    pub object: Option<Arc<Object>>,
}

impl Model {
    /// A page of the current objects.
    ///
    /// # Errors
    /// `NoSuchBucket`.
    pub fn list_objects(
        &self,
        bucket: &BucketName,
        query: &ListQuery,
    ) -> Result<Page<ListedObject>, Error> {
        let state = self.read();
        let keys = &state.bucket(bucket)?.keys;
        Ok(list(keys, query, |key, history| {
            history.current().map(|object| ListedObject {
                key: key.clone(),
                object: Arc::clone(object),
            })
        }))
    }

    /// A page of all versions and delete markers, of each key the newest first. With
    /// `version_after`, the key `query.after` goes on behind that version.
    ///
    /// # Errors
    /// `NoSuchBucket`.
    pub fn list_object_versions(
        &self,
        bucket: &BucketName,
        query: &ListQuery,
        version_after: Option<&VersionId>,
    ) -> Result<NestedPage<ListedVersion>, Error> {
        let state = self.read();
        let keys = &state.bucket(bucket)?.keys;
        let after = version_after.map(VersionId::as_str);
        Ok(list_nested(keys, query, after, |key, history, after| {
            versions_behind(key, history, after)
        }))
    }
}

/// A key's versions behind the given one, newest first.
fn versions_behind(
    key: &Key,
    history: &History,
    after: Option<&str>,
) -> Vec<(String, ListedVersion)> {
    let versions: Vec<ListedVersion> = history
        .newest_first()
        .enumerate()
        .map(|(index, version)| ListedVersion {
            key: key.clone(),
            version_id: version.version_id.clone(),
            is_latest: index == 0,
            last_modified: version.last_modified(),
            object: version.object().cloned(),
        })
        .collect();
    let passed = match after {
        None => 0,
        Some(after) => match versions.iter().position(|v| v.version_id.as_str() == after) {
            Some(index) => index + 1,
            // The marker has been deleted since. Ids sort by time, so its place is known; only
            // that of the null version is not, and then nothing is passed over.
            None if after == NULL_VERSION => 0,
            None => versions
                .iter()
                .rposition(|v| {
                    v.version_id.as_str() != NULL_VERSION && v.version_id.as_str() > after
                })
                .map_or(0, |index| index + 1),
        },
    };
    versions
        .into_iter()
        .skip(passed)
        .map(|version| (version.version_id.as_str().to_owned(), version))
        .collect()
}
