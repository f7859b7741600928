//! The XML documents of S3: answers are read in one pass over their bytes, requests are written.
//!
//! Reading is lenient where servers differ (order, unknown elements, namespaces, missing optional
//! elements) and strict where a mistake would lose an object: a document that ends early, a size
//! that is no number, a page that says it is not the last but not where the next begins, are
//! errors and never a short list.

mod acl;
mod buckets;
mod deletes;
mod lock;
mod objects;
mod scanner;
mod tags;
mod uploads;
mod value;
mod versions;
mod writer;

#[cfg(test)]
mod tests;

pub(super) use acl::{parse_acl, write_acl};
pub(super) use buckets::{parse_buckets, parse_versioning, write_location, write_versioning};
pub(super) use deletes::{parse_deletes, write_deletes};
pub(super) use lock::{parse_lock_configuration, write_legal_hold, write_lock_configuration};
pub(super) use objects::{ListVersion, parse_objects};
pub(super) use tags::{parse_tags, write_tags};
pub(super) use uploads::{
    parse_completed, parse_copy, parse_created, parse_parts, parse_uploads, write_completed,
};
pub(super) use value::{last_modified_header, timestamp};
pub(super) use versions::{VersionMarker, parse_versions};
pub(super) use writer::can_carry;

use base::ids::InvalidName;

/// Why a document is none that S3 sends.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum InvalidXml {
    /// The document ends before its root does.
    #[error("the document ends early")]
    Truncated,
    /// The bytes are not UTF-8.
    #[error("the document is not UTF-8 at byte {at}")]
    NotUtf8 { at: usize },
    /// No XML.
    #[error("the document is not well formed at byte {at}")]
    Malformed { at: usize },
    /// XML, but of something else.
    #[error("the document is a <{found}>, not a <{expected}>")]
    Root {
        expected: &'static str,
        found: String,
    },
    /// An entity that XML does not define by itself.
    #[error("unknown entity &{0};")]
    Entity(String),
    /// An element that must be there is not.
    #[error("an element <{0}> is missing")]
    Missing(&'static str),
    /// An element is not the number it must be.
    #[error("<{element}> is no number that it may be: {text:?}")]
    Number { element: &'static str, text: String },
    /// An element is none of the words it must be.
    #[error("<{element}> is no word that it may be: {text:?}")]
    Word { element: &'static str, text: String },
    /// A text said to be URL-encoded is not.
    #[error("text said to be URL-encoded is not: {0:?}")]
    Encoding(String),
    /// A key that can be none.
    #[error(transparent)]
    Key(#[from] InvalidName),
    /// The page is not the last, but where the next one begins is not said.
    #[error("the page is truncated but does not say where the next one begins")]
    NoToken,
}
