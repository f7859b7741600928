//! The least that a client can cost: `floor VERB SOURCE DESTINATION COUNT SIZE FOLDER [signed]`.
//!
//! Objects one after the other over a few connections of hyper's, no retries, no names made safe,
//! no accounts; nothing that the mover promises. Verbs: put (FOLDER holds the files), get (files go
//! into FOLDER), relay, copy, head, list. SOURCE and DESTINATION are `address:port`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, Result, bail, ensure};
use base::tasks;
use bench::floor::{Body, Connection, FileBody, Target};
use bench::null::keys::KeySpace;

/// Connections; enough that none of them is waited for.
const CONNECTIONS: u64 = 16;

struct Job {
    verb: String,
    source: String,
    destination: String,
    space: KeySpace,
    folder: PathBuf,
    signed: bool,
    /// The number of the next object, or of the next page.
    next: AtomicU64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [verb, source, destination, count, size, folder, rest @ ..] = words.as_slice() else {
        bail!("VERB SOURCE DESTINATION COUNT SIZE FOLDER [signed]");
    };
    let job = Arc::new(Job {
        verb: verb.clone(),
        source: source.clone(),
        destination: destination.clone(),
        space: KeySpace {
            count: count.parse().context("COUNT")?,
            size: size.parse().context("SIZE")?,
        },
        folder: PathBuf::from(folder),
        signed: rest.iter().any(|word| word == "signed"),
        next: AtomicU64::new(0),
    });
    if verb == "get" {
        make_folders(&job)?;
    }
    let workers: Vec<_> = (0..CONNECTIONS.min(job.space.count))
        .map(|_| tasks::spawn("floor", work(job.clone())))
        .collect();
    for worker in workers {
        worker.await.context("a worker ended")??;
    }
    Ok(())
}

fn make_folders(job: &Job) -> Result<()> {
    for index in (0..job.space.count).step_by(1_000) {
        let path = path_of(&job.folder, index);
        std::fs::create_dir_all(path.parent().context("no parent")?)?;
    }
    Ok(())
}

fn path_of(folder: &Path, index: u64) -> PathBuf {
    folder.join(key_of(index))
}

fn key_of(index: u64) -> String {
    String::from_utf8_lossy(KeySpace::key(index).as_bytes()).into_owned()
}

async fn work(job: Arc<Job>) -> Result<()> {
    let mut source = Connection::open(&job.source).await?;
    let mut destination = match job.verb.as_str() {
        "relay" => Some(Connection::open(&job.destination).await?),
        _ => None,
    };
    let bucket = format!("keys-{}-{}", job.space.count, job.space.size);
    loop {
        let index = job.next.fetch_add(1, Ordering::Relaxed);
        if job.verb == "list" {
            let begin = index * 1_000;
            if begin >= job.space.count {
                return Ok(());
            }
            let found = source.list(&bucket, begin).await?;
            ensure!(found > 0, "an empty page");
            continue;
        }
        if index >= job.space.count {
            return Ok(());
        }
        let key = key_of(index);
        let here = format!("/{bucket}/{key}");
        let there = format!("/sent/{key}");
        match job.verb.as_str() {
            "put" => {
                let file = FileBody::read(&path_of(&job.folder, index), job.signed)?;
                source
                    .put(Target::new(&there), file.checks, file.body)
                    .await?;
            }
            "get" => {
                let path = path_of(&job.folder, index);
                source.get_into(&here, &path).await?;
            }
            "relay" => {
                let (checks, body) = source.get(&here).await?;
                let destination = destination.as_mut().context("no destination")?;
                destination
                    .put(Target::new(&there), checks, Body::Relayed(body))
                    .await?;
            }
            "copy" => {
                source
                    .put(Target::copy(&there, &here), None.into(), Body::Empty)
                    .await?
            }
            "head" => source.head(&here).await?,
            other => bail!("the verb {other:?} is not known"),
        }
    }
}
