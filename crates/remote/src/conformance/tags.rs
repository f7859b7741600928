//! Tags of objects.

use base::{Fault, VersionId};

use super::Check;
use super::bench::{Bench, Verdict, key, refused, same};
use crate::types::{
    CopyConditions, CopyObject, GetObjectTagging, MetadataDirective, ObjectAttributes, PutObject,
    PutObjectTagging, Tag, TaggingDirective, VersioningState,
};

pub(super) fn checks() -> Vec<Check> {
    vec![
        Check::new("tags", |bench| Box::pin(tags(bench))),
        Check::new("tags of a version", |bench| Box::pin(of_version(bench))),
        Check::new("tags of a multipart object", |bench| {
            Box::pin(of_upload(bench))
        }),
        Check::new("tags of nothing", |bench| Box::pin(of_nothing(bench))),
        Check::new("wrong tags refused", |bench| Box::pin(wrong(bench))),
        Check::new("copy keeps tags", |bench| Box::pin(copy_keeps(bench))),
        Check::new("copy replaces tags", |bench| Box::pin(copy_replaces(bench))),
    ]
}

/// Of the characters that S3 lets tags have.
fn two() -> Vec<Tag> {
    vec![Tag::new("a b", "1/2@x"), Tag::new("c=", "")]
}

fn one() -> Vec<Tag> {
    vec![Tag::new("x", "y+z")]
}

async fn put(bench: &Bench<'_>, name: &str, tags: &[Tag]) -> Verdict<Option<VersionId>> {
    let put = PutObject {
        attributes: carrying(tags),
        ..bench.put_request(name, "bytes")
    };
    Ok(bench.client.put_object(put).await?.version_id)
}

fn carrying(tags: &[Tag]) -> ObjectAttributes {
    ObjectAttributes {
        tagging: (!tags.is_empty()).then(|| Tag::encode_all(tags)),
        ..ObjectAttributes::default()
    }
}

async fn get(bench: &Bench<'_>, name: &str, version_id: Option<VersionId>) -> Verdict<Vec<Tag>> {
    let get = GetObjectTagging {
        bucket: bench.bucket.clone(),
        key: key(name),
        version_id,
    };
    let mut tags = bench.client.get_object_tagging(get).await?;
    tags.sort();
    Ok(tags)
}

fn replacing(
    bench: &Bench<'_>,
    name: &str,
    version_id: Option<VersionId>,
    tags: Vec<Tag>,
) -> PutObjectTagging {
    PutObjectTagging {
        bucket: bench.bucket.clone(),
        key: key(name),
        version_id,
        tags,
    }
}

async fn tags(bench: &Bench<'_>) -> Verdict {
    put(bench, "k", &two()).await?;
    same("tags of the PUT", get(bench, "k", None).await?, two())?;
    let replace = replacing(bench, "k", None, one());
    bench.client.put_object_tagging(replace).await?;
    same("tags then", get(bench, "k", None).await?, one())?;
    same("count", bench.head("k").await?.tag_count, Some(1))?;
    let none = replacing(bench, "k", None, Vec::new());
    bench.client.put_object_tagging(none).await?;
    same("tags at last", get(bench, "k", None).await?, Vec::new())?;
    let count = bench.head("k").await?.tag_count.unwrap_or_default();
    same("count at last", count, 0)?;
    same("bytes", bench.get("k").await?, "bytes".into())
}

async fn of_version(bench: &Bench<'_>) -> Verdict {
    let versioning = VersioningState::Enabled;
    let bucket = bench.bucket.clone();
    bench
        .client
        .put_bucket_versioning(bucket, versioning)
        .await?;
    let first = put(bench, "k", &two()).await?;
    put(bench, "k", &[]).await?;
    same("newest", get(bench, "k", None).await?, Vec::new())?;
    same("first", get(bench, "k", first.clone()).await?, two())?;
    let replace = replacing(bench, "k", first.clone(), one());
    bench.client.put_object_tagging(replace).await?;
    same("newest then", get(bench, "k", None).await?, Vec::new())?;
    same("first then", get(bench, "k", first).await?, one())
}

async fn of_upload(bench: &Bench<'_>) -> Verdict {
    let mut create = bench.create_request("k");
    create.attributes = carrying(&two());
    let upload = bench.client.create_multipart_upload(create).await?;
    let part = bench.upload_part("k", &upload, 1, "bytes").await?;
    bench.complete("k", &upload, &[(1, &part)]).await?;
    same("tags", get(bench, "k", None).await?, two())
}

async fn of_nothing(bench: &Bench<'_>) -> Verdict {
    let request = GetObjectTagging {
        bucket: bench.bucket.clone(),
        key: key("k"),
        version_id: None,
    };
    let nothing = bench.client.get_object_tagging(request).await;
    refused("GET", nothing, Fault::NotFound, &["NoSuchKey"])?;
    let request = replacing(bench, "k", None, one());
    let nothing = bench.client.put_object_tagging(request).await;
    refused("PUT", nothing, Fault::NotFound, &["NoSuchKey"])
}

async fn wrong(bench: &Bench<'_>) -> Verdict {
    put(bench, "k", &one()).await?;
    let twice = vec![Tag::new("a", "1"), Tag::new("a", "2")];
    let many = (0..11).map(|n| Tag::new(n.to_string(), "")).collect();
    for (what, tags) in [("a tag twice", twice), ("eleven tags", many)] {
        let request = replacing(bench, "k", None, tags);
        let wrong = bench.client.put_object_tagging(request).await;
        let codes = ["InvalidTag", "BadRequest"];
        refused(what, wrong, Fault::Invalid, &codes)?;
    }
    same("tags", get(bench, "k", None).await?, one())
}

fn copy(bench: &Bench<'_>, tagging_directive: TaggingDirective, tags: &[Tag]) -> CopyObject {
    CopyObject {
        bucket: bench.bucket.clone(),
        key: key("to"),
        source: bench.source("from"),
        metadata_directive: MetadataDirective::Copy,
        tagging_directive,
        attributes: carrying(tags),
        conditions: CopyConditions::default(),
    }
}

async fn copy_keeps(bench: &Bench<'_>) -> Verdict {
    put(bench, "from", &two()).await?;
    let keeping = copy(bench, TaggingDirective::Copy, &[]);
    bench.client.copy_object(keeping.clone()).await?;
    same("tags", get(bench, "to", None).await?, two())?;
    let metadata_only = CopyObject {
        metadata_directive: MetadataDirective::Replace,
        ..keeping
    };
    bench.client.copy_object(metadata_only).await?;
    let kept = get(bench, "to", None).await?;
    same("tags beside new metadata", kept, two())
}

async fn copy_replaces(bench: &Bench<'_>) -> Verdict {
    put(bench, "from", &two()).await?;
    let replacing = copy(bench, TaggingDirective::Replace, &one());
    bench.client.copy_object(replacing).await?;
    same("tags", get(bench, "to", None).await?, one())?;
    let dropping = copy(bench, TaggingDirective::Replace, &[]);
    bench.client.copy_object(dropping).await?;
    same("no tags", get(bench, "to", None).await?, Vec::new())?;
    same("source", get(bench, "from", None).await?, two())
}
