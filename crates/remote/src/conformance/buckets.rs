//! Buckets, and what is said where there is none.

use base::{BucketName, Fault};

use super::Check;
use super::bench::{Bench, Verdict, holds, key, refused, same};
use crate::types::{GetObject, ListObjects, PutObject};

pub(super) fn checks() -> Vec<Check> {
    vec![
        Check::new("bucket life", |bench| Box::pin(life(bench))),
        Check::new("list buckets", |bench| Box::pin(list_buckets(bench))),
        Check::new("bucket not empty", |bench| Box::pin(not_empty(bench))),
        Check::new("missing bucket", |bench| Box::pin(missing_bucket(bench))),
        Check::new("missing key", |bench| Box::pin(missing_key(bench))),
    ]
}

async fn life(bench: &Bench<'_>) -> Verdict {
    bench.client.head_bucket(bench.bucket.clone()).await?;
    bench.client.delete_bucket(bench.bucket.clone()).await?;
    let head = bench.client.head_bucket(bench.bucket.clone()).await;
    refused("HEAD of a removed bucket", head, Fault::NotFound, &[])
}

async fn list_buckets(bench: &Bench<'_>) -> Verdict {
    let buckets = bench.client.list_buckets().await?;
    let own = buckets.iter().find(|row| row.name == bench.bucket.as_str());
    let own = own.ok_or("the bucket is not listed")?;
    holds("a bucket has a date", own.created.is_some())
}

async fn not_empty(bench: &Bench<'_>) -> Verdict {
    bench.put("k", "x").await?;
    let removed = bench.client.delete_bucket(bench.bucket.clone()).await;
    let what = "removing a bucket that is not empty";
    refused(what, removed, Fault::Conflict, &["BucketNotEmpty"])?;
    same("bytes", bench.get("k").await?, "x".into())
}

async fn missing_bucket(bench: &Bench<'_>) -> Verdict {
    let client = bench.client;
    let missing = BucketName::new(format!("{}-missing", bench.bucket)).expect("a longer name");
    let codes: &[&str] = &["NoSuchBucket"];
    let list = client
        .list_objects(ListObjects::new(missing.clone(), ""))
        .await;
    refused("LIST", list, Fault::NotFound, codes)?;
    let get = GetObject::new(missing.clone(), key("k"));
    refused("GET", client.get_object(get).await, Fault::NotFound, codes)?;
    let put = PutObject {
        bucket: missing.clone(),
        ..bench.put_request("k", "x")
    };
    refused("PUT", client.put_object(put).await, Fault::NotFound, codes)?;
    let removed = client.delete_bucket(missing.clone()).await;
    refused("DELETE", removed, Fault::NotFound, codes)?;
    let head = client.head_bucket(missing).await;
    refused("HEAD", head, Fault::NotFound, &[])
}

async fn missing_key(bench: &Bench<'_>) -> Verdict {
    let get = bench.client.get_object(bench.get_request("k")).await;
    refused("GET", get, Fault::NotFound, &["NoSuchKey"])?;
    bench.absent("k").await?;
    // Deleting what is not there is a success.
    bench.delete("k", None).await.map(|_| ())
}
