//! Object lock.

use std::time::Duration;

use base::fault::Classified as _;
use base::{Clock, Fault, VersionId};
use jiff::SignedDuration;

use super::Check;
use super::bench::{Bench, Verdict, holds, key, refused, same};
use crate::types::{
    DeleteObjects, HeadObject, LockMode, ObjectAttributes, ObjectIdentifier, ObjectLock,
    PutObjectLegalHold, VersioningState,
};

/// How long the shortest retention of a check lasts, in seconds. The check waits for its end, and
/// the server's clock may be a little off.
const RETENTION_SECONDS: i64 = 3;

/// How often it is tried whether a retention is over, and how long between two tries.
const TRIES_MAX: u32 = 150;
const PAUSE: Duration = Duration::from_millis(100);

pub(super) fn checks() -> Vec<Check> {
    vec![
        Check::new("object lock of a bucket", |bench| {
            Box::pin(of_bucket(bench))
        }),
        Check::new("retention", |bench| Box::pin(retention(bench))),
        Check::new("legal hold", |bench| Box::pin(legal_hold(bench))),
        Check::new("lock without object lock", |bench| Box::pin(without(bench))),
    ]
}

async fn take_locks(bench: &Bench<'_>) -> Verdict {
    let bucket = || bench.bucket.clone();
    let enabled = VersioningState::Enabled;
    bench
        .client
        .put_bucket_versioning(bucket(), enabled)
        .await?;
    Ok(bench.client.put_object_lock_configuration(bucket()).await?)
}

async fn put(bench: &Bench<'_>, lock: ObjectLock) -> Verdict<VersionId> {
    let mut put = bench.put_request("k", "bytes");
    put.attributes = ObjectAttributes {
        lock,
        ..ObjectAttributes::default()
    };
    let version_id = bench.client.put_object(put).await?.version_id;
    Ok(version_id.ok_or("the PUT answers no version id")?)
}

async fn lock_of(bench: &Bench<'_>, version_id: &VersionId) -> Verdict<ObjectLock> {
    let head = HeadObject {
        version_id: Some(version_id.clone()),
        ..bench.head_request("k")
    };
    Ok(bench.client.head_object(head).await?.attributes.lock)
}

async fn of_bucket(bench: &Bench<'_>) -> Verdict {
    let get = || {
        bench
            .client
            .get_object_lock_configuration(bench.bucket.clone())
    };
    same("at first", get().await?, false)?;
    take_locks(bench).await?;
    same("then", get().await?, true)?;
    let bucket = bench.bucket.clone();
    let suspended = VersioningState::Suspended;
    let suspending = bench.client.put_bucket_versioning(bucket, suspended).await;
    let codes = ["InvalidBucketState"];
    refused("suspended", suspending, Fault::Conflict, &codes)
}

async fn retention(bench: &Bench<'_>) -> Verdict {
    take_locks(bench).await?;
    let until = Clock::system().now() + SignedDuration::from_secs(RETENTION_SECONDS);
    // S3 keeps milliseconds.
    let until = jiff::Timestamp::from_second(until.as_second()).unwrap_or(until);
    let lock = ObjectLock {
        mode: Some(LockMode::Compliance),
        retain_until: Some(until),
        legal_hold: false,
    };
    let version_id = put(bench, lock).await?;
    same("lock", lock_of(bench, &version_id).await?, lock)?;
    let delete = bench.delete_request("k", Some(version_id.clone()));
    let locked = bench.client.delete_object(delete.clone()).await;
    refused("DELETE", locked, Fault::Denied, &["AccessDenied"])?;
    let many = DeleteObjects {
        bucket: bench.bucket.clone(),
        objects: vec![ObjectIdentifier {
            key: key("k"),
            version_id: Some(version_id),
        }],
    };
    let output = bench.client.delete_objects(many).await?;
    let codes: Vec<&str> = (output.failed.iter().map(|row| row.code.as_str())).collect();
    same("DELETE of many", codes, vec!["AccessDenied"])?;
    let marker = bench.delete("k", None).await?;
    holds("a delete marker can be laid", marker.delete_marker)?;
    for _ in 0..TRIES_MAX {
        match bench.client.delete_object(delete.clone()).await {
            Ok(_) => return Ok(()),
            Err(error) if error.fault() == Fault::Denied => tokio::time::sleep(PAUSE).await,
            Err(error) => return Err(error.into()),
        }
    }
    Err("the retention does not end".into())
}

async fn legal_hold(bench: &Bench<'_>) -> Verdict {
    take_locks(bench).await?;
    let held = ObjectLock {
        legal_hold: true,
        ..ObjectLock::default()
    };
    let version_id = put(bench, held).await?;
    same("lock", lock_of(bench, &version_id).await?, held)?;
    let delete = bench.delete_request("k", Some(version_id.clone()));
    let locked = bench.client.delete_object(delete.clone()).await;
    refused("DELETE", locked, Fault::Denied, &["AccessDenied"])?;
    let let_go = PutObjectLegalHold {
        bucket: bench.bucket.clone(),
        key: key("k"),
        version_id: Some(version_id.clone()),
        legal_hold: false,
    };
    bench.client.put_object_legal_hold(let_go).await?;
    let lock = lock_of(bench, &version_id).await?;
    same("lock then", lock, ObjectLock::default())?;
    bench.client.delete_object(delete).await?;
    Ok(())
}

async fn without(bench: &Bench<'_>) -> Verdict {
    let mut put = bench.put_request("k", "bytes");
    put.attributes.lock.legal_hold = true;
    let refusal = bench.client.put_object(put).await;
    refused("PUT", refusal, Fault::Invalid, &["InvalidRequest"])?;
    bench.absent("k").await
}
