//! The objects between the first that is under way and the last that was taken. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

/// What a run has taken of its enumeration, which goes by name: every name up to `taken` is done
/// but those under way and those written down to be done again.
#[derive(Debug, Default)]
pub(super) struct Window {
    taken: Option<Arc<str>>,
    under_way: BTreeMap<u64, Arc<str>>,
    next: u64,
    /// How many objects have ended, well or not.
    ended: u64,
}

impl Window {
    /// Goes past a name that needs nothing done.
    pub(super) fn pass(&mut self, name: &str) {
        // Names of equal length reuse no memory, but passing is rare beside moving.
        self.taken = Some(Arc::from(name));
    }

    /// Takes an object; the number is its own in this run.
    pub(super) fn take(&mut self, name: &str) -> u64 {
        let name: Arc<str> = Arc::from(name);
        self.taken = Some(Arc::clone(&name));
        let number = self.next;
        self.next += 1;
        self.under_way.insert(number, name);
        number
    }

    /// The name of an object under way.
    pub(super) fn name(&self, number: u64) -> Arc<str> {
        let name = self.under_way.get(&number);
        Arc::clone(name.expect("an object ends once"))
    }

    /// Ends an object: it was done, or stands where others are written down.
    pub(super) fn end(&mut self, number: u64) {
        self.under_way.remove(&number);
        self.ended += 1;
    }

    /// How many objects have ended.
    pub(super) fn ended(&self) -> u64 {
        self.ended
    }

    /// The last name that was taken.
    pub(super) fn taken(&self) -> Option<&str> {
        self.taken.as_deref()
    }

    /// The names under way, in no order of use to anybody.
    pub(super) fn under_way(&self) -> impl ExactSizeIterator<Item = &str> {
        self.under_way.values().map(|name| &**name)
    }
}
