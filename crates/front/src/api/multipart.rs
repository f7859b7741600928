//! Multipart uploads: begun, filled, completed, given up.

use base::{ChecksumAlgorithm, ETag};
use s3s::dto::{
    self, AbortMultipartUploadInput, AbortMultipartUploadOutput, CompleteMultipartUploadInput,
    CompleteMultipartUploadOutput, CreateMultipartUploadInput, CreateMultipartUploadOutput,
    UploadPartInput, UploadPartOutput,
};
use s3s::{S3Request, S3Result};
use store::model::{
    ChecksumPlan, CompleteExpectations, CompleteMultipartUpload, CompletedPart,
    CreateMultipartUpload, UploadPart,
};

use super::Api;
use crate::attributes::{attributes_of, encryption, refuse_customer_key, tags_from_header};
use crate::checksums::{
    algorithm, algorithm_name, checksum_type, declared_checksums, set_checksum, type_name, type_of,
};
use crate::deviation::ChecksumSupport;
use crate::intake::{Announced, take_in};
use crate::names::{
    bucket_name, etag, key, part_number, s3_error, shown, upload_id, write_conditions,
};

pub(super) async fn create_multipart_upload(
    api: &Api,
    request: S3Request<CreateMultipartUploadInput>,
) -> S3Result<CreateMultipartUploadOutput> {
    let input = request.input;
    refuse_customer_key!(input);
    let asked = algorithm(input.checksum_algorithm.as_ref());
    let asked = api.known_algorithm(asked)?;
    let plan = asked
        .map(|asked| ChecksumPlan::new(asked, checksum_type(input.checksum_type.as_ref())))
        .transpose()
        .map_err(s3_error)?;
    let attributes = attributes_of!(input);
    let shown_encryption = encryption(&attributes);
    let begun = api
        .model
        .create_multipart_upload(CreateMultipartUpload {
            bucket: bucket_name(&input.bucket)?,
            key: key(&input.key)?,
            attributes,
            tags: tags_from_header(input.tagging.as_ref())?,
            plan,
        })
        .map_err(s3_error)?;
    Ok(CreateMultipartUploadOutput {
        bucket: Some(input.bucket),
        checksum_algorithm: plan.map(|plan| algorithm_name(plan.algorithm)),
        checksum_type: plan.map(|plan| type_name(plan.checksum_type)),
        key: Some(input.key),
        server_side_encryption: shown_encryption,
        ssekms_key_id: input.ssekms_key_id,
        upload_id: Some(begun.as_str().to_owned()),
        ..CreateMultipartUploadOutput::default()
    })
}

pub(super) async fn upload_part(
    api: &Api,
    request: S3Request<UploadPartInput>,
) -> S3Result<UploadPartOutput> {
    let input = request.input;
    refuse_customer_key!(input);
    let bucket = bucket_name(&input.bucket)?;
    let key = key(&input.key)?;
    let upload_id = upload_id(&input.upload_id);
    let part_number = part_number(input.part_number)?;
    let upload = api
        .model
        .upload(&bucket, &key, &upload_id)
        .map_err(s3_error)?;
    let announced = api.announced(Announced {
        content_length: input.content_length,
        content_md5: input.content_md5.clone(),
        checksums: declared_checksums!(input),
        algorithm: algorithm(input.checksum_algorithm.as_ref()),
        trailers: request.trailing_headers,
    })?;
    let (received, declared) = take_in(input.body, announced, Some(upload.algorithm())).await?;
    let part = api
        .model
        .upload_part(UploadPart {
            bucket,
            key,
            upload_id,
            part_number,
            received,
            declared,
        })
        .map_err(s3_error)?;
    let mut output = UploadPartOutput {
        e_tag: Some(etag(&part.etag)),
        server_side_encryption: part
            .encryption
            .algorithm
            .clone()
            .map(dto::ServerSideEncryption::from),
        ssekms_key_id: part.encryption.kms_key_id,
        ..UploadPartOutput::default()
    };
    let planned = upload.plan.map(|_| &part.checksum);
    set_checksum!(
        output,
        api.shown_checksum(part.declared.as_ref().or(planned))
    );
    Ok(output)
}

pub(super) async fn complete_multipart_upload(
    api: &Api,
    request: S3Request<CompleteMultipartUploadInput>,
) -> S3Result<CompleteMultipartUploadOutput> {
    let input = request.input;
    refuse_customer_key!(input);
    let ignores = api.deviation.checksums == ChecksumSupport::Ignored;
    let named = input.multipart_upload.as_ref();
    let named = named
        .and_then(|upload| upload.parts.as_deref())
        .unwrap_or(&[]);
    let parts = named
        .iter()
        .map(|part| CompletedPart {
            part_number: part
                .part_number
                .and_then(|number| u32::try_from(number).ok())
                .unwrap_or(0),
            etag: ETag::from_header(part.e_tag.as_ref().map_or("", |tag| tag.value())),
            checksums: if ignores {
                Vec::new()
            } else {
                declared_checksums!(part)
            },
        })
        .collect();
    let expectations = CompleteExpectations {
        checksum: declared_checksums!(input)
            .into_iter()
            .next()
            .filter(|_| !ignores),
        checksum_type: checksum_type(input.checksum_type.as_ref()).filter(|_| !ignores),
        object_size: input
            .mpu_object_size
            .and_then(|size| u64::try_from(size).ok()),
    };
    let stored = api
        .model
        .complete_multipart_upload(CompleteMultipartUpload {
            bucket: bucket_name(&input.bucket)?,
            key: key(&input.key)?,
            upload_id: upload_id(&input.upload_id),
            parts,
            expectations,
            conditions: write_conditions(input.if_match.as_ref(), input.if_none_match.as_ref()),
        })
        .map_err(s3_error)?;
    let checksum = api.shown_checksum(Some(&stored.object.checksum));
    let mut output = CompleteMultipartUploadOutput {
        checksum_type: type_of(checksum),
        e_tag: Some(etag(&stored.object.etag)),
        location: Some(format!(
            "/{}/{}",
            input.bucket,
            crate::names::url_encoded(&input.key)
        )),
        bucket: Some(input.bucket),
        key: Some(input.key),
        server_side_encryption: encryption(&stored.object.attributes),
        ssekms_key_id: stored.object.attributes.encryption.kms_key_id.clone(),
        version_id: shown(stored.version_id.as_ref()),
        ..CompleteMultipartUploadOutput::default()
    };
    set_checksum!(output, checksum);
    Ok(output)
}

pub(super) async fn abort_multipart_upload(
    api: &Api,
    request: S3Request<AbortMultipartUploadInput>,
) -> S3Result<AbortMultipartUploadOutput> {
    let input = request.input;
    api.model
        .abort_multipart_upload(
            &bucket_name(&input.bucket)?,
            &key(&input.key)?,
            &upload_id(&input.upload_id),
        )
        .map_err(s3_error)?;
    Ok(AbortMultipartUploadOutput::default())
}

impl Api {
    /// What a request announces, as far as this store knows checksums.
    pub(super) fn announced(&self, announced: Announced) -> S3Result<Announced> {
        match self.deviation.checksums {
            ChecksumSupport::Full => Ok(announced),
            ChecksumSupport::Ignored => Ok(announced.without_checksums()),
            ChecksumSupport::Refused => {
                self.known_algorithm(announced.kept_algorithm())?;
                Ok(announced)
            }
        }
    }

    /// The algorithm asked for, as far as this store knows any.
    fn known_algorithm(
        &self,
        asked: Option<ChecksumAlgorithm>,
    ) -> S3Result<Option<ChecksumAlgorithm>> {
        match (self.deviation.checksums, asked) {
            (ChecksumSupport::Full, asked) => Ok(asked),
            (ChecksumSupport::Ignored, _) | (ChecksumSupport::Refused, None) => Ok(None),
            (ChecksumSupport::Refused, Some(_)) => Err(s3s::s3_error!(
                NotImplemented,
                "A header you provided implies functionality that is not implemented"
            )),
        }
    }

    /// A checksum as answers carry it, as far as this store knows any.
    pub(super) fn shown_checksum<'a>(
        &self,
        checksum: Option<&'a base::Checksum>,
    ) -> Option<&'a base::Checksum> {
        match self.deviation.checksums {
            ChecksumSupport::Full => checksum,
            ChecksumSupport::Ignored | ChecksumSupport::Refused => None,
        }
    }
}
