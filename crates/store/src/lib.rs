//! Storage: an engine that keeps what it acknowledged, and its oracle, an exact in-memory model of
//! S3's namespace.
//!
//! Nothing here knows HTTP, a runtime or a cloud.

pub mod disk;
pub mod engine;
mod error;
pub mod format;
mod log;
pub mod model;
pub mod namespace;
mod recover;
mod volume;

pub use engine::{Engine, EngineOptions};
pub use error::{Error, StartError};
pub use log::draft::Layout;
pub use model::Model;
