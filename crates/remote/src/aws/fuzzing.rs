//! A door for fuzz targets: the parsers of answers, which are nobody else's business.

use super::xml::{
    ListVersion, parse_acl, parse_buckets, parse_completed, parse_copy, parse_created,
    parse_deletes, parse_lock_configuration, parse_objects, parse_parts, parse_tags, parse_uploads,
    parse_versioning, parse_versions,
};

/// Reads `document` as every answer that S3 has. Whatever it is, nothing may panic, and reading it
/// again says the same.
///
/// # Panics
/// When a parser is wrong.
pub fn answers(document: &[u8]) {
    for version in [ListVersion::V1, ListVersion::V2] {
        let page = |page: crate::types::ListPage| {
            let keys = page.objects.iter().map(|object| object.key.to_string());
            (keys.collect::<Vec<_>>(), page.next)
        };
        let once = parse_objects(document, version).map(page);
        let again = parse_objects(document, version).map(page);
        assert_eq!(once, again);
    }
    drop(parse_versions(document));
    drop(parse_buckets(document));
    drop(parse_versioning(document));
    drop(parse_deletes(document));
    drop(parse_created(document));
    drop(parse_completed(document));
    drop(parse_copy(document));
    drop(parse_parts(document, None));
    drop(parse_uploads(document));
    drop(parse_tags(document));
    drop(parse_acl(document));
    drop(parse_lock_configuration(document));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::*;

    proptest! {
        #[test]
        fn answers_of_anything_are_read(
            bytes in any::<Vec<u8>>(),
            words in proptest::collection::vec("<Key>|</Key>|<ListBucketResult>|<Size>|[a-z&;%<>/]{0,4}", 0..20),
        ) {
            answers(&bytes);
            answers(words.concat().as_bytes());
        }
    }
}
