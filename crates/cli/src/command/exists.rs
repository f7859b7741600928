//! `exists`.

use std::fmt;
use std::sync::Arc;

use base::fault::Classified as _;
use base::{BucketName, Fault};
use mover::event::Deaf;
use mover::job::Ending;
use mover::job::exists::{
    Answer, Answers, By, Cost, ExistsOptions, Explanation, Missing, Verdict, answer_list,
    answer_names,
};
use mover::key_list::KeyList;
use mover::{Context, Error, S3Url, Side};

use super::copy::key_list;
use super::named::target;
use super::{Call, Failure, Result};
use crate::args::ExistsArgs;
use crate::output::rows::ExistsRow;
use crate::persona::Outcome;

/// Says of each key whether it is there.
pub(super) async fn run(args: &ExistsArgs, call: Call<'_>) -> Result {
    let question = check(args)?;
    let session = call.session;
    let client = session
        .client(Side::Source, None)
        .await
        .map_err(Failure::Client)?;
    // The list of what is missing is written by whoever asks, so both sides are the same client.
    let context = session.context(Arc::clone(&client), client, Arc::new(Deaf));
    let mut missing = match &args.record_missing {
        None => None,
        Some(text) => Some(Missing::new(target(text)?)?),
    };
    let mut sums = Sums::default();
    let mut answers = question.ask(args, &context, call);
    let told = tell(&mut answers, &mut missing, &mut sums, args, call).await;
    if args.explain {
        call.session
            .output
            .talk(format_args!("{}", spent(&answers)));
    }
    if args.count {
        call.session.output.talk(format_args!("{sums}"));
    }
    match told {
        Ok(()) => {}
        Err(Failure::Job(error)) if is_stop(&error) => {
            if error.fault() == Fault::Expired {
                let cause = session.settings.persona.cause(&error);
                session.output.error(call.name, call.typed, &cause);
            }
            call.session.output.talk(format_args!(
                "stopped: {} keys were answered; the same command begins anew{}",
                sums.all(),
                if missing.is_some() {
                    ", and no list was written"
                } else {
                    ""
                },
            ));
            return Ok(Outcome::of(Ending::Stopped));
        }
        Err(failure) => return Err(failure),
    }
    let mut ending = match sums.unknown {
        0 => Ending::Done,
        _ => Ending::Failed,
    };
    if let Some(missing) = missing
        && !session.settings.dry_run
    {
        let recorded = missing.write(&context).await?;
        for name in &recorded.unnamed {
            let line = "cannot be named in a list of keys: it holds a tab or a line end";
            session.output.error(call.name, name, line);
            ending = Ending::Failed;
        }
    }
    Ok(Outcome::of(ending))
}

/// Whether a run was stopped: by the user, or because its credentials have expired.
fn is_stop(error: &Error) -> bool {
    matches!(error.fault(), Fault::Cancelled | Fault::Expired)
}

/// Which keys, of which bucket.
struct Question {
    bucket: BucketName,
    prefix: String,
    keys: Keys,
}

enum Keys {
    Named(Vec<String>),
    Listed(KeyList),
}

impl Question {
    fn ask(self, args: &ExistsArgs, context: &Context, call: Call<'_>) -> Answers {
        let options = ExistsOptions {
            by: match args.by.as_str() {
                "head" => By::Head,
                "list" => By::List,
                _ => By::Auto,
            },
            prefix: self.prefix,
            list_v1: call.session.settings.list_v1,
            raw: args.raw,
            stopping: call.session.stopping.clone(),
            ..ExistsOptions::default()
        };
        let workers = context.limits.objects_max.get();
        let options = ExistsOptions {
            heads_max: options.heads_max.min(workers),
            lists_max: options.lists_max.min(workers),
            ..options
        };
        match self.keys {
            Keys::Named(names) => {
                let client = Arc::clone(&context.source);
                answer_names(client, self.bucket, names, options)
            }
            Keys::Listed(list) => answer_list(context, self.bucket, list, options),
        }
    }
}

fn check(args: &ExistsArgs) -> std::result::Result<Question, Failure> {
    let usage = |line: &str| Err(Failure::Usage(line.to_owned()));
    let Some((first, rest)) = args.arguments.split_first() else {
        return usage("name a bucket and keys: exists s3://BUCKET KEY...");
    };
    check_flags(rest, args.raw)?;
    let url = S3Url::parse(first)
        .map_err(|error| Failure::Usage(format!("{first}: {error} (the bucket comes first)")))?;
    let names_object = !url.is_prefix();
    let keys = match (&args.keys, names_object) {
        (Some(_), _) if !rest.is_empty() => {
            return usage("keys come from --keys or from arguments, not from both");
        }
        (Some(_), true) => {
            return usage("with --keys name a bucket, or a prefix that ends in /");
        }
        (Some(list), false) => Keys::Listed(key_list(list)?),
        // URLs alone.
        (None, true) => Keys::Named(args.arguments.clone()),
        (None, false) if rest.is_empty() => {
            return usage("name keys behind the bucket, or a list of them with --keys before it");
        }
        (None, false) => Keys::Named(rest.to_vec()),
    };
    if let (Keys::Named(names), true) = (&keys, names_object) {
        if args.raw {
            return usage("with --raw the first argument is a bucket, or a prefix that ends in /");
        }
        let elsewhere = names.iter().find(|name| match S3Url::parse(name) {
            Ok(other) => other.bucket != url.bucket,
            Err(_) => true,
        });
        if let Some(name) = elsewhere {
            return Err(Failure::Usage(format!(
                "{name} is no URL of s3://{}: name one bucket first, then its keys",
                url.bucket
            )));
        }
    }
    Ok(Question {
        bucket: url.bucket,
        prefix: if names_object {
            String::new()
        } else {
            url.path
        },
        keys,
    })
}

/// Behind the first argument everything is an argument, flags too: what looks like one of ours
/// would be answered as an absent key.
fn check_flags(rest: &[String], raw: bool) -> std::result::Result<(), Failure> {
    const OURS: [&str; 8] = [
        "keys",
        "raw",
        "by",
        "explain",
        "missing-only",
        "count",
        "record-missing",
        "help",
    ];
    let flag = rest.iter().find(|word| {
        let name = word.strip_prefix("--").or_else(|| word.strip_prefix('-'));
        let name = name.map(|name| name.split('=').next().unwrap_or(name));
        name.is_some_and(|name| OURS.contains(&name))
    });
    match flag {
        Some(flag) if !raw => Err(Failure::Usage(format!(
            "{flag} stands before the bucket; a key of that name is asked for with --raw"
        ))),
        _ => Ok(()),
    }
}

/// Prints answers as they come, and adds them up.
async fn tell(
    answers: &mut Answers,
    missing: &mut Option<Missing>,
    sums: &mut Sums,
    args: &ExistsArgs,
    call: Call<'_>,
) -> std::result::Result<(), Failure> {
    let mut explained = !args.explain;
    while let Some(answer) = answers.next().await {
        let answer = answer?;
        if !explained && let Some(explanation) = answers.explanation() {
            let output = &call.session.output;
            output.talk(format_args!("{}", Explained(&explanation)));
            explained = true;
        }
        sums.add(&answer);
        if let (Verdict::Absent, Some(missing)) = (&answer.verdict, missing.as_mut()) {
            missing.add(key_of(&answer.name, args.raw)).await?;
        }
        print(&answer, args, call);
    }
    Ok(())
}

/// The key that was meant by a name which was answered.
fn key_of(name: &str, raw: bool) -> &str {
    let behind = name.strip_prefix("s3://").filter(|_| !raw);
    behind
        .and_then(|rest| rest.split_once('/'))
        .map_or(name, |(_, key)| key)
}

fn print(answer: &Answer, args: &ExistsArgs, call: Call<'_>) {
    let output = &call.session.output;
    let name = answer.name.as_str();
    let (state, presence, cause) = match &answer.verdict {
        Verdict::Present(presence) => ("present", Some(presence), None),
        Verdict::Absent => ("absent", None, None),
        Verdict::Unknown(error) => ("unknown", None, Some(cause(error, call))),
    };
    if let Some(cause) = &cause {
        output.error(call.name, name, cause);
    }
    if args.missing_only && state != "absent" {
        return;
    }
    output.info(&ExistsRow {
        operation: "exists",
        state,
        key: if args.missing_only {
            key_of(name, args.raw)
        } else {
            name
        },
        size: presence.and_then(|presence| presence.size.map(|size| size.get())),
        etag: presence.and_then(|presence| presence.etag.as_ref().map(AsRef::as_ref)),
        last_modified: presence.and_then(|presence| presence.last_modified),
        error: cause.as_deref(),
        bare: args.missing_only,
    });
}

fn cause(error: &Error, call: Call<'_>) -> String {
    let cause = call.session.settings.persona.cause(error);
    match error {
        Error::Remote(remote) if remote.fault() == Fault::Denied => {
            format!("{cause}; without s3:ListBucket the store does not say whether a key is there")
        }
        _ => cause,
    }
}

/// How many of each.
#[derive(Debug, Default)]
struct Sums {
    present: u64,
    absent: u64,
    unknown: u64,
}

impl Sums {
    fn add(&mut self, answer: &Answer) {
        *match answer.verdict {
            Verdict::Present(_) => &mut self.present,
            Verdict::Absent => &mut self.absent,
            Verdict::Unknown(_) => &mut self.unknown,
        } += 1;
    }

    fn all(&self) -> u64 {
        self.present + self.absent + self.unknown
    }
}

impl fmt::Display for Sums {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} present, {} absent, {} unknown",
            self.present, self.absent, self.unknown
        )
    }
}

/// `--explain`, as soon as it is known.
struct Explained<'a>(&'a Explanation);

impl fmt::Display for Explained<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Explained(why) = self;
        let choice = if why.listing { "listing" } else { "HEAD" };
        writeln!(f, "{} keys, by {choice}: {}", why.keys, why.reason)?;
        write!(f, "  HEADs alone:   {}", Costs(&why.by_head))?;
        if let (Some(cost), Some(stored)) = (&why.by_list, why.stored) {
            write!(
                f,
                "\n  listing alone: {} (about {stored} keys are stored around these)",
                Costs(cost)
            )?;
        }
        Ok(())
    }
}

struct Costs<'a>(&'a Cost);

impl fmt::Display for Costs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cost = self.0;
        write!(
            f,
            "{} request{}, about {:.1?}, ${:.4} at AWS's prices",
            cost.requests,
            if cost.requests == 1 { "" } else { "s" },
            cost.time,
            cost.dollars
        )
    }
}

fn spent(answers: &Answers) -> String {
    let spent = answers.spent();
    format!(
        "asked: {} HEADs and {} pages of the listing in {:.1?}, ${:.4} at AWS's prices",
        spent.heads, spent.lists, spent.elapsed, spent.dollars
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Command;
    use crate::args::grammar::{Request, read};
    use crate::persona::Persona;

    fn question(line: &str) -> std::result::Result<Question, String> {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let Ok(Request::Run(invocation)) = read(&words, Persona::Longhaul) else {
            panic!("{line}");
        };
        let Command::Exists(args) = invocation.cli.command else {
            panic!("{line}");
        };
        check(&args).map_err(|failure| format!("{failure:?}"))
    }

    #[test]
    fn a_bucket_and_keys_or_urls_of_one_bucket_are_a_question() {
        for (line, count) in [
            ("exists s3://b k", 1),
            ("exists s3://b/p/ p/a p/b", 2),
            ("exists s3://b/a s3://b/c", 2),
            ("exists -raw s3://b --keys", 1),
        ] {
            match question(line).unwrap().keys {
                Keys::Named(names) => assert_eq!(names.len(), count, "{line}"),
                Keys::Listed(_) => panic!("{line}"),
            }
        }
        assert!(question("exists --keys - s3://b/p/").is_ok());
    }

    #[test]
    fn what_would_be_answered_wrongly_is_refused() {
        for line in [
            "exists",
            "exists k",
            "exists s3://b",
            "exists s3://b/p/",
            "exists --keys f s3://b k",
            "exists --keys f s3://b/object",
            "exists s3://b --keys f",
            "exists s3://b k --missing-only",
            "exists s3://b/a k",
            "exists s3://b/a s3://c/a",
            "exists --raw s3://b/a s3://b/c",
        ] {
            assert!(question(line).is_err(), "{line}");
        }
    }
}
