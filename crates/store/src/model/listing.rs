//! Pages of sorted names, with S3's rolling up of common prefixes.
//!
//! A page costs what it holds: whole groups below a common prefix are stepped over by one lookup.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::ops::Bound;

/// Which names, and how many.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListQuery {
    /// Only names that begin so.
    pub prefix: String,
    /// Names are rolled up at the first of these behind the prefix. Empty is none.
    pub delimiter: String,
    /// Only entries behind this one, common prefixes too; empty begins at the beginning.
    pub after: String,
    /// At most so many entries, common prefixes counted.
    pub limit: usize,
}

/// An entry of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry<T> {
    /// A name that was not rolled up.
    Item(T),
    /// A common prefix of one or more names, its delimiter included.
    CommonPrefix(String),
}

/// A page of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// In byte order.
    pub entries: Vec<Entry<T>>,
    /// The last entry's name when there are more behind it: the next query's `after`.
    pub next_after: Option<String>,
}

impl<T> Page<T> {
    /// A page without entries, and none behind it.
    pub fn empty() -> Page<T> {
        Page {
            entries: Vec::new(),
            next_after: None,
        }
    }

    /// The items that were not rolled up.
    pub fn items(&self) -> impl Iterator<Item = &T> {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::Item(item) => Some(item),
            Entry::CommonPrefix(_) => None,
        })
    }

    /// The common prefixes.
    pub fn common_prefixes(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::Item(_) => None,
            Entry::CommonPrefix(prefix) => Some(&**prefix),
        })
    }
}

/// The common prefix into which `name` is rolled up, its delimiter included.
pub(crate) fn common_prefix<'a>(name: &'a str, prefix: &str, delimiter: &str) -> Option<&'a str> {
    if delimiter.is_empty() {
        return None;
    }
    let behind = name.get(prefix.len()..)?;
    let at = behind.find(delimiter)?;
    Some(&name[..prefix.len() + at + delimiter.len()])
}

/// The least text above every text that begins with `prefix`; none when there is none.
pub(crate) fn successor(prefix: &str) -> Option<String> {
    // UTF-8 sorts as its characters do, so the last character that can grow decides.
    let mut characters: Vec<char> = prefix.chars().collect();
    while let Some(last) = characters.pop() {
        let next = match last {
            // The surrogates are no characters.
            '\u{d7ff}' => Some('\u{e000}'),
            _ => char::from_u32(u32::from(last) + 1),
        };
        if let Some(next) = next {
            characters.push(next);
            return Some(characters.into_iter().collect());
        }
    }
    None
}

/// Where a walk over sorted names goes on.
#[derive(Debug)]
pub(crate) enum Position {
    /// At this name or behind it.
    From(String),
    /// Behind this name.
    After(String),
    /// Nothing is behind.
    End,
}

impl Position {
    /// Where a listing of `query` begins.
    pub(crate) fn start(query: &ListQuery) -> Position {
        if query.after.is_empty() || query.after < query.prefix {
            return Position::From(query.prefix.clone());
        }
        match common_prefix(&query.after, &query.prefix, &query.delimiter) {
            Some(group) if query.after.starts_with(&query.prefix) => Position::behind(group),
            _ => Position::After(query.after.clone()),
        }
    }

    /// Behind everything that begins with `group`.
    pub(crate) fn behind(group: &str) -> Position {
        successor(group).map_or(Position::End, Position::From)
    }

    /// Where a range over the map begins; none at the end.
    fn bound(&self) -> Option<Bound<&str>> {
        match self {
            Position::From(name) => Some(Bound::Included(name)),
            Position::After(name) => Some(Bound::Excluded(name)),
            Position::End => None,
        }
    }
}

/// Lists a sorted map; `item` makes an entry of a name, or passes over it.
pub(crate) fn list<K, V, T>(
    map: &BTreeMap<K, V>,
    query: &ListQuery,
    mut item: impl FnMut(&K, &V) -> Option<T>,
) -> Page<T>
where
    K: Borrow<str> + Ord,
{
    let page = list_nested(map, query, None, |key, value, _| {
        item(key, value).map(|made| (String::new(), made))
    });
    Page {
        entries: page.entries,
        next_after: page.next_after.map(|(name, _)| name),
    }
}

/// A page of a listing in which a name may stand several times, told apart by a second id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NestedPage<T> {
    /// In byte order of names, then in the ids' own order.
    pub entries: Vec<Entry<T>>,
    /// The last entry's name and id (empty for a common prefix) when there are more behind it.
    pub next_after: Option<(String, String)>,
}

/// Lists a sorted map of which each name holds several items. With `inner_after`, the name
/// `query.after` is listed again, and `items` is told behind which id to go on.
pub(crate) fn list_nested<K, V, T, I>(
    map: &BTreeMap<K, V>,
    query: &ListQuery,
    inner_after: Option<&str>,
    mut items: impl FnMut(&K, &V, Option<&str>) -> I,
) -> NestedPage<T>
where
    K: Borrow<str> + Ord,
    I: IntoIterator<Item = (String, T)>,
{
    let mut page = NestedPage {
        entries: Vec::new(),
        next_after: None,
    };
    if query.limit == 0 {
        return page;
    }
    let mut position = match (Position::start(query), inner_after) {
        (Position::After(name), Some(_)) => Position::From(name),
        (position, _) => position,
    };
    let mut last = (String::new(), String::new());
    'groups: loop {
        let Some(start) = position.bound() else {
            return page;
        };
        for (key, value) in map.range::<str, _>((start, Bound::Unbounded)) {
            let name: &str = key.borrow();
            if !name.starts_with(&query.prefix) {
                return page;
            }
            let inner = inner_after.filter(|_| name == query.after);
            let group = common_prefix(name, &query.prefix, &query.delimiter);
            for (id, item) in items(key, value, inner) {
                if page.entries.len() == query.limit {
                    page.next_after = Some(last);
                    return page;
                }
                if let Some(group) = group {
                    last = (group.to_owned(), String::new());
                    page.entries.push(Entry::CommonPrefix(group.to_owned()));
                    position = Position::behind(group);
                    continue 'groups;
                }
                last = (name.to_owned(), id);
                page.entries.push(Entry::Item(item));
            }
        }
        return page;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::{Strategy, prop_assert, prop_assert_eq, proptest};

    use super::*;

    /// The second formulation: filter and roll up everything, then cut.
    fn naive(names: &BTreeSet<String>, query: &ListQuery) -> Vec<Entry<String>> {
        let mut entries = BTreeMap::new();
        for name in names.iter().filter(|name| name.starts_with(&query.prefix)) {
            let behind = &name[query.prefix.len()..];
            let cut = match &*query.delimiter {
                "" => None,
                delimiter => behind.find(delimiter).map(|at| at + delimiter.len()),
            };
            match cut {
                Some(cut) => {
                    let group = name[..query.prefix.len() + cut].to_owned();
                    entries.insert(group.clone(), Entry::CommonPrefix(group));
                }
                None => {
                    entries.insert(name.clone(), Entry::Item(name.clone()));
                }
            }
        }
        entries
            .into_iter()
            .filter(|(name, _)| *name > query.after)
            .map(|(_, entry)| entry)
            .collect()
    }

    fn names() -> impl Strategy<Value = BTreeSet<String>> {
        proptest::collection::btree_set("[a-c/\u{10ffff}\u{d7ff}]{1,6}", 0..40)
    }

    proptest! {
        #[test]
        fn pages_put_together_are_the_naive_listing(
            names in names(),
            prefix in "[a-c/]{0,2}",
            delimiter in proptest::sample::select(vec!["", "/", "a", "b/", "\u{10ffff}"]),
            after in "[a-c/]{0,3}",
            limit in 1_usize..7,
        ) {
            let map: BTreeMap<String, ()> = names.iter().map(|name| (name.clone(), ())).collect();
            let mut query = ListQuery { prefix, delimiter: delimiter.to_owned(), after, limit };
            let expected = naive(&names, &query);
            let mut found = Vec::new();
            loop {
                let page = list(&map, &query, |name, ()| Some(name.clone()));
                prop_assert!(page.entries.len() <= limit);
                found.extend(page.entries);
                match page.next_after {
                    Some(next) => {
                        prop_assert!(next > query.after, "a listing moves on");
                        query.after = next;
                    }
                    None => break,
                }
            }
            prop_assert_eq!(found, expected);
        }

        #[test]
        fn the_successor_is_above_all_that_begin_so(prefix in "[a\u{d7ff}\u{10ffff}]{0,3}", tail in "\\PC{0,3}") {
            if let Some(above) = successor(&prefix) {
                prop_assert!([prefix.as_str(), &tail].concat() < above);
                prop_assert!(!above.starts_with(&prefix));
            } else {
                prop_assert_eq!(prefix.trim_matches('\u{10ffff}'), "");
            }
        }
    }
}
