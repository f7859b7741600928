//! Keys and parameters as they stand in a request line.
//!
//! S3's signature covers exactly what is sent: every byte but `A-Z a-z 0-9 - . _ ~` (and `/` in a
//! path) becomes `%XX` once, and nothing is normalised. So `//`, `.` and `..` survive.
//! Source: S3 API reference, "Signature Calculations", `UriEncode()` (read 2026-11).

/// A query parameter, not encoded.
pub(super) type Parameter<'a> = (&'a str, Option<&'a str>);

const HEX: &[u8; 16] = b"0123456789ABCDEF";

fn push_encoded(out: &mut String, text: &str, keep_slash: bool) {
    out.reserve(text.len());
    let bytes = text.as_bytes();
    // Runs of plain characters, which most keys consist of, are copied whole.
    let mut plain_from = 0;
    for (index, &byte) in bytes.iter().enumerate() {
        let plain = byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'.' | b'_' | b'~')
            || (keep_slash && byte == b'/');
        if plain {
            continue;
        }
        // An encoded byte may lie inside a character, a plain one never does.
        push_plain(out, &bytes[plain_from..index]);
        plain_from = index + 1;
        out.push('%');
        out.push(char::from(HEX[usize::from(byte >> 4)]));
        out.push(char::from(HEX[usize::from(byte & 15)]));
    }
    push_plain(out, &bytes[plain_from..]);
}

fn push_plain(out: &mut String, ascii: &[u8]) {
    out.push_str(std::str::from_utf8(ascii).expect("only ASCII is left as it is"));
}

/// Appends a key: slashes stay.
pub(super) fn push_path(out: &mut String, key: &str) {
    push_encoded(out, key, true);
}

/// Appends a name or value of a query: slashes are encoded.
pub(super) fn push_parameter(out: &mut String, text: &str) {
    push_encoded(out, text, false);
}

/// A query in the order in which it is signed, in both of its spellings.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct EncodedQuery {
    /// As it is signed: `uploads=`.
    pub(super) canonical: String,
    /// As it is sent where that differs: `uploads`.
    wire: Option<String>,
}

impl EncodedQuery {
    /// Encodes and sorts.
    pub(super) fn new<'a>(parameters: impl IntoIterator<Item = Parameter<'a>>) -> EncodedQuery {
        let mut has_flag = false;
        let mut pairs: Vec<(String, Option<String>)> = parameters
            .into_iter()
            .map(|(name, value)| {
                has_flag |= value.is_none();
                let mut encoded_name = String::new();
                push_parameter(&mut encoded_name, name);
                let encoded_value = value.map(|value| {
                    let mut encoded = String::new();
                    push_parameter(&mut encoded, value);
                    encoded
                });
                (encoded_name, encoded_value)
            })
            .collect();
        pairs.sort_unstable();
        EncodedQuery {
            canonical: join(&pairs, true),
            wire: has_flag.then(|| join(&pairs, false)),
        }
    }

    /// As it is sent.
    pub(super) fn wire(&self) -> &str {
        self.wire.as_deref().unwrap_or(&self.canonical)
    }
}

fn join(pairs: &[(String, Option<String>)], always_equals: bool) -> String {
    let mut joined = String::new();
    for (name, value) in pairs {
        if !joined.is_empty() {
            joined.push('&');
        }
        joined.push_str(name);
        if value.is_some() || always_equals {
            joined.push('=');
        }
        joined.push_str(value.as_deref().unwrap_or_default());
    }
    joined
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    use super::*;

    fn path(key: &str) -> String {
        let mut out = String::new();
        push_path(&mut out, key);
        out
    }

    #[test]
    fn awkward_keys_are_encoded_once_and_never_normalised() {
        assert_eq!(path("a//b/../c/./"), "a//b/../c/./");
        assert_eq!(path("a b+c%20&=?#"), "a%20b%2Bc%2520%26%3D%3F%23");
        assert_eq!(path("\u{1f600}\u{7f}"), "%F0%9F%98%80%7F");
    }

    #[test]
    fn queries_are_sorted_and_flags_are_sent_bare() {
        let query = EncodedQuery::new([
            ("uploads", None),
            ("prefix", Some("a/b c")),
            ("max-uploads", Some("")),
        ]);
        assert_eq!(query.canonical, "max-uploads=&prefix=a%2Fb%20c&uploads=");
        assert_eq!(query.wire(), "max-uploads=&prefix=a%2Fb%20c&uploads");
    }

    proptest! {
        #[test]
        fn every_text_comes_back_and_is_a_path_that_http_leaves_alone(key in any::<String>()) {
            let encoded = format!("/{}", path(&key));
            let decoded = percent_encoding::percent_decode_str(&encoded).decode_utf8().unwrap();
            prop_assert_eq!(&decoded[1..], &key);
            let uri: http::Uri = encoded.parse().unwrap();
            prop_assert_eq!(uri.to_string(), encoded.clone());
            prop_assert!(encoded.is_ascii());
        }
    }
}
