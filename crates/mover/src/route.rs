//! Whether an object goes from bucket to bucket inside the store or through this machine.
//!
//! [`same_store`] is the one place that compares endpoints; [`Routes`] keeps what a run has learnt
//! about pairs of buckets. Pure but for its lock: no answer is asked for here.

use std::collections::HashSet;

use base::BucketName;
use parking_lot::Mutex;

/// How the objects of a pair of buckets go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// The store copies (CopyObject, UploadPartCopy), asked with the destination's credentials. An
    /// object that is denied so is relayed.
    ServerSide,
    /// Read with the source's credentials, written with the destination's.
    Relay,
}

/// What a process has learnt about pairs of buckets. Shared by all of its jobs.
///
/// Invariant: a pair is here only if an object was denied to the store's own copy and then arrived
/// by relay. Limits: one entry a pair, and commands name few.
#[derive(Debug, Default)]
pub struct Routes {
    relayed: Mutex<HashSet<(BucketName, BucketName)>>,
    /// Sources that say with an object whether it has tags, or keep none.
    tags_counted: Mutex<HashSet<BucketName>>,
}

impl Routes {
    /// How an object goes from a bucket of one endpoint to a bucket of another.
    pub fn choose(&self, from: (&str, &BucketName), to: (&str, &BucketName)) -> Route {
        if !same_store(from.0, to.0) {
            return Route::Relay;
        }
        let relayed = self.relayed.lock();
        if relayed.is_empty() || !relayed.contains(&(from.1.clone(), to.1.clone())) {
            return Route::ServerSide;
        }
        Route::Relay
    }

    /// Notes that an object of this pair was denied to the store's own copy and arrived by relay.
    /// Whether that is news.
    pub fn learn_relay(&self, from: &BucketName, to: &BucketName) -> bool {
        self.relayed.lock().insert((from.clone(), to.clone()))
    }

    /// Notes that the store of this bucket says with an object whether it has tags, or has none.
    pub(crate) fn learn_tags_are_counted(&self, bucket: &BucketName) {
        let mut counted = self.tags_counted.lock();
        if !counted.contains(bucket) {
            counted.insert(bucket.clone());
        }
    }

    /// Whether an object of this bucket of which no tags are said has none.
    pub(crate) fn needs_no_look_for_tags(&self, bucket: &BucketName) -> bool {
        self.tags_counted.lock().contains(bucket)
    }
}

/// Whether two endpoints are one store, so that names of buckets mean the same at both and one can
/// copy from the other. Amazon's endpoints of one partition are; any others only by equal text.
pub fn same_store(one: &str, other: &str) -> bool {
    match (partition(one), partition(other)) {
        (Some(one), Some(other)) => one == other,
        (None, None) => one == other,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

/// Whether this is an endpoint of Amazon S3 itself.
pub(crate) fn is_amazon(endpoint: &str) -> bool {
    partition(endpoint).is_some()
}

/// A set of regions that share accounts and names of buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Partition {
    Commercial,
    China,
    GovCloud,
    EuropeanSovereign,
}

/// The partition of one of Amazon's endpoints.
/// Source: AWS Fault Isolation Boundaries, "Partitions", and the General Reference's "Amazon S3
/// endpoints" (read 2026-11). Those of the isolated regions, which nobody else can reach, compare
/// by text.
fn partition(endpoint: &str) -> Option<Partition> {
    let (_, rest) = endpoint.split_once("://")?;
    let address = rest.split('/').next().unwrap_or_default();
    let host = match address.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => address,
    };
    let host = host.to_ascii_lowercase();
    if host.ends_with(".amazonaws.com.cn") {
        return Some(Partition::China);
    }
    if host.ends_with(".amazonaws.eu") {
        return Some(Partition::EuropeanSovereign);
    }
    let name = host.strip_suffix(".amazonaws.com")?;
    let is_government = |label: &str| label.starts_with("us-gov-") || label.contains("-us-gov-");
    if name.split('.').any(is_government) {
        return Some(Partition::GovCloud);
    }
    Some(Partition::Commercial)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amazon_s_endpoints_of_one_partition_are_one_store() {
        let ohio = "https://s3.us-east-2.amazonaws.com";
        for same in [
            "https://s3.us-east-2.amazonaws.com",
            "https://s3.eu-west-1.amazonaws.com",
            "https://s3.amazonaws.com",
            "http://s3-eu-west-1.amazonaws.com:80",
            "https://s3.dualstack.us-west-2.amazonaws.com",
            "https://s3-accelerate.amazonaws.com",
            "https://S3.US-EAST-1.AMAZONAWS.COM/",
        ] {
            assert!(same_store(ohio, same) && same_store(same, ohio), "{same}");
        }
        for other in [
            "https://s3.cn-north-1.amazonaws.com.cn",
            "https://s3.us-gov-west-1.amazonaws.com",
            "https://s3-fips-us-gov-west-1.amazonaws.com",
            "https://s3.eusc-de-east-1.amazonaws.eu",
            "https://amazonaws.com.example.org",
            "https://s3.example.com/amazonaws.com",
            "http://127.0.0.1:9000",
            "",
        ] {
            assert!(
                !same_store(ohio, other) && !same_store(other, ohio),
                "{other}"
            );
            assert!(same_store(other, other), "{other}");
        }
        assert!(same_store(
            "https://s3.cn-north-1.amazonaws.com.cn",
            "https://s3.cn-northwest-1.amazonaws.com.cn"
        ));
        assert!(!same_store(
            "http://127.0.0.1:9000",
            "http://127.0.0.1:9001"
        ));
    }

    #[test]
    fn what_is_learnt_is_learnt_for_one_pair() {
        let routes = Routes::default();
        let [a, b] = ["bucket-a", "bucket-b"].map(|name| BucketName::new(name).unwrap());
        let here = "https://here";
        assert_eq!(routes.choose((here, &a), (here, &b)), Route::ServerSide);
        assert!(routes.learn_relay(&a, &b));
        assert!(!routes.learn_relay(&a, &b), "said once");
        assert_eq!(routes.choose((here, &a), (here, &b)), Route::Relay);
        assert_eq!(routes.choose((here, &b), (here, &a)), Route::ServerSide);
        assert_eq!(
            routes.choose((here, &b), ("https://there", &a)),
            Route::Relay
        );
    }
}
