//! `ls`.

use std::sync::Arc;

use mover::error::Error;
use mover::list::level;
use mover::source::{Order, Side};
use mover::{Entry, Location, Source, Target, Wildcard, enumerate};
use remote::types::{ListPage, ListedObject};

use super::named::{check_versions, is_link_to_file, patterns, target};
use super::{Call, Failure, Result};
use crate::args::ListArgs;
use crate::output::Output;
use crate::output::lines::Lines;
use crate::output::rows::{BucketRow, ListStyle, ObjectRow};
use crate::persona::Outcome;

/// Lists buckets, one level of a bucket, or all that a pattern covers.
pub(super) async fn run(args: &ListArgs, call: Call<'_>) -> Result {
    let text = match args.arguments.as_slice() {
        [] => return buckets(call).await,
        [one] => one,
        _ => return Err(Failure::Usage("expected only 1 argument".to_owned())),
    };
    let source = Source {
        all_versions: args.all_versions,
        list_v1: call.session.settings.list_v1,
        follow_symlinks: is_link_to_file(&target(text)?),
        order: Order::Key,
        ..Source::new(target(text)?)
    };
    check_versions(
        std::slice::from_ref(&source.target),
        args.all_versions,
        None,
    )?;
    let look = Look {
        style: ListStyle {
            etag: args.etag,
            humanize: args.humanize,
            storage_class: args.storage_class,
            versions: args.all_versions,
            full_path: args.show_fullpath,
        },
        exclude: patterns(&args.exclude),
    };
    let seen = if source.target.is_remote() && !source.is_pattern() {
        one_level(&source, &look, call).await?
    } else {
        everything(&source, &look, call).await?
    };
    // An empty bucket is no error, a name or pattern that covers nothing is one.
    let named = source
        .target
        .as_remote()
        .is_some_and(|url| !url.is_bucket());
    if !seen && named {
        return Err(Failure::Said("no object found".to_owned()));
    }
    Ok(Outcome::DONE)
}

/// How rows look and which are left out.
struct Look {
    style: ListStyle,
    exclude: Vec<Wildcard>,
}

async fn buckets(call: Call<'_>) -> Result {
    let client = call
        .session
        .client(Side::Source, None)
        .await
        .map_err(Failure::Client)?;
    for bucket in client.list_buckets().await? {
        call.session.output.info(&BucketRow {
            created_at: bucket.created,
            name: bucket.name,
        });
    }
    Ok(Outcome::DONE)
}

/// Objects up to the next `/`, and the prefixes of the rest. Says whether there were any.
async fn one_level(
    source: &Source,
    look: &Look,
    call: Call<'_>,
) -> std::result::Result<bool, Failure> {
    let Target::Remote(url) = &source.target else {
        return Ok(false);
    };
    let client = call
        .session
        .client(Side::Source, None)
        .await
        .map_err(Failure::Client)?;
    let mut pages = level(
        client,
        url.bucket.clone(),
        &url.path,
        "/",
        source.protocol(),
    );
    let mut seen = false;
    while let Some(page) = pages.next().await {
        let page = page?;
        seen = true;
        print_page(&page, source, look, call);
        if call.session.stopping.is_cancelled() {
            return Err(Failure::Job(Error::Cancelled));
        }
    }
    Ok(seen)
}

/// Prefixes first, then objects, as s5cmd prints each page.
fn print_page(page: &ListPage, source: &Source, look: &Look, call: Call<'_>) {
    let Target::Remote(url) = &source.target else {
        return;
    };
    let base = source.filter_base();
    // Names are shown from the last `/` of what was asked for.
    let shown_from = url.path.rfind('/').map_or(0, |slash| slash + 1);
    let excluded = |key: &str| {
        let relative = key.strip_prefix(&base).unwrap_or(key);
        look.exclude.iter().any(|pattern| pattern.matches(relative))
    };
    let output = &call.session.output;
    let (mut full, mut lines) = (String::new(), Vec::new());
    let full_name = |full: &mut String, key: &str| {
        full.clear();
        full.extend(["s3://", url.bucket.as_str(), "/", key]);
    };
    for prefix in &page.common_prefixes {
        if excluded(prefix) {
            continue;
        }
        full_name(&mut full, prefix);
        let row = ObjectRow {
            key: &full,
            etag: "",
            last_modified: None,
            kind: "directory",
            size: 0,
            storage_class: "",
            relative: prefix.get(shown_from..).unwrap_or(prefix),
            version_id: "",
            style: look.style,
        };
        output.push_row(&mut lines, &row);
    }
    for object in &page.objects {
        let key = object.key.as_str();
        if excluded(key) {
            continue;
        }
        full_name(&mut full, key);
        let relative = match key.get(shown_from..) {
            // The marker of the prefix itself shows by its own name.
            Some("") | None => last_part(key),
            Some(relative) => relative,
        };
        output.push_row(&mut lines, &object_row(object, &full, relative, look));
    }
    output.write(&lines);
}

fn object_row<'a>(
    object: &'a ListedObject,
    full: &'a str,
    relative: &'a str,
    look: &Look,
) -> ObjectRow<'a> {
    ObjectRow {
        key: full,
        etag: object.etag.as_ref().map_or("", |etag| etag.as_str()),
        last_modified: object.last_modified,
        kind: kind(full),
        size: object.size.get(),
        storage_class: object
            .storage_class
            .as_ref()
            .map_or("", |class| class.as_str()),
        relative,
        version_id: object
            .version
            .as_ref()
            .map_or("", |version| version.id.as_str()),
        style: look.style,
    }
}

/// The last part of a key, with its `/` if it ends in one.
fn last_part(key: &str) -> &str {
    let body = key.strip_suffix('/').unwrap_or(key);
    body.rfind('/').map_or(key, |slash| &key[slash + 1..])
}

/// A key that ends in `/` shows as a folder.
fn kind(name: &str) -> &'static str {
    if name.ends_with('/') {
        "directory"
    } else {
        "file"
    }
}

/// All that a pattern or a path covers, in order. Says whether there was any.
async fn everything(
    source: &Source,
    look: &Look,
    call: Call<'_>,
) -> std::result::Result<bool, Failure> {
    let session = call.session;
    let client = session
        .client(Side::Source, None)
        .await
        .map_err(Failure::Client)?;
    let lines = Lines::new(
        Arc::clone(&session.output),
        session.settings.persona,
        "ls",
        call.typed,
        true,
    );
    let context = session.context(Arc::clone(&client), client, Arc::new(lines));
    let accounts = session.open_accounts();
    let mut entries = enumerate(&context, &accounts, Side::Source, source);
    let base = source.filter_base();
    let mut seen = false;
    let mut printer = Printer::new(look);
    while let Some(batch) = entries.next_batch().await {
        let batch = match batch {
            Ok(batch) => batch,
            Err(error) => return Err(error.into()),
        };
        seen = true;
        for entry in batch {
            let name = entry.name();
            let relative = name.strip_prefix(&base).unwrap_or(name);
            if !look.exclude.iter().any(|pattern| pattern.matches(relative)) {
                printer.add(&entry, &session.output);
            }
        }
        printer.write(&session.output);
    }
    if accounts.job_failures.get() > 0 {
        return Err(Failure::Said("not everything could be listed".to_owned()));
    }
    Ok(seen)
}

/// Puts rows of entries together. Its buffers serve a whole listing.
struct Printer<'a> {
    look: &'a Look,
    /// The full name of the entry at hand.
    full: String,
    /// Lines not written yet.
    lines: Vec<u8>,
}

impl Printer<'_> {
    fn new(look: &Look) -> Printer<'_> {
        Printer {
            look,
            full: String::new(),
            lines: Vec::new(),
        }
    }

    fn add(&mut self, entry: &Entry, output: &Output) {
        self.full.clear();
        let version = match &entry.location {
            Location::Remote(object) => {
                let parts = ["s3://", object.bucket.as_str(), "/", object.key.as_str()];
                self.full.extend(parts);
                object.version_id.as_ref()
            }
            Location::Local(_) => {
                self.full.push_str(entry.name());
                None
            }
        };
        let row = ObjectRow {
            key: &self.full,
            etag: entry.etag.as_ref().map_or("", |etag| etag.as_str()),
            last_modified: entry.modified,
            kind: kind(&self.full),
            size: entry.size.get(),
            storage_class: entry
                .storage_class
                .as_ref()
                .map_or("", |class| class.as_str()),
            // The marker of the prefix itself shows by its full name.
            relative: match entry.relative() {
                "" => &self.full,
                relative => relative,
            },
            version_id: version.map_or("", |version| version.as_str()),
            style: self.look.style,
        };
        output.push_row(&mut self.lines, &row);
    }

    fn write(&mut self, output: &Output) {
        output.write(&self.lines);
        self.lines.clear();
    }
}
