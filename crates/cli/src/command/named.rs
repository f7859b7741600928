//! Names on the command line: what commands demand of them, in s5cmd's words.

use base::{BucketName, Key, VersionId};
use mover::{ObjectLocation, S3Url, Source, Target};

use super::Failure;

/// Reads a name.
pub(crate) fn target(text: &str) -> Result<Target, Failure> {
    Target::parse(text).map_err(|error| Failure::Usage(error.to_string()))
}

/// The one argument that a command takes.
pub(crate) fn only<'a>(arguments: &'a [String], otherwise: &str) -> Result<&'a str, Failure> {
    match arguments {
        [one] => Ok(one),
        _ => Err(Failure::Usage(otherwise.to_owned())),
    }
}

/// Versions are a matter of stores, and either one or all of them.
pub(crate) fn check_versions(
    targets: &[Target],
    all: bool,
    one: Option<&str>,
) -> Result<(), Failure> {
    let one = one.is_some_and(|id| !id.is_empty());
    if all && one {
        return Err(Failure::Usage(
            "it is not allowed to combine \"all-versions\" and \"version-id\" flags".to_owned(),
        ));
    }
    if (all || one) && targets.iter().any(|target| !target.is_remote()) {
        return Err(Failure::Usage(
            "\"all-versions\", and \"version-id\" flags can only be used with remote objects"
                .to_owned(),
        ));
    }
    Ok(())
}

/// A bucket's name out of `s3://bucket`.
pub(crate) fn bucket(text: &str) -> Result<BucketName, Failure> {
    match target(text)? {
        Target::Remote(url) if url.is_bucket() => Ok(url.bucket),
        _ => Err(Failure::Usage("invalid s3 bucket".to_owned())),
    }
}

/// An object's place.
pub(crate) fn object(url: &S3Url, version_id: Option<&str>) -> Result<ObjectLocation, Failure> {
    let key = Key::new(url.path.as_str()).map_err(|error| Failure::Usage(error.to_string()))?;
    Ok(ObjectLocation {
        bucket: url.bucket.clone(),
        key,
        version_id: version(version_id),
    })
}

/// A version id as given; an empty one is none.
pub(crate) fn version(id: Option<&str>) -> Option<VersionId> {
    id.filter(|id| !id.is_empty()).map(VersionId::new)
}

/// How a name prints: as s5cmd does, a bucket without a slash behind it.
pub(crate) fn shown(target: &Target) -> String {
    match target {
        Target::Remote(url) if url.is_bucket() => format!("s3://{}", url.bucket),
        other => other.to_string(),
    }
}

/// A name that must not be a pattern.
pub(crate) fn without_wildcard(role: &str, source: &Source) -> Result<(), Failure> {
    if source.is_pattern() {
        return Err(Failure::Usage(format!(
            "{role} \"{}\" can not contain glob characters",
            shown(&source.target)
        )));
    }
    Ok(())
}

/// Patterns as given; empty ones say nothing.
pub(crate) fn patterns(texts: &[String]) -> Vec<mover::Wildcard> {
    texts
        .iter()
        .filter(|text| !text.is_empty())
        .map(mover::Wildcard::new)
        .collect()
}

/// A file or folder that must be there.
pub(crate) fn check_local(path: &std::path::Path) -> Result<(), Failure> {
    let name = path.display();
    match std::fs::metadata(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(Failure::Missing(format!("given object {name} not found")))
        }
        Err(error) => {
            let words = crate::output::cause::system_words(&error);
            Err(Failure::Missing(format!("stat {name}: {words}")))
        }
    }
}

/// Whether a path is a symbolic link to a file: looking commands show it where it is named, and
/// pass links over elsewhere.
pub(crate) fn is_link_to_file(target: &Target) -> bool {
    match target {
        Target::Remote(_) => false,
        Target::Local(path) => path.is_symlink() && path.is_file(),
    }
}
