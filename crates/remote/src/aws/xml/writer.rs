//! Documents on their way to S3.

/// S3's namespace.
/// Source: S3 API reference, request syntax of CompleteMultipartUpload (read 2026-11).
const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// Whether XML 1.0 can carry `text`: most control characters it cannot, not even as references.
/// Source: XML 1.0 (fifth edition), production 2, `Char`.
pub(crate) fn can_carry(text: &str) -> bool {
    text.chars()
        .all(|c| matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{fffd}' | '\u{10000}'..))
}

/// A document that grows. Texts must be such that XML [can carry](can_carry) them.
#[derive(Debug)]
pub(super) struct Writer {
    text: String,
    root: &'static str,
}

impl Writer {
    pub(super) fn new(root: &'static str) -> Writer {
        Writer {
            text: format!("<{root} xmlns=\"{NAMESPACE}\">"),
            root,
        }
    }

    pub(super) fn open(&mut self, name: &str) {
        self.text.push('<');
        self.text.push_str(name);
        self.text.push('>');
    }

    /// Opens an element with attributes as they are, whose values need no escape.
    pub(super) fn open_with(&mut self, name: &str, attributes: &str) {
        self.text.push('<');
        self.text.push_str(name);
        self.text.push(' ');
        self.text.push_str(attributes);
        self.text.push('>');
    }

    pub(super) fn close(&mut self, name: &str) {
        self.text.push_str("</");
        self.text.push_str(name);
        self.text.push('>');
    }

    pub(super) fn leaf(&mut self, name: &str, text: &str) {
        self.open(name);
        for c in text.chars() {
            match c {
                '&' => self.text.push_str("&amp;"),
                '<' => self.text.push_str("&lt;"),
                '>' => self.text.push_str("&gt;"),
                '"' => self.text.push_str("&quot;"),
                // As they are, readers may turn them into spaces or other line ends.
                '\t' => self.text.push_str("&#9;"),
                '\n' => self.text.push_str("&#10;"),
                '\r' => self.text.push_str("&#13;"),
                // Line ends too for readers of XML 1.1.
                '\u{85}' => self.text.push_str("&#133;"),
                '\u{2028}' => self.text.push_str("&#8232;"),
                c => self.text.push(c),
            }
        }
        self.close(name);
    }

    pub(super) fn finish(mut self) -> String {
        self.close(self.root);
        self.text
    }
}
