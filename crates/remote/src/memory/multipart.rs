//! Multipart uploads of the store in memory.

use std::collections::BTreeMap;
use std::ops::Bound;

use base::ids::PartNumber;
use base::{ByteCount, Checksum, ChecksumAlgorithm, Crc64Nvme, ETag, Fault, UploadId};
use jiff::Timestamp;
use md5::{Digest as _, Md5};

use super::account::{Account, Received, Written};
use super::bucket::StoredObject;
use super::content::Content;
use super::refusal::Refusal;
use crate::types::{
    AbortMultipartUpload, CompleteMultipartUpload, CopiedPart, CreateMultipartUpload,
    CreatedUpload, ListMultipartUploads, ListParts, ListedPart, ObjectAttributes, PartPage,
    UploadPage, UploadPartCopy, UploadSummary,
};

/// An upload that has begun and not ended.
#[derive(Debug)]
pub(super) struct Upload {
    initiated: Timestamp,
    attributes: ObjectAttributes,
    parts: BTreeMap<PartNumber, Part>,
}

#[derive(Debug, Clone)]
struct Part {
    content: Content,
    md5: [u8; 16],
    etag: ETag,
    crc64: Crc64Nvme,
}

impl Account {
    pub(super) fn create_multipart_upload(
        &mut self,
        request: CreateMultipartUpload,
    ) -> Result<CreatedUpload, Refusal> {
        let initiated = self.now();
        self.refuse_attributes(&request.bucket, &request.attributes)?;
        let upload_id = UploadId::new(format!("upload-{:016x}", self.next_sequence()));
        let upload = Upload {
            initiated,
            attributes: request.attributes,
            parts: BTreeMap::new(),
        };
        self.bucket_mut(&request.bucket)?
            .uploads
            .insert((request.key, upload_id.clone()), upload);
        Ok(CreatedUpload {
            upload_id,
            takes_crc64nvme: self.options.checksums,
        })
    }

    /// Keeps a part, in place of an earlier one of that number.
    pub(super) fn upload_part(
        &mut self,
        place: &PartPlace<'_>,
        received: Received,
    ) -> Result<(ETag, Option<Checksum>), Refusal> {
        self.upload(place)?;
        self.refuse_changed(&received)?;
        let attributes = self.upload(place)?.attributes.clone();
        let etag = self.etag_of(&attributes, || hex::encode(received.md5));
        self.next_sequence();
        let part = Part {
            content: received.content,
            md5: received.md5,
            etag: etag.clone(),
            crc64: received.crc64,
        };
        let checksum = self
            .options
            .checksums
            .then(|| Checksum::crc64nvme(part.crc64));
        let key = (place.key.clone(), place.upload_id.clone());
        self.bucket_mut(place.bucket)?
            .uploads
            .get_mut(&key)
            .ok_or_else(Refusal::no_such_upload)?
            .parts
            .insert(place.part_number, part);
        Ok((etag, checksum))
    }

    pub(super) fn upload_part_copy(
        &mut self,
        request: &UploadPartCopy,
    ) -> Result<CopiedPart, Refusal> {
        let place = PartPlace {
            bucket: &request.bucket,
            key: &request.key,
            upload_id: &request.upload_id,
            part_number: request.part_number,
        };
        self.upload(&place)?;
        let source = self.copy_source(&request.source, &request.conditions)?;
        let range = request.range;
        let length = source.content.length();
        if range.length.0 == 0
            || range
                .offset
                .checked_add(range.length.0)
                .is_none_or(|end| end > length)
        {
            let message =
                format!("Range specified is not valid for source object of size: {length}");
            return Err(Refusal::new(Fault::Invalid, 416, "InvalidRange", message));
        }
        let content = source.content.slice(range.offset, range.length.0);
        let (etag, checksum) = self.upload_part(&place, Received::of(content, None))?;
        Ok(CopiedPart { etag, checksum })
    }

    pub(super) fn complete_multipart_upload(
        &mut self,
        request: CompleteMultipartUpload,
    ) -> Result<Written, Refusal> {
        let bucket = self.bucket(&request.bucket)?;
        let upload_key = (request.key.clone(), request.upload_id.clone());
        let upload = bucket
            .uploads
            .get(&upload_key)
            .ok_or_else(Refusal::no_such_upload)?;
        let parts = chosen_parts(upload, &request, self.options.part_size_min)?;
        let crc64 = parts.iter().fold(Crc64Nvme::EMPTY, |so_far, part| {
            so_far.then(part.crc64, part.content.length())
        });
        let claimed = request.checksum.as_ref().and_then(Checksum::as_crc64nvme);
        if self.options.checksums && claimed.is_some_and(|claimed| claimed != crc64) {
            return Err(Refusal::bad_digest());
        }
        bucket.check(&request.key, &request.condition)?;
        let etag = self.etag_of(&upload.attributes, || {
            let mut md5 = Md5::new();
            parts.iter().for_each(|part| md5.update(part.md5));
            format!("{}-{}", hex::encode(md5.finalize()), parts.len())
        });
        let object = StoredObject {
            content: Content::join(parts.iter().map(|part| part.content.clone())),
            etag,
            attributes: upload.attributes.clone(),
            checksum: None,
            policy: None,
            crc64: self.options.checksums.then_some(crc64),
            part_numbers: request.parts.iter().map(|(number, ..)| *number).collect(),
        };
        // S3 dates an object made from parts by the beginning of its upload.
        let initiated = upload.initiated;
        self.bucket_mut(&request.bucket)?
            .uploads
            .remove(&upload_key);
        self.write(&request.bucket, request.key, object, initiated)
    }

    pub(super) fn abort_multipart_upload(
        &mut self,
        request: AbortMultipartUpload,
    ) -> Result<(), Refusal> {
        self.bucket_mut(&request.bucket)?
            .uploads
            .remove(&(request.key, request.upload_id))
            .map(|_| ())
            .ok_or_else(Refusal::no_such_upload)
    }

    pub(super) fn list_parts(&self, request: &ListParts) -> Result<PartPage, Refusal> {
        let key = (request.key.clone(), request.upload_id.clone());
        let upload = self
            .bucket(&request.bucket)?
            .uploads
            .get(&key)
            .ok_or_else(Refusal::no_such_upload)?;
        let from = match request.part_number_after {
            Some(after) => Bound::Excluded(after),
            None => Bound::Unbounded,
        };
        let mut rest = upload.parts.range((from, Bound::Unbounded));
        let page = self.options.page_parts_max as usize;
        let parts: Vec<ListedPart> = rest
            .by_ref()
            .take(page)
            .map(|(number, part)| ListedPart {
                part_number: *number,
                size: ByteCount(part.content.length()),
                etag: part.etag.clone(),
                checksum: self
                    .options
                    .checksums
                    .then(|| Checksum::crc64nvme(part.crc64)),
            })
            .collect();
        let next_after = match rest.next() {
            Some(_) => parts.last().map(|part| part.part_number),
            None => None,
        };
        let kept = self
            .options
            .checksums
            .then_some(ChecksumAlgorithm::Crc64Nvme);
        Ok(PartPage {
            parts,
            next_after,
            checksum_algorithm: kept.map(|kept| kept.as_str().to_owned()),
        })
    }

    pub(super) fn list_multipart_uploads(
        &self,
        request: &ListMultipartUploads,
    ) -> Result<UploadPage, Refusal> {
        let bucket = self.bucket(&request.bucket)?;
        let after = |key: &str, upload_id: &str| match &request.after {
            None => true,
            Some((after_key, _)) if key != after_key => key > after_key.as_str(),
            Some((_, after_upload)) => {
                !after_upload.is_empty() && upload_id > after_upload.as_str()
            }
        };
        let mut rest = bucket.uploads.iter().filter(|((key, upload_id), _)| {
            key.as_str().starts_with(&request.prefix) && after(key.as_str(), upload_id.as_str())
        });
        let page = self.options.page_rows_max as usize;
        let uploads: Vec<UploadSummary> = rest
            .by_ref()
            .take(page)
            .map(|((key, upload_id), upload)| UploadSummary {
                key: key.clone(),
                upload_id: upload_id.clone(),
                initiated: Some(upload.initiated),
            })
            .collect();
        let next_after = match rest.next() {
            Some(_) => uploads
                .last()
                .map(|last| (last.key.to_string(), last.upload_id.to_string())),
            None => None,
        };
        Ok(UploadPage {
            uploads,
            next_after,
        })
    }

    fn upload(&self, place: &PartPlace<'_>) -> Result<&Upload, Refusal> {
        self.bucket(place.bucket)?
            .uploads
            .get(&(place.key.clone(), place.upload_id.clone()))
            .ok_or_else(Refusal::no_such_upload)
    }
}

/// Where a part belongs.
#[derive(Debug)]
pub(super) struct PartPlace<'a> {
    pub(super) bucket: &'a base::BucketName,
    pub(super) key: &'a base::Key,
    pub(super) upload_id: &'a UploadId,
    pub(super) part_number: PartNumber,
}

/// The parts that the request names, if it names them as S3 wants them.
fn chosen_parts<'a>(
    upload: &'a Upload,
    request: &CompleteMultipartUpload,
    part_size_min: ByteCount,
) -> Result<Vec<&'a Part>, Refusal> {
    if request.parts.is_empty() {
        let message = "You must specify at least one part";
        return Err(Refusal::new(Fault::Invalid, 400, "MalformedXML", message));
    }
    if !request.parts.is_sorted_by(|a, b| a.0 < b.0) {
        let message = "The list of parts was not in ascending order. Parts must be ordered by \
                       part number.";
        return Err(Refusal::new(
            Fault::Invalid,
            400,
            "InvalidPartOrder",
            message,
        ));
    }
    let mut chosen = Vec::with_capacity(request.parts.len());
    for (number, etag, checksum) in &request.parts {
        let part = upload.parts.get(number);
        let part = part.ok_or_else(Refusal::invalid_part)?;
        let claimed = checksum.as_ref().and_then(Checksum::as_crc64nvme);
        if part.etag != *etag || claimed.is_some_and(|claimed| claimed != part.crc64) {
            return Err(Refusal::invalid_part());
        }
        chosen.push(part);
    }
    let (_, all_but_last) = chosen.split_last().expect("there is at least one part");
    if all_but_last
        .iter()
        .any(|part| part.content.length() < part_size_min.0)
    {
        let message = "Your proposed upload is smaller than the minimum allowed size";
        return Err(Refusal::new(Fault::Invalid, 400, "EntityTooSmall", message));
    }
    Ok(chosen)
}
