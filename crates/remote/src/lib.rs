//! Object stores seen from the client.
//!
//! [`ObjectClient`] is the port; [`aws`] speaks it to S3 and what is compatible with it, over
//! HTTP; [`memory`] is the exact fake that says what is right; [`faulty`] makes any of them fail by seed; [`conformance`] is the suite that
//! every client and every server must pass.

pub mod aws;
pub mod client;
pub mod conformance;
pub mod error;
pub mod faulty;
pub mod memory;
pub mod payload;
pub mod types;

pub use client::ObjectClient;
pub use error::{Error, Operation, Result};
pub use faulty::Faulty;
pub use memory::{MemoryClient, MemoryOptions};
pub use payload::{ObjectBody, Payload};
