//! One batch on its way, as those see it who wait for it.

use std::sync::OnceLock;

use crate::error::Error;

/// A batch on its way. Numbers of batches are given again after one has failed, those of rounds
/// never are.
#[derive(Debug)]
pub(crate) struct Round {
    number: u64,
    outcome: OnceLock<Result<(), Error>>,
}

impl Round {
    pub(crate) fn new(number: u64) -> Round {
        Round {
            number,
            outcome: OnceLock::new(),
        }
    }

    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    pub(crate) fn is_before(&self, other: &Round) -> bool {
        self.number < other.number
    }

    /// What became of it, once that is known.
    pub(crate) fn outcome(&self) -> Option<&Result<(), Error>> {
        self.outcome.get()
    }

    /// Says what became of it.
    pub(crate) fn settle(&self, outcome: Result<(), Error>) {
        let first = self.outcome.set(outcome).is_ok();
        assert!(first, "a round ends once");
    }
}
