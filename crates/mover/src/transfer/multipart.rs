//! One multipart upload, from its creation to its end: complete, or aborted.
//!
//! Invariants: an upload that was created is completed or aborted before its [`Upload`] is gone,
//! unless the process dies or the store refuses, which a warning tells with the upload's id.
//! Retries: each request by the client. Cancellation: dropping an [`Upload`] leaves it unfinished
//! at the store, so callers end it with [`Upload::abort`] on every path.

use std::time::Duration;

use base::fault::Classified as _;
use base::{Checksum, Crc64Nvme, ETag, Fault, VersionId};
use remote::ObjectClient;
use remote::types::{
    AbortMultipartUpload, CompleteMultipartUpload, CreateMultipartUpload, CreatedUpload,
    HeadObject, ListParts, ObjectAttributes, PutCondition,
};

use crate::assembly::{AfterComplete, after_complete};
use crate::error::{Error, Result};
use crate::event::Verified;
use crate::location::ObjectLocation;
use crate::plan::Parts;
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
}

/// How completing ended.
#[derive(Debug)]
pub(crate) enum Completed {
    /// The object stands.
    Stands {
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
        })
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
        let known = verify::assembled(
            &self.object.to_string(),
            parts,
            output.etag.as_ref(),
            output.checksum.as_ref(),
            whole.is_some(),
        )?;
        let verified = match known {
            Some(verified) => verified,
            None => {
                let head = self.head().await?;
                verify::assembled_head(&self.object.to_string(), parts, &head)?
            }
        };
        Ok(Completed::Stands {
            etag: output.etag,
            version_id: output.version_id,
            verified,
        })
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

    async fn head(&self) -> Result<remote::types::ObjectHead> {
        let mut request = HeadObject::new(self.object.bucket.clone(), self.object.key.clone());
        request.checksum_mode = true;
        Ok(self.client.head_object(request).await?)
    }

    /// Gives the upload up, again and again until the store no longer knows it, since a part in
    /// flight may still land. Returns a line for people if it is left behind.
    pub(crate) async fn abort(self) -> Option<String> {
        let ended = tokio::time::timeout(ABORT_TIME_MAX, self.abort_until_gone()).await;
        let reason = match ended {
            Ok(Ok(())) => return None,
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer within {} s", ABORT_TIME_MAX.as_secs()),
        };
        Some(format!(
            "upload {} of {} could not be aborted and may be left: {reason}",
            self.created.upload_id, self.object
        ))
    }

    async fn abort_until_gone(&self) -> Result<()> {
        for _ in 0..ABORTS_MAX {
            let request = AbortMultipartUpload {
                bucket: self.object.bucket.clone(),
                key: self.object.key.clone(),
                upload_id: self.created.upload_id.clone(),
            };
            match self.client.abort_multipart_upload(request).await {
                Ok(()) => {}
                Err(error) if error.is_code("NoSuchUpload") => return Ok(()),
                Err(error) => return Err(error.into()),
            }
            let request = ListParts {
                bucket: self.object.bucket.clone(),
                key: self.object.key.clone(),
                upload_id: self.created.upload_id.clone(),
                part_number_after: None,
            };
            match self.client.list_parts(request).await {
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
}

/// Whether the store does not know the condition that the request carried.
pub(crate) fn is_unsupported(error: &remote::Error) -> bool {
    error.fault() == Fault::Unsupported
}
