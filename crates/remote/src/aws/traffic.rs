//! What the requests of one side are counted by and held back by.

use base::flow::{Bandwidth, Pace};

use super::counters::RequestCounters;

/// One side's share in a client: its counts, and its bounds. Cheap to clone; clones share all.
#[derive(Debug, Clone, Default)]
pub struct Traffic {
    /// What was done so far.
    pub counters: RequestCounters,
    /// How many requests may begin in a second; every try counts.
    pub pace: Pace,
    /// How many bytes of bodies may go over the wire in a second, either way.
    pub bandwidth: Bandwidth,
}
