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
        Assembly {
            done: (0..count).map(|_| None).collect(),
            next: 0,
            running: 0,
            running_max: u32::try_from(running_max).unwrap_or(u32::MAX),
            stopping: false,
            broken: false,
        }
    }

    /// What is to be done next. [`Step::Begin`] counts the part as under way.
    pub(crate) fn step(&mut self) -> Step {
        let left = self.next < self.count();
        if self.broken || (self.stopping && left) {
            return Step::GiveUp;
        }
        if left && self.running < self.running_max {
            self.running += 1;
            self.next += 1;
            return Step::Begin(self.next - 1);
        }
        if left || self.running > 0 {
            return Step::Wait;
        }
        Step::Finish
    }

    /// Part `index` is there.
    pub(crate) fn arrived(&mut self, index: u32, part: T) {
        self.running -= 1;
        let slot = usize::try_from(index).expect("an index fits in an address");
        assert!(self.done[slot].is_none(), "part {index} arrived twice");
        self.done[slot] = Some(part);
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
        Error::Changed(_) | Error::Mismatch { .. } if starts < STARTS_MAX => Restart::Anew,
        Error::Changed(_)
        | Error::Remote(_)
        | Error::Local { .. }
        | Error::Name { .. }
        | Error::Mismatch { .. }
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
        /// Whatever the order in which parts end, each is begun once, no more than the bound are
        /// under way, and the end is either all parts or giving up.
        #[test]
        fn parts_are_begun_once_within_the_bound(
            count in 0_u32..40, bound in 1_usize..8, order in proptest::collection::vec(any::<u8>(), 80),
            breaks_at in proptest::option::of(0_u32..40), stops_at in proptest::option::of(0_usize..80),
        ) {
            let mut assembly = Assembly::new(count, bound);
            let mut running: Vec<u32> = Vec::new();
            let mut begun = 0;
            let mut turns = order.into_iter().enumerate();
            loop {
                match assembly.step() {
                    Step::Begin(index) => {
                        prop_assert_eq!(index, begun);
                        begun += 1;
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
