//! The front over real sockets: what a client written by others can rely on.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

#[path = "front/bodies.rs"]
mod bodies;
#[path = "front/client.rs"]
mod client;
#[path = "front/connections.rs"]
mod connections;
#[path = "front/deviations.rs"]
mod deviations;
#[path = "front/errors.rs"]
mod errors;
#[path = "front/keys.rs"]
mod keys;
#[path = "front/signatures.rs"]
mod signatures;
