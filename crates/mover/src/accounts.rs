//! The sums of a job: every object of the source is in exactly one of them.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! sums {
    ($($(#[$doc:meta])* $field:ident),+ $(,)?) => {
        /// Live counters of a job; cheap to add to from any task.
        #[derive(Debug, Default)]
        pub struct Accounts {
            $($(#[$doc])* pub $field: Counter,)+
            /// Enumerations of the job that have not come to their end. No sum: what of them is
            /// left says nothing of any object.
            enumerations: Counter,
        }

        /// The sums at one moment.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
        pub struct Sums { $($(#[$doc])* pub $field: u64,)+ }

        impl Accounts {
            /// Reads every counter once. Exact when nothing is running.
            pub fn sums(&self) -> Sums {
                Sums { $($field: self.$field.get(),)+ }
            }
        }
    };
}

sums! {
    /// Objects that the source's enumeration yielded.
    listed,
    /// Arrived and checked.
    copied,
    /// Deleted because `rm` named it.
    deleted,
    /// Already the same at the destination, or kept by a condition the user asked for.
    same,
    /// Filtered, ignored, of another shard, or a directory marker.
    ignored,
    /// Archived, without a possible name, or refused by `--strict`.
    refused,
    /// Deleted at the source since it was listed.
    gone,
    /// Failed after all tries.
    failed,
    /// Known but not begun: what an interrupted run leaves.
    pending,
    /// Begun and not ended.
    in_flight,
    /// Copied by `mv`, but its source could not be deleted. Counted in `copied` too.
    copied_not_deleted,
    /// Objects at the destination that the source does not have.
    extra,
    /// Of those, kept.
    extra_kept,
    /// Of those, deleted.
    extra_deleted,
    /// Of those, not deleted because of an error.
    extra_delete_failed,
    /// Failures that belong to no object: a broken listing, a manifest that could not be written.
    job_failures,
    /// Bytes of the objects in `listed`.
    bytes_listed,
    /// Bytes of the objects in `copied`.
    bytes_copied,
    /// Bytes sent or received so far, also for objects not yet done and for tries that failed.
    bytes_moved,
    /// Objects checked by size alone.
    unverified,
    /// Objects that arrived without something that the source carried, each told by a warning.
    attributes_lost,
}

impl Accounts {
    /// Says that objects are still being found, until the answer is dropped.
    pub fn enumerating(&self) -> Enumerating<'_> {
        self.enumerations.add(1);
        Enumerating(self)
    }

    /// Whether more objects may be found.
    pub fn is_enumerating(&self) -> bool {
        self.enumerations.get() > 0
    }
}

/// An enumeration under way; dropping it says that it has ended.
#[derive(Debug)]
pub struct Enumerating<'a>(&'a Accounts);

impl Drop for Enumerating<'_> {
    fn drop(&mut self) {
        self.0.enumerations.subtract(1);
    }
}

/// A counter that many tasks share.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds `count`.
    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    /// Takes `count` away; used by the gauges (`pending`, `in_flight`) alone.
    pub fn subtract(&self, count: u64) {
        self.0.fetch_sub(count, Ordering::Relaxed);
    }

    /// The value now.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Sums {
    /// Whether every listed object has exactly one outcome (DESIGN's first promise), and every
    /// extra one too. A job whose sums do not close must not end with exit code 0.
    pub fn close(&self) -> bool {
        let outcomes = self.copied
            + self.deleted
            + self.same
            + self.ignored
            + self.refused
            + self.gone
            + self.failed
            + self.pending
            + self.in_flight;
        let extra = self.extra_kept + self.extra_deleted + self.extra_delete_failed;
        self.listed == outcomes && self.extra == extra
    }
}
