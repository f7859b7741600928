//! Multipart uploads.

use base::limits::PART_SIZE_MIN;
use base::{ByteCount, Checksum, Crc64Nvme, ETag, Fault};
use bytes::Bytes;

use super::Check;
use super::bench::{Bench, Verdict, holds, key, part_number, ramp, refused, same};
use crate::types::{
    CompleteMultipartUpload, CreateMultipartUpload, CreatedUpload, HeadObject, ListParts,
    ObjectAttributes, PartPage, PutCondition, UploadedPart,
};

pub(super) fn checks() -> Vec<Check> {
    vec![
        Check::new("multipart", |bench| Box::pin(whole(bench))),
        Check::new("etag of a multipart object", |bench| Box::pin(etag(bench))),
        Check::new("multipart of one small part", |bench| {
            Box::pin(one_small(bench))
        }),
        Check::new("multipart attributes", |bench| Box::pin(attributes(bench))),
        Check::new("list parts", |bench| Box::pin(list_parts(bench))),
        Check::new("list parts goes on after a part", |bench| {
            Box::pin(list_parts_after(bench))
        }),
        Check::new("list uploads", |bench| Box::pin(list_uploads(bench))),
        Check::new("part replaced", |bench| Box::pin(part_replaced(bench))),
        Check::new("parts left out", |bench| Box::pin(parts_left_out(bench))),
        Check::new("abort", |bench| Box::pin(abort(bench))),
        Check::new("part after abort", |bench| {
            Box::pin(part_after_abort(bench))
        }),
        Check::new("wrong part refused", |bench| Box::pin(wrong_part(bench))),
        Check::new("part order refused", |bench| Box::pin(part_order(bench))),
        Check::new("small part refused", |bench| Box::pin(small_part(bench))),
        Check::new("upload gone once complete", |bench| {
            Box::pin(gone_once_complete(bench))
        }),
        Check::new("complete if absent", |bench| {
            Box::pin(complete_if_absent(bench))
        }),
        Check::new("checksum of a multipart object", |bench| {
            Box::pin(checksum(bench))
        }),
        Check::new("wrong whole checksum refused", |bench| {
            Box::pin(wrong_checksum(bench))
        }),
        Check::new("part count", |bench| Box::pin(part_count(bench, false))),
        Check::new("whole size beside a part", |bench| {
            Box::pin(part_count(bench, true))
        }),
    ]
}

/// The smallest part that S3 takes before another.
fn full_part(phase: usize) -> Bytes {
    ramp(
        phase,
        PART_SIZE_MIN.as_usize().expect("5 MiB fit in memory"),
    )
}

/// Two parts, sent in the wrong order.
async fn two_parts(
    bench: &Bench<'_>,
    upload: &CreatedUpload,
) -> Verdict<(UploadedPart, UploadedPart)> {
    let second = bench.upload_part("k", upload, 2, ramp(7, 1_000)).await?;
    let first = bench.upload_part("k", upload, 1, full_part(3)).await?;
    Ok((first, second))
}

fn two_parts_bytes() -> Bytes {
    [full_part(3), ramp(7, 1_000)].concat().into()
}

async fn parts_of(bench: &Bench<'_>, upload: &CreatedUpload) -> crate::Result<PartPage> {
    bench
        .client
        .list_parts(ListParts {
            bucket: bench.bucket.clone(),
            key: key("k"),
            upload_id: upload.upload_id.clone(),
            part_number_after: None,
        })
        .await
}

async fn whole(bench: &Bench<'_>) -> Verdict {
    let upload = bench.create_upload("k").await?;
    let (first, second) = two_parts(bench, &upload).await?;
    bench.absent("k").await?;
    bench
        .complete("k", &upload, &[(1, &first), (2, &second)])
        .await?;
    let size = bench.head("k").await?.size;
    same("size", size, PART_SIZE_MIN + ByteCount(1_000))?;
    holds("bytes", bench.get("k").await? == two_parts_bytes())
}

/// S3's is the MD5 of the parts' MD5s, and their number.
async fn etag(bench: &Bench<'_>) -> Verdict {
    let upload = bench.create_upload("k").await?;
    let (first, second) = two_parts(bench, &upload).await?;
    let completed = bench
        .complete("k", &upload, &[(1, &first), (2, &second)])
        .await?;
    let md5s: Vec<u8> = [&first.etag, &second.etag]
        .iter()
        .filter_map(|etag| etag.as_md5())
        .flatten()
        .collect();
    same("length of both parts' MD5s", md5s.len(), 32)?;
    let digest = <md5::Md5 as md5::Digest>::digest(&md5s);
    let expected = ETag::from_header(&format!("{}-2", hex::encode(digest)));
    same("ETag of Complete", completed.etag, Some(expected.clone()))?;
    same("ETag of HEAD", bench.head("k").await?.etag, Some(expected))
}

async fn one_small(bench: &Bench<'_>) -> Verdict {
    let upload = bench.create_upload("k").await?;
    let part = bench.upload_part("k", &upload, 1, "small").await?;
    bench.complete("k", &upload, &[(1, &part)]).await?;
    same("bytes", bench.get("k").await?, "small".into())
}

async fn attributes(bench: &Bench<'_>) -> Verdict {
    let attributes = ObjectAttributes {
        content_type: Some("audio/mpeg".to_owned()),
        cache_control: Some("no-cache".to_owned()),
        metadata: vec![("a".to_owned(), "1".to_owned())],
        ..ObjectAttributes::default()
    };
    let request = CreateMultipartUpload {
        attributes: attributes.clone(),
        ..bench.create_request("k")
    };
    let upload = bench.client.create_multipart_upload(request).await?;
    let part = bench.upload_part("k", &upload, 1, "x").await?;
    bench.complete("k", &upload, &[(1, &part)]).await?;
    let kept = bench.head("k").await?.attributes;
    same("Content-Type", kept.content_type, attributes.content_type)?;
    same(
        "Cache-Control",
        kept.cache_control,
        attributes.cache_control,
    )?;
    same("metadata", kept.metadata, attributes.metadata)
}

async fn list_parts(bench: &Bench<'_>) -> Verdict {
    let upload = bench.create_upload("k").await?;
    let empty = parts_of(bench, &upload).await?;
    holds("no parts at first", empty.parts.is_empty())?;
    let (first, second) = two_parts(bench, &upload).await?;
    let page = parts_of(bench, &upload).await?;
    let listed: Vec<_> = page
        .parts
        .iter()
        .map(|part| (part.part_number.get(), part.size, part.etag.clone()))
        .collect();
    let expected = vec![
        (1, PART_SIZE_MIN, first.etag),
        (2, ByteCount(1_000), second.etag),
    ];
    same("parts", listed, expected)?;
    same("next page", page.next_after, None)
}

async fn list_parts_after(bench: &Bench<'_>) -> Verdict {
    let upload = bench.create_upload("k").await?;
    for number in [1, 3, 10_000] {
        bench.upload_part("k", &upload, number, "x").await?;
    }
    let request = ListParts {
        bucket: bench.bucket.clone(),
        key: key("k"),
        upload_id: upload.upload_id.clone(),
        part_number_after: Some(part_number(1)),
    };
    let page = bench.client.list_parts(request).await?;
    let numbers: Vec<u32> = page
        .parts
        .iter()
        .map(|part| part.part_number.get())
        .collect();
    same("parts after 1", numbers, vec![3, 10_000])
}

async fn list_uploads(bench: &Bench<'_>) -> Verdict {
    let mut expected = Vec::new();
    // So many that a store which sorts by random ids does not come out right by chance.
    for name in ["a/1 +", "a/2", "a/3", "a/4", "b", "c"] {
        let upload = bench.create_upload(name).await?;
        expected.push((name.to_owned(), upload.upload_id));
    }
    let shown = |uploads: Vec<crate::types::UploadSummary>| -> Vec<_> {
        let uploads = uploads.into_iter();
        uploads
            .map(|upload| (upload.key.to_string(), upload.upload_id))
            .collect()
    };
    same(
        "uploads",
        shown(bench.all_uploads("").await?),
        expected.clone(),
    )?;
    expected.truncate(4);
    same(
        "uploads under a/",
        shown(bench.all_uploads("a/").await?),
        expected,
    )?;
    same(
        "uploads under z",
        shown(bench.all_uploads("z").await?),
        Vec::new(),
    )
}

async fn part_replaced(bench: &Bench<'_>) -> Verdict {
    let upload = bench.create_upload("k").await?;
    bench.upload_part("k", &upload, 1, "first try").await?;
    let part = bench.upload_part("k", &upload, 1, "second try").await?;
    let parts = parts_of(bench, &upload).await?.parts;
    same("parts", parts.len(), 1)?;
    bench.complete("k", &upload, &[(1, &part)]).await?;
    same("bytes", bench.get("k").await?, "second try".into())
}

async fn parts_left_out(bench: &Bench<'_>) -> Verdict {
    let upload = bench.create_upload("k").await?;
    let kept = bench.upload_part("k", &upload, 5, "kept").await?;
    bench.upload_part("k", &upload, 9, "left out").await?;
    bench.complete("k", &upload, &[(5, &kept)]).await?;
    same("bytes", bench.get("k").await?, "kept".into())
}

async fn abort(bench: &Bench<'_>) -> Verdict {
    let upload = bench.create_upload("k").await?;
    bench.upload_part("k", &upload, 1, "x").await?;
    bench.abort("k", &upload).await?;
    let parts = parts_of(bench, &upload).await;
    refused("ListParts", parts, Fault::NotFound, &["NoSuchUpload"])?;
    bench.absent("k").await
}

async fn part_after_abort(bench: &Bench<'_>) -> Verdict {
    let upload = bench.create_upload("k").await?;
    bench.abort("k", &upload).await?;
    let part = bench.part_request("k", &upload, 2, "x");
    let part = bench.client.upload_part(part).await;
    refused("UploadPart", part, Fault::NotFound, &["NoSuchUpload"])
}

async fn wrong_part(bench: &Bench<'_>) -> Verdict {
    let upload = bench.create_upload("k").await?;
    let part = bench.upload_part("k", &upload, 1, "x").await?;
    let other = UploadedPart {
        etag: ETag::from_header("00000000000000000000000000000000"),
        checksum: None,
        ..part.clone()
    };
    let client = bench.client;
    let wrong = bench.complete_request("k", &upload, &[(1, &other)]);
    let wrong = client.complete_multipart_upload(wrong).await;
    refused("a wrong ETag", wrong, Fault::Invalid, &["InvalidPart"])?;
    let missing = bench.complete_request("k", &upload, &[(2, &part)]);
    let missing = client.complete_multipart_upload(missing).await;
    refused("a missing part", missing, Fault::Invalid, &["InvalidPart"])?;
    bench.absent("k").await?;
    // The upload is still there and can be completed rightly.
    bench.complete("k", &upload, &[(1, &part)]).await?;
    same("bytes", bench.get("k").await?, "x".into())
}

async fn part_order(bench: &Bench<'_>) -> Verdict {
    let upload = bench.create_upload("k").await?;
    let first = bench.upload_part("k", &upload, 1, full_part(3)).await?;
    let second = bench.upload_part("k", &upload, 2, full_part(7)).await?;
    let request = bench.complete_request("k", &upload, &[(2, &second), (1, &first)]);
    let turned = bench.client.complete_multipart_upload(request).await;
    refused("Complete", turned, Fault::Invalid, &["InvalidPartOrder"])
}

async fn small_part(bench: &Bench<'_>) -> Verdict {
    let upload = bench.create_upload("k").await?;
    let first = bench.upload_part("k", &upload, 1, "small").await?;
    let second = bench.upload_part("k", &upload, 2, "last").await?;
    let request = bench.complete_request("k", &upload, &[(1, &first), (2, &second)]);
    let small = bench.client.complete_multipart_upload(request).await;
    refused("Complete", small, Fault::Invalid, &["EntityTooSmall"])
}

async fn gone_once_complete(bench: &Bench<'_>) -> Verdict {
    let upload = bench.create_upload("k").await?;
    let part = bench.upload_part("k", &upload, 1, "x").await?;
    bench.complete("k", &upload, &[(1, &part)]).await?;
    let parts = parts_of(bench, &upload).await;
    refused("ListParts", parts, Fault::NotFound, &["NoSuchUpload"])?;
    same("bytes", bench.get("k").await?, "x".into())
}

async fn complete_if_absent(bench: &Bench<'_>) -> Verdict {
    let upload = bench.create_upload("k").await?;
    let part = bench.upload_part("k", &upload, 1, "uploaded").await?;
    bench.put("k", "was faster").await?;
    let request = CompleteMultipartUpload {
        condition: PutCondition::Absent,
        ..bench.complete_request("k", &upload, &[(1, &part)])
    };
    let late = bench.client.complete_multipart_upload(request).await;
    refused("Complete", late, Fault::Conflict, &["PreconditionFailed"])?;
    same("bytes", bench.get("k").await?, "was faster".into())
}

async fn checksum(bench: &Bench<'_>) -> Verdict {
    let upload = bench.create_upload("k").await?;
    holds("the upload takes CRC64NVME", upload.takes_crc64nvme)?;
    let (first, second) = two_parts(bench, &upload).await?;
    let crc64 = Crc64Nvme::of(&two_parts_bytes());
    let request = CompleteMultipartUpload {
        checksum: Some(Checksum::crc64nvme(crc64)),
        ..bench.complete_request("k", &upload, &[(1, &first), (2, &second)])
    };
    bench.client.complete_multipart_upload(request).await?;
    let request = HeadObject {
        checksum_mode: true,
        ..bench.head_request("k")
    };
    let head = bench.client.head_object(request).await?;
    same("CRC64NVME", head.crc64nvme(), Some(crc64))
}

async fn wrong_checksum(bench: &Bench<'_>) -> Verdict {
    let upload = bench.create_upload("k").await?;
    let part = bench.upload_part("k", &upload, 1, "x").await?;
    let request = CompleteMultipartUpload {
        checksum: Some(Checksum::crc64nvme(Crc64Nvme(1))),
        ..bench.complete_request("k", &upload, &[(1, &part)])
    };
    let wrong = bench.client.complete_multipart_upload(request).await;
    holds("the Complete is refused", wrong.is_err())?;
    bench.absent("k").await
}

async fn part_count(bench: &Bench<'_>, whole_size: bool) -> Verdict {
    let upload = bench.create_upload("k").await?;
    let (first, second) = two_parts(bench, &upload).await?;
    bench
        .complete("k", &upload, &[(1, &first), (2, &second)])
        .await?;
    let request = HeadObject {
        part_number: Some(part_number(1)),
        ..bench.head_request("k")
    };
    let head = bench.client.head_object(request).await?;
    if whole_size {
        let size = PART_SIZE_MIN + ByteCount(1_000);
        return same("whole size", head.size, size);
    }
    same("parts", head.part_count, Some(2))
}
