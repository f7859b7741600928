//! The account: its buckets, and the operations on buckets and objects.

use std::collections::BTreeMap;
use std::sync::Arc;

use base::limits::{DELETE_KEYS_MAX, PART_SIZE_MAX};
use base::{BucketName, ByteCount, Checksum, Crc64Nvme, ETag, Fault, Key};
use jiff::{Timestamp, Unit};

use super::bucket::{Bucket, StoredObject, Version};
use super::content::Content;
use super::lock;
use super::options::{ETagStyle, MemoryOptions};
use super::refusal::Refusal;
use crate::types::{
    BucketListing, ByteRange, CopyConditions, CopyObject, CopyObjectOutput, CopySource,
    DeleteObject, DeleteObjectOutput, DeleteObjects, DeleteObjectsOutput, DeletedObject, GetObject,
    HeadObject, MetadataDirective, ObjectAttributes, ObjectHead, PutCondition, Tag,
    TaggingDirective, VersioningState,
};

/// What S3 answers where no type was given.
const CONTENT_TYPE_DEFAULT: &str = "binary/octet-stream";

/// Bytes that arrived, with what was computed of them before the account was locked.
#[derive(Debug, Clone)]
pub(super) struct Received {
    pub(super) content: Content,
    pub(super) md5: [u8; 16],
    pub(super) crc64: Crc64Nvme,
    /// The checksum that came along, if any.
    pub(super) claimed: Option<Crc64Nvme>,
}

impl Received {
    pub(super) fn of(content: Content, claimed: Option<Crc64Nvme>) -> Received {
        Received {
            md5: content.md5(),
            crc64: content.crc64(),
            content,
            claimed,
        }
    }
}

/// What a write left behind.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) object: Arc<StoredObject>,
    pub(super) version_id: Option<base::VersionId>,
}

/// What a read found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) head: ObjectHead,
    pub(super) content: Content,
    pub(super) range: Option<ByteRange>,
}

/// All buckets and the settings they are served with.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) options: MemoryOptions,
    pub(super) buckets: BTreeMap<BucketName, Bucket>,
    /// Counts writes; versions, uploads and opaque ETags are named by it.
    pub(super) sequence: u64,
}

impl Account {
    pub(super) fn new(options: MemoryOptions) -> Account {
        Account {
            options,
            buckets: BTreeMap::new(),
            sequence: 0,
        }
    }

    /// The time as S3 keeps it: whole seconds.
    pub(super) fn now(&self) -> Timestamp {
        let now = self.options.clock.now();
        let options = jiff::TimestampRound::new()
            .smallest(Unit::Second)
            .mode(jiff::RoundMode::Trunc);
        now.round(options).unwrap_or(now)
    }

    pub(super) fn next_sequence(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }

    pub(super) fn bucket(&self, name: &BucketName) -> Result<&Bucket, Refusal> {
        self.buckets.get(name).ok_or_else(Refusal::no_such_bucket)
    }

    pub(super) fn bucket_mut(&mut self, name: &BucketName) -> Result<&mut Bucket, Refusal> {
        self.buckets
            .get_mut(name)
            .ok_or_else(Refusal::no_such_bucket)
    }

    pub(super) fn list_buckets(&self) -> Vec<BucketListing> {
        self.buckets
            .iter()
            .map(|(name, bucket)| BucketListing {
                name: name.to_string(),
                created: Some(bucket.created),
            })
            .collect()
    }

    pub(super) fn create_bucket(&mut self, name: BucketName) -> Result<(), Refusal> {
        if self.buckets.contains_key(&name) {
            let message = "Your previous request to create the named bucket succeeded and you \
                           already own it.";
            return Err(Refusal::new(
                Fault::Conflict,
                409,
                "BucketAlreadyOwnedByYou",
                message,
            ));
        }
        let bucket = Bucket::new(self.now());
        self.buckets.insert(name, bucket);
        Ok(())
    }

    pub(super) fn delete_bucket(&mut self, name: &BucketName) -> Result<(), Refusal> {
        if !self.bucket(name)?.keys.is_empty() {
            let message = "The bucket you tried to delete is not empty";
            return Err(Refusal::new(
                Fault::Conflict,
                409,
                "BucketNotEmpty",
                message,
            ));
        }
        self.buckets.remove(name);
        Ok(())
    }

    pub(super) fn put_versioning(
        &mut self,
        name: &BucketName,
        state: VersioningState,
    ) -> Result<(), Refusal> {
        let bucket = self.bucket_mut(name)?;
        if state == VersioningState::Unversioned {
            let message = "A bucket's versioning can be suspended, not taken back.";
            return Err(Refusal::new(
                Fault::Invalid,
                400,
                "IllegalVersioningConfigurationException",
                message,
            ));
        }
        if bucket.takes_locks && state == VersioningState::Suspended {
            return Err(lock::invalid_bucket_state());
        }
        bucket.versioning = state;
        Ok(())
    }

    pub(super) fn head_object(&self, request: &HeadObject) -> Result<ObjectHead, Refusal> {
        let bucket = self.bucket(&request.bucket)?;
        let (version, object) = bucket.find(&request.key, request.version_id.as_ref())?;
        let mut head = head(bucket, version, object, request.checksum_mode);
        if let Some(number) = request.part_number {
            if !object.has_part(number) {
                let message = "The requested partnumber is not satisfiable";
                return Err(Refusal::new(
                    Fault::Invalid,
                    416,
                    "InvalidPartNumber",
                    message,
                ));
            }
            head.part_count = object.part_count();
        }
        Ok(head)
    }

    pub(super) fn get_object(&self, request: &GetObject) -> Result<Found, Refusal> {
        let bucket = self.bucket(&request.bucket)?;
        let (version, object) = bucket.find(&request.key, request.version_id.as_ref())?;
        if request
            .if_match
            .as_ref()
            .is_some_and(|etag| *etag != object.etag)
        {
            return Err(Refusal::precondition_failed());
        }
        refuse_archived(object)?;
        let length = object.content.length();
        let range = match request.range {
            None => None,
            Some(range) if range.offset >= length => return Err(Refusal::invalid_range()),
            Some(range) => Some(ByteRange {
                offset: range.offset,
                length: ByteCount(range.length.0.min(length - range.offset)),
            }),
        };
        // S3 says the whole's checksum only beside the whole.
        let is_whole = range.is_none_or(|range| range.length.0 == length);
        let checksum_mode = request.checksum_mode && is_whole;
        Ok(Found {
            head: head(bucket, version, object, checksum_mode),
            content: match range {
                None => object.content.clone(),
                Some(range) => object.content.slice(range.offset, range.length.0),
            },
            range,
        })
    }

    pub(super) fn put_object(
        &mut self,
        bucket: &BucketName,
        key: Key,
        received: Received,
        attributes: ObjectAttributes,
        condition: &PutCondition,
    ) -> Result<Written, Refusal> {
        self.refuse_attributes(bucket, &attributes)?;
        self.refuse_changed(&received)?;
        self.bucket(bucket)?.check(&key, condition)?;
        let etag = self.etag_of(&attributes, || hex::encode(received.md5));
        let object = StoredObject {
            etag,
            crc64: self.options.checksums.then_some(received.crc64),
            content: received.content,
            attributes,
            checksum: None,
            policy: None,
            part_numbers: Vec::new(),
        };
        let now = self.now();
        self.write(bucket, key, object, now)
    }

    /// Makes `object` current.
    pub(super) fn write(
        &mut self,
        bucket: &BucketName,
        key: Key,
        object: StoredObject,
        last_modified: Timestamp,
    ) -> Result<Written, Refusal> {
        let sequence = self.next_sequence();
        let object = Arc::new(object);
        let version_id =
            self.bucket_mut(bucket)?
                .add(key, sequence, last_modified, Some(Arc::clone(&object)));
        Ok(Written { object, version_id })
    }

    /// Compares what arrived with the checksum beside it, if this store knows checksums.
    pub(super) fn refuse_changed(&self, received: &Received) -> Result<(), Refusal> {
        match received.claimed {
            Some(claimed) if self.options.checksums && claimed != received.crc64 => {
                Err(Refusal::bad_digest())
            }
            Some(_) | None => Ok(()),
        }
    }

    /// The ETag of a new object. Under KMS it looks like an MD5 and is none.
    pub(super) fn etag_of(
        &self,
        attributes: &ObjectAttributes,
        md5: impl FnOnce() -> String,
    ) -> ETag {
        let kms = attributes
            .encryption
            .algorithm
            .as_deref()
            .is_some_and(|algorithm| algorithm != "AES256");
        let next = self.sequence + 1;
        ETag::from_header(&match self.options.etags {
            ETagStyle::Opaque => format!("opaque-{next}"),
            ETagStyle::Md5 if kms => format!("{:032x}", u128::from(next) << 64 | 0xb5),
            ETagStyle::Md5 => md5(),
        })
    }

    /// The source of a copy, if it is still what the request says.
    pub(super) fn copy_source(
        &self,
        source: &CopySource,
        conditions: &CopyConditions,
    ) -> Result<Arc<StoredObject>, Refusal> {
        let bucket = self.bucket(&source.bucket)?;
        let (_, object) = bucket.find(&source.key, source.version_id.as_ref())?;
        if conditions
            .if_match
            .as_ref()
            .is_some_and(|etag| *etag != object.etag)
        {
            return Err(Refusal::precondition_failed());
        }
        refuse_archived(object)?;
        Ok(Arc::clone(object))
    }

    pub(super) fn copy_object(&mut self, request: CopyObject) -> Result<CopyObjectOutput, Refusal> {
        self.refuse_attributes(&request.bucket, &request.attributes)?;
        let source = self.copy_source(&request.source, &request.conditions)?;
        if source.content.length() > PART_SIZE_MAX.0 {
            let message = "The specified copy source is larger than the maximum allowable size \
                           for a copy source: 5368709120";
            return Err(Refusal::new(Fault::Invalid, 400, "InvalidRequest", message));
        }
        let attributes = copied_attributes(&request, &source.attributes);
        let same_place = request.bucket == request.source.bucket
            && request.key == request.source.key
            && request.source.version_id.is_none();
        if same_place
            && request.metadata_directive == MetadataDirective::Copy
            && changes_nothing(&request.attributes)
        {
            let message = "This copy request is illegal because it is trying to copy an object to \
                           itself without changing the object's metadata, storage class, website \
                           redirect location or encryption attributes.";
            return Err(Refusal::new(Fault::Invalid, 400, "InvalidRequest", message));
        }
        let etag = self.etag_of(&attributes, || hex::encode(source.content.md5()));
        let object = StoredObject {
            etag,
            crc64: self
                .options
                .checksums
                .then(|| source.crc64.unwrap_or_else(|| source.content.crc64())),
            content: source.content.clone(),
            attributes,
            checksum: None,
            policy: None,
            part_numbers: Vec::new(),
        };
        let now = self.now();
        let written = self.write(&request.bucket, request.key, object, now)?;
        Ok(CopyObjectOutput {
            etag: Some(written.object.etag.clone()),
            version_id: written.version_id,
            checksum: written.object.crc64.map(Checksum::crc64nvme),
        })
    }

    pub(super) fn delete_object(
        &mut self,
        request: &DeleteObject,
    ) -> Result<DeleteObjectOutput, Refusal> {
        let now = self.now();
        let bucket = self.bucket(&request.bucket)?;
        if let Some(wanted) = &request.if_match {
            let there = match bucket.find(&request.key, request.version_id.as_ref()) {
                Ok((_, object)) => Some(&object.etag),
                Err(_) => None,
            };
            if there != Some(wanted) {
                return Err(Refusal::precondition_failed());
            }
        }
        if let Some(id) = &request.version_id {
            bucket.refuse_locked(&request.key, id, self.options.clock.now())?;
        }
        let sequence = self.next_sequence();
        let bucket = self.bucket_mut(&request.bucket)?;
        Ok(match &request.version_id {
            Some(id) => bucket.delete_version(&request.key, id),
            None => bucket.delete_current(&request.key, sequence, now),
        })
    }

    pub(super) fn delete_objects(
        &mut self,
        request: DeleteObjects,
    ) -> Result<DeleteObjectsOutput, Refusal> {
        self.bucket(&request.bucket)?;
        if request.objects.is_empty() || request.objects.len() > DELETE_KEYS_MAX {
            let message = "The XML you provided was not well-formed or did not validate against \
                           our published schema";
            return Err(Refusal::new(Fault::Invalid, 400, "MalformedXML", message));
        }
        let mut output = DeleteObjectsOutput::default();
        for object in request.objects {
            let done = self.delete_object(&DeleteObject {
                bucket: request.bucket.clone(),
                key: object.key.clone(),
                version_id: object.version_id.clone(),
                if_match: None,
            });
            match done {
                Ok(done) => output.deleted.push(DeletedObject {
                    delete_marker_version_id: done.version_id.filter(|_| done.delete_marker),
                    object,
                }),
                Err(refusal) => output.failed.push(refusal.into_failure(object)),
            }
        }
        Ok(output)
    }
}

/// What HEAD says of a version.
fn head(
    bucket: &Bucket,
    version: &Version,
    object: &StoredObject,
    checksum_mode: bool,
) -> ObjectHead {
    let tags = object.attributes.tagging.as_deref().map(Tag::decode_all);
    let tag_count = tags
        .and_then(|tags| u32::try_from(tags.len()).ok())
        .filter(|count| *count > 0);
    let mut attributes = ObjectAttributes {
        acl: None,
        tagging: None,
        storage_class: (object.attributes.storage_class.clone())
            .filter(|class| class.as_str() != "STANDARD"),
        ..object.attributes.clone()
    };
    if attributes.content_type.is_none() {
        attributes.content_type = Some(CONTENT_TYPE_DEFAULT.to_owned());
    }
    attributes.metadata.sort();
    ObjectHead {
        size: ByteCount(object.content.length()),
        etag: Some(object.etag.clone()),
        last_modified: Some(version.last_modified),
        version_id: (bucket.versioning != VersioningState::Unversioned)
            .then(|| version.id_or_null()),
        attributes,
        checksums: (object.checksum.clone())
            .or(object.crc64.map(Checksum::crc64nvme))
            .filter(|_| checksum_mode)
            .into_iter()
            .collect(),
        tag_count,
        part_count: None,
        customer_encrypted: false,
    }
}

/// What the copy carries: storage class, ACL, lock, encryption and redirect are never the source's.
fn copied_attributes(request: &CopyObject, source: &ObjectAttributes) -> ObjectAttributes {
    let own = ObjectAttributes {
        tagging: match request.tagging_directive {
            TaggingDirective::Copy => source.tagging.clone(),
            TaggingDirective::Replace => request.attributes.tagging.clone(),
        },
        ..request.attributes.clone()
    };
    match request.metadata_directive {
        MetadataDirective::Replace => own,
        MetadataDirective::Copy => ObjectAttributes {
            website_redirect_location: own.website_redirect_location,
            storage_class: own.storage_class,
            acl: own.acl,
            encryption: own.encryption,
            tagging: own.tagging,
            lock: own.lock,
            ..source.clone()
        },
    }
}

/// Whether a copy with these attributes, onto its own source, would change nothing that S3 takes
/// for a reason: tags and locks are none.
fn changes_nothing(attributes: &ObjectAttributes) -> bool {
    attributes.storage_class.is_none()
        && attributes.encryption.algorithm.is_none()
        && attributes.website_redirect_location.is_none()
}

fn refuse_archived(object: &StoredObject) -> Result<(), Refusal> {
    let class = object.attributes.storage_class.as_ref();
    if class.is_some_and(|class| class.is_archived()) {
        return Err(Refusal::archived());
    }
    Ok(())
}
