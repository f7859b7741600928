//! What limits a run at the moment, for progress.

use std::fmt;

/// What holds the run back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// The source's listing does not yield objects fast enough.
    Listing,
    /// The source asks for less (503 SlowDown).
    SourceThrottling,
    /// The destination asks for less (503 SlowDown).
    DestinationThrottling,
    /// Everything is under way that may be: the way to the stores, or the bound itself.
    Network,
    /// Our own processors are full.
    Cpu,
    /// The local disk.
    Disk,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Limit::Listing => "listing",
            Limit::SourceThrottling => "source throttling",
            Limit::DestinationThrottling => "destination throttling",
            Limit::Network => "network",
            Limit::Cpu => "CPU",
            Limit::Disk => "disk",
        })
    }
}
