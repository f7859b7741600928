//! Copies inside the store.

use http::Method;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::exchange::{exchange, set};
use super::headers::{read_version_id, write_content, write_placement};
use crate::aws::AwsClient;
use crate::aws::request::Request;
use crate::aws::xml::parse_copy;
use crate::error::{Operation, Result};
use crate::types::{
    CopiedPart, CopyConditions, CopyObject, CopyObjectOutput, CopySource, MetadataDirective,
    TaggingDirective, UploadPartCopy,
};

/// What is encoded in a copy's source: all but unreserved characters and slashes.
const SOURCE: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

pub(super) async fn copy_object(client: &AwsClient, copy: CopyObject) -> Result<CopyObjectOutput> {
    let mut request = Request::new(Operation::CopyObject, Method::PUT)
        .bucket(copy.bucket)
        .key(copy.key);
    write_source(&mut request, &copy.source, &copy.conditions)?;
    match copy.metadata_directive {
        MetadataDirective::Copy => {
            set(&mut request, "x-amz-metadata-directive", "COPY")?;
        }
        MetadataDirective::Replace => {
            set(&mut request, "x-amz-metadata-directive", "REPLACE")?;
            write_content(&mut request, &copy.attributes)?;
        }
    }
    write_placement(&mut request, &copy.attributes)?;
    match copy.tagging_directive {
        // S3's default, so that stores that know no tags are not asked about them.
        TaggingDirective::Copy => {}
        TaggingDirective::Replace => {
            let tagging = copy.attributes.tagging.as_deref().unwrap_or_default();
            set(&mut request, "x-amz-tagging", tagging)?;
            set(&mut request, "x-amz-tagging-directive", "REPLACE")?;
        }
    }
    exchange(client, request, |response| {
        let version_id = read_version_id(&response.headers);
        let copied = parse_copy(&response.body.into_bytes())?;
        Ok(CopyObjectOutput {
            etag: copied.etag,
            version_id,
            checksum: copied.checksum,
        })
    })
    .await
}

pub(super) async fn upload_part_copy(
    client: &AwsClient,
    copy: UploadPartCopy,
) -> Result<CopiedPart> {
    let mut request = Request::new(Operation::UploadPartCopy, Method::PUT)
        .bucket(copy.bucket)
        .key(copy.key)
        .query("partNumber", copy.part_number.to_string())
        .query("uploadId", copy.upload_id.to_string());
    write_source(&mut request, &copy.source, &copy.conditions)?;
    set(
        &mut request,
        "x-amz-copy-source-range",
        &copy.range.to_header(),
    )?;
    exchange(client, request, |response| {
        let copied = parse_copy(&response.body.into_bytes())?;
        Ok(CopiedPart {
            etag: copied
                .etag
                .ok_or(crate::aws::xml::InvalidXml::Missing("ETag"))?,
            checksum: copied.checksum,
        })
    })
    .await
}

fn write_source(
    request: &mut Request,
    source: &CopySource,
    conditions: &CopyConditions,
) -> Result<()> {
    set(request, "x-amz-copy-source", &source_header(source))?;
    if let Some(etag) = &conditions.if_match {
        set(request, "x-amz-copy-source-if-match", &etag.quoted())?;
    }
    Ok(())
}

fn source_header(source: &CopySource) -> String {
    let bucket = utf8_percent_encode(source.bucket.as_str(), &SOURCE);
    let key = utf8_percent_encode(source.key.as_str(), &SOURCE);
    match &source.version_id {
        None => format!("{bucket}/{key}"),
        Some(version_id) => {
            let version_id = utf8_percent_encode(version_id.as_str(), &SOURCE);
            format!("{bucket}/{key}?versionId={version_id}")
        }
    }
}

#[cfg(test)]
mod tests {
    use base::{BucketName, Key, VersionId};

    use super::*;

    #[test]
    fn awkward_sources_are_encoded_once() {
        let source = CopySource {
            bucket: BucketName::new("b.ucket").unwrap(),
            key: Key::new("//a/../b c+d%20?versionId=x&\u{1}é").unwrap(),
            version_id: Some(VersionId::new("v=1+2")),
        };
        assert_eq!(
            source_header(&source),
            "b.ucket///a/../b%20c%2Bd%2520%3FversionId%3Dx%26%01%C3%A9?versionId=v%3D1%2B2"
        );
    }
}
