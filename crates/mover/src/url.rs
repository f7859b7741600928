//! What a person names on the command line: a path here, or `s3://bucket/path`.

use std::fmt;
use std::path::PathBuf;

use base::BucketName;
use base::ids::InvalidName;

/// The characters that make a name a pattern.
/// Source: s5cmd v2.3.0, observed: brackets alone are part of a name.
const WILDCARDS: [char; 2] = ['*', '?'];

/// A bucket, a prefix, an object or a pattern in a store, as typed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct S3Url {
    /// The bucket.
    pub bucket: BucketName,
    /// All after `s3://bucket/`, byte for byte; may be empty.
    pub path: String,
}

/// Why a text is no `s3://` URL. The first three lines are s5cmd's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUrl {
    /// Another scheme, or none where one is needed.
    #[error("s3 url should start with \"s3://\"")]
    Scheme,
    /// `s3://` or `s3:///...`.
    #[error("s3 url should have a bucket")]
    NoBucket,
    /// `s3://a*b/...`.
    #[error("bucket name cannot contain wildcards")]
    BucketWildcard,
    /// A bucket's name that no request could carry.
    #[error(transparent)]
    Bucket(#[from] InvalidName),
}

/// A place on this machine or in a store, as typed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Target {
    /// A path on this machine; may be a pattern.
    Local(PathBuf),
    /// In a store.
    Remote(S3Url),
}

impl S3Url {
    /// Reads `s3://bucket[/path]`.
    pub fn parse(text: &str) -> Result<S3Url, InvalidUrl> {
        let rest = text.strip_prefix("s3://").ok_or(InvalidUrl::Scheme)?;
        let (bucket, path) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err(InvalidUrl::NoBucket);
        }
        if bucket.contains(WILDCARDS) {
            return Err(InvalidUrl::BucketWildcard);
        }
        Ok(S3Url {
            bucket: BucketName::new(bucket)?,
            path: path.to_owned(),
        })
    }

    /// Names the bucket alone.
    pub fn is_bucket(&self) -> bool {
        self.path.is_empty()
    }

    /// Names a prefix: nothing after the bucket, or a path that ends in `/`.
    pub fn is_prefix(&self) -> bool {
        self.path.is_empty() || self.path.ends_with('/')
    }

    /// Whether the path is a pattern (unless it is taken raw).
    pub fn has_wildcard(&self) -> bool {
        has_wildcard(&self.path)
    }

    /// The path up to its first wildcard: what every match begins with.
    pub fn literal_prefix(&self) -> &str {
        literal_prefix(&self.path)
    }
}

impl fmt::Display for S3Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.path)
    }
}

impl Target {
    /// Reads a URL if there is a scheme, else a path.
    pub fn parse(text: &str) -> Result<Target, InvalidUrl> {
        if text.contains("://") {
            S3Url::parse(text).map(Target::Remote)
        } else {
            Ok(Target::Local(PathBuf::from(text)))
        }
    }

    /// The URL, if it is in a store.
    pub fn as_remote(&self) -> Option<&S3Url> {
        match self {
            Target::Local(_) => None,
            Target::Remote(url) => Some(url),
        }
    }

    /// Whether it is in a store.
    pub fn is_remote(&self) -> bool {
        self.as_remote().is_some()
    }

    /// Whether it is a pattern (unless it is taken raw). A path that is not UTF-8 is none.
    pub fn has_wildcard(&self) -> bool {
        match self {
            Target::Local(path) => path.to_str().is_some_and(has_wildcard),
            Target::Remote(url) => url.has_wildcard(),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Local(path) => path.display().fmt(f),
            Target::Remote(url) => url.fmt(f),
        }
    }
}

/// Whether `text` holds a wildcard.
pub(crate) fn has_wildcard(text: &str) -> bool {
    text.contains(WILDCARDS)
}

/// `text` up to its first wildcard.
pub(crate) fn literal_prefix(text: &str) -> &str {
    text.find(WILDCARDS).map_or(text, |end| &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_kept_byte_for_byte() {
        let url = S3Url::parse("s3://bucket//a/../b ?c/").unwrap();
        assert_eq!(url.bucket.as_str(), "bucket");
        assert_eq!(url.path, "/a/../b ?c/");
        assert_eq!(url.to_string(), "s3://bucket//a/../b ?c/");
        assert_eq!(url.literal_prefix(), "/a/../b ");
        assert!(url.has_wildcard() && url.is_prefix() && !url.is_bucket());
        assert!(S3Url::parse("s3://bucket").unwrap().is_bucket());
    }

    #[test]
    fn wrong_urls_say_why_in_s5cmds_words() {
        let line = |text| S3Url::parse(text).unwrap_err().to_string();
        assert_eq!(line("gs://b/k"), "s3 url should start with \"s3://\"");
        assert_eq!(line("s3://"), "s3 url should have a bucket");
        assert_eq!(line("s3:///k"), "s3 url should have a bucket");
        assert_eq!(line("s3://b*/k"), "bucket name cannot contain wildcards");
        assert!(matches!(
            S3Url::parse("s3://b c/k"),
            Err(InvalidUrl::Bucket(_))
        ));
    }

    #[test]
    fn what_has_no_scheme_is_a_path() {
        assert_eq!(Target::parse("a/b*").unwrap(), Target::Local("a/b*".into()));
        assert!(Target::parse("a/b*").unwrap().has_wildcard());
        assert!(Target::parse("http://x/").is_err());
        assert!(Target::parse("s3://b/k").unwrap().is_remote());
    }
}
