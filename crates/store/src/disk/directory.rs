//! A volume in a directory of a file system.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use rustix::fs::{FallocateFlags, FlockOperation, OFlags};

use super::{Disk, DiskError, DiskFile};
use crate::format::superblock::SUPERBLOCKS;
use crate::format::{ExtentNumber, PAGE_BYTES};

/// Alignment of memory for reads past the system's cache. Source: as a page.
const ALIGNMENT: usize = 4096;
const _: () = assert!(ALIGNMENT as u64 == PAGE_BYTES);

/// Why a directory cannot be a volume. Each names what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no such directory.
    #[error("{0} is not a directory that can be read; mount the disk or make the directory first")]
    NoDirectory(PathBuf, #[source] io::Error),
    /// Somebody else has it open.
    #[error("{0} is in use by another process; stop that one first")]
    InUse(PathBuf),
    /// It is on the device of `/`.
    #[error(
        "{0} is on the device of /: an unmounted disk looks like that; mount it, or say --allow-shared-device"
    )]
    SharedDevice(PathBuf),
    /// It is a directory for something else.
    #[error("{0} holds {1:?}, which is no file of a volume; give an empty directory")]
    Foreign(PathBuf, String),
    /// It cannot be written to.
    #[error("{0} cannot be written to; mount it read-write and give this user the right to")]
    ReadOnly(PathBuf, #[source] io::Error),
    /// The system failed.
    #[error("{0} cannot be opened")]
    Failed(PathBuf, #[source] io::Error),
}

/// A directory that this process holds.
#[derive(Debug)]
pub struct DirectoryDisk {
    /// Where.
    path: PathBuf,
    /// The directory itself, to make names durable.
    directory: File,
    /// Locked as long as it is open.
    _lock: File,
    /// Open files, with the one for reads past the cache where there is one.
    files: Mutex<BTreeMap<DiskFile, Arc<Handles>>>,
}

#[derive(Debug)]
struct Handles {
    /// Through the system's cache.
    cached: File,
    /// Past it; none where the file system has no such thing (tmpfs has nothing but the cache).
    direct: Option<File>,
}

impl DirectoryDisk {
    /// Takes a directory for this process alone.
    ///
    /// # Errors
    /// [`OpenError`], which names the directory and what to do.
    pub fn open(path: &Path, allow_shared_device: bool) -> Result<DirectoryDisk, OpenError> {
        let directory =
            File::open(path).map_err(|error| OpenError::NoDirectory(path.to_owned(), error))?;
        let failed = |error| OpenError::Failed(path.to_owned(), error);
        let metadata = directory.metadata().map_err(failed)?;
        if !metadata.is_dir() {
            let error = io::Error::from(ErrorKind::NotADirectory);
            return Err(OpenError::NoDirectory(path.to_owned(), error));
        }
        let root = fs::metadata("/").map_err(failed)?;
        if metadata.dev() == root.dev() && !allow_shared_device {
            return Err(OpenError::SharedDevice(path.to_owned()));
        }
        for entry in fs::read_dir(path).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            let name = name.to_string_lossy();
            // A new file system has this of its own.
            let known = name == LOCK
                || name == "lost+found"
                || parse(name.strip_suffix(MAKING).unwrap_or(&name)).is_some();
            if !known {
                return Err(OpenError::Foreign(path.to_owned(), name.into_owned()));
            }
        }
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.join(LOCK))
            .map_err(|error| OpenError::ReadOnly(path.to_owned(), error))?;
        match rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Err(OpenError::InUse(path.to_owned())),
            Err(error) => return Err(failed(error.into())),
        }
        // What a process was making when it was killed.
        for entry in fs::read_dir(path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if entry.file_name().to_string_lossy().ends_with(MAKING) {
                fs::remove_file(entry.path()).map_err(failed)?;
            }
        }
        Ok(DirectoryDisk {
            path: path.to_owned(),
            directory,
            _lock: lock,
            files: Mutex::default(),
        })
    }

    fn handles(&self, file: DiskFile) -> Result<Arc<Handles>, DiskError> {
        let mut files = self.files.lock();
        if let Some(handles) = files.get(&file) {
            return Ok(Arc::clone(handles));
        }
        let path = self.path.join(file.to_string());
        let cached = match OpenOptions::new().read(true).write(true).open(&path) {
            Ok(cached) => cached,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(DiskError::Missing(file));
            }
            Err(error) => return Err(DiskError::Failed(error)),
        };
        let flags = i32::try_from(OFlags::DIRECT.bits()).expect("a flag of open(2) fits");
        let direct = OpenOptions::new()
            .read(true)
            .custom_flags(flags)
            .open(&path);
        let direct = match direct {
            Ok(direct) => Some(direct),
            Err(error) if error.kind() == ErrorKind::InvalidInput => None,
            Err(error) => return Err(DiskError::Failed(error)),
        };
        let handles = Arc::new(Handles { cached, direct });
        files.insert(file, Arc::clone(&handles));
        Ok(handles)
    }
}

/// The file that is locked.
const LOCK: &str = "lock";

/// How the name of a file ends that does not have its length yet.
const MAKING: &str = ".making";

/// Reads what [`DiskFile`] displays.
fn parse(name: &str) -> Option<DiskFile> {
    let file = if let Some(number) = name.strip_prefix("superblock-") {
        let number = number.parse().ok()?;
        (number < SUPERBLOCKS).then_some(DiskFile::Superblock(number))?
    } else {
        DiskFile::Extent(ExtentNumber(name.strip_prefix("extent-")?.parse().ok()?))
    };
    (file.to_string() == name).then_some(file)
}

fn failed(error: io::Error) -> DiskError {
    if matches!(
        error.kind(),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded
    ) {
        DiskError::Full
    } else {
        DiskError::Failed(error)
    }
}

impl Disk for DirectoryDisk {
    fn place(&self) -> String {
        self.path.display().to_string()
    }

    fn files(&self) -> Result<Vec<DiskFile>, DiskError> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(DiskError::Failed)? {
            let name = entry.map_err(DiskError::Failed)?.file_name();
            files.extend(parse(&name.to_string_lossy()));
        }
        files.sort_unstable();
        Ok(files)
    }

    fn create(&self, file: DiskFile, bytes: u64) -> Result<(), DiskError> {
        // Under another name until it has its length: a kill in between must not leave a file that
        // is too short to be read.
        let making = self.path.join(format!("{file}{MAKING}"));
        self.files.lock().remove(&file);
        let made = OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            .open(&making)
            .and_then(|made| {
                rustix::fs::fallocate(&made, FallocateFlags::empty(), 0, bytes)?;
                made.sync_all()
            })
            .and_then(|()| fs::rename(&making, self.path.join(file.to_string())));
        if let Err(error) = made {
            let error = failed(error);
            // The next to open the directory takes what is left away, should this fail too.
            let _ = fs::remove_file(&making);
            return Err(error);
        }
        self.directory.sync_all().map_err(DiskError::Failed)
    }

    fn read(&self, file: DiskFile, offset: u64, into: &mut [u8]) -> Result<(), DiskError> {
        let handles = self.handles(file)?;
        handles.cached.read_exact_at(into, offset).map_err(failed)
    }

    fn read_stored(&self, file: DiskFile, offset: u64, into: &mut [u8]) -> Result<(), DiskError> {
        let handles = self.handles(file)?;
        let Some(direct) = &handles.direct else {
            return handles.cached.read_exact_at(into, offset).map_err(failed);
        };
        let mut memory = vec![0; into.len() + ALIGNMENT];
        let start = memory.as_ptr().align_offset(ALIGNMENT);
        let aligned = memory
            .get_mut(start..start + into.len())
            .expect("there is room for the alignment");
        direct.read_exact_at(aligned, offset).map_err(failed)?;
        into.copy_from_slice(aligned);
        Ok(())
    }

    fn write(&self, file: DiskFile, offset: u64, bytes: &[u8]) -> Result<(), DiskError> {
        let handles = self.handles(file)?;
        handles.cached.write_all_at(bytes, offset).map_err(failed)
    }

    fn flush(&self, file: DiskFile) -> Result<(), DiskError> {
        // Never told apart by its cause: also a flush that found no room has lost pages.
        self.handles(file)?
            .cached
            .sync_data()
            .map_err(DiskError::Failed)
    }

    fn room(&self) -> Result<u64, DiskError> {
        let found = rustix::fs::fstatvfs(&self.directory)
            .map_err(|error| DiskError::Failed(error.into()))?;
        Ok(found.f_bavail.saturating_mul(found.f_frsize))
    }
}
