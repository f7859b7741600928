//! Whether bytes that stream past have an ETag, where that is a digest of them. Pure.

use base::{ByteCount, ETag};
use md5::{Digest as _, Md5};

use crate::plan::part_sizes_of;
use crate::verify::multipart_etag;

/// What bytes turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// They have the ETag.
    Same,
    /// They have another MD5.
    Other,
    /// They have the ETag under none of the part sizes that are likely, which proves nothing.
    NoGuessFits,
}

/// Hashes bytes in the ways that may lead to one ETag.
#[derive(Debug)]
pub(super) struct ETagHasher {
    etag: ETag,
    ways: Vec<Way>,
}

/// One part size, or the whole.
#[derive(Debug)]
struct Way {
    /// `None`: the whole is hashed at once.
    part_size: Option<u64>,
    hasher: Md5,
    /// Bytes of the part under way.
    filled: u64,
    parts: Vec<ETag>,
}

impl ETagHasher {
    /// For bytes of this size.
    pub(super) fn new(etag: &ETag, size: ByteCount) -> ETagHasher {
        let ways = match etag.as_md5() {
            Some(_) => vec![Way::new(None)],
            None => part_sizes_of(etag, size)
                .iter()
                .map(|parts| Way::new(Some(parts.part_size().0)))
                .collect(),
        };
        ETagHasher {
            etag: etag.clone(),
            ways,
        }
    }

    /// Takes the next bytes.
    pub(super) fn update(&mut self, bytes: &[u8]) {
        for way in &mut self.ways {
            way.update(bytes);
        }
    }

    /// What the bytes were.
    pub(super) fn finish(self) -> Found {
        let is_md5 = self.etag.as_md5().is_some();
        let mut etags = self.ways.into_iter().filter_map(Way::finish);
        match etags.any(|etag| etag == self.etag) {
            true => Found::Same,
            false if is_md5 => Found::Other,
            false => Found::NoGuessFits,
        }
    }
}

impl Way {
    fn new(part_size: Option<u64>) -> Way {
        Way {
            part_size,
            hasher: Md5::new(),
            filled: 0,
            parts: Vec::new(),
        }
    }

    fn update(&mut self, mut bytes: &[u8]) {
        let Some(part_size) = self.part_size else {
            self.hasher.update(bytes);
            return;
        };
        while !bytes.is_empty() {
            let room = usize::try_from(part_size - self.filled).unwrap_or(usize::MAX);
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.hasher.update(now);
            self.filled += now.len() as u64;
            if self.filled == part_size {
                self.end_part();
            }
            bytes = later;
        }
    }

    fn end_part(&mut self) {
        let md5 = self.hasher.finalize_reset();
        self.parts.push(ETag::from_header(&hex::encode(md5)));
        self.filled = 0;
    }

    fn finish(mut self) -> Option<ETag> {
        if self.part_size.is_none() {
            let md5 = self.hasher.finalize();
            return Some(ETag::from_header(&hex::encode(md5)));
        }
        if self.filled > 0 {
            self.end_part();
        }
        multipart_etag(self.parts.iter())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::digest::bytes_have_multipart_etag;

    const MIB: usize = 1 << 20;

    fn found(etag: &ETag, bytes: &[u8], step: usize) -> Found {
        let mut hasher = ETagHasher::new(etag, ByteCount(bytes.len() as u64));
        bytes.chunks(step).for_each(|chunk| hasher.update(chunk));
        hasher.finish()
    }

    #[test]
    fn an_md5_tells_equal_from_other() {
        let etag = ETag::from_header(&hex::encode(Md5::digest(b"hello")));
        assert_eq!(found(&etag, b"hello", 2), Found::Same);
        assert_eq!(found(&etag, b"hellO", 2), Found::Other);
        let empty = ETag::from_header(&hex::encode(Md5::digest(b"")));
        assert_eq!(found(&empty, b"", 1), Found::Same);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4))]
        #[test]
        fn streamed_parts_are_those_of_the_whole(
            size in 5 * MIB..12 * MIB, part in prop::sample::select(vec![5_usize, 8]), step in 1_000_usize..300_000
        ) {
            let bytes: Vec<u8> = (0..=250).cycle().take(size).collect();
            let parts: Vec<ETag> = bytes
                .chunks(part * MIB)
                .map(|part| ETag::from_header(&hex::encode(Md5::digest(part))))
                .collect();
            let etag = multipart_etag(parts.iter()).unwrap();
            let expected = bytes_have_multipart_etag(&bytes, &etag);
            prop_assert_eq!(found(&etag, &bytes, step) == Found::Same, expected);
            prop_assert!(expected);
            let mut other = bytes;
            other[size / 2] ^= 1;
            prop_assert_eq!(found(&etag, &other, step), Found::NoGuessFits);
        }
    }
}
