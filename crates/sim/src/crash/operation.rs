//! One operation, done by the engine and by the model.

use base::ids::PartNumber;
use base::{BucketName, Key, UploadId};
use bytes::Bytes;
use rand::RngExt as _;
use rand::rngs::StdRng;
use store::engine::{Begun, Put};
use store::model::{
    CompleteExpectations, CompleteMultipartUpload, CompletedPart, CreateMultipartUpload, Declared,
    Deleted, PutObject, Received, UploadPart, Versioning, WriteConditions,
};
use store::{Engine, Error};

use super::LAYOUT;
use super::oracle::Oracle;

/// Buckets of a story.
pub(super) const BUCKETS: u8 = 2;

/// Keys of each bucket: few, so that they are used again.
pub(super) const KEYS: [&str; 6] = ["a", "a/b", "a/c", "b\0", "b\u{1}", "z//"];

/// Bytes that an operation stores: what they are follows from both numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Payload {
    pub(super) size: u64,
    pub(super) fill: u8,
}

impl Payload {
    fn draw(random: &mut StdRng) -> Payload {
        let edge = [
            0,
            1,
            LAYOUT.small_body_bytes_max,
            LAYOUT.piece_bytes as u64,
            2 * LAYOUT.piece_bytes as u64,
            5 * LAYOUT.piece_bytes as u64,
        ][random.random_range(0..6)];
        let size = if random.random_bool(0.5) {
            (edge + random.random_range(0..3)).saturating_sub(1)
        } else {
            random.random_range(0..3000)
        };
        Payload {
            size,
            fill: random.random(),
        }
    }

    pub(super) fn received(self) -> Received {
        let bytes: Vec<u8> = (0..self.size)
            .map(|at| u8::try_from((at + u64::from(self.fill)) % 251).expect("below 251"))
            .collect();
        Received::from_bytes(Bytes::from(bytes), [])
    }
}

/// What a write asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Condition {
    Nothing,
    Absent,
    /// That the object is one with these bytes.
    Is(Payload),
}

impl Condition {
    pub(super) fn conditions(self) -> WriteConditions {
        match self {
            Condition::Nothing => WriteConditions::default(),
            Condition::Absent => WriteConditions::absent(),
            Condition::Is(payload) => {
                let md5 = payload.received().md5_etag();
                WriteConditions::matches(md5)
            }
        }
    }
}

/// An operation of a story.
#[derive(Debug, Clone)]
pub(super) enum Operation {
    CreateBucket(u8),
    DeleteBucket(u8),
    SetVersioning(u8, Versioning),
    Put(u8, u8, Payload, Condition),
    Delete(u8, u8, Condition),
    /// The version of that rank, the newest being 0.
    DeleteVersion(u8, u8, usize),
    /// Uploads are known by the order in which they were drawn.
    CreateUpload {
        slot: usize,
        bucket: u8,
        key: u8,
    },
    UploadPart(usize, u32, Payload),
    /// With the parts of these numbers.
    Complete(usize, Vec<u32>, Condition),
    Abort(usize),
}

/// What an operation answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    Done,
    Stored(String),
    Deleted { marker: bool },
    Upload(UploadId),
}

impl Outcome {
    /// Without what differs from store to store.
    pub(super) fn comparable(self) -> Outcome {
        match self {
            Outcome::Upload(_) => Outcome::Done,
            other => other,
        }
    }
}

/// An operation that the engine has begun.
pub(super) struct Started(Box<dyn FnOnce() -> Result<Outcome, Error>>);

impl Started {
    pub(super) fn wait(self) -> Result<Outcome, Error> {
        (self.0)()
    }

    fn of<T: 'static>(begun: Begun<T>, outcome: impl FnOnce(T) -> Outcome + 'static) -> Started {
        Started(Box::new(move || begun.wait().map(outcome)))
    }
}

pub(super) fn bucket(number: u8) -> BucketName {
    BucketName::new(format!("bucket-{number}")).expect("a good name")
}

pub(super) fn key(number: u8) -> Key {
    Key::new(KEYS[usize::from(number) % KEYS.len()]).expect("a good key")
}

fn stored(put: Put) -> Outcome {
    Outcome::Stored(put.etag.as_str().to_owned())
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "an answer is turned into another"
)]
fn deleted(deleted: Deleted) -> Outcome {
    Outcome::Deleted {
        marker: deleted.delete_marker,
    }
}

impl Operation {
    /// Draws an operation; uploads are drawn among those the oracle knows.
    pub(super) fn draw(random: &mut StdRng, oracle: &Oracle) -> Operation {
        let bucket = random.random_range(0..BUCKETS);
        let key = random.random_range(0..u8::try_from(KEYS.len()).expect("few keys"));
        let condition = match random.random_range(0..6) {
            0 => Condition::Absent,
            1 => Condition::Is(oracle.payload_of(bucket, key)),
            _ => Condition::Nothing,
        };
        let upload = oracle.draw_upload(random);
        match (random.random_range(0..100), upload) {
            (0..12, _) => Operation::CreateBucket(bucket),
            (12..15, _) => Operation::DeleteBucket(bucket),
            (15..19, _) => Operation::SetVersioning(
                bucket,
                if random.random_bool(0.6) {
                    Versioning::Enabled
                } else {
                    Versioning::Suspended
                },
            ),
            (19..33, _) => Operation::Delete(bucket, key, condition),
            (33..40, _) => Operation::DeleteVersion(bucket, key, random.random_range(0..3)),
            (40..46, _) => Operation::CreateUpload {
                slot: oracle.next_slot() + usize::from(random.random::<u8>()) * 1000,
                bucket,
                key,
            },
            (46..60, Some(slot)) => {
                Operation::UploadPart(slot, random.random_range(1..4), Payload::draw(random))
            }
            (60..66, Some(slot)) => {
                let mut numbers = oracle.part_numbers(slot);
                if random.random_bool(0.2) {
                    numbers.retain(|_| random.random_bool(0.7));
                }
                Operation::Complete(slot, numbers, condition)
            }
            (66..68, Some(slot)) => Operation::Abort(slot),
            _ => Operation::Put(bucket, key, Payload::draw(random), condition),
        }
    }

    /// What every store can do at its end.
    pub(super) fn last() -> Vec<Operation> {
        let payload = Payload {
            size: 1234,
            fill: 7,
        };
        vec![
            Operation::CreateBucket(0),
            Operation::Put(0, 0, payload, Condition::Nothing),
            Operation::Delete(0, 0, Condition::Nothing),
        ]
    }

    /// Whether it must not share a round: it is looked up in what is durable.
    pub(super) fn is_alone(&self) -> bool {
        matches!(self, Operation::DeleteVersion(..) | Operation::Complete(..))
    }

    /// Lets the engine begin.
    pub(super) fn start(&self, engine: &Engine, oracle: &Oracle) -> Started {
        match self {
            Operation::CreateBucket(number) => {
                Started::of(engine.create_bucket(&bucket(*number)), |()| Outcome::Done)
            }
            Operation::DeleteBucket(number) => {
                Started::of(engine.delete_bucket(&bucket(*number)), |()| Outcome::Done)
            }
            Operation::SetVersioning(number, versioning) => {
                Started::of(engine.set_versioning(&bucket(*number), *versioning), |()| {
                    Outcome::Done
                })
            }
            Operation::Put(number, name, payload, condition) => {
                let mut request = PutObject::new(bucket(*number), key(*name), payload.received());
                request.conditions = condition.conditions();
                Started::of(engine.put_object(&request), stored)
            }
            Operation::Delete(number, name, condition) => Started::of(
                engine.delete_object(&bucket(*number), &key(*name), None, &condition.conditions()),
                deleted,
            ),
            Operation::DeleteVersion(number, name, rank) => {
                let versions = engine.versions_of(&bucket(*number), &key(*name));
                let version = versions
                    .ok()
                    .and_then(|versions| versions.into_iter().nth(*rank));
                let id = version.map(|version| version.version_id);
                // Without such a version: one that nobody has.
                let id = id.unwrap_or_else(|| base::VersionId::new("f".repeat(32)));
                Started::of(
                    engine.delete_object(
                        &bucket(*number),
                        &key(*name),
                        Some(&id),
                        &WriteConditions::default(),
                    ),
                    deleted,
                )
            }
            Operation::CreateUpload {
                bucket: number,
                key: name,
                ..
            } => {
                let request = create_upload(*number, *name);
                Started::of(engine.create_multipart_upload(&request), Outcome::Upload)
            }
            Operation::UploadPart(slot, number, payload) => {
                let Some((bucket, key, upload_id)) = oracle.engine_upload(*slot) else {
                    return unknown();
                };
                let request = upload_part(bucket, key, upload_id, *number, *payload);
                Started::of(engine.upload_part(&request), |etag| {
                    Outcome::Stored(etag.as_str().to_owned())
                })
            }
            Operation::Complete(slot, numbers, condition) => {
                let Some((bucket, key, upload_id)) = oracle.engine_upload(*slot) else {
                    return unknown();
                };
                let parts = oracle.completed_parts(*slot, numbers);
                let request = complete(bucket, key, upload_id, parts, *condition);
                Started::of(engine.complete_multipart_upload(&request), stored)
            }
            Operation::Abort(slot) => {
                let Some((bucket, key, upload_id)) = oracle.engine_upload(*slot) else {
                    return unknown();
                };
                Started::of(
                    engine.abort_multipart_upload(&bucket, &key, &upload_id),
                    |()| Outcome::Done,
                )
            }
        }
    }
}

/// An upload that the story knows no id of.
fn unknown() -> Started {
    Started(Box::new(|| {
        Err(Error::Refused(store::model::Error::NoSuchUpload))
    }))
}

pub(super) fn create_upload(bucket_number: u8, key_number: u8) -> CreateMultipartUpload {
    CreateMultipartUpload {
        bucket: bucket(bucket_number),
        key: key(key_number),
        attributes: store::model::Attributes::default(),
        tags: store::model::Tags::default(),
        plan: None,
    }
}

pub(super) fn upload_part(
    bucket: BucketName,
    key: Key,
    upload_id: UploadId,
    number: u32,
    payload: Payload,
) -> UploadPart {
    UploadPart {
        bucket,
        key,
        upload_id,
        part_number: PartNumber::new(number).expect("stories have few parts"),
        received: payload.received(),
        declared: Declared::default(),
    }
}

pub(super) fn complete(
    bucket: BucketName,
    key: Key,
    upload_id: UploadId,
    parts: Vec<CompletedPart>,
    condition: Condition,
) -> CompleteMultipartUpload {
    CompleteMultipartUpload {
        bucket,
        key,
        upload_id,
        parts,
        expectations: CompleteExpectations::default(),
        conditions: condition.conditions(),
    }
}
