//! Request slots at one endpoint, of which the number can change while they are in use.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::oneshot;

/// The slots for requests under way at one endpoint. Cheap to clone; clones share the slots.
///
/// Overview: a request that carries an object's bytes takes a slot for as long as it is under way;
/// whoever tunes the endpoint changes how many there are. Invariants: a slot is handed out only
/// while fewer than the limit are in use; a limit lowered below what is in use takes nothing away,
/// it waits for slots to come back. Ordering: first come, first served, and nobody overtakes those
/// who wait. Cancellation: dropping a waiting acquisition takes nothing, and a slot that was
/// already on its way to it goes to the next in line. Limits: those who wait are bounded by their
/// own callers.
#[derive(Debug, Clone)]
pub struct Lane(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    limit: usize,
    in_use: usize,
    /// Most slots in use at once since [`Lane::take_peak`] was last called.
    peak: usize,
    waiting: VecDeque<oneshot::Sender<LanePermit>>,
    /// Length of `waiting` at which those who gave up are swept out of it.
    sweep_at: usize,
}

/// One slot; dropping gives it back.
#[derive(Debug)]
pub struct LanePermit {
    /// None once the slot was given back by other means.
    lane: Option<Arc<Shared>>,
}

/// Waiters at which the queue is first swept of those who gave up.
const SWEEP_MIN: usize = 64;

impl Lane {
    /// A lane of `limit` slots.
    pub fn new(limit: NonZeroUsize) -> Lane {
        Lane(Arc::new(Shared {
            state: Mutex::new(State {
                limit: limit.get(),
                in_use: 0,
                peak: 0,
                waiting: VecDeque::new(),
                sweep_at: SWEEP_MIN,
            }),
        }))
    }

    /// Waits for a slot and takes it.
    pub async fn acquire(&self) -> LanePermit {
        let granted = {
            let mut state = self.0.state.lock();
            if state.waiting.is_empty() && state.in_use < state.limit {
                state.take();
                return LanePermit::of(&self.0);
            }
            let (sender, granted) = oneshot::channel();
            state.wait(sender);
            granted
        };
        // Some in the queue may have given up, and their slots be free.
        self.0.hand_out();
        granted
            .await
            .expect("a sender leaves the queue only with a slot, or after its receiver")
    }

    /// Changes the number of slots. More are handed out at once to those who wait; fewer hold as
    /// slots come back.
    pub fn set_limit(&self, limit: NonZeroUsize) {
        self.0.state.lock().limit = limit.get();
        self.0.hand_out();
    }

    /// How many slots there are.
    pub fn limit(&self) -> usize {
        self.0.state.lock().limit
    }

    /// How many are in use; more than the limit for a while after it was lowered.
    pub fn in_use(&self) -> usize {
        self.0.state.lock().in_use
    }

    /// Most slots that were in use at once since this was last asked.
    pub fn take_peak(&self) -> usize {
        let mut state = self.0.state.lock();
        let now = state.in_use;
        std::mem::replace(&mut state.peak, now)
    }

    /// Whether both are clones of one lane.
    pub fn is(&self, other: &Lane) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl State {
    fn take(&mut self) {
        self.in_use += 1;
        self.peak = self.peak.max(self.in_use);
    }

    fn wait(&mut self, sender: oneshot::Sender<LanePermit>) {
        if self.waiting.len() >= self.sweep_at {
            self.waiting.retain(|waiting| !waiting.is_closed());
            self.sweep_at = (2 * self.waiting.len()).max(SWEEP_MIN);
        }
        self.waiting.push_back(sender);
    }

    /// Who gets a slot next, with the slot already counted as theirs.
    fn next(&mut self) -> Option<oneshot::Sender<LanePermit>> {
        if self.in_use >= self.limit {
            return None;
        }
        let next = self.waiting.pop_front()?;
        self.take();
        Some(next)
    }
}

impl Shared {
    /// Gives free slots to those who wait, in their order.
    fn hand_out(self: &Arc<Self>) {
        loop {
            let Some(next) = self.state.lock().next() else {
                return;
            };
            // Sent outside the lock: it wakes the receiver.
            if let Err(mut unwanted) = next.send(LanePermit::of(self)) {
                unwanted.lane = None;
                self.state.lock().in_use -= 1;
            }
        }
    }
}

impl LanePermit {
    fn of(shared: &Arc<Shared>) -> LanePermit {
        LanePermit {
            lane: Some(Arc::clone(shared)),
        }
    }
}

impl Drop for LanePermit {
    fn drop(&mut self) {
        if let Some(shared) = self.lane.take() {
            shared.state.lock().in_use -= 1;
            shared.hand_out();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Just, Strategy, any, prop_assert_eq, prop_oneof, proptest};
    use std::future::Future;
    use std::pin::Pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    type Waiting = Pin<Box<dyn Future<Output = LanePermit> + Send>>;

    /// What somebody does with a lane.
    #[derive(Debug, Clone, Copy)]
    enum Step {
        Acquire,
        /// Look whether the acquisition of this number has its slot by now.
        Poll(usize),
        /// Give up the acquisition of this number, or give its slot back.
        Drop(usize),
        SetLimit(usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => Just(Step::Acquire),
            3 => any::<usize>().prop_map(Step::Poll),
            3 => any::<usize>().prop_map(Step::Drop),
            1 => (1_usize..9).prop_map(Step::SetLimit),
        ]
    }

    fn count(number: usize) -> NonZeroUsize {
        NonZeroUsize::new(number).unwrap()
    }

    fn poll(waiting: &mut Waiting) -> Option<LanePermit> {
        match waiting
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        {
            Poll::Ready(permit) => Some(permit),
            Poll::Pending => None,
        }
    }

    fn begin(lane: &Lane) -> Waiting {
        let lane = lane.clone();
        Box::pin(async move { lane.acquire().await })
    }

    /// The specification: who holds a slot, by who came first.
    #[derive(Debug)]
    struct Model {
        limit: usize,
        /// Those with a slot, whether they have looked or not.
        holding: Vec<u64>,
        queue: Vec<u64>,
    }

    impl Model {
        fn settle(&mut self) {
            while self.holding.len() < self.limit && !self.queue.is_empty() {
                let first = self.queue.remove(0);
                self.holding.push(first);
            }
        }
    }

    /// One acquisition of the system under test.
    struct Actor {
        id: u64,
        waiting: Option<Waiting>,
        permit: Option<LanePermit>,
    }

    proptest! {
        #[test]
        fn slots_go_to_those_who_came_first_and_never_beyond_the_limit(
            steps in proptest::collection::vec(step(), 0..120)
        ) {
            let lane = Lane::new(count(3));
            let mut model = Model { limit: 3, holding: Vec::new(), queue: Vec::new() };
            let mut actors: Vec<Actor> = Vec::new();
            let mut next_id = 0;
            for step in steps {
                match step {
                    Step::Acquire => {
                        let mut waiting = begin(&lane);
                        let permit = poll(&mut waiting);
                        actors.push(Actor {
                            id: next_id,
                            waiting: permit.is_none().then_some(waiting),
                            permit,
                        });
                        model.queue.push(next_id);
                        next_id += 1;
                    }
                    Step::Poll(which) if !actors.is_empty() => {
                        let at = which % actors.len();
                        let actor = &mut actors[at];
                        if let Some(waiting) = &mut actor.waiting
                            && let Some(permit) = poll(waiting)
                        {
                            actor.waiting = None;
                            actor.permit = Some(permit);
                        }
                    }
                    Step::Drop(which) if !actors.is_empty() => {
                        let actor = actors.remove(which % actors.len());
                        model.queue.retain(|id| *id != actor.id);
                        model.holding.retain(|id| *id != actor.id);
                    }
                    Step::SetLimit(limit) => {
                        lane.set_limit(count(limit));
                        model.limit = limit;
                    }
                    Step::Poll(_) | Step::Drop(_) => {}
                }
                model.settle();
                prop_assert_eq!(lane.in_use(), model.holding.len());
                for actor in &actors {
                    if actor.permit.is_some() {
                        prop_assert_eq!(model.holding.contains(&actor.id), true);
                    }
                }
            }
            // Nobody with a slot is asleep without knowing.
            for actor in &mut actors {
                if let Some(waiting) = &mut actor.waiting {
                    actor.permit = poll(waiting);
                }
                prop_assert_eq!(actor.permit.is_some(), model.holding.contains(&actor.id));
            }
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn no_wakeup_is_lost_while_the_limit_moves_under_many() {
        let lane = Lane::new(count(2));
        let workers: Vec<_> = (0..64_usize)
            .map(|worker| {
                let lane = lane.clone();
                crate::tasks::spawn("worker", async move {
                    for round in 0..100 {
                        // Every seventh gives up at once, perhaps with its slot on the way.
                        if (worker + round) % 7 == 0 {
                            let mut waiting = begin(&lane);
                            drop(poll(&mut waiting));
                            continue;
                        }
                        let permit = lane.acquire().await;
                        tokio::task::yield_now().await;
                        drop(permit);
                        if worker == 0 {
                            lane.set_limit(count(1 + round % 5));
                        }
                    }
                })
            })
            .collect();
        for worker in workers {
            tokio::time::timeout(std::time::Duration::from_secs(60), worker)
                .await
                .expect("everybody gets a slot in the end")
                .unwrap();
        }
        assert_eq!(lane.in_use(), 0);
    }

    #[test]
    fn the_peak_is_that_since_it_was_last_asked() {
        let lane = Lane::new(count(4));
        let permits: Vec<_> = (0..3).map(|_| poll(&mut begin(&lane)).unwrap()).collect();
        drop(permits);
        let _held = poll(&mut begin(&lane)).unwrap();
        assert_eq!(lane.take_peak(), 3);
        assert_eq!(lane.take_peak(), 1);
    }
}
