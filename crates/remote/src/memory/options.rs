//! How the store in memory behaves, and in what it may differ from S3 on purpose.

use std::time::Duration;

use base::limits::{LIST_PAGE_KEYS_MAX, PART_SIZE_MIN};
use base::{ByteCount, Clock};

use super::hook::Hook;

/// In what order a listing gives its keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ListingOrder {
    /// By bytes, as S3's general purpose buckets.
    #[default]
    Bytes,
    /// By path component: `a/b` before `a-b`, as stores over a file tree.
    PathComponents,
    /// In no order a client could know, as S3's directory buckets.
    Unordered,
    /// By bytes, but the first two rows of each page are swapped.
    SwappedRows,
}

/// What an ETag is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ETagStyle {
    /// MD5 of the bytes; of uploads the MD5 of the parts' MD5s and their number.
    #[default]
    Md5,
    /// Some text that changes with every write.
    Opaque,
}

/// The store's behaviour. The default is S3's.
#[derive(Debug, Clone)]
pub struct MemoryOptions {
    /// What [`endpoint`](crate::ObjectClient::endpoint) answers.
    pub endpoint: String,
    /// Gives Last-Modified, cut to whole seconds as S3 does.
    pub clock: Clock,
    /// Most rows in a page of keys, versions or uploads.
    pub page_rows_max: u32,
    /// Most rows in a page of ListParts.
    pub page_parts_max: u32,
    /// Smallest part but for the last one.
    pub part_size_min: ByteCount,
    /// Largest frame of a body.
    pub frame_bytes: usize,
    /// Waited before each request is acted on. Zero waits for nothing.
    pub latency: Duration,
    /// Checks and keeps CRC-64/NVME.
    pub checksums: bool,
    /// Knows `start-after` (and V1's marker on a first page).
    pub honours_start_after: bool,
    /// The order of listings.
    pub listing_order: ListingOrder,
    /// Each page with rows is preceded by an empty, truncated one.
    pub empty_pages: bool,
    /// From this page of a listing on (the first is 0), the token given is the token taken.
    pub repeats_token_from_page: Option<u32>,
    /// What ETags are.
    pub etags: ETagStyle,
    /// Sees every request first.
    pub hook: Option<Hook>,
}

impl Default for MemoryOptions {
    fn default() -> MemoryOptions {
        MemoryOptions {
            endpoint: "memory://one".to_owned(),
            clock: Clock::system(),
            page_rows_max: LIST_PAGE_KEYS_MAX,
            page_parts_max: LIST_PAGE_KEYS_MAX,
            part_size_min: PART_SIZE_MIN,
            frame_bytes: 64 << 10,
            latency: Duration::ZERO,
            checksums: true,
            honours_start_after: true,
            listing_order: ListingOrder::default(),
            empty_pages: false,
            repeats_token_from_page: None,
            etags: ETagStyle::default(),
            hook: None,
        }
    }
}
