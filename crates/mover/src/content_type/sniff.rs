//! What kind of content some bytes are. Pure.
//! Source: WHATWG, "MIME Sniffing", sections 6 and 7 (read 2026-11), as far as s5cmd v2.3.0 was
//! observed to follow it.

/// How many bytes are looked at.
/// Source: WHATWG, "MIME Sniffing", reads up to 1,445; s5cmd looks at 512, observed.
pub(crate) const SNIFFED_BYTES: usize = 512;

/// How a row's pattern is laid over the bytes.
enum Pattern {
    /// They begin so.
    Exact(&'static [u8]),
    /// They begin so; a `?` stands for any byte.
    Gaps(&'static [u8]),
    /// After white space, this tag in any case, and then a space or `>`.
    Tag(&'static [u8]),
    /// After white space they begin so.
    AfterSpace(&'static [u8]),
    /// A byte order mark, and bytes after it up to four in all.
    Mark(&'static [u8]),
    /// An MP4 file type box.
    Mp4,
    /// 34 bytes of anything, then `LP`.
    EmbeddedFont,
}

use Pattern::{AfterSpace, EmbeddedFont, Exact, Gaps, Mark, Mp4, Tag};

const HTML: &str = "text/html; charset=utf-8";

/// The first row that fits holds.
const ROWS: [(Pattern, &str); 50] = [
    (Tag(b"<!DOCTYPE HTML"), HTML),
    (Tag(b"<HTML"), HTML),
    (Tag(b"<HEAD"), HTML),
    (Tag(b"<SCRIPT"), HTML),
    (Tag(b"<IFRAME"), HTML),
    (Tag(b"<H1"), HTML),
    (Tag(b"<DIV"), HTML),
    (Tag(b"<FONT"), HTML),
    (Tag(b"<TABLE"), HTML),
    (Tag(b"<A"), HTML),
    (Tag(b"<STYLE"), HTML),
    (Tag(b"<TITLE"), HTML),
    (Tag(b"<B"), HTML),
    (Tag(b"<BODY"), HTML),
    (Tag(b"<BR"), HTML),
    (Tag(b"<P"), HTML),
    (Tag(b"<!--"), HTML),
    (AfterSpace(b"<?xml"), "text/xml; charset=utf-8"),
    (Exact(b"%PDF-"), "application/pdf"),
    (Exact(b"%!PS-Adobe-"), "application/postscript"),
    (Mark(b"\xfe\xff"), "text/plain; charset=utf-16be"),
    (Mark(b"\xff\xfe"), "text/plain; charset=utf-16le"),
    (Mark(b"\xef\xbb\xbf"), "text/plain; charset=utf-8"),
    (Exact(b"\0\0\x01\0"), "image/x-icon"),
    (Exact(b"\0\0\x02\0"), "image/x-icon"),
    (Exact(b"BM"), "image/bmp"),
    (Exact(b"GIF87a"), "image/gif"),
    (Exact(b"GIF89a"), "image/gif"),
    (Gaps(b"RIFF????WEBPVP"), "image/webp"),
    (Exact(b"\x89PNG\r\n\x1a\n"), "image/png"),
    (Exact(b"\xff\xd8\xff"), "image/jpeg"),
    (Gaps(b"FORM????AIFF"), "audio/aiff"),
    (Exact(b"ID3"), "audio/mpeg"),
    (Exact(b"OggS\0"), "application/ogg"),
    (Exact(b"MThd\0\0\0\x06"), "audio/midi"),
    (Gaps(b"RIFF????AVI "), "video/avi"),
    (Gaps(b"RIFF????WAVE"), "audio/wave"),
    (Mp4, "video/mp4"),
    (Exact(b"\x1a\x45\xdf\xa3"), "video/webm"),
    (EmbeddedFont, "application/vnd.ms-fontobject"),
    (Exact(b"\0\x01\0\0"), "font/ttf"),
    (Exact(b"OTTO"), "font/otf"),
    (Exact(b"ttcf"), "font/collection"),
    (Exact(b"wOFF"), "font/woff"),
    (Exact(b"wOF2"), "font/woff2"),
    (Exact(b"\x1f\x8b\x08"), "application/x-gzip"),
    (Exact(b"PK\x03\x04"), "application/zip"),
    (Exact(b"Rar!\x1a\x07\0"), "application/x-rar-compressed"),
    (Exact(b"Rar!\x1a\x07\x01\0"), "application/x-rar-compressed"),
    (Exact(b"\0asm"), "application/wasm"),
];

/// The type of content that begins with `bytes`, of which 512 are looked at.
pub(crate) fn by_content(bytes: &[u8]) -> &'static str {
    let bytes = &bytes[..bytes.len().min(SNIFFED_BYTES)];
    let found = ROWS.iter().find(|(pattern, _)| pattern.fits(bytes));
    match found {
        Some((_, kind)) => kind,
        None if after_space(bytes).iter().any(|byte| is_binary(*byte)) => super::UNKNOWN,
        None => "text/plain; charset=utf-8",
    }
}

impl Pattern {
    fn fits(&self, bytes: &[u8]) -> bool {
        match self {
            Exact(start) => bytes.starts_with(start),
            Gaps(start) => {
                bytes.len() >= start.len()
                    && start.iter().zip(bytes).all(|(p, b)| *p == b'?' || p == b)
            }
            Tag(tag) => {
                let bytes = after_space(bytes);
                bytes.len() > tag.len()
                    && bytes[..tag.len()].eq_ignore_ascii_case(tag)
                    && matches!(bytes[tag.len()], b' ' | b'>')
            }
            AfterSpace(start) => after_space(bytes).starts_with(start),
            Mark(mark) => bytes.len() >= 4 && bytes.starts_with(mark),
            Mp4 => is_mp4(bytes),
            EmbeddedFont => bytes.len() >= 36 && bytes[34..36] == *b"LP",
        }
    }
}

fn after_space(bytes: &[u8]) -> &[u8] {
    let is_space = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\x0c' | b'\r' | b' ');
    let start = bytes.iter().position(|byte| !is_space(byte));
    &bytes[start.unwrap_or(bytes.len())..]
}

fn is_binary(byte: u8) -> bool {
    matches!(byte, 0..=8 | 0x0b | 0x0e..=0x1a | 0x1c..=0x1f)
}

/// A first box `ftyp`, all of it here, of whose brands one begins with `mp4`.
fn is_mp4(bytes: &[u8]) -> bool {
    if bytes.len() < 12 || bytes[4..8] != *b"ftyp" {
        return false;
    }
    let size = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    let Ok(size) = usize::try_from(size) else {
        return false;
    };
    if size > bytes.len() || !size.is_multiple_of(4) {
        return false;
    }
    // The word at 12 is the minor version.
    (8..size)
        .step_by(4)
        .filter(|at| *at != 12)
        .any(|at| bytes[at..].starts_with(b"mp4"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_as_s5cmd_was_observed_to_give_them() {
        for (bytes, kind) in [
            (&b""[..], "text/plain; charset=utf-8"),
            (b"hello\n", "text/plain; charset=utf-8"),
            (b"a\0b", "application/octet-stream"),
            (b" \n<!doctype html>", HTML),
            (b"<p", "text/plain; charset=utf-8"),
            (b"<px>", "text/plain; charset=utf-8"),
            (b"\xef\xbb\xbfa", "text/plain; charset=utf-8"),
            (b"\x1f\x8b\x08\0", "application/x-gzip"),
            (
                b"\0\0\0\x10ftypisom\0\0\0\0mp42",
                "application/octet-stream",
            ),
            (b"\0\0\0\x14ftypisom\0\0\0\0mp42", "video/mp4"),
            (b"RIFF\x01\x02\x03\x04WEBPVP", "image/webp"),
        ] {
            assert_eq!(by_content(bytes), kind, "{bytes:?}");
        }
    }
}
