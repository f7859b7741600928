//! Every stored byte, written and read side by side. `docs/format.md` draws what is here.
//!
//! **Overview.** A volume is superblocks and extents; an extent is a header page and records; a
//! record holds a batch of the log or bytes of objects; a batch holds changes of rows. All of it
//! is little-endian, of fixed width, and checked by a CRC-32C or a hash. Row keys alone are
//! big-endian, because they are compared as bytes.
//!
//! **Invariants.** Encoding and decoding are plain functions. Decoding never panics and never
//! allocates more than a small multiple of what it was given, whatever the bytes are.
//!
//! **Limits.** Beside the constants that set them.

mod attributes;
pub mod batch;
mod body;
pub mod extent;
mod fields;
mod ids;
pub mod keys;
pub mod record;
pub mod rows;
pub mod superblock;

pub use body::{BodyLayout, Piece, Place};
pub use ids::{BlockId, BodyId, ExtentNumber, Incarnation, OpenCount, Sequence, StoreId, VolumeId};

/// The format that this program writes, and the newest that it reads.
pub const FORMAT: u16 = 1;

/// Bytes of a page: what is written at once begins and ends with one, so that bytes that are
/// durable are never written again.
/// Source: the physical sector of nearly all disks sold since 2011; those that tell of 512-byte
/// sectors rewrite 4 KiB inside.
pub const PAGE_BYTES: u64 = 4096;

/// The same, to set memory aside.
pub(crate) const PAGE_LENGTH: usize = 4096;
const _: () = assert!(PAGE_LENGTH as u64 == PAGE_BYTES);

/// Why bytes are not what they should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// There are fewer bytes than were announced.
    #[error("bytes are missing")]
    Short,
    /// They do not begin as they should; so does what was never written.
    #[error("the magic number is not there")]
    Magic,
    /// They were written by a newer program.
    #[error("format {found} is newer than this program's {FORMAT}")]
    Newer {
        /// Which format.
        found: u16,
    },
    /// The checksum differs.
    #[error("the checksum differs")]
    Checksum,
    /// A field holds what it cannot hold.
    #[error("{0} cannot be so")]
    Field(&'static str),
}

/// CRC-32C of `bytes`.
pub(crate) fn crc32c(bytes: &[u8]) -> u32 {
    crc32c_of([bytes])
}

/// CRC-32C of pieces, one after the other.
pub(crate) fn crc32c_of<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> u32 {
    let mut digest = crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc32Iscsi);
    for piece in pieces {
        digest.update(piece);
    }
    u32::try_from(digest.finalize()).expect("a CRC-32 has 32 bits")
}

/// The next multiple of a page.
pub(crate) const fn page_up(bytes: u64) -> u64 {
    bytes.div_ceil(PAGE_BYTES) * PAGE_BYTES
}
