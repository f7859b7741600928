//! S3, and what is compatible with it, over HTTP.

mod address;
mod client;
mod counters;
mod options;
mod proxy;
pub(crate) mod request;
pub(crate) mod response;

pub use client::AwsClient;
pub use counters::{RequestCounters, RequestCounts};
pub use options::{
    Addressing, AssumeRole, AwsOptions, ChecksumPolicy, CredentialsSource, StaticCredentials,
    Timeouts, TlsOptions,
};
pub use proxy::{InvalidProxy, ProxySettings};
