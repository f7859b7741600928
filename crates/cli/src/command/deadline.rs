//! `--deadline`: says while a run goes on whether it will be done in time.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use mover::census::Census;
use mover::event::Event;
use mover::filter::Filter;
use mover::forecast::{Forecaster, Outlook, Sample};
use mover::{Accounts, Context, Source};
use tokio::time::Instant;

use super::{Call, Failure};
use crate::args::DeadlineArgs;
use crate::args::deadline::Deadline;

/// Between two looks at the run.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A run that is to be done by some time.
pub(super) struct Timed {
    deadline: Deadline,
    strict: bool,
    /// From now.
    left: Duration,
    source: Source,
    filter: Filter,
}

/// What the flags ask for; none where no time was named.
pub(super) fn check(
    args: &DeadlineArgs,
    source: &Source,
    filter: &Filter,
    call: Call<'_>,
) -> Result<Option<Timed>, Failure> {
    let Some(deadline) = args.deadline else {
        return if args.deadline_strict {
            Err(Failure::Usage(
                "--deadline-strict needs --deadline".to_owned(),
            ))
        } else {
            Ok(None)
        };
    };
    let left = deadline.0.duration_since(call.session.clock.now());
    match Duration::try_from(left) {
        Ok(left) if !left.is_zero() => Ok(Some(Timed {
            deadline,
            strict: args.deadline_strict,
            left,
            source: source.clone(),
            filter: filter.clone(),
        })),
        Ok(_) | Err(_) => Err(Failure::Usage(format!(
            "--deadline {deadline} is over already"
        ))),
    }
}

/// Runs `job` to its end, and tells meanwhile what is to be expected.
pub(super) async fn within<T>(
    timed: Option<Timed>,
    job: impl Future<Output = T>,
    context: &Context,
    accounts: &Arc<Accounts>,
) -> T {
    let Some(timed) = timed else { return job.await };
    tokio::select! {
        biased;
        ended = job => ended,
        never = timed.foretell(context, accounts) => match never {},
    }
}

impl Timed {
    /// Tells until dropped.
    async fn foretell(self, context: &Context, accounts: &Accounts) -> Infallible {
        let census = Census::begin(context, &self.source, &self.filter);
        let began = Instant::now();
        let mut forecaster = Forecaster::new(self.left);
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let sample = sample(began.elapsed(), census.as_ref(), accounts);
            let Some(forecast) = forecaster.observe(sample) else {
                continue;
            };
            let lost = forecast.outlook != Outlook::Holds;
            let stops = lost && self.strict && !context.stopping.is_cancelled();
            let end = if stops {
                "; stopping, what is not done is pending"
            } else {
                ""
            };
            let line = format!("deadline {} {forecast}{end}", self.deadline);
            let message = line.as_str();
            context.observer.on_event(&if lost {
                Event::Warning { message }
            } else {
                Event::Notice { message }
            });
            if stops {
                context.stopping.cancel();
            }
        }
    }
}

/// The run now. What only the run itself has listed counts where nobody counts beside it.
fn sample(at: Duration, census: Option<&Census>, accounts: &Accounts) -> Sample {
    let sums = accounts.sums();
    let (objects, bytes, whole) = census.map_or((0, 0, false), |census| {
        (census.objects(), census.bytes(), census.is_whole())
    });
    let kept = sums.same + sums.refused + sums.gone + sums.failed;
    // Bytes of objects that needed none are not summed: they count by the mean.
    let mean = sums.bytes_listed as f64 / (sums.listed.max(1)) as f64;
    let moved = sums
        .bytes_copied
        .max(sums.bytes_moved.min(sums.bytes_listed));
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a mean of lengths times a count of them is a length"
    )]
    let kept_bytes = (mean * kept as f64) as u64;
    Sample {
        at,
        objects_known: objects.max(sums.listed),
        bytes_known: bytes.max(sums.bytes_listed),
        whole,
        objects_done: sums.copied + sums.ignored + kept,
        bytes_done: moved.saturating_add(kept_bytes),
    }
}
