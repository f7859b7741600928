//! `jobs`: what can be gone on with, and what is running.

use std::fmt;

use base::ByteCount;
use base::units::Rate;
use jiff::Timestamp;
use mover::journal::Job;
use serde::Serialize;

use super::{Call, Failure, Result, uploads};
use crate::args::{JobsArgs, quoted};
use crate::journal;
use crate::output::cause::{chain, system_words};
use crate::persona::Outcome;
use mover::job::Ending;

/// A job as the table shows it.
#[derive(Debug, Serialize)]
struct JobRow {
    id: String,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pid: Option<u32>,
    started: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    objects_done: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    objects_found: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    objects_failed: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes_moved: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes_per_second: Option<f64>,
    unfinished_uploads: u64,
    unfinished_downloads: u64,
    folder: String,
    command: String,
}

impl fmt::Display for JobRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let started = self.started.strftime("%Y/%m/%d %H:%M:%S");
        let objects = match (self.objects_done, self.objects_found) {
            (Some(done), Some(found)) => format!("{done}/{found}"),
            _ => "-".to_owned(),
        };
        let bytes = self
            .bytes_moved
            .map_or("-".to_owned(), |bytes| ByteCount(bytes).to_string());
        let rate = match self.bytes_per_second {
            Some(rate) if self.pid.is_some() => Rate(rate).to_string(),
            _ => "-".to_owned(),
        };
        write!(
            f,
            "{:<21} {:<22} {started} {objects:>17} {bytes:>11} {rate:>11}  {}",
            self.id, self.state, self.command
        )
    }
}

/// Lists jobs, or forgets one.
pub(super) async fn run(args: &JobsArgs, call: Call<'_>) -> Result {
    let words: Vec<&str> = args.arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] | ["ls"] if args.keep_uploads => {
            Err(Failure::Usage("--keep-uploads needs rm".to_owned()))
        }
        [] | ["ls"] => list(call),
        ["rm", id] => remove(id, args.keep_uploads, call).await,
        _ => Err(Failure::Usage(
            "expected nothing, or rm and an ID".to_owned(),
        )),
    }
}

fn list(call: Call<'_>) -> Result {
    let output = &call.session.output;
    let Some(home) = journal::home() else {
        return Ok(Outcome::DONE);
    };
    let failed = |error: std::io::Error| Failure::Said(system_words(&error));
    let jobs = home.jobs().map_err(failed)?;
    if !output.is_json() && !jobs.is_empty() {
        output.text(format_args!(
            "{:<21} {:<22} {:<19} {:>17} {:>11} {:>11}  COMMAND",
            "ID", "STATE", "STARTED (UTC)", "OBJECTS", "BYTES", "RATE"
        ));
    }
    for job in jobs {
        let uploads = home.uploads(&job.id).map_err(failed)?.len() as u64;
        let downloads = home.downloads(&job.id).map_err(failed)?.len() as u64;
        output.data(&row(job, uploads, downloads));
    }
    Ok(Outcome::DONE)
}

fn row(job: Job, unfinished_uploads: u64, unfinished_downloads: u64) -> JobRow {
    let figures = job.figures.as_ref();
    let ending = figures.and_then(|figures| figures.ending.as_deref());
    let state = match (job.running, ending) {
        (Some(_), _) => "running",
        (None, Some("failed")) => "finished-with-failures",
        (None, _) => "interrupted",
    };
    JobRow {
        state,
        pid: job.running,
        started: job.record.started_at,
        objects_done: figures.map(|figures| figures.settled),
        objects_found: figures.map(|figures| figures.listed),
        objects_failed: figures.map(|figures| figures.failed),
        bytes_moved: figures.map(|figures| figures.bytes_moved),
        bytes_per_second: figures
            .filter(|figures| figures.elapsed_s > 0.0)
            .map(|figures| figures.bytes_moved as f64 / figures.elapsed_s),
        unfinished_uploads,
        unfinished_downloads,
        folder: job.record.folder.display().to_string(),
        command: job.record.words.join(" "),
        id: job.id,
    }
}

async fn remove(id: &str, keep_uploads: bool, call: Call<'_>) -> Result {
    let session = call.session;
    let home = journal::home().ok_or_else(|| {
        Failure::Said("there is no place for jobs: set HOME or XDG_STATE_HOME".to_owned())
    })?;
    let job = home
        .lock(id)
        .map_err(|error| Failure::Usage(chain(&error)))?;
    let unfinished = home
        .uploads(id)
        .map_err(|error| Failure::Said(system_words(&error)))?;
    let mut failed = false;
    if !keep_uploads {
        for upload in &unfinished {
            failed |= !uploads::abort_journalled(upload, &job.record, call).await?;
        }
    }
    if failed {
        session.output.talk(format_args!(
            "job {} stays: some of its uploads could not be aborted (--keep-uploads leaves them)",
            quoted(id)
        ));
        return Ok(Outcome::of(Ending::Failed));
    }
    if !session.settings.dry_run {
        for download in home
            .downloads(id)
            .map_err(|error| Failure::Said(system_words(&error)))?
        {
            download.discard().map_err(|error| {
                let temporary = download.temporary.display();
                Failure::Said(format!("remove {temporary}: {}", system_words(&error)))
            })?;
        }
        job.remove()
            .map_err(|error| Failure::Said(system_words(&error)))?;
    }
    Ok(Outcome::DONE)
}
