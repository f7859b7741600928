//! Listings of versions.

use http::HeaderValue;
use s3s::dto::{
    CommonPrefix, DeleteMarkerEntry, ListObjectVersionsInput, ListObjectVersionsOutput,
    ObjectVersion, ObjectVersionStorageClass,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};
use store::model::{Entry, ListQuery};

use super::Api;
use super::buckets::owner;
use super::listings::Encoding;
use crate::answer::{DELETE_MARKER, VERSION, VERSION_ORDER};
use crate::checksums::{algorithm_name, type_of};
use crate::names::{bucket_name, etag, limit, s3_error, size, timestamp, version_id};

pub(super) async fn list_object_versions(
    api: &Api,
    request: S3Request<ListObjectVersionsInput>,
) -> S3Result<S3Response<ListObjectVersionsOutput>> {
    let input = request.input;
    let limit = limit(input.max_keys)?;
    let encoding = Encoding::of(api, input.encoding_type.as_ref())?;
    let after = input.key_marker.clone().unwrap_or_default();
    let version_after = version_id(input.version_id_marker.as_ref());
    if version_after.is_some() && after.is_empty() {
        return Err(s3_error!(
            InvalidArgument,
            "A version-id marker cannot be specified without a key marker."
        ));
    }
    let query = ListQuery {
        prefix: input.prefix.clone().unwrap_or_default(),
        delimiter: input.delimiter.clone().unwrap_or_default(),
        after,
        limit: api.page_size(limit),
    };
    let bucket = bucket_name(&input.bucket)?;
    let page = api
        .model
        .list_object_versions(&bucket, &query, version_after.as_ref())
        .map_err(s3_error)?;
    let mut versions = Vec::new();
    let mut delete_markers = Vec::new();
    let mut common_prefixes = Vec::new();
    let mut order = Vec::new();
    for entry in page.entries {
        let item = match entry {
            Entry::Item(item) => item,
            Entry::CommonPrefix(prefix) => {
                common_prefixes.push(CommonPrefix {
                    prefix: Some(encoding.text(&prefix)),
                });
                continue;
            }
        };
        let key = Some(encoding.text(item.key.as_str()));
        let version_id = Some(item.version_id.as_str().to_owned());
        let last_modified = Some(timestamp(item.last_modified));
        let Some(object) = item.object else {
            order.push(DELETE_MARKER);
            delete_markers.push(DeleteMarkerEntry {
                is_latest: Some(item.is_latest),
                key,
                last_modified,
                owner: Some(owner()),
                version_id,
            });
            continue;
        };
        order.push(VERSION);
        let checksum = api.shown_checksum(Some(&object.checksum));
        versions.push(ObjectVersion {
            checksum_algorithm: checksum.map(|kept| vec![algorithm_name(kept.algorithm)]),
            checksum_type: type_of(checksum),
            e_tag: Some(etag(&object.etag)),
            is_latest: Some(item.is_latest),
            key,
            last_modified,
            owner: Some(owner()),
            size: Some(size(object.size())),
            storage_class: Some(ObjectVersionStorageClass::from(
                object.attributes.storage_class().to_owned(),
            )),
            version_id,
            ..ObjectVersion::default()
        });
    }
    let truncated = page.next_after.is_some();
    let (next_key, next_version) = page.next_after.unzip();
    let mut response = S3Response::new(ListObjectVersionsOutput {
        common_prefixes: Some(common_prefixes),
        delete_markers: Some(delete_markers),
        delimiter: input.delimiter.map(|text| encoding.text(&text)),
        encoding_type: encoding.shown(),
        is_truncated: Some(truncated),
        key_marker: Some(encoding.text(&query.after)),
        max_keys: Some(limit),
        name: Some(input.bucket),
        next_key_marker: next_key.map(|text| encoding.text(&text)),
        next_version_id_marker: next_version.filter(|id| !id.is_empty()),
        prefix: Some(encoding.text(&query.prefix)),
        version_id_marker: Some(input.version_id_marker.unwrap_or_default()),
        versions: Some(versions),
        ..ListObjectVersionsOutput::default()
    });
    if let Ok(order) = HeaderValue::from_bytes(&order) {
        response.headers.insert(VERSION_ORDER, order);
    }
    Ok(response)
}
