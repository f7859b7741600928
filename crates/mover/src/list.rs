//! Listings of a store, in parallel where the store allows it.
//!
//! [`ranges`] decides which ranges of keys are asked for, [`keyspace`] where they are cut,
//! [`parallel`] asks; [`pages`] is one listing page after page. [`pairs`] decides for two listings
//! that are merged, with a [`half`] of each pair to either side; [`paired`] asks.

mod half;
mod keyspace;
mod output;
mod pages;
mod paired;
mod pairs;
mod parallel;
mod ranges;
mod sorted;
mod token_watch;
#[cfg(test)]
mod workbench;

pub(crate) use output::{Keys, Output, Shape, Stop};
pub use pages::{Pages, Protocol, level};
pub(crate) use paired::Paired;
pub(crate) use pairs::Met;
pub(crate) use parallel::Listing;
pub(crate) use sorted::{Sorting, spool_error};
