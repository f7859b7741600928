//! What one side of a comparison is to the other.

use std::path::PathBuf;
use std::sync::Arc;

use base::Fault;
use base::fault::Classified as _;

use crate::accounts::Accounts;
use crate::context::Context;
use crate::entry::Entry;
use crate::error::{Error, Result};
use crate::location::{Location, ObjectLocation};
use crate::source::{Order, Side, Source, enumerate};
use crate::url::{S3Url, Target};

/// Everything below the destination; `None` where that is a folder which is not there yet.
pub(in crate::job) async fn below(source: &Source, destination: &Target) -> Option<Source> {
    let target = match destination {
        Target::Remote(url) => {
            let mut url = url.clone();
            if !url.is_prefix() {
                url.path.push('/');
            }
            Target::Remote(url)
        }
        Target::Local(path) => {
            let mut text = path.clone().into_os_string();
            if !text.to_string_lossy().ends_with('/') {
                text.push("/");
            }
            let path = PathBuf::from(text);
            let there = path.clone();
            let is_there = base::tasks::blocking(move || there.is_dir()).await;
            if !is_there {
                return None;
            }
            Target::Local(path)
        }
    };
    Some(Source {
        below: true,
        // s5cmd does not follow links at the destination either.
        follow_symlinks: false,
        list_v1: source.list_v1,
        unordered: source.counterpart_unordered,
        order: Order::Key,
        ..Source::new(target)
    })
}

/// What stands at one place of the destination.
pub(in crate::job) async fn counterpart(
    context: &Context,
    accounts: &Arc<Accounts>,
    destination: &Location,
) -> Result<Option<Entry>> {
    let target = match destination {
        Location::Local(path) => Target::Local(path.clone()),
        Location::Remote(object) => Target::Remote(S3Url {
            bucket: object.bucket.clone(),
            path: object.key.to_string(),
        }),
    };
    let exact = Source {
        raw: true,
        ..Source::new(target)
    };
    let mut stream = enumerate(context, accounts, Side::Destination, &exact);
    match stream.next().await {
        None => Ok(None),
        Some(Ok(entry)) => Ok(Some(entry)),
        Some(Err(Error::Remote(error)))
            if error.fault() == Fault::NotFound && !error.is_code("NoSuchBucket") =>
        {
            Ok(None)
        }
        Some(Err(Error::NotFound(_))) => Ok(None),
        Some(Err(error)) => Err(error),
    }
}

/// What every name of the source begins with, if the destination could hold the source itself.
pub(in crate::job) fn held_names(
    source: &Source,
    destination: &Target,
    same_store: bool,
) -> Option<String> {
    match (&source.target, destination) {
        (Target::Remote(from), Target::Remote(to)) if same_store && from.bucket == to.bucket => {
            let literal = if source.is_pattern() {
                from.literal_prefix()
            } else {
                &from.path
            };
            Some(literal.to_owned())
        }
        _ => None,
    }
}

/// An entry of the destination as it would be at the source: what a filter would be asked about.
/// `None` where the source could not hold it.
pub(in crate::job) fn as_at_source(source: &Source, entry: &Entry) -> Option<Entry> {
    let relative = entry.relative();
    let location = match &source.target {
        Target::Local(_) => {
            // Below the folder named, as include and exclude see it.
            let whole = crate::walk::clean(&source.target.to_string());
            let root = if source.is_pattern() {
                crate::url::literal_prefix(&whole)
            } else {
                whole.as_str()
            };
            let parent = &root[..crate::walk::parent_length(root)];
            Location::Local(PathBuf::from(format!("{parent}{relative}")))
        }
        Target::Remote(url) => {
            let literal = if source.is_pattern() {
                url.literal_prefix()
            } else {
                &url.path
            };
            let parent = &literal[..crate::walk::parent_length(literal)];
            let key = base::Key::new(format!("{parent}{relative}")).ok()?;
            Location::Remote(ObjectLocation {
                bucket: url.bucket.clone(),
                key,
                version_id: None,
            })
        }
    };
    Some(Entry {
        location,
        ..entry.clone()
    })
}
