//! An object into a file.
//!
//! Overview: a small object comes in one GET, and its answer alone says what it is; a large one is
//! asked about by HEAD first and then comes in ranges. Either lands under a temporary name, is
//! checked, and is renamed. Invariants: all bytes of a file are of one version of the object: each
//! answer is compared with the first one, whatever the store makes of If-Match. Retries: a body
//! that breaks off is asked for again from where it broke, under `Context::retry`; an object that
//! changed or arrived wrong is begun anew a few times. Cancellation: dropping leaves no file, but that
//! of ranges which the journal knows. Crash: ranges that landed are kept (see `landing_site`). Limits:
//! parts of one object by `TransferOptions::parts_max`, bytes and requests by `Context::flow`.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use base::checksum::Crc64Hasher;
use base::fault::Classified as _;
use base::{ByteCount, Checksum, Crc64Nvme, Fault};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use remote::types::{ByteRange, HeadObject, ObjectHead};

use crate::assembly::{Assembly, Restart, Step, restart};
use crate::digest;
use crate::engine::Move;
use crate::error::{Error, Result};
use crate::event::{SkipReason, Verified};
use crate::file_name::{self, Place};
use crate::flow::Need;
use crate::journal::LandedPart;
use crate::landing::Placed;
use crate::location::ObjectLocation;
use crate::plan::{self, Parts, Plan};
use crate::transfer::fetch::{Fetch, Span};
use crate::transfer::landing_site::LandingSite;
use crate::transfer::scope::{Arrived, Carried, Scope};
use crate::transfer::small;
use crate::transfer::upload::BRIEF_BYTES_MAX;
use crate::verify::{self, Means};

/// Bytes that one stream gathers before they are written in one go.
/// Reason: a hop to a blocking thread costs some 10 µs, a mebibyte some 200 µs to write.
pub(crate) const BATCH: ByteCount = ByteCount(base::units::MIB);

/// What a connection may have read beyond what was gathered: hyper grows its read buffer to some
/// 400 KiB where bytes come fast.
const READ_AHEAD: ByteCount = ByteCount(512 * base::units::KIB);

/// The least that a stream takes of the memory budget: objects grow between listing and GET.
const BATCH_MIN: ByteCount = ByteCount(64 * base::units::KIB);

/// One object on its way to a file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Errand<'a> {
    pub(crate) scope: &'a Scope,
    pub(crate) task: &'a Move,
    pub(crate) object: &'a ObjectLocation,
    pub(crate) place: &'a Place,
    /// Keep what has appeared there meanwhile.
    pub(crate) keep: bool,
}

/// Downloads `object` to `path`.
pub(crate) async fn download(
    scope: &Scope,
    task: &Move,
    object: &ObjectLocation,
    path: &Path,
    keep: bool,
) -> Result<Carried> {
    let place = file_name::place(task.source.relative(), path)?;
    let errand = Errand {
        scope,
        task,
        object,
        place: &place,
        keep,
    };
    scope.within_grace(errand.run()).await
}

impl Errand<'_> {
    async fn run(self) -> Result<Carried> {
        let mut starts = 1;
        loop {
            let plan = plan::download(self.task.source.size, self.task.options.part_size);
            let result = match plan {
                Plan::Whole => self.whole(self.task.source.size).await,
                Plan::Parts(_) => self.in_ranges().await,
            };
            let error = match result {
                Ok(Carried::Arrived(mut arrived)) => {
                    arrived.tries += starts - 1;
                    return Ok(Carried::Arrived(arrived));
                }
                Ok(kept) => return Ok(kept),
                Err(error) => error,
            };
            match restart(&error, starts) {
                Restart::Anew => starts += 1,
                Restart::No => return Err(error),
            }
        }
    }

    /// One GET for all of it, streamed to the file.
    async fn whole(self, listed: ByteCount) -> Result<Carried> {
        let batch = listed.clamp(BATCH_MIN, BATCH);
        let flow = &self.scope.context.flow;
        let mut permit = flow.acquire(Need::from_source(batch)).await;
        let mut receipt = small::receive(self, batch).await?;
        permit.answered();
        let tries = receipt.tries;
        let head = receipt.take_head();
        let (size, fsync, keep) = (head.size, self.task.options.fsync, self.keep);
        let what = self.object.to_string();
        let scope = self.scope;
        let random = scope.context.clock.random_u64();
        let (folders, place) = (Arc::clone(&scope.folders), self.place.clone());
        let brief = receipt.is_at_hand() && size <= BRIEF_BYTES_MAX && !fsync;
        let work = move || receipt.place(&what, &folders, &place, random, fsync, keep);
        let (placed, verified) = if brief {
            base::tasks::brief(work).await?
        } else {
            base::tasks::blocking(work).await?
        };
        Ok(carried(placed, &head, size, verified, tries))
    }

    /// HEAD, then ranges side by side.
    async fn in_ranges(self) -> Result<Carried> {
        let mut request = HeadObject::new(self.object.bucket.clone(), self.object.key.clone());
        request.version_id = self.object.version_id.clone();
        request.checksum_mode = true;
        let head = self.scope.source().head_object(request).await?;
        let Plan::Parts(parts) = plan::download(head.size, self.task.options.part_size) else {
            // It has shrunk since it was listed.
            return self.whole(head.size).await;
        };
        let site = LandingSite::open(self, &head, parts).await?;
        let tries = AtomicU32::new(1);
        let checksums = match self.fetch_all(&head, parts, &site, &tries).await {
            Ok(checksums) => checksums,
            Err(error) => {
                site.give_up(&error).await;
                return Err(error);
            }
        };
        let whole = (0_u32..)
            .zip(checksums)
            .fold(Crc64Nvme::EMPTY, |so_far, (index, crc64)| {
                so_far.then(crc64, parts.range(index).length.0)
            });
        let (what, means) = (self.object.to_string(), verify::means(&head));
        let (fsync, keep) = (self.task.options.fsync, self.keep);
        let (site, placed) = base::tasks::blocking(move || {
            let mut site = site;
            let verified = check_file(&what, &means, whole, site.file(), parts.size());
            let placed = verified.and_then(|verified| Ok((site.place(fsync, keep)?, verified)));
            (site, placed)
        })
        .await;
        let (placed, verified) = match placed {
            Ok(placed) => placed,
            Err(error) => {
                site.give_up(&error).await;
                return Err(error);
            }
        };
        if placed == Placed::Kept {
            site.discard().await;
        }
        let tries = tries.load(Ordering::Relaxed);
        Ok(carried(placed, &head, head.size, verified, tries))
    }

    async fn fetch_all(
        self,
        head: &ObjectHead,
        parts: Parts,
        site: &LandingSite,
        tries: &AtomicU32,
    ) -> Result<Vec<Crc64Nvme>> {
        let mut assembly = Assembly::new(parts.count(), self.task.options.parts_max.get());
        let mut running = FuturesUnordered::new();
        let stopping = &self.scope.context.stopping;
        let mut failure = Error::Cancelled;
        loop {
            if stopping.is_cancelled() {
                assembly.stop();
            }
            match assembly.step() {
                Step::Begin(index) => {
                    let range = parts.range(index);
                    running.push(async move {
                        (index, self.one_range(head, index, range, site, tries).await)
                    });
                }
                Step::Wait => tokio::select! {
                    biased;
                    Some((index, result)) = running.next() => match result {
                        Ok(crc64) => assembly.arrived(index, crc64),
                        Err(error) => {
                            failure = error;
                            assembly.broke();
                        }
                    },
                    () = stopping.cancelled(), if !stopping.is_cancelled() => {}
                },
                Step::GiveUp => return Err(failure),
                Step::Finish => return Ok(assembly.into_parts()),
            }
        }
    }

    /// A range that an earlier run has written, or one that is fetched.
    async fn one_range(
        self,
        head: &ObjectHead,
        index: u32,
        range: ByteRange,
        site: &LandingSite,
        tries: &AtomicU32,
    ) -> Result<Crc64Nvme> {
        let flow = &self.scope.context.flow;
        if let Some(crc64) = site.kept(flow, index, range).await {
            return Ok(crc64);
        }
        let span = Span::of(range);
        let crc64 = self.fetch_range(head, span, site, tries).await?;
        let size = range.length;
        site.landed(index, LandedPart { size, crc64 });
        Ok(crc64)
    }

    async fn fetch_range(
        self,
        head: &ObjectHead,
        span: Span,
        site: &LandingSite,
        tries: &AtomicU32,
    ) -> Result<Crc64Nvme> {
        let batch = span.length.clamp(BATCH_MIN, BATCH);
        let flow = &self.scope.context.flow;
        let need = Need::from_source(batch + READ_AHEAD);
        let _permit = flow.acquire(need).await;
        let state = tokio::sync::Mutex::new(RangeState {
            fetch: Fetch::of_span(self.object.clone(), head, span),
            hasher: Crc64Hasher::new(),
        });
        let context = &self.scope.context;
        base::flow::retry(&context.retry, &context.clock, |tried| {
            let state = &state;
            tries.fetch_max(tried, Ordering::Relaxed);
            async move {
                let mut state = state.lock().await;
                self.stream_range(&mut state, site, batch).await
            }
        })
        .await?;
        Ok(state.into_inner().hasher.finish())
    }

    /// One try: from where the last one broke to the end of the range.
    async fn stream_range(
        self,
        state: &mut RangeState,
        site: &LandingSite,
        batch: ByteCount,
    ) -> Result<()> {
        let mut body = state.fetch.ask(self.scope.source()).await?;
        let mut ended = false;
        while !ended {
            let offset = state.fetch.position();
            let gathered = body.gather(batch).await;
            ended = gathered.ended;
            if !gathered.frames.is_empty() {
                let file = site.handle();
                let mut hasher = std::mem::take(&mut state.hasher);
                let frames = gathered.frames;
                let (frames_result, hasher) = base::tasks::blocking(move || {
                    for frame in &frames {
                        hasher.update(frame);
                    }
                    (file.write(offset, &frames), hasher)
                })
                .await;
                state.hasher = hasher;
                frames_result?;
                state.fetch.took(gathered.bytes);
                self.scope.moved(gathered.bytes);
            }
            if let Some(error) = gathered.error {
                return Err(error);
            }
        }
        body.drain().await?;
        state.fetch.is_whole()
    }
}

/// What a range keeps from one try to the next.
#[derive(Debug)]
struct RangeState {
    fetch: Fetch,
    hasher: Crc64Hasher,
}

fn carried(
    placed: Placed,
    head: &ObjectHead,
    size: ByteCount,
    verified: Verified,
    tries: u32,
) -> Carried {
    match placed {
        Placed::Kept => Carried::Kept(SkipReason::Exists),
        Placed::Placed => Carried::Arrived(Arrived {
            size,
            source_etag: head.etag.clone(),
            source_version: head.version_id.clone(),
            source_pin: None,
            destination_etag: None,
            destination_version: None,
            verified,
            tries,
            lost: Vec::new(),
            finished: None,
        }),
    }
}

/// Checks a file that came in ranges, of which `whole` is the checksum as the bytes passed.
fn check_file(
    what: &str,
    means: &Means,
    whole: Crc64Nvme,
    file: &File,
    size: ByteCount,
) -> Result<Verified> {
    match means {
        Means::Crc64(stored) => {
            verify::equal_checksums(what, *stored, whole)?;
            Ok(Verified::Checksum(Checksum::crc64nvme(whole)))
        }
        Means::Checksum(stored) => {
            let actual = digest::checksum_of_file(stored.algorithm, file, 0, size)?;
            verify::equal_to_stored(what, stored, &actual.full_object())
        }
        Means::Composite(stored) => Ok(if digest::has_composite(file, size, stored)? {
            Verified::Checksum(stored.clone())
        } else {
            Verified::SizeOnly
        }),
        Means::Md5(stored) => {
            verify::equal_md5(what, *stored, digest::md5_of_file(file, 0, size)?)?;
            Ok(Verified::ETag)
        }
        Means::MultipartETag(etag) => Ok(if digest::has_multipart_etag(file, size, etag)? {
            Verified::ETag
        } else {
            Verified::SizeOnly
        }),
        Means::Size => Ok(Verified::SizeOnly),
    }
}

/// A 412 or 416 in the middle says that the object is no longer what it was.
pub(crate) fn changed_or(object: &ObjectLocation, error: remote::Error) -> Error {
    let gone_back = matches!(error.status(), Some(412 | 416));
    if gone_back || error.fault() == Fault::Conflict {
        Error::Changed(object.to_string())
    } else {
        Error::Remote(error)
    }
}
