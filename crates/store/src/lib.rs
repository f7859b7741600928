//! Storage: the engine's stored format, and its oracle, an exact in-memory model of S3's namespace.
//!
//! Nothing here knows HTTP, a runtime or a cloud.

pub mod format;
pub mod model;

pub use model::Model;
