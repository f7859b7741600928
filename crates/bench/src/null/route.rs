//! Which operation a request is, and what is answered.

use std::sync::Arc;

use parking_lot::Mutex;

use super::answer::{Answer, Refusal};
use super::body::Swallowed;
use super::counters::{Counters, Operation};
use super::listing::{self, LAST_MODIFIED};
use super::multipart::{Part, Uploads};
use super::objects::{Held, Objects, etag_of};
use super::options::{ETags, NullOptions};
use super::request::{Method, Request};
use super::xml::{self, element, texts};

/// The region that is told to whoever asks.
const REGION: &str = "us-east-1";

/// What all connections share.
#[derive(Debug)]
pub(super) struct Store {
    etags: ETags,
    checksums: bool,
    pub(super) counters: Arc<Counters>,
    objects: Mutex<Objects>,
    uploads: Mutex<Uploads>,
}

impl Store {
    pub(super) fn new(options: &NullOptions) -> Store {
        Store {
            etags: options.etags,
            checksums: options.checksums,
            counters: Arc::new(Counters::default()),
            objects: Mutex::new(Objects::new(options)),
            uploads: Mutex::new(Uploads::default()),
        }
    }

    /// Whether uploads are hashed by CRC-64 and by MD5.
    pub(super) fn hashes(&self) -> (bool, bool) {
        (self.checksums, self.etags == ETags::Md5)
    }

    /// The answer to a request whose body, if it has one, was taken whole.
    pub(super) fn answer(
        &self,
        operation: Operation,
        request: &Request,
        body: Swallowed,
    ) -> Answer {
        let answer = self
            .answer_or_refuse(operation, request, body)
            .unwrap_or_else(|refusal| {
                self.counters.refused();
                Answer::from(refusal)
            });
        if request.method == Method::Head {
            answer.without_body()
        } else {
            answer
        }
    }

    fn answer_or_refuse(
        &self,
        operation: Operation,
        request: &Request,
        body: Swallowed,
    ) -> Result<Answer, Refusal> {
        match operation {
            Operation::GetObject => self.get_object(request),
            Operation::HeadObject => self.head_object(request),
            Operation::PutObject => self.put_object(request, &body),
            Operation::UploadPart => self.upload_part(request, &body),
            Operation::CreateMultipartUpload => Ok(self.create_multipart_upload(request)),
            Operation::CompleteMultipartUpload => self.complete_multipart_upload(request, &body),
            Operation::AbortMultipartUpload => {
                let id = request.query("uploadId").unwrap_or_default();
                let aborted = self.uploads.lock().take(id);
                let known = aborted.ok_or(Refusal::NO_SUCH_UPLOAD);
                known.map(|_| Answer::empty().with_status(204))
            }
            Operation::ListParts => self.list_parts(request),
            Operation::CopyObject => self.copy_object(request),
            Operation::UploadPartCopy => self.upload_part_copy(request),
            Operation::ListObjects | Operation::ListObjectsV2 => {
                let mut objects = self.objects.lock();
                let space = objects.space(&request.bucket);
                let etag = objects.synthetic(space.size).etag;
                drop(objects);
                let text = listing::answer(&space, request, &etag, self.checksums);
                Ok(Answer::xml(text))
            }
            Operation::DeleteObject => {
                self.objects.lock().forget(&request.bucket, &request.key);
                Ok(Answer::empty().with_status(204))
            }
            Operation::DeleteObjects => Ok(self.delete_objects(request, &body)),
            Operation::HeadBucket => Ok(Answer::empty().header("x-amz-bucket-region", REGION)),
            Operation::CreateBucket | Operation::PutObjectTagging => Ok(Answer::empty()),
            Operation::DeleteBucket => Ok(Answer::empty().with_status(204)),
            Operation::GetBucketLocation => Ok(document("LocationConstraint", "")),
            Operation::GetBucketVersioning => Ok(document("VersioningConfiguration", "")),
            Operation::GetObjectTagging => Ok(document("Tagging", "<TagSet></TagSet>")),
            Operation::ListBuckets => Ok(document(
                "ListAllMyBucketsResult",
                "<Owner><ID>null</ID></Owner><Buckets></Buckets>",
            )),
            Operation::ListMultipartUploads => Ok(document(
                "ListMultipartUploadsResult",
                "<IsTruncated>false</IsTruncated>",
            )),
            Operation::Unknown => Err(Refusal::NOT_IMPLEMENTED),
        }
    }

    /// What the endpoint says of itself, for those who drive it.
    pub(super) fn answer_driver(&self, request: &Request) -> Answer {
        match (request.method, request.key.as_str()) {
            (Method::Get, "counters") => Answer::json(self.counters.to_json().to_string()),
            (Method::Post, "reset") => {
                self.counters.reset();
                self.objects.lock().clear();
                Answer::empty()
            }
            _ => Answer::from(Refusal::NOT_IMPLEMENTED),
        }
    }

    fn find(&self, bucket: &str, key: &str) -> Result<Held, Refusal> {
        self.objects
            .lock()
            .find(bucket, key)
            .ok_or(Refusal::NO_SUCH_KEY)
    }

    /// What is there, if the request's condition holds for it.
    fn find_asked(&self, request: &Request) -> Result<Held, Refusal> {
        let held = self.find(&request.bucket, &request.key)?;
        match &request.if_match {
            Some(etag) if *etag != held.etag => Err(Refusal::PRECONDITION_FAILED),
            Some(_) | None => Ok(held),
        }
    }

    fn get_object(&self, request: &Request) -> Result<Answer, Refusal> {
        let held = self.find_asked(request)?;
        if !held.synthetic {
            return Err(Refusal::NO_SUCH_KEY);
        }
        let slices = |range| self.objects.lock().content.slices(range);
        let Some(asked) = request.range else {
            let answer = Answer::slices(held.size, slices(0..held.size)).describes(&held);
            return Ok(answer.checksum(held.crc64.filter(|_| request.checksum_mode)));
        };
        let range = asked.of(held.size).ok_or(Refusal::INVALID_RANGE)?;
        let content_range = format!("bytes {}-{}/{}", range.start, range.end - 1, held.size);
        Ok(Answer::slices(range.end - range.start, slices(range))
            .with_status(206)
            .describes(&held)
            .header("Content-Range", &content_range))
    }

    fn head_object(&self, request: &Request) -> Result<Answer, Refusal> {
        let held = self.find_asked(request)?;
        let nothing = self.objects.lock().content.slices(0..0);
        Ok(Answer::slices(held.size, nothing)
            .describes(&held)
            .checksum(held.crc64.filter(|_| request.checksum_mode)))
    }

    fn put_object(&self, request: &Request, body: &Swallowed) -> Result<Answer, Refusal> {
        self.compare(request, body)?;
        let held = Held {
            size: body.size,
            etag: etag_of(self.etags, body.md5, body.crc64),
            crc64: body.crc64,
            synthetic: false,
        };
        let answer = Answer::empty().etag(&held.etag).checksum(held.crc64);
        self.remember(request, held);
        Ok(answer)
    }

    fn remember(&self, request: &Request, held: Held) {
        let mut objects = self.objects.lock();
        if let Some(crc64) = held.crc64
            && crc64 != objects.content.facts(held.size).crc64
        {
            self.counters.kept_other_bytes();
        }
        objects.remember(&request.bucket, &request.key, held);
    }

    /// The checksum that came along against the bytes.
    fn compare(&self, request: &Request, body: &Swallowed) -> Result<(), Refusal> {
        match (request.crc64, body.crc64) {
            (Some(said), Some(found)) if said != found => {
                self.counters.bad_checksum();
                Err(Refusal::BAD_DIGEST)
            }
            (Some(_) | None, Some(_) | None) => Ok(()),
        }
    }

    fn create_multipart_upload(&self, request: &Request) -> Answer {
        let id = self.uploads.lock().begin();
        let mut text = String::new();
        element(&mut text, "Bucket", &request.bucket);
        element(&mut text, "Key", &request.key);
        element(&mut text, "UploadId", &id);
        let answer = document("InitiateMultipartUploadResult", &text);
        if self.checksums {
            answer
                .header("x-amz-checksum-algorithm", "CRC64NVME")
                .header("x-amz-checksum-type", "FULL_OBJECT")
        } else {
            answer
        }
    }

    fn upload_part(&self, request: &Request, body: &Swallowed) -> Result<Answer, Refusal> {
        self.compare(request, body)?;
        let part = Part {
            size: body.size,
            etag: etag_of(self.etags, body.md5, body.crc64),
            crc64: body.crc64,
            md5: body.md5,
        };
        let answer = Answer::empty().etag(&part.etag);
        let answer = match part.crc64 {
            Some(crc64) => answer.header("x-amz-checksum-crc64nvme", &crc64.to_base64()),
            None => answer,
        };
        self.keep_part(request, part)?;
        Ok(answer)
    }

    fn keep_part(&self, request: &Request, part: Part) -> Result<(), Refusal> {
        let number = request
            .query("partNumber")
            .and_then(|text| text.parse().ok());
        let number = number.ok_or(Refusal::INVALID_PART)?;
        let mut uploads = self.uploads.lock();
        let id = request.query("uploadId").unwrap_or_default();
        let upload = uploads.get_mut(id).ok_or(Refusal::NO_SUCH_UPLOAD)?;
        upload.parts.insert(number, part);
        Ok(())
    }

    fn complete_multipart_upload(
        &self,
        request: &Request,
        body: &Swallowed,
    ) -> Result<Answer, Refusal> {
        let order = String::from_utf8_lossy(&body.text);
        let numbers: Option<Vec<u32>> = texts(&order, "PartNumber")
            .map(|number| number.trim().parse().ok())
            .collect();
        let numbers = numbers.ok_or(Refusal::INVALID_PART)?;
        let id = request.query("uploadId").unwrap_or_default();
        let upload = self
            .uploads
            .lock()
            .take(id)
            .ok_or(Refusal::NO_SUCH_UPLOAD)?;
        let held = upload
            .whole(&numbers, self.etags)
            .ok_or(Refusal::INVALID_PART)?;
        if let (Some(said), Some(found)) = (request.crc64, held.crc64)
            && said != found
        {
            self.counters.bad_checksum();
            return Err(Refusal::BAD_DIGEST);
        }
        let mut text = String::new();
        element(&mut text, "Bucket", &request.bucket);
        element(&mut text, "Key", &request.key);
        write_facts(&mut text, &held);
        self.remember(request, held);
        Ok(document("CompleteMultipartUploadResult", &text))
    }

    fn list_parts(&self, request: &Request) -> Result<Answer, Refusal> {
        let mut uploads = self.uploads.lock();
        let id = request.query("uploadId").unwrap_or_default();
        let upload = uploads.get_mut(id).ok_or(Refusal::NO_SUCH_UPLOAD)?;
        let mut text = String::from("<IsTruncated>false</IsTruncated>");
        for (number, part) in &upload.parts {
            text.push_str("<Part>");
            element(&mut text, "PartNumber", &number.to_string());
            element(&mut text, "LastModified", LAST_MODIFIED);
            element(&mut text, "ETag", &format!("\"{}\"", part.etag));
            element(&mut text, "Size", &part.size.to_string());
            if let Some(crc64) = part.crc64 {
                element(&mut text, "ChecksumCRC64NVME", &crc64.to_base64());
            }
            text.push_str("</Part>");
        }
        Ok(document("ListPartsResult", &text))
    }

    fn source(&self, request: &Request) -> Result<Held, Refusal> {
        let (bucket, key) = request.copy_source.as_ref().ok_or(Refusal::NO_SUCH_KEY)?;
        self.find(bucket, key)
    }

    fn copy_object(&self, request: &Request) -> Result<Answer, Refusal> {
        let held = Held {
            synthetic: false,
            ..self.source(request)?
        };
        let mut text = String::new();
        element(&mut text, "LastModified", LAST_MODIFIED);
        write_facts(&mut text, &held);
        self.remember(request, held);
        Ok(document("CopyObjectResult", &text))
    }

    fn upload_part_copy(&self, request: &Request) -> Result<Answer, Refusal> {
        let held = self.source(request)?;
        let range = match request.copy_source_range {
            Some(asked) => asked.of(held.size).ok_or(Refusal::INVALID_RANGE)?,
            None => 0..held.size,
        };
        let known = held.crc64.filter(|_| held.synthetic);
        let crc64 = known.map(|_| self.objects.lock().content.crc64(range.clone()));
        let part = Part {
            size: range.end - range.start,
            etag: etag_of(ETags::Opaque, None, crc64),
            crc64,
            md5: None,
        };
        let mut text = String::new();
        element(&mut text, "LastModified", LAST_MODIFIED);
        element(&mut text, "ETag", &format!("\"{}\"", part.etag));
        if let Some(crc64) = crc64 {
            element(&mut text, "ChecksumCRC64NVME", &crc64.to_base64());
        }
        self.keep_part(request, part)?;
        Ok(document("CopyPartResult", &text))
    }

    fn delete_objects(&self, request: &Request, body: &Swallowed) -> Answer {
        let order = String::from_utf8_lossy(&body.text);
        let quiet = texts(&order, "Quiet").any(|quiet| quiet.trim() == "true");
        let mut objects = self.objects.lock();
        let mut text = String::new();
        for key in texts(&order, "Key") {
            objects.forget(&request.bucket, &key);
            if !quiet {
                text.push_str("<Deleted>");
                element(&mut text, "Key", &key);
                text.push_str("</Deleted>");
            }
        }
        document("DeleteResult", &text)
    }
}

/// ETag and checksum, as results of writes say them.
fn write_facts(text: &mut String, held: &Held) {
    element(text, "ETag", &format!("\"{}\"", held.etag));
    if let Some(crc64) = held.crc64 {
        element(text, "ChecksumCRC64NVME", &crc64.to_base64());
        element(text, "ChecksumType", "FULL_OBJECT");
    }
}

fn document(root: &str, inside: &str) -> Answer {
    let declaration = xml::DECLARATION;
    let namespace = "http://s3.amazonaws.com/doc/2006-03-01/";
    Answer::xml(format!(
        "{declaration}<{root} xmlns=\"{namespace}\">{inside}</{root}>"
    ))
}

/// What a request is, by its method, its path and its query.
pub(super) fn operation_of(request: &Request) -> Operation {
    let has = |name| request.has(name);
    if request.bucket.is_empty() {
        return match request.method {
            Method::Get => Operation::ListBuckets,
            Method::Head | Method::Put | Method::Post | Method::Delete => Operation::Unknown,
        };
    }
    if request.key.is_empty() {
        return match request.method {
            Method::Head => Operation::HeadBucket,
            Method::Put => Operation::CreateBucket,
            Method::Delete => Operation::DeleteBucket,
            Method::Post if has("delete") => Operation::DeleteObjects,
            Method::Post => Operation::Unknown,
            Method::Get if has("location") => Operation::GetBucketLocation,
            Method::Get if has("versioning") => Operation::GetBucketVersioning,
            Method::Get if has("uploads") => Operation::ListMultipartUploads,
            Method::Get if request.query("list-type") == Some("2") => Operation::ListObjectsV2,
            Method::Get if has("versions") || has("acl") || has("policy") => Operation::Unknown,
            Method::Get => Operation::ListObjects,
        };
    }
    let copies = request.copy_source.is_some();
    match request.method {
        Method::Get if has("uploadId") => Operation::ListParts,
        Method::Get if has("tagging") => Operation::GetObjectTagging,
        Method::Get if has("acl") || has("attributes") => Operation::Unknown,
        Method::Get => Operation::GetObject,
        Method::Head => Operation::HeadObject,
        Method::Put if has("uploadId") && copies => Operation::UploadPartCopy,
        Method::Put if has("uploadId") => Operation::UploadPart,
        Method::Put if has("tagging") => Operation::PutObjectTagging,
        Method::Put if has("acl") => Operation::Unknown,
        Method::Put if copies => Operation::CopyObject,
        Method::Put => Operation::PutObject,
        Method::Post if has("uploads") => Operation::CreateMultipartUpload,
        Method::Post if has("uploadId") => Operation::CompleteMultipartUpload,
        Method::Post => Operation::Unknown,
        Method::Delete if has("uploadId") => Operation::AbortMultipartUpload,
        Method::Delete => Operation::DeleteObject,
    }
}

/// Whether a body is an order, to be read, and not an object.
pub(super) fn is_order(operation: Operation) -> bool {
    matches!(
        operation,
        Operation::CompleteMultipartUpload | Operation::DeleteObjects
    )
}
