//! `doctor`.

use std::fmt;

use base::Key;
use mover::doctor::{self, Check, Findings, Party, Standing, Visit};
use mover::job::Ending;
use mover::{Side, Target};
use serde::Serialize;

use super::named::target;
use super::{Call, Failure, Result};
use crate::args::DoctorArgs;
use crate::output::{Output, go_json};
use crate::persona::Outcome;

/// Examines both sides and prints what was found.
pub(super) async fn run(args: &DoctorArgs, call: Call<'_>) -> Result {
    let (source, destination) = match args.arguments.as_slice() {
        [source] => (target(source)?, None),
        [source, destination] => (target(source)?, Some(target(destination)?)),
        _ => {
            return Err(Failure::Usage(
                "expected a source, and maybe a destination".to_owned(),
            ));
        }
    };
    if destination.as_ref().is_some_and(Target::has_wildcard) {
        return Err(Failure::Usage(
            "the destination can not contain glob characters".to_owned(),
        ));
    }
    let key = args.key.as_deref().map(Key::new).transpose();
    let session = call.session;
    let party = async |side: Side, target: Target| {
        let client = session.client(side, None).await.map_err(Failure::Client)?;
        Ok::<Party, Failure>(Party { target, client })
    };
    let visit = Visit {
        source: party(Side::Source, source).await?,
        destination: match destination {
            Some(target) => Some(party(Side::Destination, target).await?),
            None => None,
        },
        intent: args.intent,
        key: key.map_err(|error| Failure::Usage(error.to_string()))?,
        random: session.clock.random_u64(),
    };
    let findings = doctor::examine(&visit).await;
    print(&findings, args, &session.output);
    Ok(if findings.missing() == 0 {
        Outcome::DONE
    } else {
        Outcome::of(Ending::Failed)
    })
}

#[derive(Serialize)]
struct Document<'a> {
    operation: &'static str,
    missing: usize,
    #[serde(flatten)]
    findings: &'a Findings,
}

fn print(findings: &Findings, args: &DoctorArgs, output: &Output) {
    let missing = findings.missing();
    if output.is_json() {
        let document = Document {
            operation: "doctor",
            missing,
            findings,
        };
        output.text(format_args!("{}", go_json(&document)));
        return;
    }
    for check in &findings.checks {
        output.text(format_args!("{}", Row(check)));
    }
    for policy in &findings.policies {
        let (side, bucket) = (&policy.side, &policy.bucket);
        output.text(format_args!(
            "\nThe smallest policy that lets {} through at the {side}, for a user or role of the \
             account that owns {bucket}:\n{:#}",
            args.intent, policy.identity_policy
        ));
        output.text(format_args!(
            "The same as a bucket policy of {bucket}, for a user or role of another account:\n{:#}",
            policy.bucket_policy
        ));
    }
    output.text(format_args!(
        "\n{}",
        match missing {
            0 => "nothing that is needed was found missing".to_owned(),
            1 => "1 thing is missing".to_owned(),
            many => format!("{many} things are missing"),
        }
    ));
}

/// A check as a line, with what to do about it on another.
struct Row<'a>(&'a Check);

impl fmt::Display for Row<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Check {
            side,
            name,
            standing,
            detail,
            mend,
        } = self.0;
        let standing = match standing {
            Standing::Ok => "ok",
            Standing::Missing => "MISSING",
            Standing::Unknown => "unknown",
            Standing::Note => "note",
        };
        let side = side.to_string();
        write!(f, "{side:<12} {name:<13} {standing:<8} {detail}")?;
        match mend {
            Some(mend) => write!(f, "\n{:35} to mend it: {mend}", ""),
            None => Ok(()),
        }
    }
}
