//! What keeps an object from being deleted, on its way to another store.

use jiff::SignedDuration;
use remote::types::{LockMode, ObjectLock, VersioningState};

use super::*;

/// Stores of which the source, and with `both` the destination, keeps locks.
async fn bench(both: bool) -> Bench {
    let mut bench = Bench::new();
    bench.options.preserve_lock = true;
    let stores = [
        (&bench.source, "from", true),
        (&bench.destination, "to", both),
    ];
    for (store, bucket, takes_locks) in stores {
        let bucket = || BucketName::new(bucket).unwrap();
        if takes_locks {
            let enabled = VersioningState::Enabled;
            store
                .put_bucket_versioning(bucket(), enabled)
                .await
                .unwrap();
            store.put_object_lock_configuration(bucket()).await.unwrap();
        }
    }
    bench
}

/// Held, and retained for an hour.
fn locked(bench: &Bench) -> ObjectAttributes {
    let until = bench.context.clock.now() + SignedDuration::from_hours(1);
    ObjectAttributes {
        lock: ObjectLock {
            mode: Some(LockMode::Governance),
            retain_until: Some(until),
            legal_hold: true,
        },
        ..ObjectAttributes::default()
    }
}

async fn lock_of(bench: &Bench, store: &MemoryClient, bucket: &str, key: &str) -> ObjectLock {
    bench.head(store, bucket, key).await.attributes.lock
}

#[tokio::test]
async fn a_lock_goes_along_when_asked_for() {
    let mut bench = bench(true).await;
    for (key, size) in [("small", 1_000), ("large", 17 * MIB)] {
        bench.put(key, ramp(size), locked(&bench)).await;
    }
    for preserve_lock in [false, true] {
        bench.options.preserve_lock = preserve_lock;
        for key in ["small", "large"] {
            let sums = bench.run(&[key]).await;
            assert_eq!(sums.attributes_lost, 0, "{:?}", bench.ledger.rows);
            let from = lock_of(&bench, &bench.source, "from", key).await;
            let to = lock_of(&bench, &bench.destination, "to", key).await;
            assert!(from.legal_hold && from.retain_until.is_some());
            match preserve_lock {
                true => assert_eq!(from, to, "{key}"),
                false => assert!(to.is_none(), "{key}"),
            }
        }
    }
}

#[tokio::test]
async fn a_lock_that_the_destination_cannot_keep_is_said_and_under_strict_refused() {
    for strict in [false, true] {
        let mut bench = bench(false).await;
        bench.options.strict = strict;
        for (key, size) in [("small", 1_000), ("large", 17 * MIB)] {
            bench.put(key, ramp(size), locked(&bench)).await;
        }
        let sums = bench.run(&["small", "large"]).await;
        if strict {
            assert_eq!(
                (sums.refused, sums.copied),
                (2, 0),
                "{:?}",
                bench.ledger.rows
            );
            continue;
        }
        assert_eq!((sums.copied, sums.attributes_lost), (2, 2));
        for key in ["small", "large"] {
            bench.assert_equal(key);
            assert!(
                lock_of(&bench, &bench.destination, "to", key)
                    .await
                    .is_none()
            );
        }
        let said = bench.ledger.said("warning");
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(
            said.iter()
                .all(|line| line.contains("its lock is left behind"))
        );
    }
}
