//! Which objects a sync copies, and which it would delete.

/// When an object that both sides have is copied again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Comparator {
    /// The source is newer, or the sizes differ: s5cmd's rule.
    #[default]
    Default,
    /// The sizes differ.
    SizeOnly,
    /// The bytes differ, by checksum or ETag where both sides have a comparable one, else read.
    Checksum,
    /// The times of last change differ at all, or the sizes do.
    ExactTimestamps,
}
