//! All rows, as durable batches made them: what is read, listed and decided upon.
//!
//! **Overview.** [`Rows`] is what deciding needs of them, [`View`] what the log does with them.
//! [`MemoryView`] is the first view: ordered maps, made anew from the log at every start.
//! [`overlay`] lays the changes of batches under way over a view.
//!
//! **Invariants.** A view holds only rows of batches that were flushed. Which batch was applied
//! last is part of it.
//!
//! **Ordering.** Batches are applied in order, each at once: a scan sees one state.
//!
//! **Crash.** A view may be lost at any time; it is made anew.
//!
//! **Limits.** Memory holds all rows.

pub(crate) mod overlay;

use std::collections::BTreeMap;
use std::ops::{Bound, ControlFlow};

use crate::format::batch::{Change, Contents};
use crate::format::keys::Keyspace;

/// Is shown a row's key and value, and says whether to go on.
pub type Visitor<'a> = dyn FnMut(&[u8], &[u8]) -> ControlFlow<()> + 'a;

/// Rows to decide upon.
pub trait Rows {
    /// A row's value.
    fn get(&self, keyspace: Keyspace, key: &[u8]) -> Option<Vec<u8>>;

    /// Visits rows in order of key, from `from` on, until the visitor breaks off.
    fn scan(&self, keyspace: Keyspace, from: &[u8], visit: &mut Visitor<'_>);
}

/// Rows that batches change.
pub trait View: Rows {
    /// Number of the batch that was applied last, 0 before the first, and all rows since.
    fn applied(&self) -> (u64, Contents);

    /// Applies a batch.
    fn apply(&mut self, number: u64, changes: &[Change]);
}

/// Rows that begin with `prefix`, in order.
pub(crate) fn scan_prefix(
    rows: &dyn Rows,
    keyspace: Keyspace,
    prefix: &[u8],
    visit: &mut Visitor<'_>,
) {
    rows.scan(keyspace, prefix, &mut |key, value| {
        if key.starts_with(prefix) {
            visit(key, value)
        } else {
            ControlFlow::Break(())
        }
    });
}

/// A view in memory.
#[derive(Debug, Default)]
pub struct MemoryView {
    rows: BTreeMap<Keyspace, BTreeMap<Vec<u8>, Vec<u8>>>,
    applied: u64,
    contents: Contents,
}

impl Rows for MemoryView {
    fn get(&self, keyspace: Keyspace, key: &[u8]) -> Option<Vec<u8>> {
        self.rows.get(&keyspace)?.get(key).cloned()
    }

    fn scan(&self, keyspace: Keyspace, from: &[u8], visit: &mut Visitor<'_>) {
        let Some(rows) = self.rows.get(&keyspace) else {
            return;
        };
        for (key, value) in rows.range::<[u8], _>((Bound::Included(from), Bound::Unbounded)) {
            if visit(key, value).is_break() {
                return;
            }
        }
    }
}

impl View for MemoryView {
    fn applied(&self) -> (u64, Contents) {
        (self.applied, self.contents)
    }

    fn apply(&mut self, number: u64, changes: &[Change]) {
        for change in changes {
            let keyspace = change.keyspace;
            let rows = self.rows.entry(keyspace).or_default();
            let before = match &change.value {
                Some(value) => {
                    self.contents = self.contents.with(keyspace, &change.key, value);
                    rows.insert(change.key.clone(), value.clone())
                }
                None => rows.remove(&change.key),
            };
            if let Some(before) = before {
                self.contents = self.contents.without(keyspace, &change.key, &before);
            }
        }
        self.applied = number;
    }
}
