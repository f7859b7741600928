//! Listings of unfinished uploads and of their parts.

use s3s::S3Request;
use s3s::S3Result;
use s3s::dto::{
    CommonPrefix, Initiator, ListMultipartUploadsInput, ListMultipartUploadsOutput, ListPartsInput,
    ListPartsOutput, MultipartUpload, Part, StorageClass,
};
use store::model::{Entry, ListQuery};

use super::Api;
use super::buckets::owner;
use super::listings::Encoding;
use crate::checksums::{algorithm_name, set_checksum, type_name};
use crate::names::{
    bucket_name, etag, key, limit, number, part_number, s3_error, size, timestamp, upload_id,
};

fn initiator() -> Initiator {
    let owner = owner();
    Initiator {
        display_name: owner.display_name,
        id: owner.id,
    }
}

pub(super) async fn list_parts(
    api: &Api,
    request: S3Request<ListPartsInput>,
) -> S3Result<ListPartsOutput> {
    let input = request.input;
    let limit = limit(input.max_parts)?;
    let marker = input.part_number_marker.unwrap_or(0);
    let after = if marker > 0 {
        Some(part_number(marker)?)
    } else {
        None
    };
    let page = api
        .model
        .list_parts(
            &bucket_name(&input.bucket)?,
            &key(&input.key)?,
            &upload_id(&input.upload_id),
            after,
            api.page_size(limit),
        )
        .map_err(s3_error)?;
    let plan = page.upload.plan;
    let parts = page.parts.iter().map(|part| {
        let mut shown = Part {
            e_tag: Some(etag(&part.etag)),
            last_modified: Some(timestamp(part.last_modified)),
            part_number: Some(number(part.part_number)),
            size: Some(size(part.size)),
            ..Part::default()
        };
        let checksum = plan.and_then(|_| api.shown_checksum(Some(&part.checksum)));
        set_checksum!(shown, checksum);
        shown
    });
    let class = page.upload.attributes.storage_class().to_owned();
    Ok(ListPartsOutput {
        bucket: Some(input.bucket),
        checksum_algorithm: plan.map(|plan| algorithm_name(plan.algorithm)),
        checksum_type: plan.map(|plan| type_name(plan.checksum_type)),
        initiator: Some(initiator()),
        is_truncated: Some(page.next_after.is_some()),
        key: Some(input.key),
        max_parts: Some(limit),
        next_part_number_marker: page.next_after.map(number),
        owner: Some(owner()),
        part_number_marker: Some(marker),
        parts: Some(parts.collect()),
        storage_class: Some(StorageClass::from(class)),
        upload_id: Some(input.upload_id),
        ..ListPartsOutput::default()
    })
}

pub(super) async fn list_multipart_uploads(
    api: &Api,
    request: S3Request<ListMultipartUploadsInput>,
) -> S3Result<ListMultipartUploadsOutput> {
    let input = request.input;
    let limit = limit(input.max_uploads)?;
    let encoding = Encoding::of(api, input.encoding_type.as_ref())?;
    let key_marker = input.key_marker.filter(|marker| !marker.is_empty());
    // Without a key, the id marker means nothing.
    let id_marker = input
        .upload_id_marker
        .filter(|marker| key_marker.is_some() && !marker.is_empty());
    let query = ListQuery {
        prefix: input.prefix.clone().unwrap_or_default(),
        delimiter: input.delimiter.clone().unwrap_or_default(),
        after: key_marker.clone().unwrap_or_default(),
        limit: api.page_size(limit),
    };
    let page = api
        .model
        .list_multipart_uploads(
            &bucket_name(&input.bucket)?,
            &query,
            id_marker.as_deref().map(upload_id).as_ref(),
        )
        .map_err(s3_error)?;
    let mut uploads = Vec::new();
    let mut common_prefixes = Vec::new();
    for entry in page.entries {
        match entry {
            Entry::CommonPrefix(prefix) => common_prefixes.push(CommonPrefix {
                prefix: Some(encoding.text(&prefix)),
            }),
            Entry::Item(item) => uploads.push(MultipartUpload {
                checksum_algorithm: item.upload.plan.map(|plan| algorithm_name(plan.algorithm)),
                checksum_type: item.upload.plan.map(|plan| type_name(plan.checksum_type)),
                initiated: Some(timestamp(item.upload.initiated)),
                initiator: Some(initiator()),
                key: Some(encoding.text(item.key.as_str())),
                owner: Some(owner()),
                storage_class: Some(StorageClass::from(
                    item.upload.attributes.storage_class().to_owned(),
                )),
                upload_id: Some(item.upload_id.as_str().to_owned()),
            }),
        }
    }
    let truncated = page.next_after.is_some();
    let (next_key, next_id) = page.next_after.unzip();
    Ok(ListMultipartUploadsOutput {
        bucket: Some(input.bucket),
        common_prefixes: Some(common_prefixes),
        delimiter: input.delimiter.map(|text| encoding.text(&text)),
        encoding_type: encoding.shown(),
        is_truncated: Some(truncated),
        key_marker: Some(encoding.text(key_marker.as_deref().unwrap_or(""))),
        max_uploads: Some(limit),
        next_key_marker: next_key.map(|text| encoding.text(&text)),
        next_upload_id_marker: next_id.filter(|id| !id.is_empty()),
        prefix: Some(encoding.text(&query.prefix)),
        upload_id_marker: Some(id_marker.unwrap_or_default()),
        uploads: Some(uploads),
        ..ListMultipartUploadsOutput::default()
    })
}
