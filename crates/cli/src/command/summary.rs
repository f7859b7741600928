//! `--dry-run --summary`: what a run would do and what it would cost, in sums.

use std::fmt;
use std::sync::Arc;

use base::ByteCount;
use mover::event::{Event, Observer};
use mover::job::estimate::{Capacity, Estimate, Estimator};
use mover::{Context, Report, Side};
use serde::Serialize;

use super::Call;

/// What would be done.
#[derive(Debug, Serialize)]
struct Summary {
    #[serde(flatten)]
    estimate: Estimate,
    same: u64,
    ignored: u64,
    seconds_at_least: u64,
    requests_to_find_out: u64,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let estimate = &self.estimate;
        writeln!(
            f,
            "would move {} objects, {}; {} are the same, {} ignored; would delete {}",
            estimate.objects,
            ByteCount(estimate.bytes),
            self.same,
            self.ignored,
            estimate.deletions,
        )?;
        writeln!(
            f,
            "requests: {} that write or list, {} that read, {} that delete; {} were made to find out",
            estimate.requests_write,
            estimate.requests_read,
            estimate.requests_delete,
            self.requests_to_find_out,
        )?;
        let Capacity {
            bytes_per_second,
            requests_per_second,
        } = Capacity::default();
        let rate = base::units::Rate(bytes_per_second);
        let (hours, minutes) = (
            self.seconds_at_least / 3_600,
            self.seconds_at_least / 60 % 60,
        );
        write!(
            f,
            "egress: {}; time: {hours}:{minutes:02}:{:02} at {rate} and {requests_per_second} requests/s",
            ByteCount(estimate.egress),
            self.seconds_at_least % 60,
        )
    }
}

/// Lets an estimator hear what a job would do, where a summary is asked for.
pub(super) fn listen(
    context: &mut Context,
    part_size: Option<ByteCount>,
    call: Call<'_>,
) -> Option<Arc<Estimator>> {
    if !call.session.settings.summary {
        return None;
    }
    let estimator = Arc::new(Estimator::new(part_size));
    context.observer = Arc::new(Beside {
        observer: Arc::clone(&context.observer),
        estimator: Arc::clone(&estimator),
    });
    Some(estimator)
}

/// Prints the sums of a dry run, where an estimator listened.
pub(super) fn print(estimator: Option<Arc<Estimator>>, report: &Report, call: Call<'_>) {
    let Some(estimator) = estimator else {
        return;
    };
    let session = call.session;
    session.output.info(&Summary {
        estimate: estimator.estimate(),
        same: report.sums.same,
        ignored: report.sums.ignored,
        seconds_at_least: estimator.time(&Capacity::default()).as_secs(),
        requests_to_find_out: session.requests(Side::Source).requests
            + session.requests(Side::Destination).requests,
    });
}

/// The job's observer with an estimator beside it.
struct Beside {
    observer: Arc<dyn Observer>,
    estimator: Arc<Estimator>,
}

impl Observer for Beside {
    fn on_event(&self, event: &Event<'_>) {
        self.observer.on_event(event);
        self.estimator.on_event(event);
    }
}
