//! Finds out, harmlessly, whether a permission is there.

use base::fault::Classified as _;
use base::ids::PartNumber;
use base::{ByteCount, Fault, Key, UploadId};
use remote::types::{ByteRange, GetObject, ListObjects, UploadPart};
use remote::{ObjectClient, Operation, Payload};

use super::lane::{Kind, Place};

/// An upload that is at no store: stores check the permission to write a part before they look for
/// its upload.
const NO_UPLOAD: &str = "longhaul-asks-only";

/// What a harmless request was answered.
#[derive(Debug)]
pub(super) enum Answer {
    /// The permission is there.
    Works,
    /// The credentials are not good.
    Expired(remote::Error),
    /// The permission is not there.
    Denied(remote::Error),
    /// The store could not be asked.
    Unknown(remote::Error),
}

impl Answer {
    /// What an error says of the permission: most say that the request was let in.
    pub(super) fn of(error: remote::Error) -> Answer {
        match error.fault() {
            Fault::Expired => Answer::Expired(error),
            Fault::Denied => Answer::Denied(error),
            Fault::Throttled { .. } | Fault::Unavailable | Fault::Cancelled | Fault::Local => {
                Answer::Unknown(error)
            }
            // The HTTP layer found no words in a 400: stores say so of tokens.
            Fault::Invalid if error.is_code("BadRequest") => Answer::Denied(error),
            Fault::NotFound
            | Fault::Conflict
            | Fault::Corrupt
            | Fault::Fenced
            | Fault::Invalid
            | Fault::Unsupported
            | Fault::Bug => Answer::Works,
        }
    }
}

/// Whether an error may mean that a permission is missing. HEAD answers 400 without a document to a
/// token that ended.
pub(super) fn is_denial(error: &remote::Error) -> bool {
    let head = matches!(
        error.operation(),
        Operation::HeadObject | Operation::HeadBucket
    );
    error.fault() == Fault::Denied || (head && error.status() == Some(400))
}

/// Whether a key is told to be absent, which stores tell only to who may read and list.
pub(super) fn is_absent(error: &remote::Error) -> bool {
    error.fault() == Fault::NotFound && !error.is_code("NoSuchBucket")
}

/// Asks for what `kind` covers at `place`: a place that worked before, or, where `worked` is false,
/// the cheapest call that tells anything.
pub(super) async fn ask(
    client: &dyn ObjectClient,
    kind: Kind,
    place: &Place,
    worked: bool,
) -> Answer {
    let bucket = place.bucket.clone();
    let result = match (kind, &place.key) {
        (Kind::Read, Some(key)) if worked => {
            let mut request = GetObject::new(bucket, key.clone());
            request.checksum_mode = false;
            request.range = Some(ByteRange {
                offset: 0,
                length: ByteCount(1),
            });
            client.get_object(request).await.map(drop)
        }
        (Kind::Write, Some(key)) => {
            let request = UploadPart {
                bucket,
                key: key.clone(),
                upload_id: UploadId::new(NO_UPLOAD),
                part_number: PartNumber::new(1).expect("1 is a part number"),
                payload: Payload::from_bytes("?"),
                takes_crc64nvme: false,
            };
            client.upload_part(request).await.map(drop)
        }
        (Kind::Read | Kind::List | Kind::Write, key) => {
            let prefix = key.as_ref().map_or("", |key| folder(key, kind));
            let mut request = ListObjects::new(bucket, prefix);
            request.keys_max = Some(1);
            client.list_objects(request).await.map(drop)
        }
    };
    match result {
        Ok(()) => Answer::Works,
        Err(error) => Answer::of(error),
    }
}

/// What to list: the prefix itself, or the folder that a key is in.
fn folder(key: &Key, kind: Kind) -> &str {
    match kind {
        Kind::List => key.as_str(),
        Kind::Read | Kind::Write => {
            let end = key.as_str().rfind('/').map_or(0, |at| at + 1);
            &key.as_str()[..end]
        }
    }
}
