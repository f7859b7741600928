//! The one way to spawn: every task has a name, a span, and a rule for what its panic means.

mod brief;

use std::future::Future;

use tokio::task::JoinHandle;
use tracing::Instrument as _;

pub use brief::brief;

/// Runs `future` on the runtime under `name`.
///
/// The handle aborts nothing when dropped. A panic inside is returned by the handle; whoever joins
/// decides what it means. Stopping on purpose goes through the cancellation token that the future
/// holds itself.
pub fn spawn<F>(name: &'static str, future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let span = tracing::debug_span!("task", name);
    #[expect(clippy::disallowed_methods, reason = "the one place that spawns")]
    tokio::spawn(future.instrument(span))
}

/// Runs blocking work (disk, hashing of large pieces) off the reactor.
///
/// Returns the closure's value; a panic inside goes on in the caller, as if it had been called
/// directly.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
