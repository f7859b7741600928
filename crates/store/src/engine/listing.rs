//! Pages of objects and versions.

use std::ops::ControlFlow;

use base::{BucketName, Key, VersionId};

use super::Engine;
use super::buckets::bucket_row;
use crate::error::Error;
use crate::format::Damage;
use crate::format::keys::{self, Keyspace};
use crate::format::rows::{Row as _, VersionRow};
use crate::model::{Entry, ListQuery, Page, Position, common_prefix};
use crate::namespace::{Rows, scan_prefix};

/// A version in a listing.
#[derive(Debug, Clone)]
pub struct ListedVersionRow {
    /// Its key.
    pub key: Key,
    /// The version.
    pub version: VersionRow,
}

impl Engine {
    /// A page of the current objects, one snapshot.
    ///
    /// # Errors
    /// `NoSuchBucket`.
    pub fn list_objects(
        &self,
        bucket: &BucketName,
        query: &ListQuery,
    ) -> Result<Page<ListedVersionRow>, Error> {
        self.0.log.read(|rows| {
            bucket_row(rows, bucket)?;
            Ok(page(rows, bucket, query)?)
        })
    }

    /// All versions of a key, the newest first: those of a bucket that never kept any are at most
    /// one.
    ///
    /// # Errors
    /// `NoSuchBucket`.
    pub fn versions_of(&self, bucket: &BucketName, key: &Key) -> Result<Vec<VersionRow>, Error> {
        let found = self.0.log.read(|rows| {
            bucket_row(rows, bucket)?;
            let prefix = keys::object(bucket, key.as_str());
            let mut found: Vec<_> = rows.get(Keyspace::Current, &prefix).into_iter().collect();
            scan_prefix(rows, Keyspace::Old, &prefix, &mut |_, value| {
                found.push(value.to_vec());
                ControlFlow::Continue(())
            });
            Ok::<_, Error>(found)
        })?;
        found
            .iter()
            .map(|row| Ok(VersionRow::decode(row)?))
            .collect()
    }

    /// The id of a key's current version, whatever it is.
    ///
    /// # Errors
    /// `NoSuchBucket`.
    pub fn current_version(
        &self,
        bucket: &BucketName,
        key: &Key,
    ) -> Result<Option<VersionId>, Error> {
        let versions = self.versions_of(bucket, key)?;
        Ok(versions.into_iter().next().map(|row| row.version_id))
    }
}

/// Where rows of a position begin; none at the end.
fn start_of(bucket: &BucketName, position: &Position) -> Option<Vec<u8>> {
    match position {
        Position::From(name) => Some(keys::objects_from(bucket, name)),
        // The row of the name itself ends lower than anything that begins so.
        Position::After(name) => keys::behind(&keys::object(bucket, name)),
        Position::End => None,
    }
}

/// What a walk over rows came to.
enum Step {
    /// The page is done.
    Done,
    /// Whole groups of rows are stepped over.
    Jump(Position),
}

fn page(
    rows: &dyn Rows,
    bucket: &BucketName,
    query: &ListQuery,
) -> Result<Page<ListedVersionRow>, Damage> {
    let mut page = Page::empty();
    if query.limit == 0 {
        return Ok(page);
    }
    let in_bucket = keys::in_bucket(bucket);
    let mut position = Position::start(query);
    let mut last = String::new();
    loop {
        let Some(start) = start_of(bucket, &position) else {
            return Ok(page);
        };
        let mut step = Step::Done;
        let mut wrong = None;
        rows.scan(Keyspace::Current, &start, &mut |row, value| {
            if !row.starts_with(&in_bucket) {
                return ControlFlow::Break(());
            }
            let (key, version) =
                match keys::object_key(row).and_then(|key| Ok((key, VersionRow::decode(value)?))) {
                    Ok(found) => found,
                    Err(damage) => {
                        wrong = Some(damage);
                        return ControlFlow::Break(());
                    }
                };
            let name = key.as_str();
            if !name.starts_with(&query.prefix) {
                return ControlFlow::Break(());
            }
            if version.object.is_none() {
                return ControlFlow::Continue(());
            }
            if page.entries.len() == query.limit {
                page.next_after = Some(std::mem::take(&mut last));
                return ControlFlow::Break(());
            }
            if let Some(group) = common_prefix(name, &query.prefix, &query.delimiter) {
                group.clone_into(&mut last);
                page.entries.push(Entry::CommonPrefix(group.to_owned()));
                step = Step::Jump(Position::behind(group));
                return ControlFlow::Break(());
            }
            name.clone_into(&mut last);
            page.entries
                .push(Entry::Item(ListedVersionRow { key, version }));
            ControlFlow::Continue(())
        });
        if let Some(damage) = wrong {
            return Err(damage);
        }
        match step {
            Step::Done => return Ok(page),
            Step::Jump(behind) => position = behind,
        }
    }
}
