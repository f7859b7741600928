//! One object that moves in parts, as decisions. Pure: the transfer asks for the next step,
//! carries it out, and tells what became of it.

use base::Fault;
use base::fault::Classified as _;

use crate::error::Error;

/// What is to be done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Begin part `index`, from 0.
    Begin(u32),
    /// Wait for a part that is under way.
    Wait,
    /// All parts are there: put them together.
    Finish,
    /// Begin nothing more, drop what is under way, undo.
    GiveUp,
}

/// An object in parts, of which at most some are under way at once.
#[derive(Debug)]
pub(crate) struct Assembly<T> {
    done: Vec<Option<T>>,
    next: u32,
    running: u32,
    running_max: u32,
    stopping: bool,
    broken: bool,
}

impl<T> Assembly<T> {
    /// An object of `count` parts, none of them begun.
    pub(crate) fn new(count: u32, running_max: usize) -> Assembly<T> {
        Assembly::resume((0..count).map(|_| None).collect(), running_max)
    }

    /// An object of which some parts are there already.
    pub(crate) fn resume(done: Vec<Option<T>>, running_max: usize) -> Assembly<T> {
        let mut assembly = Assembly {
            done,
            next: 0,
            running: 0,
            running_max: u32::try_from(running_max).unwrap_or(u32::MAX),
            stopping: false,
            broken: false,
        };
        assembly.pass_done();
        assembly
    }

    /// Goes to the next part that is to be begun.
    fn pass_done(&mut self) {
        let there = |slot: &Option<T>| slot.is_some();
        while self.done.get(index(self.next)).is_some_and(there) {
            self.next += 1;
        }
    }

    /// What is to be done next. [`Step::Begin`] counts the part as under way.
    pub(crate) fn step(&mut self) -> Step {
        let left = self.next < self.count();
        if self.broken || (self.stopping && left) {
            return Step::GiveUp;
        }
        if left && self.running < self.running_max {
            let begun = self.next;
            self.running += 1;
            self.next += 1;
            self.pass_done();
            return Step::Begin(begun);
        }
        if left || self.running > 0 {
            return Step::Wait;
        }
        Step::Finish
    }

    /// Part `index` is there.
    pub(crate) fn arrived(&mut self, part_index: u32, part: T) {
        self.running -= 1;
        let slot = &mut self.done[index(part_index)];
        assert!(slot.is_none(), "part {part_index} arrived twice");
        *slot = Some(part);
    }

    /// A part failed after all its tries.
    pub(crate) fn broke(&mut self) {
        self.running -= 1;
        self.broken = true;
    }

    /// Take no more work: what is all under way may end, what has parts left is given up.
    pub(crate) fn stop(&mut self) {
        self.stopping = true;
    }

    /// The parts in order, once [`Step::Finish`] was said.
    pub(crate) fn into_parts(self) -> Vec<T> {
        let parts: Option<Vec<T>> = self.done.into_iter().collect();
        parts.expect("the parts are asked for after the last one arrived")
    }

    fn count(&self) -> u32 {
        u32::try_from(self.done.len()).expect("there are at most 10,000 parts")
    }
}

fn index(part: u32) -> usize {
    usize::try_from(part).expect("an index fits in an address")
}

/// What follows a CompleteMultipartUpload that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AfterComplete {
    /// The upload is no longer there: an earlier try may have arrived. Ask HEAD and compare.
    AskHead,
    /// Something stands at the destination that was to be kept. Abort.
    Kept,
    /// It failed. Abort.
    Failed,
}

/// What follows `error` of CompleteMultipartUpload; `keep` says that it went under
/// `If-None-Match: *`.
pub(crate) fn after_complete(error: &remote::Error, keep: bool) -> AfterComplete {
    if error.is_code("NoSuchUpload") {
        return AfterComplete::AskHead;
    }
    match error.fault() {
        // A 412 may be the answer to our own first try, which had arrived; HEAD tells.
        Fault::Conflict if keep => AfterComplete::Kept,
        // The answer was lost, and with it whether the object stands.
        Fault::Unavailable => AfterComplete::AskHead,
        Fault::Throttled { .. }
        | Fault::NotFound
        | Fault::Conflict
        | Fault::Denied
        | Fault::Expired
        | Fault::Corrupt
        | Fault::Fenced
        | Fault::Cancelled
        | Fault::Invalid
        | Fault::Unsupported
        | Fault::Local
        | Fault::Bug => AfterComplete::Failed,
    }
}

/// How a download goes on after part of it came to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Restart {
    /// From the first byte, with what the source is now.
    Anew,
    /// Not at all.
    No,
}

/// How often a source that changes while it is read, or arrives wrong, is read before it fails by
/// name. A guess, not measured: what is wrong three times is wrong at the source.
const STARTS_MAX: u32 = 3;

/// Whether a download that ended in `error` begins again; `starts` counts those so far.
pub(crate) fn restart(error: &Error, starts: u32) -> Restart {
    match error {
        Error::Changed(_) | Error::Mismatch { .. } | Error::WrongStored { .. }
            if starts < STARTS_MAX =>
        {
            Restart::Anew
        }
        Error::Changed(_)
        | Error::Remote(_)
        | Error::Local { .. }
        | Error::Name { .. }
        | Error::Mismatch { .. }
        | Error::WrongStored { .. }
        | Error::Refused(_)
        | Error::NotFound(_)
        | Error::Usage(_)
        | Error::Unordered { .. }
        | Error::Bug(_)
        | Error::Cancelled => Restart::No,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    use super::*;

    proptest! {
        /// Whatever the order in which parts end, each that is missing is begun once, no more than the bound are
        /// under way, and the end is either all parts or giving up.
        #[test]
        fn parts_are_begun_once_within_the_bound(
            there in proptest::collection::vec(any::<bool>(), 0..40), bound in 1_usize..8, order in proptest::collection::vec(any::<u8>(), 80),
            breaks_at in proptest::option::of(0_u32..40), stops_at in proptest::option::of(0_usize..80),
        ) {
            let count = u32::try_from(there.len()).unwrap();
            let done = (0..count).map(|at| there[index(at)].then_some(at)).collect();
            let mut assembly = Assembly::resume(done, bound);
            let mut running: Vec<u32> = Vec::new();
            let mut missing = (0..count).filter(|at| !there[index(*at)]);
            let mut turns = order.into_iter().enumerate();
            loop {
                match assembly.step() {
                    Step::Begin(index) => {
                        prop_assert_eq!(Some(index), missing.next());
                        running.push(index);
                        prop_assert!(running.len() <= bound);
                    }
                    Step::Wait => {
                        let (turn, pick) = turns.next().expect("fewer turns than parts");
                        if stops_at == Some(turn) {
                            assembly.stop();
                        }
                        let index = running.swap_remove(usize::from(pick) % running.len());
                        if breaks_at == Some(index) {
                            assembly.broke();
                        } else {
                            assembly.arrived(index, index);
                        }
                    }
                    Step::Finish => {
                        prop_assert_eq!(assembly.into_parts(), (0..count).collect::<Vec<_>>());
                        break;
                    }
                    Step::GiveUp => {
                        prop_assert!(breaks_at.is_some() || stops_at.is_some());
                        break;
                    }
                }
            }
        }
    }
}
