//! The list of keys that are missing: what must still be collected, for `cp --keys`.
//!
//! Invariants: each key once, in order, a line each; the list appears whole or not at all, so that
//! an earlier one stands until then. Limits: keys are sorted on disk beyond a few megabytes.

use std::fs::Permissions;
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base::{ByteCount, Key};
use parking_lot::Mutex;
use tempfile::NamedTempFile;

use crate::accounts::Accounts;
use crate::context::Context;
use crate::engine::{Engine, Move};
use crate::entry::Entry;
use crate::error::{Error, Result};
use crate::event::{Event, Observer, Verb};
use crate::list::spool_error;
use crate::location::{Location, ObjectLocation};
use crate::options::TransferOptions;
use crate::spool::{Record, Sorter};
use crate::url::Target;

/// Keys gathered before they go to the sorter.
const BATCH: usize = 1_000;

/// Keys on their way into a list.
#[derive(Debug)]
pub struct Missing {
    target: Target,
    batch: Vec<Record>,
    // Taken out only while a blocking task works on it.
    sorter: Option<Sorter>,
}

/// A list that was written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recorded {
    /// Keys in it.
    pub keys: u64,
    /// Keys that no list can name, since they hold a tab or a line end.
    pub unnamed: Vec<String>,
}

impl Missing {
    /// A list to be written to a file or an object.
    pub fn new(target: Target) -> Result<Missing> {
        if let Target::Remote(url) = &target
            && url.is_prefix()
        {
            return Err(Error::Usage(format!(
                "{url} names no object to write a list to"
            )));
        }
        if let Target::Local(path) = &target
            && !folder_of(path).is_dir()
        {
            // Said before the first request, not after the last.
            let path = path.display();
            return Err(Error::Usage(format!(
                "{path} cannot be written: its folder is not there"
            )));
        }
        Ok(Missing {
            target,
            batch: Vec::new(),
            sorter: Some(Sorter::new()),
        })
    }

    /// Adds a key.
    pub async fn add(&mut self, key: &str) -> Result<()> {
        self.batch.push(Record {
            key: key.as_bytes().to_vec(),
            value: Vec::new(),
        });
        match self.batch.len() {
            BATCH => self.spool().await,
            _ => Ok(()),
        }
    }

    async fn spool(&mut self) -> Result<()> {
        let mut sorter = self.sorter.take().expect("only absent while a task has it");
        let batch = std::mem::take(&mut self.batch);
        let (sorter, pushed) = base::tasks::blocking(move || {
            let pushed = batch.into_iter().try_for_each(|record| sorter.push(record));
            (sorter, pushed)
        })
        .await;
        self.sorter = Some(sorter);
        pushed.map_err(spool_error)
    }

    /// Writes the list in place of an earlier one. An object is written by `context.destination`.
    pub async fn write(mut self, context: &Context) -> Result<Recorded> {
        self.spool().await?;
        let sorter = self.sorter.take().expect("only absent while a task has it");
        let path = match &self.target {
            Target::Local(path) => path.clone(),
            Target::Remote(_) => std::env::temp_dir().join("list"),
        };
        let gathered = base::tasks::blocking(move || {
            let error = Error::local("write", path.clone());
            gather(sorter, &path).map_err(error)
        });
        let (file, recorded) = gathered.await?;
        match self.target {
            Target::Local(path) => {
                let placed = base::tasks::blocking(move || {
                    let placed = file.persist(&path).map_err(|error| error.error);
                    placed.map_err(Error::local("write", path)).map(drop)
                });
                placed.await?;
            }
            Target::Remote(url) => {
                let key = Key::new(url.path.as_str())
                    .map_err(|error| Error::Usage(format!("{url}: {error}")))?;
                let object = ObjectLocation {
                    bucket: url.bucket,
                    key,
                    version_id: None,
                };
                send(file.path(), object, context).await?;
            }
        }
        Ok(recorded)
    }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Writes the keys in order to a file beside `path`.
fn gather(sorter: Sorter, path: &Path) -> io::Result<(NamedTempFile, Recorded)> {
    let file = tempfile::Builder::new()
        .prefix(".longhaul-")
        .suffix(".part")
        // What the umask leaves of it, as for any file.
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(folder_of(path))?;
    let mut writer = BufWriter::new(file);
    let mut recorded = Recorded::default();
    let mut previous: Option<Vec<u8>> = None;
    for record in sorter.finish()? {
        let key = record?.key;
        if previous.as_deref() == Some(&*key) {
            continue;
        }
        if key.iter().any(|byte| matches!(byte, b'\t' | b'\n')) || key.ends_with(b"\r") {
            let name = String::from_utf8_lossy(&key).into_owned();
            recorded.unnamed.push(name);
        } else {
            writer.write_all(&key)?;
            writer.write_all(b"\n")?;
            recorded.keys += 1;
        }
        previous = Some(key);
    }
    let file = writer.into_inner().map_err(|error| error.into_error())?;
    file.as_file().sync_all()?;
    Ok((file, recorded))
}

/// Moves the list to its place in a store, by the way of all objects.
async fn send(path: &Path, object: ObjectLocation, context: &Context) -> Result<()> {
    let heard = Arc::new(Heard::default());
    let context = Context {
        observer: Arc::clone(&heard) as Arc<dyn Observer>,
        ..context.clone()
    };
    let length = length_of(path).await?;
    let accounts = Arc::new(Accounts::default());
    let engine = Engine::new(context, Arc::clone(&accounts));
    accounts.listed.add(1);
    let task = Move {
        verb: Verb::Copy,
        source: Entry {
            location: Location::Local(path.to_owned()),
            relative_start: 0,
            size: length,
            modified: None,
            etag: None,
            storage_class: None,
            checksum_algorithm: None,
            is_delete_marker: false,
        },
        destination: Location::Remote(object.clone()),
        options: Arc::new(TransferOptions::default()),
    };
    engine.submit(task).await;
    engine.finish().await;
    if accounts.copied.get() == 1 {
        return Ok(());
    }
    let cause = heard.0.lock().take();
    let cause = cause.unwrap_or_else(|| "stopped before it was done".to_owned());
    Err(Error::Refused(format!("write {object}: {cause}")))
}

async fn length_of(path: &Path) -> Result<ByteCount> {
    let path: PathBuf = path.to_owned();
    base::tasks::blocking(move || {
        let metadata = std::fs::metadata(&path).map_err(Error::local("look at", path))?;
        Ok(ByteCount(metadata.len()))
    })
    .await
}

/// Keeps why the list could not be sent.
#[derive(Debug, Default)]
struct Heard(Mutex<Option<String>>);

impl Observer for Heard {
    fn on_event(&self, event: &Event<'_>) {
        if let Event::Failed { error, .. } | Event::Refused { error, .. } = event {
            *self.0.lock() = Some(error.to_string());
        }
    }
}
