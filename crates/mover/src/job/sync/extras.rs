//! What only the destination has.

use std::path::PathBuf;
use std::sync::Arc;

use base::{BucketName, Key};

use crate::accounts::Accounts;
use crate::context::Context;
use crate::deleter::{DeletePurpose, Deleter};
use crate::error::{Error, Result};
use crate::list::spool_error;
use crate::location::{Location, ObjectLocation};
use crate::spool::Names;
use crate::url::Target;

/// Names written or read at once.
const BATCH: usize = 1_000;

/// Candidates for deletion, on disk but for the newest.
#[derive(Debug)]
pub(super) struct Extras {
    /// The bucket they are in; none for files.
    bucket: Option<BucketName>,
    /// Only kept where they may be deleted.
    spooled: bool,
    batch: Vec<String>,
    names: Option<Names>,
    count: u64,
    /// Objects at the destination, these among them.
    objects: u64,
}

impl Extras {
    /// None so far. `spooled` says whether their names are wanted again.
    pub(super) fn new(destination: &Target, spooled: bool) -> Extras {
        Extras {
            bucket: destination.as_remote().map(|url| url.bucket.clone()),
            spooled,
            batch: Vec::new(),
            names: None,
            count: 0,
            objects: 0,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    pub(super) fn objects(&self) -> u64 {
        self.objects
    }

    /// Counts an object that the destination has.
    pub(super) fn count_object(&mut self) {
        self.objects += 1;
    }

    /// Takes a name that only the destination has.
    pub(super) async fn push(&mut self, accounts: &Accounts, name: &str) -> Result<()> {
        self.count += 1;
        accounts.extra.add(1);
        if !self.spooled {
            return Ok(());
        }
        self.batch.push(name.to_owned());
        if self.batch.len() < BATCH {
            return Ok(());
        }
        let batch = std::mem::take(&mut self.batch);
        let names = self.names.take();
        let written = base::tasks::blocking(move || {
            let mut names = names.map_or_else(Names::new, Ok)?;
            batch.iter().try_for_each(|name| names.push(name))?;
            Ok(names)
        });
        self.names = Some(written.await.map_err(spool_error)?);
        Ok(())
    }

    /// Leaves them where they are.
    pub(super) fn keep(self, accounts: &Accounts) {
        accounts.extra_kept.add(self.count);
    }

    /// Deletes them. Once the context is stopping, the rest is kept.
    pub(super) async fn delete(
        self,
        context: &Context,
        accounts: &Arc<Accounts>,
        dry_run: bool,
    ) -> Result<()> {
        let deleter = Deleter::new(
            context.clone(),
            Arc::clone(accounts),
            DeletePurpose::Extra,
            dry_run,
        );
        let bucket = self.bucket;
        let place = |name: String| place(bucket.as_ref(), name);
        let mut left = self.count;
        let result = async {
            if let Some(names) = self.names {
                let mut reader = base::tasks::blocking(|| names.read())
                    .await
                    .map_err(spool_error)?;
                loop {
                    let (rest, batch) = base::tasks::blocking(move || {
                        let batch: std::io::Result<Vec<String>> =
                            reader.by_ref().take(BATCH).collect();
                        (reader, batch)
                    })
                    .await;
                    reader = rest;
                    let batch = batch.map_err(spool_error)?;
                    if batch.is_empty() {
                        break;
                    }
                    for name in batch {
                        if context.stopping.is_cancelled() {
                            return Ok(());
                        }
                        deleter.submit(place(name)?).await;
                        left -= 1;
                    }
                }
            }
            for name in self.batch {
                if context.stopping.is_cancelled() {
                    return Ok(());
                }
                deleter.submit(place(name)?).await;
                left -= 1;
            }
            Ok(())
        }
        .await;
        deleter.finish().await;
        accounts.extra_kept.add(left);
        result
    }
}

fn place(bucket: Option<&BucketName>, name: String) -> Result<Location> {
    let Some(bucket) = bucket else {
        return Ok(Location::Local(PathBuf::from(name)));
    };
    let key = Key::new(name).map_err(|error| {
        Error::Bug(format!("a listed key came back from disk as none: {error}"))
    })?;
    Ok(Location::Remote(ObjectLocation {
        bucket: bucket.clone(),
        key,
        version_id: None,
    }))
}
