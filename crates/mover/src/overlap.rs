//! Whether what a job writes lies where it reads.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::source::Source;
use crate::url::Target;

/// The part of a source that a job itself writes to: what is there is not read, or the job would
/// read its own output.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Overlap {
    /// What every name in that part begins with; absent where there is no such part.
    prefix: Option<String>,
}

impl Overlap {
    /// Whether an entry of this name (a key, or a path's text) lies in that part.
    pub fn covers(&self, name: &str) -> bool {
        self.prefix
            .as_ref()
            .is_some_and(|prefix| name.starts_with(prefix))
    }
}

/// The part of `source` that `destination` lies in, if it lies inside. An error where both are the
/// same place. `same_store` says whether both sides are one endpoint; it counts for stores only.
///
/// Blocks for a moment on the file system where both are local.
pub fn overlap(source: &Source, destination: &Target, same_store: bool) -> Result<Overlap> {
    match (&source.target, destination) {
        (Target::Remote(from), Target::Remote(to)) if same_store && from.bucket == to.bucket => {
            let literal = if source.is_pattern() {
                from.literal_prefix()
            } else {
                from.path.as_str()
            };
            let is_object = !source.is_pattern() && (source.raw || !from.is_prefix());
            let into = if is_object && (to.is_prefix()) {
                // The object keeps the last part of its name below the destination.
                let name = from.path.rsplit('/').next().unwrap_or_default();
                format!("{}{name}", to.path)
            } else {
                to.path.clone()
            };
            remote(source, literal, is_object, &into)
        }
        (Target::Local(from), Target::Local(to)) => local(from, to),
        (Target::Remote(_), Target::Remote(_) | Target::Local(_))
        | (Target::Local(_), Target::Remote(_)) => Ok(Overlap::default()),
    }
}

fn remote(source: &Source, literal: &str, is_object: bool, into: &str) -> Result<Overlap> {
    if is_object {
        return if literal == into && source.version_id.is_none() {
            Err(same(&source.target))
        } else {
            Ok(Overlap::default())
        };
    }
    let mut into = into.to_owned();
    if !into.is_empty() && !into.ends_with('/') {
        into.push('/');
    }
    // Every object keeps its name below the folder that the literal prefix is in.
    let kept = &literal[..literal.rfind('/').map_or(0, |at| at + 1)];
    if into == kept {
        return Err(same(&source.target));
    }
    let inside = into.starts_with(literal);
    Ok(Overlap {
        prefix: inside.then_some(into),
    })
}

fn local(from: &Path, to: &Path) -> Result<Overlap> {
    let (Some(text), Ok(real_to)) = (from.to_str(), real(to)) else {
        return Ok(Overlap::default());
    };
    let Ok(real_from) = from.canonicalize() else {
        return Ok(Overlap::default());
    };
    let Ok(below) = real_to.strip_prefix(&real_from) else {
        return Ok(Overlap::default());
    };
    let below = below.to_string_lossy();
    if below.is_empty() {
        return Err(same(&Target::Local(from.to_path_buf())));
    }
    let mut prefix = crate::walk::clean(text);
    if prefix == "." {
        prefix.clear();
    }
    if !prefix.is_empty() && !prefix.ends_with('/') {
        prefix.push('/');
    }
    let prefix = format!("{prefix}{below}/");
    Ok(Overlap {
        prefix: Some(prefix),
    })
}

/// The path with its links resolved, as far as it is there.
fn real(path: &Path) -> std::io::Result<PathBuf> {
    match (path.canonicalize(), path.parent(), path.file_name()) {
        (Ok(real), ..) => Ok(real),
        (Err(_), Some(parent), Some(name)) if parent.as_os_str().is_empty() => {
            Ok(Path::new(".").canonicalize()?.join(name))
        }
        (Err(_), Some(parent), Some(name)) => Ok(real(parent)?.join(name)),
        (Err(error), ..) => Err(error),
    }
}

fn same(target: &Target) -> Error {
    Error::Refused(format!("{target}: source and destination are the same"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(source: &str, destination: &str) -> Result<Overlap> {
        let source = Source::new(Target::parse(source).unwrap());
        overlap(&source, &Target::parse(destination).unwrap(), true)
    }

    #[test]
    fn a_destination_inside_the_source_is_not_read() {
        let inside = between("s3://b/*", "s3://b/backup/").unwrap();
        assert!(inside.covers("backup/x") && !inside.covers("backups/x"));
        let inside = between("s3://b/a/*", "s3://b/a/copy").unwrap();
        assert!(inside.covers("a/copy/x") && !inside.covers("a/copy"));
        assert_eq!(
            between("s3://b/a/*", "s3://b/c/").unwrap(),
            Overlap::default()
        );
        assert_eq!(
            between("s3://b/a/*", "s3://b/").unwrap(),
            Overlap::default()
        );
        assert_eq!(
            between("s3://b/*", "s3://other/backup/").unwrap(),
            Overlap::default()
        );
        assert_eq!(between("s3://b/a/*", "dir/").unwrap(), Overlap::default());
    }

    #[test]
    fn the_same_place_is_refused() {
        assert!(between("s3://b/*", "s3://b/").is_err());
        assert!(between("s3://b/*", "s3://b").is_err());
        assert!(between("s3://b/a/*", "s3://b/a/").is_err());
        assert!(between("s3://b/a/pre*", "s3://b/a/").is_err());
        assert!(between("s3://b/k", "s3://b/k").is_err());
        assert!(between("s3://b/a/k", "s3://b/a/").is_err());
        assert!(between("s3://b/k", "s3://b/l").is_ok());
    }

    #[test]
    fn folders_inside_folders_are_seen_through_links() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("in")).unwrap();
        std::os::unix::fs::symlink("in", folder.path().join("link")).unwrap();
        let source = Source::new(Target::Local(folder.path().to_path_buf()));
        let to = |name: &str| overlap(&source, &Target::Local(folder.path().join(name)), true);
        let inside = to("link/new").unwrap();
        assert!(inside.covers(&format!("{}/in/new/x", folder.path().display())));
        assert!(to("").is_err());
    }
}
