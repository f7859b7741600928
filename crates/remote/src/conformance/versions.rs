//! Versions, delete markers and the null version.

use base::{Fault, VersionId};

use super::Check;
use super::bench::{Bench, Verdict, holds, key, refused, same};
use crate::types::{GetObject, HeadObject, ListObjectVersions, ListedObject, VersioningState};

pub(super) fn checks() -> Vec<Check> {
    vec![
        Check::new("versioning state", |bench| Box::pin(state(bench))),
        Check::new("versions", |bench| Box::pin(versions(bench))),
        Check::new("list versions", |bench| Box::pin(list_versions(bench))),
        Check::new("null version", |bench| Box::pin(null_version(bench))),
        Check::new("suspended versioning", |bench| Box::pin(suspended(bench))),
        Check::new("list versions in pages", |bench| Box::pin(pages(bench))),
        Check::new("list versions under a delimiter", |bench| {
            Box::pin(delimiter(bench))
        }),
        Check::new("missing version", |bench| Box::pin(missing(bench))),
    ]
}

async fn set(bench: &Bench<'_>, state: VersioningState) -> Verdict {
    let bucket = bench.bucket.clone();
    bench.client.put_bucket_versioning(bucket, state).await?;
    Ok(())
}

fn list(bench: &Bench<'_>) -> ListObjectVersions {
    ListObjectVersions {
        bucket: bench.bucket.clone(),
        prefix: String::new(),
        delimiter: None,
        continuation_token: None,
        keys_max: None,
    }
}

/// Key, version, whether it is the latest, whether it is a delete marker.
fn shown(rows: &[ListedObject]) -> Vec<(String, String, bool, bool)> {
    rows.iter()
        .filter_map(|row| {
            let version = row.version.as_ref()?;
            Some((
                row.key.to_string(),
                version.id.to_string(),
                version.is_latest,
                version.is_delete_marker,
            ))
        })
        .collect()
}

async fn version_of(bench: &Bench<'_>, name: &str, bytes: &'static str) -> Verdict<VersionId> {
    let version_id = bench.put(name, bytes).await?.version_id;
    Ok(version_id.ok_or("the PUT answers no version id")?)
}

async fn state(bench: &Bench<'_>) -> Verdict {
    let get = || bench.client.get_bucket_versioning(bench.bucket.clone());
    same("at first", get().await?, VersioningState::Unversioned)?;
    set(bench, VersioningState::Enabled).await?;
    same("then", get().await?, VersioningState::Enabled)?;
    set(bench, VersioningState::Suspended).await?;
    same("at last", get().await?, VersioningState::Suspended)
}

async fn versions(bench: &Bench<'_>) -> Verdict {
    set(bench, VersioningState::Enabled).await?;
    let one = version_of(bench, "k", "one").await?;
    let two = version_of(bench, "k", "two").await?;
    holds("versions differ", one != two)?;
    same(
        "version of HEAD",
        bench.head("k").await?.version_id,
        Some(two.clone()),
    )?;
    let marker = bench.delete("k", None).await?;
    holds("the delete says it laid a marker", marker.delete_marker)?;
    let marker = marker.version_id.ok_or("the delete marker has no id")?;
    bench.absent("k").await?;
    same("keys", bench.all_keys(bench.list("")).await?, Vec::new())?;

    let request = GetObject {
        version_id: Some(one.clone()),
        ..bench.get_request("k")
    };
    same("first version", bench.read(request).await?, "one".into())?;
    let request = HeadObject {
        version_id: Some(two.clone()),
        ..bench.head_request("k")
    };
    let head = bench.client.head_object(request).await?;
    same("second version", head.version_id, Some(two.clone()))?;

    let removed = bench.delete("k", Some(marker)).await?;
    holds("the delete says it removed a marker", removed.delete_marker)?;
    same("bytes", bench.get("k").await?, "two".into())?;
    bench.delete("k", Some(two)).await?;
    same("bytes", bench.get("k").await?, "one".into())?;
    bench.delete("k", Some(one)).await?;
    bench.absent("k").await
}

async fn list_versions(bench: &Bench<'_>) -> Verdict {
    set(bench, VersioningState::Enabled).await?;
    let one = version_of(bench, "k", "one").await?;
    let two = version_of(bench, "k", "two").await?;
    let marker = bench.delete("k", None).await?.version_id;
    let marker = marker.ok_or("the delete marker has no id")?;
    let rows = bench.all_versions(list(bench)).await?.0;
    let row = |id: &VersionId, latest, marker| ("k".to_owned(), id.to_string(), latest, marker);
    let expected = vec![
        row(&marker, true, true),
        row(&two, false, false),
        row(&one, false, false),
    ];
    same("versions", shown(&rows), expected)
}

async fn null_version(bench: &Bench<'_>) -> Verdict {
    bench.put("k", "before").await?;
    set(bench, VersioningState::Enabled).await?;
    let after = version_of(bench, "k", "after").await?;
    let rows = bench.all_versions(list(bench)).await?.0;
    let row = |id: &str, latest| ("k".to_owned(), id.to_owned(), latest, false);
    let expected = vec![row(after.as_str(), true), row("null", false)];
    same("versions", shown(&rows), expected)?;
    let request = GetObject {
        version_id: Some(VersionId::new("null")),
        ..bench.get_request("k")
    };
    same("null version", bench.read(request).await?, "before".into())
}

async fn suspended(bench: &Bench<'_>) -> Verdict {
    set(bench, VersioningState::Enabled).await?;
    let kept = version_of(bench, "k", "kept").await?;
    set(bench, VersioningState::Suspended).await?;
    bench.put("k", "null once").await?;
    bench.put("k", "null twice").await?;
    let row = |id: &str, latest, marker| ("k".to_owned(), id.to_owned(), latest, marker);
    let rows = bench.all_versions(list(bench)).await?.0;
    let expected = vec![row("null", true, false), row(kept.as_str(), false, false)];
    same("versions", shown(&rows), expected)?;
    bench.delete("k", None).await?;
    let rows = bench.all_versions(list(bench)).await?.0;
    let expected = vec![row("null", true, true), row(kept.as_str(), false, false)];
    same("versions after a delete", shown(&rows), expected)
}

async fn pages(bench: &Bench<'_>) -> Verdict {
    set(bench, VersioningState::Enabled).await?;
    for name in ["a", "b c", "d/e"] {
        bench.put(name, "1").await?;
        bench.put(name, "22").await?;
    }
    bench.delete("a", None).await?;
    let whole = shown(&bench.all_versions(list(bench)).await?.0);
    same("rows", whole.len(), 7)?;
    for keys_max in [1, 2, 3, 6] {
        let request = ListObjectVersions {
            keys_max: Some(keys_max),
            ..list(bench)
        };
        let rows = bench.all_versions(request).await?.0;
        same(&format!("pages of {keys_max}"), shown(&rows), whole.clone())?;
    }
    Ok(())
}

async fn delimiter(bench: &Bench<'_>) -> Verdict {
    set(bench, VersioningState::Enabled).await?;
    for name in ["a", "b/1", "b/2", "c"] {
        bench.put(name, "x").await?;
    }
    let request = ListObjectVersions {
        delimiter: Some("/".to_owned()),
        ..list(bench)
    };
    let (rows, prefixes) = bench.all_versions(request).await?;
    let keys: Vec<&str> = rows.iter().map(|row| row.key.as_str()).collect();
    same("rows", keys, vec!["a", "c"])?;
    same("prefixes", prefixes, vec!["b/".to_owned()])
}

async fn missing(bench: &Bench<'_>) -> Verdict {
    set(bench, VersioningState::Enabled).await?;
    let gone = version_of(bench, "k", "gone").await?;
    version_of(bench, "k", "there").await?;
    bench.delete("k", Some(gone.clone())).await?;
    let request = GetObject {
        version_id: Some(gone),
        ..GetObject::new(bench.bucket.clone(), key("k"))
    };
    let get = bench.client.get_object(request).await;
    refused("GET", get, Fault::NotFound, &["NoSuchVersion"])
}
