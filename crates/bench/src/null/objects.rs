//! What the endpoint knows of objects: the synthetic ones by their number, those sent to it by what
//! it remembers.

use std::collections::HashMap;

use base::checksum::Crc64Nvme;

use super::content::Content;
use super::keys::KeySpace;
use super::options::{ETags, NullOptions};

/// Most uploads remembered; then all are forgotten, so that an hour's run does not fill memory.
/// Enough for every case of the benchmark: a guess.
pub(super) const REMEMBERED_MAX: usize = 1_000_000;

/// What is there under a key.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) size: u64,
    /// Without quotes.
    pub(super) etag: String,
    pub(super) crc64: Option<Crc64Nvme>,
    /// Whether its bytes can be given.
    pub(super) synthetic: bool,
}

/// Every bucket's objects.
#[derive(Debug)]
pub(super) struct Objects {
    pub(super) content: Content,
    otherwise: KeySpace,
    checksums: bool,
    sent: HashMap<String, Held>,
}

impl Objects {
    pub(super) fn new(options: &NullOptions) -> Objects {
        Objects {
            content: Content::new(options.etags),
            otherwise: KeySpace {
                count: options.keys,
                size: options.size,
            },
            checksums: options.checksums,
            sent: HashMap::new(),
        }
    }

    /// The synthetic objects of a bucket.
    pub(super) fn space(&self, bucket: &str) -> KeySpace {
        KeySpace::of_bucket(bucket).unwrap_or(self.otherwise)
    }

    /// What is there: what was sent last, else what is made up.
    pub(super) fn find(&mut self, bucket: &str, key: &str) -> Option<Held> {
        let space = self.space(bucket);
        if space.contains(key.as_bytes()) {
            return Some(self.synthetic(space.size));
        }
        self.sent.get(&place(bucket, key)).cloned()
    }

    /// What every synthetic object of this size has.
    pub(super) fn synthetic(&mut self, size: u64) -> Held {
        let facts = self.content.facts(size);
        Held {
            size,
            etag: facts.etag,
            crc64: self.checksums.then_some(facts.crc64),
            synthetic: true,
        }
    }

    /// Remembers what was sent.
    pub(super) fn remember(&mut self, bucket: &str, key: &str, held: Held) {
        if self.sent.len() >= REMEMBERED_MAX {
            self.sent.clear();
        }
        self.sent.insert(place(bucket, key), held);
    }

    pub(super) fn forget(&mut self, bucket: &str, key: &str) {
        self.sent.remove(&place(bucket, key));
    }

    /// Forgets all that was sent.
    pub(super) fn clear(&mut self) {
        self.sent.clear();
    }
}

/// The ETag of bytes that were sent.
pub(super) fn etag_of(etags: ETags, md5: Option<[u8; 16]>, crc64: Option<Crc64Nvme>) -> String {
    match (etags, md5) {
        (ETags::Md5, Some(md5)) => hex::encode(md5),
        (ETags::Md5 | ETags::Opaque, _) => {
            format!("opaque-sent-{:016x}", crc64.unwrap_or(Crc64Nvme::EMPTY).0)
        }
    }
}

fn place(bucket: &str, key: &str) -> String {
    format!("{bucket}/{key}")
}
