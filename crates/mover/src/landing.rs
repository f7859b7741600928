//! How a downloaded file comes to be: under a temporary name, then renamed.
//!
//! Overview: [`Folders`] makes the parent, [`Landing`] holds the temporary file beside the final
//! name, [`Landing::place`] renames it. Invariants: under the final name stands either what was
//! there before or the whole verified file; nothing is created outside of a place's root, also
//! not by way of symbolic links below it (a link that stays inside is followed; the root itself
//! is the user's word and may be a link). Ordering: with `fsync` the bytes are on the disk before
//! the name is. Cancellation: dropping a landing removes its temporary file, unless the journal
//! knows it, so that a later run finds it. Crash: a file `.longhaul-*.part` may stay; no
//! enumeration lists it, and one that the journal knows is gone on with or removed. Limits: a link that somebody lays
//! between the check and the rename is not seen.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, IoSlice};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base::{ByteCount, Crc64Nvme};
use bytes::{Buf as _, Bytes};
use parking_lot::Mutex;
use remote::types::ByteRange;
use rustix::fs::{CWD, FallocateFlags, OFlags, RenameFlags};
use rustix::io::Errno;

use crate::digest;
use crate::error::{Error, Result};
use crate::file_name::{self, Place};

/// Mode of a downloaded file, whatever the umask.
/// Source: s5cmd v2.3.0, observed with umask 077.
const FILE_MODE: u32 = 0o644;

/// Folders remembered as made and checked. Beyond that many all are forgotten and checked anew.
const FOLDERS_KNOWN_MAX: usize = 4_096;

/// Most pieces of one vectored write.
/// Source: `IOV_MAX` of Linux.
const PIECES_MAX: usize = 1_024;

/// Makes folders below a root, each checked once.
#[derive(Debug, Default)]
pub(crate) struct Folders {
    known: Mutex<HashSet<PathBuf>>,
}

impl Folders {
    /// Makes the folder that `place` lands in, with those above it. Blocks.
    pub(crate) fn make(&self, place: &Place) -> Result<()> {
        let folder = match place.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        if self.known.lock().contains(folder) {
            return Ok(());
        }
        fs::create_dir_all(&place.root).map_err(|error| not_a_folder(&place.root, error))?;
        // Below `.` paths are named without it.
        let below = match folder.strip_prefix(&place.root) {
            Ok(below) => below,
            Err(_) if place.root == Path::new(".") && folder.is_relative() => folder,
            Err(_) => Path::new(""),
        };
        let mut path = place.root.clone();
        for part in below.components() {
            path.push(part);
            make_inside(&path, &place.root)?;
        }
        let mut known = self.known.lock();
        if known.len() >= FOLDERS_KNOWN_MAX {
            known.clear();
        }
        known.insert(folder.to_owned());
        Ok(())
    }
}

/// Makes one folder unless it is there, and refuses a link that leads out of `root`.
fn make_inside(path: &Path, root: &Path) -> Result<()> {
    match fs::create_dir(path) {
        Ok(()) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(not_a_folder(path, error)),
    }
    let kind = fs::symlink_metadata(path)
        .map_err(Error::local("look at", path))?
        .file_type();
    if kind.is_dir() {
        return Ok(());
    }
    if !kind.is_symlink() {
        return Err(a_file_is_there(path));
    }
    let inside = fs::canonicalize(path).map_err(Error::local("follow", path))?;
    let root = fs::canonicalize(root).map_err(Error::local("follow", root))?;
    if !inside.starts_with(&root) {
        let why = format!("it is a link that leaves {}", root.display());
        return Err(file_name::refuse(&path.to_string_lossy(), &why));
    }
    if !inside.is_dir() {
        return Err(a_file_is_there(path));
    }
    Ok(())
}

fn not_a_folder(path: &Path, error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => a_file_is_there(path),
        _ => Error::local("make folder", path)(error),
    }
}

fn a_file_is_there(path: &Path) -> Error {
    let name = path.to_string_lossy();
    Error::Name {
        name: name.trim_end_matches('/').to_owned(),
        reason: "cannot be a folder: a file has that name".to_owned(),
    }
}

/// The name of a file before it has its own, which says that it is ours; random, so that no other
/// process has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TemporaryName(u64);

impl TemporaryName {
    /// The name with this number.
    pub(crate) fn new(number: u64) -> TemporaryName {
        TemporaryName(number)
    }

    /// The number in it.
    pub(crate) fn number(self) -> u64 {
        self.0
    }

    /// The path of this name in the folder of `target`.
    pub(crate) fn beside(self, target: &Path) -> PathBuf {
        target.with_file_name(format!(".longhaul-{:016x}.part", self.0))
    }
}

/// Removes a temporary file that may be gone already. Anything but a regular file is not ours, and
/// left.
pub(crate) fn remove_temporary(path: &Path) -> io::Result<()> {
    let found = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_file() => fs::remove_file(path),
        Ok(_) => Ok(()),
        Err(error) => Err(error),
    };
    match found {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// A file under its temporary name. All calls block.
#[derive(Debug)]
pub(crate) struct Landing {
    file: Arc<File>,
    temporary: PathBuf,
    target: PathBuf,
    /// Whether it goes when the landing is dropped.
    is_removed: bool,
}

/// The open file of a landing, for a thread that writes to it.
#[derive(Debug)]
pub(crate) struct LandingHandle {
    file: Arc<File>,
    temporary: PathBuf,
}

impl LandingHandle {
    /// Writes `frames` from `offset` on. Blocks.
    pub(crate) fn write(&self, offset: u64, frames: &[Bytes]) -> Result<()> {
        write_all(&self.file, offset, frames).map_err(Error::local("write", &self.temporary))
    }

    /// The checksum of what is there. Blocks.
    pub(crate) fn crc64(&self, range: ByteRange) -> Result<Crc64Nvme> {
        digest::crc64_of_file(&self.file, range.offset, range.length)
    }
}

/// What placing a file came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Placed {
    /// It stands under its name.
    Placed,
    /// Something was there and was to be kept.
    Kept,
}

impl Landing {
    /// Creates the temporary file; `random` makes its name.
    pub(crate) fn create(folders: &Folders, place: &Place, random: u64) -> Result<Landing> {
        folders.make(place)?;
        let temporary = TemporaryName::new(random).beside(&place.path);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(FILE_MODE)
            .open(&temporary)
            .map_err(Error::local("create", &temporary))?;
        Ok(Landing {
            file: Arc::new(file),
            temporary,
            target: place.path.clone(),
            is_removed: true,
        })
    }

    /// Opens the temporary file that an earlier run left, if it is still of `size`.
    pub(crate) fn reopen(
        folders: &Folders,
        place: &Place,
        name: TemporaryName,
        size: ByteCount,
    ) -> Result<Option<Landing>> {
        folders.make(place)?;
        let temporary = name.beside(&place.path);
        let opened = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
            .open(&temporary);
        let file = match opened {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            // A link that somebody put there.
            Err(error) if error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => {
                return Ok(None);
            }
            Err(error) => return Err(Error::local("open", &temporary)(error)),
        };
        let metadata = file
            .metadata()
            .map_err(Error::local("look at", &temporary))?;
        if !metadata.is_file() || metadata.len() != size.0 {
            return Ok(None);
        }
        Ok(Some(Landing {
            file: Arc::new(file),
            temporary,
            target: place.path.clone(),
            is_removed: true,
        }))
    }

    /// From here on dropping leaves the temporary file: the journal knows it.
    pub(crate) fn keep(&mut self) {
        self.is_removed = false;
    }

    /// Removes the temporary file.
    pub(crate) fn discard(mut self) {
        self.is_removed = true;
    }

    /// Takes disk space for `size` bytes, so that a full disk shows before the transfer.
    pub(crate) fn reserve(&self, size: ByteCount) -> Result<()> {
        match rustix::fs::fallocate(&self.file, FallocateFlags::empty(), 0, size.0) {
            Ok(()) => Ok(()),
            // A file system without preallocation: a sparse file does.
            Err(Errno::OPNOTSUPP | Errno::NOSYS) => self
                .file
                .set_len(size.0)
                .map_err(Error::local("extend", &self.temporary)),
            Err(error) => Err(Error::local("reserve space in", &self.temporary)(
                error.into(),
            )),
        }
    }

    /// Writes `frames` from `offset` on, without joining them.
    pub(crate) fn write(&self, offset: u64, frames: &[Bytes]) -> Result<()> {
        write_all(&self.file, offset, frames).map_err(Error::local("write", &self.temporary))
    }

    /// The open file, to write to it from another thread.
    pub(crate) fn handle(&self) -> LandingHandle {
        LandingHandle {
            file: Arc::clone(&self.file),
            temporary: self.temporary.clone(),
        }
    }

    /// The open file.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// Renames the file to its name; with `keep` only if nothing is there.
    pub(crate) fn place(&mut self, fsync: bool, keep: bool) -> Result<Placed> {
        let permissions = fs::Permissions::from_mode(FILE_MODE);
        self.file
            .set_permissions(permissions)
            .map_err(Error::local("set the mode of", &self.temporary))?;
        if fsync {
            self.file
                .sync_all()
                .map_err(Error::local("flush", &self.temporary))?;
        }
        match rename(&self.temporary, &self.target, keep) {
            Ok(()) => self.is_removed = false,
            Err(error) if keep && error.kind() == io::ErrorKind::AlreadyExists => {
                return Ok(Placed::Kept);
            }
            Err(error) if error.kind() == io::ErrorKind::IsADirectory => {
                return Err(file_name::refuse(
                    &self.target.to_string_lossy(),
                    "a folder has that name",
                ));
            }
            Err(error) => return Err(Error::local("rename to", &self.target)(error)),
        }
        if fsync {
            sync_folder_of(&self.target)?;
        }
        Ok(Placed::Placed)
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        if self.is_removed {
            // Best effort: whoever lists the folder passes the name over.
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

fn rename(from: &Path, to: &Path, keep: bool) -> io::Result<()> {
    if !keep {
        return fs::rename(from, to);
    }
    match rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // A file system that cannot: the earlier look at the name has to do.
        Err(Errno::INVAL | Errno::NOSYS) => fs::rename(from, to),
        result => result.map_err(io::Error::from),
    }
}

fn sync_folder_of(path: &Path) -> Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(Error::local("flush folder", folder))
}

fn write_all(file: &File, mut offset: u64, frames: &[Bytes]) -> io::Result<()> {
    let mut rest: &[Bytes] = frames;
    let mut first_skip = 0;
    loop {
        let mut slices = Vec::with_capacity(rest.len().min(PIECES_MAX));
        for (index, frame) in rest.iter().take(PIECES_MAX).enumerate() {
            let skip = if index == 0 { first_skip } else { 0 };
            slices.push(IoSlice::new(&frame[skip..]));
        }
        if slices.iter().all(|slice| slice.is_empty()) && rest.len() <= PIECES_MAX {
            return Ok(());
        }
        let mut written = match rustix::io::pwritev(file, &slices, offset) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => written,
            Err(Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        };
        offset += written as u64;
        while let Some(frame) = rest.first() {
            let remaining = frame.slice(first_skip..).remaining();
            if written < remaining {
                first_skip += written;
                break;
            }
            written -= remaining;
            first_skip = 0;
            rest = &rest[1..];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place_in(root: &Path, relative: &str) -> Place {
        file_name::place(relative, &root.join(relative)).unwrap()
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    #[test]
    fn a_file_appears_whole_or_not_at_all() {
        let root = tempfile::tempdir().unwrap();
        let folders = Folders::default();
        let place = place_in(root.path(), "a/b");
        let landing = Landing::create(&folders, &place, 1).unwrap();
        landing
            .write(0, &[Bytes::from_static(b"abc"), Bytes::new()])
            .unwrap();
        drop(landing);
        assert!(names(&root.path().join("a")).is_empty());

        let mut landing = Landing::create(&folders, &place, 1).unwrap();
        let frames: Vec<Bytes> = (0..3_000_u32)
            .map(|n| Bytes::from(vec![(n % 251) as u8; 3]))
            .collect();
        landing.write(2, &frames).unwrap();
        landing.write(0, &[Bytes::from_static(b"xy")]).unwrap();
        assert_eq!(landing.place(true, true).unwrap(), Placed::Placed);
        let content = fs::read(&place.path).unwrap();
        assert_eq!(content[2..], frames.concat());
        let mode = fs::metadata(&place.path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, FILE_MODE);

        let mut landing = Landing::create(&folders, &place, 1).unwrap();
        assert_eq!(landing.place(false, true).unwrap(), Placed::Kept);
        drop(landing);
        assert_eq!(fs::read(&place.path).unwrap(), content);
        assert_eq!(names(&root.path().join("a")), ["b"]);
    }

    #[test]
    fn links_below_the_target_do_not_lead_out_of_it() {
        let outside = tempfile::tempdir().unwrap();
        let root = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(outside.path(), root.path().join("out")).unwrap();
        fs::create_dir(root.path().join("real")).unwrap();
        std::os::unix::fs::symlink("real", root.path().join("in")).unwrap();
        let folders = Folders::default();
        for key in ["out/x", "out/deep/x"] {
            let error = Landing::create(&folders, &place_in(root.path(), key), 1).unwrap_err();
            assert!(matches!(error, Error::Name { .. }), "{error}");
        }
        assert!(names(outside.path()).is_empty());
        let mut landing = Landing::create(&folders, &place_in(root.path(), "in/x"), 1).unwrap();
        landing.place(false, false).unwrap();
        assert_eq!(names(&root.path().join("real")), ["x"]);
    }

    #[test]
    fn files_and_folders_of_one_name_are_refused_by_name() {
        let root = tempfile::tempdir().unwrap();
        let folders = Folders::default();
        fs::write(root.path().join("a"), "file").unwrap();
        let error = Landing::create(&folders, &place_in(root.path(), "a/b"), 1).unwrap_err();
        assert!(matches!(error, Error::Name { .. }), "{error}");
        fs::create_dir(root.path().join("d")).unwrap();
        let mut landing = Landing::create(&folders, &place_in(root.path(), "d"), 1).unwrap();
        let error = landing.place(false, false).unwrap_err();
        assert!(matches!(error, Error::Name { .. }), "{error}");
        assert_eq!(fs::read(root.path().join("a")).unwrap(), b"file");
    }

    #[test]
    fn what_the_journal_knows_stays_and_only_that_is_opened_again() {
        let root = tempfile::tempdir().unwrap();
        let folders = Folders::default();
        let place = place_in(root.path(), "a");
        let name = TemporaryName::new(5);
        let size = ByteCount(9);
        let reopened = || Landing::reopen(&folders, &place, name, size).unwrap();
        assert!(reopened().is_none(), "it is not there");
        let mut landing = Landing::create(&folders, &place, 5).unwrap();
        landing.reserve(size).unwrap();
        landing.write(4, &[Bytes::from_static(b"five")]).unwrap();
        landing.keep();
        drop(landing);
        assert_eq!(names(root.path()), [".longhaul-0000000000000005.part"]);
        let mut landing = reopened().unwrap();
        landing.keep();
        drop(landing);
        let other = Landing::reopen(&folders, &place, name, ByteCount(8));
        assert!(other.unwrap().is_none(), "it has another size");
        reopened().unwrap().discard();
        assert!(names(root.path()).is_empty());

        // Somebody's link in its place is neither followed nor removed.
        let theirs = root.path().join("theirs");
        fs::write(&theirs, "123456789").unwrap();
        let temporary = name.beside(&place.path);
        std::os::unix::fs::symlink(&theirs, &temporary).unwrap();
        assert!(reopened().is_none());
        remove_temporary(&temporary).unwrap();
        assert!(theirs.is_file() && temporary.is_symlink());
    }
}
