//! The suite that every client and every server must pass.
//!
//! Overview: [`run`] makes a bucket for each check, lets the check use the port as the mover
//! does, and removes the bucket again. A check passes, fails with the reason, or is *lacking*:
//! the server is known not to have it, which is listed and not hidden. A check that passes although
//! it is listed as lacking fails, so that lists stay true.
//!
//! Invariants: checks share nothing. Ordering: as listed, one after the other. Retries: the
//! client's own. Cancellation: buckets of the check under way stay behind. Limits: parts are
//! 5 MiB, the smallest that S3 takes; a check needs at most about 25 MiB of memory.

mod access;
mod bench;
mod buckets;
mod copies;
mod deletes;
mod fetch;
mod keys;
mod listing;
mod locks;
mod multipart;
mod objects;
mod presigned;
mod tags;
mod versions;

use std::fmt;

use base::{BucketName, Clock};
use futures_util::future::BoxFuture;

use self::bench::{Bench, Verdict};
use crate::client::ObjectClient;

/// What a server is known to lack.
#[derive(Debug, Clone, Default)]
pub struct Capabilities {
    lacks: Vec<(&'static str, &'static str)>,
}

impl Capabilities {
    /// All of S3.
    pub fn all() -> Capabilities {
        Capabilities::default()
    }

    /// All but these checks, by name, each with the reason.
    pub fn without(lacks: impl IntoIterator<Item = (&'static str, &'static str)>) -> Capabilities {
        Capabilities {
            lacks: lacks.into_iter().collect(),
        }
    }

    fn lack(&self, name: &str) -> Option<&'static str> {
        let lack = self.lacks.iter().find(|(lacking, _)| *lacking == name);
        lack.map(|(_, reason)| *reason)
    }
}

/// How a check came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// As S3 does it.
    Passed,
    /// Otherwise than S3 does it.
    Failed(String),
    /// Otherwise than S3 does it, as was known.
    Lacking {
        /// The reason that was known.
        reason: String,
        /// What was seen.
        seen: String,
    },
}

/// A check and how it came out.
#[derive(Debug, Clone)]
pub struct CheckReport {
    /// The check.
    pub name: String,
    /// How it came out.
    pub outcome: Outcome,
}

/// Every check and how it came out. Prints a line each.
#[derive(Debug, Clone)]
pub struct ConformanceReport {
    /// The endpoint that was asked.
    pub endpoint: String,
    /// In the order in which they ran.
    pub checks: Vec<CheckReport>,
}

impl ConformanceReport {
    /// The checks that failed.
    pub fn failed(&self) -> impl Iterator<Item = &CheckReport> {
        let failed = |check: &&CheckReport| matches!(check.outcome, Outcome::Failed(_));
        self.checks.iter().filter(failed)
    }

    /// Whether nothing failed.
    pub fn is_passed(&self) -> bool {
        self.failed().next().is_none()
    }
}

impl fmt::Display for ConformanceReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "conformance of {}", self.endpoint)?;
        for check in &self.checks {
            match &check.outcome {
                Outcome::Passed => writeln!(f, "passed   {}", check.name)?,
                Outcome::Failed(why) => writeln!(f, "FAILED   {}: {why}", check.name)?,
                Outcome::Lacking { reason, seen } => {
                    writeln!(f, "lacking  {}: {reason} ({seen})", check.name)?;
                }
            }
        }
        let count = |wanted: fn(&Outcome) -> bool| {
            let checks = self.checks.iter();
            checks.filter(|check| wanted(&check.outcome)).count()
        };
        write!(
            f,
            "{} passed, {} failed, {} lacking",
            count(|outcome| matches!(outcome, Outcome::Passed)),
            count(|outcome| matches!(outcome, Outcome::Failed(_))),
            count(|outcome| matches!(outcome, Outcome::Lacking { .. })),
        )
    }
}

/// Runs every check against `client`.
pub async fn run(client: &dyn ObjectClient, capabilities: &Capabilities) -> ConformanceReport {
    let run_id = Clock::system().random_u64();
    let mut checks = Vec::new();
    for (index, check) in all_checks().into_iter().enumerate() {
        let bucket = format!("conformance-{run_id:016x}-{index}");
        let bucket = BucketName::new(bucket).expect("letters, digits and dashes");
        let bench = Bench::new(client, bucket);
        let verdict = run_one(&bench, &check).await;
        let outcome = match (verdict, capabilities.lack(&check.name)) {
            (Ok(()), None) => Outcome::Passed,
            (Ok(()), Some(_)) => {
                Outcome::Failed("it passes, although it is listed as lacking".to_owned())
            }
            (Err(failure), None) => Outcome::Failed(failure.0),
            (Err(failure), Some(reason)) => Outcome::Lacking {
                reason: reason.to_owned(),
                seen: failure.0,
            },
        };
        tracing::debug!(check = %check.name, ?outcome, "checked");
        checks.push(CheckReport {
            name: check.name,
            outcome,
        });
    }
    ConformanceReport {
        endpoint: client.endpoint(),
        checks,
    }
}

async fn run_one(bench: &Bench<'_>, check: &Check) -> Verdict {
    bench.set_up().await?;
    let verdict = match &check.steps {
        Steps::Own(steps) => steps(bench).await,
        Steps::Key(key) => keys::round_trip(bench, key).await,
    };
    let cleaned = bench.tear_down().await;
    verdict?;
    cleaned
}

fn all_checks() -> Vec<Check> {
    let mut checks = Vec::new();
    checks.extend(buckets::checks());
    checks.extend(objects::checks());
    checks.extend(keys::checks());
    checks.extend(listing::checks());
    checks.extend(versions::checks());
    checks.extend(multipart::checks());
    checks.extend(copies::checks());
    checks.extend(deletes::checks());
    checks.extend(tags::checks());
    checks.extend(access::checks());
    checks.extend(locks::checks());
    checks.extend(presigned::checks());
    checks
}

/// A check by name.
struct Check {
    name: String,
    steps: Steps,
}

type OwnSteps = for<'a> fn(&'a Bench<'a>) -> BoxFuture<'a, Verdict>;

enum Steps {
    Own(OwnSteps),
    /// A key's way through every operation.
    Key(String),
}

impl Check {
    fn new(name: &str, steps: OwnSteps) -> Check {
        Check {
            name: name.to_owned(),
            steps: Steps::Own(steps),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::memory::{MemoryClient, MemoryOptions};

    #[test]
    fn every_check_has_a_name_of_its_own() {
        let checks = all_checks();
        let names: BTreeSet<&str> = checks.iter().map(|check| check.name.as_str()).collect();
        assert_eq!(names.len(), checks.len());
    }

    #[tokio::test]
    async fn the_store_in_memory_passes_every_check() {
        let client = MemoryClient::new(MemoryOptions::default());
        let no_urls = "there is no HTTP";
        let capabilities = Capabilities::without([
            ("presigned get", no_urls),
            ("presigned put", no_urls),
            ("presigned for one key and method", no_urls),
            ("presigned url of a version", no_urls),
        ]);
        let report = run(&client, &capabilities).await;
        assert!(report.is_passed(), "{report}");
        assert!(client.list_buckets().await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_store_that_deviates_is_found_out() {
        let client = MemoryClient::new(MemoryOptions {
            honours_start_after: false,
            checksums: false,
            ..MemoryOptions::default()
        });
        let report = run(&client, &Capabilities::without([("list order", "a lie")])).await;
        let failed: BTreeSet<&str> = report.failed().map(|check| check.name.as_str()).collect();
        for name in ["list start-after", "checksum of an object", "list order"] {
            assert!(failed.contains(name), "{report}");
        }
        assert!(!failed.contains("put, get, head, delete"), "{report}");
    }
}
