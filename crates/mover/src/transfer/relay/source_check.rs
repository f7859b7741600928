//! Whether the bytes that came are those that the source's store keeps, before they are let go.

use base::{Checksum, Sealed};
use bytes::Bytes;
use md5::{Digest as _, Md5};
use parking_lot::Mutex;
use remote::types::ObjectHead;
use tokio::sync::watch;

use crate::digest;
use crate::error::{Error, Result};
use crate::event::Verified;
use crate::verify::{self, Md5Value, Means, PartSeal};

/// Bytes from which on hashing leaves the reactor: MD5 takes some 350 µs for them.
const HASH_INLINE_BYTES_MAX: usize = 256 << 10;

/// What the source's store keeps of an object, and how far the comparison is.
#[derive(Debug)]
pub(super) struct SourceCheck {
    means: Means,
    /// The MD5 of the parts so far, for an object whose ETag is the MD5 of the whole.
    chain: Chain,
}

/// A running MD5 over parts that come in any order, taken in theirs.
#[derive(Debug)]
struct Chain {
    md5: Mutex<Md5>,
    next: watch::Sender<u32>,
}

impl SourceCheck {
    pub(super) fn of(head: &ObjectHead) -> SourceCheck {
        SourceCheck {
            means: verify::means(head),
            chain: Chain {
                md5: Mutex::new(Md5::new()),
                next: watch::Sender::new(0),
            },
        }
    }

    /// Compares a whole object that is held in memory.
    pub(super) async fn compare_whole(&self, what: &str, sealed: &Sealed) -> Result<Verified> {
        match &self.means {
            Means::Crc64(stored) => {
                verify::equal_checksums(what, *stored, sealed.crc64())?;
                Ok(Verified::Checksum(Checksum::crc64nvme(*stored)))
            }
            Means::Md5(stored) => {
                let bytes = sealed.carry().0.clone();
                let actual = off_the_reactor(bytes, |bytes| Md5::digest(bytes).into()).await;
                verify::equal_md5(what, *stored, actual)?;
                Ok(Verified::ETag)
            }
            Means::MultipartETag(etag) => {
                let (bytes, etag) = (sealed.carry().0.clone(), etag.clone());
                let equal = move |bytes: &[u8]| digest::bytes_have_multipart_etag(bytes, &etag);
                Ok(match off_the_reactor(bytes, equal).await {
                    true => Verified::ETag,
                    // A guess at the parts that was wrong looks the same as wrong bytes.
                    false => Verified::SizeOnly,
                })
            }
            Means::Size => Ok(Verified::SizeOnly),
        }
    }

    /// Whether the bytes of every part must pass here, also of those that were sent before.
    pub(super) fn reads_all_parts(&self) -> bool {
        match self.means {
            Means::Md5(_) => true,
            Means::Crc64(_) | Means::MultipartETag(_) | Means::Size => false,
        }
    }

    /// Takes part `index`, from 0, into account; each part once. May wait for the parts before it,
    /// which must be under way and need nothing that the caller holds.
    pub(super) async fn take_part(&self, index: u32, bytes: &Bytes) -> Option<Md5Value> {
        match &self.means {
            Means::Md5(_) => {
                self.turn(index).await;
                let mut md5 = self.chain.md5.lock().clone();
                let bytes = bytes.clone();
                let md5 = off_the_reactor(bytes, move |bytes| {
                    md5.update(bytes);
                    md5
                });
                self.pass_on(index, md5.await);
                None
            }
            Means::MultipartETag(_) => {
                let bytes = bytes.clone();
                Some(off_the_reactor(bytes, |bytes| Md5::digest(bytes).into()).await)
            }
            Means::Crc64(_) | Means::Size => None,
        }
    }

    /// Waits until every part before `index` was taken.
    async fn turn(&self, index: u32) {
        let mut next = self.chain.next.subscribe();
        let turn = next.wait_for(|next| *next == index).await;
        turn.expect("the sender lives as long as this check");
    }

    fn pass_on(&self, index: u32, md5: Md5) {
        *self.chain.md5.lock() = md5;
        self.chain.next.send_replace(index + 1);
    }

    /// Compares an object of which every part was taken, before its parts are put together.
    pub(super) fn compare_parts(
        &self,
        what: &str,
        seals: &[PartSeal],
        md5s: &[Option<Md5Value>],
    ) -> Result<Verified> {
        match &self.means {
            Means::Crc64(stored) => {
                let combined = verify::combined(seals)
                    .ok_or_else(|| Error::Bug("a relayed part without a checksum".to_owned()))?;
                verify::equal_checksums(what, *stored, combined)?;
                Ok(Verified::Checksum(Checksum::crc64nvme(*stored)))
            }
            Means::Md5(stored) => {
                let actual = self.chain.md5.lock().clone().finalize().into();
                verify::equal_md5(what, *stored, actual)?;
                Ok(Verified::ETag)
            }
            Means::MultipartETag(etag) => {
                let etags: Option<Vec<base::ETag>> = md5s
                    .iter()
                    .map(|md5| Some(base::ETag::from_header(&hex::encode((*md5)?))))
                    .collect();
                let made = etags.and_then(|etags| verify::multipart_etag(etags.iter()));
                Ok(match made {
                    Some(made) if made == *etag => Verified::ETag,
                    // A guess at the parts that was wrong looks the same as wrong bytes.
                    Some(_) | None => Verified::SizeOnly,
                })
            }
            Means::Size => Ok(Verified::SizeOnly),
        }
    }
}

async fn off_the_reactor<T: Send + 'static>(
    bytes: Bytes,
    work: impl FnOnce(&[u8]) -> T + Send + 'static,
) -> T {
    if bytes.len() <= HASH_INLINE_BYTES_MAX {
        return work(&bytes);
    }
    base::tasks::blocking(move || work(&bytes)).await
}
