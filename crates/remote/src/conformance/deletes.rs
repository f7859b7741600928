//! Deleting many at once.

use base::VersionId;

use super::Check;
use super::bench::{Bench, Verdict, holds, key, same};
use crate::types::{DeleteObjects, DeleteObjectsOutput, ObjectIdentifier, VersioningState};

pub(super) fn checks() -> Vec<Check> {
    vec![
        Check::new("delete many", |bench| Box::pin(many(bench))),
        Check::new("delete a thousand", |bench| Box::pin(thousand(bench))),
        Check::new("delete many versions", |bench| {
            Box::pin(many_versions(bench))
        }),
    ]
}

async fn delete(bench: &Bench<'_>, objects: Vec<ObjectIdentifier>) -> Verdict<DeleteObjectsOutput> {
    let asked = objects.clone();
    let request = DeleteObjects {
        bucket: bench.bucket.clone(),
        objects,
    };
    let output = bench.client.delete_objects(request).await?;
    if let Some(failure) = output.failed.first() {
        let name = &failure.object.key;
        return Err(format!("{name:?}: {} {}", failure.code, failure.message).into());
    }
    let sorted = |mut names: Vec<String>| {
        names.sort();
        names
    };
    let shown = |object: &ObjectIdentifier| format!("{object:?}");
    let deleted = output
        .deleted
        .iter()
        .map(|row| shown(&row.object))
        .collect();
    let asked = asked.iter().map(shown).collect();
    same("keys accounted for", sorted(deleted), sorted(asked))?;
    Ok(output)
}

fn object(name: &str, version_id: Option<VersionId>) -> ObjectIdentifier {
    ObjectIdentifier {
        key: key(name),
        version_id,
    }
}

async fn many(bench: &Bench<'_>) -> Verdict {
    let names = [
        "a",
        "b c",
        "d+e",
        "f&g<h>",
        "100%",
        "é",
        "tab\tand\u{1}control",
    ];
    for name in names {
        bench.put(name, "x").await?;
    }
    bench.put("stays", "x").await?;
    let mut objects: Vec<ObjectIdentifier> = names.iter().map(|name| object(name, None)).collect();
    objects.push(object("was never there", None));
    delete(bench, objects).await?;
    let keys = bench.all_keys(bench.list("")).await?;
    same("keys left", keys, vec!["stays".to_owned()])
}

async fn thousand(bench: &Bench<'_>) -> Verdict {
    let objects: Vec<ObjectIdentifier> = (0..1_000)
        .map(|number| object(&format!("{number:04}{}", "-".repeat(200)), None))
        .collect();
    bench.put(objects[999].key.as_str(), "x").await?;
    delete(bench, objects).await?;
    same(
        "keys left",
        bench.all_keys(bench.list("")).await?,
        Vec::new(),
    )
}

async fn many_versions(bench: &Bench<'_>) -> Verdict {
    let bucket = bench.bucket.clone();
    let enabled = VersioningState::Enabled;
    bench.client.put_bucket_versioning(bucket, enabled).await?;
    let first = bench.put("k", "first").await?.version_id;
    let second = bench.put("k", "second").await?.version_id;
    bench.put("k", "third").await?;
    delete(bench, vec![object("k", first), object("k", second)]).await?;
    same("bytes", bench.get("k").await?, "third".into())?;
    let output = delete(bench, vec![object("k", None)]).await?;
    let marker = output.deleted[0].delete_marker_version_id.is_some();
    holds("the answer says the delete marker's version", marker)?;
    bench.absent("k").await
}
