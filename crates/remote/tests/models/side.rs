//! One of the two models, with what it was told.

use std::sync::Arc;

use base::fault::Classified as _;
use base::ids::PartNumber;
use base::{BucketName, ByteCount, Checksum, ETag, Key, UploadId, VersionId};
use remote::types::{
    AbortMultipartUpload, ByteRange, CompleteMultipartUpload, CopyConditions, CopyObject,
    CopySource, CreateMultipartUpload, DeleteObject, DeleteObjects, GetObject, GetObjectTagging,
    HeadObject, ListMultipartUploads, ListObjectVersions, ListObjects, ListPage, ListParts,
    MetadataDirective, ObjectAttributes, ObjectHead, ObjectIdentifier, PutCondition, PutObject,
    PutObjectTagging, Tag, TaggingDirective, UploadPart, VersioningState,
};
use remote::{ObjectClient, Payload, Result};

use crate::op::{Condition, KEYS, Op, PREFIXES};

/// Pages of a listing at most; all have fewer.
const PAGES_MAX: usize = 100;

/// A part that was taken.
struct SentPart {
    /// Place of its upload.
    upload: usize,
    number: u32,
    etag: ETag,
    checksum: Option<Checksum>,
    bytes: Vec<u8>,
}

impl SentPart {
    fn is(&self, upload: usize, number: u32) -> bool {
        (self.upload, self.number) == (upload, number)
    }
}

/// One of the two, with what it was told. Ids differ between the two: they are shown as their
/// places in these lists.
pub(crate) struct Side {
    pub(crate) client: Arc<dyn ObjectClient>,
    bucket: BucketName,
    versions: Vec<VersionId>,
    uploads: Vec<(Key, UploadId)>,
    /// Parts that each upload took.
    parts: Vec<SentPart>,
    last_etag: Option<ETag>,
}

impl Side {
    pub(crate) fn new(client: Arc<dyn ObjectClient>, bucket: BucketName) -> Side {
        Side {
            client,
            bucket,
            versions: Vec::new(),
            uploads: Vec::new(),
            parts: Vec::new(),
            last_etag: None,
        }
    }

    fn version(&self, place: Option<usize>) -> Option<VersionId> {
        let place = place?;
        let count = self.versions.len() + 1;
        // One place stands for the null version.
        let version = self.versions.get(place % count).cloned();
        Some(version.unwrap_or_else(|| VersionId::new("null")))
    }

    fn shown(&mut self, version: Option<&VersionId>) -> String {
        let Some(version) = version else {
            return "none".to_owned();
        };
        if version.as_str() == "null" {
            return "null".to_owned();
        }
        let place = self.versions.iter().position(|known| known == version);
        let place = place.unwrap_or_else(|| {
            self.versions.push(version.clone());
            self.versions.len() - 1
        });
        format!("version {place}")
    }

    fn condition(&self, condition: Condition) -> PutCondition {
        match (condition, &self.last_etag) {
            (Condition::None, _) | (Condition::LastSeen, None) => PutCondition::None,
            (Condition::Absent, _) => PutCondition::Absent,
            (Condition::LastSeen, Some(etag)) => PutCondition::Matches(etag.clone()),
        }
    }

    fn if_match(&self, wanted: bool) -> Option<ETag> {
        self.last_etag.clone().filter(|_| wanted)
    }

    fn head_shown(&mut self, head: &ObjectHead) -> String {
        let version = self.shown(head.version_id.as_ref());
        let attributes = ObjectAttributes {
            storage_class: None,
            ..head.attributes.clone()
        };
        format!(
            "{} {:?} {version} {attributes:?} {:?} {:?} {:?}",
            head.size.get(),
            head.etag,
            head.checksums,
            head.tag_count,
            head.part_count,
        )
    }

    fn page_shown(&mut self, page: &ListPage) -> String {
        let mut lines = Vec::new();
        for row in &page.objects {
            let version = row.version.as_ref().map(|version| {
                let id = self.shown(Some(&version.id));
                format!("{id} {} {}", version.is_latest, version.is_delete_marker)
            });
            lines.push(format!(
                "{:?} {} {:?} {version:?}",
                row.key,
                row.size.get(),
                row.etag
            ));
        }
        // Our server writes delete markers apart from versions, and both may be of one moment.
        if page.objects.iter().any(|row| row.version.is_some()) {
            lines.sort();
        }
        format!(
            "{lines:?} {:?} {}",
            page.common_prefixes,
            page.next.is_some()
        )
    }

    /// Asks and tells what was answered, in words that both sides share.
    pub(crate) async fn ask(&mut self, op: &Op) -> String {
        let is_head = matches!(op, Op::Head { .. });
        match self.answer(op).await {
            Ok(answer) => answer,
            // HEAD has no body to say a code in.
            Err(error) if is_head => format!("{:?}", error.fault()),
            Err(error) => format!("{:?} {:?}", error.fault(), error.code()),
        }
    }

    async fn answer(&mut self, op: &Op) -> Result<String> {
        let client = Arc::clone(&self.client);
        let bucket = self.bucket.clone();
        match op.clone() {
            Op::Put {
                key: place,
                bytes,
                condition,
                metadata,
                tags,
            } => {
                let put = PutObject {
                    bucket,
                    key: key(place),
                    payload: Payload::from_bytes(bytes),
                    attributes: attributes(metadata, tags),
                    condition: self.condition(condition),
                };
                let done = client.put_object(put).await?;
                self.last_etag = done.etag.clone();
                let version = self.shown(done.version_id.as_ref());
                Ok(format!(
                    "{:?} {version} {:?} {:?}",
                    done.etag, done.check, done.checksum
                ))
            }
            Op::Get {
                key: place,
                version,
                range,
                if_match,
            } => {
                let get = GetObject {
                    version_id: self.version(version),
                    range: range.map(|(offset, length)| ByteRange {
                        offset,
                        length: ByteCount(length),
                    }),
                    if_match: self.if_match(if_match),
                    ..GetObject::new(bucket, key(place))
                };
                let found = client.get_object(get).await?;
                let head = self.head_shown(&found.head);
                let bytes = found.body.collect().await?;
                Ok(format!("{head} {:?} {bytes:?}", found.range))
            }
            Op::Head {
                key: place,
                version,
                part,
            } => {
                let head = HeadObject {
                    version_id: self.version(version),
                    checksum_mode: part.is_none(),
                    part_number: part.and_then(PartNumber::new),
                    ..HeadObject::new(bucket, key(place))
                };
                let found = client.head_object(head).await?;
                Ok(self.head_shown(&found))
            }
            Op::Delete {
                key: place,
                version,
                if_match,
            } => {
                let version = self.version(version);
                let there = client
                    .head_object(HeadObject::new(bucket.clone(), key(place)))
                    .await
                    .is_ok();
                let delete = DeleteObject {
                    bucket,
                    key: key(place),
                    // S3 does not say what a condition means of an absent key or of a version.
                    if_match: self.if_match(if_match && there && version.is_none()),
                    version_id: version,
                };
                let done = client.delete_object(delete).await?;
                let version = self.shown(done.version_id.as_ref());
                Ok(format!("{version} {}", done.delete_marker))
            }
            Op::DeleteMany { keys } => {
                let objects = keys.iter().map(|(place, version)| ObjectIdentifier {
                    key: key(*place),
                    version_id: self.version(*version),
                });
                let objects = objects.collect();
                let done = client
                    .delete_objects(DeleteObjects { bucket, objects })
                    .await?;
                let mut lines = Vec::new();
                for row in &done.deleted {
                    let asked = self.shown(row.object.version_id.as_ref());
                    let marker = self.shown(row.delete_marker_version_id.as_ref());
                    lines.push(format!("{:?} {asked} {marker}", row.object.key));
                }
                Ok(format!("{lines:?} {:?}", done.failed))
            }
            Op::Copy {
                from,
                to,
                version,
                replace,
                tags,
                if_match,
            } => {
                let copy = CopyObject {
                    key: key(to),
                    source: CopySource {
                        bucket: bucket.clone(),
                        key: key(from),
                        version_id: self.version(version),
                    },
                    bucket,
                    metadata_directive: if replace {
                        MetadataDirective::Replace
                    } else {
                        MetadataDirective::Copy
                    },
                    tagging_directive: if tags.is_some() {
                        TaggingDirective::Replace
                    } else {
                        TaggingDirective::Copy
                    },
                    attributes: attributes(replace.then(|| "copied".to_owned()), tags),
                    conditions: CopyConditions {
                        if_match: self.if_match(if_match),
                    },
                };
                let done = client.copy_object(copy).await?;
                let version = self.shown(done.version_id.as_ref());
                Ok(format!("{:?} {version} {:?}", done.etag, done.checksum))
            }
            Op::GetTags {
                key: place,
                version,
            } => {
                let get = GetObjectTagging {
                    version_id: self.version(version),
                    bucket,
                    key: key(place),
                };
                let mut tags = client.get_object_tagging(get).await?;
                tags.sort();
                Ok(format!("{tags:?}"))
            }
            Op::PutTags {
                key: place,
                version,
                tags,
            } => {
                let put = PutObjectTagging {
                    version_id: self.version(version),
                    bucket,
                    key: key(place),
                    tags,
                };
                client.put_object_tagging(put).await?;
                Ok("tagged".to_owned())
            }
            Op::Versioning { enabled } => {
                let state = if enabled {
                    VersioningState::Enabled
                } else {
                    VersioningState::Suspended
                };
                client.put_bucket_versioning(bucket.clone(), state).await?;
                Ok(format!("{:?}", client.get_bucket_versioning(bucket).await?))
            }
            Op::CreateUpload {
                key: place,
                metadata,
                tags,
            } => {
                let create = CreateMultipartUpload {
                    bucket,
                    key: key(place),
                    attributes: attributes(metadata, tags),
                };
                let created = client.create_multipart_upload(create).await?;
                self.uploads.push((key(place), created.upload_id));
                Ok(format!("{}", created.takes_crc64nvme))
            }
            Op::UploadPart {
                upload,
                number,
                bytes,
            } => {
                let Some((place, (key, upload_id))) = self.upload(upload) else {
                    return Ok("no upload yet".to_owned());
                };
                let part = UploadPart {
                    bucket,
                    key,
                    upload_id,
                    part_number: PartNumber::new(number).expect("1 to 3"),
                    payload: Payload::from_bytes(bytes.clone()),
                    takes_crc64nvme: true,
                };
                let done = client.upload_part(part).await?;
                self.parts.retain(|part| !part.is(place, number));
                let answer = format!("{:?}", done);
                self.parts.push(SentPart {
                    upload: place,
                    number,
                    etag: done.etag,
                    checksum: done.checksum,
                    bytes,
                });
                Ok(answer)
            }
            Op::Complete {
                upload,
                numbers,
                condition,
                whole_checksum,
            } => {
                let Some((place, (key, upload_id))) = self.upload(upload) else {
                    return Ok("no upload yet".to_owned());
                };
                let mut whole = Vec::new();
                let mut parts = Vec::new();
                for number in numbers {
                    let part = self.parts.iter().find(|part| part.is(place, number));
                    let (etag, checksum) = match part {
                        Some(part) => {
                            whole.extend_from_slice(&part.bytes);
                            (part.etag.clone(), part.checksum.clone())
                        }
                        None => (ETag::from_header("none"), None),
                    };
                    let number = PartNumber::new(number).expect("1 to 3");
                    parts.push((number, etag, checksum));
                }
                let crc64 = base::Crc64Nvme::of(&whole);
                let complete = CompleteMultipartUpload {
                    bucket,
                    key,
                    upload_id,
                    parts,
                    checksum: whole_checksum.map(|right| {
                        let wrong = base::Crc64Nvme(!crc64.0);
                        Checksum::crc64nvme(if right { crc64 } else { wrong })
                    }),
                    condition: self.condition(condition),
                };
                let done = client.complete_multipart_upload(complete).await?;
                self.last_etag = done.etag.clone();
                let version = self.shown(done.version_id.as_ref());
                Ok(format!("{:?} {version} {:?}", done.etag, done.checksum))
            }
            Op::Abort { upload } => {
                let Some((_, (key, upload_id))) = self.upload(upload) else {
                    return Ok("no upload yet".to_owned());
                };
                let abort = AbortMultipartUpload {
                    bucket,
                    key,
                    upload_id,
                };
                client.abort_multipart_upload(abort).await?;
                Ok("aborted".to_owned())
            }
            Op::ListParts { upload, after } => {
                let Some((_, (key, upload_id))) = self.upload(upload) else {
                    return Ok("no upload yet".to_owned());
                };
                let list = ListParts {
                    bucket,
                    key,
                    upload_id,
                    part_number_after: after.and_then(PartNumber::new),
                };
                let page = client.list_parts(list).await?;
                Ok(format!("{:?} {:?}", page.parts, page.next_after))
            }
            Op::List {
                prefix,
                delimiter,
                start_after,
                keys_max,
                v1,
            } => {
                let mut list = ListObjects {
                    delimiter: delimiter.then(|| "/".to_owned()),
                    start_after,
                    keys_max: Some(keys_max),
                    v1,
                    ..ListObjects::new(bucket, PREFIXES[prefix])
                };
                let mut pages = Vec::new();
                while pages.len() < PAGES_MAX {
                    let page = client.list_objects(list.clone()).await?;
                    pages.push(self.page_shown(&page));
                    list.continuation_token = page.next;
                    if list.continuation_token.is_none() {
                        break;
                    }
                }
                Ok(format!("{pages:#?}"))
            }
            Op::ListVersions {
                prefix,
                delimiter,
                keys_max,
            } => {
                let mut list = ListObjectVersions {
                    bucket,
                    prefix: PREFIXES[prefix].to_owned(),
                    delimiter: delimiter.then(|| "/".to_owned()),
                    continuation_token: None,
                    keys_max: Some(keys_max),
                };
                let mut pages = Vec::new();
                while pages.len() < PAGES_MAX {
                    let page = client.list_object_versions(list.clone()).await?;
                    pages.push(self.page_shown(&page));
                    list.continuation_token = page.next;
                    if list.continuation_token.is_none() {
                        break;
                    }
                }
                Ok(format!("{pages:#?}"))
            }
            Op::ListUploads { prefix } => {
                let list = ListMultipartUploads {
                    bucket,
                    prefix: PREFIXES[prefix].to_owned(),
                    after: None,
                };
                let page = client.list_multipart_uploads(list).await?;
                let place = |id: &UploadId| self.uploads.iter().position(|(_, known)| known == id);
                let rows = page.uploads.iter();
                let rows: Vec<_> = rows.map(|row| (&row.key, place(&row.upload_id))).collect();
                Ok(format!("{rows:?} {}", page.next_after.is_some()))
            }
        }
    }

    fn upload(&self, place: usize) -> Option<(usize, (Key, UploadId))> {
        let place = place.checked_rem(self.uploads.len())?;
        Some((place, self.uploads[place].clone()))
    }
}

fn key(place: usize) -> Key {
    Key::new(KEYS[place]).expect("a key")
}

fn attributes(metadata: Option<String>, tags: Option<Vec<Tag>>) -> ObjectAttributes {
    ObjectAttributes {
        content_type: metadata.as_ref().map(|_| "text/plain".to_owned()),
        metadata: metadata
            .into_iter()
            .map(|value| ("name".to_owned(), value))
            .collect(),
        tagging: tags.as_deref().map(Tag::encode_all),
        ..ObjectAttributes::default()
    }
}
