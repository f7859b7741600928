//! Keys that are awkward for somebody on the way: each goes through every operation.

use base::limits::KEY_BYTES_MAX;

use super::bench::{Bench, Verdict, key, same};
use super::{Check, Steps};
use crate::types::{
    CopyConditions, CopyObject, DeleteObjects, MetadataDirective, ObjectAttributes,
    ObjectIdentifier, TaggingDirective,
};

/// Names of the checks and their keys.
const KEYS: [(&str, &str); 26] = [
    ("double slash", "a//b"),
    ("leading slash", "/lead"),
    ("leading slashes", "//lead"),
    ("trailing slash", "trail/"),
    ("slash alone", "/"),
    ("dot segment", "a/./b"),
    ("dots segment", "a/../b"),
    ("dot alone", "."),
    ("dots alone", ".."),
    ("dots outside", "../../etc/passwd"),
    ("trailing dot", "a./b."),
    ("spaces", " a  b "),
    ("plus", "a+b c"),
    ("percent", "100%"),
    ("percent encoded", "a%2Fb%20c%2B"),
    ("query", "a?b=c&d#e;f=g"),
    ("markup", "<a href=\"x\">'&amp;'</a>]]>"),
    ("backslash", "a\\b"),
    ("colon and wildcards", "c:|*?[a]{b}~$!@^`,"),
    ("beyond ascii", "Füße/日本語/\u{65}\u{301}"),
    ("emoji", "\u{1f600}/\u{1f468}\u{200d}\u{1f469}"),
    ("line ends and tabs", "a\tb\nc\rd\r\ne"),
    (
        "control characters",
        "a\u{1}b\u{8}c\u{1b}d\u{1f}e\u{7f}f\u{85}g",
    ),
    ("code points beside xml", "a\u{feff}b\u{2028}c\u{fffd}d"),
    ("no character", "a\u{fffe}b\u{ffff}"),
    ("equals and quotes", "a=b/\"c\"/=?UTF-8?B?YQ==?="),
];

pub(super) fn checks() -> Vec<Check> {
    let awkward = KEYS
        .iter()
        .map(|(name, key)| ((*name).to_owned(), (*key).to_owned()));
    let longest = ("a".repeat(200) + "/").repeat(6)[..KEY_BYTES_MAX - 2].to_owned() + "é";
    awkward
        .chain([("longest".to_owned(), longest)])
        .map(|(name, key)| Check {
            name: format!("key: {name}"),
            steps: Steps::Key(key),
        })
        .collect()
}

/// PUT, HEAD, GET, LIST, COPY from and to, and both deletes of one key.
pub(super) async fn round_trip(bench: &Bench<'_>, name: &str) -> Verdict {
    // A neighbour under the name a careless server would make of it.
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let plain = format!("plain{plain}")
        .chars()
        .take(200)
        .collect::<String>();
    bench.put(&plain, "neighbour").await?;
    bench.put(name, "bytes").await?;
    same("size", bench.head(name).await?.size.get(), 5)?;
    same("bytes", bench.get(name).await?, "bytes".into())?;
    let mut expected = vec![name.to_owned(), plain.clone()];
    expected.sort();
    same("keys", bench.all_keys(bench.list("")).await?, expected)?;

    copy(bench, name, "copied from it").await?;
    same(
        "bytes of the copy",
        bench.get("copied from it").await?,
        "bytes".into(),
    )?;
    bench.delete(name, None).await?;
    bench.absent(name).await?;
    copy(bench, "copied from it", name).await?;
    same("bytes copied to it", bench.get(name).await?, "bytes".into())?;

    let delete = DeleteObjects {
        bucket: bench.bucket.clone(),
        objects: vec![ObjectIdentifier {
            key: key(name),
            version_id: None,
        }],
    };
    let output = bench.client.delete_objects(delete).await?;
    if let Some(failure) = output.failed.first() {
        let failure = format!("DeleteObjects: {} {}", failure.code, failure.message);
        return Err(failure.into());
    }
    bench.absent(name).await?;
    same(
        "the neighbour",
        bench.get(&plain).await?,
        "neighbour".into(),
    )
}

async fn copy(bench: &Bench<'_>, from: &str, to: &str) -> Verdict {
    bench
        .client
        .copy_object(CopyObject {
            bucket: bench.bucket.clone(),
            key: key(to),
            source: bench.source(from),
            tagging_directive: TaggingDirective::Copy,
            metadata_directive: MetadataDirective::Copy,
            attributes: ObjectAttributes::default(),
            conditions: CopyConditions::default(),
        })
        .await?;
    Ok(())
}
