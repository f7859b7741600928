//! How much may be under way at once, and how often something is tried again.

mod permits;
mod retry;

pub use permits::{ByteBudget, BytePermit};
pub use retry::{RetryPolicy, retry};
