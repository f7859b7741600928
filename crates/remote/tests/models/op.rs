//! Requests, drawn at random.

use proptest::prelude::{Just, Strategy, any, prop, prop_oneof};
use remote::types::Tag;

/// Keys that share prefixes, so that listings have something to roll up.
pub(crate) const KEYS: [&str; 6] = ["a", "a/1", "a/2 +", "a/2/é", "b/", "\u{1f600}"];

/// Prefixes of listings.
pub(crate) const PREFIXES: [&str; 4] = ["", "a", "a/", "b/"];

/// One request. Places in lists are taken modulo their length.
#[derive(Debug, Clone)]
pub(crate) enum Op {
    Put {
        key: usize,
        bytes: Vec<u8>,
        condition: Condition,
        metadata: Option<String>,
        tags: Option<Vec<Tag>>,
    },
    Get {
        key: usize,
        version: Option<usize>,
        range: Option<(u64, u64)>,
        if_match: bool,
    },
    Head {
        key: usize,
        version: Option<usize>,
        part: Option<u32>,
    },
    Delete {
        key: usize,
        version: Option<usize>,
        if_match: bool,
    },
    DeleteMany {
        keys: Vec<(usize, Option<usize>)>,
    },
    Copy {
        from: usize,
        to: usize,
        version: Option<usize>,
        replace: bool,
        /// Replaces the source's.
        tags: Option<Vec<Tag>>,
        if_match: bool,
    },
    Versioning {
        enabled: bool,
    },
    GetTags {
        key: usize,
        version: Option<usize>,
    },
    PutTags {
        key: usize,
        version: Option<usize>,
        tags: Vec<Tag>,
    },
    CreateUpload {
        key: usize,
        metadata: Option<String>,
        tags: Option<Vec<Tag>>,
    },
    UploadPart {
        upload: usize,
        number: u32,
        bytes: Vec<u8>,
    },
    Complete {
        upload: usize,
        numbers: Vec<u32>,
        condition: Condition,
        whole_checksum: Option<bool>,
    },
    Abort {
        upload: usize,
    },
    ListParts {
        upload: usize,
        after: Option<u32>,
    },
    List {
        prefix: usize,
        delimiter: bool,
        start_after: Option<String>,
        keys_max: u32,
        v1: bool,
    },
    ListVersions {
        prefix: usize,
        delimiter: bool,
        keys_max: u32,
    },
    ListUploads {
        prefix: usize,
    },
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Condition {
    None,
    Absent,
    /// The ETag seen last.
    LastSeen,
}

fn condition() -> impl Strategy<Value = Condition> {
    prop_oneof![
        3 => Just(Condition::None),
        1 => Just(Condition::Absent),
        1 => Just(Condition::LastSeen),
    ]
}

/// Tags that XML can carry; sometimes there are two of a key, or one without.
fn tags() -> impl Strategy<Value = Vec<Tag>> {
    let tag = ("[ab& é]{0,2}", "[xy<\"+ é]{0,3}").prop_map(|(key, value)| Tag::new(key, value));
    prop::collection::vec(tag, 0..4)
}

/// A request.
pub(crate) fn op() -> impl Strategy<Value = Op> {
    let key = || 0..KEYS.len();
    let bytes = || prop::collection::vec(any::<u8>(), 0..40);
    let version = || prop::option::of(0_usize..12);
    let upload = || 0_usize..6;
    let metadata = || prop::option::of("[a-zé ]{0,9}");
    let some_tags = || prop::option::weighted(0.3, tags());
    let rarely = || prop::bool::weighted(0.2);
    prop_oneof![
        6 => (key(), bytes(), condition(), metadata(), some_tags()).prop_map(
            |(key, bytes, condition, metadata, tags)| {
                Op::Put { key, bytes, condition, metadata, tags }
            }
        ),
        3 => (key(), version(), prop::option::of((0_u64..50, 1_u64..50)), rarely()).prop_map(
            |(key, version, range, if_match)| Op::Get { key, version, range, if_match }
        ),
        2 => (key(), version(), prop::option::weighted(0.2, 1_u32..4))
            .prop_map(|(key, version, part)| Op::Head { key, version, part }),
        3 => (key(), version(), rarely())
            .prop_map(|(key, version, if_match)| Op::Delete { key, version, if_match }),
        1 => prop::collection::vec((key(), version()), 1..4)
            .prop_map(|keys| Op::DeleteMany { keys }),
        3 => (key(), key(), version(), any::<bool>(), some_tags(), rarely()).prop_map(
            |(from, to, version, replace, tags, if_match)| {
                Op::Copy { from, to, version, replace, tags, if_match }
            }
        ),
        2 => any::<bool>().prop_map(|enabled| Op::Versioning { enabled }),
        2 => (key(), version()).prop_map(|(key, version)| Op::GetTags { key, version }),
        2 => (key(), version(), tags())
            .prop_map(|(key, version, tags)| Op::PutTags { key, version, tags }),
        3 => (key(), metadata(), some_tags())
            .prop_map(|(key, metadata, tags)| Op::CreateUpload { key, metadata, tags }),
        5 => (upload(), 1_u32..4, bytes())
            .prop_map(|(upload, number, bytes)| Op::UploadPart { upload, number, bytes }),
        3 => (
            upload(),
            prop::collection::vec(1_u32..4, 1..4),
            condition(),
            prop::option::of(any::<bool>()),
        )
            .prop_map(|(upload, numbers, condition, whole_checksum)| {
                Op::Complete { upload, numbers, condition, whole_checksum }
            }),
        1 => upload().prop_map(|upload| Op::Abort { upload }),
        2 => (upload(), prop::option::of(1_u32..4))
            .prop_map(|(upload, after)| Op::ListParts { upload, after }),
        3 => (
            0..PREFIXES.len(),
            any::<bool>(),
            prop::option::of("[ab/12é]{0,3}"),
            1_u32..4,
            any::<bool>(),
        )
            .prop_map(|(prefix, delimiter, start_after, keys_max, v1)| {
                Op::List { prefix, delimiter, start_after, keys_max, v1 }
            }),
        2 => (0..PREFIXES.len(), any::<bool>(), 1_u32..4).prop_map(
            |(prefix, delimiter, keys_max)| Op::ListVersions { prefix, delimiter, keys_max }
        ),
        1 => (0..PREFIXES.len()).prop_map(|prefix| Op::ListUploads { prefix }),
    ]
}
