//! Buckets.

use std::ops::ControlFlow;

use base::BucketName;

use super::{Begun, Engine};
use crate::error::Error;
use crate::format::Damage;
use crate::format::batch::Change;
use crate::format::keys::{self, Keyspace};
use crate::format::rows::{BucketRow, Row as _, UploadRow};
use crate::log::draft::Draft;
use crate::log::plan::Need;
use crate::model::{self, BucketSummary, Versioning};
use crate::namespace::{Rows, scan_prefix};

/// A bucket's row.
///
/// # Errors
/// `NoSuchBucket`.
pub(super) fn bucket_row(rows: &dyn Rows, name: &BucketName) -> Result<BucketRow, Error> {
    let row = rows
        .get(Keyspace::Buckets, &keys::bucket(name))
        .ok_or(model::Error::NoSuchBucket)?;
    Ok(BucketRow::decode(&row)?)
}

/// Whether any row begins so.
fn has_any(rows: &dyn Rows, keyspace: Keyspace, prefix: &[u8]) -> bool {
    let mut found = false;
    scan_prefix(rows, keyspace, prefix, &mut |_, _| {
        found = true;
        ControlFlow::Break(())
    });
    found
}

fn put_bucket(draft: &mut Draft, name: &BucketName, row: &BucketRow) {
    draft.change(Change {
        keyspace: Keyspace::Buckets,
        key: keys::bucket(name),
        value: Some(row.encode()),
    });
}

impl Engine {
    /// Makes a bucket.
    ///
    /// # Errors
    /// `BucketAlreadyOwnedByYou`.
    pub fn create_bucket(&self, name: &BucketName) -> Begun<()> {
        let created = self.now();
        self.write(|rows, draft| {
            if rows.get(Keyspace::Buckets, &keys::bucket(name)).is_some() {
                return Err(model::Error::BucketAlreadyOwnedByYou.into());
            }
            draft.reserve(Need::Growth)?;
            let row = BucketRow {
                created,
                versioning: None,
                takes_locks: false,
                tags: None,
            };
            put_bucket(draft, name, &row);
            Ok(())
        })
    }

    /// Takes an empty bucket away; its unfinished uploads go with it.
    ///
    /// # Errors
    /// `NoSuchBucket`; `BucketNotEmpty` while any version or delete marker is left.
    pub fn delete_bucket(&self, name: &BucketName) -> Begun<()> {
        self.write(|rows, draft| {
            bucket_row(rows, name)?;
            let prefix = keys::in_bucket(name);
            // An old version never stands without a current one.
            if has_any(rows, Keyspace::Current, &prefix) {
                return Err(model::Error::BucketNotEmpty.into());
            }
            draft.reserve(Need::Release)?;
            for (key, upload) in uploads_of(rows, name)? {
                super::multipart::forget(rows, draft, &key, &upload)?;
            }
            draft.change(Change {
                keyspace: Keyspace::Buckets,
                key: keys::bucket(name),
                value: None,
            });
            Ok(())
        })
    }

    /// Whether there is such a bucket.
    ///
    /// # Errors
    /// `NoSuchBucket`.
    pub fn head_bucket(&self, name: &BucketName) -> Result<(), Error> {
        self.0.log.read(|rows| bucket_row(rows, name)).map(|_| ())
    }

    /// All buckets in order of name.
    ///
    /// # Errors
    /// [`Error::Row`].
    pub fn list_buckets(&self) -> Result<Vec<BucketSummary>, Error> {
        let mut buckets = Vec::new();
        self.0.log.read(|rows| {
            rows.scan(Keyspace::Buckets, &[], &mut |key, value| {
                buckets.push(summary(key, value));
                ControlFlow::Continue(())
            });
        });
        buckets
            .into_iter()
            .map(|bucket| bucket.map_err(Error::Row))
            .collect()
    }

    /// Whether the bucket keeps versions; none when nobody ever said so.
    ///
    /// # Errors
    /// `NoSuchBucket`.
    pub fn versioning(&self, name: &BucketName) -> Result<Option<Versioning>, Error> {
        let row = self.0.log.read(|rows| bucket_row(rows, name))?;
        Ok(row.versioning)
    }

    /// Says whether the bucket keeps versions from now on.
    ///
    /// # Errors
    /// `NoSuchBucket`; `InvalidBucketState` where its objects can be locked and it is to keep none.
    pub fn set_versioning(&self, name: &BucketName, versioning: Versioning) -> Begun<()> {
        self.write(|rows, draft| {
            let mut row = bucket_row(rows, name)?;
            if row.takes_locks && versioning == Versioning::Suspended {
                return Err(model::Error::InvalidBucketState.into());
            }
            draft.reserve(Need::Release)?;
            row.versioning = Some(versioning);
            put_bucket(draft, name, &row);
            Ok(())
        })
    }
}

fn summary(key: &[u8], value: &[u8]) -> Result<BucketSummary, Damage> {
    Ok(BucketSummary {
        name: keys::bucket_name(key)?,
        created: BucketRow::decode(value)?.created,
    })
}

/// The unfinished uploads of a bucket: key of the row, and the row.
fn uploads_of(rows: &dyn Rows, name: &BucketName) -> Result<Vec<(Vec<u8>, UploadRow)>, Error> {
    let mut uploads = Vec::new();
    let prefix = keys::in_bucket(name);
    scan_prefix(rows, Keyspace::Uploads, &prefix, &mut |key, value| {
        uploads.push((key.to_vec(), value.to_vec()));
        ControlFlow::Continue(())
    });
    uploads
        .into_iter()
        .map(|(key, value)| Ok((key, UploadRow::decode(&value)?)))
        .collect()
}
