//! What the store must be like: the model, fed with what was acknowledged.

use std::collections::BTreeMap;

use base::{BucketName, Clock, Key, UploadId};
use rand::RngExt as _;
use rand::rngs::StdRng;
use store::Engine;
use store::model::{
    CompletedPart, Entry, ListQuery, ListedPart, ListedVersion, Model, ModelOptions, PutObject,
    Versioning, WriteConditions,
};

use super::operation::{
    KEYS, Operation, Outcome, Payload, bucket, complete, create_upload, key, upload_part,
};

/// Smallest part but for the last, in stories.
pub(super) const PART_SIZE_MIN: u64 = 100;

/// A version: ETag and size of the object, none for a delete marker.
type Shown = Option<(String, u64)>;

/// All that can be seen of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct State {
    /// Buckets, and whether they keep versions.
    buckets: BTreeMap<BucketName, Option<Versioning>>,
    /// Of each key the versions, the newest first.
    versions: BTreeMap<(BucketName, Key), Vec<Shown>>,
    /// Of each bucket, what a listing with a delimiter shows, in pages of two.
    listed: BTreeMap<BucketName, Vec<String>>,
    /// Of each upload that both know, the parts' numbers and ETags, while it is there.
    uploads: BTreeMap<usize, Option<Vec<(u32, String)>>>,
}

/// What an acknowledged story came to.
pub(super) struct Oracle {
    model: Model,
    /// What led to it.
    history: Vec<Operation>,
    uploads: BTreeMap<usize, KnownUpload>,
}

struct KnownUpload {
    bucket: BucketName,
    key: Key,
    /// In the model.
    model: UploadId,
    /// In the engine, when it told.
    engine: Option<UploadId>,
}

fn query(after: String) -> ListQuery {
    ListQuery {
        delimiter: "/".to_owned(),
        after,
        limit: 2,
        ..ListQuery::default()
    }
}

/// All pages together.
fn listed<T>(
    mut page: impl FnMut(&ListQuery) -> store::model::Page<T>,
    name: impl Fn(&T) -> String,
) -> Vec<String> {
    let mut names = Vec::new();
    let mut after = String::new();
    loop {
        let page = page(&query(after));
        names.extend(page.entries.iter().map(|entry| match entry {
            Entry::Item(item) => name(item),
            Entry::CommonPrefix(prefix) => format!("prefix {prefix}"),
        }));
        match page.next_after {
            Some(next) => after = next,
            None => return names,
        }
    }
}

impl State {
    /// What an engine shows.
    pub(super) fn of_engine(engine: &Engine, oracle: &Oracle) -> State {
        let mut state = State {
            buckets: BTreeMap::new(),
            versions: BTreeMap::new(),
            listed: BTreeMap::new(),
            uploads: BTreeMap::new(),
        };
        for summary in engine.list_buckets().expect("rows are whole") {
            let name = summary.name;
            let versioning = engine.versioning(&name).expect("the bucket is there");
            for key in KEYS {
                let key = Key::new(key).expect("a good key");
                let versions = engine.versions_of(&name, &key).expect("rows are whole");
                if versions.is_empty() {
                    continue;
                }
                let versions = versions.into_iter().map(|version| {
                    let object = version.object?;
                    Some((object.etag.as_str().to_owned(), object.size))
                });
                let place = (name.clone(), key);
                state.versions.insert(place, versions.collect());
            }
            let names = listed(
                |query| {
                    engine
                        .list_objects(&name, query)
                        .expect("the bucket is there")
                },
                |item| item.key.as_str().to_owned(),
            );
            state.listed.insert(name.clone(), names);
            state.buckets.insert(name, versioning);
        }
        for (slot, upload) in &oracle.uploads {
            if let Some(id) = &upload.engine {
                let parts = engine.list_parts(&upload.bucket, &upload.key, id);
                state.uploads.insert(*slot, parts.ok().map(named));
            }
        }
        state
    }
}

/// Parts as a state tells of them.
fn named(parts: Vec<ListedPart>) -> Vec<(u32, String)> {
    let named = parts
        .into_iter()
        .map(|part| (part.part_number.get(), part.etag.as_str().to_owned()));
    named.collect()
}

impl Oracle {
    pub(super) fn new(clock: &Clock) -> Oracle {
        let options = ModelOptions {
            part_size_min: PART_SIZE_MIN,
            ..ModelOptions::default()
        };
        Oracle {
            model: Model::new(clock.clone(), options),
            history: Vec::new(),
            uploads: BTreeMap::new(),
        }
    }

    /// Another one of the same story.
    pub(super) fn replayed(&self, clock: &Clock) -> Oracle {
        let mut other = Oracle::new(clock);
        for operation in &self.history {
            let _ = other.apply(operation);
        }
        for (slot, upload) in &mut other.uploads {
            if let Some(known) = self.uploads.get(slot) {
                upload.engine.clone_from(&known.engine);
            }
        }
        other
    }

    /// What the model shows.
    pub(super) fn state(&self) -> State {
        let mut state = State {
            buckets: BTreeMap::new(),
            versions: BTreeMap::new(),
            listed: BTreeMap::new(),
            uploads: BTreeMap::new(),
        };
        for summary in self.model.list_buckets() {
            let name = summary.name;
            for version in self.versions(&name) {
                let object = version.object.as_ref();
                let shown = object.map(|object| (object.etag.as_str().to_owned(), object.size()));
                let place = (name.clone(), version.key);
                state.versions.entry(place).or_default().push(shown);
            }
            let names = listed(
                |query| {
                    self.model
                        .list_objects(&name, query)
                        .expect("the bucket is there")
                },
                |item| item.key.as_str().to_owned(),
            );
            state.listed.insert(name.clone(), names);
            let versioning = self.model.versioning(&name).expect("the bucket is there");
            state.buckets.insert(name, versioning);
        }
        for (slot, upload) in self
            .uploads
            .iter()
            .filter(|(_, upload)| upload.engine.is_some())
        {
            let (bucket, key) = (&upload.bucket, &upload.key);
            let parts = self
                .model
                .list_parts(bucket, key, &upload.model, None, 10_000);
            state
                .uploads
                .insert(*slot, parts.ok().map(|page| named(page.parts)));
        }
        state
    }

    fn versions(&self, bucket: &BucketName) -> Vec<ListedVersion> {
        let all = ListQuery {
            limit: usize::MAX,
            ..ListQuery::default()
        };
        let Ok(page) = self.model.list_object_versions(bucket, &all, None) else {
            return Vec::new();
        };
        let items = page.entries.into_iter().filter_map(|entry| match entry {
            Entry::Item(item) => Some(item),
            Entry::CommonPrefix(_) => None,
        });
        items.collect()
    }

    /// Reads every object from the engine and compares it with the model's, whole and in part.
    pub(super) fn compare_bytes(&self, engine: &Engine, seed: u64) {
        for summary in self.model.list_buckets() {
            let name = summary.name;
            for number in 0..u8::try_from(KEYS.len()).expect("few keys") {
                let key = key(number);
                let stored = engine.versions_of(&name, &key).expect("rows are whole");
                let versions = self.versions(&name);
                let expected = versions.iter().filter(|version| version.key == key);
                for (row, version) in stored.iter().zip(expected) {
                    let (Some(row), Some(object)) = (&row.object, &version.object) else {
                        continue;
                    };
                    let expected = object.body.to_bytes();
                    let found = engine.read(row, 0..row.size);
                    let found = found
                        .unwrap_or_else(|error| panic!("seed {seed}: {name}/{key:?}: {error:?}"));
                    assert!(
                        found.concat() == expected,
                        "seed {seed}: bytes of {name}/{key:?}"
                    );
                    assert_eq!(row.crc64, base::Crc64Nvme::of(&expected), "seed {seed}");
                    let middle = row.size / 3..row.size - row.size / 4;
                    let found = engine.read(row, middle.clone()).expect("it was just read");
                    let bounds = |at: u64| usize::try_from(at).expect("stories are small");
                    let part = &expected[bounds(middle.start)..bounds(middle.end)];
                    assert!(
                        found.concat() == part,
                        "seed {seed}: a range of {name}/{key:?}"
                    );
                }
            }
        }
    }

    /// Forgets uploads of which the engine never told the id: nobody can go on with them.
    pub(super) fn forget_lost_uploads(&mut self) {
        self.uploads.retain(|_, upload| upload.engine.is_some());
    }

    /// The engine's id of an upload.
    pub(super) fn know_upload(&mut self, slot: usize, id: UploadId) {
        if let Some(upload) = self.uploads.get_mut(&slot) {
            upload.engine = Some(id);
        }
    }

    pub(super) fn engine_upload(&self, slot: usize) -> Option<(BucketName, Key, UploadId)> {
        let upload = self.uploads.get(&slot)?;
        Some((
            upload.bucket.clone(),
            upload.key.clone(),
            upload.engine.clone()?,
        ))
    }

    /// A number that no upload has yet.
    pub(super) fn next_slot(&self) -> usize {
        self.history.len()
    }

    pub(super) fn draw_upload(&self, random: &mut StdRng) -> Option<usize> {
        let known: Vec<usize> = self
            .uploads
            .iter()
            .filter(|(_, upload)| upload.engine.is_some())
            .map(|(slot, _)| *slot)
            .collect();
        if known.is_empty() {
            return None;
        }
        // The newest ones are mostly the ones that are not completed yet.
        let from = known.len().saturating_sub(3);
        Some(known[random.random_range(from..known.len())])
    }

    pub(super) fn part_numbers(&self, slot: usize) -> Vec<u32> {
        self.parts(slot)
            .iter()
            .map(|part| part.part_number)
            .collect()
    }

    fn parts(&self, slot: usize) -> Vec<CompletedPart> {
        let Some(upload) = self.uploads.get(&slot) else {
            return Vec::new();
        };
        let listed =
            self.model
                .list_parts(&upload.bucket, &upload.key, &upload.model, None, 10_000);
        let parts = listed.map(|page| page.parts).unwrap_or_default();
        parts
            .into_iter()
            .map(|part| CompletedPart {
                part_number: part.part_number.get(),
                etag: part.etag,
                checksums: Vec::new(),
            })
            .collect()
    }

    /// Parts by number, as a Complete names them.
    pub(super) fn completed_parts(&self, slot: usize, numbers: &[u32]) -> Vec<CompletedPart> {
        let mut parts = self.parts(slot);
        parts.retain(|part| numbers.contains(&part.part_number));
        parts
    }

    /// Bytes that the key last got by a PUT, or some.
    pub(super) fn payload_of(&self, bucket_number: u8, key_number: u8) -> Payload {
        let last = self
            .history
            .iter()
            .rev()
            .find_map(|operation| match operation {
                Operation::Put(bucket, key, payload, _)
                    if (*bucket, *key) == (bucket_number, key_number) =>
                {
                    Some(*payload)
                }
                _ => None,
            });
        last.unwrap_or(Payload { size: 3, fill: 3 })
    }

    /// Lets the model do an operation.
    pub(super) fn apply(&mut self, operation: &Operation) -> Result<Outcome, &'static str> {
        self.history.push(operation.clone());
        self.carry_out(operation).map_err(|error| error.code())
    }

    fn carry_out(&mut self, operation: &Operation) -> Result<Outcome, store::model::Error> {
        let model = &self.model;
        match operation {
            Operation::CreateBucket(number) => model
                .create_bucket(&bucket(*number))
                .map(|()| Outcome::Done),
            Operation::DeleteBucket(number) => model
                .delete_bucket(&bucket(*number))
                .map(|()| Outcome::Done),
            Operation::SetVersioning(number, versioning) => model
                .set_versioning(&bucket(*number), *versioning)
                .map(|()| Outcome::Done),
            Operation::Put(number, name, payload, condition) => {
                let mut request = PutObject::new(bucket(*number), key(*name), payload.received());
                request.conditions = condition.conditions();
                let stored = model.put_object(request)?;
                Ok(Outcome::Stored(stored.object.etag.as_str().to_owned()))
            }
            Operation::Delete(number, name, condition) => {
                let conditions = condition.conditions();
                let deleted =
                    model.delete_object(&bucket(*number), &key(*name), None, &conditions)?;
                Ok(Outcome::Deleted {
                    marker: deleted.delete_marker,
                })
            }
            Operation::DeleteVersion(number, name, rank) => {
                let (bucket, key) = (bucket(*number), key(*name));
                let versions = self.versions(&bucket);
                let mut of_key = versions.iter().filter(|version| version.key == key);
                let id = of_key.nth(*rank).map(|version| version.version_id.clone());
                let id = id.unwrap_or_else(|| base::VersionId::new("f".repeat(32)));
                let conditions = WriteConditions::default();
                let deleted = model.delete_object(&bucket, &key, Some(&id), &conditions)?;
                Ok(Outcome::Deleted {
                    marker: deleted.delete_marker,
                })
            }
            Operation::CreateUpload {
                slot,
                bucket: number,
                key: name,
            } => {
                let id = model.create_multipart_upload(create_upload(*number, *name))?;
                let upload = KnownUpload {
                    bucket: bucket(*number),
                    key: key(*name),
                    model: id,
                    engine: None,
                };
                self.uploads.insert(*slot, upload);
                Ok(Outcome::Done)
            }
            Operation::UploadPart(slot, number, payload) => {
                let (bucket, key, id) = self.model_upload(*slot)?;
                let stored = self
                    .model
                    .upload_part(upload_part(bucket, key, id, *number, *payload))?;
                Ok(Outcome::Stored(stored.etag.as_str().to_owned()))
            }
            Operation::Complete(slot, numbers, condition) => {
                let (bucket, key, id) = self.model_upload(*slot)?;
                let parts = self.completed_parts(*slot, numbers);
                let request = complete(bucket, key, id, parts, *condition);
                let stored = self.model.complete_multipart_upload(request)?;
                Ok(Outcome::Stored(stored.object.etag.as_str().to_owned()))
            }
            Operation::Abort(slot) => {
                let (bucket, key, id) = self.model_upload(*slot)?;
                self.model.abort_multipart_upload(&bucket, &key, &id)?;
                Ok(Outcome::Done)
            }
        }
    }

    fn model_upload(
        &self,
        slot: usize,
    ) -> Result<(BucketName, Key, UploadId), store::model::Error> {
        let upload = self
            .uploads
            .get(&slot)
            .ok_or(store::model::Error::NoSuchUpload)?;
        Ok((
            upload.bucket.clone(),
            upload.key.clone(),
            upload.model.clone(),
        ))
    }
}
