//! Which of the objects that a source names are wanted.

use base::ByteCount;
use jiff::Timestamp;

use crate::entry::Entry;
use crate::location::Location;
use crate::wildcard::Wildcard;

/// What the user said about objects wanted and not wanted. The default admits everything.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Not wanted where the name below the source's prefix matches one; beats `include`.
    pub exclude: Vec<Wildcard>,
    /// Where any are given, only what matches one is wanted.
    pub include: Vec<Wildcard>,
    /// Not wanted by its full name.
    pub ignore: IgnoreList,
    /// Smallest size wanted.
    pub size_min: Option<ByteCount>,
    /// Largest size wanted.
    pub size_max: Option<ByteCount>,
    /// Wanted if changed at or after this.
    pub modified_after: Option<Timestamp>,
    /// Wanted if changed before this.
    pub modified_before: Option<Timestamp>,
}

/// Patterns against `bucket/key`, or against a file's path as it was given.
#[derive(Debug, Clone, Default)]
pub struct IgnoreList {
    patterns: Vec<Wildcard>,
}

impl IgnoreList {
    /// Reads a pattern a line. Blank lines and lines that begin with `#` say nothing; white space
    /// at a line's end belongs to no pattern.
    pub fn parse(text: &str) -> IgnoreList {
        let lines = text.lines().map(str::trim_end);
        let patterns = lines
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .map(Wildcard::new)
            .collect();
        IgnoreList { patterns }
    }

    /// Whether nothing is ignored.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Whether a pattern covers the whole of `location`'s name.
    pub fn covers(&self, location: &Location) -> bool {
        if self.patterns.is_empty() {
            return false;
        }
        let name = match location {
            Location::Local(path) => path.to_string_lossy().into_owned(),
            Location::Remote(object) => format!("{}/{}", object.bucket, object.key),
        };
        self.patterns.iter().any(|pattern| pattern.matches(&name))
    }
}

impl Filter {
    /// Whether `entry` is wanted. `base` is the source's prefix that include and exclude patterns
    /// do not see ([`Source::filter_base`](crate::source::Source::filter_base)).
    ///
    /// An entry whose size or age is not known passes the filters that would need it.
    pub fn admits(&self, entry: &Entry, base: &str) -> bool {
        let below = below(entry.name(), base);
        self.admits_names(&[below]) && self.admits_all_but_names(entry)
    }

    /// As [`admits`](Self::admits), but include and exclude may match the whole name as well.
    ///
    /// Source: s5cmd v2.3.0: its `sync` matches whole names (observed), where its help means names
    /// below the prefix; scripts written for either are understood.
    pub(crate) fn admits_by_either_name(&self, entry: &Entry, base: &str) -> bool {
        let below = below(entry.name(), base);
        self.admits_names(&[below, entry.name()]) && self.admits_all_but_names(entry)
    }

    /// Whether include and exclude want an object of these names.
    fn admits_names(&self, names: &[&str]) -> bool {
        let covered = |patterns: &[Wildcard]| {
            let covers = |pattern: &Wildcard| names.iter().any(|name| pattern.matches(name));
            patterns.iter().any(covers)
        };
        !covered(&self.exclude) && (self.include.is_empty() || covered(&self.include))
    }

    fn admits_all_but_names(&self, entry: &Entry) -> bool {
        self.size_min.is_none_or(|min| entry.size >= min)
            && self.size_max.is_none_or(|max| entry.size <= max)
            && self.admits_age(entry.modified)
            && !self.ignore.covers(&entry.location)
    }

    fn admits_age(&self, modified: Option<Timestamp>) -> bool {
        let Some(modified) = modified else {
            return true;
        };
        self.modified_after.is_none_or(|after| modified >= after)
            && self.modified_before.is_none_or(|before| modified < before)
    }
}

/// A name without the source's prefix; whole where it does not begin so.
fn below<'a>(name: &'a str, base: &str) -> &'a str {
    name.strip_prefix(base).unwrap_or(name)
}
