//! An S3 endpoint that answers at once: it swallows what is uploaded, makes up what is downloaded
//! and computes the keys that it lists.
//!
//! # Overview
//! One thread, a task for each connection, HTTP/1.1 parsed by hand, so that a client that uses a
//! whole core is never waiting for it. What a bucket holds is in its name
//! ([`keys::KeySpace::of_bucket`]); of an upload only size, checksum and ETag are remembered.
//!
//! # Invariants
//! - A checksum that came with an upload is compared with its bytes; so is that of a whole
//!   multipart upload with the parts'.
//! - A synthetic object's size, ETag, checksum and bytes belong together, whatever range is asked.
//!
//! # Limits
//! Signatures are not checked. Swallowed bytes are not given back. Listings show computed keys
//! only. Uploads are remembered up to a million, then all are forgotten.

pub mod counters;
pub mod keys;
pub mod options;
pub mod server;

mod answer;
mod body;
mod connection;
mod content;
mod faults;
mod framing;
mod listing;
mod multipart;
mod objects;
mod pace;
mod request;
mod route;
mod tls;
mod xml;

pub use options::{ETags, NullOptions};
pub use server::NullEndpoint;
