//! Whether a destination holds what a source holds, or what a manifest says it got.
//!
//! Overview: both sides are merged by name as `sync` merges them ([`sides`]), or a manifest's rows
//! with the destination ([`recorded`]). What the listings settle is settled there; for the rest
//! [`content`] asks both stores, or reads, and [`agreement`] says what the answers prove.
//! Invariants: *equal* is said only with its means, never because of sizes alone; whatever could
//! not be asked is *unknown*, which is a failure; every object listed has one outcome. Ordering:
//! findings come as they are made. Cancellation: a stopping context ends the run, what was not
//! looked at is `pending`. Limits: memory does not grow with the number of objects, but for a
//! sample of a number of them, which is held until both sides were listed.

pub mod agreement;
mod content;
mod etag_hasher;
mod looks;
mod recorded;
pub mod sample;
mod sides;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base::Fault;
use base::fault::Classified as _;

pub use self::agreement::Means;
pub use self::sample::Sample;
use crate::accounts::{Accounts, Counter};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::filter::Filter;
use crate::job::Ending;
use crate::source::Source;
use crate::url::Target;

/// What is compared with what.
#[derive(Debug, Clone)]
pub struct VerifyJob {
    /// What is to be there.
    pub source: Source,
    /// Where.
    pub destination: Target,
    /// Which of the source's objects count.
    pub filter: Filter,
    /// How closely.
    pub scrutiny: Scrutiny,
}

/// A manifest, compared with what stands at its destinations now.
#[derive(Debug, Clone)]
pub struct ManifestJob {
    /// The manifest.
    pub manifest: PathBuf,
    /// Ask also whether the sources are still what they were, those below this.
    pub source: Option<Target>,
    /// Rows that went below this bucket, prefix or folder are looked at.
    pub destination: Target,
    /// The destination's store lists in no order.
    pub unordered: bool,
    /// How closely.
    pub scrutiny: Scrutiny,
}

/// How closely objects are looked at.
#[derive(Debug, Clone, Copy, Default)]
pub struct Scrutiny {
    /// Read the destination's bytes, and the source's where it has no checksum to compare with.
    pub read: bool,
    /// Look closer at these only; the others are compared by their listings alone.
    pub sample: Option<Sample>,
    /// Draws the sample.
    pub seed: u64,
}

/// What is known of one object.
#[derive(Debug)]
pub enum State {
    /// The same bytes stand at both sides.
    Equal(Means),
    /// The destination does not have it.
    Missing,
    /// The destination has something else: what differs.
    Differing(String),
    /// Only the destination has it.
    Extra,
    /// Sizes agree, and there is nothing else to compare.
    Unverifiable,
    /// It could not be asked.
    Unknown(Error),
}

/// One object and what is known of it.
#[derive(Debug)]
pub struct Finding<'a> {
    /// The object at the source; absent for one that only the destination has.
    pub source: Option<&'a str>,
    /// The object at the destination, or where it should be.
    pub destination: &'a str,
    /// What is known.
    pub state: &'a State,
}

/// Hears every finding, from many tasks at once.
pub trait Listener: Send + Sync {
    /// Hears one.
    fn on_finding(&self, finding: &Finding<'_>);
}

macro_rules! sums {
    ($($(#[$doc:meta])* $field:ident),+ $(,)?) => {
        #[derive(Debug, Default)]
        pub(crate) struct Tally { $($(#[$doc])* pub(crate) $field: Counter,)+ }

        /// How many objects of each kind.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
        pub struct Sums { $($(#[$doc])* pub $field: u64,)+ }

        impl Tally {
            fn sums(&self) -> Sums {
                Sums { $($field: self.$field.get(),)+ }
            }
        }
    };
}

sums! {
    /// Objects of the source, or rows of the manifest.
    listed,
    /// Equal by a checksum of the whole.
    equal_by_checksum,
    /// Equal by ETag.
    equal_by_etag,
    /// Equal, bytes read back.
    equal_by_reading,
    /// Not at the destination.
    missing,
    /// Something else at the destination.
    differing,
    /// Sizes agree and nothing else can be compared.
    unverifiable,
    /// Could not be asked.
    unknown,
    /// Of equal size and not in the sample.
    not_sampled,
    /// Filtered, of another shard, a directory marker, or a row that names nothing to be there.
    ignored,
    /// Not looked at before the run was stopped.
    pending,
    /// Only at the destination; not among `listed`.
    extra,
}

impl Sums {
    /// Objects known to be equal.
    pub fn equal(&self) -> u64 {
        self.equal_by_checksum + self.equal_by_etag + self.equal_by_reading
    }

    /// Whether every object listed has exactly one outcome.
    pub fn close(&self) -> bool {
        let outcomes = self.equal()
            + self.missing
            + self.differing
            + self.unverifiable
            + self.unknown
            + self.not_sampled
            + self.ignored
            + self.pending;
        self.listed == outcomes
    }
}

/// `12 listed: 9 equal (8 by checksum, 1 by ETag), 1 missing, 1 differing, 1 unverifiable; 2 extra`:
/// all that is not zero.
impl fmt::Display for Sums {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} listed: {} equal", self.listed, self.equal())?;
        let means = [
            (self.equal_by_checksum, "by checksum"),
            (self.equal_by_etag, "by ETag"),
            (self.equal_by_reading, "read back"),
        ];
        let mut parted = " (";
        for (count, word) in means.into_iter().filter(|(count, _)| *count > 0) {
            write!(f, "{parted}{count} {word}")?;
            parted = ", ";
        }
        if self.equal() > 0 {
            f.write_str(")")?;
        }
        for (count, word) in [
            (self.missing, "missing"),
            (self.differing, "differing"),
            (self.unverifiable, "unverifiable"),
            (self.unknown, "unknown"),
            (self.not_sampled, "not in the sample"),
            (self.ignored, "ignored"),
            (self.pending, "not looked at"),
        ] {
            if count > 0 {
                write!(f, ", {count} {word}")?;
            }
        }
        if self.extra > 0 {
            write!(f, "; {} extra at the destination", self.extra)?;
        }
        Ok(())
    }
}

/// How a verification ended.
#[derive(Debug, Clone)]
pub struct Verification {
    /// The sums.
    pub sums: Sums,
    /// Things that could not be listed, each told as an event.
    pub problems: u64,
    /// Stopped on purpose before the end.
    pub stopped: bool,
    /// Wall time.
    pub elapsed: Duration,
}

impl Verification {
    /// Whether there was something to look at, and the sample held none of it.
    pub fn drew_nothing(&self) -> bool {
        let sums = &self.sums;
        sums.not_sampled > 0 && sums.equal() + sums.unverifiable == 0
    }

    /// What it amounts to. Unverifiable objects are a failure only under `strict`, extra ones
    /// unless they are allowed. A sample that drew nothing has verified nothing.
    pub fn ending(&self, strict: bool, allow_extra: bool) -> Ending {
        let sums = &self.sums;
        let findings = sums.missing + sums.differing + sums.unknown + self.problems;
        let extra = if allow_extra { 0 } else { sums.extra };
        let unsure = if strict { sums.unverifiable } else { 0 };
        if self.stopped {
            Ending::Stopped
        } else if findings + extra + unsure > 0 || self.drew_nothing() || !sums.close() {
            Ending::Failed
        } else {
            Ending::Done
        }
    }
}

/// Compares two sides.
///
/// An error is what kept it from coming to an end, a broken listing above all: what it found until
/// then was told, and proves nothing of the rest.
pub async fn run(
    job: VerifyJob,
    context: &Context,
    accounts: &Arc<Accounts>,
    listener: Arc<dyn Listener>,
) -> Result<Verification> {
    let started = tokio::time::Instant::now();
    let before = accounts.job_failures.get();
    let looks = looks::Looks::new(context, listener, job.scrutiny);
    let ended = sides::merge(&job, context, accounts, &looks).await;
    let problems = accounts.job_failures.get() - before;
    finish(looks, ended, problems, context, started).await
}

/// Compares a manifest with what stands at its destinations.
pub async fn run_manifest(
    job: ManifestJob,
    context: &Context,
    accounts: &Arc<Accounts>,
    listener: Arc<dyn Listener>,
) -> Result<Verification> {
    let started = tokio::time::Instant::now();
    let before = accounts.job_failures.get();
    let looks = looks::Looks::new(context, listener, job.scrutiny);
    let ended = recorded::merge(&job, context, accounts, &looks).await;
    let problems = accounts.job_failures.get() - before;
    finish(looks, ended, problems, context, started).await
}

async fn finish(
    looks: looks::Looks,
    ended: Result<()>,
    problems: u64,
    context: &Context,
    started: tokio::time::Instant,
) -> Result<Verification> {
    // What was begun ends, also when a listing broke: its findings are true.
    let sums = looks.finish(ended.is_ok()).await;
    let stopping = context.stopping.is_cancelled();
    let whole = match ended {
        Ok(()) => true,
        Err(error) if stopping && error.fault() == Fault::Cancelled => false,
        Err(error) => return Err(error),
    };
    Ok(Verification {
        sums,
        problems,
        stopped: stopping && (!whole || sums.pending > 0),
        elapsed: started.elapsed(),
    })
}
