//! What commands print, each as a line of text and as a JSON object. Shapes are s5cmd's.

use std::fmt;

use base::ByteCount;
use jiff::Timestamp;
use serde::Serialize;

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

/// How `ls` is to look.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ListStyle {
    pub(crate) etag: bool,
    pub(crate) humanize: bool,
    pub(crate) storage_class: bool,
    pub(crate) versions: bool,
    pub(crate) full_path: bool,
}

/// An object, file or prefix in `ls`.
#[derive(Debug, Serialize)]
pub(crate) struct ObjectRow<'a> {
    /// `s3://bucket/key`, or a path.
    pub(crate) key: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(crate) etag: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_modified: Option<Timestamp>,
    #[serde(rename = "type")]
    pub(crate) kind: &'a str,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) size: u64,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(crate) storage_class: &'a str,
    /// The part of the name that text shows.
    #[serde(skip)]
    pub(crate) relative: &'a str,
    /// Only in text.
    #[serde(skip)]
    pub(crate) version_id: &'a str,
    #[serde(skip)]
    pub(crate) style: ListStyle,
}

impl fmt::Display for ObjectRow<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let style = self.style;
        if style.full_path {
            return f.write_str(self.key);
        }
        let etag_width = if style.etag { 38 } else { 1 };
        if self.kind == "directory" {
            let (nothing, word) = ("", "DIR");
            return write!(
                f,
                "{nothing:19} {nothing:2} {nothing:etag_width$} {word:>12}  {}",
                self.relative
            );
        }
        let class = if style.storage_class {
            self.storage_class
        } else {
            ""
        };
        let etag = if style.etag { self.etag } else { "" };
        let size = if style.humanize {
            Humanized(ByteCount(self.size)).to_string()
        } else {
            self.size.to_string()
        };
        let time = Clocked(self.last_modified);
        write!(f, "{time} {class:>2} {etag:<etag_width$} {size:>12}  ")?;
        if style.versions && !self.version_id.is_empty() {
            write!(f, "{:<50} {}", self.relative, self.version_id)
        } else {
            f.write_str(self.relative)
        }
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

/// A time as `ls` shows it, in UTC.
struct Clocked(Option<Timestamp>);

impl fmt::Display for Clocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(time) => write!(f, "{}", time.strftime("%Y/%m/%d %H:%M:%S")),
            None => write!(f, "{:19}", ""),
        }
    }
}

/// A size as `--humanize` shows it: above 1,024 of a unit, one decimal of the next.
struct Humanized(ByteCount);

impl fmt::Display for Humanized {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut value = self.0.get() as f64;
        if value <= 1024.0 {
            return write!(f, "{}", self.0.get());
        }
        let mut unit = "";
        for next in ["K", "M", "G", "T", "P", "E"] {
            if value <= 1024.0 {
                break;
            }
            value /= 1024.0;
            unit = next;
        }
        write!(f, "{value:.1}{unit}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(kind: &'static str, style: ListStyle) -> ObjectRow<'static> {
        ObjectRow {
            key: "s3://b/a.txt",
            etag: "b1946ac92492d2347c6235b4d2611184",
            last_modified: Some("2026-11-22T12:42:07Z".parse().unwrap()),
            kind,
            size: 3_000_000,
            storage_class: "STANDARD",
            relative: "a.txt",
            version_id: "null",
            style,
        }
    }

    #[test]
    fn rows_of_ls_are_aligned_as_s5cmds() {
        let plain = ListStyle::default();
        let full = ListStyle {
            etag: true,
            humanize: true,
            storage_class: true,
            ..plain
        };
        let versions = ListStyle {
            versions: true,
            ..plain
        };
        assert_eq!(
            row("file", plain).to_string(),
            "2026/11/22 12:42:07           3000000  a.txt"
        );
        assert_eq!(
            row("file", full).to_string(),
            "2026/11/22 12:42:07 STANDARD b1946ac92492d2347c6235b4d2611184               2.9M  a.txt"
        );
        assert_eq!(
            row("file", versions).to_string(),
            format!("2026/11/22 12:42:07           3000000  a.txt{:46}null", "")
        );
        assert_eq!(
            row("directory", plain).to_string(),
            format!("{:34}DIR  a.txt", "")
        );
        assert_eq!(
            row("directory", full).to_string(),
            format!("{:71}DIR  a.txt", "")
        );
    }

    #[test]
    fn sizes_for_people_change_unit_above_1024() {
        for (size, text) in [
            (0, "0"),
            (1024, "1024"),
            (1025, "1.0K"),
            (1_048_576, "1024.0K"),
            (3_000_000, "2.9M"),
            (5_000_000_000_000, "4.5T"),
        ] {
            assert_eq!(Humanized(ByteCount(size)).to_string(), text);
        }
    }
}
