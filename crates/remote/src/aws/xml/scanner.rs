//! One pass over a document: elements in order, texts as slices of the document where they can be.
//!
//! Overview: a caller asks for the root, then for each child, and takes its text, goes into it, or
//! skips it. Nothing is allocated but unescaped texts. The common leaf `<Name>text</Name>` costs
//! two searches for a byte.
//!
//! Not handled, because no S3 answer has them: document types (refused) and normalisation of line
//! ends (a raw carriage return is kept, since a server that writes one means it).

use std::borrow::Cow;

use memchr::{memchr, memchr3, memmem};

use super::InvalidXml;

/// Deepest nesting that is skipped. S3's own documents are four deep; more is an attack.
const DEPTH_MAX: usize = 32;

/// A document and how far it was read.
#[derive(Debug, Clone)]
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

/// An element whose start tag was read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Element<'a> {
    /// With its namespace prefix, as the end tag repeats it.
    name: &'a str,
    /// Bytes of the prefix, its colon among them.
    prefix_length: usize,
    /// `<Name/>`.
    empty: bool,
}

impl<'a> Element<'a> {
    /// The name without a namespace prefix.
    pub(super) fn local(&self) -> &'a str {
        &self.name[self.prefix_length..]
    }
}

/// The text of an element.
#[derive(Debug, Clone)]
pub(super) enum Leaf<'a> {
    /// As it stands in the document: entities are not replaced yet.
    Raw(&'a str),
    /// Put together from pieces.
    Joined(String),
}

impl<'a> Leaf<'a> {
    /// The text with its entities replaced.
    pub(super) fn text(self) -> Result<Cow<'a, str>, InvalidXml> {
        match self {
            Leaf::Raw(raw) => unescape(raw),
            Leaf::Joined(text) => Ok(Cow::Owned(text)),
        }
    }
}

impl<'a> Scanner<'a> {
    /// Goes to the root, which must have one of the names `expected`: S3's first, then those that
    /// other stores use for the same document.
    pub(super) fn root(
        document: &'a [u8],
        expected: &[&'static str],
    ) -> Result<(Scanner<'a>, Element<'a>), InvalidXml> {
        let text = std::str::from_utf8(document).map_err(|error| InvalidXml::NotUtf8 {
            at: error.valid_up_to(),
        })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut scanner = Scanner { text, at: 0 };
        let root = scanner.prolog()?;
        if expected.contains(&root.local()) {
            return Ok((scanner, root));
        }
        Err(InvalidXml::Root {
            expected: expected.first().copied().unwrap_or_default(),
            found: root.local().chars().take(64).collect(),
        })
    }

    /// The next element inside `parent`, or `None` once its end tag was read.
    pub(super) fn child(
        &mut self,
        parent: &Element<'_>,
    ) -> Result<Option<Element<'a>>, InvalidXml> {
        if parent.empty {
            return Ok(None);
        }
        loop {
            self.at = self.find_tag(self.at)?;
            match self.byte(self.at + 1)? {
                b'/' if self.try_close(parent) => return Ok(None),
                b'/' => return Err(self.malformed()),
                b'!' | b'?' => self.markup().map(|_| ())?,
                _ => return self.open().map(Some),
            }
        }
    }

    /// All text directly inside `element`, up to its end tag.
    pub(super) fn leaf(&mut self, element: &Element<'_>) -> Result<Leaf<'a>, InvalidXml> {
        if element.empty {
            return Ok(Leaf::Raw(""));
        }
        let begin = self.at;
        self.at = self.find_tag(begin)?;
        let raw = &self.text[begin..self.at];
        if self.try_close(element) {
            return Ok(Leaf::Raw(raw));
        }
        let mut joined = unescape(raw)?.into_owned();
        loop {
            match self.byte(self.at + 1)? {
                b'/' if self.try_close(element) => return Ok(Leaf::Joined(joined)),
                b'/' => return Err(self.malformed()),
                b'!' | b'?' => joined.push_str(self.markup()?),
                _ => {
                    let inner = self.open()?;
                    self.skip(&inner)?;
                }
            }
            let begin = self.at;
            self.at = self.find_tag(begin)?;
            joined.push_str(&unescape(&self.text[begin..self.at])?);
        }
    }

    /// The leaf that stands right here, if it is one between these two tags, written so. It costs a
    /// sixth of what asking for a child and its text does.
    #[inline]
    pub(super) fn plain_leaf<const OPEN: usize, const CLOSE: usize>(
        &mut self,
        open: &[u8; OPEN],
        close: &[u8; CLOSE],
    ) -> Option<Leaf<'a>> {
        let rest = &self.text.as_bytes()[self.at..];
        let inside = rest.strip_prefix(open)?;
        let length = memchr(b'<', inside)?;
        inside[length..].starts_with(close).then_some(())?;
        let begin = self.at + OPEN;
        self.at = begin + length + CLOSE;
        Some(Leaf::Raw(&self.text[begin..begin + length]))
    }

    /// The text of `element` with its entities replaced.
    pub(super) fn text(&mut self, element: &Element<'_>) -> Result<Cow<'a, str>, InvalidXml> {
        self.leaf(element)?.text()
    }

    /// Passes over `element` and all inside it.
    pub(super) fn skip(&mut self, element: &Element<'_>) -> Result<(), InvalidXml> {
        if element.empty {
            return Ok(());
        }
        // Most hold a text and nothing else.
        self.at = self.find_tag(self.at)?;
        if self.try_close(element) {
            return Ok(());
        }
        let mut open = vec![*element];
        while let Some(innermost) = open.last() {
            self.at = self.find_tag(self.at)?;
            match self.byte(self.at + 1)? {
                b'/' if self.try_close(innermost) => {
                    open.pop();
                }
                b'/' => return Err(self.malformed()),
                b'!' | b'?' => self.markup().map(|_| ())?,
                _ => {
                    let inner = self.open()?;
                    if !inner.empty {
                        open.push(inner);
                    }
                    if open.len() > DEPTH_MAX {
                        return Err(self.malformed());
                    }
                }
            }
        }
        Ok(())
    }

    /// Checks that nothing follows the root.
    pub(super) fn finish(mut self) -> Result<(), InvalidXml> {
        loop {
            self.skip_space();
            match self.text.as_bytes().get(self.at) {
                None => return Ok(()),
                Some(b'<') if matches!(self.byte(self.at + 1)?, b'!' | b'?') => {
                    self.markup().map(|_| ())?;
                }
                Some(_) => return Err(self.malformed()),
            }
        }
    }

    fn prolog(&mut self) -> Result<Element<'a>, InvalidXml> {
        loop {
            self.skip_space();
            match self.byte(self.at)? {
                b'<' => {}
                _ => return Err(self.malformed()),
            }
            match self.byte(self.at + 1)? {
                b'!' | b'?' => self.markup().map(|_| ())?,
                _ => return self.open(),
            }
        }
    }

    fn byte(&self, at: usize) -> Result<u8, InvalidXml> {
        let byte = self.text.as_bytes().get(at);
        byte.copied().ok_or(InvalidXml::Truncated)
    }

    fn malformed(&self) -> InvalidXml {
        InvalidXml::Malformed { at: self.at }
    }

    fn find_tag(&self, from: usize) -> Result<usize, InvalidXml> {
        // Tags mostly stand side by side.
        if self.text.as_bytes().get(from) == Some(&b'<') {
            return Ok(from);
        }
        let found = memchr(b'<', &self.text.as_bytes()[from..]);
        found.map(|at| from + at).ok_or(InvalidXml::Truncated)
    }

    fn skip_space(&mut self) {
        let rest = &self.text.as_bytes()[self.at..];
        let space = rest.iter().take_while(|byte| byte.is_ascii_whitespace());
        self.at += space.count();
    }

    /// Reads the end tag at hand if it is the one of `element`.
    fn try_close(&mut self, element: &Element<'_>) -> bool {
        let rest = &self.text.as_bytes()[self.at..];
        let Some(after) = rest
            .strip_prefix(b"</")
            .and_then(|rest| rest.strip_prefix(element.name.as_bytes()))
        else {
            return false;
        };
        let mut space = 0;
        while after.get(space).is_some_and(u8::is_ascii_whitespace) {
            space += 1;
        }
        if after.get(space) != Some(&b'>') {
            return false;
        }
        self.at += 2 + element.name.len() + space + 1;
        true
    }

    /// Reads a start tag; `at` is its `<`.
    fn open(&mut self) -> Result<Element<'a>, InvalidXml> {
        let bytes = self.text.as_bytes();
        let begin = self.at + 1;
        let mut end = begin;
        let mut prefix_length = 0;
        let mut is_name = true;
        loop {
            match self.byte(end)? {
                b'>' | b'/' | b' ' | b'\t' | b'\r' | b'\n' => break,
                b'<' | b'&' | b'"' | b'\'' | b'=' => is_name = false,
                b':' if prefix_length == 0 => prefix_length = end + 1 - begin,
                _ => {}
            }
            end += 1;
        }
        let name = &self.text[begin..end];
        if name.is_empty() || !is_name {
            return Err(self.malformed());
        }
        if bytes[end] == b'>' {
            self.at = end + 1;
            return Ok(Element {
                name,
                prefix_length,
                empty: false,
            });
        }
        // Attributes: a `>` inside quotes does not end the tag.
        let mut at = end;
        let close = loop {
            let found = memchr3(b'>', b'"', b'\'', &bytes[at..]).ok_or(InvalidXml::Truncated)?;
            at += found;
            let quote = bytes[at];
            if quote == b'>' {
                break at;
            }
            let value = at + 1;
            at = value + memchr(quote, &bytes[value..]).ok_or(InvalidXml::Truncated)? + 1;
        };
        self.at = close + 1;
        Ok(Element {
            name,
            prefix_length,
            empty: bytes[close - 1] == b'/',
        })
    }

    /// Passes over a comment, an instruction or a CDATA section, and hands out the text of the
    /// latter. `at` is its `<`.
    fn markup(&mut self) -> Result<&'a str, InvalidXml> {
        const KINDS: [(&str, &str, bool); 3] = [
            ("<![CDATA[", "]]>", true),
            ("<!--", "-->", false),
            ("<?", "?>", false),
        ];
        let rest = &self.text[self.at..];
        for (begin, end, is_text) in KINDS {
            let Some(inside) = rest.strip_prefix(begin) else {
                continue;
            };
            let length = memmem::find(inside.as_bytes(), end.as_bytes());
            let length = length.ok_or(InvalidXml::Truncated)?;
            self.at += begin.len() + length + end.len();
            return Ok(if is_text { &inside[..length] } else { "" });
        }
        let cut_short = KINDS.iter().any(|(begin, _, _)| begin.starts_with(rest));
        Err(if cut_short {
            InvalidXml::Truncated
        } else {
            self.malformed()
        })
    }
}

/// Replaces entities. Character references may name what XML 1.0 itself may not carry: servers
/// write control characters of keys so.
fn unescape(raw: &str) -> Result<Cow<'_, str>, InvalidXml> {
    let Some(first) = memchr(b'&', raw.as_bytes()) else {
        return Ok(Cow::Borrowed(raw));
    };
    let mut text = String::with_capacity(raw.len());
    text.push_str(&raw[..first]);
    let mut rest = &raw[first..];
    while let Some(after) = rest.strip_prefix('&') {
        let end = memchr(b';', after.as_bytes());
        let end = end.ok_or_else(|| InvalidXml::Entity(after.chars().take(16).collect()))?;
        text.push(entity(&after[..end])?);
        rest = &after[end + 1..];
        let next = memchr(b'&', rest.as_bytes()).unwrap_or(rest.len());
        text.push_str(&rest[..next]);
        rest = &rest[next..];
    }
    Ok(Cow::Owned(text))
}

fn entity(name: &str) -> Result<char, InvalidXml> {
    let unknown = || InvalidXml::Entity(name.chars().take(16).collect());
    match name {
        "amp" => return Ok('&'),
        "lt" => return Ok('<'),
        "gt" => return Ok('>'),
        "quot" => return Ok('"'),
        "apos" => return Ok('\''),
        _ => {}
    }
    let number = name.strip_prefix('#').ok_or_else(unknown)?;
    let (digits, radix) = match number.strip_prefix(['x', 'X']) {
        Some(digits) => (digits, 16),
        None => (number, 10),
    };
    // from_str_radix takes a sign, XML does not.
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(unknown());
    }
    let code = u32::from_str_radix(digits, radix).map_err(|_| unknown())?;
    char::from_u32(code).ok_or_else(unknown)
}
