//! Beginning an upload, or going on with what an earlier run left of it.
//!
//! Invariants: unless the user said otherwise (see `adopt`), only an upload of the journal is gone
//! on with, and only as what it was begun for: one
//! pin, one part size, one set of attributes; when any of them changed it is aborted and begun anew.
//! A listed part is kept only if it matches its record in size and in checksum or, where the store
//! lists none, in the ETag that the store once answered; any other part is sent again. Crash: what
//! was completed and not yet forgotten is recognised by what stands there.

use std::collections::BTreeMap;
use std::hash::{Hash as _, Hasher as _};
use std::sync::Arc;

use base::fault::Classified as _;
use base::{ByteCount, Fault};
use jiff::SignedDuration;
use remote::types::{CreateMultipartUpload, ListMultipartUploads, ListedPart, ObjectAttributes};
use twox_hash::XxHash3_64;

use crate::error::Result;
use crate::journal::{Asked, UploadSlot, UploadState};
use crate::location::ObjectLocation;
use crate::options::TransferOptions;
use crate::pin::SourcePin;
use crate::plan::Parts;
use crate::transfer::adopt::{self, Adopted, Origin};
use crate::transfer::multipart::Upload;
use crate::transfer::scope::Scope;
use crate::verify::{self, PartSeal};

/// How far a store's clock may be behind ours when uploads are told apart by when they began.
/// A guess, not measured.
const CLOCKS_APART_MAX: SignedDuration = SignedDuration::from_secs(60);

/// What an upload is to be made of.
#[derive(Debug)]
pub(crate) struct Wanted<'a> {
    /// Where it goes.
    pub(crate) object: &'a ObjectLocation,
    /// What it is to carry.
    pub(crate) attributes: ObjectAttributes,
    /// What is read.
    pub(crate) pin: SourcePin,
    /// How that is cut.
    pub(crate) parts: Parts,
    /// Largest part size that would do as well as the plan's; none where the plan is the user's word
    /// or what the copy is compared by.
    pub(crate) part_size_max: Option<ByteCount>,
    /// Where its bytes can be read again.
    pub(crate) origin: Origin<'a>,
    /// What the user said.
    pub(crate) options: &'a TransferOptions,
}

/// An upload that can take parts.
#[derive(Debug)]
pub(crate) struct Begun<'a> {
    /// The upload.
    pub(crate) upload: Upload<'a>,
    /// How it is cut, which may be as an earlier run or somebody else cut it.
    pub(crate) parts: Parts,
    /// Parts that are there already, by index.
    pub(crate) done: Vec<Option<PartSeal>>,
}

impl Wanted<'_> {
    /// The plan's parts, or those of this size where they do as well.
    fn parts_of(&self, part_size: ByteCount) -> Parts {
        self.part_size_max
            .filter(|max| part_size <= *max)
            .and_then(|_| Parts::exactly(self.parts.size(), part_size))
            .unwrap_or(self.parts)
    }

    fn asked(&self, scope: &Scope) -> Asked {
        Asked {
            endpoint: scope.destination().endpoint(),
            bucket: self.object.bucket.clone(),
            key: self.object.key.clone(),
            pin: self.pin.clone(),
            part_size: self.parts.part_size(),
            attributes: fingerprint(&self.attributes),
            asked_at: scope.context.clock.now(),
        }
    }
}

impl<'a> Upload<'a> {
    /// Goes on with the journal's upload of exactly this, takes over one of somebody else where the
    /// user said so, or creates one.
    pub(crate) async fn create_or_resume(
        scope: &'a Scope,
        wanted: Wanted<'a>,
    ) -> Result<Begun<'a>> {
        let (client, object) = (scope.destination(), wanted.object);
        let asked = wanted.asked(scope);
        let mut slot = None;
        if let Some((claimed, found)) = claim(scope, &asked).await {
            if let Some(found) = found {
                let parts = wanted.parts_of(found.asked.part_size);
                let asked = Asked {
                    part_size: parts.part_size(),
                    ..asked.clone()
                };
                let earlier = Earlier {
                    scope,
                    object,
                    slot: &claimed,
                    found,
                };
                if let Some(begun) = earlier.go_on(&asked, &parts).await? {
                    return Ok(begun);
                }
            }
            slot = Some(claimed);
        }
        let (planned, max) = (&wanted.parts, wanted.part_size_max);
        let taken = adopt::adopt(scope, object, wanted.options, planned, max, wanted.origin);
        if let Some(adopted) = Box::pin(taken).await? {
            return Ok(taken_over(scope, object, asked, slot, adopted).await);
        }
        let fresh = |upload| Begun {
            upload,
            parts: wanted.parts,
            done: (0..wanted.parts.count()).map(|_| None).collect(),
        };
        let Some(slot) = slot else {
            let created = Upload::create(client, object, wanted.attributes).await;
            return created.map(fresh);
        };
        let slot = base::tasks::blocking(move || {
            slot.begin(&asked);
            slot
        })
        .await;
        let request = CreateMultipartUpload {
            bucket: object.bucket.clone(),
            key: object.key.clone(),
            attributes: wanted.attributes,
        };
        let created = match client.create_multipart_upload(request).await {
            Ok(created) => created,
            Err(error) => {
                // Only an answer that was lost may leave an upload.
                if error.fault() != Fault::Unavailable {
                    slot.remove();
                }
                return Err(error.into());
            }
        };
        let kept = created.clone();
        let slot = base::tasks::blocking(move || {
            slot.created(&kept);
            slot
        })
        .await;
        Ok(fresh(Upload::journalled(client, object, created, slot)))
    }
}

/// Keeps an upload that was taken over, from here on as if it were ours.
async fn taken_over<'a>(
    scope: &'a Scope,
    object: &'a ObjectLocation,
    asked: Asked,
    slot: Option<Arc<UploadSlot>>,
    adopted: Adopted,
) -> Begun<'a> {
    let Adopted {
        created,
        parts,
        done,
    } = adopted;
    let asked = Asked {
        part_size: parts.part_size(),
        ..asked
    };
    let (kept, seals) = (created.clone(), done.clone());
    let slot = base::tasks::blocking(move || {
        if let Some(slot) = &slot {
            slot.begin(&asked);
            slot.created(&kept);
            for (index, seal) in (0_u32..).zip(&seals) {
                if let Some(seal) = seal {
                    slot.part(index, seal);
                }
            }
        }
        slot
    })
    .await;
    Begun {
        upload: Upload::adopted(scope.destination(), object, created, slot),
        parts,
        done,
    }
}

/// The journal's place for an upload, and what an earlier run left there.
async fn claim(scope: &Scope, asked: &Asked) -> Option<(Arc<UploadSlot>, Option<UploadState>)> {
    let journal = Arc::clone(scope.context.journal.as_ref()?);
    let asked = asked.clone();
    let claim = base::tasks::blocking(move || journal.claim_upload(&asked)).await?;
    Some((Arc::new(claim.slot), claim.found))
}

/// An upload that an earlier run left.
struct Earlier<'a, 's> {
    scope: &'a Scope,
    object: &'a ObjectLocation,
    slot: &'s Arc<UploadSlot>,
    found: UploadState,
}

impl<'a> Earlier<'a, '_> {
    /// The upload with the parts that may be kept; `None` if it is to be begun anew.
    async fn go_on(self, asked: &Asked, parts: &Parts) -> Result<Option<Begun<'a>>> {
        let Some(created) = self.found.created.clone() else {
            self.look_for_unanswered().await;
            return Ok(None);
        };
        let (client, slot) = (self.scope.destination(), Arc::clone(self.slot));
        let upload = Upload::journalled(client, self.object, created, slot);
        if !asked.goes_on_with(&self.found.asked) {
            self.abort(upload).await;
            return Ok(None);
        }
        match upload.listed().await {
            Ok(listed) => {
                let done = kept(&self.found.parts, &listed, parts);
                let parts = *parts;
                Ok(Some(Begun {
                    upload,
                    parts,
                    done,
                }))
            }
            Err(error) if error.is_code("NoSuchUpload") || error.fault() == Fault::NotFound => {
                let whole: Option<Vec<PartSeal>> = (0..parts.count())
                    .map(|index| self.found.parts.get(&index).cloned())
                    .collect();
                let Some(whole) = whole else {
                    return Ok(None);
                };
                match upload.head().await {
                    Ok(head) if verify::is_our_upload(&whole, &head) => {
                        let done = whole.into_iter().map(Some).collect();
                        let parts = *parts;
                        Ok(Some(Begun {
                            upload,
                            parts,
                            done,
                        }))
                    }
                    Ok(_) | Err(_) => Ok(None),
                }
            }
            // Which parts are there cannot be known, so none may be kept.
            Err(error) if matches!(error.fault(), Fault::Denied | Fault::Unsupported) => {
                self.scope.warn(&format!(
                    "{} is sent anew: the parts of its unfinished upload cannot be listed: {error}",
                    self.object
                ));
                self.abort(upload).await;
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn abort(&self, upload: Upload<'_>) {
        if let Some(line) = upload.abort().await {
            self.scope.warn(&line);
        }
    }

    /// Says which upload may be the one whose answer was lost. Nobody can know that it is ours, so
    /// it is not touched.
    async fn look_for_unanswered(&self) {
        let asked = &self.found.asked;
        let request = ListMultipartUploads {
            bucket: self.object.bucket.clone(),
            prefix: self.object.key.as_str().to_owned(),
            after: None,
        };
        // Best effort: who may not list uploads may still upload.
        let Ok(page) = self
            .scope
            .destination()
            .list_multipart_uploads(request)
            .await
        else {
            return;
        };
        let since = asked.asked_at - CLOCKS_APART_MAX;
        for upload in page.uploads {
            let late = upload.initiated.is_some_and(|initiated| initiated >= since);
            if upload.key != self.object.key || !late {
                continue;
            }
            let (slot, id) = (Arc::clone(self.slot), upload.upload_id.clone());
            if !base::tasks::blocking(move || slot.is_journalled(&id)).await {
                self.scope.warn(&format!(
                    "upload {} of {} may be left from a run whose request was not answered: \
                     `longhaul uploads ls {}` shows it",
                    upload.upload_id, self.object, self.object
                ));
            }
        }
    }
}

/// The parts that may be kept, by index. Pure.
fn kept(
    found: &BTreeMap<u32, PartSeal>,
    listed: &[ListedPart],
    parts: &Parts,
) -> Vec<Option<PartSeal>> {
    let mut kept: Vec<Option<PartSeal>> = (0..parts.count()).map(|_| None).collect();
    for part in listed {
        let index = part.part_number.get() - 1;
        let slot = usize::try_from(index).ok().and_then(|at| kept.get_mut(at));
        let (Some(slot), Some(row)) = (slot, found.get(&index)) else {
            continue;
        };
        if part.size == row.size && row.size == parts.range(index).length && is_same(row, part) {
            *slot = Some(row.clone());
        }
    }
    kept
}

/// Whether a listed part is the one that was recorded: by checksum where both sides have it, else
/// by the ETag that the store gave it.
fn is_same(row: &PartSeal, listed: &ListedPart) -> bool {
    let stored = listed.checksum.as_ref();
    match (row.crc64, stored.and_then(base::Checksum::as_crc64nvme)) {
        (Some(ours), Some(stored)) => ours == stored,
        (None, _) | (_, None) => row.etag == listed.etag,
    }
}

/// A number for what an object is to carry.
fn fingerprint(attributes: &ObjectAttributes) -> u64 {
    let mut hasher = XxHash3_64::default();
    format!("{attributes:?}").hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests;
