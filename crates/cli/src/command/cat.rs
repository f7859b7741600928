//! `cat`.

use std::sync::Arc;

use base::Fault;
use base::fault::Classified as _;
use mover::error::Error;
use mover::list::level;
use mover::source::{Order, Side};
use mover::transfer::cat;
use mover::{Context, Location, ObjectLocation, Source, Target, TransferOptions, enumerate};
use remote::types::HeadObject;

use super::named::{object, only, shown, target, version};
use super::transfer::{part_size, parts};
use super::{Call, Failure, Result};
use crate::args::CatArgs;
use crate::output::lines::Lines;
use crate::persona::Outcome;

/// Writes objects to standard output, one after the other.
pub(super) async fn run(args: &CatArgs, call: Call<'_>) -> Result {
    let text = only(&args.arguments, "expected only one argument")?;
    let source = Source {
        raw: args.raw,
        version_id: version(args.version_id.as_deref()),
        list_v1: call.session.settings.list_v1,
        order: Order::Key,
        ..Source::new(target(text)?)
    };
    let Target::Remote(url) = &source.target else {
        return Err(Failure::Usage("source must be a remote object".to_owned()));
    };
    let session = call.session;
    let client = session
        .client(Side::Source, None)
        .await
        .map_err(Failure::Client)?;
    let lines = Lines::new(
        Arc::clone(&session.output),
        session.settings.persona,
        "cat",
        call.typed,
        true,
    );
    let cat = Cat {
        context: session.context(Arc::clone(&client), client, Arc::new(lines)),
        options: TransferOptions {
            parts_max: parts(args.concurrency),
            part_size: part_size(args.part_size),
            dry_run: session.settings.dry_run,
            ..TransferOptions::default()
        },
        call,
    };
    session.output.flush();
    if source.is_pattern() {
        cat.pattern(&source).await
    } else if url.is_prefix() {
        cat.one_level(&source).await
    } else {
        let place = object(url, args.version_id.as_deref())?;
        match cat.write(&place).await {
            Err(Failure::Job(Error::Remote(error))) if error.fault() == Fault::NotFound => {
                let name = shown(&source.target);
                Err(Failure::Said(format!("given object {name} not found")))
            }
            written => written.map(|()| Outcome::DONE),
        }
    }
}

struct Cat<'s> {
    context: Context,
    options: TransferOptions,
    call: Call<'s>,
}

impl Cat<'_> {
    /// Every object that the pattern covers, in order; stops at the first that fails.
    async fn pattern(&self, source: &Source) -> Result {
        let accounts = self.call.session.open_accounts();
        let mut entries = enumerate(&self.context, &accounts, Side::Source, source);
        let mut seen = false;
        while let Some(entry) = entries.next().await {
            let entry = entry?;
            if entry.is_directory_marker() {
                continue;
            }
            seen = true;
            if let Location::Remote(place) = &entry.location {
                self.write(place).await?;
            }
        }
        if seen {
            Ok(Outcome::DONE)
        } else {
            Err(Failure::Said("no object found".to_owned()))
        }
    }

    /// The objects of one level, as s5cmd takes a bucket or a prefix. An empty bucket is none.
    async fn one_level(&self, source: &Source) -> Result {
        let Target::Remote(url) = &source.target else {
            return Ok(Outcome::DONE);
        };
        let mut pages = level(
            Arc::clone(&self.context.source),
            url.bucket.clone(),
            &url.path,
            "/",
            source.protocol(),
        );
        while let Some(page) = pages.next().await {
            for listed in page?.objects {
                if listed.key.is_directory_marker() {
                    continue;
                }
                let place = ObjectLocation {
                    bucket: url.bucket.clone(),
                    key: listed.key,
                    version_id: None,
                };
                self.write(&place).await?;
            }
        }
        Ok(Outcome::DONE)
    }

    async fn write(&self, place: &ObjectLocation) -> std::result::Result<(), Failure> {
        if self.options.dry_run {
            let head = HeadObject {
                version_id: place.version_id.clone(),
                ..HeadObject::new(place.bucket.clone(), place.key.clone())
            };
            let answer = self.context.source.head_object(head).await;
            return match answer {
                Ok(_) => Ok(()),
                Err(error) => Err(Failure::Job(error.into())),
            };
        }
        let stdout = tokio::io::stdout();
        match cat(&self.context, place, &self.options, stdout).await {
            Ok(_) => Ok(()),
            Err(Error::Local { source, .. }) if source.kind() == std::io::ErrorKind::BrokenPipe => {
                self.call.session.output.reader_gone().cancel();
                Err(Failure::Job(Error::Cancelled))
            }
            Err(error) => Err(error.into()),
        }
    }
}
