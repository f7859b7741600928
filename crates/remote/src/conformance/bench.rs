//! A check's bucket, and the steps that checks have in common.

use std::fmt;

use base::fault::Classified as _;
use base::ids::PartNumber;
use base::{BucketName, ByteCount, Fault, Key, VersionId};
use bytes::Bytes;

use crate::client::ObjectClient;
use crate::error::{Error, Result as RemoteResult};
use crate::payload::Payload;
use crate::types::{
    AbortMultipartUpload, CompleteMultipartUpload, CompletedUpload, CopySource,
    CreateMultipartUpload, CreatedUpload, DeleteObject, DeleteObjectOutput, GetObject, HeadObject,
    ListMultipartUploads, ListObjectVersions, ListObjects, ListPage, ListedObject,
    ObjectAttributes, ObjectHead, PutCondition, PutObject, PutObjectOutput, UploadPart,
    UploadSummary, UploadedPart,
};

/// Most pages of any listing here; more means that it never ends.
const PAGES_MAX: usize = 200;

/// Why a check failed.
#[derive(Debug)]
pub(super) struct Failure(pub(super) String);

/// How a check came out.
pub(super) type Verdict<T = ()> = Result<T, Failure>;

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        let mut text = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            text.push_str(": ");
            text.push_str(&cause.to_string());
            source = cause.source();
        }
        Failure(text)
    }
}

impl From<String> for Failure {
    fn from(text: String) -> Failure {
        Failure(text)
    }
}

impl From<&str> for Failure {
    fn from(text: &str) -> Failure {
        Failure(text.to_owned())
    }
}

/// Both must be equal.
pub(super) fn same<T: PartialEq + fmt::Debug>(what: &str, got: T, wanted: T) -> Verdict {
    if got == wanted {
        return Ok(());
    }
    let shown = |value: &T| -> String { format!("{value:?}").chars().take(400).collect() };
    Err(Failure(format!(
        "{what}: got {}, wanted {}",
        shown(&got),
        shown(&wanted)
    )))
}

/// This must hold.
pub(super) fn holds(what: &str, condition: bool) -> Verdict {
    if condition {
        Ok(())
    } else {
        Err(Failure(format!("{what} does not hold")))
    }
}

/// The request must be refused with this fault and one of these codes (any, if there are none).
pub(super) fn refused<T>(
    what: &str,
    result: RemoteResult<T>,
    fault: Fault,
    codes: &[&str],
) -> Verdict {
    let error = match result {
        Ok(_) => return Err(Failure(format!("{what}: it was not refused"))),
        Err(error) => error,
    };
    let code = error.code().unwrap_or_default();
    if error.fault() == fault && (codes.is_empty() || codes.contains(&code)) {
        return Ok(());
    }
    let seen = Failure::from(error).0;
    Err(Failure(format!(
        "{what}: refused otherwise than with {fault:?} {codes:?}: {seen}"
    )))
}

/// A key of a check, which is always one.
pub(super) fn key(text: &str) -> Key {
    Key::new(text).expect("a key of the suite")
}

/// Bytes that name their place: a ramp over a prime.
pub(super) fn ramp(phase: usize, length: usize) -> Bytes {
    const PERIOD: usize = 251;
    let byte = |i: usize| u8::try_from((phase + i) % PERIOD).expect("below 251");
    let period: Vec<u8> = (0..PERIOD).map(byte).collect();
    period.iter().copied().cycle().take(length).collect()
}

/// A check's client and its bucket.
pub(super) struct Bench<'a> {
    pub(super) client: &'a dyn ObjectClient,
    pub(super) bucket: BucketName,
}

impl<'a> Bench<'a> {
    pub(super) fn new(client: &'a dyn ObjectClient, bucket: BucketName) -> Bench<'a> {
        Bench { client, bucket }
    }

    pub(super) async fn set_up(&self) -> Verdict {
        let made = self.client.create_bucket(self.bucket.clone()).await;
        made.map_err(|error| Failure(format!("set up: {}", Failure::from(error).0)))
    }

    /// Removes the bucket with all that is in it.
    pub(super) async fn tear_down(&self) -> Verdict {
        self.empty()
            .await
            .map_err(|failure| Failure(format!("tear down: {}", failure.0)))
    }

    async fn empty(&self) -> Verdict {
        let head = self.client.head_bucket(self.bucket.clone()).await;
        // The check removed it itself.
        if head.is_err_and(|error| error.fault() == Fault::NotFound) {
            return Ok(());
        }
        // A server without this listing has its own check to fail.
        for upload in self.all_uploads("").await.unwrap_or_default() {
            let abort = AbortMultipartUpload {
                bucket: self.bucket.clone(),
                key: upload.key,
                upload_id: upload.upload_id,
            };
            self.client.abort_multipart_upload(abort).await?;
        }
        let rows = match self
            .all_versions(ListObjectVersions {
                bucket: self.bucket.clone(),
                prefix: String::new(),
                delimiter: None,
                continuation_token: None,
                keys_max: None,
            })
            .await
        {
            Ok((rows, _)) => rows,
            Err(_) => self.all_objects(self.list("")).await?.0,
        };
        for row in rows {
            let delete = DeleteObject {
                bucket: self.bucket.clone(),
                key: row.key,
                version_id: row.version.map(|version| version.id),
                if_match: None,
            };
            self.client.delete_object(delete).await?;
        }
        Ok(self.client.delete_bucket(self.bucket.clone()).await?)
    }

    /// A PUT of `bytes` as they are.
    pub(super) fn put_request(&self, name: &str, bytes: impl Into<Bytes>) -> PutObject {
        PutObject {
            bucket: self.bucket.clone(),
            key: key(name),
            payload: Payload::from_bytes(bytes),
            attributes: ObjectAttributes::default(),
            condition: PutCondition::None,
        }
    }

    pub(super) async fn put(
        &self,
        name: &str,
        bytes: impl Into<Bytes>,
    ) -> Verdict<PutObjectOutput> {
        let request = self.put_request(name, bytes);
        Ok(self.client.put_object(request).await?)
    }

    pub(super) fn get_request(&self, name: &str) -> GetObject {
        GetObject::new(self.bucket.clone(), key(name))
    }

    /// All bytes of an object.
    pub(super) async fn get(&self, name: &str) -> Verdict<Bytes> {
        self.read(self.get_request(name)).await
    }

    /// All bytes of an answer, whose length must be as promised.
    pub(super) async fn read(&self, request: GetObject) -> Verdict<Bytes> {
        let output = self.client.get_object(request).await?;
        let promised = match output.range {
            Some(range) => range.length,
            None => output.head.size,
        };
        let bytes = output.body.collect().await?;
        same(
            "length of the body",
            ByteCount(bytes.len() as u64),
            promised,
        )?;
        Ok(bytes)
    }

    pub(super) fn head_request(&self, name: &str) -> HeadObject {
        HeadObject::new(self.bucket.clone(), key(name))
    }

    pub(super) async fn head(&self, name: &str) -> Verdict<ObjectHead> {
        Ok(self.client.head_object(self.head_request(name)).await?)
    }

    pub(super) fn delete_request(&self, name: &str, version: Option<VersionId>) -> DeleteObject {
        DeleteObject {
            bucket: self.bucket.clone(),
            key: key(name),
            version_id: version,
            if_match: None,
        }
    }

    pub(super) async fn delete(
        &self,
        name: &str,
        version: Option<VersionId>,
    ) -> Verdict<DeleteObjectOutput> {
        let request = self.delete_request(name, version);
        Ok(self.client.delete_object(request).await?)
    }

    /// The object must not be there.
    pub(super) async fn absent(&self, name: &str) -> Verdict {
        let head = self.client.head_object(self.head_request(name)).await;
        refused(&format!("HEAD of {name:?}"), head, Fault::NotFound, &[])
    }

    pub(super) fn list(&self, prefix: &str) -> ListObjects {
        ListObjects::new(self.bucket.clone(), prefix)
    }

    /// Follows every page: rows and common prefixes, each in the order of the pages.
    pub(super) async fn all_objects(
        &self,
        mut request: ListObjects,
    ) -> Verdict<(Vec<ListedObject>, Vec<String>)> {
        let mut objects = Vec::new();
        let mut prefixes = Vec::new();
        for _ in 0..PAGES_MAX {
            let page = self.client.list_objects(request.clone()).await?;
            page_within(&page, request.keys_max)?;
            objects.extend(page.objects);
            prefixes.extend(page.common_prefixes);
            match page.next {
                Some(next) if request.continuation_token.as_ref() == Some(&next) => {
                    return Err("the same token twice".into());
                }
                Some(next) => request.continuation_token = Some(next),
                None => return Ok((objects, prefixes)),
            }
        }
        Err("the listing does not end".into())
    }

    /// The keys of a listing.
    pub(super) async fn all_keys(&self, request: ListObjects) -> Verdict<Vec<String>> {
        let (objects, _) = self.all_objects(request).await?;
        Ok(objects.iter().map(|row| row.key.to_string()).collect())
    }

    /// Follows every page of a listing of versions: rows and common prefixes.
    pub(super) async fn all_versions(
        &self,
        mut request: ListObjectVersions,
    ) -> Verdict<(Vec<ListedObject>, Vec<String>)> {
        let mut rows = Vec::new();
        let mut prefixes = Vec::new();
        for _ in 0..PAGES_MAX {
            let page = self.client.list_object_versions(request.clone()).await?;
            page_within(&page, request.keys_max)?;
            rows.extend(page.objects);
            prefixes.extend(page.common_prefixes);
            match page.next {
                Some(next) => request.continuation_token = Some(next),
                None => return Ok((rows, prefixes)),
            }
        }
        Err("the listing does not end".into())
    }

    /// Follows every page of a listing of uploads.
    pub(super) async fn all_uploads(&self, prefix: &str) -> Verdict<Vec<UploadSummary>> {
        let mut request = ListMultipartUploads {
            bucket: self.bucket.clone(),
            prefix: prefix.to_owned(),
            after: None,
        };
        let mut uploads = Vec::new();
        for _ in 0..PAGES_MAX {
            let page = self.client.list_multipart_uploads(request.clone()).await?;
            uploads.extend(page.uploads);
            match page.next_after {
                Some(after) => request.after = Some(after),
                None => return Ok(uploads),
            }
        }
        Err("the listing does not end".into())
    }

    pub(super) fn create_request(&self, name: &str) -> CreateMultipartUpload {
        CreateMultipartUpload {
            bucket: self.bucket.clone(),
            key: key(name),
            attributes: ObjectAttributes::default(),
        }
    }

    pub(super) async fn create_upload(&self, name: &str) -> Verdict<CreatedUpload> {
        let request = self.create_request(name);
        Ok(self.client.create_multipart_upload(request).await?)
    }

    pub(super) fn part_request(
        &self,
        name: &str,
        upload: &CreatedUpload,
        number: u32,
        bytes: impl Into<Bytes>,
    ) -> UploadPart {
        UploadPart {
            bucket: self.bucket.clone(),
            key: key(name),
            upload_id: upload.upload_id.clone(),
            part_number: part_number(number),
            payload: Payload::from_bytes(bytes),
            takes_crc64nvme: upload.takes_crc64nvme,
        }
    }

    pub(super) async fn upload_part(
        &self,
        name: &str,
        upload: &CreatedUpload,
        number: u32,
        bytes: impl Into<Bytes>,
    ) -> Verdict<UploadedPart> {
        let request = self.part_request(name, upload, number, bytes);
        Ok(self.client.upload_part(request).await?)
    }

    pub(super) fn complete_request(
        &self,
        name: &str,
        upload: &CreatedUpload,
        parts: &[(u32, &UploadedPart)],
    ) -> CompleteMultipartUpload {
        CompleteMultipartUpload {
            bucket: self.bucket.clone(),
            key: key(name),
            upload_id: upload.upload_id.clone(),
            parts: parts
                .iter()
                .map(|(number, part)| {
                    let checksum = part.checksum.clone().filter(|_| upload.takes_crc64nvme);
                    (part_number(*number), part.etag.clone(), checksum)
                })
                .collect(),
            checksum: None,
            condition: PutCondition::None,
        }
    }

    pub(super) async fn complete(
        &self,
        name: &str,
        upload: &CreatedUpload,
        parts: &[(u32, &UploadedPart)],
    ) -> Verdict<CompletedUpload> {
        let request = self.complete_request(name, upload, parts);
        Ok(self.client.complete_multipart_upload(request).await?)
    }

    pub(super) async fn abort(&self, name: &str, upload: &CreatedUpload) -> RemoteResult<()> {
        self.client
            .abort_multipart_upload(AbortMultipartUpload {
                bucket: self.bucket.clone(),
                key: key(name),
                upload_id: upload.upload_id.clone(),
            })
            .await
    }

    pub(super) fn source(&self, name: &str) -> CopySource {
        CopySource {
            bucket: self.bucket.clone(),
            key: key(name),
            version_id: None,
        }
    }
}

/// A part number of a check, which is always one.
pub(super) fn part_number(number: u32) -> PartNumber {
    PartNumber::new(number).expect("a part number of the suite")
}

fn page_within(page: &ListPage, keys_max: Option<u32>) -> Verdict {
    let rows = page.objects.len() + page.common_prefixes.len();
    match keys_max {
        Some(most) if rows > most as usize => {
            Err(Failure(format!("a page of {rows} rows, asked for {most}")))
        }
        Some(_) | None => Ok(()),
    }
}
