//! What `cp`, `mv`, `sync`, `cat` and `pipe` make of the flags that they share.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use base::ByteCount;
use base::limits::PART_SIZE_UNIT;
use mover::Report;
use mover::filter::{Filter, IgnoreList};
use mover::job::Ending;
use mover::{Adoption, Context, Side, Source, TransferOptions};
use remote::types::{MetadataDirective, ObjectAttributes, ServerSideEncryption, StorageClass};

use super::named::patterns;
use super::{Call, Failure};
use crate::args::values::{Integer, Pair};
use crate::args::{AttributeArgs, ContentArgs, PickArgs, TransferArgs};
use crate::output::lines::Lines;
use crate::persona::Persona;

/// s5cmd's part size; it is a default, so the plan may choose a better one.
const PART_SIZE_DEFAULT: Integer = Integer(50);

/// `--concurrency`: below one it is one.
pub(super) fn parts(asked: Integer) -> NonZeroUsize {
    usize::try_from(asked.0)
        .ok()
        .and_then(NonZeroUsize::new)
        .unwrap_or(NonZeroUsize::MIN)
}

/// `--part-size` in MiB. The default leaves the choice to the plan, and so does what is no size.
pub(super) fn part_size(asked: Integer) -> Option<ByteCount> {
    if asked == PART_SIZE_DEFAULT {
        return None;
    }
    let units = u64::try_from(asked.0).ok().filter(|units| *units > 0)?;
    units.checked_mul(PART_SIZE_UNIT.get()).map(ByteCount)
}

/// What stored objects carry.
pub(super) fn attributes(
    storage_class: Option<&str>,
    metadata: &[Pair],
    headers: &AttributeArgs,
    content: &ContentArgs,
) -> Result<ObjectAttributes, Failure> {
    let some = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let mut metadata: Vec<(String, String)> = metadata
        .iter()
        .map(|pair| (pair.key.to_ascii_lowercase(), pair.value.clone()))
        .collect();
    metadata.sort();
    Ok(ObjectAttributes {
        content_type: some(&content.content_type),
        content_encoding: some(&content.content_encoding),
        content_disposition: some(&content.content_disposition),
        cache_control: some(&headers.cache_control),
        expires: some(&headers.expires)
            .map(|text| http_date(&text))
            .transpose()?,
        metadata,
        storage_class: storage_class
            .filter(|class| !class.is_empty())
            .map(StorageClass::from_name),
        acl: some(&headers.acl),
        encryption: ServerSideEncryption {
            algorithm: some(&headers.sse),
            kms_key_id: some(&headers.sse_kms_key_id),
        },
        ..ObjectAttributes::default()
    })
}

/// A time as HTTP writes it; the error is Go's.
fn http_date(text: &str) -> Result<String, Failure> {
    let time: jiff::Timestamp = text.parse().map_err(|_| {
        Failure::Said(format!(
            "parsing time \"{text}\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"{text}\" as \"2006\""
        ))
    })?;
    Ok(time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
}

/// How objects are transferred.
pub(super) fn options(
    args: &TransferArgs,
    pick: &PickArgs,
    call: Call<'_>,
) -> Result<TransferOptions, Failure> {
    Ok(TransferOptions {
        attributes: attributes(
            args.storage_class.as_deref(),
            &args.metadata,
            &args.attributes,
            &args.content,
        )?,
        metadata_directive: match args.metadata_directive.as_deref() {
            Some("COPY") => Some(MetadataDirective::Copy),
            Some("REPLACE") => Some(MetadataDirective::Replace),
            _ => None,
        },
        parts_max: parts(args.concurrency),
        part_size: part_size(args.part_size),
        force_glacier_transfer: args.force_glacier_transfer,
        ignore_glacier_warnings: args.ignore_glacier_warnings,
        fsync: pick.fsync,
        keeps_placement: call.session.settings.persona == Persona::Longhaul,
        preserve_acl: pick.preserve_acl,
        preserve_lock: pick.preserve_lock,
        strict: call.session.settings.strict,
        adopt_uploads: pick.adopt_uploads.then(|| Adoption {
            jobs: crate::journal::home(),
        }),
        dry_run: call.session.settings.dry_run,
    })
}

/// Which of the source's objects count.
pub(super) fn filter(args: &TransferArgs, pick: &PickArgs) -> Result<Filter, Failure> {
    let ignore = match &pick.ignore_file {
        None => IgnoreList::default(),
        Some(path) => ignore_list(path)?,
    };
    Ok(Filter {
        exclude: patterns(&args.exclude),
        include: patterns(&args.include),
        ignore,
        size_min: pick.size_min,
        size_max: pick.size_max,
        modified_after: pick.newer_than,
        modified_before: pick.older_than,
    })
}

/// Reads `--ignore-file`.
pub(super) fn ignore_list(path: &Path) -> Result<IgnoreList, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        let words = crate::output::cause::system_words(&error);
        Failure::Usage(format!("open {}: {words}", path.display()))
    })?;
    Ok(IgnoreList::parse(&text))
}

/// The source as the flags say it is to be understood.
pub(super) fn source(
    source: Source,
    args: &TransferArgs,
    pick: &PickArgs,
    call: Call<'_>,
) -> Source {
    Source {
        raw: args.raw,
        follow_symlinks: !args.no_follow_symlinks,
        list_v1: call.session.settings.list_v1,
        shard: pick.shard,
        unordered: pick.disorder.of_source(),
        counterpart_unordered: pick.disorder.of_destination(),
        ..source
    }
}

/// Begins the journal, where this command is the process's job.
pub(super) fn begin_journal(context: &mut Context, call: Call<'_>) -> Result<(), Failure> {
    let source = context.source.endpoint();
    let destination = context.destination.endpoint();
    let job = &call.session.job;
    context.journal = job.begin(source, destination, &call.session.clock)?;
    Ok(())
}

/// Ends what the journal still holds of a job of which everything was done.
pub(super) async fn end_journal(context: &Context, report: &Report, call: Call<'_>) {
    let done = report.ending(call.session.settings.strict) == Ending::Done;
    if let Some(journal) = context.journal.as_ref().filter(|_| done) {
        for line in journal.end_leftovers(&*context.destination).await {
            call.session.output.warning(call.name, call.typed, &line);
        }
    }
}

/// Both sides' clients and who listens.
pub(super) async fn context(
    args: &TransferArgs,
    operation: &'static str,
    tells_done: bool,
    call: Call<'_>,
) -> Result<Context, Failure> {
    let session = call.session;
    let source = session
        .client(Side::Source, args.source_region.as_deref())
        .await
        .map_err(Failure::Client)?;
    let destination = session
        .client(Side::Destination, args.destination_region.as_deref())
        .await
        .map_err(Failure::Client)?;
    let lines = Lines::new(
        Arc::clone(&session.output),
        session.settings.persona,
        operation,
        call.typed,
        tells_done && !session.settings.summary,
    );
    Ok(session.context(source, destination, Arc::new(lines)))
}
