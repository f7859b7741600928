//! Local trees, in the order of keys.
//!
//! Overview: a folder's entries are sorted as if folders were called `name/`, so that the walk
//! yields paths in the order in which a store lists the keys they become. Invariants: memory holds
//! one sorted folder a level, and a very large folder is sorted on disk. Symbolic links are followed
//! (to files and folders) or passed over; one that leads back to a folder above is not followed
//! again. A broken link, an unreadable folder and a name that is not UTF-8 are problems told by
//! name, and the walk goes on; sockets, pipes and devices are warned of. Our own part files are not
//! there. Blocks: call it off the reactor.

mod folder;
mod glob;
mod plan;

use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use base::ByteCount;
use jiff::Timestamp;
use rustix::fs::{AtFlags, statat};

use self::folder::{FolderNames, Seen};
use self::glob::Component;
pub(crate) use self::plan::{Plan, clean, parent_length};
use crate::entry::Entry;
use crate::error::Error;
use crate::location::Location;

/// What a walk comes upon.
#[derive(Debug)]
pub(crate) enum Found {
    /// A file.
    File(Entry),
    /// Something that is there and cannot be yielded.
    Problem { path: PathBuf, error: Error },
    /// Something passed over that a person should know of.
    Warning(String),
}

/// A walk under way.
#[derive(Debug)]
pub(crate) struct Walk {
    follow_symlinks: bool,
    components: Vec<Component>,
    levels: Vec<Level>,
    /// Come upon and not yet yielded.
    pending: std::collections::VecDeque<Found>,
    /// Something matched the whole pattern.
    matched: bool,
}

/// A folder that the walk is in.
#[derive(Debug)]
struct Level {
    /// Its path as text, with the `/` at its end; empty for the working folder.
    prefix: String,
    /// Open, so that the kernel need not look up all folders of a path for each name.
    folder: File,
    /// Device and inode, by which a circle of links is known.
    identity: (u64, u64),
    names: FolderNames,
    /// Which component of the pattern its names must match; beyond the last, all do.
    component: usize,
    /// Where the relative part of paths in it begins.
    relative_start: usize,
}

impl Walk {
    /// Begins a walk. The folder it begins in must be there, or nothing matches.
    pub(crate) fn new(plan: Plan, follow_symlinks: bool) -> Walk {
        let mut walk = Walk {
            follow_symlinks,
            components: plan.components,
            levels: Vec::new(),
            pending: std::collections::VecDeque::new(),
            matched: false,
        };
        walk.enter(plan.folder, 0, plan.relative_start);
        walk
    }

    /// Whether anything matched the pattern.
    pub(crate) fn matched(&self) -> bool {
        self.matched || self.components.is_empty()
    }

    /// Begins with the folder `prefix`.
    fn enter(&mut self, prefix: String, component: usize, relative_start: usize) {
        let path = folder_path(&prefix).to_path_buf();
        let wanted = self.components.get(component);
        let opened = File::open(&path).and_then(|folder| Ok((folder.metadata()?, folder)));
        let read = opened.and_then(|(metadata, folder)| {
            let identity = (metadata.dev(), metadata.ino());
            if self.levels.iter().any(|level| level.identity == identity) {
                return Ok(None);
            }
            let mut tell = |seen| self.pending.push_back(found(seen));
            let names = folder::read(&path, self.follow_symlinks, wanted, &mut tell)?;
            Ok(Some((folder, identity, names)))
        });
        match read {
            Ok(Some((folder, identity, names))) => self.levels.push(Level {
                prefix,
                folder,
                identity,
                names,
                component,
                relative_start,
            }),
            Ok(None) => {
                let message = format!("{prefix} leads back to a folder above it, not followed");
                self.pending.push_back(Found::Warning(message));
            }
            // A pattern's folder that is not there matches nothing.
            Err(error)
                if error.kind() == io::ErrorKind::NotFound && component < self.components.len() => {
            }
            Err(error) => self.pending.push_back(Found::Problem {
                error: Error::local("read folder", path.clone())(error),
                path,
            }),
        }
    }

    /// Takes the next name of the innermost folder.
    fn step(&mut self) {
        let Some(level) = self.levels.last_mut() else {
            return;
        };
        let name = match level.names.next() {
            Some(Ok(name)) => name,
            Some(Err(error)) => {
                let path = folder_path(&level.prefix).to_path_buf();
                let error = Error::local("sort folder", path.clone())(error);
                self.levels.pop();
                self.pending.push_back(Found::Problem { path, error });
                return;
            }
            None => {
                self.levels.pop();
                return;
            }
        };
        let path = format!("{}{name}", level.prefix);
        let (component, start) = (level.component, level.relative_start);
        let components = self.components.len();
        let is_folder = path.ends_with('/');
        let last = component + 1 == components;
        if last {
            self.matched = true;
        }
        match (is_folder, component < components, last) {
            // Below a folder that matched the whole pattern, names begin with that folder's.
            (true, true, true) => {
                let start = level.prefix.len();
                self.enter(path, component + 1, start);
            }
            (true, ..) => self.enter(path, component + 1, start),
            (false, true, false) => {}
            (false, ..) => self.pending.push_back(file_in(level, &name, path, start)),
        }
    }
}

impl Iterator for Walk {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        loop {
            if let Some(found) = self.pending.pop_front() {
                return Some(found);
            }
            if self.levels.is_empty() {
                return None;
            }
            self.step();
        }
    }
}

/// The one file at `path`, links followed.
pub(crate) fn file(path: String, relative_start: usize) -> Found {
    let looked = fs::metadata(&path).map(|metadata| Look {
        size: metadata.len(),
        modified: modified(&metadata),
    });
    found_file(looked, path, relative_start)
}

/// The file `name` of a folder, whose path is `path`; links followed.
fn file_in(level: &Level, name: &str, path: String, relative_start: usize) -> Found {
    let looked = statat(&level.folder, name, AtFlags::empty()).map(|stat| Look {
        size: u64::try_from(stat.st_size).unwrap_or_default(),
        modified: timestamp(stat.st_mtime, stat.st_mtime_nsec),
    });
    found_file(looked.map_err(io::Error::from), path, relative_start)
}

/// What an entry takes from what the machine says of a file.
struct Look {
    size: u64,
    modified: Option<Timestamp>,
}

fn found_file(looked: io::Result<Look>, path: String, relative_start: usize) -> Found {
    let look = match looked {
        Ok(look) => look,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Found::Warning(format!("{path} vanished before it was read"));
        }
        Err(error) => {
            let path = PathBuf::from(path);
            let error = Error::local("look at", path.clone())(error);
            return Found::Problem { path, error };
        }
    };
    Found::File(Entry {
        location: Location::Local(PathBuf::from(path)),
        relative_start,
        size: ByteCount(look.size),
        modified: look.modified,
        etag: None,
        storage_class: None,
        checksum_algorithm: None,
        is_delete_marker: false,
    })
}

fn modified(metadata: &Metadata) -> Option<Timestamp> {
    timestamp(metadata.mtime(), metadata.mtime_nsec())
}

/// A time of the machine. The nanoseconds count on from the second, also before 1970.
fn timestamp(seconds: i64, nanoseconds: impl TryInto<i64>) -> Option<Timestamp> {
    let nanoseconds = nanoseconds.try_into().ok()?;
    let whole = i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds);
    Timestamp::from_nanosecond(whole).ok()
}

fn folder_path(prefix: &str) -> &Path {
    Path::new(if prefix.is_empty() { "." } else { prefix })
}

fn found(seen: Seen) -> Found {
    match seen {
        Seen::BrokenLink(path) => Found::Problem {
            // s5cmd's words.
            error: Error::NotFound(format!("given object {} not found", path.display())),
            path,
        },
        Seen::NotText(path) => Found::Problem {
            error: Error::Name {
                name: path.to_string_lossy().into_owned(),
                reason: "cannot be a key: it is not UTF-8".to_owned(),
            },
            path,
        },
        Seen::Unreadable(path, error) => Found::Problem {
            error: Error::local("look at", path.clone())(error),
            path,
        },
        Seen::Special(path) => Found::Warning(format!(
            "{} is not a regular file, passed over",
            path.display()
        )),
    }
}

#[cfg(test)]
mod tests;
