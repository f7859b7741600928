//! `sync`.

use mover::compare::Comparator;
use mover::job::sync::{self, SyncJob};
use mover::job::versions::{self, VersionsJob};
use mover::source::Order;
use mover::{Error, Report, Source};

use super::copy::{both_ends, check_destination, check_source};
use super::{Call, Failure, Result, reported, summary};
use crate::args::SyncArgs;

/// Makes the destination hold what the source holds.
pub(super) async fn run(args: &SyncArgs, call: Call<'_>) -> Result {
    let job = check(args, call)?;
    if args.versions {
        return versions(args, job, call).await;
    }
    let mut context = super::transfer::context(&args.transfer, "sync", true, call).await?;
    super::transfer::begin_journal(&mut context, call)?;
    let mut context = super::patience::guarded(context, &args.patience, call);
    let estimator = summary::listen(&mut context, job.options.part_size, call);
    let accounts = call.session.open_accounts();
    let timed = super::deadline::check(&args.deadline, &job.source, &job.filter, call)?;
    let running = sync::run(job, &context, &accounts);
    match super::deadline::within(timed, running, &context, &accounts).await {
        Ok(report) => {
            super::transfer::end_journal(&context, &report, call).await;
            count(&report, call);
            summary::print(estimator, &report, call);
            Ok(reported(&report, call))
        }
        // s5cmd says so and exits with 0.
        Err(error @ Error::NotFound(_)) => {
            Ok(super::ended(&Failure::Job(error), call).quiet_at_peer())
        }
        Err(error) => Err(error.into()),
    }
}

/// Carries whole histories.
async fn versions(args: &SyncArgs, job: SyncJob, call: Call<'_>) -> Result {
    let job = VersionsJob {
        source: Source {
            order: Order::Any,
            ..job.source
        },
        destination: job.destination,
        filter: job.filter,
        exit_on_error: job.exit_on_error,
        options: job.options,
    };
    let context = super::transfer::context(&args.transfer, "sync", true, call).await?;
    let mut context = super::patience::guarded(context, &args.patience, call);
    let estimator = summary::listen(&mut context, job.options.part_size, call);
    let accounts = call.session.open_accounts();
    let report = versions::run(job, &context, &accounts).await?;
    count(&report, call);
    summary::print(estimator, &report, call);
    Ok(reported(&report, call))
}

/// Flags that cannot be meant together with `--versions`.
fn check_versions(args: &SyncArgs) -> std::result::Result<(), Failure> {
    let senseless = [
        (args.delete, "--delete"),
        (args.size_only, "--size-only"),
        (args.checksum, "--checksum"),
        (args.exact_timestamps, "--exact-timestamps"),
    ];
    match senseless.iter().find(|(given, _)| *given) {
        Some((_, flag)) => Err(Failure::Usage(format!(
            "{flag} cannot be used with --versions, which compares whole histories and only \
             appends to them"
        ))),
        None => Ok(()),
    }
}

/// Counts copies one by one and all deletions as one command, as s5cmd makes them.
fn count(report: &Report, call: Call<'_>) {
    let sums = &report.sums;
    let stat = &call.session.stat;
    stat.add("cp", sums.copied, sums.failed + sums.refused);
    let kept = sums.extra_delete_failed;
    stat.add(
        "rm",
        u64::from(sums.extra_deleted > 0 && kept == 0),
        u64::from(kept > 0),
    );
}

fn check(args: &SyncArgs, call: Call<'_>) -> std::result::Result<SyncJob, Failure> {
    let (source, destination) = both_ends(&args.arguments, args.transfer.raw)?;
    let source = Source {
        order: Order::Key,
        ..super::transfer::source(source, &args.transfer, &args.pick, call)
    };
    check_source(&source)?;
    check_destination(&source, &destination)?;
    let comparator = comparator(args)?;
    if args.versions {
        check_versions(args)?;
    }
    let needs_delete = [
        (args.max_delete.is_some(), "--max-delete"),
        (args.allow_empty_source, "--allow-empty-source"),
    ];
    if let Some((_, flag)) = needs_delete
        .iter()
        .find(|(given, _)| *given && !args.delete)
    {
        return Err(Failure::Usage(format!("{flag} needs --delete")));
    }
    if args.delete && source.shard.is_some() {
        let line = "--delete cannot know with --shard what other machines copy: leave one out";
        return Err(Failure::Usage(line.to_owned()));
    }
    Ok(SyncJob {
        destination,
        filter: super::transfer::filter(&args.transfer, &args.pick)?,
        comparator,
        delete: args.delete,
        max_delete: args.max_delete,
        allow_empty_source: args.allow_empty_source,
        exit_on_error: args.exit_on_error,
        options: super::transfer::options(&args.transfer, &args.pick, call)?,
        source,
    })
}

fn comparator(args: &SyncArgs) -> std::result::Result<Comparator, Failure> {
    match (args.size_only, args.checksum, args.exact_timestamps) {
        (false, false, false) => Ok(Comparator::Default),
        (true, false, false) => Ok(Comparator::SizeOnly),
        (false, true, false) => Ok(Comparator::Checksum),
        (false, false, true) => Ok(Comparator::ExactTimestamps),
        _ => Err(Failure::Usage(
            "only one of --size-only, --checksum and --exact-timestamps can decide".to_owned(),
        )),
    }
}
