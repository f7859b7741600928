//! Taking over an unfinished upload of somebody else, because the user said so.
//!
//! Invariants: only an upload of exactly this key that no job of this machine knows; of its parts
//! only those that lie where ours would and whose checksum, else MD5, is that of the source's bytes,
//! which are read again for it; at least one such part, or the upload is left alone. What it was
//! created with (metadata, content type, encryption, class) no store tells, which each one that is
//! taken over is said with. Retries: each request by the client, a body that breaks off under
//! `Context::retry`. Cancellation: dropping changes nothing at the store. Crash: what was taken over
//! is in the journal as if it were ours. Limits: parts that are compared at once by
//! `TransferOptions::parts_max`, their bytes by `Context::flow`.

use std::cmp::Reverse;
use std::fs::File;
use std::sync::Arc;

use base::checksum::Crc64Hasher;
use base::fault::Classified as _;
use base::{ByteCount, Checksum, ChecksumAlgorithm, Crc64Nvme, Fault, UploadId};
use bytes::Bytes;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use md5::{Digest as _, Md5};
use remote::types::{
    ByteRange, CreatedUpload, ListMultipartUploads, ListedPart, ObjectHead, PartPage, UploadSummary,
};

use crate::digest;
use crate::error::{Error, Result};
use crate::event::Verified;
use crate::flow::Need;
use crate::location::ObjectLocation;
use crate::options::{Adoption, TransferOptions};
use crate::plan::Parts;
use crate::transfer::download::BATCH;
use crate::transfer::fetch::{Fetch, Span};
use crate::transfer::multipart::list_parts;
use crate::transfer::scope::Scope;
use crate::verify::{Md5Value, PartSeal};

/// How many uploads of one key are looked at, newest first: each costs reading its parts' bytes.
/// A guess, not measured; more than two are rare.
const LOOKED_AT_MAX: usize = 4;

/// Where the bytes of a part are read again.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Origin<'a> {
    /// A file of this machine.
    File(&'a Arc<File>),
    /// An object, as this HEAD says that it is.
    Object(&'a ObjectLocation, &'a ObjectHead),
}

/// An upload that can go on as ours.
#[derive(Debug)]
pub(super) struct Adopted {
    pub(super) created: CreatedUpload,
    /// How it is cut.
    pub(super) parts: Parts,
    /// The parts that agree with the source, by index.
    pub(super) done: Vec<Option<PartSeal>>,
}

/// What the bytes of a part come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct BothDigests {
    crc64: Crc64Nvme,
    md5: Md5Value,
}

/// Both digests of bytes that pass once.
#[derive(Debug, Default)]
struct Digester {
    crc64: Crc64Hasher,
    md5: Md5,
}

/// Looks for an upload to `object` that can be taken over. `part_size_max` allows its own part size
/// up to that, where the user asked for none.
pub(super) async fn adopt(
    scope: &Scope,
    object: &ObjectLocation,
    options: &TransferOptions,
    planned: &Parts,
    part_size_max: Option<ByteCount>,
    origin: Origin<'_>,
) -> Result<Option<Adopted>> {
    let Some(adoption) = &options.adopt_uploads else {
        return Ok(None);
    };
    for upload in candidates(scope, object, adoption).await? {
        let id = &upload.upload_id;
        let page = match list_parts(scope.destination(), object, id).await {
            Ok(page) => page,
            Err(error) if is_no_answer(error.fault()) => {
                pass_over(
                    scope,
                    object,
                    id,
                    &format!("its parts cannot be listed: {error}"),
                );
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let (parts, takes_crc64nvme) = match fit(&page, planned, part_size_max) {
            Ok(fit) => fit,
            Err(why) => {
                pass_over(scope, object, id, &why);
                continue;
            }
        };
        let compared = compare(scope, options, &page, &parts, takes_crc64nvme, origin).await;
        let done = match compared {
            Ok(done) => done,
            Err(error) if error.fault() == Fault::Denied => {
                pass_over(
                    scope,
                    object,
                    id,
                    &format!("the source cannot be read to compare: {error}"),
                );
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let kept = done.iter().flatten().count();
        if kept == 0 {
            pass_over(scope, object, id, "none of its parts is the source's");
            continue;
        }
        scope.warn(&format!(
            "upload {id} of {object} is taken over with {kept} of its {} parts: metadata, content \
             type, encryption and storage class are what it was created with, which cannot be seen",
            page.parts.len()
        ));
        let created = CreatedUpload {
            upload_id: upload.upload_id,
            takes_crc64nvme,
        };
        return Ok(Some(Adopted {
            created,
            parts,
            done,
        }));
    }
    Ok(None)
}

/// Says why an upload is left alone.
fn pass_over(scope: &Scope, object: &ObjectLocation, id: &UploadId, why: &str) {
    scope.warn(&format!("upload {id} of {object} is not taken over: {why}"));
}

/// Uploads of exactly this key that no job of this machine knows, newest first.
async fn candidates(
    scope: &Scope,
    object: &ObjectLocation,
    adoption: &Adoption,
) -> Result<Vec<UploadSummary>> {
    let mut request = ListMultipartUploads {
        bucket: object.bucket.clone(),
        prefix: object.key.as_str().to_owned(),
        after: None,
    };
    let mut found = Vec::new();
    loop {
        let client = scope.destination();
        let page = match client.list_multipart_uploads(request.clone()).await {
            Ok(page) => page,
            Err(error) if is_no_answer(error.fault()) => {
                scope.warn(&format!(
                    "unfinished uploads of {object} cannot be looked for: {error}"
                ));
                return Ok(Vec::new());
            }
            Err(error) => return Err(error.into()),
        };
        let is_past = page
            .uploads
            .last()
            .is_some_and(|last| last.key > object.key);
        let same = |upload: &UploadSummary| upload.key == object.key;
        found.extend(page.uploads.into_iter().filter(same));
        // A store that goes round in circles must not keep us.
        if is_past || page.next_after.is_none() || page.next_after <= request.after {
            break;
        }
        request.after = page.next_after;
    }
    if let Some(jobs) = adoption.jobs.clone().filter(|_| !found.is_empty()) {
        found = base::tasks::blocking(move || {
            found.retain(|upload| !jobs.knows(&upload.upload_id));
            found
        })
        .await;
    }
    // Of one second, the one listed last began last.
    found.reverse();
    found.sort_by_key(|upload| Reverse(upload.initiated));
    found.truncate(LOOKED_AT_MAX);
    Ok(found)
}

/// Whether a store does not say, which is no reason to fail the object.
fn is_no_answer(fault: Fault) -> bool {
    matches!(fault, Fault::Denied | Fault::Unsupported | Fault::NotFound)
}

/// How an upload's parts are ours, and whether they carry our checksum; else why they cannot be. Pure.
fn fit(
    page: &PartPage,
    planned: &Parts,
    part_size_max: Option<ByteCount>,
) -> std::result::Result<(Parts, bool), String> {
    let largest = page.parts.iter().map(|part| part.size).max();
    let Some(largest) = largest else {
        return Err("it has no parts".to_owned());
    };
    let says_crc64nvme = |part: &ListedPart| {
        let checksum = part.checksum.as_ref();
        checksum.is_some_and(|checksum| checksum.as_crc64nvme().is_some())
    };
    let takes_crc64nvme = match page.checksum_algorithm.as_deref() {
        Some(name) if name == ChecksumAlgorithm::Crc64Nvme.as_str() => true,
        // Every part of such an upload has to carry a checksum that we do not compute.
        Some(name) => return Err(format!("it was created for {name} checksums")),
        None => page.parts.iter().any(says_crc64nvme),
    };
    let its_own = part_size_max
        .filter(|max| largest <= *max)
        .and_then(|_| Parts::exactly(planned.size(), largest));
    let fits = |parts: &Parts| {
        page.parts
            .iter()
            .any(|part| index_of(part, parts).is_some())
    };
    match [Some(*planned), its_own].into_iter().flatten().find(fits) {
        Some(parts) => Ok((parts, takes_crc64nvme)),
        None => Err(format!(
            "its parts are of {largest}, these would be of {}",
            planned.part_size()
        )),
    }
}

/// The place of a listed part among ours, if it lies where ours would.
fn index_of(part: &ListedPart, parts: &Parts) -> Option<u32> {
    let index = part.part_number.get() - 1;
    let is_there = index < parts.count() && parts.range(index).length == part.size;
    is_there.then_some(index)
}

/// Reads the source's bytes of every part that lies right, and keeps those that are the same.
async fn compare(
    scope: &Scope,
    options: &TransferOptions,
    page: &PartPage,
    parts: &Parts,
    takes_crc64nvme: bool,
    origin: Origin<'_>,
) -> Result<Vec<Option<PartSeal>>> {
    let mut done: Vec<Option<PartSeal>> = (0..parts.count()).map(|_| None).collect();
    let mut places = page
        .parts
        .iter()
        .filter_map(|part| Some((index_of(part, parts)?, part)))
        .collect::<Vec<_>>()
        .into_iter();
    let mut running = FuturesUnordered::new();
    loop {
        while running.len() < options.parts_max.get()
            && let Some((index, part)) = places.next()
        {
            running.push(async move {
                let digest = origin.digest(scope, parts.range(index)).await?;
                Ok::<_, Error>((index, seal(part, digest, takes_crc64nvme)))
            });
        }
        let Some(compared) = running.next().await else {
            break;
        };
        let (index, seal) = compared?;
        done[usize::try_from(index).expect("an index fits in an address")] = seal;
    }
    drop(running);
    Ok(done)
}

/// The listed part as one of ours, if it holds these bytes. Pure.
fn seal(part: &ListedPart, digest: BothDigests, takes_crc64nvme: bool) -> Option<PartSeal> {
    let listed = part.checksum.as_ref().and_then(Checksum::as_crc64nvme);
    let verified = match listed {
        Some(listed) if listed == digest.crc64 => {
            Verified::Checksum(Checksum::crc64nvme(digest.crc64))
        }
        Some(_) => return None,
        // An upload that keeps checksums is completed with those of all parts.
        None if takes_crc64nvme => return None,
        None if part.etag.as_md5() == Some(digest.md5) => Verified::ETag,
        None => return None,
    };
    Some(PartSeal {
        size: part.size,
        crc64: Some(digest.crc64),
        etag: part.etag.clone(),
        verified: Some(verified),
        suspect: false,
    })
}

impl Origin<'_> {
    /// Reads a range and says what its bytes come to.
    async fn digest(self, scope: &Scope, range: ByteRange) -> Result<BothDigests> {
        match self {
            Origin::File(file) => {
                let need = Need {
                    bytes: ByteCount(digest::READ_BYTES as u64),
                    ..Need::default()
                };
                let _permit = scope.context.flow.acquire(need).await;
                let file = Arc::clone(file);
                base::tasks::blocking(move || {
                    let mut digester = Digester::default();
                    let take = |bytes: &[u8]| digester.update(bytes);
                    digest::read(&file, range.offset, range.length, take)?;
                    Ok(digester.finish())
                })
                .await
            }
            Origin::Object(object, head) => {
                let need = Need::from_source(BATCH + BATCH);
                let _permit = scope.context.flow.acquire(need).await;
                let fetch = Fetch::of_span(object.clone(), head, Span::of(range));
                let state = tokio::sync::Mutex::new((fetch, Digester::default()));
                let context = &scope.context;
                base::flow::retry(&context.retry, &context.clock, |_| {
                    let state = &state;
                    async move {
                        let mut state = state.lock().await;
                        let (fetch, digester) = &mut *state;
                        read_object(scope, fetch, digester).await
                    }
                })
                .await?;
                let (_, digester) = state.into_inner();
                Ok(digester.finish())
            }
        }
    }
}

/// One try: from where the last one broke to the end of the range.
async fn read_object(scope: &Scope, fetch: &mut Fetch, digester: &mut Digester) -> Result<()> {
    let mut body = fetch.ask(scope.source()).await?;
    let mut ended = false;
    while !ended {
        let gathered = body.gather(BATCH).await;
        ended = gathered.ended;
        let (frames, taken) = (gathered.frames, std::mem::take(digester));
        *digester = base::tasks::blocking(move || taken.with(&frames)).await;
        fetch.took(gathered.bytes);
        if let Some(error) = gathered.error {
            return Err(error);
        }
    }
    body.drain().await?;
    fetch.is_whole()
}

impl Digester {
    fn update(&mut self, bytes: &[u8]) {
        self.crc64.update(bytes);
        self.md5.update(bytes);
    }

    fn with(mut self, frames: &[Bytes]) -> Digester {
        frames.iter().for_each(|frame| self.update(frame));
        self
    }

    fn finish(self) -> BothDigests {
        BothDigests {
            crc64: self.crc64.finish(),
            md5: self.md5.finalize().into(),
        }
    }
}

#[cfg(test)]
mod tests;
