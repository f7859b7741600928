//! GetObjectAttributes: an object's facts without its bytes, part by part.

use base::Checksum;
use s3s::dto::{self, GetObjectAttributesInput, GetObjectAttributesOutput, ObjectAttributes};
use s3s::{S3Request, S3Result};
use store::model::{Object, ObjectPart, ReadConditions};

use super::Api;
use super::objects::find;
use crate::attributes::refuse_customer_key;
use crate::checksums::{set_checksum, type_of};
use crate::names::{etag, shown, size, timestamp};

pub(super) async fn get_object_attributes(
    api: &Api,
    request: S3Request<GetObjectAttributesInput>,
) -> S3Result<GetObjectAttributesOutput> {
    let input = request.input;
    refuse_customer_key!(input);
    let conditions = ReadConditions::default();
    let found = find(
        api,
        &input.bucket,
        &input.key,
        input.version_id.as_ref(),
        &conditions,
    )?;
    let object = &found.object;
    // s3s splits the header by its lines only, not by its commas.
    let names = input.object_attributes.iter().map(ObjectAttributes::as_str);
    let names: Vec<&str> = names
        .flat_map(|text| text.split(','))
        .map(str::trim)
        .collect();
    let asked = |name: &str| names.contains(&name);
    let mut output = GetObjectAttributesOutput {
        last_modified: Some(timestamp(object.last_modified)),
        version_id: shown(found.version_id.as_ref()),
        ..GetObjectAttributesOutput::default()
    };
    if asked(ObjectAttributes::ETAG) {
        output.e_tag = Some(etag(&object.etag));
    }
    if asked(ObjectAttributes::OBJECT_SIZE) {
        output.object_size = Some(size(object.size()));
    }
    if asked(ObjectAttributes::STORAGE_CLASS) {
        let class = object.attributes.storage_class().to_owned();
        output.storage_class = Some(dto::StorageClass::from(class));
    }
    if asked(ObjectAttributes::CHECKSUM)
        && let Some(kept) = api.shown_checksum(Some(&object.checksum))
    {
        let mut checksum = dto::Checksum {
            checksum_type: type_of(Some(kept)),
            ..dto::Checksum::default()
        };
        // The part count of a composite checksum is not repeated here.
        let value = kept.value.split('-').next().unwrap_or_default().to_owned();
        set_checksum!(
            checksum,
            Some(&Checksum {
                value,
                ..kept.clone()
            })
        );
        output.checksum = Some(checksum);
    }
    if asked(ObjectAttributes::OBJECT_PARTS) && !object.parts.is_empty() {
        output.object_parts = Some(object_parts(object, &input)?);
    }
    Ok(output)
}

fn object_parts(
    object: &Object,
    input: &GetObjectAttributesInput,
) -> S3Result<dto::GetObjectAttributesParts> {
    let after = input.part_number_marker.unwrap_or(0);
    let limit = crate::names::limit(input.max_parts)?;
    let listed = |part: &ObjectPart| i32::try_from(part.part_number).unwrap_or(0);
    let mut behind = object.parts.iter().filter(|part| listed(part) > after);
    let page: Vec<_> = behind
        .by_ref()
        .take(usize::try_from(limit).unwrap_or(0))
        .collect();
    let truncated = behind.next().is_some();
    // S3 lists single parts only where they carry checksums.
    let parts = page
        .iter()
        .filter(|part| part.checksum.is_some())
        .map(|part| {
            let mut shown = dto::ObjectPart {
                part_number: Some(listed(part)),
                size: Some(size(part.size)),
                ..dto::ObjectPart::default()
            };
            set_checksum!(shown, part.checksum.as_ref());
            shown
        });
    Ok(dto::GetObjectAttributesParts {
        is_truncated: Some(truncated),
        max_parts: Some(limit),
        next_part_number_marker: page.last().map(|part| listed(part)),
        part_number_marker: Some(after),
        parts: Some(parts.collect()),
        total_parts_count: i32::try_from(object.parts.len()).ok(),
    })
}
