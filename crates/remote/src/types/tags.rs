//! Tags of objects.

use base::{BucketName, Key, VersionId};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What is left as it is in `x-amz-tagging`. A space is written `%20`: every reader of forms takes
/// that, not every one takes `+`.
const FORM: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A tag.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag {
    /// Its key; an object has one tag of a key.
    pub key: String,
    /// Its value; may be empty.
    pub value: String,
}

impl Tag {
    /// A tag of this key and value.
    pub fn new(key: impl Into<String>, value: impl Into<String>) -> Tag {
        Tag {
            key: key.into(),
            value: value.into(),
        }
    }

    /// Tags as [`ObjectAttributes::tagging`](super::ObjectAttributes::tagging) carries them:
    /// form-url-encoded, in the order given.
    pub fn encode_all(tags: &[Tag]) -> String {
        let mut text = String::new();
        for tag in tags {
            if !text.is_empty() {
                text.push('&');
            }
            text.extend(utf8_percent_encode(&tag.key, &FORM));
            text.push('=');
            text.extend(utf8_percent_encode(&tag.value, &FORM));
        }
        text
    }

    /// Tags from their form-url-encoded text. Bytes that are no UTF-8 become replacement
    /// characters.
    pub fn decode_all(text: &str) -> Vec<Tag> {
        let decode = |text: &str| {
            let spaced = text.replace('+', " ");
            percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
        };
        text.split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
                Tag::new(decode(key), decode(value))
            })
            .collect()
    }
}

/// Asks for an object's tags.
#[derive(Debug, Clone)]
pub struct GetObjectTagging {
    /// The bucket.
    pub bucket: BucketName,
    /// The key.
    pub key: Key,
    /// A version, else the current one.
    pub version_id: Option<VersionId>,
}

/// Replaces all tags of an object.
#[derive(Debug, Clone)]
pub struct PutObjectTagging {
    /// The bucket.
    pub bucket: BucketName,
    /// The key.
    pub key: Key,
    /// A version, else the current one.
    pub version_id: Option<VersionId>,
    /// The tags; none takes all away.
    pub tags: Vec<Tag>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    use super::*;

    #[test]
    fn forms_of_other_writers_are_read() {
        let tags = Tag::decode_all("a=1&two+words=b%20c&&alone&d=x=y");
        let expected = [
            ("a", "1"),
            ("two words", "b c"),
            ("alone", ""),
            ("d", "x=y"),
        ];
        assert_eq!(tags, expected.map(|(key, value)| Tag::new(key, value)));
        assert_eq!(Tag::encode_all(&tags[..2]), "a=1&two%20words=b%20c");
    }

    proptest! {
        #[test]
        fn tags_survive_their_form(pairs in proptest::collection::vec((".{1,9}", any::<String>()), 0..5)) {
            let tags: Vec<Tag> = pairs.into_iter().map(|(key, value)| Tag::new(key, value)).collect();
            let text = Tag::encode_all(&tags);
            prop_assert!(text.bytes().all(|byte| byte.is_ascii_graphic()));
            prop_assert_eq!(Tag::decode_all(&text), tags);
        }

        #[test]
        fn no_form_breaks_the_reader(text in any::<String>()) {
            Tag::decode_all(&text);
        }
    }
}
