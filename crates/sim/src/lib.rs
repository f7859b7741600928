//! What tests need and products do not: a server to test against, and work for it.

pub mod server;
pub mod workload;

pub use server::{TestServer, TestServerOptions};
pub use workload::Workload;
