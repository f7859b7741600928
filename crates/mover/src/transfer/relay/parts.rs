//! A large object from store to store: ranged GETs into the parts of an upload.

use base::{ByteCount, Sealed};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use remote::Payload;
use remote::types::{ObjectHead, PutCondition};
use tokio::sync::watch;

use super::receive::{Received, receive};
use super::source_check::{PartDigest, SourceCheck};
use super::stream::{Piece, SourceStream};
use super::{Errand, both};
use crate::assembly::{Assembly, Step};
use crate::error::{Error, Result};
use crate::event::{SkipReason, Verified};
use crate::flow::STREAMED;
use crate::pin::{ObjectPin, SourcePin};
use crate::plan::Parts;
use crate::transfer::adopt::Origin;
use crate::transfer::fetch::{Fetch, Span};
use crate::transfer::multipart::{Completed, Upload, give_up};
use crate::transfer::put;
use crate::transfer::resume::{Begun, Wanted};
use crate::transfer::scope::{Arrived, Carried};
use crate::transfer::upload::abort;
use crate::verify::{self, Means, PartSeal};

/// A part that stands at the destination.
#[derive(Debug)]
struct Part {
    seal: PartSeal,
    /// Of the bytes that came, where what the source's store keeps is made of such.
    digest: Option<PartDigest>,
}

/// What all parts of one object share.
struct Passage<'a> {
    errand: Errand<'a>,
    head: &'a ObjectHead,
    parts: Parts,
    upload: &'a Upload<'a>,
    /// Parts that an earlier run sent, by index.
    done: &'a [Option<PartSeal>],
    check: &'a SourceCheck,
    /// Larger parts are streamed.
    held_max: ByteCount,
    /// The part that may take memory next. In order, so that a part that holds memory while it
    /// waits for the ones before it waits for none that is still without.
    next_to_acquire: &'a watch::Sender<u32>,
}

impl Errand<'_> {
    pub(super) async fn in_parts(
        self,
        head: ObjectHead,
        parts: Parts,
        condition: PutCondition,
    ) -> Result<Carried> {
        let (scope, task, to) = (self.scope, self.task, self.to);
        let held_max = self.held_max(parts)?;
        let mut baggage = scope.within_grace(self.baggage(&head)).await?;
        // A source that only digests of its parts say anything of is compared in just those.
        let is_free = task.options.part_size.is_none()
            && !matches!(
                verify::means(&head),
                Means::MultipartETag(_) | Means::Composite(_)
            );
        let part_size_max = is_free.then(|| scope.context.flow.held_max());
        let Begun {
            upload,
            parts,
            done,
        } = loop {
            let wanted = Wanted {
                object: to,
                attributes: baggage.attributes(),
                pin: SourcePin::Object(ObjectPin::of(&head)),
                parts,
                part_size_max,
                origin: Origin::Object(self.from, &head),
                options: &task.options,
            };
            let begun = Upload::create_or_resume(scope, wanted);
            match scope.within_grace(begun).await {
                Err(error) if baggage.lighten(&error)? => {}
                begun => break begun?,
            }
        };
        let check = SourceCheck::of(&head);
        let passage = Passage {
            errand: self,
            head: &head,
            parts,
            upload: &upload,
            done: &done,
            check: &check,
            held_max,
            next_to_acquire: &watch::Sender::new(0),
        };
        match passage.all(condition).await {
            Ok((
                Completed::Stands {
                    finished,
                    etag,
                    version_id,
                    verified,
                },
                known,
            )) => {
                let lost = scope.within_grace(baggage.arrived()).await?;
                Ok(Carried::Arrived(Arrived {
                    size: head.size,
                    source_etag: head.etag.clone(),
                    source_version: head.version_id.clone(),
                    source_pin: None,
                    destination_etag: etag,
                    destination_version: version_id,
                    verified: verify::weaker(verified, known),
                    tries: 1,
                    lost,
                    finished,
                }))
            }
            Ok((Completed::Kept, _)) => {
                abort(self.scope, upload).await;
                Ok(Carried::Kept(SkipReason::Exists))
            }
            Err(error) => {
                give_up(self.scope, upload, &error).await;
                Err(error)
            }
        }
    }
}

impl Passage<'_> {
    /// Carries all parts over and puts them together; says by what the source was compared.
    async fn all(&self, condition: PutCondition) -> Result<(Completed, Verified)> {
        let scope = self.errand.scope;
        let parts_max = self.errand.task.options.parts_max.get();
        let mut assembly = Assembly::new(self.parts.count(), parts_max);
        let mut running = FuturesUnordered::new();
        let stopping = &scope.context.stopping;
        let mut failure = Error::Cancelled;
        let grace_over = scope.grace_over();
        tokio::pin!(grace_over);
        loop {
            if stopping.is_cancelled() {
                assembly.stop();
            }
            match assembly.step() {
                Step::Begin(index) => {
                    running.push(async move { (index, self.part(index).await) });
                }
                Step::Wait => tokio::select! {
                    biased;
                    Some((index, result)) = running.next() => match result {
                        Ok(part) => assembly.arrived(index, part),
                        Err(error) => {
                            failure = error;
                            assembly.broke();
                        }
                    },
                    () = stopping.cancelled(), if !stopping.is_cancelled() => {}
                    () = &mut grace_over => return Err(Error::Cancelled),
                },
                Step::GiveUp => return Err(failure),
                Step::Finish => break,
            }
        }
        drop(running);
        let (seals, digests): (Vec<_>, Vec<_>) = assembly
            .into_parts()
            .into_iter()
            .map(|part| (part.seal, part.digest))
            .unzip();
        let what = self.errand.from.to_string();
        let known = self.check.compare_parts(&what, &seals, digests)?;
        let completed = self.upload.complete(&seals, condition);
        Ok((scope.within_grace(completed).await?, known))
    }

    async fn part(&self, index: u32) -> Result<Part> {
        let done = self.done.get(at(index)).and_then(Option::as_ref);
        if let Some(seal) = done.filter(|_| !self.check.reads_all_parts()) {
            self.turn(index).await;
            self.next_to_acquire.send_replace(index + 1);
            return Ok(Part {
                digest: seal.etag.as_md5().map(PartDigest::Md5),
                seal: seal.clone(),
            });
        }
        let Errand {
            scope, from, to, ..
        } = self.errand;
        let range = self.parts.range(index);
        if range.length > self.held_max {
            return self.streamed(index).await;
        }
        self.turn(index).await;
        let permit = scope.context.flow.acquire(both(range.length)).await;
        self.next_to_acquire.send_replace(index + 1);
        let fetch = Fetch::of_span(from.clone(), self.head, Span::of(range));
        let (received, _) = receive(scope, fetch, range.length).await?;
        let Received::All { bytes, .. } = received else {
            return Err(Error::Bug("a part is larger than itself".to_owned()));
        };
        let digest = self.check.take_part(index, &bytes).await;
        // It stands there; it was only read to be compared.
        if let Some(seal) = done {
            let seal = seal.clone();
            return Ok(Part { seal, digest });
        }
        let payload = Payload::Memory(Sealed::seal(bytes));
        let seal = put::send_part(scope.destination(), to, self.upload, index, payload).await?;
        drop(permit);
        scope.moved(range.length.0);
        Ok(Part { seal, digest })
    }

    /// A part that is read while it is sent.
    async fn streamed(&self, index: u32) -> Result<Part> {
        let Errand {
            scope, from, to, ..
        } = self.errand;
        let span = Span::of(self.parts.range(index));
        self.turn(index).await;
        let permit = scope.context.flow.acquire(both(STREAMED)).await;
        self.next_to_acquire.send_replace(index + 1);
        let stream = SourceStream::new(Piece {
            context: &scope.context,
            from,
            head: self.head,
            span,
            running: self.check.begin_part(index).await,
            whole: None,
            md5: !self.upload.created().takes_crc64nvme,
        });
        let seal = match self.done.get(at(index)).and_then(Option::as_ref) {
            // It stands there; it is only read to be compared.
            Some(seal) => {
                stream.pass().await?;
                seal.clone()
            }
            None => {
                let payload = stream.payload();
                let sent = put::send_part(scope.destination(), to, self.upload, index, payload);
                let seal = stream.settle(sent.await)?;
                scope.moved(span.length.0);
                seal
            }
        };
        drop(permit);
        let digest = self.check.end_part(index, stream.running());
        Ok(Part { seal, digest })
    }

    /// Waits until every part before `index` has what it needs.
    async fn turn(&self, index: u32) {
        let mut next = self.next_to_acquire.subscribe();
        let turn = next.wait_for(|next| *next == index).await;
        drop(turn.expect("the sender lives as long as the passage"));
    }
}

fn at(index: u32) -> usize {
    usize::try_from(index).expect("an index fits in an address")
}
