//! `rm`.

use std::sync::Arc;

use mover::filter::Filter;
use mover::job::delete::{self, DeleteJob};
use mover::{Error, Side, Source, Target};

use super::named::{check_versions, patterns, target, version};
use super::{Call, Failure, Result, reported, summary};
use crate::args::{RemoveArgs, quoted};
use crate::output::lines::Lines;

/// Deletes what the arguments name.
pub(super) async fn run(args: &RemoveArgs, call: Call<'_>) -> Result {
    let job = check(args, call)?;
    let session = call.session;
    let client = session
        .client(Side::Source, None)
        .await
        .map_err(Failure::Client)?;
    let lines = Lines::new(
        Arc::clone(&session.output),
        session.settings.persona,
        "rm",
        call.typed,
        !session.settings.summary,
    );
    let context = session.context(Arc::clone(&client), client, Arc::new(lines));
    let mut context = super::patience::guarded(context, &args.patience, call);
    let estimator = summary::listen(&mut context, None, call);
    let accounts = session.open_accounts();
    // s5cmd has words of its own for a local pattern that covers nothing.
    let pattern = match job.sources.as_slice() {
        [only] if only.is_pattern() && !only.target.is_remote() => Some(format!(
            "no match found for {}",
            quoted(&only.target.to_string())
        )),
        _ => None,
    };
    let report = match delete::run(job, &context, &accounts).await {
        Ok(report) => report,
        Err(Error::NotFound(line)) => return Err(Failure::Said(pattern.unwrap_or(line))),
        Err(error) => return Err(error.into()),
    };
    summary::print(estimator, &report, call);
    Ok(reported(&report, call))
}

fn check(args: &RemoveArgs, call: Call<'_>) -> std::result::Result<DeleteJob, Failure> {
    if args.arguments.is_empty() {
        return Err(Failure::Usage(
            "expected at least 1 object to remove".to_owned(),
        ));
    }
    let targets: Vec<Target> = args
        .arguments
        .iter()
        .map(|text| target(text))
        .collect::<std::result::Result<_, _>>()?;
    check_together(&targets)?;
    check_versions(&targets, args.all_versions, args.version_id.as_deref())?;
    let sources = targets.into_iter().map(|target| Source {
        raw: args.raw,
        all_versions: args.all_versions,
        version_id: version(args.version_id.as_deref()),
        list_v1: call.session.settings.list_v1,
        ..Source::new(target)
    });
    Ok(DeleteJob {
        sources: sources.collect(),
        filter: Filter {
            exclude: patterns(&args.exclude),
            include: patterns(&args.include),
            ..Filter::default()
        },
        dry_run: call.session.settings.dry_run,
    })
}

/// Arguments are objects of one bucket, or files.
fn check_together(targets: &[Target]) -> std::result::Result<(), Failure> {
    let usage = |line: &str| Err(Failure::Usage(line.to_owned()));
    let mut bucket = None;
    for each in targets {
        if each.is_remote() != targets[0].is_remote() {
            return usage("arguments cannot have both local and remote sources");
        }
        let Target::Remote(url) = each else { continue };
        if url.is_prefix() {
            return usage(
                "s3 bucket/prefix cannot be used for delete operations (forgot wildcard character?)",
            );
        }
        if *bucket.get_or_insert(&url.bucket) != &url.bucket {
            return usage(
                "removal of objects with different buckets in a single command is not allowed",
            );
        }
    }
    Ok(())
}
