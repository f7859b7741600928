//! S3's numbers, each with its source, and how they relate.

use crate::units::{ByteCount, GIB, MIB, TB};

/// Longest key, in bytes of UTF-8.
/// Source: S3 user guide, "Naming Amazon S3 objects" (read 2026-11).
pub const KEY_BYTES_MAX: usize = 1_024;

/// Most parts one multipart upload may have.
/// Source: S3 user guide, "Multipart upload limits" (read 2026-11).
pub const PARTS_MAX: u32 = 10_000;

/// Smallest part but for the last one.
/// Source: S3 user guide, "Multipart upload limits" (read 2026-11).
pub const PART_SIZE_MIN: ByteCount = ByteCount(5 * MIB);

/// Largest part, and largest object that one PUT or one CopyObject takes.
/// Source: S3 user guide, "Multipart upload limits" (read 2026-11).
pub const PART_SIZE_MAX: ByteCount = ByteCount(5 * GIB);

/// Largest object. Many compatible stores still stop at 5 TB.
/// Source: AWS announcement of December 2025: 50 TB (read 2026-11).
pub const OBJECT_SIZE_MAX: ByteCount = ByteCount(50 * TB);

/// Most keys in one page of a listing.
/// Source: S3 API reference, ListObjectsV2, `MaxKeys` (read 2026-11).
pub const LIST_PAGE_KEYS_MAX: u32 = 1_000;

/// Most keys in one DeleteObjects request.
/// Source: S3 API reference, DeleteObjects (read 2026-11).
pub const DELETE_KEYS_MAX: usize = 1_000;

const _: () = assert!(
    PART_SIZE_MAX.0 as u128 * PARTS_MAX as u128 >= OBJECT_SIZE_MAX.0 as u128,
    "the largest object must be reachable with the largest parts"
);
const _: () = assert!(PART_SIZE_MIN.0 < PART_SIZE_MAX.0);

/// One mebibyte as a part size's unit: s5cmd's `--part-size` counts in it.
pub const PART_SIZE_UNIT: ByteCount = ByteCount(MIB);
