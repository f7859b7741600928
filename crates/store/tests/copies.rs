//! Copies, and the conditions under which things are read, copied and written.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use std::collections::BTreeMap;
use std::sync::Arc;

use base::{BucketName, ChecksumAlgorithm, Clock, ETag, Key};
use jiff::{SignedDuration, Timestamp};
use store::Model;
use store::model::{
    Attributes, CopyObject, ETagMatch, Error, MetadataDirective, ModelOptions, Object, PutObject,
    ReadConditions, Received, Tags, WriteConditions,
};

fn bucket() -> BucketName {
    BucketName::new("bucket").unwrap()
}

fn key(text: &str) -> Key {
    Key::new(text).unwrap()
}

/// A model with one object that carries something.
fn model() -> (Model, Arc<Object>) {
    let model = Model::new(Clock::system(), ModelOptions::default());
    model.create_bucket(&bucket()).unwrap();
    let attributes = Attributes {
        content_type: Some("text/x".to_owned()),
        metadata: BTreeMap::from([("name".to_owned(), "value".to_owned())]),
        storage_class: Some("STANDARD_IA".to_owned()),
        website_redirect_location: Some("/elsewhere".to_owned()),
        ..Attributes::default()
    };
    let stored = model
        .put_object(PutObject {
            attributes,
            algorithm: Some(ChecksumAlgorithm::Sha1),
            tags: Tags::new([("a".to_owned(), "b".to_owned())]).unwrap(),
            ..PutObject::new(
                bucket(),
                key("source"),
                Received::from_bytes(&b"123456789"[..], [ChecksumAlgorithm::Sha1]),
            )
        })
        .unwrap();
    (model, stored.object)
}

fn copy() -> CopyObject {
    CopyObject {
        source_bucket: bucket(),
        source_key: key("source"),
        source_version_id: None,
        source_conditions: ReadConditions::default(),
        bucket: bucket(),
        key: key("copy"),
        metadata_directive: MetadataDirective::Copy,
        attributes: Attributes::default(),
        tags: None,
        algorithm: None,
        conditions: WriteConditions::default(),
    }
}

#[test]
fn a_copy_keeps_what_describes_the_bytes_and_not_where_they_lie() {
    let (model, source) = model();
    let (stored, _) = model.copy_object(copy()).unwrap();
    let object = &stored.object;
    assert_eq!(object.etag, source.etag);
    assert_eq!(object.checksum, source.checksum);
    assert_eq!(object.tags, source.tags);
    assert_eq!(
        object.attributes.content_type,
        source.attributes.content_type
    );
    assert_eq!(object.attributes.metadata, source.attributes.metadata);
    assert_eq!(object.attributes.storage_class, None);
    assert_eq!(object.attributes.website_redirect_location, None);
}

#[test]
fn a_replacing_copy_keeps_the_bytes_only() {
    let (model, source) = model();
    let request = CopyObject {
        metadata_directive: MetadataDirective::Replace,
        tags: Some(Tags::default()),
        algorithm: Some(ChecksumAlgorithm::Crc32c),
        // Onto itself, which is how S3 changes metadata.
        key: key("source"),
        ..copy()
    };
    let (stored, _) = model.copy_object(request).unwrap();
    assert_eq!(stored.object.attributes, Attributes::default());
    assert!(stored.object.tags.is_empty());
    assert_eq!(stored.object.checksum.algorithm, ChecksumAlgorithm::Crc32c);
    assert_eq!(stored.object.etag, source.etag);
}

#[test]
fn a_copy_onto_itself_must_change_something() {
    let (model, _) = model();
    let onto_itself = CopyObject {
        key: key("source"),
        ..copy()
    };
    let refused = model.copy_object(onto_itself.clone());
    assert!(matches!(refused, Err(Error::InvalidRequest(_))));
    let moved = CopyObject {
        attributes: Attributes {
            storage_class: Some("GLACIER".to_owned()),
            ..Attributes::default()
        },
        ..onto_itself
    };
    model.copy_object(moved).unwrap();
    assert!(matches!(
        model.copy_object(copy()),
        Err(Error::InvalidObjectState)
    ));
    model
        .restore_object(&bucket(), &key("source"), None, 1)
        .unwrap();
    model.copy_object(copy()).unwrap();
}

#[test]
fn conditions_on_a_source_are_checked_against_it() {
    let (model, source) = model();
    let other = Some(ETagMatch::OneOf(vec![ETag::from_header("other")]));
    let same = Some(ETagMatch::OneOf(vec![source.etag.clone()]));
    let second = SignedDuration::from_secs(2);
    let before = Some(source.last_modified.checked_sub(second).unwrap());
    let after = Some(source.last_modified.checked_add(second).unwrap());
    let none = ReadConditions::default;
    // S3's table: which combinations go through for a GET, and which are 304 or 412.
    let table: [(ReadConditions, Result<(), &str>); 11] = [
        (none(), Ok(())),
        (
            ReadConditions {
                if_match: same.clone(),
                ..none()
            },
            Ok(()),
        ),
        (
            ReadConditions {
                if_match: Some(ETagMatch::Any),
                ..none()
            },
            Ok(()),
        ),
        (
            ReadConditions {
                if_match: other.clone(),
                ..none()
            },
            Err("PreconditionFailed"),
        ),
        (
            ReadConditions {
                if_none_match: same.clone(),
                ..none()
            },
            Err("NotModified"),
        ),
        (
            ReadConditions {
                if_none_match: other.clone(),
                ..none()
            },
            Ok(()),
        ),
        (
            ReadConditions {
                if_modified_since: after,
                ..none()
            },
            Err("NotModified"),
        ),
        (
            ReadConditions {
                if_modified_since: before,
                ..none()
            },
            Ok(()),
        ),
        (
            ReadConditions {
                if_unmodified_since: before,
                ..none()
            },
            Err("PreconditionFailed"),
        ),
        // An ETag that holds overrules the date beside it.
        (
            ReadConditions {
                if_match: same,
                if_unmodified_since: before,
                ..none()
            },
            Ok(()),
        ),
        (
            ReadConditions {
                if_none_match: other,
                if_modified_since: after,
                ..none()
            },
            Ok(()),
        ),
    ];
    for (conditions, expected) in table {
        let found = model.get_object(&bucket(), &key("source"), None, &conditions);
        let found = found.map(|_| ()).map_err(|error| error.code());
        assert_eq!(found, expected, "{conditions:?}");
        let copied = model.copy_object(CopyObject {
            source_conditions: conditions.clone(),
            ..copy()
        });
        let copied = copied.map(|_| ()).map_err(|error| error.code());
        // Of a copy, S3 says 412 where a GET would be 304.
        let expected = expected.map_err(|_| "PreconditionFailed");
        assert_eq!(copied, expected, "{conditions:?}");
    }
}

#[test]
fn times_are_whole_milliseconds_that_are_never_too_early() {
    let clock = Clock::system();
    let before = clock.now();
    let (_, object) = model();
    assert_eq!(object.last_modified.subsec_nanosecond() % 1_000_000, 0);
    assert!(object.last_modified >= before);
}

#[tokio::test(start_paused = true)]
async fn whole_seconds_are_cut_as_s3_cuts_them() {
    let start: Timestamp = "2026-11-22T12:00:00.9Z".parse().unwrap();
    let options = ModelOptions {
        whole_seconds: true,
        ..ModelOptions::default()
    };
    let model = Model::new(Clock::seeded(start, 1), options);
    model.create_bucket(&bucket()).unwrap();
    let created = model.list_buckets()[0].created;
    assert_eq!(created.to_string(), "2026-11-22T12:00:00Z");
}
