//! Which objects a sync copies, and which the source does not have. Pure.

use std::cmp::Ordering;

use crate::entry::Entry;
use crate::event::SkipReason;

/// When an object that both sides have is copied again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Comparator {
    /// The source is newer, or the sizes differ: s5cmd's rule.
    #[default]
    Default,
    /// The sizes differ.
    SizeOnly,
    /// The bytes differ, by checksum or ETag where both sides have a comparable one, else read.
    Checksum,
    /// The times of last change differ at all, or the sizes do.
    ExactTimestamps,
}

/// Whose turn it is in a merge of two streams of names, each ascending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Only the source has the smaller name.
    Source,
    /// Both have it.
    Both,
    /// Only the destination has it.
    Destination,
    /// Both streams have ended.
    End,
}

/// Decides by the two heads; `None` is a stream that has ended.
pub(crate) fn turn(source: Option<&str>, destination: Option<&str>) -> Turn {
    match (source, destination) {
        (None, None) => Turn::End,
        (Some(_), None) => Turn::Source,
        (None, Some(_)) => Turn::Destination,
        (Some(source), Some(destination)) => match source.cmp(destination) {
            Ordering::Less => Turn::Source,
            Ordering::Equal => Turn::Both,
            Ordering::Greater => Turn::Destination,
        },
    }
}

/// What becomes of an object that both sides have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Decision {
    /// It is copied.
    Copy,
    /// It is left alone.
    Same(SkipReason),
    /// The listings do not say: the contents are compared.
    Content,
}

impl Comparator {
    /// Decides by what the listings say. A time that one side does not know counts as newer.
    pub(crate) fn decide(self, source: &Entry, destination: &Entry) -> Decision {
        if source.size != destination.size {
            return Decision::Copy;
        }
        let times = source.modified.zip(destination.modified);
        match self {
            Comparator::SizeOnly => Decision::Same(SkipReason::SizeMatches),
            Comparator::Checksum => Decision::Content,
            Comparator::Default => match times {
                Some((source, destination)) if source <= destination => {
                    Decision::Same(SkipReason::NewerOrSameAgeAndSizeMatches)
                }
                Some(_) | None => Decision::Copy,
            },
            Comparator::ExactTimestamps => match times {
                Some((source, destination)) if source == destination => {
                    Decision::Same(SkipReason::NewerOrSameAgeAndSizeMatches)
                }
                Some(_) | None => Decision::Copy,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use base::ByteCount;
    use jiff::Timestamp;
    use proptest::prelude::{prop_assert_eq, proptest};

    use super::*;
    use crate::location::Location;

    fn entry(size: u64, second: Option<i64>) -> Entry {
        Entry {
            location: Location::Local("x".into()),
            relative_start: 0,
            size: ByteCount(size),
            modified: second.map(|second| Timestamp::from_second(second).unwrap()),
            etag: None,
            storage_class: None,
            checksum_algorithm: None,
            is_delete_marker: false,
        }
    }

    #[test]
    fn s5cmds_rule_copies_what_is_newer_or_of_another_size() {
        let same = Decision::Same(SkipReason::NewerOrSameAgeAndSizeMatches);
        let decide = |comparator: Comparator, size, source, destination| {
            comparator.decide(&entry(5, source), &entry(size, destination))
        };
        let default = Comparator::Default;
        assert_eq!(decide(default, 5, Some(1), Some(1)), same);
        assert_eq!(decide(default, 5, Some(1), Some(2)), same);
        assert_eq!(decide(default, 5, Some(2), Some(1)), Decision::Copy);
        assert_eq!(decide(default, 6, Some(1), Some(2)), Decision::Copy);
        assert_eq!(decide(default, 5, None, Some(2)), Decision::Copy);
        let exact = Comparator::ExactTimestamps;
        assert_eq!(decide(exact, 5, Some(1), Some(2)), Decision::Copy);
        assert_eq!(decide(exact, 5, Some(2), Some(2)), same);
        let size_only = Comparator::SizeOnly;
        assert_eq!(
            decide(size_only, 5, Some(2), Some(1)),
            Decision::Same(SkipReason::SizeMatches)
        );
        assert_eq!(decide(size_only, 6, None, None), Decision::Copy);
        assert_eq!(
            decide(Comparator::Checksum, 5, None, None),
            Decision::Content
        );
        assert_eq!(decide(Comparator::Checksum, 6, None, None), Decision::Copy);
    }

    proptest! {
        #[test]
        fn the_merge_splits_names_as_sets_would(
            source in proptest::collection::btree_set("[a-c/é]{0,4}", 0..40),
            destination in proptest::collection::btree_set("[a-c/é]{0,4}", 0..40),
        ) {
            let (mut only_source, mut both, mut only_destination) =
                (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
            let (mut left, mut right) = (source.iter().peekable(), destination.iter().peekable());
            loop {
                let heads = (left.peek().map(|name| name.as_str()), right.peek().map(|name| name.as_str()));
                match turn(heads.0, heads.1) {
                    Turn::Source => drop(only_source.insert(left.next().unwrap().clone())),
                    Turn::Destination => drop(only_destination.insert(right.next().unwrap().clone())),
                    Turn::Both => {
                        prop_assert_eq!(left.next(), right.peek().copied());
                        both.insert(right.next().unwrap().clone());
                    }
                    Turn::End => break,
                }
            }
            prop_assert_eq!(only_source, source.difference(&destination).cloned().collect());
            prop_assert_eq!(both, source.intersection(&destination).cloned().collect());
            prop_assert_eq!(only_destination, destination.difference(&source).cloned().collect());
        }
    }
}
