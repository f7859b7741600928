//! Whether the bytes that came are those that the source's store keeps, before they are let go.

use base::checksum::{ChecksumHasher, ChecksumValue};
use base::{Checksum, Crc64Nvme, ETag, Sealed};
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

/// Compares a whole object that is held in memory with what `head` says of it.
pub(super) async fn compare_whole(
    what: &str,
    head: &ObjectHead,
    sealed: &Sealed,
) -> Result<Verified> {
    let bytes = || sealed.carry().0.clone();
    match verify::means(head) {
        Means::Crc64(stored) => {
            verify::equal_checksums(what, stored, sealed.crc64())?;
            Ok(Verified::Checksum(Checksum::crc64nvme(stored)))
        }
        Means::Checksum(stored) => {
            let algorithm = stored.algorithm;
            let value = move |bytes: &[u8]| ChecksumValue::of(algorithm, bytes).full_object();
            let actual = off_the_reactor(bytes(), value).await;
            verify::equal_to_stored(what, &stored, &actual)
        }
        Means::Md5(stored) => {
            let actual = off_the_reactor(bytes(), |bytes| Md5::digest(bytes).into()).await;
            verify::equal_md5(what, stored, actual)?;
            Ok(Verified::ETag)
        }
        Means::Composite(stored) => {
            let known = Verified::Checksum(stored.clone());
            let equal = move |bytes: &[u8]| digest::bytes_have_composite(bytes, &stored);
            Ok(if off_the_reactor(bytes(), equal).await {
                known
            } else {
                // A guess at the parts that was wrong looks the same as wrong bytes.
                Verified::SizeOnly
            })
        }
        Means::MultipartETag(etag) => {
            let equal = move |bytes: &[u8]| digest::bytes_have_multipart_etag(bytes, &etag);
            Ok(if off_the_reactor(bytes(), equal).await {
                Verified::ETag
            } else {
                Verified::SizeOnly
            })
        }
        Means::Size => Ok(Verified::SizeOnly),
    }
}

/// Compares a whole object that passed with what is kept of it, where its digests can tell.
pub(super) fn compare_passed(
    what: &str,
    means: &Means,
    crc64: Crc64Nvme,
    running: Option<&Running>,
) -> Result<Verified> {
    match (means, running.cloned().map(Running::finish)) {
        (Means::Crc64(stored), _) => {
            verify::equal_checksums(what, *stored, crc64)?;
            Ok(Verified::Checksum(Checksum::crc64nvme(*stored)))
        }
        (Means::Checksum(stored), Some(PartDigest::Checksum(value))) => {
            verify::equal_to_stored(what, stored, &value.full_object())
        }
        (Means::Md5(stored), Some(PartDigest::Md5(actual))) => {
            verify::equal_md5(what, *stored, actual)?;
            Ok(Verified::ETag)
        }
        (
            Means::Checksum(_)
            | Means::Md5(_)
            | Means::Composite(_)
            | Means::MultipartETag(_)
            | Means::Size,
            _,
        ) => Ok(Verified::SizeOnly),
    }
}

/// The digest of one part, of the kind that the source's store made the whole's of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PartDigest {
    Md5(Md5Value),
    Checksum(ChecksumValue),
}

/// What the source's store keeps of an object that comes in parts, and how far the comparison is.
#[derive(Debug)]
pub(super) struct SourceCheck {
    means: Means,
    /// Where the bytes of the whole must pass in order.
    chain: Option<Chain>,
}

/// A running digest over parts that come in any order, taken in theirs.
#[derive(Debug)]
struct Chain {
    running: Mutex<Running>,
    next: watch::Sender<u32>,
}

/// A running digest of the kind that the source's store made.
#[derive(Debug, Clone)]
pub(super) enum Running {
    Md5(Md5),
    Checksum(Box<ChecksumHasher>),
}

impl Running {
    /// Of all of an object, or of a part of it.
    pub(super) fn of(means: &Means) -> Option<Running> {
        match means {
            Means::Md5(_) | Means::MultipartETag(_) => Some(Running::Md5(Md5::new())),
            Means::Checksum(stored) | Means::Composite(stored) => {
                let hasher = ChecksumHasher::new(stored.algorithm);
                Some(Running::Checksum(Box::new(hasher)))
            }
            // The CRC-64/NVME is always taken.
            Means::Crc64(_) | Means::Size => None,
        }
    }

    /// Whether the bytes of all parts must pass in order.
    fn is_of_the_whole(means: &Means) -> bool {
        match means {
            Means::Md5(_) => true,
            Means::Checksum(stored) => !stored.algorithm.combines(),
            Means::Crc64(_) | Means::Composite(_) | Means::MultipartETag(_) | Means::Size => false,
        }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Running::Md5(md5) => md5.update(bytes),
            Running::Checksum(hasher) => hasher.update(bytes),
        }
    }

    fn finish(self) -> PartDigest {
        match self {
            Running::Md5(md5) => PartDigest::Md5(md5.finalize().into()),
            Running::Checksum(hasher) => PartDigest::Checksum(hasher.finish()),
        }
    }
}

impl SourceCheck {
    pub(super) fn of(head: &ObjectHead) -> SourceCheck {
        let means = verify::means(head);
        let in_order = Running::is_of_the_whole(&means);
        let chain = Running::of(&means)
            .filter(|_| in_order)
            .map(|running| Chain {
                running: Mutex::new(running),
                next: watch::Sender::new(0),
            });
        SourceCheck { means, chain }
    }

    /// Whether the bytes of every part must pass here, also of those that were sent before.
    pub(super) fn reads_all_parts(&self) -> bool {
        match self.means {
            Means::Checksum(_) | Means::Composite(_) | Means::Md5(_) => true,
            // What the journal keeps of a part is enough.
            Means::Crc64(_) | Means::MultipartETag(_) | Means::Size => false,
        }
    }

    /// Takes part `index`, from 0, into account; each part once. May wait for the parts before it,
    /// which must be under way and need nothing that the caller holds.
    pub(super) async fn take_part(&self, index: u32, bytes: &Bytes) -> Option<PartDigest> {
        if let Some(chain) = &self.chain {
            let mut running = chain.turn(index).await;
            let taken = off_the_reactor(bytes.clone(), move |bytes| {
                running.update(bytes);
                running
            });
            chain.pass_on(index, taken.await);
            return None;
        }
        match &self.means {
            Means::Checksum(stored) | Means::Composite(stored) => {
                let algorithm = stored.algorithm;
                let value = move |bytes: &[u8]| ChecksumValue::of(algorithm, bytes);
                let value = off_the_reactor(bytes.clone(), value).await;
                Some(PartDigest::Checksum(value))
            }
            Means::MultipartETag(_) => {
                let md5 = off_the_reactor(bytes.clone(), |bytes| Md5::digest(bytes).into());
                Some(PartDigest::Md5(md5.await))
            }
            Means::Crc64(_) | Means::Md5(_) | Means::Size => None,
        }
    }

    /// What the bytes of part `index` are to run through where they are not held: each part once,
    /// followed by [`end_part`](Self::end_part). Waits as [`take_part`](Self::take_part).
    pub(super) async fn begin_part(&self, index: u32) -> Option<Running> {
        match &self.chain {
            Some(chain) => Some(chain.turn(index).await),
            None => Running::of(&self.means),
        }
    }

    /// Takes part `index` into account, of which all bytes ran through `running`.
    pub(super) fn end_part(&self, index: u32, running: Option<Running>) -> Option<PartDigest> {
        match &self.chain {
            Some(chain) => {
                chain.pass_on(index, running?);
                None
            }
            None => running.map(Running::finish),
        }
    }

    /// Compares an object of which every part was taken, before its parts are put together.
    pub(super) fn compare_parts(
        &self,
        what: &str,
        seals: &[PartSeal],
        digests: Vec<Option<PartDigest>>,
    ) -> Result<Verified> {
        match &self.means {
            Means::Crc64(stored) => {
                let combined = verify::combined(seals)
                    .ok_or_else(|| Error::Bug("a relayed part without a checksum".to_owned()))?;
                verify::equal_checksums(what, *stored, combined)?;
                Ok(Verified::Checksum(Checksum::crc64nvme(*stored)))
            }
            Means::Checksum(stored) => {
                let whole = match self.chained() {
                    Some(PartDigest::Checksum(whole)) => Some(whole),
                    Some(PartDigest::Md5(_)) => None,
                    None => checksums(digests).and_then(|values| combined(seals, &values)),
                };
                let whole = whole.ok_or_else(|| {
                    Error::Bug("a relayed part without the checksum of its source".to_owned())
                })?;
                verify::equal_to_stored(what, stored, &whole.full_object())
            }
            Means::Md5(stored) => match self.chained() {
                Some(PartDigest::Md5(actual)) => {
                    verify::equal_md5(what, *stored, actual)?;
                    Ok(Verified::ETag)
                }
                Some(PartDigest::Checksum(_)) | None => {
                    Err(Error::Bug("an MD5 of another kind".to_owned()))
                }
            },
            Means::Composite(stored) => {
                let made = checksums(digests).and_then(|values| ChecksumValue::composite(&values));
                Ok(match made {
                    Some(made) if made == *stored => Verified::Checksum(made),
                    // A guess at the parts that was wrong looks the same as wrong bytes.
                    Some(_) | None => Verified::SizeOnly,
                })
            }
            Means::MultipartETag(etag) => {
                let etags: Option<Vec<ETag>> = digests.into_iter().map(md5_as_etag).collect();
                let made = etags.and_then(|etags| verify::multipart_etag(etags.iter()));
                Ok(match made {
                    Some(made) if made == *etag => Verified::ETag,
                    Some(_) | None => Verified::SizeOnly,
                })
            }
            Means::Size => Ok(Verified::SizeOnly),
        }
    }

    fn chained(&self) -> Option<PartDigest> {
        let chain = self.chain.as_ref()?;
        Some(chain.running.lock().clone().finish())
    }
}

impl Chain {
    /// The digest of all parts before `index`, once they were taken.
    async fn turn(&self, index: u32) -> Running {
        let mut next = self.next.subscribe();
        let turn = next.wait_for(|next| *next == index).await;
        drop(turn.expect("the sender lives as long as this check"));
        self.running.lock().clone()
    }

    fn pass_on(&self, index: u32, running: Running) {
        *self.running.lock() = running;
        self.next.send_replace(index + 1);
    }
}

/// The checksums of all parts, if each has one.
fn checksums(digests: Vec<Option<PartDigest>>) -> Option<Vec<ChecksumValue>> {
    let value = |digest| match digest {
        Some(PartDigest::Checksum(value)) => Some(value),
        Some(PartDigest::Md5(_)) | None => None,
    };
    digests.into_iter().map(value).collect()
}

/// The checksum of the whole from those of its parts.
fn combined(seals: &[PartSeal], values: &[ChecksumValue]) -> Option<ChecksumValue> {
    let (first, rest) = values.split_first()?;
    let rest = rest.iter().zip(seals.get(1..)?);
    rest.into_iter()
        .try_fold(first.clone(), |whole, (value, seal)| {
            whole.then(value, seal.size.0)
        })
}

fn md5_as_etag(digest: Option<PartDigest>) -> Option<ETag> {
    match digest? {
        PartDigest::Md5(md5) => Some(ETag::from_header(&hex::encode(md5))),
        PartDigest::Checksum(_) => None,
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
