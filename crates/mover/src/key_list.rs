//! A list of keys by name, for those who may read a bucket but not list it.

use std::path::PathBuf;

use crate::url::S3Url;

/// Where the list is. Each line: a key, then optionally a tab and its size, a tab and its ETag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyList {
    /// In a file.
    File(PathBuf),
    /// On standard input.
    Stdin,
    /// In an object of the source's store.
    Object(S3Url),
}
