//! What tests need and products do not: a server to test against, and work for it; a disk that
//! fails, and stories of crashes on it.

pub mod crash;
pub mod disk;
pub mod server;
pub mod workload;

pub use server::{TestServer, TestServerOptions};
pub use workload::Workload;
