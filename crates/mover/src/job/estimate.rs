//! What a run would cost, added up from a dry run.

use std::time::Duration;

use base::ByteCount;
use parking_lot::Mutex;

use crate::event::{Event, Moved, Observer, Verb};
use crate::location::Location;
use crate::plan::{self, Plan};

/// The sums of a dry run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Estimate {
    /// Objects that would be copied or moved.
    pub objects: u64,
    /// Objects that would be deleted; the sources of a move are not among them.
    pub deletions: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Requests of the dearer kind: PUT, COPY, POST, LIST. S3 does not bill deletions.
    pub requests_write: u64,
    /// Requests of the cheaper kind: GET, HEAD.
    pub requests_read: u64,
    /// Deletions asked for; free at S3, but requests all the same.
    pub requests_delete: u64,
    /// Bytes that would leave a store for this machine.
    pub egress: u64,
}

/// What a machine and its way to the stores can do, for [`Estimate::time`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Capacity {
    /// Bytes a second, both ways alike.
    pub bytes_per_second: f64,
    /// Requests a second.
    pub requests_per_second: f64,
}

impl Default for Capacity {
    /// A 1 Gb/s line, and 256 objects at once with 50 ms a request.
    /// A guess, not measured: say both when they are known.
    fn default() -> Capacity {
        Capacity {
            bytes_per_second: 125e6,
            requests_per_second: 256.0 / 0.05,
        }
    }
}

impl Estimate {
    /// All requests.
    pub fn requests(&self) -> u64 {
        self.requests_write + self.requests_read + self.requests_delete
    }

    /// How long it takes at least: bytes and requests go at the same time, the slower one decides.
    /// Bytes copied inside a store pass no line of ours and are left out.
    pub fn time(&self, capacity: &Capacity, bytes_on_the_line: ByteCount) -> Duration {
        let bytes = bytes_on_the_line.0 as f64 / capacity.bytes_per_second;
        let requests = self.requests() as f64 / capacity.requests_per_second;
        Duration::try_from_secs_f64(bytes.max(requests)).unwrap_or(Duration::MAX)
    }

    /// Adds what one object would cost.
    pub fn add(&mut self, moved: &Moved, part_size: Option<ByteCount>) {
        self.objects += 1;
        self.bytes += moved.size.0;
        match (&moved.source, &moved.destination) {
            (Location::Local(_), Location::Remote(_)) => {
                let plan = plan::upload(moved.size, part_size).unwrap_or(Plan::Whole);
                self.requests_write += in_parts(plan, 2);
            }
            (Location::Remote(_), Location::Local(_)) => {
                self.egress += moved.size.0;
                self.requests_read += in_parts(plan::download(moved.size, part_size), 1);
            }
            (Location::Remote(_), Location::Remote(_)) => {
                let plan = plan::copy(moved.size).unwrap_or(Plan::Whole);
                self.requests_write += in_parts(plan, 2);
                if let Plan::Parts(_) = plan {
                    // The source before, and both after.
                    self.requests_read += 2;
                }
            }
            (Location::Local(_), Location::Local(_)) => {}
        }
        if moved.verb == Verb::Move && moved.source.as_remote().is_some() {
            self.requests_delete += 1;
        }
    }
}

/// One request, or one a part and `more` besides.
fn in_parts(plan: Plan, more: u64) -> u64 {
    match plan {
        Plan::Whole => 1,
        Plan::Parts(parts) => u64::from(parts.count()) + more,
    }
}

/// An observer that adds up what a dry run says it would do.
#[derive(Debug, Default)]
pub struct Estimator {
    part_size: Option<ByteCount>,
    sums: Mutex<Sums>,
}

/// What an estimator has heard.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    estimate: Estimate,
    bytes_on_the_line: u64,
}

impl Estimator {
    /// An estimator of transfers with this part size (`TransferOptions::part_size`).
    pub fn new(part_size: Option<ByteCount>) -> Estimator {
        Estimator {
            part_size,
            sums: Mutex::new(Sums::default()),
        }
    }

    /// The sums so far.
    pub fn estimate(&self) -> Estimate {
        self.sums.lock().estimate
    }

    /// How long it takes at least.
    pub fn time(&self, capacity: &Capacity) -> Duration {
        let sums = *self.sums.lock();
        let bytes = ByteCount(sums.bytes_on_the_line);
        sums.estimate.time(capacity, bytes)
    }
}

impl Observer for Estimator {
    fn on_event(&self, event: &Event<'_>) {
        match event {
            Event::Moved(moved) if moved.dry_run => {
                let mut sums = self.sums.lock();
                sums.estimate.add(moved, self.part_size);
                let inside =
                    moved.source.as_remote().is_some() && moved.destination.as_remote().is_some();
                if !inside {
                    sums.bytes_on_the_line += moved.size.0;
                }
            }
            Event::Deleted { location } => {
                let mut sums = self.sums.lock();
                sums.estimate.deletions += 1;
                // A thousand to a request.
                if location.as_remote().is_some() && sums.estimate.deletions % 1_000 == 1 {
                    sums.estimate.requests_delete += 1;
                }
            }
            Event::Moved(_)
            | Event::CopiedNotDeleted { .. }
            | Event::Skipped { .. }
            | Event::Refused { .. }
            | Event::Gone { .. }
            | Event::Failed { .. }
            | Event::Notice { .. }
            | Event::Warning { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use base::units::{GIB, MIB};
    use base::{BucketName, Key};

    use super::*;
    use crate::event::Verified;
    use crate::location::ObjectLocation;

    fn object() -> Location {
        Location::Remote(ObjectLocation {
            bucket: BucketName::new("b").unwrap(),
            key: Key::new("k").unwrap(),
            version_id: None,
        })
    }

    fn would(verb: Verb, source: Location, destination: Location, size: u64) -> Moved {
        Moved {
            verb,
            source,
            destination,
            size: ByteCount(size),
            source_etag: None,
            destination_etag: None,
            source_version: None,
            destination_version: None,
            verified: Verified::SizeOnly,
            tries: 1,
            elapsed: Duration::ZERO,
            storage_class: None,
            lost: Vec::new(),
            dry_run: true,
        }
    }

    #[test]
    fn requests_and_egress_follow_the_plan() {
        let estimator = Estimator::new(None);
        let local = || Location::Local("f".into());
        for moved in [
            would(Verb::Copy, local(), object(), 1),
            would(Verb::Copy, local(), object(), 20 * MIB),
            would(Verb::Copy, object(), local(), 20 * MIB),
            would(Verb::Move, object(), object(), 6 * GIB),
        ] {
            estimator.on_event(&Event::Moved(&moved));
        }
        let estimate = estimator.estimate();
        assert_eq!(estimate.objects, 4);
        assert_eq!(estimate.egress, 20 * MIB);
        assert_eq!(estimate.requests_write, 1 + (3 + 2) + (12 + 2));
        assert_eq!(estimate.requests_read, (3 + 1) + 2);
        assert_eq!(estimate.requests_delete, 1);
        let capacity = Capacity {
            bytes_per_second: MIB as f64,
            requests_per_second: 1e9,
        };
        assert_eq!(estimator.time(&capacity).as_secs(), 40);
    }
}
