//! Changes of batches under way, laid over the view.
//!
//! What is decided rests on them; what is answered may not, until they are durable. So the overlay
//! remembers which batch an answer rests on.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::{Bound, ControlFlow};
use std::sync::Arc;

use super::{Rows, Visitor};
use crate::format::keys::Keyspace;
use crate::log::round::Round;

/// A change that is not durable yet.
#[derive(Debug, Clone)]
struct PendingRow {
    /// The value; none where the row is taken away.
    value: Option<Vec<u8>>,
    /// The batch that changes it, the last one when several do.
    round: Arc<Round>,
}

/// All changes that are not durable yet.
#[derive(Debug, Default)]
pub(crate) struct Pending(BTreeMap<(Keyspace, Vec<u8>), PendingRow>);

impl Pending {
    /// Takes a change of a batch under way.
    pub(crate) fn put(
        &mut self,
        keyspace: Keyspace,
        key: Vec<u8>,
        value: Option<Vec<u8>>,
        round: &Arc<Round>,
    ) {
        let round = Arc::clone(round);
        self.0.insert((keyspace, key), PendingRow { value, round });
    }

    /// Forgets a change once its batch is applied, unless a later batch changes the row again.
    pub(crate) fn settle(&mut self, keyspace: Keyspace, key: &[u8], round: &Arc<Round>) {
        let place = (keyspace, key.to_vec());
        if self
            .0
            .get(&place)
            .is_some_and(|row| Arc::ptr_eq(&row.round, round))
        {
            self.0.remove(&place);
        }
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

/// The view with what is under way.
pub(crate) struct Overlay<'a> {
    view: &'a dyn Rows,
    pending: &'a Pending,
    /// The latest batch that anything read so far rests on.
    rests_on: RefCell<Option<Arc<Round>>>,
}

impl<'a> Overlay<'a> {
    pub(crate) fn new(view: &'a dyn Rows, pending: &'a Pending) -> Overlay<'a> {
        Overlay {
            view,
            pending,
            rests_on: RefCell::default(),
        }
    }

    /// The batch that must be durable before what was read may be answered.
    pub(crate) fn rests_on(&self) -> Option<Arc<Round>> {
        self.rests_on.borrow().clone()
    }

    fn rest_on(&self, row: &PendingRow) {
        let mut rests_on = self.rests_on.borrow_mut();
        if rests_on
            .as_ref()
            .is_none_or(|round| round.is_before(&row.round))
        {
            *rests_on = Some(Arc::clone(&row.round));
        }
    }
}

impl Rows for Overlay<'_> {
    fn get(&self, keyspace: Keyspace, key: &[u8]) -> Option<Vec<u8>> {
        match self.pending.0.get(&(keyspace, key.to_vec())) {
            Some(row) => {
                self.rest_on(row);
                row.value.clone()
            }
            None => self.view.get(keyspace, key),
        }
    }

    fn scan(&self, keyspace: Keyspace, from: &[u8], visit: &mut Visitor<'_>) {
        let start = Bound::Included((keyspace, from.to_vec()));
        let mut pending = self
            .pending
            .0
            .range((start, Bound::Unbounded))
            .take_while(|((of, _), _)| *of == keyspace)
            .peekable();
        let mut flow = ControlFlow::Continue(());
        self.view.scan(keyspace, from, &mut |key, value| {
            // Pending rows in front of this one, and the one in its place.
            while let Some(((_, before), row)) = pending.next_if(|((_, at), _)| at.as_slice() < key)
            {
                self.rest_on(row);
                if let Some(value) = &row.value {
                    flow = visit(before, value);
                    if flow.is_break() {
                        return flow;
                    }
                }
            }
            flow = match pending.next_if(|((_, at), _)| at == key) {
                None => visit(key, value),
                Some((_, row)) => {
                    self.rest_on(row);
                    match &row.value {
                        Some(value) => visit(key, value),
                        None => ControlFlow::Continue(()),
                    }
                }
            };
            flow
        });
        if flow.is_break() {
            return;
        }
        for ((_, key), row) in pending {
            self.rest_on(row);
            if let Some(value) = &row.value
                && visit(key, value).is_break()
            {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::*;
    use crate::format::batch::Change;
    use crate::namespace::{MemoryView, View as _};

    fn change(keyspace: Keyspace, key: u8, value: Option<u8>) -> Change {
        Change {
            keyspace,
            key: vec![key],
            value: value.map(|value| vec![value]),
        }
    }

    fn all(rows: &dyn Rows, from: u8, limit: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut found = Vec::new();
        rows.scan(Keyspace::Old, &[from], &mut |key, value| {
            found.push((key.to_vec(), value.to_vec()));
            if found.len() == limit {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        found
    }

    proptest! {
        #[test]
        fn an_overlay_reads_as_if_its_changes_were_applied(
            durable in proptest::collection::vec((0..20_u8, any::<Option<u8>>()), 0..20),
            under_way in proptest::collection::vec((0..20_u8, any::<Option<u8>>()), 0..20),
            from in 0..20_u8,
            limit in 1..20_usize,
        ) {
            let durable: Vec<Change> =
                durable.iter().map(|(key, value)| change(Keyspace::Old, *key, *value)).collect();
            let (mut view, mut both) = (MemoryView::default(), MemoryView::default());
            view.apply(1, &durable);
            both.apply(1, &durable);
            // Rows of the keyspaces around it do not count.
            let mut pending = Pending::default();
            let round = Arc::new(Round::new(1));
            for keyspace in [Keyspace::Current, Keyspace::Uploads] {
                pending.put(keyspace, vec![7], Some(vec![7]), &round);
            }
            for (key, value) in under_way {
                let change = change(Keyspace::Old, key, value);
                both.apply(2, std::slice::from_ref(&change));
                pending.put(Keyspace::Old, change.key, change.value, &round);
            }
            let overlay = Overlay::new(&view, &pending);
            prop_assert_eq!(all(&overlay, from, limit), all(&both, from, limit));
            for key in 0..20 {
                prop_assert_eq!(
                    overlay.get(Keyspace::Old, &[key]),
                    both.get(Keyspace::Old, &[key])
                );
            }
        }
    }
}
