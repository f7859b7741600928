//! An object into another one of the same store; no byte passes here.
//!
//! Overview: up to 5 GiB in one CopyObject, beyond that in parts that the store copies side by
//! side. Invariants: the copy is of the version that was pinned (by the listing's ETag, or by a
//! HEAD where more must be known). Metadata is the source's, with the fields replaced that the
//! user named; s5cmd replaces all of it. Tags of what is copied in parts are read and sent along.
//! Limits: parts of one object by `TransferOptions::parts_max`.

use base::checksum::ChecksumType;
use base::fault::Classified as _;
use base::{ByteCount, Fault};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use remote::ObjectClient;
use remote::types::{
    CopyConditions, CopyObject, CopyObjectOutput, CopySource, HeadObject, MetadataDirective,
    ObjectAttributes, ObjectHead, PutCondition, StorageClass, TaggingDirective, UploadPartCopy,
};

use crate::assembly::{Assembly, Step};
use crate::engine::Move;
use crate::error::{Error, Result};
use crate::event::{SkipReason, Verb, Verified};
use crate::fidelity::replaces_metadata;
use crate::flow::{FlowPermit, Need};
use crate::location::ObjectLocation;
use crate::pin::{ObjectPin, SourcePin};
use crate::plan::{self, Parts, Plan};
use crate::route::Route;
use crate::transfer::adopt::Origin;
use crate::transfer::baggage::Baggage;
use crate::transfer::multipart::{Completed, Upload, give_up};
use crate::transfer::resume::{Begun, Wanted};
use crate::transfer::scope::{Arrived, Carried, Scope};
use crate::transfer::upload::abort;
use crate::verify::{self, PartSeal};

/// One object on its way inside a store.
#[derive(Debug, Clone, Copy)]
struct Errand<'a> {
    scope: &'a Scope,
    task: &'a Move,
    from: &'a ObjectLocation,
    to: &'a ObjectLocation,
}

/// Copies `from` to `to`, both in the destination's store.
pub(crate) async fn copy(
    scope: &Scope,
    task: &Move,
    from: &ObjectLocation,
    to: &ObjectLocation,
    condition: PutCondition,
) -> Result<Carried> {
    let errand = Errand {
        scope,
        task,
        from,
        to,
    };
    let plan = plan::copy(task.source.size).map_err(|error| Error::Refused(error.to_string()))?;
    match plan {
        Plan::Whole if !errand.needs_the_source_s_parts() => {
            scope.within_grace(errand.whole()).await
        }
        Plan::Whole | Plan::Parts(_) => errand.in_parts(condition).await,
    }
}

impl<'a> Errand<'a> {
    async fn whole(self) -> Result<Carried> {
        let options = &self.task.options;
        let asks = self.merges()
            || options.preserve_lock
            || (options.keeps_placement && !self.is_placement_known());
        let mut head = match (asks, &self.task.source.etag) {
            (false, Some(_)) => None,
            _ => Some(self.head_of_source().await?),
        };
        let mut anew = false;
        let (output, baggage) = loop {
            match self.try_whole(head.as_ref()).await {
                Ok(done) => break done,
                // It changed since it was listed: copy what it is now.
                Err(Error::Remote(error)) if is_changed(&error) && !anew => {
                    anew = true;
                    head = Some(self.head_of_source().await?);
                }
                Err(Error::Remote(error)) if is_changed(&error) => {
                    return Err(Error::Changed(self.from.to_string()));
                }
                Err(error) => return Err(error),
            }
        };
        let lost = baggage.arrived().await?;
        let etag = match &head {
            Some(head) => head.etag.clone(),
            None => self.task.source.etag.clone(),
        };
        let size = head
            .as_ref()
            .map_or(self.task.source.size, |head| head.size);
        let verified = match (&etag, &output.etag) {
            (Some(source), Some(copy)) if source == copy => Verified::ServerSide,
            _ => self.compare_heads(head).await?,
        };
        Ok(Carried::Arrived(Arrived {
            size,
            source_etag: etag,
            source_version: self.from.version_id.clone(),
            source_pin: None,
            destination_etag: output.etag,
            destination_version: output.version_id,
            verified,
            tries: 1,
            lost,
            finished: None,
        }))
    }

    /// Whether the storage class and encryption that the copy is to have are known without asking
    /// for the source: named by the user, or the class by the listing. No listing and no answer to
    /// a copy tells a source's encryption (decision 0004).
    fn is_placement_known(self) -> bool {
        let given = &self.task.options.attributes;
        let class = given.storage_class.is_some() || self.task.source.storage_class.is_some();
        let encryption = &given.encryption;
        class && (encryption.algorithm.is_some() || encryption.kms_key_id.is_some())
    }

    /// What the listing says of the source.
    fn listed(self) -> ObjectHead {
        let class = self.task.source.storage_class.clone();
        ObjectHead {
            attributes: ObjectAttributes {
                // Heads say nothing of S3's default.
                storage_class: class.filter(|class| *class != StorageClass::STANDARD),
                ..ObjectAttributes::default()
            },
            ..ObjectHead::default()
        }
    }

    /// A slot for one request that makes the store copy bytes; none of them pass here.
    async fn slot(self) -> FlowPermit {
        let need = Need::to_destination(ByteCount::ZERO);
        self.scope.context.flow.acquire(need).await
    }

    /// A move may delete only what was compared. The ETag of an object that was uploaded in parts
    /// compares only with that of a copy in the same parts, where there is no checksum.
    fn needs_the_source_s_parts(self) -> bool {
        let etag = self.task.source.etag.as_ref();
        self.task.verb == Verb::Move && etag.is_some_and(|etag| etag.part_count().is_some())
    }

    /// How an object of this head is copied: in one request, or in parts, which are the source's
    /// own where nothing but its ETag could be compared.
    fn plan(self, head: &ObjectHead) -> Result<Plan> {
        let plan = plan::copy(head.size).map_err(|error| Error::Refused(error.to_string()))?;
        if plan == Plan::Whole && !self.needs_the_source_s_parts() || has_full_checksum(head) {
            return Ok(plan);
        }
        let etag = head.etag.as_ref();
        let usable = etag.and_then(|etag| plan::usable_layout(etag, head.size));
        Ok(usable.map_or(plan, Plan::Parts))
    }

    /// Whether the copy's metadata is the source's with some of it replaced.
    fn merges(self) -> bool {
        let attributes = &self.task.options.attributes;
        self.task.options.metadata_directive.is_none() && replaces_metadata(attributes)
    }

    /// Asks the store to copy, with less to carry each time it refuses some of that.
    async fn try_whole(self, head: Option<&ObjectHead>) -> Result<(CopyObjectOutput, Baggage<'a>)> {
        let listed = self.listed();
        let known = head.unwrap_or(&listed);
        let mut baggage = self.baggage(known, false).await?;
        let permit = self.slot().await;
        loop {
            let mut request = self.request(baggage.attributes());
            let etag = head.map_or(&self.task.source.etag, |head| &head.etag);
            request.conditions.if_match.clone_from(etag);
            match self.scope.destination().copy_object(request).await {
                Ok(output) => {
                    drop(permit);
                    return Ok((output, baggage));
                }
                // Denied, it may go by relay with all that it carries.
                Err(error) if error.fault() == Fault::Denied => return Err(error.into()),
                Err(error) => {
                    let error = Error::Remote(error);
                    if !baggage.lighten(&error)? {
                        return Err(error);
                    }
                }
            }
        }
    }

    /// What the copy is to carry.
    async fn baggage(self, head: &ObjectHead, with_tags: bool) -> Result<Baggage<'a>> {
        let ends = (self.from, self.to);
        let route = Route::ServerSide;
        Baggage::of(self.scope, self.task, ends, head, route, with_tags).await
    }

    fn request(self, attributes: ObjectAttributes) -> CopyObject {
        let metadata_directive = match self.task.options.metadata_directive {
            Some(directive) => directive,
            None if self.merges() => MetadataDirective::Replace,
            None => MetadataDirective::Copy,
        };
        CopyObject {
            bucket: self.to.bucket.clone(),
            key: self.to.key.clone(),
            source: self.copy_source(),
            metadata_directive,
            tagging_directive: if attributes.tagging.is_some() {
                TaggingDirective::Replace
            } else {
                TaggingDirective::Copy
            },
            attributes,
            conditions: CopyConditions::default(),
        }
    }

    fn copy_source(self) -> CopySource {
        CopySource {
            bucket: self.from.bucket.clone(),
            key: self.from.key.clone(),
            version_id: self.from.version_id.clone(),
        }
    }

    /// What the source is, asked with the credentials that may read it.
    async fn head_of_source(self) -> Result<ObjectHead> {
        self.head_of(self.scope.source(), self.from).await
    }

    async fn head_of_copy(self) -> Result<ObjectHead> {
        self.head_of(self.scope.destination(), self.to).await
    }

    async fn head_of(
        self,
        client: &dyn ObjectClient,
        object: &ObjectLocation,
    ) -> Result<ObjectHead> {
        let mut request = HeadObject::new(object.bucket.clone(), object.key.clone());
        request.version_id = object.version_id.clone();
        request.checksum_mode = true;
        Ok(client.head_object(request).await?)
    }

    /// Asks both sides what they hold, where the copy's answer alone did not settle it.
    async fn compare_heads(self, source: Option<ObjectHead>) -> Result<Verified> {
        let source = match source {
            Some(head) => head,
            None => self.head_of_source().await?,
        };
        let copy = self.head_of_copy().await?;
        verify::copied(&self.to.to_string(), &source, &copy)
    }

    async fn in_parts(self, condition: PutCondition) -> Result<Carried> {
        let scope = self.scope;
        let head = self.scope.within_grace(self.head_of_source()).await?;
        let Plan::Parts(parts) = self.plan(&head)? else {
            return self.scope.within_grace(self.whole()).await;
        };
        let mut baggage = scope.within_grace(self.baggage(&head, true)).await?;
        let Begun { upload, done, .. } = loop {
            let wanted = Wanted {
                object: self.to,
                attributes: baggage.attributes(),
                pin: SourcePin::Object(ObjectPin::of(&head)),
                parts,
                // The plan's parts may be what the copy is compared by.
                part_size_max: None,
                origin: Origin::Object(self.from, &head),
                options: &self.task.options,
            };
            let begun = Upload::create_or_resume(scope, wanted);
            match scope.within_grace(begun).await {
                Err(error) if error.fault() != Fault::Denied && baggage.lighten(&error)? => {}
                begun => break begun?,
            }
        };
        match self.copy_all(&head, parts, &upload, done, condition).await {
            Ok(Completed::Stands {
                finished,
                etag,
                version_id,
                ..
            }) => {
                let lost = scope.within_grace(baggage.arrived()).await?;
                // That the copy is made of its parts says nothing of the source.
                let compared = self.compare_heads(Some(head.clone()));
                let verified = self.scope.within_grace(compared).await?;
                Ok(Carried::Arrived(Arrived {
                    size: head.size,
                    source_etag: head.etag.clone(),
                    source_version: head.version_id.clone(),
                    source_pin: None,
                    destination_etag: etag,
                    destination_version: version_id,
                    verified,
                    tries: 1,
                    lost,
                    finished,
                }))
            }
            Ok(Completed::Kept) => {
                abort(self.scope, upload).await;
                Ok(Carried::Kept(SkipReason::Exists))
            }
            Err(error) => {
                give_up(self.scope, upload, &error).await;
                Err(error)
            }
        }
    }

    async fn copy_all(
        self,
        head: &ObjectHead,
        parts: Parts,
        upload: &Upload<'_>,
        done: Vec<Option<PartSeal>>,
        condition: PutCondition,
    ) -> Result<Completed> {
        let mut assembly = Assembly::resume(done, self.task.options.parts_max.get());
        let mut running = FuturesUnordered::new();
        let stopping = &self.scope.context.stopping;
        let mut failure = Error::Cancelled;
        let grace_over = self.scope.grace_over();
        tokio::pin!(grace_over);
        loop {
            if stopping.is_cancelled() {
                assembly.stop();
            }
            match assembly.step() {
                Step::Begin(index) => running
                    .push(async move { (index, self.copy_part(head, parts, upload, index).await) }),
                Step::Wait => tokio::select! {
                    biased;
                    Some((index, result)) = running.next() => match result {
                        Ok(seal) => assembly.arrived(index, seal),
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
        let seals = assembly.into_parts();
        let completed = upload.complete(&seals, condition);
        self.scope.within_grace(completed).await
    }

    async fn copy_part(
        self,
        head: &ObjectHead,
        parts: Parts,
        upload: &Upload<'_>,
        index: u32,
    ) -> Result<PartSeal> {
        let range = parts.range(index);
        let _permit = self.slot().await;
        let request = UploadPartCopy {
            bucket: self.to.bucket.clone(),
            key: self.to.key.clone(),
            upload_id: upload.created().upload_id.clone(),
            part_number: Parts::number(index),
            source: self.copy_source(),
            range,
            conditions: CopyConditions {
                if_match: head.etag.clone(),
            },
        };
        let part = self
            .scope
            .destination()
            .upload_part_copy(request)
            .await
            .map_err(|error| match is_changed(&error) {
                true => Error::Changed(self.from.to_string()),
                false => Error::Remote(error),
            })?;
        let seal = PartSeal {
            size: range.length,
            crc64: part
                .checksum
                .as_ref()
                .and_then(base::Checksum::as_crc64nvme),
            etag: part.etag,
            verified: Some(Verified::ServerSide),
            suspect: false,
        };
        upload.acknowledged(index, &seal);
        Ok(seal)
    }
}

fn has_full_checksum(head: &ObjectHead) -> bool {
    let full = |checksum: &base::Checksum| checksum.checksum_type == ChecksumType::FullObject;
    head.checksums.iter().any(full)
}

fn is_changed(error: &remote::Error) -> bool {
    error.status() == Some(412) || error.fault() == Fault::Conflict
}
