//! S3, and what is compatible with it, over HTTP.
//!
//! The way of a request: [`request`] → `prepared` (encoded and hashed once) → `attempt`
//! (addressed by `endpoint`, signed by `signature`, mended by `mend`) → `pool` and `connection` →
//! `refusal` or [`response`].

mod address;
mod addresses;
mod attempt;
mod authority;
mod checksum_support;
mod classify;
mod client;
mod configured;
mod connection;
mod counters;
mod credentials_http;
mod dial;
mod download;
mod encode;
mod endpoint;
#[doc(hidden)]
pub mod fuzzing;
#[cfg(test)]
mod hostile;
mod identities;
mod identity;
mod mend;
mod message;
mod operations;
mod options;
mod pool;
mod prepared;
mod proxy;
mod refusal;
pub(crate) mod request;
pub(crate) mod response;
mod signature;
mod tls;
mod traffic;
mod upload;
mod watched;
mod xml;

pub use client::AwsClient;
pub use counters::{RequestCounters, RequestCounts};
pub use options::{
    Addressing, AssumeRole, AwsOptions, ChecksumPolicy, CredentialsSource, NamedProfile,
    StaticCredentials, Timeouts, TlsOptions,
};
pub use proxy::{InvalidProxy, ProxySettings};
pub use traffic::Traffic;
