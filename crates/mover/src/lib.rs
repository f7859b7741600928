//! One machine's move: list, compare, plan, transfer, verify, account.
//!
//! A [`job`] enumerates its source as a stream of [`Entry`]s, decides what each one needs, and
//! hands [`Move`]s to the [`Engine`]; the engine carries them out under the limits of the
//! [`Context`], tells the [`Observer`] what became of each, and adds it to the [`Accounts`].

pub mod accounts;
mod assembly;
mod buffers;
pub mod census;
pub mod compare;
mod conditions;
mod content_type;
pub mod context;
pub mod deleter;
mod destination;
mod digest;
pub mod doctor;
pub mod engine;
pub mod entry;
pub mod error;
pub mod event;
mod fidelity;
mod file_name;
pub mod filter;
pub mod flow;
pub mod forecast;
#[doc(hidden)]
pub mod fuzzing;
pub mod job;
pub mod journal;
pub mod key_list;
mod landing;
pub mod limiter;
pub mod list;
pub mod location;
pub mod manifest;
pub mod options;
pub mod overlap;
pub mod permission;
mod pin;
pub mod plan;
pub mod route;
#[cfg(test)]
mod seeds;
pub mod shard;
pub mod source;
mod spool;
mod task;
#[cfg(test)]
mod testing;
pub mod transfer;
pub mod tune;
pub mod url;
mod verify;
mod walk;
pub mod wildcard;
#[cfg(test)]
mod workbench;

pub use accounts::Accounts;
pub use context::{Context, Limits};
pub use engine::{Engine, Move};
pub use entry::{Entry, EntryStream};
pub use error::{Error, Result};
pub use event::{Event, Observer, SkipReason, Verb};
pub use filter::Filter;
pub use flow::{Flow, FlowPermit, Need};
pub use job::Report;
pub use journal::Journal;
pub use location::{Location, ObjectLocation};
pub use options::{Adoption, TransferOptions};
pub use permission::OnDenied;
pub use source::{Side, Source, enumerate};
pub use url::{S3Url, Target};
pub use wildcard::Wildcard;
