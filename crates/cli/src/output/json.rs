//! JSON as Go's encoder writes it.

use std::io;

use serde::Serialize;
use serde_json::ser::{CharEscape, Formatter, Serializer};

/// Compact JSON in which `<`, `>`, `&` and the two Unicode line ends are escaped, as Go's encoder
/// does for the sake of HTML.
#[derive(Debug)]
struct Go;

impl Formatter for Go {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(['<', '>', '&', '\u{2028}', '\u{2029}']) {
            writer.write_all(&rest.as_bytes()[..at])?;
            let found = rest[at..].chars().next().expect("find gave its place");
            write!(writer, "\\u{:04x}", u32::from(found))?;
            rest = &rest[at + found.len_utf8()..];
        }
        writer.write_all(rest.as_bytes())
    }

    fn write_char_escape<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        escape: CharEscape,
    ) -> io::Result<()> {
        match escape {
            CharEscape::Quote => writer.write_all(b"\\\""),
            CharEscape::ReverseSolidus => writer.write_all(b"\\\\"),
            CharEscape::Solidus => writer.write_all(b"/"),
            CharEscape::Backspace => writer.write_all(b"\\b"),
            CharEscape::FormFeed => writer.write_all(b"\\f"),
            CharEscape::LineFeed => writer.write_all(b"\\n"),
            CharEscape::CarriageReturn => writer.write_all(b"\\r"),
            CharEscape::Tab => writer.write_all(b"\\t"),
            CharEscape::AsciiControl(byte) => write!(writer, "\\u{byte:04x}"),
        }
    }
}

/// A value as Go would write it.
pub(crate) fn go_json(value: &impl Serialize) -> String {
    let mut bytes = Vec::with_capacity(128);
    value
        .serialize(&mut Serializer::with_formatter(&mut bytes, Go))
        .expect("our rows hold only text, numbers and lists");
    String::from_utf8(bytes).expect("JSON is UTF-8")
}

#[cfg(test)]
mod tests {
    use super::go_json;

    #[test]
    fn escapes_what_go_escapes() {
        let text = "a&<b>\"\\\u{1}\n\u{2028}é";
        assert_eq!(
            go_json(&text),
            r#""a\u0026\u003cb\u003e\"\\\u0001\n\u2028é""#
        );
    }

    proptest::proptest! {
        #[test]
        fn reads_back_as_what_it_was(text in ".*") {
            let read: String = serde_json::from_str(&go_json(&text)).unwrap();
            proptest::prop_assert_eq!(read, text);
        }
    }
}
