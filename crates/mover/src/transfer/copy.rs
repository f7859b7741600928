//! An object into another one of the same store; no byte passes here.
//!
//! Overview: up to 5 GiB in one CopyObject, beyond that in parts that the store copies side by
//! side. Invariants: the copy is of the version that was pinned (by the listing's ETag, or by a
//! HEAD where more must be known). Metadata is the source's, with the fields replaced that the
//! user named; s5cmd replaces all of it. Limits: parts of one object by
//! `TransferOptions::parts_max`. Not handled, because the port cannot read tags: tags of an object
//! that is copied in parts; a warning says so.

use base::checksum::ChecksumType;
use base::fault::Classified as _;
use base::limits::{PART_SIZE_MIN, PARTS_MAX};
use base::{ByteCount, Fault};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use remote::types::{
    CopyConditions, CopyObject, CopySource, HeadObject, MetadataDirective, ObjectAttributes,
    ObjectHead, PutCondition, TaggingDirective, UploadPartCopy,
};

use crate::assembly::{Assembly, Step};
use crate::engine::Move;
use crate::error::{Error, Result};
use crate::event::{SkipReason, Verb, Verified};
use crate::flow::{FlowPermit, Need};
use crate::location::ObjectLocation;
use crate::pin::{ObjectPin, SourcePin};
use crate::plan::{self, Parts, Plan};
use crate::route::same_store;
use crate::transfer::multipart::{Completed, Upload, give_up};
use crate::transfer::resume::Begun;
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
    if !same_store(&scope.source().endpoint(), &scope.destination().endpoint()) {
        return Err(Error::Refused(format!(
            "copying between two endpoints ({} and {}) needs a relay, which a later version brings",
            scope.source().endpoint(),
            scope.destination().endpoint()
        )));
    }
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

impl Errand<'_> {
    async fn whole(self) -> Result<Carried> {
        let merges = self.merges();
        let head = match (merges, &self.task.source.etag) {
            (false, Some(_)) => None,
            _ => Some(self.head_of(self.from).await?),
        };
        let permit = self.slot().await;
        let listed = self.task.source.etag.clone();
        let mut request = self.request(head.as_ref());
        request.conditions.if_match = head.as_ref().map_or(listed, |head| head.etag.clone());
        let (output, head) = match self.scope.destination().copy_object(request).await {
            Ok(output) => (output, head),
            // It changed since it was listed: copy what it is now.
            Err(error) if is_changed(&error) => {
                let head = self.head_of(self.from).await?;
                let mut request = self.request(Some(&head));
                request.conditions.if_match.clone_from(&head.etag);
                let output = self.scope.destination().copy_object(request).await;
                let output = output.map_err(|error| match is_changed(&error) {
                    true => Error::Changed(self.from.to_string()),
                    false => Error::Remote(error),
                })?;
                (output, Some(head))
            }
            Err(error) => return Err(error.into()),
        };
        drop(permit);
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
        }))
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
        let guesses = head
            .etag
            .as_ref()
            .map_or(Vec::new(), |etag| plan::part_sizes_of(etag, head.size));
        let usable = guesses
            .into_iter()
            .find(|parts| parts.part_size() >= PART_SIZE_MIN && parts.count() <= PARTS_MAX);
        Ok(usable.map_or(plan, Plan::Parts))
    }

    /// Whether the copy's metadata is the source's with some of it replaced.
    fn merges(self) -> bool {
        let attributes = &self.task.options.attributes;
        self.task.options.metadata_directive.is_none() && replaces_metadata(attributes)
    }

    fn request(self, head: Option<&ObjectHead>) -> CopyObject {
        let given = &self.task.options.attributes;
        let (metadata_directive, attributes) = match (self.task.options.metadata_directive, head) {
            (Some(directive), _) => (directive, given.clone()),
            (None, Some(head)) if self.merges() => {
                (MetadataDirective::Replace, merged(&head.attributes, given))
            }
            (None, _) => (MetadataDirective::Copy, given.clone()),
        };
        CopyObject {
            bucket: self.to.bucket.clone(),
            key: self.to.key.clone(),
            source: self.copy_source(),
            metadata_directive,
            tagging_directive: if given.tagging.is_some() {
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

    async fn head_of(self, object: &ObjectLocation) -> Result<ObjectHead> {
        let mut request = HeadObject::new(object.bucket.clone(), object.key.clone());
        request.version_id = object.version_id.clone();
        request.checksum_mode = true;
        Ok(self.scope.destination().head_object(request).await?)
    }

    /// Asks both sides what they hold, where the copy's answer alone did not settle it.
    async fn compare_heads(self, source: Option<ObjectHead>) -> Result<Verified> {
        let source = match source {
            Some(head) => head,
            None => self.head_of(self.from).await?,
        };
        let copy = self.head_of(self.to).await?;
        verify::copied(&self.to.to_string(), &source, &copy)
    }

    async fn in_parts(self, condition: PutCondition) -> Result<Carried> {
        let head = self.scope.within_grace(self.head_of(self.from)).await?;
        let Plan::Parts(parts) = self.plan(&head)? else {
            return self.scope.within_grace(self.whole()).await;
        };
        if head.tag_count.is_some_and(|count| count > 0) {
            self.scope.warn(&format!(
                "tags of {} do not go along: it is copied in parts",
                self.from
            ));
        }
        let given = &self.task.options.attributes;
        let attributes = match self.task.options.metadata_directive {
            Some(MetadataDirective::Replace) => given.clone(),
            Some(MetadataDirective::Copy) | None => merged(&head.attributes, given),
        };
        let pin = SourcePin::Object(ObjectPin::of(&head));
        let begun = Upload::create_or_resume(self.scope, self.to, attributes, pin, &parts);
        let Begun { upload, done } = self.scope.within_grace(begun).await?;
        match self.copy_all(&head, parts, &upload, done, condition).await {
            Ok(Completed::Stands {
                etag, version_id, ..
            }) => {
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

/// Whether any field is set that only a replacing copy can change.
fn replaces_metadata(attributes: &ObjectAttributes) -> bool {
    attributes.content_type.is_some()
        || attributes.content_encoding.is_some()
        || attributes.content_disposition.is_some()
        || attributes.content_language.is_some()
        || attributes.cache_control.is_some()
        || attributes.expires.is_some()
        || attributes.website_redirect_location.is_some()
        || !attributes.metadata.is_empty()
}

/// The source's attributes with those replaced that `given` names. Storage class, ACL, encryption
/// and tags are the destination's own, as they are for CopyObject.
fn merged(source: &ObjectAttributes, given: &ObjectAttributes) -> ObjectAttributes {
    let either = |given: &Option<String>, source: &Option<String>| {
        given.as_ref().or(source.as_ref()).cloned()
    };
    let mut metadata = source.metadata.clone();
    for (name, value) in &given.metadata {
        match metadata
            .iter_mut()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
        {
            Some((_, known)) => known.clone_from(value),
            None => metadata.push((name.clone(), value.clone())),
        }
    }
    ObjectAttributes {
        content_type: either(&given.content_type, &source.content_type),
        content_encoding: either(&given.content_encoding, &source.content_encoding),
        content_disposition: either(&given.content_disposition, &source.content_disposition),
        content_language: either(&given.content_language, &source.content_language),
        cache_control: either(&given.cache_control, &source.cache_control),
        expires: either(&given.expires, &source.expires),
        website_redirect_location: either(
            &given.website_redirect_location,
            &source.website_redirect_location,
        ),
        metadata,
        storage_class: given.storage_class.clone(),
        acl: given.acl.clone(),
        encryption: given.encryption.clone(),
        tagging: given.tagging.clone(),
        lock: given.lock,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_named_fields_are_replaced() {
        let source = ObjectAttributes {
            content_type: Some("audio/mpeg".to_owned()),
            cache_control: Some("no-store".to_owned()),
            metadata: vec![
                ("a".to_owned(), "1".to_owned()),
                ("b".to_owned(), "2".to_owned()),
            ],
            ..ObjectAttributes::default()
        };
        let given = ObjectAttributes {
            content_type: Some("audio/ogg".to_owned()),
            metadata: vec![
                ("B".to_owned(), "3".to_owned()),
                ("c".to_owned(), "4".to_owned()),
            ],
            ..ObjectAttributes::default()
        };
        let merged = merged(&source, &given);
        assert_eq!(merged.content_type.as_deref(), Some("audio/ogg"));
        assert_eq!(merged.cache_control.as_deref(), Some("no-store"));
        let metadata: Vec<_> = merged
            .metadata
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str()))
            .collect();
        assert_eq!(metadata, [("a", "1"), ("b", "3"), ("c", "4")]);
        assert!(!replaces_metadata(&ObjectAttributes::default()) && replaces_metadata(&given));
    }
}
