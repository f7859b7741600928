//! The one retry loop of the house.

use std::future::Future;
use std::time::Duration;

use crate::clock::Clock;
use crate::fault::{Classified, Fault};

/// How often and how patiently a request is sent again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Sends of one request at the most, the first one counted.
    pub tries_max: u32,
    /// Upper bound of the wait before the second try; it doubles from there.
    pub delay_initial: Duration,
    /// Upper bound of any wait.
    pub delay_max: Duration,
}

impl Default for RetryPolicy {
    /// s5cmd's ten retries; waits from a quarter of a second to twenty seconds (the bounds AWS's
    /// SDKs use; not measured by us).
    fn default() -> RetryPolicy {
        RetryPolicy {
            tries_max: 11,
            delay_initial: Duration::from_millis(250),
            delay_max: Duration::from_secs(20),
        }
    }
}

impl RetryPolicy {
    /// Sends once and never again.
    pub fn once() -> RetryPolicy {
        RetryPolicy {
            tries_max: 1,
            ..RetryPolicy::default()
        }
    }

    /// The wait after try number `tries` (from 1) ended in `fault`; none when it is final.
    ///
    /// Full jitter: a uniform draw up to the bound, so that workers throttled together do not
    /// come back together. What the store asked for is waited in full.
    pub fn delay_after(&self, tries: u32, fault: Fault, clock: &Clock) -> Option<Duration> {
        if tries >= self.tries_max || !fault.is_retryable() {
            return None;
        }
        let doublings = (tries - 1).min(16);
        let bound = self
            .delay_initial
            .saturating_mul(1 << doublings)
            .min(self.delay_max);
        let drawn = clock.jitter(bound);
        Some(match fault {
            Fault::Throttled {
                retry_after: Some(asked),
            } => asked.min(self.delay_max) + drawn,
            _ => drawn,
        })
    }
}

/// Runs `operation` until it succeeds, its fault is final, or the policy's tries are used up.
///
/// `operation` gets the number of the try, from 1. Cancellation: dropping the future stops it at
/// the try or wait under way; nothing is left behind by the loop itself.
pub async fn retry<T, E, F>(
    policy: &RetryPolicy,
    clock: &Clock,
    mut operation: impl FnMut(u32) -> F,
) -> Result<T, E>
where
    E: Classified,
    F: Future<Output = Result<T, E>>,
{
    let mut tries = 1;
    loop {
        let error = match operation(tries).await {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        match policy.delay_after(tries, error.fault(), clock) {
            Some(delay) => tokio::time::sleep(delay).await,
            None => return Err(error),
        }
        tries += 1;
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn retries_what_may_pass_and_nothing_else() {
        let clock = Clock::seeded(Timestamp::UNIX_EPOCH, 7);
        let policy = RetryPolicy {
            tries_max: 4,
            ..RetryPolicy::default()
        };
        let mut sent = 0;
        let result: Result<(), Fault> = retry(&policy, &clock, |_| {
            sent += 1;
            async { Err(Fault::Unavailable) }
        })
        .await;
        assert_eq!((result, sent), (Err(Fault::Unavailable), 4));

        let mut sent = 0;
        let result: Result<(), Fault> = retry(&policy, &clock, |_| {
            sent += 1;
            async { Err(Fault::Denied) }
        })
        .await;
        assert_eq!((result, sent), (Err(Fault::Denied), 1));
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_store_asked_for_is_waited() {
        let clock = Clock::seeded(Timestamp::UNIX_EPOCH, 7);
        let fault = Fault::Throttled {
            retry_after: Some(Duration::from_secs(3)),
        };
        let delay = RetryPolicy::default().delay_after(1, fault, &clock);
        assert!(delay.is_some_and(|delay| delay >= Duration::from_secs(3)));
    }
}
