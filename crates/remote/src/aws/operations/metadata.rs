//! User metadata in headers: what is not plain ASCII travels as encoded words.
//!
//! S3 stores the header as it is and gives it back; raw UTF-8 it would give back garbled.
//! Sources: S3 user guide, "User-defined object metadata" (read 2026-11); RFC 2047.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

/// Bytes of text in one encoded word: base64 and frame then stay below the 75 characters that
/// RFC 2047 allows.
const WORD_BYTES_MAX: usize = 45;

/// A value as a header carries it.
pub(super) fn encode(value: &str) -> Cow<'_, str> {
    let plain = value.bytes().all(|byte| (0x20..0x7f).contains(&byte))
        && value.trim().len() == value.len()
        && !value.contains("=?");
    if plain {
        return Cow::Borrowed(value);
    }
    let mut encoded = String::new();
    let mut rest = value;
    while !rest.is_empty() {
        let mut end = rest.len().min(WORD_BYTES_MAX);
        while !rest.is_char_boundary(end) {
            end -= 1;
        }
        let (word, after) = rest.split_at(end);
        if !encoded.is_empty() {
            encoded.push(' ');
        }
        encoded.push_str("=?UTF-8?B?");
        BASE64.encode_string(word, &mut encoded);
        encoded.push_str("?=");
        rest = after;
    }
    Cow::Owned(encoded)
}

/// A value as it was meant: encoded words become text, the rest stays.
pub(super) fn decode(header: &[u8]) -> String {
    let text = match std::str::from_utf8(header) {
        Ok(text) => Cow::Borrowed(text),
        // HTTP's old rule: each byte is a character of Latin-1.
        Err(_) => Cow::Owned(header.iter().copied().map(char::from).collect()),
    };
    let mut decoded = String::new();
    let mut rest: &str = &text;
    let mut after_word = false;
    while let Some(at) = rest.find("=?") {
        let before = &rest[..at];
        match word(&rest[at..]) {
            Some((text, length)) => {
                // Space between two encoded words only separates them.
                if !(after_word && before.bytes().all(|byte| byte == b' ')) {
                    decoded.push_str(before);
                }
                decoded.push_str(&text);
                rest = &rest[at + length..];
                after_word = true;
            }
            None => {
                decoded.push_str(&rest[..at + 2]);
                rest = &rest[at + 2..];
                after_word = false;
            }
        }
    }
    decoded.push_str(rest);
    decoded
}

/// The encoded word at the beginning of `text`: what it says and how long it is.
fn word(text: &str) -> Option<(String, usize)> {
    let inside = text.strip_prefix("=?")?;
    let (charset, rest) = inside.split_once('?')?;
    let (encoding, rest) = rest.split_once('?')?;
    let (payload, _) = rest.split_once("?=")?;
    let length = 2 + charset.len() + 1 + encoding.len() + 1 + payload.len() + 2;
    let bytes = match encoding {
        "B" | "b" => BASE64.decode(payload).ok()?,
        "Q" | "q" => quoted(payload)?,
        _ => return None,
    };
    let charset = charset.to_ascii_lowercase();
    let text = match charset.as_str() {
        "utf-8" | "us-ascii" => String::from_utf8(bytes).ok()?,
        "iso-8859-1" => bytes.into_iter().map(char::from).collect(),
        _ => return None,
    };
    Some((text, length))
}

fn quoted(payload: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(payload.len());
    let mut rest = payload.as_bytes();
    while let [byte, after @ ..] = rest {
        rest = after;
        match byte {
            b'_' => bytes.push(b' '),
            b'=' => {
                let [high, low, after @ ..] = rest else {
                    return None;
                };
                rest = after;
                let mut decoded = [0];
                hex::decode_to_slice([*high, *low], &mut decoded).ok()?;
                bytes.push(decoded[0]);
            }
            byte => bytes.push(*byte),
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    use super::*;

    #[test]
    fn plain_values_stay_and_others_are_words() {
        assert_eq!(encode("plain value; a=b"), "plain value; a=b");
        assert_eq!(encode("ÄMÄZÕÑ S3"), "=?UTF-8?B?w4RNw4Raw5XDkSBTMw==?=");
        assert_eq!(
            decode(b"=?UTF-8?Q?=C3=84M=C3=84Z=C3=95=C3=91_S3?="),
            "ÄMÄZÕÑ S3"
        );
        assert_eq!(decode(b"a =?iso-8859-1?q?=E4?= b"), "a ä b");
        assert_eq!(decode(b"\xe4"), "ä");
        for literal in [
            "=?",
            "=?x?B?",
            "=?UTF-8?B?***?=",
            "a=?b?c?d?=",
            "=?klingon?B?YQ==?=",
        ] {
            assert_eq!(decode(literal.as_bytes()), literal);
        }
    }

    proptest! {
        #[test]
        fn every_value_comes_back(value in any::<String>()) {
            let encoded = encode(&value);
            prop_assert!(encoded.bytes().all(|byte| (0x20..0x7f).contains(&byte)));
            prop_assert_eq!(decode(encoded.as_bytes()), value);
        }

        #[test]
        fn no_header_breaks_the_reader(header in any::<Vec<u8>>(), tail in "[=?UTF8BbQq_A-]{0,40}") {
            decode(&[header.as_slice(), tail.as_bytes()].concat());
        }
    }
}
