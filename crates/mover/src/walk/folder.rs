//! The names of one folder, sorted as keys.

use std::fs::{self, DirEntry};
use std::io;
use std::path::{Path, PathBuf};

use super::glob::Component;
use crate::spool::{Record, Sorted, Sorter};

/// Names of a folder that are sorted in memory; more are sorted on disk.
/// A guess, not measured: 100,000 names of 60 bytes are about 10 MB.
const NAMES_IN_MEMORY_MAX: usize = 100_000;

/// Names of files still being written: engines write under this and rename.
const PART_PREFIX: &str = ".longhaul-";
const PART_SUFFIX: &str = ".part";

/// Names in the order of keys; folders end in `/`.
#[derive(Debug)]
pub(super) enum FolderNames {
    Memory(std::vec::IntoIter<String>),
    Disk(Sorted),
}

/// Something in a folder that has no place among its names.
#[derive(Debug)]
pub(super) enum Seen {
    BrokenLink(PathBuf),
    NotText(PathBuf),
    Unreadable(PathBuf, io::Error),
    Special(PathBuf),
}

impl Iterator for FolderNames {
    type Item = io::Result<String>;

    fn next(&mut self) -> Option<io::Result<String>> {
        match self {
            FolderNames::Memory(names) => names.next().map(Ok),
            FolderNames::Disk(sorted) => Some(sorted.next()?.and_then(|record| {
                String::from_utf8(record.key).map_err(|_| io::ErrorKind::InvalidData.into())
            })),
        }
    }
}

/// Reads and sorts the names of the folder at `path` that match `wanted`. What cannot be a name is
/// told and left out.
pub(super) fn read(
    path: &Path,
    follow_symlinks: bool,
    wanted: Option<&Component>,
    tell: &mut impl FnMut(Seen),
) -> io::Result<FolderNames> {
    read_bounded(path, follow_symlinks, wanted, NAMES_IN_MEMORY_MAX, tell)
}

fn read_bounded(
    path: &Path,
    follow_symlinks: bool,
    wanted: Option<&Component>,
    in_memory_max: usize,
    tell: &mut impl FnMut(Seen),
) -> io::Result<FolderNames> {
    let mut names: Vec<String> = Vec::new();
    let mut sorter: Option<Sorter> = None;
    for entry in fs::read_dir(path)? {
        let Some(name) = name(&entry?, follow_symlinks, wanted, tell) else {
            continue;
        };
        names.push(name);
        if names.len() == in_memory_max {
            spill(&mut names, sorter.get_or_insert_with(Sorter::new))?;
        }
    }
    match sorter {
        None => {
            names.sort_unstable();
            Ok(FolderNames::Memory(names.into_iter()))
        }
        Some(mut sorter) => {
            spill(&mut names, &mut sorter)?;
            Ok(FolderNames::Disk(sorter.finish()?))
        }
    }
}

fn spill(names: &mut Vec<String>, sorter: &mut Sorter) -> io::Result<()> {
    names.drain(..).try_for_each(|name| {
        sorter.push(Record {
            key: name.into_bytes(),
            value: Vec::new(),
        })
    })
}

/// The entry's name with a `/` after it if it is a folder; `None` if it has none here.
fn name(
    entry: &DirEntry,
    follow_symlinks: bool,
    wanted: Option<&Component>,
    tell: &mut impl FnMut(Seen),
) -> Option<String> {
    let os_name = entry.file_name();
    let shown = os_name.to_string_lossy();
    if is_part_file(&shown) || wanted.is_some_and(|wanted| !wanted.matches(&shown)) {
        return None;
    }
    let Some(name) = os_name.to_str() else {
        tell(Seen::NotText(entry.path()));
        return None;
    };
    let kind = match entry.file_type() {
        Ok(kind) if kind.is_symlink() && !follow_symlinks => return None,
        Ok(kind) if kind.is_symlink() => match fs::metadata(entry.path()) {
            Ok(metadata) => metadata.file_type(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                tell(Seen::BrokenLink(entry.path()));
                return None;
            }
            Err(error) => {
                tell(Seen::Unreadable(entry.path(), error));
                return None;
            }
        },
        Ok(kind) => kind,
        Err(error) => {
            tell(Seen::Unreadable(entry.path(), error));
            return None;
        }
    };
    if kind.is_dir() {
        Some(format!("{name}/"))
    } else if kind.is_file() {
        Some(name.to_owned())
    } else {
        tell(Seen::Special(entry.path()));
        None
    }
}

fn is_part_file(name: &str) -> bool {
    name.starts_with(PART_PREFIX) && name.ends_with(PART_SUFFIX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_folder_sorts_on_disk_as_in_memory() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..57 {
            fs::write(folder.path().join(format!("{}", number * 7 % 57)), "").unwrap();
        }
        fs::create_dir(folder.path().join("3.d")).unwrap();
        fs::create_dir(folder.path().join("3d")).unwrap();
        let names = |in_memory_max| -> Vec<String> {
            let read = read_bounded(folder.path(), true, None, in_memory_max, &mut |_| {});
            read.unwrap().map(Result::unwrap).collect()
        };
        assert_eq!(names(10), names(1_000));
        assert_eq!(names(10).len(), 59);
        assert!(names(10).is_sorted());
    }

    #[test]
    fn our_own_part_files_are_not_there() {
        assert!(is_part_file(".longhaul-12ab.part"));
        assert!(!is_part_file("longhaul.part") && !is_part_file(".longhaul-notes"));
    }
}
