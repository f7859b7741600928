//! Where each object of a copy goes. Pure.
//!
//! The rules are s5cmd's, observed of v2.3.0: a pattern or folder keeps each name's relative part
//! (with `--flatten` only its last), below a destination that must be a bucket or prefix; a single
//! object goes to the name given, or below it where that is a prefix or a folder. Between stores
//! names are joined byte for byte.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use base::Key;

use crate::entry::Entry;
use crate::error::{Error, Result};
use crate::location::{Location, ObjectLocation};
use crate::source::Source;
use crate::url::Target;

/// How a job's destination becomes an object's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mapping {
    destination: Target,
    name: Name,
    /// What stands before every name of a local destination.
    folder: OsString,
}

/// Which part of an object's name goes behind the destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Name {
    /// What follows the source's own prefix or folder.
    Relative,
    /// The last part.
    Base,
    /// None: the destination is the name.
    None,
}

/// What the machine says of source and destination, where they are local.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Facts {
    /// The source is a folder.
    pub(crate) source_is_folder: bool,
    /// The destination is a folder that is there.
    pub(crate) destination_is_folder: bool,
}

impl Mapping {
    /// The mapping of a copy, or why s5cmd would refuse it.
    pub(crate) fn new(
        source: &Source,
        destination: &Target,
        flatten: bool,
        facts: Facts,
    ) -> Result<Mapping> {
        if !source.target.is_remote() && !destination.is_remote() {
            return Err(usage("local->local copy operations are not permitted"));
        }
        if !source.raw && destination.has_wildcard() {
            return Err(usage(format!(
                "target {:?} can not contain glob characters",
                text_of(destination)
            )));
        }
        let many = source.is_pattern() || source.keys.is_some() || facts.source_is_folder;
        if let (Target::Remote(url), false) = (&source.target, many)
            && url.is_prefix()
        {
            return Err(usage("source argument must contain wildcard character"));
        }
        if let (Target::Remote(url), true) = (destination, many)
            && !url.is_prefix()
        {
            return Err(usage(format!(
                "target {:?} must be a bucket or a prefix",
                text_of(destination)
            )));
        }
        let below = match destination {
            Target::Remote(url) => url.is_prefix(),
            Target::Local(path) => facts.destination_is_folder || ends_in_slash(path),
        };
        let name = match (many, flatten) {
            (true, false) => Name::Relative,
            (true, true) => Name::Base,
            (false, _) if below => Name::Base,
            (false, _) => Name::None,
        };
        let folder = match destination {
            Target::Local(path) if name != Name::None => before_names(path),
            Target::Local(_) | Target::Remote(_) => OsString::new(),
        };
        Ok(Mapping {
            destination: destination.clone(),
            name,
            folder,
        })
    }

    /// Whether two objects of the source may get one name although their keys differ.
    pub(crate) fn may_clash(&self) -> bool {
        self.name == Name::Base
    }

    /// Whether the destination is itself the name of the one object that goes there.
    pub(crate) fn is_one_name(&self) -> bool {
        self.name == Name::None
    }

    /// Where `entry` goes.
    pub(crate) fn place(&self, entry: &Entry) -> Result<Location> {
        let name = match self.name {
            Name::Relative => entry.relative(),
            Name::Base => base_of(entry.name()),
            Name::None => "",
        };
        match &self.destination {
            Target::Remote(url) => {
                let key = format!("{}{name}", url.path);
                let key = Key::new(key.as_str()).map_err(|error| Error::Name {
                    name: key.clone(),
                    reason: format!("cannot be a key: {error}"),
                })?;
                Ok(Location::Remote(ObjectLocation {
                    bucket: url.bucket.clone(),
                    key,
                    version_id: None,
                }))
            }
            Target::Local(path) if self.name == Name::None => Ok(Location::Local(path.clone())),
            Target::Local(_) => {
                // Joined as bytes: a name that `Path::join` would let begin anew stays below.
                let mut path = OsString::with_capacity(self.folder.len() + name.len());
                path.push(&self.folder);
                path.push(name);
                Ok(Location::Local(PathBuf::from(path)))
            }
        }
    }

    /// As [`place`](Self::place), where something stands already that may be in that very place:
    /// its name is shared then, not made again.
    pub(crate) fn place_beside(&self, entry: &Entry, there: &Location) -> Result<Location> {
        if self.name == Name::Relative
            && let (Target::Remote(url), Location::Remote(object)) = (&self.destination, there)
            && object.version_id.is_none()
            && object.bucket == url.bucket
            && object.key.as_str().strip_prefix(&url.path) == Some(entry.relative())
        {
            return Ok(there.clone());
        }
        self.place(entry)
    }
}

/// `folder/`, with `./` and repeated slashes left out.
fn before_names(folder: &Path) -> OsString {
    let folder: PathBuf = folder
        .components()
        .filter(|part| !matches!(part, std::path::Component::CurDir))
        .collect();
    let mut path = folder.into_os_string();
    if !path.is_empty() && !path.as_encoded_bytes().ends_with(b"/") {
        path.push("/");
    }
    path
}

fn base_of(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or_default()
}

fn ends_in_slash(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().ends_with(b"/")
}

fn text_of(target: &Target) -> String {
    match target {
        Target::Local(path) => path.display().to_string(),
        Target::Remote(url) if url.is_bucket() => format!("s3://{}", url.bucket),
        Target::Remote(url) => url.to_string(),
    }
}

fn usage(message: impl Into<String>) -> Error {
    Error::Usage(message.into())
}

#[cfg(test)]
mod tests {
    use base::{BucketName, ByteCount};

    use super::*;

    fn source_of(text: &str) -> Source {
        Source::new(Target::parse(text).unwrap())
    }

    /// An entry whose relative part begins where the text has a `|`.
    fn entry(text: &str) -> Entry {
        let relative_start = text.find('|').unwrap();
        let name = text.replace('|', "");
        let (location, relative_start) = match name.strip_prefix("s3://b/") {
            Some(key) => (
                Location::Remote(ObjectLocation {
                    bucket: BucketName::new("b").unwrap(),
                    key: Key::new(key).unwrap(),
                    version_id: None,
                }),
                relative_start - "s3://b/".len(),
            ),
            None => (Location::Local(PathBuf::from(&name)), relative_start),
        };
        Entry {
            location,
            relative_start,
            size: ByteCount(1),
            modified: None,
            etag: None,
            storage_class: None,
            checksum_algorithm: None,
            is_delete_marker: false,
        }
    }

    /// Rows of runs of s5cmd v2.3.0: source, destination, whether the destination is a folder that
    /// is there, one object of the source, and where it went.
    const ROWS: [(&str, &str, bool, &str, &str); 23] = [
        ("file", "s3://b/", false, "|file", "s3://b/file"),
        ("file", "s3://b/key", false, "|file", "s3://b/key"),
        ("file", "s3://b/p/", false, "|file", "s3://b/p/file"),
        (
            "dir",
            "s3://b/x/",
            false,
            "|dir/a.txt",
            "s3://b/x/dir/a.txt",
        ),
        (
            "dir/",
            "s3://b/y/",
            false,
            "dir/|sub/b.html",
            "s3://b/y/sub/b.html",
        ),
        ("dir", "s3://b", false, "|dir/a.txt", "s3://b/dir/a.txt"),
        (
            "dir/*",
            "s3://b/z/",
            false,
            "dir/|sub/b.html",
            "s3://b/z/sub/b.html",
        ),
        (
            "flat:dir/",
            "s3://b/f/",
            false,
            "dir/|sub/b.html",
            "s3://b/f/b.html",
        ),
        (
            "flat:d*",
            "s3://b/f3/",
            false,
            "|dir/sub/b.html",
            "s3://b/f3/b.html",
        ),
        (
            "s3://b/x/*",
            "out1",
            false,
            "s3://b/x/|dir/a.txt",
            "out1/dir/a.txt",
        ),
        (
            "s3://b/x/*",
            "out2/",
            false,
            "s3://b/x/|dir/a.txt",
            "out2/dir/a.txt",
        ),
        (
            "s3://b/x/*",
            "out2",
            true,
            "s3://b/x/|dir/a.txt",
            "out2/dir/a.txt",
        ),
        (
            "s3://b/x/dir/*",
            "./out3/",
            false,
            "s3://b/x/dir/|a.txt",
            "out3/a.txt",
        ),
        (
            "flat:s3://b/x/*",
            "out4b",
            false,
            "s3://b/x/|dir/a.txt",
            "out4b/a.txt",
        ),
        ("s3://b/key", ".", true, "s3://b/|key", "key"),
        ("s3://b/key", "newname", false, "s3://b/|key", "newname"),
        ("s3://b/key", "newdir/", false, "s3://b/|key", "newdir/key"),
        (
            "s3://b/key",
            "newdir/deep/name",
            false,
            "s3://b/|key",
            "newdir/deep/name",
        ),
        (
            "s3://b/x/dir/a.txt",
            "newdir",
            true,
            "s3://b/x/dir/|a.txt",
            "newdir/a.txt",
        ),
        (
            "s3://b/key",
            "s3://b/c/",
            false,
            "s3://b/|key",
            "s3://b/c/key",
        ),
        ("s3://b/key", "s3://b", false, "s3://b/|key", "s3://b/key"),
        (
            "s3://b/x/*",
            "s3://b/d/",
            false,
            "s3://b/x/|dir/a.txt",
            "s3://b/d/dir/a.txt",
        ),
        (
            "s3://b/x//*",
            "s3://b/d/",
            false,
            "s3://b/x//|/a",
            "s3://b/d//a",
        ),
    ];

    #[test]
    fn objects_go_where_s5cmd_puts_them() {
        for (source, destination, is_folder, object, place) in ROWS {
            let flatten = source.starts_with("flat:");
            let source = source_of(source.trim_start_matches("flat:"));
            let facts = Facts {
                source_is_folder: matches!(&source.target, Target::Local(path) if path.starts_with("dir")),
                destination_is_folder: is_folder,
            };
            let destination = Target::parse(destination).unwrap();
            let mapping = Mapping::new(&source, &destination, flatten, facts).unwrap();
            let found = mapping.place(&entry(object)).unwrap();
            assert_eq!(found.to_string(), place, "{object} to {destination:?}");
        }
    }

    #[test]
    fn what_s5cmd_refuses_is_refused_in_its_words() {
        for (source, destination, words) in [
            (
                "file",
                "file2",
                "local->local copy operations are not permitted",
            ),
            (
                "dir",
                "s3://b/nokey",
                "target \"s3://b/nokey\" must be a bucket or a prefix",
            ),
            (
                "dir/*",
                "s3://b/z",
                "target \"s3://b/z\" must be a bucket or a prefix",
            ),
            (
                "dir",
                "s3://b/wild*/",
                "target \"s3://b/wild*/\" can not contain glob characters",
            ),
            (
                "s3://b/x/",
                "out",
                "source argument must contain wildcard character",
            ),
            (
                "s3://b",
                "out",
                "source argument must contain wildcard character",
            ),
            (
                "s3://b/x/*",
                "s3://b/d",
                "target \"s3://b/d\" must be a bucket or a prefix",
            ),
        ] {
            let source = source_of(source);
            let facts = Facts {
                source_is_folder: source.target == Target::Local(PathBuf::from("dir")),
                destination_is_folder: false,
            };
            let destination = Target::parse(destination).unwrap();
            let error = Mapping::new(&source, &destination, false, facts).unwrap_err();
            assert_eq!(error.to_string(), words);
        }
    }
}
