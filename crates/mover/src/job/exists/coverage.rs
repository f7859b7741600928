//! What one page of a listing proves of keys. Pure.
//!
//! A key in a page is there. A key that is not in it is absent only if it must have been: between
//! the point after which the page begins and its last row. "Between" is taken in the order of bytes
//! *and* in that of path components, since some stores list `a/b` before `a-b`; where both orders
//! disagree the page proves nothing of the key. And before a page that is not the whole listing
//! proves an absence, the store must have shown [`ROWS_IN_ORDER_MIN`] rows in order.

use std::cmp::Ordering;

use remote::types::{ListPage, ListedObject};

use super::Presence;

/// Neighbours that must have stood in order before a store is believed to list in order: one that
/// lists at random would have to be lucky this often, half the time each.
pub(super) const ROWS_IN_ORDER_MIN: u64 = 32;

/// What a page says of a key.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Says {
    Present(Presence),
    Absent,
    Nothing,
}

/// A page and where it stands.
#[derive(Debug)]
pub(super) struct Coverage {
    /// Only keys that begin so were asked for.
    prefix: String,
    /// The point after which the page begins; none is the beginning.
    after: Option<String>,
    rows: Vec<ListedObject>,
    /// Whether the listing ends with it.
    ends: bool,
    in_order: bool,
}

impl Coverage {
    /// The page that answered a request with this prefix and start-after.
    pub(super) fn new(prefix: &str, after: Option<String>, page: ListPage) -> Coverage {
        let mut rows = page.objects;
        let begins_well = |row: &ListedObject| {
            let key = row.key.as_str();
            key.starts_with(prefix) && after.as_deref().is_none_or(|after| key >= after)
        };
        let in_order =
            rows.iter().all(begins_well) && rows.windows(2).all(|two| two[0].key < two[1].key);
        if !in_order {
            rows.sort_unstable_by(|one, other| one.key.cmp(&other.key));
        }
        Coverage {
            prefix: prefix.to_owned(),
            after,
            rows,
            ends: page.next.is_none(),
            in_order,
        }
    }

    /// Whether rows ascend, begin with the prefix and do not stand before the point asked for. Else
    /// the store lists in another order, or ignores what it was asked.
    pub(super) fn is_in_order(&self) -> bool {
        self.in_order
    }

    /// Whether it is a listing from beginning to end.
    pub(super) fn is_whole(&self) -> bool {
        self.ends && self.after.is_none() && self.rows.iter().all(|row| self.begins(row))
    }

    /// Neighbours that stand in order.
    pub(super) fn neighbours(&self) -> u64 {
        (self.rows.len() as u64).saturating_sub(1)
    }

    /// Rows in it.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The last key, where more may follow.
    pub(super) fn last(&self) -> Option<&str> {
        self.rows.last().map(|row| row.key.as_str())
    }

    /// Whether nothing follows it.
    pub(super) fn ends(&self) -> bool {
        self.ends
    }

    /// Rows up to and with `key`.
    pub(super) fn rows_through(&self, key: &str) -> usize {
        self.rows.partition_point(|row| row.key.as_str() <= key)
    }

    /// What it says of `key`. `trusted` says that the store has shown that it lists in order.
    pub(super) fn says(&self, key: &str, trusted: bool) -> Says {
        let found = self.rows.binary_search_by(|row| row.key.as_str().cmp(key));
        if let Ok(at) = found {
            let row = &self.rows[at];
            return Says::Present(Presence {
                size: Some(row.size),
                etag: row.etag.clone(),
                last_modified: row.last_modified,
            });
        }
        if !key.starts_with(&self.prefix) {
            return Says::Nothing;
        }
        if self.is_whole() {
            return Says::Absent;
        }
        let begins = self.after.as_deref().is_none_or(|after| before(after, key));
        let ends = self.ends || self.last().is_some_and(|last| before(key, last));
        if trusted && self.in_order && begins && ends {
            Says::Absent
        } else {
            Says::Nothing
        }
    }

    fn begins(&self, row: &ListedObject) -> bool {
        row.key.as_str().starts_with(&self.prefix)
    }
}

/// Whether `one` stands before `other` in every order that a store may have.
fn before(one: &str, other: &str) -> bool {
    one < other && by_component(one, other) == Ordering::Less
}

/// The order of a tree of files: as bytes, but `/` before everything.
fn by_component(one: &str, other: &str) -> Ordering {
    let rank = |byte: u8| if byte == b'/' { 0 } else { u16::from(byte) + 1 };
    one.bytes().map(rank).cmp(other.bytes().map(rank))
}

/// A point before `key` with next to nothing between: a listing that begins after it begins with
/// the key, if that is there.
pub(super) fn just_before(key: &str) -> Option<String> {
    let last = key.chars().next_back()?;
    let mut point = key[..key.len() - last.len_utf8()].to_owned();
    let code = u32::from(last);
    if code > 0 {
        // The surrogates' gap has no characters.
        let previous = char::from_u32(code - 1).unwrap_or('\u{d7ff}');
        point.push(previous);
        if point.len() + char::MAX.len_utf8() <= base::limits::KEY_BYTES_MAX {
            point.push(char::MAX);
        }
    }
    // What begins after nothing begins at the beginning.
    (!point.is_empty()).then_some(point)
}

#[cfg(test)]
mod tests {
    use base::{ByteCount, Key};
    use proptest::prelude::{prop_assert, proptest};
    use remote::types::ContinuationToken;

    use super::*;

    fn page(keys: &[&str], more: bool) -> ListPage {
        let row = |key: &&str| ListedObject {
            key: Key::new(*key).unwrap(),
            size: ByteCount(1),
            last_modified: None,
            etag: None,
            storage_class: None,
            checksum_algorithm: None,
            version: None,
        };
        ListPage {
            objects: keys.iter().map(row).collect(),
            common_prefixes: Vec::new(),
            next: more.then(|| ContinuationToken("t".to_owned())),
        }
    }

    #[test]
    fn a_page_proves_absences_only_between_its_ends() {
        let coverage = Coverage::new("", Some("b".to_owned()), page(&["c", "e"], true));
        assert_eq!(coverage.says("d", true), Says::Absent);
        assert!(matches!(coverage.says("c", true), Says::Present(_)));
        for outside in ["a", "b", "f"] {
            assert_eq!(coverage.says(outside, true), Says::Nothing, "{outside}");
        }
        // A store that has not shown its order proves nothing, but what is there is there.
        assert_eq!(coverage.says("d", false), Says::Nothing);
        assert!(matches!(coverage.says("e", false), Says::Present(_)));
        let last = Coverage::new("", Some("b".to_owned()), page(&["c"], false));
        assert_eq!(last.says("z", true), Says::Absent);
    }

    #[test]
    fn a_whole_listing_proves_everything_in_any_order() {
        let coverage = Coverage::new("p/", None, page(&["p/z", "p/a"], false));
        assert!(!coverage.is_in_order());
        assert_eq!(coverage.says("p/m", false), Says::Absent);
        assert!(matches!(coverage.says("p/a", false), Says::Present(_)));
        assert_eq!(coverage.says("q", false), Says::Nothing);
    }

    #[test]
    fn a_key_that_two_orders_put_in_two_places_is_not_proved_absent() {
        // A tree of files lists a/b, then a-b: that a-b is not between ! and a/b says nothing.
        let coverage = Coverage::new("", None, page(&["!", "a/b"], true));
        assert_eq!(coverage.says("a-b", true), Says::Nothing);
        assert_eq!(coverage.says("a", true), Says::Absent);
    }

    #[test]
    fn what_ignores_the_start_or_the_prefix_is_found_out() {
        let ignores = Coverage::new("", Some("m".to_owned()), page(&["a", "b"], true));
        assert!(!ignores.is_in_order());
        assert_eq!(ignores.says("n", true), Says::Nothing);
        let foreign = Coverage::new("p/", None, page(&["p/a", "q"], false));
        assert!(!foreign.is_in_order() && !foreign.is_whole());
        assert_eq!(foreign.says("p/b", true), Says::Nothing);
    }

    proptest! {
        #[test]
        fn the_point_before_a_key_stands_before_it_and_nothing_like_it_between(
            key in "[ -~\u{0}\u{e000}é\u{10000}/]{1,6}",
            other in "[ -~]{1,6}",
        ) {
            match just_before(&key) {
                None => prop_assert!(key.chars().count() == 1),
                Some(point) => {
                    prop_assert!(point.as_str() < key.as_str());
                    prop_assert!(!(point.as_str() < other.as_str() && other.as_str() < key.as_str()));
                }
            }
        }
    }
}
