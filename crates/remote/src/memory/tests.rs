//! The model against S3's written behaviour; the suite and the mover check the rest.

use base::fault::Classified as _;
use base::ids::PartNumber;
use base::{BucketName, ByteCount, Checksum, Crc64Nvme, ETag, Fault, Key, Sealed, UploadId};
use bytes::Bytes;
use proptest::prelude::{prop_assert_eq, proptest};

use super::{Hook, ListingOrder, MemoryClient, MemoryOptions, Reaction};
use crate::client::ObjectClient;
use crate::error::Operation;
use crate::payload::Payload;
use crate::types::{
    ByteRange, CompleteMultipartUpload, ContinuationToken, CreateMultipartUpload, DeleteObject,
    GetObject, HeadObject, ListObjectVersions, ListObjects, ListPage, ObjectAttributes,
    PutCondition, PutObject, UploadPart, VersioningState,
};

fn bucket() -> BucketName {
    BucketName::new("b").unwrap()
}

fn key(text: &str) -> Key {
    Key::new(text).unwrap()
}

fn put(name: &str, payload: Payload) -> PutObject {
    PutObject {
        bucket: bucket(),
        key: key(name),
        payload,
        attributes: ObjectAttributes::default(),
        condition: PutCondition::None,
    }
}

fn small_pages(rows: u32) -> MemoryOptions {
    MemoryOptions {
        page_rows_max: rows,
        part_size_min: ByteCount(1),
        ..MemoryOptions::default()
    }
}

/// All rows of a listing, keys and prefixes as the pages give them.
async fn rows(client: &MemoryClient, mut request: ListObjects) -> Vec<String> {
    let mut rows = Vec::new();
    for _ in 0..1_000 {
        let page = client.list_objects(request.clone()).await.unwrap();
        rows.extend(page_rows(&page));
        match page.next {
            Some(next) => request.continuation_token = Some(next),
            None => return rows,
        }
    }
    panic!("the listing never ended");
}

fn page_rows(page: &ListPage) -> Vec<String> {
    let mut rows: Vec<String> = page.common_prefixes.clone();
    rows.extend(page.objects.iter().map(|object| object.key.to_string()));
    rows
}

proptest! {
    #[test]
    fn pages_of_any_size_roll_up_as_a_plain_model_does(
        keys in proptest::collection::btree_set("[ab/\u{7f}é]{1,5}", 0..24),
        prefix in "[ab/]{0,2}",
        after in "[ab/é]{0,4}",
        page in 1_u32..5,
        delimited in proptest::bool::ANY,
        empty_pages in proptest::bool::ANY,
    ) {
        let mut expected: Vec<String> = keys
            .iter()
            .filter_map(|key| {
                let beyond = key.strip_prefix(&prefix)?;
                Some(match beyond.find('/').filter(|_| delimited) {
                    Some(at) => key[..prefix.len() + at + 1].to_owned(),
                    None => key.clone(),
                })
            })
            .filter(|row| *row > after)
            .collect();
        expected.dedup();
        expected.sort();
        let options = MemoryOptions { empty_pages, ..small_pages(page) };
        let client = MemoryClient::new(options);
        client.insert_bucket("b");
        keys.iter().for_each(|key| client.insert("b", key, "x"));
        let request = ListObjects {
            delimiter: delimited.then(|| "/".to_owned()),
            start_after: Some(after),
            ..ListObjects::new(bucket(), prefix)
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let mut got = runtime.block_on(rows(&client, request));
        got.sort();
        prop_assert_eq!(got, expected);
    }
}

#[tokio::test]
async fn unordered_and_path_ordered_listings_still_give_each_key_once() {
    for listing_order in [
        ListingOrder::Unordered,
        ListingOrder::PathComponents,
        ListingOrder::SwappedRows,
    ] {
        let client = MemoryClient::new(MemoryOptions {
            listing_order,
            ..small_pages(3)
        });
        let names = ["a", "a-b", "a/b", "a/c", "b", "b/", "c/d/e", "z"];
        names
            .iter()
            .for_each(|name| client.insert("b", name, "bytes"));
        let mut got = rows(&client, ListObjects::new(bucket(), "")).await;
        assert_ne!(got, names, "{listing_order:?}");
        got.sort();
        assert_eq!(got, names);
    }
}

#[tokio::test]
async fn a_repeated_token_gives_the_same_page_again() {
    let client = MemoryClient::new(MemoryOptions {
        repeats_token_from_page: Some(1),
        ..small_pages(1)
    });
    ["a", "b", "c"]
        .iter()
        .for_each(|name| client.insert("b", name, "x"));
    let first = client
        .list_objects(ListObjects::new(bucket(), ""))
        .await
        .unwrap();
    let second = ListObjects {
        continuation_token: first.next.clone(),
        ..ListObjects::new(bucket(), "")
    };
    let page = client.list_objects(second).await.unwrap();
    assert_eq!(page.next, first.next);
    let wrong = ListObjects {
        continuation_token: Some(ContinuationToken("b".to_owned())),
        ..ListObjects::new(bucket(), "")
    };
    assert!(client.list_objects(wrong).await.is_err());
}

#[tokio::test]
async fn versions_markers_and_the_null_version_follow_s3() {
    let client = MemoryClient::new(small_pages(1));
    client.insert("b", "k", "null version");
    let versioned = client.put_bucket_versioning(bucket(), VersioningState::Enabled);
    versioned.await.unwrap();
    let put_two = client.put_object(put("k", Payload::from_bytes("two")));
    let two = put_two.await.unwrap().version_id.unwrap();
    let delete = DeleteObject {
        bucket: bucket(),
        key: key("k"),
        version_id: None,
        if_match: None,
    };
    let marker = client.delete_object(delete.clone()).await.unwrap();
    assert!(marker.delete_marker);
    let missing = client
        .head_object(HeadObject::new(bucket(), key("k")))
        .await;
    assert_eq!(missing.unwrap_err().fault(), Fault::NotFound);
    assert!(
        rows(&client, ListObjects::new(bucket(), ""))
            .await
            .is_empty()
    );

    let mut request = ListObjectVersions {
        bucket: bucket(),
        prefix: String::new(),
        delimiter: None,
        continuation_token: None,
        keys_max: None,
    };
    let mut seen = Vec::new();
    loop {
        let page = client.list_object_versions(request.clone()).await.unwrap();
        assert_eq!(page.objects.len(), 1);
        let version = page.objects[0].version.clone().unwrap();
        seen.push((
            version.id.to_string(),
            version.is_latest,
            version.is_delete_marker,
        ));
        match page.next {
            Some(next) => request.continuation_token = Some(next),
            None => break,
        }
    }
    let marker_id = marker.version_id.clone().unwrap();
    assert_eq!(
        seen,
        [
            (marker_id.to_string(), true, true),
            (two.to_string(), false, false),
            ("null".to_owned(), false, false),
        ]
    );
    let unmark = DeleteObject {
        version_id: marker.version_id,
        ..delete
    };
    assert!(client.delete_object(unmark).await.unwrap().delete_marker);
    assert_eq!(client.bytes("b", "k").unwrap(), "two");
}

#[tokio::test]
async fn a_made_up_object_is_copied_by_parts_without_memory() {
    let client = MemoryClient::new(small_pages(10));
    let length = ByteCount(3 << 40);
    client.insert_ramp("b", "huge", 5, length);
    let created = client
        .create_multipart_upload(CreateMultipartUpload {
            bucket: bucket(),
            key: key("part of it"),
            attributes: ObjectAttributes::default(),
        })
        .await
        .unwrap();
    let mut parts = Vec::new();
    for number in [2_u32, 1] {
        let range = ByteRange {
            offset: u64::from(number) * 100_000,
            length: ByteCount(100_000),
        };
        let get = GetObject {
            range: Some(range),
            ..GetObject::new(bucket(), key("huge"))
        };
        let found = client.get_object(get).await.unwrap();
        assert_eq!((found.head.size, found.range), (length, Some(range)));
        let payload = Payload::from_bytes(found.body.collect().await.unwrap());
        let part_number = PartNumber::new(number).unwrap();
        let sent = client
            .upload_part(UploadPart {
                bucket: bucket(),
                key: key("part of it"),
                upload_id: created.upload_id.clone(),
                part_number,
                payload,
                takes_crc64nvme: created.takes_crc64nvme,
            })
            .await
            .unwrap();
        parts.insert(0, (part_number, sent.etag, sent.checksum));
    }
    let complete = |upload_id: UploadId, checksum| CompleteMultipartUpload {
        bucket: bucket(),
        key: key("part of it"),
        upload_id,
        parts: parts.clone(),
        checksum,
        condition: PutCondition::Absent,
    };
    let wrong = Some(Checksum::crc64nvme(Crc64Nvme(1)));
    let refused = client.complete_multipart_upload(complete(created.upload_id.clone(), wrong));
    assert!(refused.await.unwrap_err().is_code("BadDigest"));
    let completed = client
        .complete_multipart_upload(complete(created.upload_id.clone(), None))
        .await
        .unwrap();
    assert_eq!(completed.etag.as_ref().and_then(ETag::part_count), Some(2));
    let (size, crc64) = client.fingerprint("b", "part of it").unwrap();
    assert_eq!(size, ByteCount(200_000));
    assert_eq!(completed.checksum, Some(Checksum::crc64nvme(crc64)));
    let again = client.complete_multipart_upload(complete(created.upload_id, None));
    assert!(again.await.unwrap_err().is_code("NoSuchUpload"));
}

#[tokio::test]
async fn hooks_fail_break_corrupt_and_lose_answers() {
    let client = MemoryClient::with_buckets(["b"]);
    client.insert("b", "k", vec![7; 200_000]);
    client.set_hook(Some(Hook::fail_nth(Operation::HeadObject, 2, |call| {
        call.slow_down()
    })));
    let head = || client.head_object(HeadObject::new(bucket(), key("k")));
    assert!(head().await.is_ok());
    assert!(head().await.unwrap_err().is_code("SlowDown"));
    assert!(head().await.is_ok());

    let get = || client.get_object(GetObject::new(bucket(), key("k")));
    client.set_hook(Some(Hook::new(|_| Reaction::BreakBody { after: 70_000 })));
    let mut body = get().await.unwrap().body;
    let mut arrived = 0;
    let error = loop {
        match body.frame().await.expect("no end without an error") {
            Ok(frame) => arrived += frame.len(),
            Err(error) => break error,
        }
    };
    assert_eq!((arrived, error.fault()), (70_000, Fault::Unavailable));
    assert!(body.frame().await.is_none());

    client.set_hook(Some(Hook::new(|_| Reaction::CorruptBody { at: 199_999 })));
    let bytes = get().await.unwrap().body.collect().await.unwrap();
    assert_eq!((bytes[199_998], bytes[199_999]), (7, 6));

    client.set_hook(Some(Hook::new(|call| {
        Reaction::ActThenFail(call.connection_lost())
    })));
    let lost = client.put_object(put("lost answer", Payload::from_bytes("x")));
    assert!(lost.await.is_err());
    assert_eq!(client.bytes("b", "lost answer").unwrap(), "x");
    assert_eq!(client.request_count(Operation::HeadObject), 3);
}

#[tokio::test]
async fn bytes_that_changed_on_their_way_are_refused_where_checksums_are_known() {
    let client = MemoryClient::with_buckets(["b"]);
    let crc64 = Crc64Nvme::of(b"what was sent");
    let changed = Payload::Memory(Sealed::with_checksum(
        Bytes::from_static(b"what was sEnt"),
        crc64,
    ));
    let refused = client.put_object(put("k", changed.clone())).await;
    assert_eq!(refused.unwrap_err().fault(), Fault::Corrupt);
    client.set_options(|options| options.checksums = false);
    let taken = client.put_object(put("k", changed)).await.unwrap();
    assert_eq!(taken.checksum, None);
}
