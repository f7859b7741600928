//! Pages of computed keys, in S3's order and by S3's rules.

use super::keys::{KeySpace, successor};
use super::request::Request;
use super::xml::{self, element, shown_key};

/// Most entries of a page.
/// Source: S3 API reference, ListObjectsV2 `max-keys` (read 2026-11-22).
const PAGE_ENTRIES_MAX: usize = 1_000;

/// When every synthetic object was made.
pub(super) const LAST_MODIFIED: &str = "2026-01-01T00:00:00.000Z";

/// What was asked of a listing.
#[derive(Debug)]
struct Asked<'a> {
    prefix: &'a str,
    delimiter: Option<&'a str>,
    after: Option<&'a str>,
    entries_max: usize,
}

/// A line of a page.
#[derive(Debug, PartialEq, Eq)]
enum Entry {
    /// The object of this number.
    Object(u64),
    /// A common prefix.
    Prefix(String),
}

impl Entry {
    /// Its text, after which the next page begins.
    fn text(&self) -> String {
        match self {
            Entry::Object(index) => key_text(*index),
            Entry::Prefix(prefix) => prefix.clone(),
        }
    }
}

/// A page, and whether there is more.
fn page(space: &KeySpace, asked: &Asked<'_>) -> (Vec<Entry>, bool) {
    let range = space.under(asked.prefix.as_bytes());
    let mut next = range.start;
    if let Some(after) = asked.after {
        next = next.max(beginning(space, asked, after));
    }
    let mut entries = Vec::new();
    while next < range.end {
        if entries.len() >= asked.entries_max {
            return (entries, asked.entries_max > 0);
        }
        match common_prefix(asked, next) {
            Some(prefix) => {
                next = end_of(space, &prefix);
                entries.push(Entry::Prefix(prefix));
            }
            None => {
                entries.push(Entry::Object(next));
                next += 1;
            }
        }
    }
    (entries, false)
}

/// The first number after `after`, which may be a common prefix of the page before.
fn beginning(space: &KeySpace, asked: &Asked<'_>, after: &str) -> u64 {
    let is_prefix = asked
        .delimiter
        .is_some_and(|delimiter| after.ends_with(delimiter) && after.len() > asked.prefix.len());
    if is_prefix {
        end_of(space, after)
    } else {
        space.first_above(after.as_bytes())
    }
}

/// The first number that is not under `prefix` any more.
fn end_of(space: &KeySpace, prefix: &str) -> u64 {
    successor(prefix.as_bytes()).map_or(space.count, |after| space.first_not_below(&after))
}

fn common_prefix(asked: &Asked<'_>, index: u64) -> Option<String> {
    let delimiter = asked.delimiter?;
    let key = key_text(index);
    let rest = key.get(asked.prefix.len()..)?;
    let at = rest.find(delimiter)?;
    Some(key[..asked.prefix.len() + at + delimiter.len()].to_owned())
}

fn key_text(index: u64) -> String {
    let key = KeySpace::key(index);
    String::from_utf8_lossy(key.as_bytes()).into_owned()
}

/// The answer to ListObjects and ListObjectsV2. `etag` is that of every object.
pub(super) fn answer(space: &KeySpace, request: &Request, etag: &str, checksums: bool) -> String {
    let v2 = request.query("list-type") == Some("2");
    let given = |name| request.query(name).filter(|text| !text.is_empty());
    let after = if v2 {
        given("continuation-token").or(given("start-after"))
    } else {
        given("marker")
    };
    let entries_max = given("max-keys").and_then(|text| text.parse().ok());
    let asked = Asked {
        prefix: request.query("prefix").unwrap_or_default(),
        delimiter: given("delimiter"),
        after,
        entries_max: entries_max
            .unwrap_or(PAGE_ENTRIES_MAX)
            .min(PAGE_ENTRIES_MAX),
    };
    let (entries, truncated) = page(space, &asked);
    let url_encoded = request.query("encoding-type") == Some("url");
    let mut out = String::with_capacity(1_024 + entries.len() * 320);
    out.push_str(xml::DECLARATION);
    out.push_str("<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    element(&mut out, "Name", &request.bucket);
    element(&mut out, "Prefix", &shown_key(asked.prefix, url_encoded));
    if let Some(delimiter) = asked.delimiter {
        element(&mut out, "Delimiter", &shown_key(delimiter, url_encoded));
    }
    element(&mut out, "MaxKeys", &asked.entries_max.to_string());
    if url_encoded {
        element(&mut out, "EncodingType", "url");
    }
    element(
        &mut out,
        "IsTruncated",
        if truncated { "true" } else { "false" },
    );
    if v2 {
        element(&mut out, "KeyCount", &entries.len().to_string());
    } else {
        element(
            &mut out,
            "Marker",
            &shown_key(after.unwrap_or_default(), url_encoded),
        );
    }
    if let Some(last) = entries.last().filter(|_| truncated) {
        let name = if v2 {
            "NextContinuationToken"
        } else {
            "NextMarker"
        };
        element(&mut out, name, &shown_key(&last.text(), url_encoded && !v2));
    }
    write_entries(
        &mut out,
        &entries,
        &object_rest(space.size, etag, checksums),
        url_encoded,
    );
    out.push_str("</ListBucketResult>");
    out
}

/// What follows the key in every object's element.
fn object_rest(size: u64, etag: &str, checksums: bool) -> String {
    let mut rest = String::from("</Key>");
    element(&mut rest, "LastModified", LAST_MODIFIED);
    element(&mut rest, "ETag", &format!("\"{etag}\""));
    if checksums {
        element(&mut rest, "ChecksumAlgorithm", "CRC64NVME");
        element(&mut rest, "ChecksumType", "FULL_OBJECT");
    }
    element(&mut rest, "Size", &size.to_string());
    element(&mut rest, "StorageClass", "STANDARD");
    rest.push_str("</Contents>");
    rest
}

fn write_entries(out: &mut String, entries: &[Entry], object_rest: &str, url_encoded: bool) {
    for entry in entries {
        match entry {
            Entry::Object(index) => {
                let key = KeySpace::key(*index);
                out.push_str("<Contents><Key>");
                out.push_str(std::str::from_utf8(key.as_bytes()).expect("keys are ASCII"));
                out.push_str(object_rest);
            }
            Entry::Prefix(prefix) => {
                out.push_str("<CommonPrefixes>");
                element(out, "Prefix", &shown_key(prefix, url_encoded));
                out.push_str("</CommonPrefixes>");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const SPACE: KeySpace = KeySpace {
        count: 3_210,
        size: 1,
    };

    /// Every entry, by pages of so many.
    fn all(prefix: &str, delimiter: Option<&str>, entries_max: usize) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        loop {
            let asked = Asked {
                prefix,
                delimiter,
                after: found.last().map(String::as_str),
                entries_max,
            };
            let (entries, truncated) = page(&SPACE, &asked);
            let texts: Vec<String> = entries.iter().map(Entry::text).collect();
            found.extend(texts);
            if !truncated {
                return found;
            }
        }
    }

    /// The same, from all keys.
    fn expected(prefix: &str, delimiter: Option<&str>) -> Vec<String> {
        let mut texts = BTreeSet::new();
        for key in (0..SPACE.count).map(key_text) {
            let Some(rest) = key.strip_prefix(prefix) else {
                continue;
            };
            match delimiter.and_then(|delimiter| rest.split_once(delimiter)) {
                Some((name, _)) => {
                    texts.insert(format!("{prefix}{name}{}", delimiter.unwrap_or_default()))
                }
                None => texts.insert(key),
            };
        }
        texts.into_iter().collect()
    }

    #[test]
    fn pages_together_are_the_whole() {
        for prefix in ["", "d", "d000001", "d000001/", "d000001/k00000112", "x"] {
            for delimiter in [None, Some("/"), Some("k"), Some("00")] {
                for entries_max in [1, 3, 1_000] {
                    let found = all(prefix, delimiter, entries_max);
                    assert_eq!(found, expected(prefix, delimiter), "{prefix} {delimiter:?}");
                }
            }
        }
    }

    #[test]
    fn a_page_of_none_ends() {
        let asked = Asked {
            prefix: "",
            delimiter: None,
            after: None,
            entries_max: 0,
        };
        assert_eq!(page(&SPACE, &asked), (Vec::new(), false));
    }
}
