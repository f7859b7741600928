//! Answers that go wrong on purpose: objects that break off halfway, and wrong bytes.

use std::sync::atomic::{AtomicU64, Ordering};

use super::options::NullOptions;

/// What becomes of one object's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    None,
    /// The connection ends within the body.
    Cut,
    /// A byte is not what it should be.
    Corrupt,
}

/// Deals trouble out by count, so that an hour has as much of it as any other.
#[derive(Debug)]
pub(super) struct Faults {
    cut_every: Option<u64>,
    corrupt_every: Option<u64>,
    objects: AtomicU64,
}

impl Faults {
    pub(super) fn new(options: &NullOptions) -> Faults {
        Faults {
            cut_every: options.cut_every,
            corrupt_every: options.corrupt_every,
            objects: AtomicU64::new(0),
        }
    }

    /// What becomes of the object that is sent now.
    pub(super) fn next(&self) -> Trouble {
        let number = self.objects.fetch_add(1, Ordering::Relaxed) + 1;
        let due = |every: Option<u64>| every.is_some_and(|every| number.is_multiple_of(every));
        if due(self.corrupt_every) {
            Trouble::Corrupt
        } else if due(self.cut_every) {
            Trouble::Cut
        } else {
            Trouble::None
        }
    }
}
