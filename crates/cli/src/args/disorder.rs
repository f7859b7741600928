//! Stores that list in no order.

use clap::Args;

/// Which side's store lists in no order, where it is known before the listing shows it.
#[derive(Debug, Clone, Args)]
pub(crate) struct DisorderArgs {
    /// The stores list in no order, as directory buckets do: list in one piece, sort on disk
    #[arg(long, help_heading = "How")]
    unordered: bool,
    /// Only the source's store does
    #[arg(long, help_heading = "How")]
    source_unordered: bool,
    /// Only the destination's store does
    #[arg(long, help_heading = "How")]
    destination_unordered: bool,
}

impl DisorderArgs {
    /// Whether the source's store lists in no order.
    pub(crate) fn of_source(&self) -> bool {
        self.unordered || self.source_unordered
    }

    /// Whether the destination's does.
    pub(crate) fn of_destination(&self) -> bool {
        self.unordered || self.destination_unordered
    }
}
