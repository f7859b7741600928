//! Listings of a store, in parallel where the store allows it.
//!
//! [`ranges`] decides which ranges of keys are asked for, [`keyspace`] where they are cut,
//! [`parallel`] asks; [`pages`] is one listing page after page.

mod keyspace;
mod output;
mod pages;
mod parallel;
mod ranges;
mod sorted;
mod token_watch;

pub(crate) use output::{Keys, Output, Shape, Stop};
pub use pages::{Pages, Protocol, level};
pub(crate) use parallel::Listing;
pub(crate) use sorted::{Sorting, spool_error};
