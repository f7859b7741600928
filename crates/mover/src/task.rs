//! One object's move from its begin to its one outcome.

use std::sync::Arc;
use std::time::Duration;

use base::Fault;
use base::fault::Classified as _;
use jiff::Timestamp;
use remote::Operation;
use remote::types::{DeleteObject, HeadObject};

use crate::conditions::Seen;
use crate::engine::Move;
use crate::error::{Error, Result};
use crate::event::{Event, Moved, SkipReason, Verb, Verified};
use crate::file_name;
use crate::job::copy::CopyConditions;
use crate::journal::Slip;
use crate::location::{Location, ObjectLocation};
use crate::pin::FilePin;
use crate::route::{is_amazon, same_store};
use crate::transfer::carry;
use crate::transfer::scope::{Arrived, Carried, Scope};

/// What an error makes of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// Its source is no longer there.
    Gone,
    /// It cannot be moved as it is, and no try would change that.
    Refused,
    /// The run was stopped: it was not begun as far as anybody can tell.
    Pending,
    /// It failed.
    Failed,
}

/// How a move ended, for who carries out several in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It stands at the destination.
    Arrived,
    /// What was there was kept.
    Kept,
    /// Its source is no longer there.
    Gone,
    /// Refused or failed.
    NotMoved,
    /// The run was stopped.
    Pending,
}

/// Carries out `task` and settles it: one sum, one event, and its line in the journal.
pub(crate) async fn run(
    scope: Arc<Scope>,
    task: Move,
    conditions: CopyConditions,
    slip: Option<Slip>,
) -> Outcome {
    let mut ticket = Ticket {
        scope: &scope,
        task: &task,
        slip,
        settled: false,
    };
    let started = tokio::time::Instant::now();
    let result = match before(&scope, &task, &conditions).await {
        Ok(Some(reason)) => Ok(Carried::Kept(reason)),
        Ok(None) if task.options.dry_run => {
            ticket.would_move();
            return Outcome::Arrived;
        }
        Ok(None) => Box::pin(carry(&scope, &task, conditions.keeps_all())).await,
        Err(error) => Err(error),
    };
    match result {
        Ok(Carried::Kept(reason)) => {
            ticket.kept(&reason);
            Outcome::Kept
        }
        Ok(Carried::Arrived(arrived)) => {
            let deleted = match task.verb {
                Verb::Move => delete_source(&scope, &task, &arrived).await,
                Verb::Copy | Verb::Delete => Ok(()),
            };
            ticket.arrived(arrived, started.elapsed(), deleted);
            Outcome::Arrived
        }
        Err(error) => ticket.not_moved(&error),
    }
}

/// What can be said before a byte moves: refusals, and what is kept.
async fn before(
    scope: &Scope,
    task: &Move,
    conditions: &CopyConditions,
) -> Result<Option<SkipReason>> {
    // The endpoints' names decide, since one endpoint may be reached by two clients.
    let same_side = match (&task.source.location, &task.destination) {
        (Location::Remote(from), Location::Remote(to)) => {
            from.bucket == to.bucket
                && from.key == to.key
                && same_store(&scope.source().endpoint(), &scope.destination().endpoint())
        }
        (from, to) => from == to,
    };
    if same_side {
        return Err(Error::Refused(format!(
            "source and destination are the same: {}",
            task.destination
        )));
    }
    let archived = task.source.storage_class.as_ref();
    if archived.is_some_and(remote::types::StorageClass::is_archived)
        && task.source.location.as_remote().is_some()
        && !task.options.force_glacier_transfer
    {
        if task.options.ignore_glacier_warnings {
            return Ok(Some(SkipReason::Archived));
        }
        return Err(Error::Refused(format!(
            "object '{}' is on Glacier storage",
            task.source.location
        )));
    }
    if let (Location::Remote(_), Location::Local(path)) = (&task.source.location, &task.destination)
    {
        file_name::place(task.source.relative(), path)?;
    }
    if !conditions.look() {
        return Ok(None);
    }
    let source = Seen {
        size: task.source.size,
        modified: task.source.modified,
    };
    let destination = scope.within_grace(look(scope, &task.destination)).await?;
    Ok(conditions.keep(&source, destination.as_ref()))
}

/// What stands at `location`, if anything does.
async fn look(scope: &Scope, location: &Location) -> Result<Option<Seen>> {
    match location {
        Location::Local(path) => {
            let path = path.clone();
            base::tasks::blocking(move || match std::fs::metadata(&path) {
                Ok(metadata) => Ok(Some(Seen {
                    size: FilePin::of(&metadata).size(),
                    modified: metadata
                        .modified()
                        .ok()
                        .and_then(|time| Timestamp::try_from(time).ok()),
                })),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(Error::local("look at", path)(error)),
            })
            .await
        }
        Location::Remote(object) => {
            let request = HeadObject::new(object.bucket.clone(), object.key.clone());
            match scope.destination().head_object(request).await {
                Ok(head) => Ok(Some(Seen {
                    size: head.size,
                    modified: head.last_modified,
                })),
                Err(error) if error.fault() == Fault::NotFound => Ok(None),
                Err(error) => Err(error.into()),
            }
        }
    }
}

/// Deletes the source of a move, if it is still what arrived and its arrival was compared.
async fn delete_source(scope: &Scope, task: &Move, arrived: &Arrived) -> Result<()> {
    if arrived.verified == Verified::SizeOnly {
        return Err(Error::Refused(format!(
            "{} is kept: nothing but the size of its copy could be compared",
            task.source.location
        )));
    }
    match &task.source.location {
        Location::Local(path) => {
            let (path, pin) = (path.clone(), arrived.source_pin);
            base::tasks::blocking(move || {
                let metadata = std::fs::metadata(&path).map_err(Error::local("look at", &path))?;
                if Some(FilePin::of(&metadata)) != pin {
                    return Err(Error::Changed(path.display().to_string()));
                }
                std::fs::remove_file(&path).map_err(Error::local("remove", &path))
            })
            .await
        }
        Location::Remote(object) => delete_object(scope, object, arrived).await,
    }
}

/// Deletes an object if it is still the one that was copied.
///
/// Amazon S3 is known to compare If-Match of a delete; others may ignore it, so they are asked by
/// HEAD first, which leaves a gap of one round trip.
async fn delete_object(scope: &Scope, object: &ObjectLocation, arrived: &Arrived) -> Result<()> {
    let client = scope.source();
    if !is_amazon(&client.endpoint()) && !still_there(scope, object, arrived).await? {
        return Ok(());
    }
    let mut request = DeleteObject {
        bucket: object.bucket.clone(),
        key: object.key.clone(),
        version_id: object.version_id.clone(),
        if_match: arrived.source_etag.clone(),
    };
    // A version is one content for good.
    if request.version_id.is_some() {
        request.if_match = None;
    }
    match client.delete_object(request.clone()).await {
        Ok(_) => Ok(()),
        Err(error) if error.fault() == Fault::NotFound && !error.is_code("NoSuchBucket") => Ok(()),
        Err(error) if request.if_match.is_some() && error.fault() == Fault::Unsupported => {
            if !still_there(scope, object, arrived).await? {
                return Ok(());
            }
            request.if_match = None;
            client.delete_object(request).await?;
            Ok(())
        }
        Err(error) if error.fault() == Fault::Conflict => Err(Error::Changed(object.to_string())),
        Err(error) => Err(error.into()),
    }
}

/// Whether the object that was copied is still there; false if nothing is, an error if another is.
async fn still_there(scope: &Scope, object: &ObjectLocation, arrived: &Arrived) -> Result<bool> {
    let mut request = HeadObject::new(object.bucket.clone(), object.key.clone());
    request.version_id = object.version_id.clone();
    match scope.source().head_object(request).await {
        Ok(head) if head.etag == arrived.source_etag && head.size == arrived.size => Ok(true),
        Ok(_) => Err(Error::Changed(object.to_string())),
        Err(error) if error.fault() == Fault::NotFound => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// What `error` makes of the object at `source`. Pure.
fn verdict(error: &Error, source: &Location) -> Verdict {
    match (error, source) {
        (Error::Cancelled, _) => Verdict::Pending,
        (Error::Name { .. } | Error::Refused(_) | Error::Usage(_), _) => Verdict::Refused,
        (Error::Remote(error), Location::Remote(object)) if is_gone(error, object) => Verdict::Gone,
        (Error::Remote(error), _) if error.is_code("InvalidObjectState") => Verdict::Refused,
        (Error::Remote(error), _) if error.fault() == Fault::Cancelled => Verdict::Pending,
        (Error::Local { path, source, .. }, Location::Local(from))
            if path == from && source.kind() == std::io::ErrorKind::NotFound =>
        {
            Verdict::Gone
        }
        (
            Error::Remote(_)
            | Error::Local { .. }
            | Error::Mismatch { .. }
            | Error::WrongStored { .. }
            | Error::Changed(_)
            | Error::NotFound(_)
            | Error::Unordered { .. }
            | Error::Bug(_),
            _,
        ) => Verdict::Failed,
    }
}

/// Whether a store says that the source is not there. A missing bucket is a failure, and so is a
/// destination that is not found.
fn is_gone(error: &remote::Error, source: &ObjectLocation) -> bool {
    if error.fault() != Fault::NotFound || error.is_code("NoSuchBucket") {
        return false;
    }
    match error.operation() {
        Operation::GetObject | Operation::HeadObject => error.key().is_none_or(|key| {
            key == source.key.as_str()
                && error
                    .bucket()
                    .is_none_or(|bucket| bucket == source.bucket.as_str())
        }),
        Operation::CopyObject | Operation::UploadPartCopy => {
            error.is_code("NoSuchKey") || error.is_code("NoSuchVersion")
        }
        _ => false,
    }
}

/// Settles one move exactly once, also when its task panics.
struct Ticket<'a> {
    scope: &'a Scope,
    task: &'a Move,
    /// Its place in the journal; what is dropped with it is to be done again.
    slip: Option<Slip>,
    settled: bool,
}

impl Ticket<'_> {
    fn settle(&mut self) {
        assert!(!self.settled, "a move is settled once");
        self.settled = true;
        self.scope.accounts.in_flight.subtract(1);
    }

    /// Settles what need not be done again.
    fn settle_done(&mut self) {
        if let Some(slip) = self.slip.take() {
            slip.done();
        }
        self.settle();
    }

    /// Settles what is to be done again when the job is gone on with.
    fn settle_again(&mut self) {
        if let Some(slip) = self.slip.take() {
            slip.again();
        }
        self.settle();
    }

    fn tell(&self, event: &Event<'_>) {
        self.scope.context.observer.on_event(event);
    }

    fn would_move(&mut self) {
        let moved = Moved {
            size: self.task.source.size,
            dry_run: true,
            source_etag: self.task.source.etag.clone(),
            ..self.moved()
        };
        self.scope.accounts.copied.add(1);
        self.scope.accounts.bytes_copied.add(moved.size.0);
        self.settle();
        self.tell(&Event::Moved(&moved));
    }

    /// A row with what the move itself tells.
    fn moved(&self) -> Moved {
        Moved {
            verb: self.task.verb,
            source: self.task.source.location.clone(),
            destination: self.task.destination.clone(),
            size: self.task.source.size,
            source_etag: None,
            destination_etag: None,
            source_version: None,
            destination_version: None,
            verified: Verified::SizeOnly,
            tries: 1,
            elapsed: Duration::ZERO,
            storage_class: self
                .task
                .options
                .attributes
                .storage_class
                .as_ref()
                .map(|class| class.as_str().to_owned()),
            lost: Vec::new(),
            dry_run: false,
        }
    }

    fn arrived(&mut self, arrived: Arrived, elapsed: Duration, deleted: Result<()>) {
        let accounts = &self.scope.accounts;
        accounts.copied.add(1);
        accounts.bytes_copied.add(arrived.size.0);
        if arrived.verified == Verified::SizeOnly {
            accounts.unverified.add(1);
        }
        // Forgotten only once the object is settled.
        let finished = arrived.finished;
        let moved = Moved {
            size: arrived.size,
            source_etag: arrived.source_etag,
            destination_etag: arrived.destination_etag,
            source_version: arrived.source_version,
            destination_version: arrived.destination_version,
            verified: arrived.verified,
            tries: arrived.tries,
            lost: arrived.lost,
            elapsed,
            ..self.moved()
        };
        match deleted {
            Ok(()) => {
                self.settle_done();
                drop(finished);
                self.tell(&Event::Moved(&moved));
            }
            Err(error) => {
                accounts.copied_not_deleted.add(1);
                self.settle_again();
                drop(finished);
                let (moved, error) = (&moved, &error);
                self.tell(&Event::CopiedNotDeleted { moved, error });
            }
        }
    }

    fn kept(&mut self, reason: &SkipReason) {
        match reason {
            SkipReason::Archived
            | SkipReason::Filtered
            | SkipReason::OtherShard
            | SkipReason::DirectoryMarker => self.scope.accounts.ignored.add(1),
            SkipReason::Exists
            | SkipReason::SizeMatches
            | SkipReason::NewerOrSameAge
            | SkipReason::NewerOrSameAgeAndSizeMatches
            | SkipReason::ContentMatches
            | SkipReason::DoneBefore => self.scope.accounts.same.add(1),
        }
        self.settle_done();
        self.tell(&Event::Skipped {
            verb: self.task.verb,
            source: &self.task.source.location,
            destination: Some(&self.task.destination),
            size: self.task.source.size,
            reason,
        });
    }

    fn not_moved(&mut self, error: &Error) -> Outcome {
        let (verb, source) = (self.task.verb, &self.task.source.location);
        let destination = Some(&self.task.destination);
        let accounts = &self.scope.accounts;
        match verdict(error, source) {
            Verdict::Pending => {
                accounts.pending.add(1);
                self.settle();
                Outcome::Pending
            }
            Verdict::Gone => {
                accounts.gone.add(1);
                self.settle_done();
                self.tell(&Event::Gone {
                    verb,
                    source,
                    destination,
                });
                Outcome::Gone
            }
            Verdict::Refused => {
                accounts.refused.add(1);
                self.settle_again();
                self.tell(&Event::Refused {
                    verb,
                    source,
                    destination,
                    error,
                });
                Outcome::NotMoved
            }
            Verdict::Failed => {
                accounts.failed.add(1);
                self.settle_again();
                self.tell(&Event::Failed {
                    verb,
                    source: Some(source),
                    destination,
                    error,
                });
                Outcome::NotMoved
            }
        }
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        if self.settled {
            return;
        }
        // The task panicked, or the runtime is going down: the sums must still close.
        self.scope.accounts.in_flight.subtract(1);
        self.scope.accounts.failed.add(1);
        let error = Error::Bug("the move ended without a result".to_owned());
        self.tell(&Event::Failed {
            verb: self.task.verb,
            source: Some(&self.task.source.location),
            destination: Some(&self.task.destination),
            error: &error,
        });
    }
}
