//! What `cargo xtask bench` measures with: an endpoint that costs next to nothing, and the least
//! that a client can cost.
//!
//! Nothing here is shipped, and nothing here promises what the rest of the house promises.

pub mod floor;
pub mod null;
