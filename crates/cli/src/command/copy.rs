//! `cp` and `mv`.

use std::sync::Arc;

use mover::event::Verb;
use mover::job::copy::{self, CopyConditions, CopyJob};
use mover::key_list::KeyList;
use mover::{Context, S3Url, Source, Target};

use super::missing::Single;
use super::named::{check_local, check_versions, shown, target, version};
use super::{Call, Failure, Result, reported, summary};
use crate::args::{CopyArgs, quoted};

/// Copies, or moves, what the source names.
pub(super) async fn run(args: &CopyArgs, verb: Verb, call: Call<'_>) -> Result {
    let job = check(args, verb, call)?;
    let operation = crate::output::lines::verb_word(verb);
    let mut context =
        super::transfer::context(&args.transfer, operation, !args.show_progress, call).await?;
    super::transfer::begin_journal(&mut context, call)?;
    let mut context = super::patience::guarded(context, &args.patience, call);
    let estimator = summary::listen(&mut context, job.options.part_size, call);
    let accounts = call.session.open_accounts();
    let single = single_object(&job, &context);
    let timed = super::deadline::check(&args.deadline, &job.source, &job.filter, call)?;
    let running = copy::run(job, &context, &accounts);
    let report = match super::deadline::within(timed, running, &context, &accounts).await {
        Ok(report) => report,
        Err(error) => return super::missing::explain(error, single.as_ref(), call).await,
    };
    super::transfer::end_journal(&context, &report, call).await;
    summary::print(estimator, &report, call);
    Ok(reported(&report, call))
}

/// The one object that is copied, and whither, when no listing is needed.
fn single_object(job: &CopyJob, context: &Context) -> Option<Single> {
    let url = job.source.target.as_remote()?;
    if job.source.is_pattern() || job.source.keys.is_some() || url.is_prefix() {
        return None;
    }
    let name = url.path.rsplit('/').next().unwrap_or_default();
    let destination = match &job.destination {
        Target::Remote(to) if to.is_prefix() => format!("{to}{name}"),
        Target::Local(path) if path.is_dir() || path.to_string_lossy().ends_with('/') => {
            path.join(name).display().to_string()
        }
        other => shown(other),
    };
    Some(Single {
        source: shown(&job.source.target),
        destination: match destination.strip_prefix("./") {
            Some(rest) => rest.to_owned(),
            None => destination,
        },
        client: Arc::clone(&context.source),
    })
}

/// What s5cmd checks before it begins, in its order and words.
fn check(args: &CopyArgs, verb: Verb, call: Call<'_>) -> std::result::Result<CopyJob, Failure> {
    let (source, destination) = both_ends(&args.arguments, args.transfer.raw)?;
    let source = Source {
        version_id: version(args.version_id.as_deref()),
        keys: args.keys.as_deref().map(key_list).transpose()?,
        ..super::transfer::source(source, &args.transfer, &args.pick, call)
    };
    check_source(&source)?;
    check_versions(
        std::slice::from_ref(&source.target),
        false,
        args.version_id.as_deref(),
    )?;
    check_destination(&source, &destination)?;
    Ok(CopyJob {
        verb,
        destination,
        flatten: args.flatten,
        conditions: CopyConditions {
            no_clobber: args.no_clobber,
            if_size_differ: args.if_size_differ,
            if_source_newer: args.if_source_newer,
        },
        filter: super::transfer::filter(&args.transfer, &args.pick)?,
        options: super::transfer::options(&args.transfer, &args.pick, call)?,
        source,
    })
}

/// Reads source and destination; a destination is never a pattern.
pub(super) fn both_ends(
    arguments: &[String],
    raw: bool,
) -> std::result::Result<(Source, Target), Failure> {
    let [from, to] = arguments else {
        return Err(Failure::Usage(
            "expected source and destination arguments".to_owned(),
        ));
    };
    let source = Source::new(target(from)?);
    let destination = target(to)?;
    if !raw && destination.has_wildcard() {
        return Err(Failure::Usage(format!(
            "target {} can not contain glob characters",
            quoted(to)
        )));
    }
    Ok((source, destination))
}

/// A bucket or a prefix is no source unless a list of keys says what is meant.
pub(super) fn check_source(source: &Source) -> std::result::Result<(), Failure> {
    let whole = source
        .target
        .as_remote()
        .is_some_and(|url| url.is_prefix() && source.keys.is_none());
    if whole {
        return Err(Failure::Usage(
            "source argument must contain wildcard character".to_owned(),
        ));
    }
    Ok(())
}

/// Several objects go to a bucket or a prefix; what is local must be there.
pub(super) fn check_destination(
    source: &Source,
    destination: &Target,
) -> std::result::Result<(), Failure> {
    let no_prefix = destination.as_remote().is_some_and(|url| !url.is_prefix());
    let refuse = || {
        Err(Failure::Usage(format!(
            "target {} must be a bucket or a prefix",
            quoted(&shown(destination))
        )))
    };
    if source.is_pattern() && no_prefix {
        return refuse();
    }
    let Target::Local(path) = &source.target else {
        return Ok(());
    };
    if !destination.is_remote() {
        return Err(Failure::Usage(
            "local->local copy operations are not permitted".to_owned(),
        ));
    }
    if source.is_pattern() {
        return Ok(());
    }
    check_local(path)?;
    if path.is_dir() && no_prefix {
        return refuse();
    }
    Ok(())
}

/// Where `--keys` finds its list.
pub(super) fn key_list(text: &str) -> std::result::Result<KeyList, Failure> {
    if text == "-" {
        return Ok(KeyList::Stdin);
    }
    if text.starts_with("s3://") {
        return S3Url::parse(text)
            .map(KeyList::Object)
            .map_err(|error| Failure::Usage(error.to_string()));
    }
    Ok(KeyList::File(text.into()))
}
