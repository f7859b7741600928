//! Whether what stands at a destination is kept. Pure.

use base::ByteCount;
use jiff::Timestamp;

use crate::event::SkipReason;
use crate::job::copy::CopyConditions;

/// What a condition looks at, of either side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) size: ByteCount,
    pub(crate) modified: Option<Timestamp>,
}

impl CopyConditions {
    /// Whether the destination must be looked at.
    pub(crate) fn look(&self) -> bool {
        self.no_clobber || self.if_size_differ || self.if_source_newer
    }

    /// Whether nothing but absence lets a copy go on.
    pub(crate) fn keeps_all(&self) -> bool {
        self.no_clobber && !self.if_size_differ && !self.if_source_newer
    }

    /// Why what stands at the destination is kept, if it is.
    ///
    /// The last of size and age that was asked for decides alone, `no_clobber` only without them.
    /// Source: s5cmd v2.3.0, observed over all combinations.
    pub(crate) fn keep(&self, source: &Seen, destination: Option<&Seen>) -> Option<SkipReason> {
        let destination = destination?;
        if self.if_source_newer {
            let newer = match (source.modified, destination.modified) {
                (Some(source), Some(destination)) => source > destination,
                // Nobody can say: rather copy than lose a change.
                _ => true,
            };
            return (!newer).then_some(SkipReason::NewerOrSameAge);
        }
        if self.if_size_differ {
            return (source.size == destination.size).then_some(SkipReason::SizeMatches);
        }
        self.no_clobber.then_some(SkipReason::Exists)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_condition_decides() {
        let seen = |size, second| Seen {
            size: ByteCount(size),
            modified: Some(Timestamp::from_second(second).unwrap()),
        };
        let source = seen(2, 100);
        let conditions = |flags: &str| CopyConditions {
            no_clobber: flags.contains('n'),
            if_size_differ: flags.contains('s'),
            if_source_newer: flags.contains('u'),
        };
        let exists = Some(SkipReason::Exists);
        let matches = Some(SkipReason::SizeMatches);
        let newer = Some(SkipReason::NewerOrSameAge);
        // Rows of a run of s5cmd v2.3.0: destination, flags, what was said.
        for (destination, flags, said) in [
            (seen(2, 0), "n", &exists),
            (seen(2, 0), "s", &matches),
            (seen(2, 0), "u", &None),
            (seen(2, 0), "ns", &matches),
            (seen(2, 0), "nu", &None),
            (seen(2, 0), "su", &None),
            (seen(2, 0), "nsu", &None),
            (seen(2, 200), "nu", &newer),
            (seen(2, 200), "su", &newer),
            (seen(5, 0), "ns", &None),
            (seen(5, 0), "n", &exists),
            (seen(5, 200), "s", &None),
            (seen(5, 200), "nsu", &newer),
            (seen(2, 100), "u", &newer),
        ] {
            assert_eq!(
                conditions(flags).keep(&source, Some(&destination)),
                *said,
                "{flags}"
            );
            assert_eq!(conditions(flags).keep(&source, None), None);
        }
    }
}
