//! One multipart upload, from its creation to its end: complete, aborted, or kept to be resumed.
//!
//! Invariants: an upload that was created is completed, aborted or left to the journal before its
//! [`Upload`] is gone, unless the process dies or the store refuses, which a warning tells with the
//! upload's id.
//! Retries: each request by the client. Cancellation: dropping an [`Upload`] leaves it unfinished
//! at the store, so callers end it with [`give_up`] or [`Upload::abort`] on every path.

use std::sync::Arc;
use std::time::Duration;

use base::fault::Classified as _;
use base::{Checksum, Crc64Nvme, ETag, Fault, UploadId, VersionId};
use remote::ObjectClient;
use remote::types::{
    AbortMultipartUpload, CompleteMultipartUpload, CompletedUpload, CreateMultipartUpload,
    CreatedUpload, HeadObject, ListParts, ListedPart, ObjectAttributes, PartPage, PutCondition,
};

use crate::assembly::{AfterComplete, after_complete};
use crate::error::{Error, Result};
use crate::event::Verified;
use crate::journal::UploadSlot;
use crate::location::ObjectLocation;
use crate::plan::Parts;
use crate::transfer::retract::retract;
use crate::transfer::scope::Scope;
use crate::verify::{self, PartSeal};

/// How often an abort is repeated while parts in flight still land.
/// A guess, not measured: a part's answer is seconds away at most.
const ABORTS_MAX: u32 = 5;

/// How long an abort may take in all; the run may be stopping.
const ABORT_TIME_MAX: Duration = Duration::from_secs(3);

/// An upload that was created.
#[derive(Debug)]
pub(crate) struct Upload<'a> {
    client: &'a dyn ObjectClient,
    object: &'a ObjectLocation,
    created: CreatedUpload,
    /// Its place in the journal; what has none is aborted when it cannot be completed.
    slot: Option<Arc<UploadSlot>>,
    /// Whether somebody else created it.
    is_adopted: bool,
}

/// The journal's place of an upload that was completed, which is forgotten when this is dropped.
///
/// To be kept until the journal says that the object is done: a kill between the two would lose all
/// that is known of its parts, and all of them would be sent again.
#[derive(Debug)]
pub(crate) struct Finished(Arc<UploadSlot>);

impl Drop for Finished {
    fn drop(&mut self) {
        self.0.remove();
    }
}

/// How completing ended.
#[derive(Debug)]
pub(crate) enum Completed {
    /// The object stands.
    Stands {
        /// Its upload's place in the journal.
        finished: Option<Finished>,
        etag: Option<ETag>,
        version_id: Option<VersionId>,
        verified: Verified,
    },
    /// Something stood there already and was to be kept.
    Kept,
}

impl<'a> Upload<'a> {
    /// Begins an upload to `object`.
    pub(crate) async fn create(
        client: &'a dyn ObjectClient,
        object: &'a ObjectLocation,
        attributes: ObjectAttributes,
    ) -> Result<Upload<'a>> {
        let request = CreateMultipartUpload {
            bucket: object.bucket.clone(),
            key: object.key.clone(),
            attributes,
        };
        let created = client.create_multipart_upload(request).await?;
        Ok(Upload {
            client,
            object,
            created,
            slot: None,
            is_adopted: false,
        })
    }

    /// An upload that somebody else created, with its place in the journal where there is one.
    pub(crate) fn adopted(
        client: &'a dyn ObjectClient,
        object: &'a ObjectLocation,
        created: CreatedUpload,
        slot: Option<Arc<UploadSlot>>,
    ) -> Upload<'a> {
        Upload {
            client,
            object,
            created,
            slot,
            is_adopted: true,
        }
    }

    /// An upload that was created, with its place in the journal.
    pub(crate) fn journalled(
        client: &'a dyn ObjectClient,
        object: &'a ObjectLocation,
        created: CreatedUpload,
        slot: Arc<UploadSlot>,
    ) -> Upload<'a> {
        Upload {
            client,
            object,
            created,
            slot: Some(slot),
            is_adopted: false,
        }
    }

    /// Keeps a part that the store acknowledged, so that it need not be sent again.
    pub(crate) fn acknowledged(&self, index: u32, part: &PartSeal) {
        if let Some(slot) = &self.slot {
            slot.part(index, part);
        }
    }

    /// All parts that the store lists, by number.
    pub(crate) async fn listed(&self) -> remote::Result<Vec<ListedPart>> {
        let page = list_parts(self.client, self.object, &self.created.upload_id).await?;
        Ok(page.parts)
    }

    /// What the store said when the upload was created.
    pub(crate) fn created(&self) -> &CreatedUpload {
        &self.created
    }

    /// Makes the object of `parts` and checks it. On an error the upload may still be there.
    pub(crate) async fn complete(
        &self,
        parts: &[PartSeal],
        condition: PutCondition,
    ) -> Result<Completed> {
        let mut completed = self.make(parts, condition).await;
        if let Ok(Completed::Stands { finished, .. }) = &mut completed {
            *finished = self.slot.clone().map(Finished);
        }
        completed
    }

    async fn make(&self, parts: &[PartSeal], condition: PutCondition) -> Result<Completed> {
        let whole = verify::combined(parts).filter(|_| self.created.takes_crc64nvme);
        let keep = condition == PutCondition::Absent;
        let request = self.completion(parts, whole, condition);
        let mut answer = self.client.complete_multipart_upload(request.clone()).await;
        if keep && answer.as_ref().is_err_and(is_unsupported) {
            let request = CompleteMultipartUpload {
                condition: PutCondition::None,
                ..request
            };
            answer = self.client.complete_multipart_upload(request).await;
        }
        let output = match answer {
            Ok(output) => output,
            Err(error) => {
                return match after_complete(&error, keep) {
                    AfterComplete::AskHead => self.complete_by_head(parts, error).await,
                    AfterComplete::Kept => Ok(Completed::Kept),
                    AfterComplete::Failed => Err(error.into()),
                };
            }
        };
        let verified = match self.compared(parts, &output, whole.is_some()).await {
            Ok(verified) => verified,
            Err(wrong @ Error::Mismatch { .. }) => {
                let (etag, version_id) = (output.etag.as_ref(), output.version_id.as_ref());
                let retracted = retract(self.client, self.object, etag, version_id, wrong).await;
                return Err(retracted.into_error());
            }
            Err(error) => return Err(error),
        };
        Ok(Completed::Stands {
            finished: None,
            etag: output.etag,
            version_id: output.version_id,
            verified,
        })
    }

    /// Compares the object with its parts.
    async fn compared(
        &self,
        parts: &[PartSeal],
        output: &CompletedUpload,
        whole_was_sent: bool,
    ) -> Result<Verified> {
        let what = self.object.to_string();
        let (etag, checksum) = (output.etag.as_ref(), output.checksum.as_ref());
        match verify::assembled(&what, parts, etag, checksum, whole_was_sent)? {
            Some(verified) => Ok(verified),
            None => verify::assembled_head(&what, parts, &self.head().await?),
        }
    }

    /// Looks whether the object stands although Complete failed with `error`.
    async fn complete_by_head(
        &self,
        parts: &[PartSeal],
        error: remote::Error,
    ) -> Result<Completed> {
        let head = match self.head().await {
            Ok(head) if verify::is_our_upload(parts, &head) => head,
            Ok(_) | Err(_) => return Err(error.into()),
        };
        Ok(Completed::Stands {
            finished: None,
            verified: verify::assembled_head(&self.object.to_string(), parts, &head)?,
            etag: head.etag,
            version_id: head.version_id,
        })
    }

    fn completion(
        &self,
        parts: &[PartSeal],
        whole: Option<Crc64Nvme>,
        condition: PutCondition,
    ) -> CompleteMultipartUpload {
        let checksum = |part: &PartSeal| {
            let crc64 = part.crc64.filter(|_| self.created.takes_crc64nvme);
            crc64.map(Checksum::crc64nvme)
        };
        CompleteMultipartUpload {
            bucket: self.object.bucket.clone(),
            key: self.object.key.clone(),
            upload_id: self.created.upload_id.clone(),
            parts: (0_u32..)
                .zip(parts)
                .map(|(index, part)| (Parts::number(index), part.etag.clone(), checksum(part)))
                .collect(),
            checksum: whole.map(Checksum::crc64nvme),
            condition,
        }
    }

    /// What stands where the upload goes.
    pub(crate) async fn head(&self) -> Result<remote::types::ObjectHead> {
        let mut request = HeadObject::new(self.object.bucket.clone(), self.object.key.clone());
        request.checksum_mode = true;
        Ok(self.client.head_object(request).await?)
    }

    /// Gives the upload up, again and again until the store no longer knows it, since a part in
    /// flight may still land. Returns a line for people if it is left behind.
    pub(crate) async fn abort(self) -> Option<String> {
        let ended = tokio::time::timeout(ABORT_TIME_MAX, self.abort_until_gone()).await;
        let reason = match ended {
            Ok(Ok(())) => {
                if let Some(slot) = &self.slot {
                    slot.remove();
                }
                return None;
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer within {} s", ABORT_TIME_MAX.as_secs()),
        };
        Some(format!(
            "upload {} of {} could not be aborted and may be left: {reason}",
            self.created.upload_id, self.object
        ))
    }

    async fn abort_until_gone(&self) -> Result<()> {
        abort_upload(self.client, self.object, &self.created.upload_id).await
    }
}

/// All parts of an upload, as one page.
pub(crate) async fn list_parts(
    client: &dyn ObjectClient,
    object: &ObjectLocation,
    upload_id: &UploadId,
) -> remote::Result<PartPage> {
    let mut all = PartPage::default();
    let mut request = ListParts {
        bucket: object.bucket.clone(),
        key: object.key.clone(),
        upload_id: upload_id.clone(),
        part_number_after: None,
    };
    loop {
        let page = client.list_parts(request.clone()).await?;
        all.parts.extend(page.parts);
        all.checksum_algorithm = all.checksum_algorithm.or(page.checksum_algorithm);
        match page.next_after {
            // A store that goes round in circles must not keep us.
            Some(next) if Some(next) > request.part_number_after => {
                request.part_number_after = Some(next);
            }
            _ => return Ok(all),
        }
    }
}

/// Aborts an upload, again and again until the store no longer knows it.
pub async fn abort_upload(
    client: &dyn ObjectClient,
    object: &ObjectLocation,
    upload_id: &UploadId,
) -> Result<()> {
    for _ in 0..ABORTS_MAX {
        let request = AbortMultipartUpload {
            bucket: object.bucket.clone(),
            key: object.key.clone(),
            upload_id: upload_id.clone(),
        };
        match client.abort_multipart_upload(request).await {
            Ok(()) => {}
            Err(error) if error.is_code("NoSuchUpload") => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        let request = ListParts {
            bucket: object.bucket.clone(),
            key: object.key.clone(),
            upload_id: upload_id.clone(),
            part_number_after: None,
        };
        match client.list_parts(request).await {
            Ok(_) => {}
            Err(error) if error.fault() == Fault::NotFound => return Ok(()),
            // Aborted as far as can be known: we may not list, or the store cannot.
            Err(error) if matches!(error.fault(), Fault::Denied | Fault::Unsupported) => {
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(Error::Refused(format!(
        "it still has parts after {ABORTS_MAX} aborts"
    )))
}

/// Ends an upload that `error` kept from being completed: what can go on later is left to the
/// journal, anything else aborted. What is left behind without being meant to is said.
pub(crate) async fn give_up(scope: &Scope, upload: Upload<'_>, error: &Error) {
    if may_go_on(error) {
        if upload.slot.is_some() {
            return;
        }
        // It was there before; it can be taken over again.
        if upload.is_adopted {
            scope.warn(&format!(
                "upload {} of {} is left, to be taken over again",
                upload.created.upload_id, upload.object
            ));
            return;
        }
    }
    if let Some(line) = upload.abort().await {
        scope.warn(&line);
    }
}

/// Whether an upload, or a download in ranges, that broke off for this may be gone on with.
pub(crate) fn may_go_on(error: &Error) -> bool {
    match error {
        Error::Cancelled => true,
        Error::Local { source, .. } => source.kind() != std::io::ErrorKind::NotFound,
        Error::Remote(error) => match error.fault() {
            Fault::Throttled { .. }
            | Fault::Unavailable
            | Fault::Denied
            | Fault::Expired
            | Fault::Cancelled
            | Fault::Local => true,
            Fault::NotFound
            | Fault::Conflict
            | Fault::Corrupt
            | Fault::Fenced
            | Fault::Invalid
            | Fault::Unsupported
            | Fault::Bug => false,
        },
        // The source is another one, or what was sent is wrong.
        Error::Changed(_)
        | Error::Mismatch { .. }
        | Error::WrongStored { .. }
        | Error::Name { .. }
        | Error::Refused(_)
        | Error::NotFound(_)
        | Error::Usage(_)
        | Error::Unordered { .. }
        | Error::Bug(_) => false,
    }
}

/// Whether the store does not know the condition that the request carried.
pub(crate) fn is_unsupported(error: &remote::Error) -> bool {
    error.fault() == Fault::Unsupported
}
