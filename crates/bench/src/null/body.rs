//! What happens to the bytes of an upload: they are counted, hashed and forgotten.

use anyhow::{Result, ensure};
use base::checksum::{Crc64Hasher, Crc64Nvme};
use md5::{Digest as _, Md5};

use super::framing::Chunks;
use super::request::Request;

/// Longest body that is kept, which is one of XML. S3's own limit for CompleteMultipartUpload is
/// of this order; ten thousand parts take 1.5 MB.
const KEPT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Takes one request's body.
#[derive(Debug)]
pub(super) struct Intake {
    /// Bytes of the body still to come where its length was said.
    left: u64,
    http: Option<Chunks>,
    aws: Option<Chunks>,
    content: Content,
}

/// What is known of a body that has come whole.
#[derive(Debug, Default)]
pub(super) struct Swallowed {
    pub(super) size: u64,
    pub(super) crc64: Option<Crc64Nvme>,
    /// Hexadecimal.
    pub(super) md5: Option<[u8; 16]>,
    /// The bytes, where they are an order and not an object.
    pub(super) text: Vec<u8>,
}

#[derive(Debug)]
struct Content {
    size: u64,
    crc64: Option<Crc64Hasher>,
    md5: Option<Md5>,
    kept: Option<Vec<u8>>,
}

impl Content {
    fn take(&mut self, data: &[u8]) -> Result<()> {
        self.size += data.len() as u64;
        if let Some(hasher) = &mut self.crc64 {
            hasher.update(data);
        }
        if let Some(hasher) = &mut self.md5 {
            hasher.update(data);
        }
        if let Some(kept) = &mut self.kept {
            ensure!(
                kept.len() + data.len() <= KEPT_BYTES_MAX,
                "too long an order"
            );
            kept.extend_from_slice(data);
        }
        Ok(())
    }
}

impl Intake {
    /// For the body of `request`: kept if it is an order, else hashed as the store hashes.
    pub(super) fn new(request: &Request, keep: bool, crc64: bool, md5: bool) -> Intake {
        Intake {
            left: if request.chunked {
                0
            } else {
                request.content_length
            },
            http: request.chunked.then(Chunks::new),
            // A body without bytes has no frames either.
            aws: (request.aws_chunked && request.has_body()).then(Chunks::new),
            content: Content {
                size: 0,
                crc64: (crc64 && !keep).then(Crc64Hasher::new),
                md5: (md5 && !keep).then(Md5::new),
                kept: keep.then(Vec::new),
            },
        }
    }

    pub(super) fn is_done(&self) -> bool {
        match &self.http {
            Some(chunks) => chunks.is_done(),
            None => self.left == 0,
        }
    }

    /// Takes of `input` what belongs to the body and says how many bytes that were.
    pub(super) fn feed(&mut self, input: &[u8]) -> Result<usize> {
        let Intake {
            left,
            http,
            aws,
            content,
        } = self;
        let mut inner = |data: &[u8]| match aws {
            Some(chunks) => {
                let taken = chunks.feed(data, |data| content.take(data))?;
                ensure!(taken == data.len(), "bytes after the last aws-chunk");
                Ok(())
            }
            None => content.take(data),
        };
        if let Some(chunks) = http {
            return chunks.feed(input, inner);
        }
        let length = usize::try_from(*left).map_or(input.len(), |left| left.min(input.len()));
        inner(&input[..length])?;
        *left -= length as u64;
        Ok(length)
    }

    /// What came, once it is done.
    pub(super) fn finish(self) -> Swallowed {
        Swallowed {
            size: self.content.size,
            crc64: self.content.crc64.map(|hasher| hasher.finish()),
            md5: self.content.md5.map(|hasher| hasher.finalize().into()),
            text: self.content.kept.unwrap_or_default(),
        }
    }
}
