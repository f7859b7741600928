//! How much may be under way at once, how fast, and how often something is tried again.

mod bandwidth;
mod lane;
mod pace;
mod permits;
mod retry;
mod schedule;

pub use bandwidth::{Bandwidth, Throttle};
pub use lane::{Lane, LanePermit};
pub use pace::Pace;
pub use permits::{ByteBudget, BytePermit};
pub use retry::{RetryPolicy, retry};
pub use schedule::{InvalidSchedule, Schedule};
