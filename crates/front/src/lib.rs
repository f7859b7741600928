//! The S3 REST API over the store.
//!
//! A request comes in by [`server`], passes the gate (request ids, counters, deviations),
//! is authenticated and decoded by s3s, and decided by the model.

mod answer;
mod api;
mod attributes;
mod auth;
mod checksums;
pub mod counters;
pub mod deviation;
mod gate;
mod intake;
mod lent_body;
mod names;
pub mod operation;
pub mod server;
mod virtual_host;

pub use auth::{Account, AnonymousAccess};
pub use counters::Counters;
pub use deviation::Deviation;
pub use operation::Operation;
pub use server::{FrontOptions, Server};
