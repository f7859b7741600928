//! One object: its bytes, what it carries, conditions, checksums.

use base::{ByteCount, Crc64Nvme, ETag, Fault, Sealed};
use bytes::Bytes;

use super::Check;
use super::bench::{Bench, Verdict, holds, ramp, refused, same};
use crate::payload::Payload;
use crate::types::{
    ByteRange, DeleteObject, GetObject, HeadObject, ObjectAttributes, PutCondition, PutObject,
    StorageClass,
};

pub(super) fn checks() -> Vec<Check> {
    vec![
        Check::new("put, get, head, delete", |bench| Box::pin(life(bench))),
        Check::new("empty object", |bench| Box::pin(empty(bench))),
        Check::new("overwrite", |bench| Box::pin(overwrite(bench))),
        Check::new("etag is the md5", |bench| Box::pin(etag_is_md5(bench))),
        Check::new("ranges", |bench| Box::pin(ranges(bench))),
        Check::new("range outside", |bench| Box::pin(range_outside(bench))),
        Check::new("get if match", |bench| Box::pin(get_if_match(bench))),
        Check::new("content headers", |bench| Box::pin(content_headers(bench))),
        Check::new("user metadata", |bench| Box::pin(user_metadata(bench))),
        Check::new("user metadata beyond ascii", |bench| {
            Box::pin(user_metadata_beyond_ascii(bench))
        }),
        Check::new("storage class", |bench| Box::pin(storage_class(bench))),
        Check::new("tag count", |bench| Box::pin(tag_count(bench))),
        Check::new("put if absent", |bench| Box::pin(put_if_absent(bench))),
        Check::new("put if match", |bench| Box::pin(put_if_match(bench))),
        Check::new("delete if match", |bench| Box::pin(delete_if_match(bench))),
        Check::new("checksum of an object", |bench| Box::pin(checksum(bench))),
        Check::new("wrong checksum refused", |bench| {
            Box::pin(wrong_checksum(bench))
        }),
    ]
}

async fn life(bench: &Bench<'_>) -> Verdict {
    let bytes = ramp(1, 100_000);
    let put = bench.put("dir/k", bytes.clone()).await?;
    let head = bench.head("dir/k").await?;
    same("size", head.size, ByteCount(100_000))?;
    same("ETag of HEAD", head.etag.clone(), put.etag)?;
    holds("there is an ETag", head.etag.is_some())?;
    holds("there is a Last-Modified", head.last_modified.is_some())?;
    let output = bench.client.get_object(bench.get_request("dir/k")).await?;
    same("size of GET", output.head.size, ByteCount(100_000))?;
    same("ETag of GET", output.head.etag, head.etag)?;
    same("range of GET", output.range, None)?;
    same("bytes", output.body.collect().await?, bytes)?;
    bench.delete("dir/k", None).await?;
    bench.absent("dir/k").await
}

async fn empty(bench: &Bench<'_>) -> Verdict {
    bench.put("k", "").await?;
    same("size", bench.head("k").await?.size, ByteCount(0))?;
    same("bytes", bench.get("k").await?, Bytes::new())
}

async fn overwrite(bench: &Bench<'_>) -> Verdict {
    bench.put("k", ramp(1, 1_000)).await?;
    bench.put("k", "shorter").await?;
    same("bytes", bench.get("k").await?, "shorter".into())
}

async fn etag_is_md5(bench: &Bench<'_>) -> Verdict {
    bench.put("k", "hello").await?;
    let etag = bench.head("k").await?.etag;
    // MD5 of "hello".
    let md5 = ETag::from_header("5d41402abc4b2a76b9719d911017c592");
    same("ETag", etag, Some(md5))
}

fn range(offset: u64, length: u64) -> ByteRange {
    ByteRange {
        offset,
        length: ByteCount(length),
    }
}

async fn ranges(bench: &Bench<'_>) -> Verdict {
    let bytes = ramp(3, 10_000);
    bench.put("k", bytes.clone()).await?;
    for (asked, answered) in [
        (range(0, 1), range(0, 1)),
        (range(1_000, 500), range(1_000, 500)),
        (range(9_999, 1), range(9_999, 1)),
        (range(0, 10_000), range(0, 10_000)),
        (range(9_990, 100), range(9_990, 10)),
    ] {
        let request = GetObject {
            range: Some(asked),
            ..bench.get_request("k")
        };
        let output = bench.client.get_object(request).await?;
        same("range", output.range, Some(answered))?;
        same("whole size", output.head.size, ByteCount(10_000))?;
        let begin = usize::try_from(answered.offset).expect("below 10,000");
        let length = answered.length.as_usize().expect("below 10,000");
        let expected = bytes.slice(begin..begin + length);
        same("bytes", output.body.collect().await?, expected)?;
    }
    Ok(())
}

async fn range_outside(bench: &Bench<'_>) -> Verdict {
    bench.put("k", "12345").await?;
    let request = GetObject {
        range: Some(range(5, 1)),
        ..bench.get_request("k")
    };
    let outside = bench.client.get_object(request).await;
    refused("GET", outside, Fault::Invalid, &["InvalidRange"])
}

async fn get_if_match(bench: &Bench<'_>) -> Verdict {
    let etag = bench.put("k", "x").await?.etag.ok_or("no ETag")?;
    let request = |etag: ETag| GetObject {
        if_match: Some(etag),
        ..bench.get_request("k")
    };
    same(
        "bytes",
        bench.read(request(etag.clone())).await?,
        "x".into(),
    )?;
    bench.put("k", "changed").await?;
    let changed = bench.client.get_object(request(etag)).await;
    refused("GET", changed, Fault::Conflict, &["PreconditionFailed"])
}

fn owned(text: &str) -> Option<String> {
    Some(text.to_owned())
}

async fn put_with(bench: &Bench<'_>, attributes: ObjectAttributes) -> Verdict<ObjectAttributes> {
    let request = PutObject {
        attributes,
        ..bench.put_request("k", "x")
    };
    bench.client.put_object(request).await?;
    Ok(bench.head("k").await?.attributes)
}

async fn content_headers(bench: &Bench<'_>) -> Verdict {
    let attributes = ObjectAttributes {
        content_type: owned("text/plain; charset=utf-8"),
        content_encoding: owned("gzip"),
        content_disposition: owned("attachment; filename=\"a b.txt\""),
        content_language: owned("de-CH"),
        cache_control: owned("max-age=60, private"),
        expires: owned("Wed, 21 Oct 2026 07:28:00 GMT"),
        ..ObjectAttributes::default()
    };
    let kept = put_with(bench, attributes.clone()).await?;
    same("Content-Type", kept.content_type, attributes.content_type)?;
    same(
        "Content-Encoding",
        kept.content_encoding,
        attributes.content_encoding,
    )?;
    let disposition = (kept.content_disposition, attributes.content_disposition);
    same("Content-Disposition", disposition.0, disposition.1)?;
    same(
        "Content-Language",
        kept.content_language,
        attributes.content_language,
    )?;
    same(
        "Cache-Control",
        kept.cache_control,
        attributes.cache_control,
    )?;
    same("Expires", kept.expires, attributes.expires)
}

fn metadata(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

async fn user_metadata(bench: &Bench<'_>) -> Verdict {
    let metadata = metadata(&[
        ("a-1", "one; two=\"3\""),
        ("b_c", "x"),
        ("mtime", "1730000000.5"),
    ]);
    let attributes = ObjectAttributes {
        metadata: metadata.clone(),
        ..ObjectAttributes::default()
    };
    let kept = put_with(bench, attributes).await?.metadata;
    for pair in metadata {
        holds(&format!("{pair:?} in {kept:?}"), kept.contains(&pair))?;
    }
    Ok(())
}

async fn user_metadata_beyond_ascii(bench: &Bench<'_>) -> Verdict {
    let long = "Füße ".repeat(30);
    let metadata = metadata(&[("name", "ÄMÄZÕÑ S3 \u{1f600}"), ("long", long.trim())]);
    let attributes = ObjectAttributes {
        metadata: metadata.clone(),
        ..ObjectAttributes::default()
    };
    let kept = put_with(bench, attributes).await?.metadata;
    for pair in metadata {
        holds(&format!("{pair:?} in {kept:?}"), kept.contains(&pair))?;
    }
    Ok(())
}

async fn storage_class(bench: &Bench<'_>) -> Verdict {
    let class = Some(StorageClass::from_name("STANDARD_IA"));
    let attributes = ObjectAttributes {
        storage_class: class.clone(),
        ..ObjectAttributes::default()
    };
    let kept = put_with(bench, attributes).await?;
    same("class of HEAD", kept.storage_class, class.clone())?;
    let (rows, _) = bench.all_objects(bench.list("")).await?;
    let listed = rows.first().ok_or("not listed")?.storage_class.clone();
    same("class of LIST", listed, class)
}

async fn tag_count(bench: &Bench<'_>) -> Verdict {
    let request = PutObject {
        attributes: ObjectAttributes {
            tagging: owned("a=1&b=two%20words"),
            ..ObjectAttributes::default()
        },
        ..bench.put_request("k", "x")
    };
    bench.client.put_object(request).await?;
    let output = bench.client.get_object(bench.get_request("k")).await?;
    same("tags of GET", output.head.tag_count, Some(2))?;
    same("tags of HEAD", bench.head("k").await?.tag_count, Some(2))
}

async fn put_if_absent(bench: &Bench<'_>) -> Verdict {
    let request = |bytes: &'static str| PutObject {
        condition: PutCondition::Absent,
        ..bench.put_request("k", bytes)
    };
    bench.client.put_object(request("first")).await?;
    let second = bench.client.put_object(request("second")).await;
    refused("PUT", second, Fault::Conflict, &["PreconditionFailed"])?;
    same("bytes", bench.get("k").await?, "first".into())
}

async fn put_if_match(bench: &Bench<'_>) -> Verdict {
    let etag = bench.put("k", "first").await?.etag.ok_or("no ETag")?;
    let request = |etag: &ETag, bytes: &'static str| PutObject {
        condition: PutCondition::Matches(etag.clone()),
        ..bench.put_request("k", bytes)
    };
    bench.client.put_object(request(&etag, "second")).await?;
    let third = bench.client.put_object(request(&etag, "third")).await;
    refused("PUT", third, Fault::Conflict, &["PreconditionFailed"])?;
    same("bytes", bench.get("k").await?, "second".into())
}

async fn delete_if_match(bench: &Bench<'_>) -> Verdict {
    let old = bench.put("k", "first").await?.etag;
    let new = bench.put("k", "second").await?.etag;
    let request = |if_match: Option<ETag>| DeleteObject {
        if_match,
        ..bench.delete_request("k", None)
    };
    let refusal = bench.client.delete_object(request(old)).await;
    refused("DELETE", refusal, Fault::Conflict, &["PreconditionFailed"])?;
    same("bytes", bench.get("k").await?, "second".into())?;
    bench.client.delete_object(request(new)).await?;
    bench.absent("k").await
}

async fn checksum(bench: &Bench<'_>) -> Verdict {
    let bytes = ramp(5, 70_000);
    let crc64 = Crc64Nvme::of(&bytes);
    bench.put("k", bytes).await?;
    let request = HeadObject {
        checksum_mode: true,
        ..bench.head_request("k")
    };
    let head = bench.client.head_object(request).await?;
    same("CRC64NVME of HEAD", head.crc64nvme(), Some(crc64))?;
    let output = bench.client.get_object(bench.get_request("k")).await?;
    same("CRC64NVME of GET", output.head.crc64nvme(), Some(crc64))
}

async fn wrong_checksum(bench: &Bench<'_>) -> Verdict {
    let bytes = Bytes::from_static(b"what was sEnt");
    let crc64 = Crc64Nvme::of(b"what was sent");
    let request = PutObject {
        payload: Payload::Memory(Sealed::with_checksum(bytes, crc64)),
        ..bench.put_request("k", "")
    };
    let put = bench.client.put_object(request).await;
    holds("the PUT is refused", put.is_err())?;
    bench.absent("k").await
}
