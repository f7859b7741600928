//! Bytes from one place to another: what one object's move does.

pub mod cat;
pub mod pipe;

pub use cat::cat;
pub use pipe::pipe;
