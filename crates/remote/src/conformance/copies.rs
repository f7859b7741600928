//! Copies inside the store.

use base::limits::PART_SIZE_MIN;
use base::{ByteCount, ETag, Fault};

use super::Check;
use super::bench::{Bench, Verdict, key, part_number, ramp, refused, same};
use crate::payload::UploadCheck;
use crate::types::{
    ByteRange, CopyConditions, CopyObject, CopySource, MetadataDirective, ObjectAttributes,
    PutObject, TaggingDirective, UploadPartCopy, UploadedPart, VersioningState,
};

pub(super) fn checks() -> Vec<Check> {
    vec![
        Check::new("copy", |bench| Box::pin(copy(bench))),
        Check::new("copy keeps metadata", |bench| {
            Box::pin(keeps_metadata(bench))
        }),
        Check::new("copy replaces metadata", |bench| {
            Box::pin(replaces_metadata(bench))
        }),
        Check::new("copy onto itself", |bench| Box::pin(onto_itself(bench))),
        Check::new("copy if match", |bench| Box::pin(if_match(bench))),
        Check::new("copy of a version", |bench| Box::pin(of_version(bench))),
        Check::new("copy of nothing", |bench| Box::pin(of_nothing(bench))),
        Check::new("part copy", |bench| Box::pin(part_copy(bench))),
        Check::new("part copy if match", |bench| {
            Box::pin(part_copy_if_match(bench))
        }),
    ]
}

fn request(bench: &Bench<'_>, from: &str, to: &str) -> CopyObject {
    CopyObject {
        bucket: bench.bucket.clone(),
        key: key(to),
        source: bench.source(from),
        metadata_directive: MetadataDirective::Copy,
        tagging_directive: TaggingDirective::Copy,
        attributes: ObjectAttributes::default(),
        conditions: CopyConditions::default(),
    }
}

fn attributes(content_type: &str, value: &str) -> ObjectAttributes {
    ObjectAttributes {
        content_type: Some(content_type.to_owned()),
        metadata: vec![("name".to_owned(), value.to_owned())],
        ..ObjectAttributes::default()
    }
}

async fn put_source(bench: &Bench<'_>) -> Verdict {
    let put = PutObject {
        attributes: attributes("text/html", "source"),
        ..bench.put_request("from", "bytes")
    };
    bench.client.put_object(put).await?;
    Ok(())
}

async fn same_attributes(bench: &Bench<'_>, name: &str, wanted: &ObjectAttributes) -> Verdict {
    let kept = bench.head(name).await?.attributes;
    same(
        "Content-Type",
        kept.content_type,
        wanted.content_type.clone(),
    )?;
    // Some stores add pairs of their own.
    let wanted: Vec<_> = wanted.metadata.iter().collect();
    let ours = kept.metadata.iter().filter(|(name, _)| name == "name");
    same("metadata", ours.collect(), wanted)
}

async fn copy(bench: &Bench<'_>) -> Verdict {
    bench.put("from", ramp(9, 50_000)).await?;
    let copied = bench
        .client
        .copy_object(request(bench, "from", "to"))
        .await?;
    same("ETag", copied.etag, bench.head("to").await?.etag)?;
    same("bytes", bench.get("to").await?, ramp(9, 50_000))
}

async fn keeps_metadata(bench: &Bench<'_>) -> Verdict {
    put_source(bench).await?;
    bench
        .client
        .copy_object(request(bench, "from", "to"))
        .await?;
    same_attributes(bench, "to", &attributes("text/html", "source")).await
}

async fn replaces_metadata(bench: &Bench<'_>) -> Verdict {
    put_source(bench).await?;
    let replacing = attributes("text/plain", "other");
    let copy = CopyObject {
        metadata_directive: MetadataDirective::Replace,
        attributes: replacing.clone(),
        ..request(bench, "from", "to")
    };
    bench.client.copy_object(copy).await?;
    same_attributes(bench, "to", &replacing).await?;
    same("bytes", bench.get("to").await?, "bytes".into())
}

async fn onto_itself(bench: &Bench<'_>) -> Verdict {
    put_source(bench).await?;
    let unchanged = bench
        .client
        .copy_object(request(bench, "from", "from"))
        .await;
    let what = "a copy that changes nothing";
    refused(what, unchanged, Fault::Invalid, &["InvalidRequest"])?;
    let replacing = attributes("text/plain", "other");
    let copy = CopyObject {
        metadata_directive: MetadataDirective::Replace,
        attributes: replacing.clone(),
        ..request(bench, "from", "from")
    };
    bench.client.copy_object(copy).await?;
    same_attributes(bench, "from", &replacing).await?;
    same("bytes", bench.get("from").await?, "bytes".into())
}

fn conditions(etag: &ETag) -> CopyConditions {
    CopyConditions {
        if_match: Some(etag.clone()),
    }
}

async fn if_match(bench: &Bench<'_>) -> Verdict {
    let etag = bench.put("from", "bytes").await?.etag.ok_or("no ETag")?;
    let pinned = || CopyObject {
        conditions: conditions(&etag),
        ..request(bench, "from", "to")
    };
    bench.client.copy_object(pinned()).await?;
    bench.put("from", "changed").await?;
    let changed = bench.client.copy_object(pinned()).await;
    refused("COPY", changed, Fault::Conflict, &["PreconditionFailed"])?;
    same("bytes", bench.get("to").await?, "bytes".into())
}

async fn of_version(bench: &Bench<'_>) -> Verdict {
    let versioning = VersioningState::Enabled;
    let bucket = bench.bucket.clone();
    bench
        .client
        .put_bucket_versioning(bucket, versioning)
        .await?;
    let first = bench.put("from +", "first").await?.version_id;
    bench.put("from +", "second").await?;
    let copy = CopyObject {
        source: CopySource {
            version_id: first,
            ..bench.source("from +")
        },
        ..request(bench, "from +", "to")
    };
    bench.client.copy_object(copy).await?;
    same("bytes", bench.get("to").await?, "first".into())
}

async fn of_nothing(bench: &Bench<'_>) -> Verdict {
    let nothing = bench.client.copy_object(request(bench, "from", "to")).await;
    refused("COPY", nothing, Fault::NotFound, &["NoSuchKey"])?;
    bench.absent("to").await
}

async fn part_copy(bench: &Bench<'_>) -> Verdict {
    let size = PART_SIZE_MIN.as_usize().expect("5 MiB fit in memory");
    let source = ramp(11, size + 5_000);
    bench.put("from", source.clone()).await?;
    let upload = bench.create_upload("to").await?;
    let mut parts = Vec::new();
    for (number, offset, length) in [(1, 1_000, size), (2, 0, 500)] {
        let copied = bench
            .client
            .upload_part_copy(UploadPartCopy {
                bucket: bench.bucket.clone(),
                key: key("to"),
                upload_id: upload.upload_id.clone(),
                part_number: part_number(number),
                source: bench.source("from"),
                range: ByteRange {
                    offset,
                    length: ByteCount(length as u64),
                },
                conditions: CopyConditions::default(),
            })
            .await?;
        parts.push(UploadedPart {
            etag: copied.etag,
            check: UploadCheck::None,
            checksum: copied.checksum,
        });
    }
    bench
        .complete("to", &upload, &[(1, &parts[0]), (2, &parts[1])])
        .await?;
    let expected = [source.slice(1_000..1_000 + size), source.slice(..500)].concat();
    let bytes = bench.get("to").await?;
    same("size", bytes.len(), expected.len())?;
    super::bench::holds("bytes", bytes == expected)
}

async fn part_copy_if_match(bench: &Bench<'_>) -> Verdict {
    let etag = bench.put("from", "bytes").await?.etag.ok_or("no ETag")?;
    bench.put("from", "changed").await?;
    let upload = bench.create_upload("to").await?;
    let copy = UploadPartCopy {
        bucket: bench.bucket.clone(),
        key: key("to"),
        upload_id: upload.upload_id.clone(),
        part_number: part_number(1),
        source: bench.source("from"),
        range: ByteRange {
            offset: 0,
            length: ByteCount(5),
        },
        conditions: conditions(&etag),
    };
    let changed = bench.client.upload_part_copy(copy).await;
    refused(
        "UploadPartCopy",
        changed,
        Fault::Conflict,
        &["PreconditionFailed"],
    )
}
