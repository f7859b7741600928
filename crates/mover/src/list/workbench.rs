//! What tests of listings stand on: a store of keys, and keys as people name them.

use std::collections::BTreeSet;
use std::ops::Bound;

use base::{ByteCount, Key};
use remote::types::{ContinuationToken, ListPage, ListedObject};

use super::ranges::Ask;

pub(super) fn object(key: &str) -> ListedObject {
    ListedObject {
        key: Key::new(key).unwrap(),
        size: ByteCount::ZERO,
        last_modified: None,
        etag: None,
        storage_class: None,
        checksum_algorithm: None,
        version: None,
    }
}

/// How the store behind a test behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Manner {
    pub(super) page: usize,
    pub(super) honours_start_after: bool,
    /// An empty page that says there is more comes before each one.
    pub(super) empty_pages: bool,
}

/// A token is `e` or `f` (is an empty page due?) and the last key given.
pub(super) fn page(keys: &BTreeSet<String>, ask: &Ask, manner: Manner) -> ListPage {
    let token = |kind: &str, after: &str| Some(ContinuationToken(format!("{kind}{after}")));
    let (due, after) = match (&ask.token, &ask.start_after) {
        (Some(token), _) => (token.0.starts_with('e'), token.0[1..].to_owned()),
        (None, Some(after)) if manner.honours_start_after => (true, after.clone()),
        (None, _) => (true, String::new()),
    };
    if manner.empty_pages && due {
        return ListPage {
            next: token("f", &after),
            ..ListPage::default()
        };
    }
    let mut rest = keys.range::<str, _>((Bound::Excluded(after.as_str()), Bound::Unbounded));
    let objects: Vec<ListedObject> = rest
        .by_ref()
        .take(manner.page)
        .map(|key| object(key))
        .collect();
    let next = match (rest.next(), objects.last()) {
        (Some(_), Some(last)) => token("e", last.key.as_str()),
        _ => None,
    };
    ListPage {
        objects,
        common_prefixes: Vec::new(),
        next,
    }
}

pub(super) fn numbered(count: usize) -> BTreeSet<String> {
    (0..count)
        .map(|number| format!("photos/{number:09}.jpg"))
        .collect()
}

pub(super) const HONEST: Manner = Manner {
    page: 10,
    honours_start_after: true,
    empty_pages: false,
};

/// Keys as people name them, in many numbers.
pub(super) fn shapes(count: u64) -> Vec<(&'static str, BTreeSet<String>)> {
    let mut state = 7_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let all = 0..count;
    vec![
        (
            "numbered",
            all.clone()
                .map(|at| format!("photos/{at:09}.jpg"))
                .collect(),
        ),
        (
            "unpadded",
            all.clone().map(|at| format!("photos/{at}.jpg")).collect(),
        ),
        (
            "hex",
            all.clone()
                .map(|_| format!("data/{:016x}", random()))
                .collect(),
        ),
        (
            "dated",
            all.clone()
                .map(|at| {
                    let (month, day) = (at / 8_400 + 1, at / 300 % 28 + 1);
                    format!(
                        "logs/2024/{month:02}/{day:02}/{:02}/{:05}.gz",
                        at / 13 % 24,
                        at % 13
                    )
                })
                .collect(),
        ),
        (
            "by user",
            all.clone()
                .map(|at| format!("home/user{}/docs/file-{at}.txt", at % 317))
                .collect(),
        ),
        (
            "folders of ten pages",
            all.clone()
                .map(|at| format!("d{:06}/k{at:09}", at / 1_000))
                .collect(),
        ),
        (
            "folders of a page",
            all.clone()
                .map(|at| format!("d{:06}/k{at:09}", at / 100))
                .collect(),
        ),
        (
            "late folder",
            all.map(|at| match at {
                0..100 => format!("a{at}/x"),
                _ => format!("zzz/{at:08}"),
            })
            .collect(),
        ),
    ]
}
