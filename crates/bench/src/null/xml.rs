//! XML, written by hand.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What S3 leaves as it is under `encoding-type=url`.
const KEY: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

/// Opens every answer.
pub(super) const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// `<name>text</name>`, escaped.
pub(super) fn element(out: &mut String, name: &str, text: &str) {
    out.push('<');
    out.push_str(name);
    out.push('>');
    escaped(out, text);
    out.push_str("</");
    out.push_str(name);
    out.push('>');
}

fn escaped(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\r' => out.push_str("&#13;"),
            c => out.push(c),
        }
    }
}

/// A key as a listing shows it.
pub(super) fn shown_key(key: &str, url_encoded: bool) -> String {
    if url_encoded {
        utf8_percent_encode(key, &KEY).to_string()
    } else {
        key.to_owned()
    }
}

/// The texts of all elements of a name, as they stand: the orders that clients send hold numbers
/// and keys, whose entities are decoded.
pub(super) fn texts<'a>(xml: &'a str, name: &str) -> impl Iterator<Item = String> + use<'a> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let mut rest = xml;
    std::iter::from_fn(move || {
        let (_, after) = rest.split_once(&open)?;
        let (text, after) = after.split_once(&close)?;
        rest = after;
        Some(unescaped(text))
    })
}

fn unescaped(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&#13;", "\r")
        .replace("&#10;", "\n")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut out = String::new();
        element(&mut out, "Key", "a<b>&\"c");
        element(&mut out, "Key", "d");
        assert_eq!(texts(&out, "Key").collect::<Vec<_>>(), ["a<b>&\"c", "d"]);
        assert_eq!(shown_key("a b/ä", true), "a%20b/%C3%A4");
    }
}
