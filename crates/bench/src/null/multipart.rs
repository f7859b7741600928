//! Multipart uploads, whose parts are remembered and not kept.

use std::collections::{BTreeMap, HashMap};

use base::checksum::Crc64Nvme;
use md5::{Digest as _, Md5};

use super::objects::Held;
use super::options::ETags;

/// Most uploads open at once; then all are forgotten, as a client that never ends any must not
/// fill memory.
const OPEN_MAX: usize = 100_000;

/// Unfinished uploads by their ids.
#[derive(Debug, Default)]
pub(super) struct Uploads {
    begun: u64,
    open: HashMap<String, Upload>,
}

/// One of them.
#[derive(Debug, Default)]
pub(super) struct Upload {
    pub(super) parts: BTreeMap<u32, Part>,
}

/// A part that has come.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) size: u64,
    /// Without quotes.
    pub(super) etag: String,
    pub(super) crc64: Option<Crc64Nvme>,
    pub(super) md5: Option<[u8; 16]>,
}

impl Uploads {
    /// Begins one and gives its id.
    pub(super) fn begin(&mut self) -> String {
        if self.open.len() >= OPEN_MAX {
            self.open.clear();
        }
        self.begun += 1;
        let id = format!("null-upload-{}", self.begun);
        self.open.insert(id.clone(), Upload::default());
        id
    }

    pub(super) fn get_mut(&mut self, id: &str) -> Option<&mut Upload> {
        self.open.get_mut(id)
    }

    /// Takes one out, whether it is completed or aborted.
    pub(super) fn take(&mut self, id: &str) -> Option<Upload> {
        self.open.remove(id)
    }
}

impl Upload {
    /// The object made of the parts with these numbers, in this order; none if one has not come.
    pub(super) fn whole(&self, numbers: &[u32], etags: ETags) -> Option<Held> {
        let mut size = 0;
        let mut crc64 = Some(Crc64Nvme::EMPTY);
        let mut md5 = Md5::new();
        for number in numbers {
            let part = self.parts.get(number)?;
            size += part.size;
            crc64 = crc64
                .zip(part.crc64)
                .map(|(so_far, next)| so_far.then(next, part.size));
            md5.update(part.md5.unwrap_or_default());
        }
        let etag = match etags {
            ETags::Md5 => format!("{}-{}", hex::encode(md5.finalize()), numbers.len()),
            ETags::Opaque => format!("opaque-parts-{}-{size}", numbers.len()),
        };
        Some(Held {
            size,
            etag,
            crc64,
            synthetic: false,
        })
    }
}
