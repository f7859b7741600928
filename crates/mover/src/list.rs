//! Listings of a store.

mod pages;

pub use pages::{Pages, Protocol, level};
