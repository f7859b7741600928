//! The readers against documents of every shape, against quick-xml, and against nonsense.

use base::ids::PartNumber;
use base::{ETag, Key, VersionId};
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};
use quick_xml::Reader;
use quick_xml::events::Event;

use super::objects::{ListVersion, parse_objects};
use super::{
    InvalidXml, parse_acl, parse_buckets, parse_completed, parse_copy, parse_created,
    parse_deletes, parse_lock_configuration, parse_parts, parse_tags, parse_uploads,
    parse_versioning, parse_versions, write_acl, write_completed, write_deletes,
    write_lock_configuration, write_tags,
};
use crate::types::{
    AccessControlPolicy, ContinuationToken, Grant, Grantee, ListPage, ObjectIdentifier, Owner,
    Permission, Tag, VersioningState,
};

const PAGE: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
    <ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>b</Name>\
    <Prefix></Prefix><KeyCount>2</KeyCount><MaxKeys>1000</MaxKeys>\
    <EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>\
    <NextContinuationToken>1ueGcx&amp;/=</NextContinuationToken>\
    <Contents><Key>a+b/%E2%82%AC%2B</Key><LastModified>2009-10-12T17:50:30.000Z</LastModified>\
    <ETag>&quot;9b2cf535f27731c974343645a3985328-2&quot;</ETag>\
    <ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType>\
    <Size>434234</Size><StorageClass>STANDARD_IA</StorageClass>\
    <Owner><ID>75aa</ID><DisplayName>m&amp;m</DisplayName></Owner></Contents>\
    <Contents><Size>0</Size><Key>z</Key></Contents>\
    <CommonPrefixes><Prefix>photos/</Prefix></CommonPrefixes></ListBucketResult>";

fn v2(document: &str) -> Result<ListPage, InvalidXml> {
    parse_objects(document.as_bytes(), ListVersion::V2)
}

#[test]
fn a_page_is_read_whole() {
    let page = v2(PAGE).unwrap();
    assert_eq!(page.objects.len(), 2);
    let first = &page.objects[0];
    assert_eq!(first.key.as_str(), "a b/\u{20ac}+");
    assert_eq!(first.size.get(), 434_234);
    assert_eq!(first.etag.as_ref().and_then(ETag::part_count), Some(2));
    assert_eq!(
        first.storage_class.as_ref().unwrap().as_str(),
        "STANDARD_IA"
    );
    assert!(first.checksum_algorithm.is_some() && first.last_modified.is_some());
    let second = &page.objects[1];
    assert_eq!((second.key.as_str(), second.size.get()), ("z", 0));
    assert!(second.etag.is_none() && second.last_modified.is_none());
    assert_eq!(page.common_prefixes, ["photos/"]);
    assert_eq!(page.next, Some(ContinuationToken("1ueGcx&/=".to_owned())));
}

#[test]
fn a_page_that_ends_early_is_never_a_short_list() {
    for end in 0..PAGE.len() {
        let cut = v2(&PAGE[..end]);
        assert!(
            cut.is_err(),
            "{end}: {:?}",
            cut.map(|page| page.objects.len())
        );
    }
}

#[test]
fn order_namespaces_comments_cdata_and_unknown_elements_are_borne() {
    let page = v2(
        "\u{feff}<!-- a > b --><s3:ListBucketResult xmlns:s3='x' a=\"1>2\" ><s3:Contents >\
        <s3:Size> 7 </s3:Size><New><Deep x='/'/>text</New><s3:Key>a<![CDATA[<&>]]>&lt;b<!-- c -->c\
        </s3:Key></s3:Contents><s3:EncodingType/>text<?pi ?></s3:ListBucketResult>\n<!-- end -->",
    )
    .unwrap();
    assert_eq!(
        page.objects[0].key.as_str(),
        "a<&>&lt;b".replace("&lt;", "<") + "c"
    );
    assert_eq!(page.objects[0].size.get(), 7);
    // The encoding stands after the keys: it counts all the same.
    let page = v2(
        "<ListBucketResult><Contents><Key>a%20b</Key><Size>1</Size></Contents>\
        <EncodingType>url</EncodingType></ListBucketResult>",
    )
    .unwrap();
    assert_eq!(page.objects[0].key.as_str(), "a b");
    // Not said: not decoded.
    let page = v2(
        "<ListBucketResult><Contents><Key>a%20b+&#x1;&#10;</Key><Size>1</Size></Contents>\
        </ListBucketResult>",
    )
    .unwrap();
    assert_eq!(page.objects[0].key.as_str(), "a%20b+\u{1}\n");
}

#[test]
fn what_would_lose_an_object_is_an_error() {
    let row = |inside: &str| {
        v2(&format!(
            "<ListBucketResult><Contents>{inside}</Contents></ListBucketResult>"
        ))
        .unwrap_err()
    };
    let too_large = row("<Key>k</Key><Size>18446744073709551616</Size>");
    assert!(matches!(too_large, InvalidXml::Number { .. }));
    assert!(matches!(
        row("<Key>k</Key><Size>-1</Size>"),
        InvalidXml::Number { .. }
    ));
    assert!(matches!(
        row("<Key>k</Key><Size>+1</Size>"),
        InvalidXml::Number { .. }
    ));
    assert_eq!(row("<Key>k</Key>"), InvalidXml::Missing("Size"));
    assert_eq!(row("<Size>1</Size>"), InvalidXml::Missing("Key"));
    assert!(matches!(row("<Key/><Size>1</Size>"), InvalidXml::Key(_)));
    assert!(matches!(row("<Key>&nbsp;</Key>"), InvalidXml::Entity(_)));
    assert!(matches!(row("<Key>&#xD800;</Key>"), InvalidXml::Entity(_)));
    assert!(matches!(row("<Key>k</Size>"), InvalidXml::Malformed { .. }));
    let truncated = "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>";
    assert_eq!(v2(truncated).unwrap_err(), InvalidXml::NoToken);
    let v1 = parse_objects(truncated.as_bytes(), ListVersion::V1);
    assert_eq!(v1.unwrap_err(), InvalidXml::NoToken);
    assert!(matches!(
        v2("<Error><Code>InternalError</Code></Error>").unwrap_err(),
        InvalidXml::Root { .. }
    ));
    assert!(v2("<ListBucketResult/><ListBucketResult/>").is_err());
    let url = "<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>%FF</Key>\
        <Size>1</Size></Contents></ListBucketResult>";
    assert!(matches!(v2(url).unwrap_err(), InvalidXml::Encoding(_)));
    let deep = "<a>".repeat(1_000) + &"</a>".repeat(1_000);
    assert!(v2(&format!("<ListBucketResult>{deep}</ListBucketResult>")).is_err());
}

#[test]
fn v1_goes_on_at_its_marker_or_at_its_last_row() {
    let page = |inside: &str| {
        let document =
            format!("<ListBucketResult><IsTruncated>true</IsTruncated>{inside}</ListBucketResult>");
        parse_objects(document.as_bytes(), ListVersion::V1)
            .unwrap()
            .next
            .unwrap()
            .0
    };
    let key = "<Contents><Key>b</Key><Size>1</Size></Contents>";
    let prefix = "<CommonPrefixes><Prefix>c/</Prefix></CommonPrefixes>";
    assert_eq!(page(&format!("<NextMarker>m&amp;</NextMarker>{key}")), "m&");
    assert_eq!(page(key), "b");
    assert_eq!(page(&format!("{key}{prefix}")), "c/");
}

#[test]
fn versions_keep_their_order_and_both_markers() {
    let document = "<ListVersionsResult><IsTruncated>true</IsTruncated>\
        <NextKeyMarker>k+1</NextKeyMarker><NextVersionIdMarker>v2</NextVersionIdMarker>\
        <DeleteMarker><Key>k+1</Key><VersionId>v3</VersionId><IsLatest>true</IsLatest>\
        <LastModified>2009-10-12T17:50:30.000Z</LastModified></DeleteMarker>\
        <Version><Key>k+1</Key><VersionId>v2</VersionId><IsLatest>false</IsLatest><Size>3</Size>\
        <ETag>\"x\"</ETag></Version><EncodingType>url</EncodingType></ListVersionsResult>";
    let page = parse_versions(document.as_bytes()).unwrap();
    let versions: Vec<_> = page
        .objects
        .iter()
        .map(|o| o.version.clone().unwrap())
        .collect();
    assert!(versions[0].is_delete_marker && versions[0].is_latest);
    assert_eq!(versions[1].id, VersionId::new("v2"));
    assert_eq!(page.objects[1].key.as_str(), "k 1");
    let marker = super::VersionMarker::from_token(&page.next.unwrap()).unwrap();
    assert_eq!(
        (marker.key.as_str(), marker.version_id.as_deref()),
        ("k 1", Some("v2"))
    );
    let no_marker = "<ListVersionsResult><IsTruncated>true</IsTruncated></ListVersionsResult>";
    assert!(parse_versions(no_marker.as_bytes()).is_err());
}

#[test]
fn versions_written_by_kind_are_put_in_order() {
    let row = |kind: &str, key: &str, id: &str, latest: bool, second: u32| {
        format!(
            "<{kind}><Key>{key}</Key><VersionId>{id}</VersionId><IsLatest>{latest}</IsLatest>\
             <Size>1</Size><LastModified>2020-01-01T00:00:0{second}Z</LastModified></{kind}>"
        )
    };
    let ids = |rows: &[String]| -> Vec<String> {
        let document = format!("<ListVersionsResult>{}</ListVersionsResult>", rows.concat());
        let page = parse_versions(document.as_bytes()).unwrap();
        let versions = page.objects.iter().map(|row| row.version.clone().unwrap());
        versions.map(|version| version.id.to_string()).collect()
    };
    let by_kind = [
        row("DeleteMarker", "b", "b3", true, 3),
        row("DeleteMarker", "b", "b1", false, 1),
        row("Version", "a", "a1", true, 5),
        row("Version", "b", "b2", false, 2),
        row("Version", "b", "b0", false, 0),
    ];
    assert_eq!(ids(&by_kind), ["a1", "b3", "b2", "b1", "b0"]);
    // Dates do not say which is newer: what is in order stays.
    let in_order = [
        row("Version", "a", "a2", true, 1),
        row("DeleteMarker", "a", "a1", false, 2),
        row("Version", "a", "a0", false, 3),
    ];
    assert_eq!(ids(&in_order), ["a2", "a1", "a0"]);
}

#[test]
fn every_key_of_a_delete_is_accounted_for() {
    let asked = |key: &str, version: Option<&str>| ObjectIdentifier {
        key: Key::new(key).unwrap(),
        version_id: version.map(VersionId::new),
    };
    let objects = vec![
        asked("a", None),
        asked("v", Some("1")),
        asked("v", Some("2")),
        asked("no & code", None),
        asked("silent", None),
        asked("twice", None),
        asked("twice", None),
    ];
    let document = "<DeleteResult><Deleted><Key>v</Key><VersionId>2</VersionId></Deleted>\
        <Error><Key>v</Key><VersionId>1</VersionId><Code>AccessDenied</Code><Message>no</Message>\
        </Error><Deleted><Key>a</Key><DeleteMarker>true</DeleteMarker>\
        <DeleteMarkerVersionId>m</DeleteMarkerVersionId></Deleted>\
        <Error><Key>no &amp; code</Key></Error><Deleted><Key>foreign</Key></Deleted>\
        <Deleted><Key>twice</Key></Deleted><Deleted><Key>twice</Key></Deleted></DeleteResult>";
    let output = parse_deletes(document.as_bytes())
        .unwrap()
        .account(objects.clone());
    let deleted: Vec<_> = output.deleted.iter().map(|d| d.object.clone()).collect();
    let expected = [&objects[0], &objects[2], &objects[5], &objects[6]].map(Clone::clone);
    assert_eq!(deleted, expected);
    assert_eq!(
        output.deleted[0].delete_marker_version_id,
        Some(VersionId::new("m"))
    );
    let failed: Vec<_> = output
        .failed
        .iter()
        .map(|f| (&f.object, f.code.as_str()))
        .collect();
    assert_eq!(
        failed,
        [
            (&objects[1], "AccessDenied"),
            (&objects[3], "InternalError"),
            (&objects[4], "NotMentioned"),
        ]
    );
}

#[test]
fn uploads_parts_buckets_and_copies_are_read() {
    let created = "<InitiateMultipartUploadResult><UploadId>u&amp;1</UploadId>\
        </InitiateMultipartUploadResult>";
    assert_eq!(parse_created(created.as_bytes()).unwrap().as_str(), "u&1");
    assert!(parse_created(b"<InitiateMultipartUploadResult/>").is_err());

    let parts = "<ListPartsResult><IsTruncated>true</IsTruncated>\
        <ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm>\
        <NextPartNumberMarker>7</NextPartNumberMarker><Part><PartNumber>7</PartNumber>\
        <ETag>&quot;e&quot;</ETag><Size>5</Size><ChecksumCRC32>AAAAAA==</ChecksumCRC32>\
        <ChecksumCRC64NVME>rosUhgp5mIg=</ChecksumCRC64NVME></Part></ListPartsResult>";
    let page = parse_parts(parts.as_bytes(), PartNumber::new(6)).unwrap();
    assert_eq!(page.next_after, PartNumber::new(7));
    assert_eq!(page.checksum_algorithm.as_deref(), Some("CRC64NVME"));
    assert!(
        page.parts[0]
            .checksum
            .as_ref()
            .unwrap()
            .as_crc64nvme()
            .is_some()
    );
    let stuck = parse_parts(parts.as_bytes(), PartNumber::new(7));
    assert_eq!(stuck.unwrap_err(), InvalidXml::NoToken);

    let uploads = "<ListMultipartUploadsResult><IsTruncated>true</IsTruncated>\
        <EncodingType>url</EncodingType><NextKeyMarker>a+b</NextKeyMarker>\
        <NextUploadIdMarker>u</NextUploadIdMarker><Upload><Key>a+b</Key><UploadId>u</UploadId>\
        <Initiated>2010-11-10T20:48:33</Initiated></Upload></ListMultipartUploadsResult>";
    let page = parse_uploads(uploads.as_bytes()).unwrap();
    assert_eq!(page.uploads[0].key.as_str(), "a b");
    assert!(page.uploads[0].initiated.is_some());
    assert_eq!(page.next_after, Some(("a b".to_owned(), "u".to_owned())));

    let copied = parse_copy(b"<CopyPartResult><ETag>\"e\"</ETag></CopyPartResult>").unwrap();
    assert_eq!(copied.etag.unwrap().as_str(), "e");
    let completed = b"\n  <CompleteMultipartUploadResult><ETag>&#34;e-2&#34;</ETag>\
        <ChecksumSHA256>x-2</ChecksumSHA256></CompleteMultipartUploadResult>";
    let completed = parse_completed(completed).unwrap();
    assert_eq!(completed.etag.unwrap().as_str(), "e-2");
    assert!(completed.checksum.unwrap().as_crc64nvme().is_none());
    assert_eq!(parse_completed(b"").unwrap_err(), InvalidXml::Truncated);

    let buckets = "<ListAllMyBucketsResult><Owner/><Buckets><Bucket><Name>b</Name>\
        <CreationDate>2019-12-11T23:32:47+00:00</CreationDate></Bucket></Buckets>\
        <ContinuationToken>t</ContinuationToken></ListAllMyBucketsResult>";
    let (buckets, token) = parse_buckets(buckets.as_bytes()).unwrap();
    assert_eq!(
        (buckets[0].name.as_str(), token.as_deref()),
        ("b", Some("t"))
    );
    assert!(buckets[0].created.is_some());
    let suspended = "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>";
    assert_eq!(
        parse_versioning(suspended.as_bytes()),
        Ok(VersioningState::Suspended)
    );
    let never = parse_versioning(b"<VersioningConfiguration/>");
    assert_eq!(never, Ok(VersioningState::Unversioned));
}

#[test]
fn tags_and_access_lists_are_read_whole_or_not_at_all() {
    let tags = "<Tagging><TagSet><Tag><Key>a&amp;b</Key><Value>1</Value></Tag><Tag><Key>c</Key>\
        <Value/></Tag></TagSet></Tagging>";
    let expected = [Tag::new("a&b", "1"), Tag::new("c", "")];
    assert_eq!(parse_tags(tags.as_bytes()).unwrap(), expected);
    assert_eq!(parse_tags(b"<Tagging><TagSet/></Tagging>"), Ok(Vec::new()));
    let acl = "<AccessControlPolicy><Owner><ID>me</ID></Owner><AccessControlList><Grant>\
        <Grantee xmlns:xsi='x' xsi:type='Group'><URI>u</URI></Grantee>\
        <Permission>READ_ACP</Permission></Grant></AccessControlList></AccessControlPolicy>";
    let policy = parse_acl(acl.as_bytes()).unwrap();
    assert_eq!(policy.owner.as_ref().unwrap().id, "me");
    assert_eq!(policy.grants[0].grantee, Grantee::Group("u".to_owned()));
    assert_eq!(policy.grants[0].permission, Permission::ReadAcp);
    for (from, to) in [
        ("READ_ACP", "DANCE"),
        ("<URI>u</URI>", ""),
        ("<Permission>READ_ACP</Permission>", ""),
    ] {
        let changed = acl.replace(from, to);
        assert!(parse_acl(changed.as_bytes()).is_err(), "{from} to {to:?}");
    }
    for (document, end) in [(tags, tags.len()), (acl, acl.len())] {
        for end in 0..end {
            assert!(parse_tags(&document.as_bytes()[..end]).is_err());
            assert!(parse_acl(&document.as_bytes()[..end]).is_err());
        }
    }
    let configuration = write_lock_configuration();
    assert_eq!(parse_lock_configuration(configuration.as_bytes()), Ok(true));
    let none = parse_lock_configuration(b"<ObjectLockConfiguration/>");
    assert_eq!(none, Ok(false));
}

fn grantee() -> impl Strategy<Value = Grantee> {
    let text = || "[a-zA-Z0-9&<> \"é:/@.]{1,20}";
    prop_oneof![
        (text(), proptest::option::of(text()))
            .prop_map(|(id, display_name)| { Grantee::CanonicalUser(Owner { id, display_name }) }),
        text().prop_map(Grantee::Email),
        text().prop_map(Grantee::Group),
    ]
}

/// A document as quick-xml reads it: path of each leaf and its text, in order.
fn leaves(document: &str) -> Vec<(String, String)> {
    let mut reader = Reader::from_str(document);
    let mut path: Vec<(String, String, bool)> = Vec::new();
    let mut leaves = Vec::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => {
                if let Some(parent) = path.last_mut() {
                    parent.2 = true;
                }
                let name = start.local_name().as_ref().to_owned();
                path.push((name, String::new(), false));
            }
            Event::Text(text) => push(&mut path, &text),
            Event::CData(text) => push(&mut path, &text),
            Event::GeneralRef(reference) => {
                let c = match reference.resolve_char_ref().unwrap() {
                    Some(c) => c.to_string(),
                    None => quick_xml::escape::resolve_predefined_entity(&reference)
                        .unwrap()
                        .to_owned(),
                };
                push(&mut path, &c);
            }
            Event::End(_) => {
                let names: Vec<&str> = path.iter().map(|(name, _, _)| name.as_str()).collect();
                let names = names.join("/");
                let (_, text, has_children) = path.pop().unwrap();
                if !has_children {
                    leaves.push((names, text));
                }
            }
            Event::Eof => return leaves,
            Event::Empty(_)
            | Event::Comment(_)
            | Event::Decl(_)
            | Event::PI(_)
            | Event::DocType(_) => {}
        }
    }
}

fn push(path: &mut [(String, String, bool)], text: &str) {
    if let Some((_, so_far, _)) = path.last_mut() {
        so_far.push_str(text);
    }
}

/// A text as one of several servers would write it.
fn written(text: String) -> impl Strategy<Value = String> {
    let named = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('\r', "&#13;");
    let numbered: String = text
        .chars()
        .map(|c| format!("&#x{:X};", u32::from(c)))
        .collect();
    let decimal: String = text
        .chars()
        .map(|c| format!("&#{};", u32::from(c)))
        .collect();
    prop_oneof![
        Just(named.clone()),
        Just(numbered),
        Just(decimal),
        Just(format!("<!-- <Key> -->{named}")),
        Just(if text.contains("]]>") || text.contains('\r') {
            named
        } else {
            format!("<![CDATA[{text}]]>")
        }),
    ]
}

fn row() -> impl Strategy<Value = (String, u64, String)> {
    // quick-xml takes no reference to the character 0.
    let key = any::<String>().prop_map(|key| {
        let key = key.replace('\0', "0");
        if key.is_empty() { "k".to_owned() } else { key }
    });
    (key, any::<u64>()).prop_flat_map(|(key, size)| {
        let text = written(key.clone());
        (Just(key), Just(size), text, any::<bool>()).prop_map(|(key, size, text, size_first)| {
            let key_element = format!("<Key>{text}</Key>");
            let size_element = format!("<Size>{size}</Size>");
            let inside = if size_first {
                format!("{size_element}<Owner><ID>x</ID></Owner>{key_element}")
            } else {
                format!("{key_element}\n  <ETag>&quot;e&quot;</ETag>{size_element}")
            };
            (key, size, format!("<Contents>{inside}</Contents>"))
        })
    })
}

proptest! {
    #[test]
    fn pages_of_any_writer_are_read_as_quick_xml_reads_them(
        rows in proptest::collection::vec(row(), 0..6),
    ) {
        let inside: String = rows.iter().map(|(_, _, text)| text.as_str()).collect();
        let document = format!("<?xml version='1.0'?><ListBucketResult>{inside}</ListBucketResult>");
        let page = v2(&document).unwrap();
        let ours: Vec<(String, u64)> = page
            .objects
            .iter()
            .map(|object| (object.key.to_string(), object.size.get()))
            .collect();
        let meant: Vec<(String, u64)> =
            rows.iter().map(|(key, size, _)| (key.clone(), *size)).collect();
        prop_assert_eq!(&ours, &meant);

        let theirs = leaves(&document);
        let texts = |path: &str| -> Vec<String> {
            theirs.iter().filter(|(at, _)| at == path).map(|(_, text)| text.clone()).collect()
        };
        let keys: Vec<String> = ours.iter().map(|(key, _)| key.clone()).collect();
        prop_assert_eq!(texts("ListBucketResult/Contents/Key"), keys);
        let sizes: Vec<String> = ours.iter().map(|(_, size)| size.to_string()).collect();
        prop_assert_eq!(texts("ListBucketResult/Contents/Size"), sizes);
    }

    #[test]
    fn what_is_written_is_read_back(keys in proptest::collection::vec(any::<String>(), 1..5)) {
        let objects: Vec<ObjectIdentifier> = keys
            .iter()
            .filter(|key| super::can_carry(key) && !key.is_empty())
            .map(|key| ObjectIdentifier { key: Key::new(key.as_str()).unwrap(), version_id: None })
            .collect();
        let document = write_deletes(&objects);
        let theirs = leaves(&document);
        let written: Vec<&str> = theirs
            .iter()
            .filter(|(path, _)| path == "Delete/Object/Key")
            .map(|(_, text)| text.as_str())
            .collect();
        let meant: Vec<&str> = objects.iter().map(|object| object.key.as_str()).collect();
        prop_assert_eq!(written, meant);
    }

    #[test]
    fn tags_and_grants_are_read_as_they_were_written(
        tags in proptest::collection::vec((".{1,9}", any::<String>()), 0..4),
        grants in proptest::collection::vec((grantee(), 0..Permission::ALL.len()), 0..4),
    ) {
        let tags: Vec<Tag> = tags
            .into_iter()
            .filter(|(key, value)| super::can_carry(key) && super::can_carry(value))
            .map(|(key, value)| Tag::new(key, value))
            .collect();
        prop_assert_eq!(parse_tags(write_tags(&tags).as_bytes()).unwrap(), tags);
        let grants = grants.into_iter().map(|(grantee, place)| Grant {
            grantee,
            permission: Permission::ALL[place],
        });
        let policy = AccessControlPolicy { owner: None, grants: grants.collect() };
        prop_assert_eq!(parse_acl(write_acl(&policy).as_bytes()).unwrap(), policy);
    }

    #[test]
    fn nothing_breaks_a_reader(bytes in any::<Vec<u8>>(), tail in "[<>/&;!\\[\\]?a-z\"'= -]{0,40}") {
        read_all(&bytes).ok();
        let mut text = b"<ListBucketResult><Contents>".to_vec();
        text.extend_from_slice(tail.as_bytes());
        text.extend_from_slice(&bytes);
        prop_assert!(read_all(&text).is_err());
    }

    #[test]
    fn no_mutation_of_a_page_breaks_a_reader(
        changes in proptest::collection::vec((0..PAGE.len(), any::<u8>()), 1..6),
        cut in 0..PAGE.len(), moved in 0..PAGE.len(),
    ) {
        let mut page = PAGE.as_bytes().to_vec();
        for (at, byte) in changes {
            page[at] = byte;
        }
        let (from, to) = (cut.min(moved), cut.max(moved));
        read_all(&page).ok();
        page.drain(from..to);
        read_all(&page).ok();
    }
}

/// Gives the bytes to every reader; the page's answer is returned.
fn read_all(bytes: &[u8]) -> Result<ListPage, InvalidXml> {
    parse_versions(bytes).ok();
    parse_parts(bytes, None).ok();
    parse_uploads(bytes).ok();
    parse_created(bytes).ok();
    parse_completed(bytes).ok();
    parse_copy(bytes).ok();
    parse_buckets(bytes).ok();
    parse_versioning(bytes).ok();
    parse_tags(bytes).ok();
    parse_acl(bytes).ok();
    parse_lock_configuration(bytes).ok();
    parse_deletes(bytes).ok();
    parse_objects(bytes, ListVersion::V1).ok();
    parse_objects(bytes, ListVersion::V2)
}

#[test]
fn completed_parts_carry_etag_and_checksum() {
    let checksum = base::Checksum::crc64nvme(base::Crc64Nvme(1));
    let part = (
        PartNumber::new(1).unwrap(),
        ETag::from_header("\"e\""),
        Some(checksum),
    );
    let theirs = leaves(&write_completed(&[part]));
    let expected = [
        ("ChecksumCRC64NVME", "AAAAAAAAAAE="),
        ("ETag", "\"e\""),
        ("PartNumber", "1"),
    ];
    let expected: Vec<(String, String)> = expected
        .iter()
        .map(|(name, text)| {
            (
                format!("CompleteMultipartUpload/Part/{name}"),
                (*text).to_owned(),
            )
        })
        .collect();
    assert_eq!(theirs, expected);
}
