//! The destination side: an upload is begun there, gets one part, and is given up again.

use base::fault::Classified as _;
use base::ids::PartNumber;
use base::{ByteCount, Fault, Key, UploadId};
use remote::payload::UploadCheck;
use remote::types::{
    AbortMultipartUpload, ByteRange, CopyConditions, CopySource, CreateMultipartUpload,
    ListMultipartUploads, ListObjects, ListParts, ObjectAttributes, UploadPart, UploadPartCopy,
    VersioningState,
};
use remote::{ObjectClient, Payload};

use super::check::{Check, Standing, ends_it, words};
use super::policy::Intent;
use super::source::{Sample, clock, credentials};
use super::{Party, Visit};
use crate::route::same_store;
use crate::source::Side;
use crate::url::{S3Url, Target};

/// How often an upload is given up before we say that it is still there: a part in flight may land
/// after the first. Source: S3 API reference, "AbortMultipartUpload" (read 2026-11).
const ABORTS_MAX: u32 = 3;

const SIDE: Side = Side::Destination;

/// Looks at the destination; says in which region it is.
pub(super) async fn examine(
    visit: &Visit,
    party: &Party,
    url: &S3Url,
    sample: Option<&Sample>,
    checks: &mut Vec<Check>,
) -> Option<String> {
    let client = &*party.client;
    let (signed, region) = credentials(SIDE, client, checks).await;
    if !signed || !reach(client, visit.intent, url, checks).await {
        return region;
    }
    let Some(key) = key_for(url, visit.random) else {
        let detail = "the name could be no key";
        checks.push(Check::new(SIDE, "write", Standing::Missing, detail));
        return region;
    };
    write(visit, client, url, &key, sample, checks).await;
    match client.get_bucket_versioning(url.bucket.clone()).await {
        Ok(VersioningState::Enabled) => checks.push(Check::note(
            SIDE,
            "versioning",
            "on: what is replaced or deleted is kept as an old version, and paid for",
        )),
        Ok(VersioningState::Unversioned | VersioningState::Suspended) => checks.push(Check::note(
            SIDE,
            "versioning",
            "off: what is replaced is gone",
        )),
        Err(error) => {
            checks.push(Check::lacking(
                SIDE,
                "versioning",
                "carrying old versions over",
                &error,
            ));
        }
    }
    if visit.intent == Intent::SyncDelete {
        checks.push(Check::new(
            SIDE,
            "delete",
            Standing::Unknown,
            "s3:DeleteObject cannot be tried without deleting something",
        ));
    }
    clock(SIDE, client, checks).await;
    region
}

/// Lists a little. False where there is no more to find out.
async fn reach(
    client: &dyn ObjectClient,
    intent: Intent,
    url: &S3Url,
    checks: &mut Vec<Check>,
) -> bool {
    let mut request = ListObjects::new(url.bucket.clone(), url.path.as_str());
    request.keys_max = Some(1);
    match client.list_objects(request).await {
        Ok(_) => checks.push(Check::ok(SIDE, "list", "allowed")),
        Err(error) if ends_it(&error) => {
            checks.push(Check::failed(SIDE, "reach", "s3:ListBucket", &error));
            return false;
        }
        Err(error) if intent.lists_destination() => {
            checks.push(Check::failed(SIDE, "list", "s3:ListBucket", &error));
        }
        Err(error) => {
            let what_for = "sync, and cp where it compares (-n, -s, -u),";
            checks.push(Check::lacking(SIDE, "list", what_for, &error));
        }
    }
    true
}

/// The named key, or one below the prefix that nobody uses.
fn key_for(url: &S3Url, random: u64) -> Option<Key> {
    let name = if url.is_prefix() {
        format!("{}.longhaul-doctor-{random:016x}", url.path)
    } else {
        url.path.clone()
    };
    Key::new(name).ok()
}

/// Tries to write without writing: an upload is begun, and always given up.
async fn write(
    visit: &Visit,
    client: &dyn ObjectClient,
    url: &S3Url,
    key: &Key,
    sample: Option<&Sample>,
    checks: &mut Vec<Check>,
) {
    let request = CreateMultipartUpload {
        bucket: url.bucket.clone(),
        key: key.clone(),
        attributes: ObjectAttributes::default(),
    };
    let created = match client.create_multipart_upload(request).await {
        Ok(created) => created,
        Err(error) => {
            checks.push(Check::failed(SIDE, "write", "s3:PutObject", &error));
            return;
        }
    };
    let upload = Upload {
        client,
        url,
        key,
        id: created.upload_id,
    };
    checks.push(upload.part(created.takes_crc64nvme).await);
    if let (Some(sample), Target::Remote(from)) = (sample, &visit.source.target) {
        let one_store = same_store(&visit.source.client.endpoint(), &client.endpoint());
        checks.extend(upload.copied_part(from, sample, one_store).await);
    }
    checks.extend(upload.give_up().await);
}

/// An upload that is not meant to become an object.
struct Upload<'a> {
    client: &'a dyn ObjectClient,
    url: &'a S3Url,
    key: &'a Key,
    id: UploadId,
}

impl Upload<'_> {
    async fn part(&self, takes_crc64nvme: bool) -> Check {
        let request = UploadPart {
            bucket: self.url.bucket.clone(),
            key: self.key.clone(),
            upload_id: self.id.clone(),
            part_number: PartNumber::new(1).expect("1 is a part number"),
            payload: Payload::from_bytes("longhaul doctor"),
            takes_crc64nvme,
        };
        match self.client.upload_part(request).await {
            Ok(part) => {
                let means = match part.check {
                    UploadCheck::ChecksumHeader(_) => "the store checks CRC-64/NVME",
                    UploadCheck::PayloadSignature => "the store checks the signed SHA-256",
                    UploadCheck::None => "the store checks nothing by itself, ETags are compared",
                };
                Check::ok(SIDE, "write", format!("allowed; {means}"))
            }
            Err(error) => Check::failed(SIDE, "write", "s3:PutObject", &error),
        }
    }

    /// Whether the destination's credentials may copy from the source inside the store.
    async fn copied_part(&self, from: &S3Url, sample: &Sample, one_store: bool) -> Option<Check> {
        const NAME: &str = "copy inside";
        if !one_store {
            let detail = "two stores: bytes go through this machine";
            return Some(Check::note(SIDE, NAME, detail));
        }
        let key = sample
            .readable
            .clone()
            .filter(|_| sample.size > ByteCount::ZERO)?;
        let request = UploadPartCopy {
            bucket: self.url.bucket.clone(),
            key: self.key.clone(),
            upload_id: self.id.clone(),
            part_number: PartNumber::new(2).expect("2 is a part number"),
            source: CopySource {
                bucket: from.bucket.clone(),
                key,
                version_id: None,
            },
            range: ByteRange {
                offset: 0,
                length: ByteCount(1),
            },
            conditions: CopyConditions::default(),
        };
        Some(match self.client.upload_part_copy(request).await {
            Ok(_) => Check::ok(SIDE, NAME, "the store copies by itself, no bytes pass here"),
            Err(error) if error.fault() == Fault::Denied => Check::note(
                SIDE,
                NAME,
                format!("bytes go through this machine: {}", words(&error)),
            ),
            // Some stores copy whole objects and no parts, or no part so small.
            Err(error) => Check::note(
                SIDE,
                NAME,
                format!(
                    "not known: a byte copied as a part, by which it is tried, is refused: {}",
                    words(&error)
                ),
            ),
        })
    }

    /// Gives the upload up and looks whether it is gone.
    async fn give_up(&self) -> Option<Check> {
        let mut last = None;
        for _ in 0..ABORTS_MAX {
            let request = AbortMultipartUpload {
                bucket: self.url.bucket.clone(),
                key: self.key.clone(),
                upload_id: self.id.clone(),
            };
            match self.client.abort_multipart_upload(request).await {
                Ok(()) => {}
                Err(error) if error.is_code("NoSuchUpload") => {}
                Err(error) => {
                    let check = Check::failed(SIDE, "abort", "s3:AbortMultipartUpload", &error);
                    return Some(self.left_behind(check));
                }
            }
            match self.is_there().await {
                Ok(false) => return Some(Check::ok(SIDE, "abort", "allowed, nothing is left")),
                Ok(true) => {}
                Err(error) => {
                    last = Some(error);
                    break;
                }
            }
        }
        Some(match last {
            Some(error) => Check::note(
                SIDE,
                "abort",
                format!(
                    "answered; that nothing is left could not be looked at: {}",
                    words(&error)
                ),
            ),
            None => self.left_behind(Check::new(
                SIDE,
                "abort",
                Standing::Missing,
                "the store keeps an upload that was given up",
            )),
        })
    }

    fn left_behind(&self, mut check: Check) -> Check {
        check.standing = Standing::Missing;
        check.detail.push_str(&format!(
            "; LEFT BEHIND: upload {} of s3://{}/{}",
            self.id.as_str(),
            self.url.bucket,
            self.key
        ));
        check
    }

    /// Whether the store still knows the upload, by its parts or, where those may not be listed, by
    /// the bucket's uploads.
    async fn is_there(&self) -> remote::Result<bool> {
        let parts = self.client.list_parts(ListParts {
            bucket: self.url.bucket.clone(),
            key: self.key.clone(),
            upload_id: self.id.clone(),
            part_number_after: None,
        });
        match parts.await {
            Ok(_) => return Ok(true),
            Err(error) if error.fault() == Fault::NotFound => return Ok(false),
            Err(_) => {}
        }
        let uploads = self.client.list_multipart_uploads(ListMultipartUploads {
            bucket: self.url.bucket.clone(),
            prefix: self.key.to_string(),
            after: None,
        });
        let page = uploads.await?;
        Ok(page
            .uploads
            .iter()
            .any(|upload| upload.upload_id == self.id))
    }
}
