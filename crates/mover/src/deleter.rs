//! Deletes objects and files, many at once.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base::fault::Classified;
use base::limits::DELETE_KEYS_MAX;
use base::{BucketName, Fault};
use futures_util::stream::{self, StreamExt as _};
use parking_lot::Mutex;
use remote::Operation;
use remote::types::{DeleteFailure, DeleteObject, DeleteObjects, ObjectIdentifier};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use crate::accounts::Accounts;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::event::{Event, Verb};
use crate::location::{Location, ObjectLocation};

/// Batches under way at once.
/// A guess, not measured: S3 deletes a batch in about a second, 3,500 keys a second a prefix.
const BATCHES_MAX: usize = 8;

/// Deletes under way at once where the store takes them one by one, in each batch.
/// A guess, not measured.
const SINGLES_MAX: usize = 16;

/// How long a batch may go on after the first interrupt.
const GRACE: Duration = Duration::from_secs(2);

/// Why objects are deleted: says which sums they belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeletePurpose {
    /// `rm` named them: `deleted` and `failed`.
    Target,
    /// `sync --delete` found them to be extra: `extra_deleted` and `extra_delete_failed`.
    Extra,
}

/// Takes places and deletes what is there.
///
/// Overview: places are gathered into batches, one a bucket, and each full batch goes out as one
/// DeleteObjects; stores that lack it, and keys that XML cannot carry, are deleted one by one.
/// Invariants: every place taken ends in exactly one sum (`deleted` or `extra_deleted`, the failed
/// one, or `pending` or `extra_kept` when the run stops first), and what is absent counts as
/// deleted. Retries: keys that failed and may pass are asked again under `Context::retry`.
/// Cancellation: once the context is stopping no batch begins; one that had no answer within two
/// seconds counts as failed, since nobody knows what became of it.
#[derive(Debug)]
pub struct Deleter {
    shared: Arc<Shared>,
    waiting: Mutex<HashMap<Option<BucketName>, Vec<Location>>>,
    tasks: TaskTracker,
    batches: Arc<Semaphore>,
}

/// What a batch needs.
#[derive(Debug)]
struct Shared {
    context: Context,
    accounts: Arc<Accounts>,
    purpose: DeletePurpose,
    dry_run: bool,
    /// The store has said that it does not know DeleteObjects.
    one_by_one: AtomicBool,
}

impl Deleter {
    /// A deleter with nothing under way. Objects are deleted in the context's destination store.
    pub fn new(
        context: Context,
        accounts: Arc<Accounts>,
        purpose: DeletePurpose,
        dry_run: bool,
    ) -> Deleter {
        Deleter {
            shared: Arc::new(Shared {
                context,
                accounts,
                purpose,
                dry_run,
                one_by_one: AtomicBool::new(false),
            }),
            waiting: Mutex::new(HashMap::new()),
            tasks: TaskTracker::new(),
            batches: Arc::new(Semaphore::new(BATCHES_MAX)),
        }
    }

    /// Takes one place; waits while too much is under way.
    pub async fn submit(&self, location: Location) {
        let bucket = location.as_remote().map(|object| object.bucket.clone());
        let full = {
            let mut waiting = self.waiting.lock();
            let batch = waiting.entry(bucket).or_default();
            batch.push(location);
            (batch.len() >= DELETE_KEYS_MAX).then(|| std::mem::take(batch))
        };
        if let Some(batch) = full {
            self.begin(batch).await;
        }
    }

    /// Deletes what is left and waits for all.
    pub async fn finish(self) {
        let waiting = std::mem::take(&mut *self.waiting.lock());
        for batch in waiting.into_values() {
            self.begin(batch).await;
        }
        self.tasks.close();
        self.tasks.wait().await;
    }

    async fn begin(&self, batch: Vec<Location>) {
        let shared = Arc::clone(&self.shared);
        let stopping = &shared.context.stopping;
        let permit = tokio::select! {
            biased;
            () = stopping.cancelled() => {
                shared.keep(batch.len() as u64);
                return;
            }
            permit = Arc::clone(&self.batches).acquire_owned() => {
                permit.expect("the semaphore of batches is never closed")
            }
        };
        let work = {
            let shared = Arc::clone(&shared);
            async move {
                shared.delete(batch).await;
                drop(permit);
            }
        };
        drop(base::tasks::spawn("delete", self.tasks.track_future(work)));
    }
}

impl Shared {
    /// Counts places that were not begun.
    fn keep(&self, count: u64) {
        match self.purpose {
            DeletePurpose::Target => self.accounts.pending.add(count),
            DeletePurpose::Extra => self.accounts.extra_kept.add(count),
        }
    }

    fn gone(&self, location: &Location) {
        match self.purpose {
            DeletePurpose::Target => self.accounts.deleted.add(1),
            DeletePurpose::Extra => self.accounts.extra_deleted.add(1),
        }
        self.context.observer.on_event(&Event::Deleted { location });
    }

    fn failed(&self, location: &Location, error: &Error) {
        // A request that was never let go: nothing happened to this one.
        if matches!(error, Error::Remote(error) if error.fault() == Fault::Cancelled) {
            self.keep(1);
            return;
        }
        match self.purpose {
            DeletePurpose::Target => self.accounts.failed.add(1),
            DeletePurpose::Extra => self.accounts.extra_delete_failed.add(1),
        }
        self.context.observer.on_event(&Event::Failed {
            verb: Verb::Delete,
            source: Some(location),
            destination: None,
            error,
        });
    }

    /// Deletes one batch, all of it local or all of one bucket, and settles each place.
    async fn delete(&self, batch: Vec<Location>) {
        if self.dry_run {
            batch.iter().for_each(|location| self.gone(location));
            return;
        }
        let mut files = Vec::new();
        let mut objects = Vec::new();
        for location in batch {
            match location {
                Location::Local(path) => files.push(path),
                Location::Remote(object) => objects.push(object),
            }
        }
        self.delete_files(files).await;
        self.delete_objects(objects).await;
    }

    async fn delete_files(&self, files: Vec<PathBuf>) {
        if files.is_empty() {
            return;
        }
        let removed = base::tasks::blocking(move || {
            let remove = |path: PathBuf| {
                let result = match std::fs::remove_file(&path) {
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
                    result => result.map_err(Error::local("remove", &path)),
                };
                (Location::Local(path), result)
            };
            files.into_iter().map(remove).collect::<Vec<_>>()
        })
        .await;
        for (location, result) in removed {
            self.settle(&location, result);
        }
    }

    fn settle(&self, location: &Location, result: Result<()>) {
        match result {
            Ok(()) => self.gone(location),
            Err(error) => self.failed(location, &error),
        }
    }

    async fn delete_objects(&self, objects: Vec<ObjectLocation>) {
        let (carried, singles): (Vec<_>, Vec<_>) = objects
            .into_iter()
            .partition(|object| is_xml(object.key.as_str()));
        self.delete_singles(singles).await;
        if carried.is_empty() {
            return;
        }
        if carried.len() == 1 || self.one_by_one.load(Ordering::Relaxed) {
            self.delete_singles(carried).await;
            return;
        }
        let round = Round {
            bucket: carried[0].bucket.clone(),
            left: Mutex::new(carried),
        };
        let retry = &self.context.retry;
        let rounds = base::flow::retry(retry, &self.context.clock, |tries| {
            self.send_round(&round, tries >= retry.tries_max)
        });
        let ended = tokio::select! {
            biased;
            ended = rounds => ended,
            () = self.grace_over() => Err(Error::Cancelled),
        };
        let left = round.left.into_inner();
        match ended {
            Ok(()) => {}
            Err(error) if is_unknown_to_store(&error) => {
                self.one_by_one.store(true, Ordering::Relaxed);
                self.delete_singles(left).await;
            }
            Err(error) => {
                for object in left {
                    self.failed(&Location::Remote(object), &error);
                }
            }
        }
    }

    /// Sends what is left of a round, settles what is decided, and fails with the first error that
    /// another try may mend. On the last try every answer is final.
    async fn send_round(&self, round: &Round, last: bool) -> Result<()> {
        let objects: Vec<ObjectIdentifier> = round.left.lock().iter().map(identifier).collect();
        let request = DeleteObjects {
            bucket: round.bucket.clone(),
            objects,
        };
        let output = self.context.destination.delete_objects(request).await?;
        let mut answers: HashMap<(String, Option<String>), Option<DeleteFailure>> = HashMap::new();
        for deleted in output.deleted {
            answers.insert(answer_key(&deleted.object), None);
        }
        for failure in output.failed {
            answers.insert(answer_key(&failure.object), Some(failure));
        }
        let mut again = None;
        let objects = std::mem::take(&mut *round.left.lock());
        let mut left = Vec::new();
        for object in objects {
            let error = match answers.remove(&answer_key(&identifier(&object))) {
                Some(None) => {
                    self.gone(&Location::Remote(object));
                    continue;
                }
                Some(Some(failure)) => failure_of(&object, &failure),
                None => Error::Remote(
                    remote::Error::new(
                        Operation::DeleteObjects,
                        Fault::Unavailable,
                        "the answer does not name this key",
                    )
                    .about(Some(object.bucket.as_str()), Some(object.key.as_str())),
                ),
            };
            if error.fault().is_retryable() && !last {
                again = Some(error);
                left.push(object);
            } else {
                self.failed(&Location::Remote(object), &error);
            }
        }
        *round.left.lock() = left;
        again.map_or(Ok(()), Err)
    }

    async fn delete_singles(&self, objects: Vec<ObjectLocation>) {
        stream::iter(objects)
            .for_each_concurrent(SINGLES_MAX, |object| async move {
                if self.context.stopping.is_cancelled() {
                    self.keep(1);
                    return;
                }
                let request = DeleteObject {
                    bucket: object.bucket.clone(),
                    key: object.key.clone(),
                    version_id: object.version_id.clone(),
                    if_match: None,
                };
                let result = tokio::select! {
                    biased;
                    answer = self.context.destination.delete_object(request) => match answer {
                        Ok(_) => Ok(()),
                        // Some stores answer 404 for a key that is absent.
                        Err(error) if error.is_code("NoSuchKey") => Ok(()),
                        Err(error) => Err(Error::Remote(error)),
                    },
                    () = self.grace_over() => Err(Error::Cancelled),
                };
                self.settle(&Location::Remote(object), result);
            })
            .await;
    }

    async fn grace_over(&self) {
        self.context.stopping.cancelled().await;
        tokio::time::sleep(GRACE).await;
    }
}

/// One DeleteObjects with its repetitions.
#[derive(Debug)]
struct Round {
    bucket: BucketName,
    /// What is not settled yet.
    left: Mutex<Vec<ObjectLocation>>,
}

fn identifier(object: &ObjectLocation) -> ObjectIdentifier {
    ObjectIdentifier {
        key: object.key.clone(),
        version_id: object.version_id.clone(),
    }
}

fn answer_key(object: &ObjectIdentifier) -> (String, Option<String>) {
    let version = object.version_id.as_ref().map(ToString::to_string);
    (object.key.to_string(), version)
}

/// The error of one key in an answer that is a success as a whole.
fn failure_of(object: &ObjectLocation, failure: &DeleteFailure) -> Error {
    let fault = match failure.code.as_str() {
        "SlowDown" | "ServiceUnavailable" => Fault::Throttled { retry_after: None },
        "InternalError" | "RequestTimeout" | "OperationAborted" => Fault::Unavailable,
        "AccessDenied" => Fault::Denied,
        "NoSuchVersion" | "NoSuchKey" => Fault::NotFound,
        _ => Fault::Invalid,
    };
    let error = remote::Error::new(Operation::DeleteObjects, fault, failure.message.as_str())
        .about(Some(object.bucket.as_str()), Some(object.key.as_str()))
        .with_code(failure.code.as_str());
    Error::Remote(error)
}

fn is_unknown_to_store(error: &Error) -> bool {
    error.fault() == Fault::Unsupported
}

/// Whether XML 1.0 can carry the key: most control characters it cannot, not even escaped.
/// Source: W3C, "Extensible Markup Language 1.0", production `Char` (read 2026-11).
fn is_xml(key: &str) -> bool {
    key.chars().all(|c| {
        !matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
    })
}

#[cfg(test)]
mod tests;
