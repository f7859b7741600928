//! Decides operations in log order, and lets one flush serve all who wait.
//!
//! Whoever waits while no batch is under way becomes the leader: it closes the draft, writes and
//! flushes it without holding the lock, and settles it for all. So batches grow exactly as long as
//! the flush before them takes, and nobody waits for a time.

use std::sync::Arc;

use parking_lot::{Condvar, Mutex, RwLock};

use super::draft::{Draft, Layout};
use super::plan::Plan;
use super::round::Round;
use crate::error::Error;
use crate::format::Sequence;
use crate::format::batch::{Batch, Chain, Change, Contents};
use crate::namespace::overlay::{Overlay, Pending};
use crate::namespace::{Rows, View};
use crate::volume::{CommitError, Sealed, Volume};

/// What recovery found, and the log goes on from.
#[derive(Debug)]
pub(crate) struct Recovered<V> {
    pub(crate) view: V,
    pub(crate) plan: Plan,
    /// Number of the last batch.
    pub(crate) number: u64,
    pub(crate) chain: Chain,
}

/// The log of a store that is open.
#[derive(Debug)]
pub(crate) struct Sequencer<V> {
    volume: Volume,
    layout: Layout,
    view: RwLock<V>,
    state: Mutex<State>,
    /// A batch came to its end.
    turned: Condvar,
}

#[derive(Debug)]
struct State {
    /// Where the batch behind the last durable one goes.
    durable: Plan,
    /// Number and chain of the last durable batch.
    number: u64,
    chain: Chain,
    /// All rows, once the draft is applied.
    contents: Contents,
    /// The batch that is being collected.
    draft: Draft,
    /// Changes that are not durable.
    pending: Pending,
    /// The batch that the leader writes.
    under_way: Option<Arc<Round>>,
    /// A flush failed: nothing more is taken.
    fenced: bool,
}

/// An operation that was decided.
#[derive(Debug)]
pub(crate) struct Decided<T> {
    /// What to answer.
    pub(crate) answer: Result<T, Error>,
    /// Once this is durable.
    pub(crate) round: Option<Arc<Round>>,
}

impl<V: View> Sequencer<V> {
    pub(crate) fn new(volume: Volume, layout: Layout, recovered: Recovered<V>) -> Sequencer<V> {
        let (applied, contents) = recovered.view.applied();
        assert_eq!(applied, recovered.number, "a view is as far as its log");
        let identity = volume.identity();
        let number = recovered.number;
        let plan = recovered.plan;
        let draft = Draft::new(identity, layout, Round::new(1), number + 1, plan.clone());
        Sequencer {
            volume,
            layout,
            view: RwLock::new(recovered.view),
            state: Mutex::new(State {
                durable: plan,
                number,
                chain: recovered.chain,
                contents,
                draft,
                pending: Pending::default(),
                under_way: None,
                fenced: false,
            }),
            turned: Condvar::new(),
        }
    }

    /// Log records before this one were flushed.
    ///
    /// # Errors
    /// [`Error::Fenced`].
    pub(crate) fn durable_mark(&self) -> Result<Sequence, Error> {
        let state = self.state.lock();
        if state.fenced {
            return Err(Error::Fenced);
        }
        Ok(state.durable.log_sequence)
    }

    /// Takes no more writes.
    pub(crate) fn fence(&self) {
        self.volume.fence();
        self.state.lock().fenced = true;
    }

    pub(crate) fn volume(&self) -> &Volume {
        &self.volume
    }

    /// Reads rows that are durable; one state for as long as `read` runs.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&dyn Rows) -> T) -> T {
        read(&*self.view.read())
    }

    /// Decides an operation, which may be decided anew when it does not fit into its batch.
    pub(crate) fn decide<T>(
        &self,
        mut decide: impl FnMut(&dyn Rows, &mut Draft) -> Result<T, Error>,
    ) -> Decided<T> {
        let mut state = self.state.lock();
        loop {
            if state.fenced {
                return Decided {
                    answer: Err(Error::Fenced),
                    round: None,
                };
            }
            let before = state.draft.before();
            let changes_before = state.draft.changes.len();
            let view = self.view.read();
            let State { draft, pending, .. } = &mut *state;
            let overlay = Overlay::new(&*view, pending);
            let answer = decide(&overlay, draft);
            let rests_on = overlay.rests_on();
            if answer.is_err() || draft.changes.len() == changes_before {
                draft.restore(before);
                return Decided {
                    answer,
                    round: rests_on,
                };
            }
            if draft.is_overfull() {
                draft.restore(before);
                drop(view);
                if draft.is_empty() {
                    return Decided {
                        answer: Err(Error::TooLarge),
                        round: None,
                    };
                }
                let round = Arc::clone(&state.draft.round);
                drop(state);
                // Whatever becomes of it, there is a new draft then.
                let _ = self.wait(&round);
                state = self.state.lock();
                continue;
            }
            let round = Arc::clone(&draft.round);
            let new = draft.changes[changes_before..].to_vec();
            state.account(&*view, new, &round);
            return Decided {
                answer,
                round: Some(round),
            };
        }
    }

    /// Waits until a batch is durable and applied, or has failed; leads it if nobody else does.
    ///
    /// # Errors
    /// Why the batch failed.
    pub(crate) fn wait(&self, round: &Round) -> Result<(), Error> {
        let mut state = self.state.lock();
        loop {
            if let Some(outcome) = round.outcome() {
                return outcome.clone();
            }
            if state.under_way.is_some() {
                self.turned.wait(&mut state);
                continue;
            }
            let sealed = state.seal(&*self.view.read());
            drop(state);
            let outcome = self.volume.commit(&sealed);
            state = self.state.lock();
            self.settle(&mut state, sealed, outcome);
            self.turned.notify_all();
        }
    }

    fn settle(&self, state: &mut State, sealed: Sealed, outcome: Result<(), CommitError>) {
        let round = state.under_way.take().expect("the leader has a batch");
        match outcome {
            Ok(()) => {
                self.view
                    .write()
                    .apply(sealed.batch.number, &sealed.batch.changes);
                for change in &sealed.batch.changes {
                    state.pending.settle(change.keyspace, &change.key, &round);
                }
                state.number = sealed.batch.number;
                state.chain = sealed.chain;
                state.durable = sealed.plan_after;
                round.settle(Ok(()));
            }
            Err(error) => {
                // All that was decided since rests on what is not there.
                let (this, behind) = match error {
                    CommitError::Full => (Error::Full, Error::Full),
                    CommitError::Fenced => (Error::Uncertain, Error::Fenced),
                };
                state.fenced |= matches!(error, CommitError::Fenced);
                state.pending.clear();
                state.contents = self.view.read().applied().1;
                let next = Round::new(state.draft.round.number() + 1);
                let number = state.number + 1;
                let plan = state.durable.clone();
                let identity = self.volume.identity();
                let draft = Draft::new(identity, self.layout, next, number, plan);
                let behind_it = std::mem::replace(&mut state.draft, draft);
                round.settle(Err(this));
                behind_it.round.settle(Err(behind));
            }
        }
    }
}

impl State {
    /// Takes changes into what is pending and into the sum of all rows.
    fn account(&mut self, view: &dyn Rows, changes: Vec<Change>, round: &Arc<Round>) {
        for change in changes {
            let keyspace = change.keyspace;
            let before = Overlay::new(view, &self.pending).get(keyspace, &change.key);
            if let Some(before) = before {
                self.contents = self.contents.without(keyspace, &change.key, &before);
            }
            if let Some(value) = &change.value {
                self.contents = self.contents.with(keyspace, &change.key, value);
            }
            self.pending.put(keyspace, change.key, change.value, round);
        }
    }

    /// Closes the draft and begins the next one behind it.
    fn seal(&mut self, view: &dyn Rows) -> Sealed {
        let round = Arc::clone(&self.draft.round);
        let blocks = self.draft.block_changes();
        self.account(view, blocks.clone(), &round);
        let log_header = self.draft.log_header();
        let draft = &mut self.draft;
        let mut changes = std::mem::take(&mut draft.changes);
        changes.extend(blocks);
        let batch = Batch {
            number: draft.number,
            set_epoch: draft.identity.set_epoch,
            previous: self.chain,
            contents: self.contents,
            changes,
        };
        let (payload, chain) = batch.encode(&draft.bodies);
        let mut plan_after = draft.plan.clone();
        let mut tail = draft.log.expect("the batch has a place");
        tail.advance(payload.len());
        assert!(
            tail.offset <= draft.identity.extent_bytes,
            "a batch has room where it was given its place"
        );
        plan_after.log = Some(tail);
        plan_after.log_sequence = plan_after.log_sequence.next();
        let next = Draft::new(
            draft.identity,
            draft.layout,
            Round::new(round.number() + 1),
            draft.number + 1,
            plan_after.clone(),
        );
        let draft = std::mem::replace(draft, next);
        self.under_way = Some(round);
        Sealed {
            extents: draft.extents,
            data: draft.data,
            log_header,
            payload,
            batch,
            chain,
            plan_after,
        }
    }
}
