//! `du`.

use std::collections::BTreeMap;
use std::sync::Arc;

use base::ByteCount;
use mover::error::Error;
use mover::filter::Filter;
use mover::list::level;
use mover::source::Side;
use mover::{Source, Target, enumerate};

use super::named::{check_versions, is_link_to_file, only, patterns, shown, target, version};
use super::{Call, Failure, Result};
use crate::args::DiskUsageArgs;
use crate::output::lines::Lines;
use crate::output::rows::UsageRow;
use crate::persona::{Outcome, Persona};

/// Objects and bytes by storage class.
type Sums = BTreeMap<String, (u64, u64)>;

/// Counts objects and their bytes.
pub(super) async fn run(args: &DiskUsageArgs, call: Call<'_>) -> Result {
    let text = only(&args.arguments, "expected only 1 argument")?;
    let source = Source {
        all_versions: args.all_versions,
        version_id: version(args.version_id.as_deref()),
        list_v1: call.session.settings.list_v1,
        follow_symlinks: is_link_to_file(&target(text)?),
        ..Source::new(target(text)?)
    };
    check_versions(
        std::slice::from_ref(&source.target),
        args.all_versions,
        args.version_id.as_deref(),
    )?;
    let filter = Filter {
        exclude: patterns(&args.exclude),
        ..Filter::default()
    };
    let mut sums = Sums::new();
    let one_level =
        source.target.is_remote() && !source.is_pattern() && source.version_id.is_none();
    let counted = if one_level {
        count_level(&source, &filter, &mut sums, call).await
    } else {
        count_all(&source, &filter, &mut sums, call).await
    };
    let persona = call.session.settings.persona;
    let outcome = match counted {
        Ok(()) => Outcome::DONE,
        // s5cmd says that it found nothing, prints zero and exits with 0.
        Err(failure) if found_nothing(&failure) => {
            super::ended(&failure, call);
            Outcome::DONE
        }
        Err(failure) => {
            let outcome = super::ended(&failure, call);
            if persona == Persona::Longhaul {
                // A sum of what a broken listing gave would be a lie.
                return Ok(outcome);
            }
            outcome.quiet_at_peer()
        }
    };
    print(&sums, &shown(&source.target), args, call);
    Ok(outcome)
}

fn found_nothing(failure: &Failure) -> bool {
    match failure {
        Failure::Job(Error::NotFound(_)) => true,
        Failure::Said(line) => line == "no object found",
        Failure::Usage(_)
        | Failure::Missing(_)
        | Failure::Client(_)
        | Failure::Remote(_)
        | Failure::Job(_) => false,
    }
}

/// The objects of one level: s5cmd counts nothing below the next `/` without a wildcard.
async fn count_level(
    source: &Source,
    filter: &Filter,
    sums: &mut Sums,
    call: Call<'_>,
) -> std::result::Result<(), Failure> {
    let Target::Remote(url) = &source.target else {
        return Ok(());
    };
    let client = call
        .session
        .client(Side::Source, None)
        .await
        .map_err(Failure::Client)?;
    let base = source.filter_base();
    let mut pages = level(
        client,
        url.bucket.clone(),
        &url.path,
        "/",
        source.protocol(),
    );
    let mut seen = false;
    while let Some(page) = pages.next().await {
        seen = true;
        for object in page?.objects {
            let key = object.key.as_str();
            let relative = key.strip_prefix(&base).unwrap_or(key);
            let excluded = filter
                .exclude
                .iter()
                .any(|pattern| pattern.matches(relative));
            if excluded || object.key.is_directory_marker() {
                continue;
            }
            let class = object.storage_class.as_ref().map(|class| class.as_str());
            add(sums, class, object.size);
        }
    }
    if seen || url.is_bucket() {
        Ok(())
    } else {
        Err(Failure::Said("no object found".to_owned()))
    }
}

async fn count_all(
    source: &Source,
    filter: &Filter,
    sums: &mut Sums,
    call: Call<'_>,
) -> std::result::Result<(), Failure> {
    let session = call.session;
    let client = session
        .client(Side::Source, None)
        .await
        .map_err(Failure::Client)?;
    let lines = Lines::new(
        Arc::clone(&session.output),
        session.settings.persona,
        "du",
        call.typed,
        true,
    );
    let context = session.context(Arc::clone(&client), client, Arc::new(lines));
    let accounts = session.open_accounts();
    let base = source.filter_base();
    let mut entries = enumerate(&context, &accounts, Side::Source, source);
    let mut seen = false;
    while let Some(entry) = entries.next().await {
        let entry = entry?;
        seen = true;
        if source.skips(filter, &base, &entry).is_some() {
            continue;
        }
        let class = entry.storage_class.as_ref().map(|class| class.as_str());
        add(sums, class, entry.size);
    }
    if accounts.job_failures.get() > 0 {
        return Err(Failure::Said("not everything could be listed".to_owned()));
    }
    if seen || !source.target.is_remote() {
        Ok(())
    } else {
        Err(Failure::Said("no object found".to_owned()))
    }
}

fn add(sums: &mut Sums, class: Option<&str>, size: ByteCount) {
    let (count, bytes) = sums
        .entry(class.unwrap_or_default().to_owned())
        .or_default();
    *count += 1;
    *bytes += size.get();
}

fn print(sums: &Sums, source: &str, args: &DiskUsageArgs, call: Call<'_>) {
    let row = |storage_class, (count, size): (u64, u64)| UsageRow {
        source,
        storage_class,
        count,
        size,
        humanize: args.humanize,
    };
    let output = &call.session.output;
    if args.group {
        for (class, sum) in sums {
            output.info(&row(
                Some(class.as_str()).filter(|class| !class.is_empty()),
                *sum,
            ));
        }
    } else {
        let total = sums
            .values()
            .fold((0, 0), |total, sum| (total.0 + sum.0, total.1 + sum.1));
        output.info(&row(None, total));
    }
}
