//! Bytes at hand into an object, or into a part of one, and what the store's answer says of them.

use base::{Crc64Nvme, ETag, VersionId};
use md5::{Digest as _, Md5};
use remote::payload::UploadCheck;
use remote::types::{
    HeadObject, ObjectAttributes, PutCondition, PutObject, PutObjectOutput, UploadPart,
};
use remote::{ObjectClient, Payload};

use crate::error::{Error, Result};
use crate::event::Verified;
use crate::location::ObjectLocation;
use crate::plan;
use crate::transfer::multipart::{Upload, is_unsupported};
use crate::transfer::retract::{Retracted, Standing, retract};
use crate::verify::{self, Arrival, Md5Value, PartSeal};

/// An object that one PUT made.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) etag: Option<ETag>,
    pub(crate) version_id: Option<VersionId>,
    pub(crate) verified: Verified,
}

/// How often bytes that arrive wrong are sent before their object fails by name.
/// A guess, not measured: as often as a source that arrives wrong is read.
const SENDS_MAX: u32 = 3;

/// Stores an object in one request and checks it; `None` if something stood there that the
/// condition keeps. What arrived wrong is taken back and sent again a few times.
pub(crate) async fn put(
    client: &dyn ObjectClient,
    object: &ObjectLocation,
    payload: Payload,
    attributes: ObjectAttributes,
    condition: PutCondition,
) -> Result<Option<Stored>> {
    let mut sends = 1;
    let mut standing = Standing::default();
    loop {
        let (payload, attributes) = (payload.clone(), attributes.clone());
        let stored = put_once(client, object, payload, attributes, condition.clone()).await;
        let wrong = match stored {
            Ok(Some(stored)) => return Ok(Some(stored)),
            Ok(None) => return standing.unless_it_is(None),
            Err(Attempt::Wrong(wrong)) => wrong.into_error(),
            Err(Attempt::Failed(error)) => return Err(standing.or(error)),
        };
        if sends == SENDS_MAX {
            return Err(wrong);
        }
        sends += 1;
        // What the last try left is what stands there now.
        standing = Standing::default();
        standing.note(wrong);
    }
}

/// Why a try did not store the object.
enum Attempt {
    /// It arrived wrong.
    Wrong(Retracted),
    Failed(Error),
}

impl<E: Into<Error>> From<E> for Attempt {
    fn from(error: E) -> Attempt {
        Attempt::Failed(error.into())
    }
}

async fn put_once(
    client: &dyn ObjectClient,
    object: &ObjectLocation,
    payload: Payload,
    attributes: ObjectAttributes,
    condition: PutCondition,
) -> std::result::Result<Option<Stored>, Attempt> {
    let keep = condition == PutCondition::Absent;
    let request = PutObject {
        bucket: object.bucket.clone(),
        key: object.key.clone(),
        payload: payload.clone(),
        attributes,
        condition,
    };
    let output = match put_under_condition(client, request).await {
        Ok(output) => output,
        Err(error) if keep && is_precondition(&error) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    match compared(client, object, payload, &output).await {
        Ok(verified) => Ok(Some(Stored {
            etag: output.etag,
            version_id: output.version_id,
            verified,
        })),
        Err(wrong @ Error::Mismatch { .. }) => {
            let (etag, version_id) = (output.etag.as_ref(), output.version_id.as_ref());
            let retracted = retract(client, object, etag, version_id, wrong).await;
            Err(Attempt::Wrong(retracted))
        }
        Err(error) => Err(Attempt::Failed(error)),
    }
}

/// Compares what was sent with what the store said of it.
async fn compared(
    client: &dyn ObjectClient,
    object: &ObjectLocation,
    payload: Payload,
    output: &PutObjectOutput,
) -> Result<Verified> {
    let (what, size, sent) = (object.to_string(), payload.length(), sent(&payload));
    match verify::put(&what, sent, output)? {
        Arrival::Known(verified) => Ok(verified),
        Arrival::CompareMd5(expected) => {
            verify::equal_md5(&what, expected, md5_of(payload).await?)?;
            Ok(Verified::ETag)
        }
        Arrival::Ask => {
            let mut request = HeadObject::new(object.bucket.clone(), object.key.clone());
            request.checksum_mode = true;
            let head = client.head_object(request).await?;
            verify::put_head(&what, size, sent, &head)
        }
    }
}

/// The checksum of what was sent, where it is known here.
fn sent(payload: &Payload) -> Option<Crc64Nvme> {
    match payload {
        Payload::Memory(sealed) => Some(sealed.crc64()),
        Payload::File(_) => None,
        Payload::Stream(stream) => Some(stream.source.passed()?.crc64),
    }
}

/// Sends a PUT, and again without its condition to a store that does not know it.
async fn put_under_condition(
    client: &dyn ObjectClient,
    request: PutObject,
) -> remote::Result<PutObjectOutput> {
    if request.condition == PutCondition::None {
        return client.put_object(request).await;
    }
    match client.put_object(request.clone()).await {
        Err(error) if is_unsupported(&error) => {
            let request = PutObject {
                condition: PutCondition::None,
                ..request
            };
            client.put_object(request).await
        }
        result => result,
    }
}

fn is_precondition(error: &remote::Error) -> bool {
    error.is_code("PreconditionFailed") || error.status() == Some(412)
}

/// Sends one part and checks it.
pub(crate) async fn send_part(
    client: &dyn ObjectClient,
    object: &ObjectLocation,
    upload: &Upload<'_>,
    index: u32,
    payload: Payload,
) -> Result<PartSeal> {
    let size = payload.length();
    let request = UploadPart {
        bucket: object.bucket.clone(),
        key: object.key.clone(),
        upload_id: upload.created().upload_id.clone(),
        part_number: plan::Parts::number(index),
        payload: payload.clone(),
        takes_crc64nvme: upload.created().takes_crc64nvme,
    };
    let output = client.upload_part(request).await?;
    let sent = sent(&payload);
    let what = format!("part {} of {object}", index + 1);
    let mut suspect = false;
    let verified = match verify::part(&what, sent, &output)? {
        Arrival::Known(verified) => Some(verified),
        Arrival::CompareMd5(expected) => {
            suspect = md5_of(payload).await? != expected;
            (!suspect).then_some(Verified::ETag)
        }
        Arrival::Ask => None,
    };
    let compared = match output.check {
        UploadCheck::ChecksumHeader(crc64) => Some(crc64),
        UploadCheck::PayloadSignature | UploadCheck::None => None,
    };
    let seal = PartSeal {
        size,
        crc64: sent.or(compared),
        etag: output.etag,
        verified,
        suspect,
    };
    upload.acknowledged(index, &seal);
    Ok(seal)
}

/// The MD5 of what was sent, off the reactor.
async fn md5_of(payload: Payload) -> Result<Md5Value> {
    base::tasks::blocking(move || match payload {
        Payload::Memory(sealed) => Ok(Md5::digest(sealed.carry().0).into()),
        Payload::File(range) => crate::digest::md5_of_file(&range.file, range.offset, range.length),
        Payload::Stream(stream) => {
            let md5 = stream.source.passed().and_then(|passed| passed.md5);
            md5.ok_or_else(|| Error::Bug("a stream without an MD5 was sent".to_owned()))
        }
    })
    .await
}
