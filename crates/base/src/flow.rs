//! How much may be under way at once, and how often something is tried again.

mod lane;
mod permits;
mod retry;

pub use lane::{Lane, LanePermit};
pub use permits::{ByteBudget, BytePermit};
pub use retry::{RetryPolicy, retry};
