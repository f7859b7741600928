//! `uploads`: unfinished uploads of our jobs, and on request those of others.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use base::{ByteCount, UploadId};
use jiff::{SignedDuration, Timestamp};
use mover::job::Ending;
use mover::journal::{JobRecord, UnfinishedUpload};
use mover::transfer::abort_upload;
use mover::{ObjectLocation, S3Url, Side, Target};
use remote::ObjectClient;
use remote::types::{ListMultipartUploads, UploadSummary};
use serde::Serialize;

use super::named::target;
use super::{Call, Failure, Result};
use crate::args::grammar::{Request, read};
use crate::args::{Command, UploadsArgs};
use crate::journal;
use crate::output::cause::system_words;
use crate::persona::Outcome;
use crate::session::Session;
use crate::settings::Settings;

/// An unfinished upload as it is shown.
#[derive(Debug, Serialize)]
struct UploadRow {
    operation: &'static str,
    object: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    upload_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    initiated: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    job: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parts: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
}

impl fmt::Display for UploadRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.upload_id.as_deref().unwrap_or("(never answered)");
        if self.operation == "abort" {
            return write!(f, "abort {} {id}", self.object);
        }
        let began = self.initiated.map_or("-".to_owned(), |time| {
            time.strftime("%Y/%m/%d %H:%M:%S").to_string()
        });
        let bytes = self
            .bytes
            .map_or("-".to_owned(), |bytes| ByteCount(bytes).to_string());
        let job = self.job.as_deref().unwrap_or("-");
        write!(f, "{began:<19} {job:<21} {bytes:>11} {} {id}", self.object)
    }
}

impl UploadRow {
    fn of_ours(operation: &'static str, upload: &UnfinishedUpload) -> UploadRow {
        UploadRow {
            operation,
            object: format!("s3://{}/{}", upload.bucket, upload.key),
            upload_id: upload.upload_id.as_ref().map(|id| id.as_str().to_owned()),
            initiated: Some(upload.asked_at),
            job: Some(upload.job.clone()),
            parts: Some(upload.parts),
            bytes: Some(upload.bytes.0),
        }
    }

    fn of_others(operation: &'static str, url: &S3Url, upload: &UploadSummary) -> UploadRow {
        UploadRow {
            operation,
            object: format!("s3://{}/{}", url.bucket, upload.key),
            upload_id: Some(upload.upload_id.as_str().to_owned()),
            initiated: upload.initiated,
            job: None,
            parts: None,
            bytes: None,
        }
    }
}

/// Lists or aborts unfinished uploads.
pub(super) async fn run(args: &UploadsArgs, call: Call<'_>) -> Result {
    let words: Vec<&str> = args.arguments.iter().map(String::as_str).collect();
    let (verb, place) = match words.as_slice() {
        [verb] => (*verb, None),
        [verb, place] => (*verb, Some(*place)),
        _ => ("", None),
    };
    let url = match place.map(target).transpose()? {
        None => None,
        Some(Target::Remote(url)) => Some(url),
        Some(Target::Local(_)) => {
            return Err(Failure::Usage("expected s3://BUCKET[/PREFIX]".to_owned()));
        }
    };
    let usage = |line: &str| Err(Failure::Usage(line.to_owned()));
    match verb {
        "ls" if args.all || args.older_than.is_some() => usage("--all and --older-than need abort"),
        "ls" => list(url.as_ref(), call).await,
        "abort" if args.all && (args.older_than.is_none() || url.is_none()) => {
            usage("--all needs --older-than and s3://BUCKET: uploads of others may be under way")
        }
        "abort" => abort(args, url.as_ref(), call).await,
        _ => usage("expected ls or abort, and s3://BUCKET[/PREFIX]"),
    }
}

/// What jobs of this machine know, where they are below `url`.
fn ours(url: Option<&S3Url>) -> std::result::Result<Vec<UnfinishedUpload>, Failure> {
    let Some(home) = journal::home() else {
        return Ok(Vec::new());
    };
    let mut uploads = home
        .all_uploads()
        .map_err(|error| Failure::Said(system_words(&error)))?;
    uploads.retain(|upload| {
        url.is_none_or(|url| {
            upload.bucket == url.bucket && upload.key.as_str().starts_with(&url.path)
        })
    });
    Ok(uploads)
}

async fn list(url: Option<&S3Url>, call: Call<'_>) -> Result {
    let output = &call.session.output;
    let ours = ours(url)?;
    for upload in &ours {
        output.data(&UploadRow::of_ours("upload", upload));
    }
    if let Some(url) = url {
        let client = client(call).await?;
        for upload in of_others(&*client, url, &ours).await? {
            output.data(&UploadRow::of_others("upload", url, &upload));
        }
    }
    Ok(Outcome::DONE)
}

async fn abort(args: &UploadsArgs, url: Option<&S3Url>, call: Call<'_>) -> Result {
    let session = call.session;
    let now = session.clock.now();
    let old = |began: Option<Timestamp>| match (args.older_than, began) {
        (None, _) => true,
        // What began at an unknown time is not known to be old.
        (Some(_), None) => false,
        (Some(age), Some(began)) => {
            let age = SignedDuration::try_from(age).unwrap_or(SignedDuration::MAX);
            now.duration_since(began) >= age
        }
    };
    let ours = ours(url)?;
    let jobs = jobs()?;
    let mut failed = false;
    for upload in ours.iter().filter(|upload| old(Some(upload.asked_at))) {
        // A job that is running needs its uploads.
        if let Some((record, None)) = jobs.get(&upload.job) {
            failed |= !abort_journalled(upload, record, call).await?;
        }
    }
    if let (true, Some(url)) = (args.all, url) {
        let client = client(call).await?;
        for upload in of_others(&*client, url, &ours).await? {
            if !old(upload.initiated) {
                continue;
            }
            let row = UploadRow::of_others("abort", url, &upload);
            let object = ObjectLocation {
                bucket: url.bucket.clone(),
                key: upload.key,
                version_id: None,
            };
            failed |= !abort_one(&*client, &object, &upload.upload_id, &row, call).await;
        }
    }
    Ok(if failed {
        Outcome::of(Ending::Failed)
    } else {
        Outcome::DONE
    })
}

/// Every job's record by name, and the process that works on it.
fn jobs() -> std::result::Result<HashMap<String, (JobRecord, Option<u32>)>, Failure> {
    let Some(home) = journal::home() else {
        return Ok(HashMap::new());
    };
    let jobs = home
        .jobs()
        .map_err(|error| Failure::Said(system_words(&error)))?;
    let rows = jobs
        .into_iter()
        .map(|job| (job.id, (job.record, job.running)));
    Ok(rows.collect())
}

/// Aborts an upload of a job with the job's own settings; false if it could not be. One that was
/// never answered has no id, and is only forgotten.
pub(super) async fn abort_journalled(
    upload: &UnfinishedUpload,
    record: &JobRecord,
    call: Call<'_>,
) -> std::result::Result<bool, Failure> {
    let row = UploadRow::of_ours("abort", upload);
    let gone = match &upload.upload_id {
        None => true,
        Some(id) => {
            let client = client_of(record, call).await?;
            if client.endpoint() != upload.endpoint {
                return Err(Failure::Usage(format!(
                    "{} is at {}, and this would ask {}: set the endpoint as it was",
                    row.object,
                    upload.endpoint,
                    client.endpoint()
                )));
            }
            let object = ObjectLocation {
                bucket: upload.bucket.clone(),
                key: upload.key.clone(),
                version_id: None,
            };
            abort_one(&*client, &object, id, &row, call).await
        }
    };
    if gone && !call.session.settings.dry_run {
        upload
            .forget()
            .map_err(|error| Failure::Said(system_words(&error)))?;
    }
    Ok(gone)
}

/// Aborts one upload and says so; false, with a line, if it could not be.
async fn abort_one(
    client: &dyn ObjectClient,
    object: &ObjectLocation,
    id: &UploadId,
    row: &UploadRow,
    call: Call<'_>,
) -> bool {
    let session = call.session;
    if !session.settings.dry_run
        && let Err(error) = abort_upload(client, object, id).await
    {
        let persona = session.settings.persona;
        let typed = format!("abort {object} {id}");
        let cause = persona.cause(&error);
        session.output.error(call.name, &typed, &cause);
        return false;
    }
    session.output.data(row);
    true
}

/// Unfinished uploads below `url` that no job of this machine knows, all pages of them.
async fn of_others(
    client: &dyn ObjectClient,
    url: &S3Url,
    ours: &[UnfinishedUpload],
) -> std::result::Result<Vec<UploadSummary>, Failure> {
    let mut request = ListMultipartUploads {
        bucket: url.bucket.clone(),
        prefix: url.path.clone(),
        after: None,
    };
    let mut others = Vec::new();
    loop {
        let page = client.list_multipart_uploads(request.clone()).await?;
        let known = |upload: &UploadSummary| {
            let mut ids = ours.iter().filter_map(|ours| ours.upload_id.as_ref());
            ids.any(|id| *id == upload.upload_id)
        };
        others.extend(page.uploads.into_iter().filter(|upload| !known(upload)));
        // A store that goes round in circles must not keep us.
        if page.next_after.is_none() || page.next_after <= request.after {
            return Ok(others);
        }
        request.after = page.next_after;
    }
}

async fn client(call: Call<'_>) -> std::result::Result<Arc<dyn ObjectClient>, Failure> {
    let client = call.session.client(Side::Source, None).await;
    client.map_err(Failure::Client)
}

/// The client that a job writes with.
async fn client_of(
    record: &JobRecord,
    call: Call<'_>,
) -> std::result::Result<Arc<dyn ObjectClient>, Failure> {
    let persona = call.session.settings.persona;
    let unreadable = || {
        let words = record.words.join(" ");
        Failure::Said(format!(
            "this version cannot read the job's command: {words}"
        ))
    };
    let Ok(Request::Run(invocation)) = read(&record.words, persona) else {
        return Err(unreadable());
    };
    let region = match &invocation.cli.command {
        Command::Copy(args) | Command::Move(args) => args.transfer.destination_region.as_deref(),
        Command::Sync(args) => args.transfer.destination_region.as_deref(),
        _ => return Err(unreadable()),
    };
    let settings = Settings::resolve(
        &invocation.cli.global,
        persona,
        &remote::aws::AwsOptions::from_environment(),
        &crate::settings::Environment::of_process(),
    )
    .map_err(|error| Failure::Usage(error.to_string()))?;
    let session = Session::new(settings, Arc::clone(&call.session.output), Vec::new());
    let client = session.client(Side::Destination, region).await;
    client.map_err(Failure::Client)
}
