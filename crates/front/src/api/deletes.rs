//! Deletes, one by one and many at once.

use s3s::dto::{
    self, DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput,
    DeletedObject,
};
use s3s::{S3Request, S3Result, s3_error};
use store::model::{ETagMatch, WriteConditions};

use super::Api;
use crate::names::{bucket_name, key, s3_error, shown, version_id, write_conditions};

pub(super) async fn delete_object(
    api: &Api,
    request: S3Request<DeleteObjectInput>,
) -> S3Result<DeleteObjectOutput> {
    let input = request.input;
    let deleted = api
        .model
        .delete_bypassing(
            &bucket_name(&input.bucket)?,
            &key(&input.key)?,
            version_id(input.version_id.as_ref()).as_ref(),
            &write_conditions(input.if_match.as_ref(), None),
            input.bypass_governance_retention.unwrap_or(false),
        )
        .map_err(s3_error)?;
    Ok(DeleteObjectOutput {
        delete_marker: deleted.delete_marker.then_some(true),
        version_id: shown(deleted.version_id.as_ref()),
        ..DeleteObjectOutput::default()
    })
}

pub(super) async fn delete_objects(
    api: &Api,
    request: S3Request<DeleteObjectsInput>,
) -> S3Result<DeleteObjectsOutput> {
    let input = request.input;
    let bucket = bucket_name(&input.bucket)?;
    api.model.head_bucket(&bucket).map_err(s3_error)?;
    let objects = input.delete.objects;
    if objects.is_empty() || objects.len() > base::limits::DELETE_KEYS_MAX {
        return Err(s3_error!(
            MalformedXML,
            "The XML you provided was not well-formed or did not validate against our published schema"
        ));
    }
    let bypass = input.bypass_governance_retention.unwrap_or(false);
    let quiet = input.delete.quiet.unwrap_or(false);
    let mut output = DeleteObjectsOutput::default();
    let mut deleted = Vec::new();
    let mut errors = Vec::new();
    for object in objects {
        let conditions = WriteConditions {
            if_match: object
                .e_tag
                .as_ref()
                .map(|tag| ETagMatch::OneOf(vec![base::ETag::from_header(tag.value())])),
            if_none_match: None,
        };
        let wanted = version_id(object.version_id.as_ref());
        let outcome = key(&object.key).and_then(|key| {
            api.model
                .delete_bypassing(&bucket, &key, wanted.as_ref(), &conditions, bypass)
                .map_err(s3_error)
        });
        match outcome {
            Ok(done) => {
                if quiet {
                    continue;
                }
                let marker = done.delete_marker;
                deleted.push(DeletedObject {
                    delete_marker: marker.then_some(true),
                    delete_marker_version_id: shown(done.version_id.as_ref().filter(|_| marker)),
                    key: Some(object.key),
                    version_id: object.version_id,
                });
            }
            Err(error) => errors.push(dto::Error {
                code: Some(error.code().as_str().to_owned()),
                key: Some(object.key),
                message: error.message().map(str::to_owned),
                version_id: object.version_id,
            }),
        }
    }
    output.deleted = Some(deleted);
    output.errors = Some(errors);
    Ok(output)
}
