//! What the engine asks of a disk, and nothing more.
//!
//! **Overview.** A disk holds the files of one volume. [`DirectoryDisk`] is the real one; tests
//! bring one that crashes, fails and lies by seed.
//!
//! **Invariants.** A file's size never changes once it was made. What was never written is zero.
//!
//! **Ordering.** Writes may reach the disk in any order, or in parts, until a flush of their file
//! has returned.
//!
//! **Retries.** None here, and none of a flush anywhere: a system that failed to write pages back
//! may have marked them clean, and the next flush would succeed without them.
//!
//! **Limits.** Calls block. Offsets and lengths of writes are whole pages.

mod directory;

use std::fmt;
use std::io;

use crate::format::ExtentNumber;

pub use directory::{DirectoryDisk, OpenError};

/// A file of a volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DiskFile {
    /// One of the superblocks.
    Superblock(u8),
    /// An extent.
    Extent(ExtentNumber),
}

impl fmt::Display for DiskFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DiskFile::Superblock(number) => write!(f, "superblock-{number}"),
            DiskFile::Extent(number) => write!(f, "extent-{:08}", number.0),
        }
    }
}

/// Why a disk did not do it.
#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    /// No room for the file.
    #[error("the disk is full")]
    Full,
    /// There is no such file.
    #[error("{0} is not there")]
    Missing(DiskFile),
    /// The disk or the system failed.
    #[error("the disk failed")]
    Failed(#[source] io::Error),
}

/// Files of one volume.
pub trait Disk: Send + Sync + fmt::Debug {
    /// Where it is, for messages.
    fn place(&self) -> String;

    /// All files of the volume.
    ///
    /// # Errors
    /// [`DiskError`].
    fn files(&self) -> Result<Vec<DiskFile>, DiskError>;

    /// Makes a file of zeros, with room set aside for all of them. One of the name that is there
    /// already is replaced. File and name are durable when this returns.
    ///
    /// # Errors
    /// [`DiskError::Full`] without anything changed, or [`DiskError::Failed`].
    fn create(&self, file: DiskFile, bytes: u64) -> Result<(), DiskError>;

    /// Reads, from the system's memory where that has the bytes.
    ///
    /// # Errors
    /// [`DiskError`].
    fn read(&self, file: DiskFile, offset: u64, into: &mut [u8]) -> Result<(), DiskError>;

    /// Reads what the disk itself has: for whatever justifies a claim. Offset and length are whole
    /// pages.
    ///
    /// # Errors
    /// [`DiskError`].
    fn read_stored(&self, file: DiskFile, offset: u64, into: &mut [u8]) -> Result<(), DiskError>;

    /// Writes.
    ///
    /// # Errors
    /// [`DiskError`]; anything may have been written then.
    fn write(&self, file: DiskFile, offset: u64, bytes: &[u8]) -> Result<(), DiskError>;

    /// Makes all that was written to a file durable.
    ///
    /// # Errors
    /// [`DiskError`]; any part of what was written since the last flush may be lost then, and no
    /// later flush tells.
    fn flush(&self, file: DiskFile) -> Result<(), DiskError>;

    /// Bytes for which files can still be made.
    ///
    /// # Errors
    /// [`DiskError`].
    fn room(&self) -> Result<u64, DiskError>;
}
