//! Signed URLs, used by somebody who knows nothing but HTTP.

use std::time::Duration;

use bytes::Bytes;

use super::Check;
use super::bench::{Bench, Verdict, holds, key, same};
use super::fetch::fetch;
use crate::types::{Presign, PresignedMethod, SignedUrl, VersioningState};

/// A key that is wrong once it is encoded twice or not at all.
const AWKWARD: &str = "a b+c%20/é&=?#";

pub(super) fn checks() -> Vec<Check> {
    vec![
        Check::new("presigned get", |bench| Box::pin(get(bench))),
        Check::new("presigned put", |bench| Box::pin(put(bench))),
        Check::new("presigned for one key and method", |bench| {
            Box::pin(for_one_request(bench))
        }),
        Check::new("presigned url of a version", |bench| {
            Box::pin(version(bench))
        }),
    ]
}

fn request(bench: &Bench<'_>, method: PresignedMethod) -> Presign {
    Presign {
        method,
        bucket: bench.bucket.clone(),
        key: key(AWKWARD),
        version_id: None,
        expires_in: Duration::from_secs(600),
    }
}

async fn presign(bench: &Bench<'_>, request: Presign) -> Verdict<SignedUrl> {
    Ok(bench.client.presign(request).await?)
}

async fn get(bench: &Bench<'_>) -> Verdict {
    bench.put(AWKWARD, "bytes").await?;
    let url = presign(bench, request(bench, PresignedMethod::Get)).await?;
    let (status, body) = fetch("GET", url.expose(), Bytes::new()).await?;
    same("status", status, 200)?;
    same("bytes", body, "bytes".into())
}

async fn put(bench: &Bench<'_>) -> Verdict {
    let url = presign(bench, request(bench, PresignedMethod::Put)).await?;
    let (status, _) = fetch("PUT", url.expose(), "from outside".into()).await?;
    same("status", status, 200)?;
    same("bytes", bench.get(AWKWARD).await?, "from outside".into())
}

async fn for_one_request(bench: &Bench<'_>) -> Verdict {
    bench.put(AWKWARD, "bytes").await?;
    let url = presign(bench, request(bench, PresignedMethod::Get)).await?;
    let other = url.expose().replace("%20", "%21");
    let (status, _) = fetch("GET", &other, Bytes::new()).await?;
    same("status under another key", status, 403)?;
    let (status, _) = fetch("DELETE", url.expose(), Bytes::new()).await?;
    same("status of another method", status, 403)?;
    same("bytes", bench.get(AWKWARD).await?, "bytes".into())
}

async fn version(bench: &Bench<'_>) -> Verdict {
    let bucket = bench.bucket.clone();
    let enabled = VersioningState::Enabled;
    bench.client.put_bucket_versioning(bucket, enabled).await?;
    let first = bench.put(AWKWARD, "first").await?.version_id;
    holds("there is a version", first.is_some())?;
    bench.put(AWKWARD, "second").await?;
    let mut request = request(bench, PresignedMethod::Get);
    request.version_id = first;
    let url = presign(bench, request).await?;
    let (status, body) = fetch("GET", url.expose(), Bytes::new()).await?;
    same("status", status, 200)?;
    same("bytes", body, "first".into())
}
