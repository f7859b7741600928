//! What commands print, each as a line of text and as a JSON object. Shapes are s5cmd's.

mod listed;

use std::fmt;

use base::ByteCount;
use jiff::Timestamp;
use serde::Serialize;

use listed::{Clocked, Humanized};
pub(crate) use listed::{ListStyle, ObjectRow};

/// A thing done: `cp a s3://b/a`.
#[derive(Debug, Serialize)]
pub(crate) struct Done<'a> {
    pub(crate) operation: &'a str,
    pub(crate) success: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) source: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) destination: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) object: Option<DoneObject<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) version_id: Option<&'a str>,
}

/// What a thing done says of the object.
#[derive(Debug, Serialize)]
pub(crate) struct DoneObject<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<&'a str>,
    #[serde(rename = "type")]
    pub(crate) kind: &'a str,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) storage_class: Option<&'a str>,
}

impl<'a> Done<'a> {
    /// `operation` done to `source`.
    pub(crate) fn to(operation: &'a str, source: &'a str) -> Done<'a> {
        Done {
            operation,
            success: true,
            source: Some(source),
            destination: None,
            object: None,
            version_id: None,
        }
    }
}

impl fmt::Display for Done<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.operation)?;
        if let Some(source) = self.source {
            match self.version_id {
                Some(version) => write!(f, " {source:<50} {version}")?,
                None => write!(f, " {source}")?,
            }
        }
        match self.destination {
            Some(destination) => write!(f, " {destination}"),
            None => Ok(()),
        }
    }
}

/// An object left alone, in JSON.
#[derive(Debug, Serialize)]
pub(crate) struct Skip<'a> {
    pub(crate) operation: &'a str,
    pub(crate) job: &'a str,
    pub(crate) error: &'a str,
}

/// An error in JSON.
#[derive(Debug, Serialize)]
pub(crate) struct Complaint<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(crate) operation: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(crate) command: &'a str,
    pub(crate) error: &'a str,
}

/// How things stand, in JSON.
#[derive(Debug, Serialize)]
pub(crate) struct Notice<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(crate) operation: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(crate) command: &'a str,
    pub(crate) notice: &'a str,
}

/// A key in `exists`.
#[derive(Debug, Serialize)]
pub(crate) struct ExistsRow<'a> {
    pub(crate) operation: &'a str,
    /// `present`, `absent` or `unknown`.
    pub(crate) state: &'a str,
    /// As it was given.
    pub(crate) key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) etag: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_modified: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<&'a str>,
    /// In text the key alone.
    #[serde(skip)]
    pub(crate) bare: bool,
}

impl fmt::Display for ExistsRow<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.bare {
            true => f.write_str(self.key),
            false => write!(f, "{}\t{}", self.state, self.key),
        }
    }
}

/// A finding of `verify`.
#[derive(Debug, Serialize)]
pub(crate) struct VerifyRow<'a> {
    pub(crate) operation: &'a str,
    /// `equal`, `missing`, `differing`, `extra`, `unverifiable` or `unknown`.
    pub(crate) state: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) source: Option<&'a str>,
    pub(crate) destination: &'a str,
    /// The means, what differs, or the cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) detail: Option<&'a str>,
}

impl fmt::Display for VerifyRow<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = self.source.unwrap_or("-");
        write!(f, "{}\t{source}\t{}", self.state, self.destination)?;
        match self.detail {
            Some(detail) => write!(f, "\t{detail}"),
            None => Ok(()),
        }
    }
}

/// A bucket in `ls`.
#[derive(Debug, Serialize)]
pub(crate) struct BucketRow {
    pub(crate) created_at: Option<Timestamp>,
    pub(crate) name: String,
}

impl fmt::Display for BucketRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}  s3://{}", Clocked(self.created_at), self.name)
    }
}

/// A sum of `du`.
#[derive(Debug, Serialize)]
pub(crate) struct UsageRow<'a> {
    pub(crate) source: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) storage_class: Option<&'a str>,
    pub(crate) count: u64,
    pub(crate) size: u64,
    #[serde(skip)]
    pub(crate) humanize: bool,
}

impl fmt::Display for UsageRow<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.humanize {
            write!(f, "{}", Humanized(ByteCount(self.size)))?;
        } else {
            write!(f, "{}", self.size)?;
        }
        write!(f, " bytes in {} objects: {}", self.count, self.source)?;
        match self.storage_class {
            Some(class) => write!(f, " [{class}]"),
            None => Ok(()),
        }
    }
}

/// A bucket in `head`.
#[derive(Debug, Serialize)]
pub(crate) struct BucketHead<'a> {
    pub(crate) bucket: &'a str,
}

/// An object in `head`; JSON also in text mode.
#[derive(Debug, Serialize)]
pub(crate) struct ObjectHeadRow<'a> {
    pub(crate) key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) server_side_encryption: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_modified: Option<Timestamp>,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) storage_class: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) version_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) etag: Option<&'a str>,
    pub(crate) metadata: std::collections::BTreeMap<&'a str, &'a str>,
}

/// A bucket's versioning.
#[derive(Debug, Serialize)]
pub(crate) struct VersioningRow<'a> {
    pub(crate) bucket: &'a str,
    pub(crate) status: &'a str,
    /// Whether it was set just now.
    #[serde(skip)]
    pub(crate) set: bool,
}

impl fmt::Display for VersioningRow<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let VersioningRow {
            bucket,
            status,
            set,
        } = self;
        if status.is_empty() {
            write!(f, "\"{bucket}\" is an unversioned bucket")
        } else if *set {
            write!(
                f,
                "Bucket versioning for \"{bucket}\" is set to \"{status}\""
            )
        } else {
            write!(f, "Bucket versioning for \"{bucket}\" is \"{status}\"")
        }
    }
}

fn is_zero(size: &u64) -> bool {
    *size == 0
}
