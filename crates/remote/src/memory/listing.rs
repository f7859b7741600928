//! Listings of the store in memory.
//!
//! A page's rows are keys and common prefixes together, each once, in the order of their bytes;
//! a page holds the rows that are greater than where it begins. So a marker that lies inside a
//! common prefix is past that prefix.

use std::cmp::Ordering;
use std::collections::btree_map;
use std::ops::Bound;

use base::{ByteCount, ChecksumAlgorithm, Crc64Nvme, Fault, Key};

use super::account::Account;
use super::bucket::{Bucket, Version};
use super::options::{ListingOrder, MemoryOptions};
use super::refusal::Refusal;
use crate::types::{
    ContinuationToken, ListObjectVersions, ListObjects, ListPage, ListedObject, ListedVersion,
    StorageClass,
};

impl Account {
    pub(super) fn list_objects(&self, request: &ListObjects) -> Result<ListPage, Refusal> {
        let bucket = self.bucket(&request.bucket)?;
        let from = match &request.continuation_token {
            Some(token) => Position::parse(token)?,
            None => Position {
                page: 0,
                row: (request.start_after.clone())
                    .filter(|_| self.options.honours_start_after)
                    .unwrap_or_default(),
                older_than: None,
            },
        };
        let walk = Walk::new(
            bucket,
            &request.prefix,
            request.delimiter.as_deref(),
            |versions| {
                versions
                    .last()
                    .is_some_and(|version| version.object.is_some())
            },
        );
        let current = |key: &Key, versions: &[Version]| -> Vec<Row> {
            let version = versions.last().expect("a key has a version");
            vec![Row::object(key, version, None)]
        };
        self.page(
            walk,
            from,
            request.keys_max,
            request.continuation_token.as_ref(),
            current,
        )
    }

    pub(super) fn list_object_versions(
        &self,
        request: &ListObjectVersions,
    ) -> Result<ListPage, Refusal> {
        let bucket = self.bucket(&request.bucket)?;
        let from = match &request.continuation_token {
            Some(token) => Position::parse(token)?,
            None => Position::default(),
        };
        let walk = Walk::new(
            bucket,
            &request.prefix,
            request.delimiter.as_deref(),
            |_| true,
        );
        let all = |key: &Key, versions: &[Version]| -> Vec<Row> {
            let latest = versions.last().map(|version| version.sequence);
            let newest_first = versions.iter().rev();
            newest_first
                .map(|version| {
                    let listed = ListedVersion {
                        id: version.id_or_null(),
                        is_latest: latest == Some(version.sequence),
                        is_delete_marker: version.object.is_none(),
                    };
                    Row::object(key, version, Some(listed))
                })
                .collect()
        };
        self.page(
            walk,
            from,
            request.keys_max,
            request.continuation_token.as_ref(),
            all,
        )
    }

    fn page(
        &self,
        walk: Walk<'_>,
        from: Position,
        keys_max: Option<u32>,
        token: Option<&ContinuationToken>,
        rows_of: impl Fn(&Key, &[Version]) -> Vec<Row>,
    ) -> Result<ListPage, Refusal> {
        let options = &self.options;
        if options.empty_pages && from.page.is_multiple_of(2) {
            return Ok(ListPage {
                next: Some(from.next_page().token()),
                ..ListPage::default()
            });
        }
        let limit = keys_max
            .unwrap_or(options.page_rows_max)
            .min(options.page_rows_max) as usize;
        if limit == 0 {
            return Ok(ListPage::default());
        }
        let (mut rows, more) = match options.listing_order {
            ListingOrder::Bytes | ListingOrder::SwappedRows => {
                let rows = walk.start(&from).flat_map(|step| step.into_rows(&rows_of));
                take_page(rows.filter(|row| row.is_after(&from, options)), limit)
            }
            ListingOrder::PathComponents | ListingOrder::Unordered => {
                let steps = walk.start(&Position::default());
                let mut rows: Vec<Row> = steps
                    .flat_map(|step| step.into_rows(&rows_of))
                    .filter(|row| row.is_after(&from, options))
                    .collect();
                rows.sort_by(|a, b| compare(options, a.text(), b.text()));
                take_page(rows.into_iter(), limit)
            }
        };
        let next = match (more, rows.last()) {
            (true, Some(last)) => Some(last.position(&from).token()),
            _ => None,
        };
        if options.listing_order == ListingOrder::SwappedRows && rows.len() > 1 {
            rows.swap(0, 1);
        }
        let repeats = options
            .repeats_token_from_page
            .is_some_and(|page| from.page >= u64::from(page));
        let mut page = ListPage {
            next: match (token, repeats) {
                (Some(token), true) => Some(token.clone()),
                _ => next,
            },
            ..ListPage::default()
        };
        for row in rows {
            match row {
                Row::Object { object, .. } => page.objects.push(object),
                Row::Prefix(prefix) => page.common_prefixes.push(prefix),
            }
        }
        Ok(page)
    }
}

/// Where a page begins: after this row.
#[derive(Debug, Default)]
struct Position {
    /// Counts pages, so that every token differs.
    page: u64,
    row: String,
    /// Inside a key's versions: only those written before this one are left.
    older_than: Option<u64>,
}

impl Position {
    fn parse(token: &ContinuationToken) -> Result<Position, Refusal> {
        let parse = || {
            let mut fields = token.0.splitn(3, ':');
            let page = fields.next()?.parse().ok()?;
            let older_than = match fields.next()? {
                "" => None,
                sequence => Some(sequence.parse().ok()?),
            };
            let row = fields.next()?.to_owned();
            Some(Position {
                page,
                row,
                older_than,
            })
        };
        parse().ok_or_else(|| {
            let message = "The continuation token provided is incorrect";
            Refusal::new(Fault::Invalid, 400, "InvalidArgument", message)
        })
    }

    fn next_page(&self) -> Position {
        Position {
            page: self.page + 1,
            row: self.row.clone(),
            older_than: self.older_than,
        }
    }

    fn token(&self) -> ContinuationToken {
        let older_than = self.older_than.map(|sequence| sequence.to_string());
        ContinuationToken(format!(
            "{}:{}:{}",
            self.page,
            older_than.unwrap_or_default(),
            self.row
        ))
    }
}

enum Row {
    Object { object: ListedObject, sequence: u64 },
    Prefix(String),
}

impl Row {
    fn object(key: &Key, version: &Version, listed: Option<ListedVersion>) -> Row {
        let object = version.object.as_ref();
        let stored_class = object.map(|object| match &object.attributes.storage_class {
            Some(class) => class.clone(),
            None => StorageClass::STANDARD,
        });
        Row::Object {
            sequence: version.sequence,
            object: ListedObject {
                key: key.clone(),
                size: ByteCount(object.map_or(0, |object| object.content.length())),
                last_modified: Some(version.last_modified),
                etag: object.map(|object| object.etag.clone()),
                storage_class: stored_class,
                checksum_algorithm: object
                    .and_then(|object| object.crc64)
                    .map(|_| ChecksumAlgorithm::Crc64Nvme),
                version: listed,
            },
        }
    }

    fn text(&self) -> &str {
        match self {
            Row::Object { object, .. } => object.key.as_str(),
            Row::Prefix(prefix) => prefix,
        }
    }

    fn is_after(&self, from: &Position, options: &MemoryOptions) -> bool {
        match compare(options, self.text(), &from.row) {
            Ordering::Greater => true,
            Ordering::Less => false,
            Ordering::Equal => match (self, from.older_than) {
                (Row::Object { sequence, .. }, Some(older_than)) => *sequence < older_than,
                (Row::Object { .. } | Row::Prefix(_), _) => false,
            },
        }
    }

    fn position(&self, from: &Position) -> Position {
        let older_than = match self {
            Row::Object {
                sequence, object, ..
            } if object.version.is_some() => Some(*sequence),
            Row::Object { .. } | Row::Prefix(_) => None,
        };
        Position {
            page: from.page + 1,
            row: self.text().to_owned(),
            older_than,
        }
    }
}

/// The order of rows. The empty text, where listings begin, is before all.
fn compare(options: &MemoryOptions, a: &str, b: &str) -> Ordering {
    match options.listing_order {
        ListingOrder::Bytes | ListingOrder::SwappedRows => a.cmp(b),
        ListingOrder::PathComponents => a.split('/').cmp(b.split('/')),
        ListingOrder::Unordered => {
            let place = |text: &str| (!text.is_empty(), Crc64Nvme::of(text.as_bytes()).0);
            place(a).cmp(&place(b)).then_with(|| a.cmp(b))
        }
    }
}

fn take_page(mut rows: impl Iterator<Item = Row>, limit: usize) -> (Vec<Row>, bool) {
    let page: Vec<Row> = rows.by_ref().take(limit).collect();
    let more = page.len() == limit && rows.next().is_some();
    (page, more)
}

enum Step<'a> {
    Key(&'a Key, &'a [Version]),
    Prefix(String),
}

impl Step<'_> {
    fn into_rows(self, rows_of: impl Fn(&Key, &[Version]) -> Vec<Row>) -> Vec<Row> {
        match self {
            Step::Key(key, versions) => rows_of(key, versions),
            Step::Prefix(prefix) => vec![Row::Prefix(prefix)],
        }
    }
}

/// Keys in the order of their bytes, rolled up by the delimiter.
struct Walk<'a> {
    bucket: &'a Bucket,
    prefix: &'a str,
    delimiter: Option<&'a str>,
    visible: fn(&[Version]) -> bool,
    rest: btree_map::Range<'a, Key, Vec<Version>>,
}

impl<'a> Walk<'a> {
    fn new(
        bucket: &'a Bucket,
        prefix: &'a str,
        delimiter: Option<&'a str>,
        visible: fn(&[Version]) -> bool,
    ) -> Walk<'a> {
        Walk {
            bucket,
            prefix,
            delimiter: delimiter.filter(|delimiter| !delimiter.is_empty()),
            visible,
            rest: bucket
                .keys
                .range::<str, _>((Bound::Included(prefix), Bound::Unbounded)),
        }
    }

    /// Begins at `from`'s row: the caller drops what is not after it.
    fn start(mut self, from: &Position) -> Walk<'a> {
        if from.row.as_str() > self.prefix {
            self.seek(&from.row);
        }
        self
    }

    fn seek(&mut self, to: &str) {
        let range = (Bound::Included(to), Bound::Unbounded);
        self.rest = self.bucket.keys.range::<str, _>(range);
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = Step<'a>;

    fn next(&mut self) -> Option<Step<'a>> {
        loop {
            let (key, versions) = self.rest.next()?;
            let beyond = key.as_str().strip_prefix(self.prefix)?;
            if !(self.visible)(versions) {
                continue;
            }
            let Some(delimiter) = self.delimiter else {
                return Some(Step::Key(key, versions));
            };
            let Some(at) = beyond.find(delimiter) else {
                return Some(Step::Key(key, versions));
            };
            let end = self.prefix.len() + at + delimiter.len();
            let common = key.as_str()[..end].to_owned();
            match successor(&common) {
                Some(next) => self.seek(&next),
                None => self.rest = btree_map::Range::default(),
            }
            return Some(Step::Prefix(common));
        }
    }
}

/// The least text greater than everything that begins with `prefix`; none when there is no such.
/// UTF-8 sorts as its code points do, so the last one that can grow does.
fn successor(prefix: &str) -> Option<String> {
    let mut text = prefix.to_owned();
    while let Some(last) = text.pop() {
        let following = match last {
            '\u{d7ff}' => Some('\u{e000}'),
            last => char::from_u32(u32::from(last) + 1),
        };
        if let Some(following) = following {
            text.push(following);
            return Some(text);
        }
    }
    None
}
