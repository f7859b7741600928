//! A budget of bytes in flight.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::units::{ByteCount, KIB};

/// The budget is counted in pieces of this size, since a semaphore counts in 32 bits.
const GRAIN: u64 = 4 * KIB;

/// A bound on the bytes held in memory for objects under way.
///
/// Overview: one acquisition covers one part, from its GET to the answer of its PUT, and is never
/// widened while held, so two holders cannot wait for each other. Ordering: first come, first
/// served; a large request is not starved by small ones. Cancellation: dropping a waiting
/// acquisition takes nothing. Limits: a request above the whole budget is cut to the budget, so
/// that it waits until it is alone instead of for ever.
#[derive(Debug, Clone)]
pub struct ByteBudget {
    grains: Arc<Semaphore>,
    grains_max: u32,
}

/// Bytes taken from a budget; dropping gives them back.
#[derive(Debug)]
pub struct BytePermit {
    _grains: OwnedSemaphorePermit,
}

impl ByteBudget {
    /// A budget of `total` bytes, at least one grain.
    pub fn new(total: ByteCount) -> ByteBudget {
        let grains_max = u32::try_from((total.0 / GRAIN).max(1)).unwrap_or(u32::MAX);
        let grains = usize::try_from(grains_max).expect("32 bits fit in an address");
        ByteBudget {
            grains: Arc::new(Semaphore::new(grains)),
            grains_max,
        }
    }

    /// How many bytes there are in all.
    pub fn total(&self) -> ByteCount {
        ByteCount(u64::from(self.grains_max) * GRAIN)
    }

    /// Waits for `bytes` and takes them.
    pub async fn acquire(&self, bytes: ByteCount) -> BytePermit {
        let grains = u32::try_from(bytes.0.div_ceil(GRAIN)).unwrap_or(u32::MAX);
        let permit = Arc::clone(&self.grains)
            .acquire_many_owned(grains.min(self.grains_max))
            .await
            .expect("the budget's semaphore is never closed");
        BytePermit { _grains: permit }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_request_above_the_budget_waits_to_be_alone() {
        let budget = ByteBudget::new(ByteCount(16 * KIB));
        let small = budget.acquire(ByteCount(1)).await;
        let large = budget.acquire(ByteCount(1 << 40));
        tokio::pin!(large);
        tokio::select! {
            biased;
            _ = &mut large => panic!("the small permit is still held"),
            () = tokio::task::yield_now() => {}
        }
        drop(small);
        large.await;
    }
}
