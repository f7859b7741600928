//! `verify`.

use std::path::PathBuf;
use std::sync::Arc;

use mover::filter::{Filter, IgnoreList};
use mover::job::verify::{
    self, Finding, Listener, ManifestJob, Scrutiny, State, Verification, VerifyJob,
};
use mover::source::Order;
use mover::{Context, Error, Side, Source, Target};

use super::copy::both_ends;
use super::named::{patterns, target};
use super::{Call, Failure, Result};
use crate::args::VerifyArgs;
use crate::output::Output;
use crate::output::lines::Lines;
use crate::output::rows::VerifyRow;
use crate::persona::{Outcome, Persona};

/// Compares a destination with its source, or with a manifest.
pub(super) async fn run(args: &VerifyArgs, call: Call<'_>) -> Result {
    let question = check(args, call)?;
    let session = call.session;
    let client = |side| session.client(side, None);
    let source = client(Side::Source).await.map_err(Failure::Client)?;
    let destination = client(Side::Destination).await.map_err(Failure::Client)?;
    let lines = Lines::new(
        Arc::clone(&session.output),
        session.settings.persona,
        "verify",
        call.typed,
        true,
    );
    let context = session.context(source, destination, Arc::new(lines));
    let context = super::patience::guarded(context, &args.patience, call);
    let findings = Arc::new(Findings {
        output: Arc::clone(&session.output),
        persona: session.settings.persona,
        shows_equal: args.show_equal,
    });
    let accounts = session.open_accounts();
    let verification = ask(question, &context, &accounts, findings).await?;
    let output = &session.output;
    if output.is_json() {
        output.data(&SumsRow::of(&verification));
    } else {
        output.talk(format_args!("{}", verification.sums));
    }
    if verification.drew_nothing() {
        let all = verification.sums.not_sampled;
        let line = format!("the sample drew none of {all} objects: ask for a larger one");
        output.error(call.name, call.typed, &line);
    }
    if verification.stopped {
        output.talk(format_args!("stopped: the same command begins anew"));
    }
    if !verification.sums.close() {
        let line = "the sums do not close, this is a fault of ours";
        output.error(call.name, call.typed, line);
    }
    let ending = verification.ending(session.settings.strict, args.allow_extra);
    Ok(Outcome::of(ending))
}

/// What is compared with what.
enum Question {
    Sides(Box<VerifyJob>),
    Manifest(ManifestJob),
}

async fn ask(
    question: Question,
    context: &Context,
    accounts: &Arc<mover::Accounts>,
    findings: Arc<Findings>,
) -> std::result::Result<Verification, Error> {
    match question {
        Question::Sides(job) => verify::run(*job, context, accounts, findings).await,
        Question::Manifest(job) => verify::run_manifest(job, context, accounts, findings).await,
    }
}

fn check(args: &VerifyArgs, call: Call<'_>) -> std::result::Result<Question, Failure> {
    let usage = |line: &str| Err(Failure::Usage(line.to_owned()));
    let scrutiny = Scrutiny {
        read: args.read,
        sample: args.sample,
        seed: args.seed.0.unsigned_abs(),
    };
    if let Some(manifest) = &args.manifest {
        if let Some(flag) = picks(args) {
            return Err(Failure::Usage(format!(
                "{flag} cannot be used with --manifest: all rows below the destination count"
            )));
        }
        let (source, destination) = match args.arguments.as_slice() {
            [destination] => (None, target(destination)?),
            [source, destination] => (Some(target(source)?), target(destination)?),
            _ => return usage("expected a destination, or a source and a destination"),
        };
        if destination.has_wildcard() && !args.raw {
            return usage("with --manifest the destination is a bucket, a prefix or a folder");
        }
        return Ok(Question::Manifest(ManifestJob {
            manifest: manifest.clone(),
            source,
            destination,
            unordered: args.disorder.of_destination(),
            scrutiny,
        }));
    }
    if args.shard.is_some() && !args.allow_extra {
        return usage("--shard needs --allow-extra: the other shares look extra");
    }
    let (source, destination) = both_ends(&args.arguments, args.raw)?;
    let source = Source {
        raw: args.raw,
        follow_symlinks: !args.no_follow_symlinks,
        list_v1: call.session.settings.list_v1,
        shard: args.shard,
        unordered: args.disorder.of_source(),
        counterpart_unordered: args.disorder.of_destination(),
        order: Order::Key,
        ..source
    };
    if let Target::Local(path) = &destination
        && !source.target.is_remote()
    {
        let path: &PathBuf = path;
        return Err(Failure::Usage(format!(
            "one side must be in a store: {} and {} are both here",
            source.target,
            path.display()
        )));
    }
    Ok(Question::Sides(Box::new(VerifyJob {
        source,
        destination,
        filter: filter(args)?,
        scrutiny,
    })))
}

/// A flag that picks among a source's objects.
fn picks(args: &VerifyArgs) -> Option<&'static str> {
    [
        (!args.exclude.is_empty(), "--exclude"),
        (!args.include.is_empty(), "--include"),
        (args.ignore_file.is_some(), "--ignore-file"),
        (args.size_min.is_some(), "--size-min"),
        (args.size_max.is_some(), "--size-max"),
        (args.newer_than.is_some(), "--newer-than"),
        (args.older_than.is_some(), "--older-than"),
        (args.shard.is_some(), "--shard"),
    ]
    .into_iter()
    .find_map(|(given, flag)| given.then_some(flag))
}

fn filter(args: &VerifyArgs) -> std::result::Result<Filter, Failure> {
    let ignore = match &args.ignore_file {
        None => IgnoreList::default(),
        Some(path) => super::transfer::ignore_list(path)?,
    };
    Ok(Filter {
        exclude: patterns(&args.exclude),
        include: patterns(&args.include),
        ignore,
        size_min: args.size_min,
        size_max: args.size_max,
        modified_after: args.newer_than,
        modified_before: args.older_than,
    })
}

/// Prints findings as they come.
struct Findings {
    output: Arc<Output>,
    persona: Persona,
    shows_equal: bool,
}

impl Listener for Findings {
    fn on_finding(&self, finding: &Finding<'_>) {
        let (state, detail) = match finding.state {
            State::Equal(_) if !self.shows_equal => return,
            State::Equal(means) => ("equal", means.to_string()),
            State::Missing => ("missing", String::new()),
            State::Differing(what) => ("differing", what.clone()),
            State::Extra => ("extra", String::new()),
            State::Unverifiable => (
                "unverifiable",
                "sizes agree, nothing else can be compared".to_owned(),
            ),
            State::Unknown(error) => ("unknown", self.persona.cause(error)),
        };
        self.output.info(&VerifyRow {
            operation: "verify",
            state,
            source: finding.source,
            destination: finding.destination,
            detail: Some(detail.as_str()).filter(|detail| !detail.is_empty()),
        });
    }
}

/// The sums, as the last line of JSON.
#[derive(Debug, serde::Serialize)]
struct SumsRow {
    operation: &'static str,
    state: &'static str,
    stopped: bool,
    problems: u64,
    #[serde(flatten)]
    sums: verify::Sums,
}

impl SumsRow {
    fn of(verification: &Verification) -> SumsRow {
        SumsRow {
            operation: "verify",
            state: "sums",
            stopped: verification.stopped,
            problems: verification.problems,
            sums: verification.sums,
        }
    }
}

impl std::fmt::Display for SumsRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.sums.fmt(f)
    }
}
