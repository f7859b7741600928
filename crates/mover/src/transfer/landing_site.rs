//! Where the ranges of one object land, which a later run finds again.
//!
//! Invariants: the journal knows the temporary file before it is there, and a part after the kernel
//! has its bytes; a part of an earlier run counts only once its bytes were read back and have the
//! checksum that they passed with, and only while object, part size and target are the same.
//! Cancellation: dropping leaves what the journal knows and removes what it does not. Crash: parts
//! that were under way come again, others are kept; after a power cut as many as reached the disk.

use std::collections::BTreeMap;
use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use base::{ByteCount, Crc64Nvme};
use remote::types::{ByteRange, ObjectHead};

use crate::digest;
use crate::error::{Error, Result};
use crate::file_name::Place;
use crate::flow::{Flow, Need};
use crate::journal::{BegunDownload, DownloadSlot, DownloadState, LandedPart};
use crate::landing::{Folders, Landing, LandingHandle, Placed, TemporaryName, remove_temporary};
use crate::pin::{ObjectPin, SourcePin};
use crate::plan::Parts;
use crate::transfer::download::Errand;
use crate::transfer::multipart::may_go_on;

/// A temporary file, and what the journal says of it.
#[derive(Debug)]
pub(super) struct LandingSite {
    landing: Landing,
    slot: Option<Arc<DownloadSlot>>,
    /// What an earlier run says to have written, by index.
    found: BTreeMap<u32, LandedPart>,
    /// Whether there is a part that would be missed.
    is_worth_keeping: AtomicBool,
}

impl LandingSite {
    /// Goes on with the journal's download of exactly this, or begins one.
    pub(super) async fn open(
        errand: Errand<'_>,
        head: &ObjectHead,
        parts: Parts,
    ) -> Result<LandingSite> {
        let context = &errand.scope.context;
        let number = context.clock.random_u64();
        let claimed = begun(errand, head, parts, number)
            .and_then(|begun| Some((Arc::clone(context.journal.as_ref()?), begun)));
        let (folders, place) = (Arc::clone(&errand.scope.folders), errand.place.clone());
        base::tasks::blocking(move || {
            let claim = claimed.and_then(|(journal, begun)| {
                let claim = journal.claim_download(&begun)?;
                Some((claim.slot, claim.found, begun))
            });
            match claim {
                None => {
                    let landing = Landing::create(&folders, &place, number)?;
                    landing.reserve(parts.size())?;
                    Ok(LandingSite {
                        landing,
                        slot: None,
                        found: BTreeMap::new(),
                        is_worth_keeping: AtomicBool::new(false),
                    })
                }
                Some((slot, found, begun)) => journalled(&folders, &place, slot, found, &begun),
            }
        })
        .await
    }

    /// The checksum of a part that an earlier run wrote, if its bytes are still there.
    pub(super) async fn kept(
        &self,
        flow: &Flow,
        index: u32,
        range: ByteRange,
    ) -> Option<Crc64Nvme> {
        let found = self.found.get(&index).copied();
        let found = found.filter(|found| found.size == range.length)?;
        // Memory alone: no store is asked.
        let _permit = flow
            .acquire(Need {
                bytes: ByteCount(digest::READ_BYTES as u64),
                source: false,
                destination: false,
            })
            .await;
        let file = self.handle();
        let read = base::tasks::blocking(move || file.crc64(range)).await;
        let crc64 = read.ok().filter(|crc64| *crc64 == found.crc64)?;
        self.is_worth_keeping.store(true, Ordering::Relaxed);
        Some(crc64)
    }

    /// Keeps a part of which the kernel has every byte.
    pub(super) fn landed(&self, index: u32, part: LandedPart) {
        if let Some(slot) = &self.slot {
            slot.part(index, part);
            self.is_worth_keeping.store(true, Ordering::Relaxed);
        }
    }

    /// The open file, for a thread that writes to it.
    pub(super) fn handle(&self) -> LandingHandle {
        self.landing.handle()
    }

    /// The open file.
    pub(super) fn file(&self) -> &File {
        self.landing.file()
    }

    /// Renames the file to its name; with `keep` only if nothing is there. Blocks.
    pub(super) fn place(&mut self, fsync: bool, keep: bool) -> Result<Placed> {
        let placed = self.landing.place(fsync, keep)?;
        if placed == Placed::Placed
            && let Some(slot) = &self.slot
        {
            slot.remove();
        }
        Ok(placed)
    }

    /// Ends a download that `error` broke: what can go on later is left to the journal.
    pub(super) async fn give_up(self, error: &Error) {
        if may_go_on(error) && self.is_worth_keeping.load(Ordering::Relaxed) {
            return;
        }
        self.discard().await;
    }

    /// Removes the temporary file, and then its record.
    pub(super) async fn discard(self) {
        let LandingSite { landing, slot, .. } = self;
        base::tasks::blocking(move || {
            landing.discard();
            if let Some(slot) = slot {
                slot.remove();
            }
        })
        .await;
    }
}

/// What the journal is to know; `None` for a path that is no text, which records do not hold.
fn begun(
    errand: Errand<'_>,
    head: &ObjectHead,
    parts: Parts,
    number: u64,
) -> Option<BegunDownload> {
    let target = std::path::absolute(&errand.place.path).ok()?;
    Some(BegunDownload {
        endpoint: errand.scope.source().endpoint(),
        bucket: errand.object.bucket.clone(),
        key: errand.object.key.clone(),
        pin: SourcePin::Object(ObjectPin::of(head)),
        part_size: parts.part_size(),
        target: target.to_str()?.to_owned(),
        temporary: TemporaryName::new(number),
        began_at: errand.scope.context.clock.now(),
    })
}

/// Opens what an earlier run left, or begins as the journal was told. Blocks.
fn journalled(
    folders: &Folders,
    place: &Place,
    slot: DownloadSlot,
    found: Option<DownloadState>,
    begun: &BegunDownload,
) -> Result<LandingSite> {
    let size = match &begun.pin {
        SourcePin::Object(pin) => pin.size,
        SourcePin::File(pin) => pin.size(),
    };
    if let Some(found) = found {
        if begun.goes_on_with(&found.begun)
            && let Some(landing) = Landing::reopen(folders, place, found.begun.temporary, size)?
        {
            return reserved(landing, slot, found.parts, size);
        }
        let old = found.begun.temporary_path();
        remove_temporary(&old).map_err(Error::local("remove", &old))?;
        slot.begin(begun);
    }
    match Landing::create(folders, place, begun.temporary.number()) {
        Ok(landing) => reserved(landing, slot, BTreeMap::new(), size),
        Err(error) => {
            slot.remove();
            Err(error)
        }
    }
}

/// Takes the disk space; without it there is nothing to keep that was not there before.
fn reserved(
    mut landing: Landing,
    slot: DownloadSlot,
    found: BTreeMap<u32, LandedPart>,
    size: ByteCount,
) -> Result<LandingSite> {
    if let Err(error) = landing.reserve(size) {
        if found.is_empty() {
            landing.discard();
            slot.remove();
        } else {
            landing.keep();
        }
        return Err(error);
    }
    landing.keep();
    Ok(LandingSite {
        landing,
        slot: Some(Arc::new(slot)),
        found,
        is_worth_keeping: AtomicBool::new(false),
    })
}

#[cfg(test)]
mod tests;
