//! What limits a run at the moment, for progress. Pure: samples in, a word out.
//!
//! Two samples some seconds apart tell what changed between them; the first cause in the list
//! below that holds is said, since it hides those after it.

use std::fmt;
use std::time::Duration;

/// What holds the run back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// The source asks for less (503 SlowDown).
    SourceThrottling,
    /// The destination asks for less (503 SlowDown).
    DestinationThrottling,
    /// Our own processors are full.
    Cpu,
    /// The source's listing does not yield objects fast enough.
    Listing,
    /// The local disk.
    Disk,
    /// Everything is under way that may be: the way to the stores, or the stores.
    Network,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Limit::SourceThrottling => "source throttling",
            Limit::DestinationThrottling => "destination throttling",
            Limit::Cpu => "CPU",
            Limit::Listing => "listing",
            Limit::Disk => "disk",
            Limit::Network => "network",
        })
    }
}

/// The run at one moment. Counters only grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sample {
    /// Since the run began.
    pub elapsed: Duration,
    /// Processor time that the process has used, of all cores together.
    pub cpu: Duration,
    /// Processors that the process may use.
    pub cores: u32,
    /// Time that the process's threads have waited for block devices; zero where unknown.
    pub disk_wait: Duration,
    /// Throttled answers of the source so far.
    pub source_throttled: u64,
    /// Throttled answers of the destination so far.
    pub destination_throttled: u64,
    /// Requests sent to the source so far.
    pub source_requests: u64,
    /// Requests sent to the destination so far.
    pub destination_requests: u64,
    /// Objects under way now.
    pub in_flight: u64,
    /// Objects that may be under way.
    pub objects_max: u64,
    /// Whether no listing is under way any more.
    pub listed_all: bool,
}

/// Share of a side's requests throttled at which throttling is what limits.
/// A guess, not measured: below it, retries hide in the others' time.
const THROTTLED_SHARE: f64 = 0.01;

/// Share of all processors' time at which they are full.
/// A guess, not measured: the kernel's part for the network is not all counted as ours.
const CPU_SHARE: f64 = 0.85;

/// Share of the objects allowed that is under way when the listing keeps up.
/// A guess, not measured.
const BUSY_SHARE: f64 = 0.5;

/// Share of the time that a thread waited for the disk at which the disk is what limits.
/// A guess, not measured.
const DISK_SHARE: f64 = 0.5;

/// What limited the run between two samples; none when it was over before one could tell.
pub fn limit(before: &Sample, now: &Sample) -> Option<Limit> {
    let passed = now.elapsed.checked_sub(before.elapsed)?.as_secs_f64();
    if passed <= 0.0 || now.in_flight == 0 && now.listed_all {
        return None;
    }
    if let Some(limit) = throttled(before, now) {
        return Some(limit);
    }
    let cpu = now.cpu.saturating_sub(before.cpu).as_secs_f64();
    if cpu >= CPU_SHARE * passed * f64::from(now.cores.max(1)) {
        return Some(Limit::Cpu);
    }
    let disk = now.disk_wait.saturating_sub(before.disk_wait);
    if disk.as_secs_f64() >= DISK_SHARE * passed {
        return Some(Limit::Disk);
    }
    let busy = now.in_flight as f64 >= BUSY_SHARE * now.objects_max as f64;
    if !busy && !now.listed_all {
        return Some(Limit::Listing);
    }
    Some(Limit::Network)
}

/// Which side asks for less: the one of which more requests were throttled, in shares of its own.
fn throttled(before: &Sample, now: &Sample) -> Option<Limit> {
    let share = |throttled: fn(&Sample) -> u64, requests: fn(&Sample) -> u64| {
        let grown = |count: fn(&Sample) -> u64| count(now).saturating_sub(count(before)) as f64;
        grown(throttled) / grown(requests).max(1.0)
    };
    let source = share(
        |sample| sample.source_throttled,
        |sample| sample.source_requests,
    );
    let destination = share(
        |sample| sample.destination_throttled,
        |sample| sample.destination_requests,
    );
    if source.max(destination) < THROTTLED_SHARE {
        None
    } else if source >= destination {
        Some(Limit::SourceThrottling)
    } else {
        Some(Limit::DestinationThrottling)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_cause_that_holds_is_said() {
        let before = Sample {
            cores: 2,
            objects_max: 100,
            ..Sample::default()
        };
        let calm = Sample {
            elapsed: Duration::from_secs(10),
            cpu: Duration::from_secs(2),
            source_requests: 500,
            destination_requests: 500,
            in_flight: 100,
            ..before
        };
        assert_eq!(limit(&before, &calm), Some(Limit::Network));
        let listing = Sample {
            in_flight: 3,
            ..calm
        };
        assert_eq!(limit(&before, &listing), Some(Limit::Listing));
        let tail = Sample {
            listed_all: true,
            ..listing
        };
        assert_eq!(limit(&before, &tail), Some(Limit::Network));
        let disk = Sample {
            disk_wait: Duration::from_secs(6),
            ..calm
        };
        assert_eq!(limit(&before, &disk), Some(Limit::Disk));
        let cpu = Sample {
            cpu: Duration::from_secs(19),
            ..disk
        };
        assert_eq!(limit(&before, &cpu), Some(Limit::Cpu));
        let throttled = Sample {
            destination_throttled: 20,
            ..cpu
        };
        assert_eq!(
            limit(&before, &throttled),
            Some(Limit::DestinationThrottling)
        );
        let both = Sample {
            source_throttled: 20,
            ..throttled
        };
        assert_eq!(limit(&before, &both), Some(Limit::SourceThrottling));
        // Ten of few are more than twenty of many: the many go on.
        let few = Sample {
            source_throttled: 10,
            source_requests: 50,
            destination_requests: 950,
            ..throttled
        };
        assert_eq!(limit(&before, &few), Some(Limit::SourceThrottling));
        let refused_alone = Sample {
            destination_throttled: 0,
            source_throttled: 10,
            source_requests: 0,
            ..throttled
        };
        let said = limit(&before, &refused_alone);
        assert_eq!(said, Some(Limit::SourceThrottling));
        let over = Sample {
            in_flight: 0,
            listed_all: true,
            ..both
        };
        assert_eq!(limit(&before, &over), None);
        assert_eq!(limit(&both, &both), None);
    }
}
