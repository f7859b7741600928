//! Whether two versions are the same. Pure.

use crate::entry::Entry;

/// What listings say of two versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alike {
    /// Two delete markers, or the same size and ETag.
    Yes,
    /// One is a delete marker and the other is not, or their sizes differ.
    No,
    /// Sizes agree and ETags do not: parts and encryption make ETags of the same bytes differ.
    Perhaps,
}

/// Compares two versions as they were listed.
pub(super) fn alike(ours: &Entry, theirs: &Entry) -> Alike {
    match (ours.is_delete_marker, theirs.is_delete_marker) {
        (true, true) => Alike::Yes,
        (true, false) | (false, true) => Alike::No,
        (false, false) if ours.size != theirs.size => Alike::No,
        (false, false) => match (&ours.etag, &theirs.etag) {
            (Some(ours), Some(theirs)) if ours == theirs => Alike::Yes,
            _ => Alike::Perhaps,
        },
    }
}
