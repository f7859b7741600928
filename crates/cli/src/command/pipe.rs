//! `pipe`.

use std::sync::Arc;

use mover::event::Event;
use mover::transfer::pipe;
use mover::transfer::pipe::Piped;
use mover::{Side, Source, Target, TransferOptions};

use super::named::{object, shown, target, without_wildcard};
use super::transfer::{attributes, part_size, parts};
use super::{Call, Failure, Result};
use crate::args::{LogLevel, PipeArgs, quoted};
use crate::output::lines::Lines;
use crate::output::rows::{Done, DoneObject};
use crate::persona::Outcome;

/// Stores standard input as an object.
pub(super) async fn run(args: &PipeArgs, call: Call<'_>) -> Result {
    let [text] = args.arguments.as_slice() else {
        return Err(Failure::Usage("expected destination argument".to_owned()));
    };
    let destination = Source {
        raw: args.raw,
        ..Source::new(target(text)?)
    };
    let Target::Remote(url) = &destination.target else {
        return Err(Failure::Usage("destination must be a bucket".to_owned()));
    };
    without_wildcard("target", &destination)?;
    if url.is_prefix() {
        return Err(Failure::Usage(format!(
            "target {} must be an object",
            quoted(&shown(&destination.target))
        )));
    }
    let place = object(url, None)?;
    let session = call.session;
    let options = TransferOptions {
        attributes: attributes(
            args.storage_class.as_deref(),
            &args.metadata,
            &args.attributes,
            &args.content,
        )?,
        parts_max: parts(args.concurrency),
        part_size: part_size(args.part_size),
        dry_run: session.settings.dry_run,
        ..TransferOptions::default()
    };
    let name = shown(&destination.target);
    if session.settings.dry_run {
        print(&name, args, call);
        return Ok(Outcome::DONE);
    }
    let client = session
        .client(Side::Destination, None)
        .await
        .map_err(Failure::Client)?;
    let lines = Arc::new(Lines::new(
        Arc::clone(&session.output),
        session.settings.persona,
        "pipe",
        call.typed,
        false,
    ));
    let context = session.context(Arc::clone(&client), client, lines);
    let stdin = tokio::io::stdin();
    match pipe(&context, stdin, &place, &options, args.no_clobber).await? {
        Piped::Arrived(moved) => {
            print(&name, args, call);
            context.observer.on_event(&Event::Moved(&moved));
        }
        Piped::Exists => {
            let job = format!("pipe {name}");
            session
                .output
                .skipped("pipe", &job, "object already exists");
        }
    }
    Ok(Outcome::DONE)
}

fn print(destination: &str, args: &PipeArgs, call: Call<'_>) {
    let output = &call.session.output;
    if !output.says(LogLevel::Info) {
        return;
    }
    output.info(&Done {
        operation: "pipe",
        success: true,
        source: None,
        destination: Some(destination),
        object: Some(DoneObject {
            key: None,
            kind: "file",
            size: 0,
            storage_class: args
                .storage_class
                .as_deref()
                .filter(|class| !class.is_empty()),
        }),
        version_id: None,
    });
}
