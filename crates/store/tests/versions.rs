//! Random writes and deletes against a second, naive formulation of S3's version rules: one list
//! of everything that was ever written, in order.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use base::{BucketName, Clock, ETag, Key, VersionId};
use proptest::prelude::{Just, Strategy, prop_assert, prop_assert_eq, prop_oneof, proptest};
use proptest::test_runner::TestCaseError;
use store::Model;
use store::model::{
    Entry, Error, ListQuery, ModelOptions, PutObject, ReadConditions, Received, Versioning,
    WriteConditions,
};

const KEYS: [&str; 4] = ["a", "a/b", "a/c", "b"];

#[derive(Debug, Clone)]
enum Operation {
    Put { key: usize, bytes: u8 },
    PutIfAbsent { key: usize },
    PutIfCurrentIs { key: usize, written: usize },
    Delete { key: usize },
    DeleteVersion { written: usize },
    DeleteIfCurrentIs { key: usize, written: usize },
    Enable,
    Suspend,
}

fn operation() -> impl Strategy<Value = Operation> {
    let key = 0..KEYS.len();
    let written = 0..64_usize;
    prop_oneof![
        4 => (key.clone(), 0..4_u8).prop_map(|(key, bytes)| Operation::Put { key, bytes }),
        1 => key.clone().prop_map(|key| Operation::PutIfAbsent { key }),
        1 => (key.clone(), written.clone())
            .prop_map(|(key, written)| Operation::PutIfCurrentIs { key, written }),
        3 => key.clone().prop_map(|key| Operation::Delete { key }),
        2 => written.clone().prop_map(|written| Operation::DeleteVersion { written }),
        1 => (key, written)
            .prop_map(|(key, written)| Operation::DeleteIfCurrentIs { key, written }),
        1 => Just(Operation::Enable),
        1 => Just(Operation::Suspend),
    ]
}

/// Something written: a delete marker has no bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Written {
    key: &'static str,
    version_id: String,
    bytes: Option<Vec<u8>>,
}

/// The second formulation.
#[derive(Debug, Default)]
struct Naive {
    written: Vec<Written>,
    versioning: Option<Versioning>,
}

impl Naive {
    fn write(&mut self, key: &'static str, new_id: &str, bytes: Option<Vec<u8>>) {
        let version_id = match self.versioning {
            Some(Versioning::Enabled) => new_id.to_owned(),
            Some(Versioning::Suspended) | None => "null".to_owned(),
        };
        self.written
            .retain(|w| !(w.key == key && w.version_id == version_id));
        self.written.push(Written {
            key,
            version_id,
            bytes,
        });
    }

    fn latest(&self, key: &str) -> Option<&Written> {
        self.written.iter().rev().find(|w| w.key == key)
    }

    fn current(&self, key: &str) -> Option<&[u8]> {
        self.latest(key)?.bytes.as_deref()
    }

    /// As a listing of versions shows them: by key, the newest first.
    fn versions(&self) -> Vec<(String, String, bool, Option<Vec<u8>>)> {
        let mut shown = Vec::new();
        for key in KEYS {
            let of_key = self.written.iter().rev().filter(|w| w.key == key);
            shown.extend(of_key.enumerate().map(|(index, w)| {
                let key = w.key.to_owned();
                (key, w.version_id.clone(), index == 0, w.bytes.clone())
            }));
        }
        shown
    }
}

struct Pair {
    model: Model,
    naive: Naive,
    bucket: BucketName,
}

impl Pair {
    fn new() -> Pair {
        let model = Model::new(Clock::system(), ModelOptions::default());
        let bucket = BucketName::new("bucket").unwrap();
        model.create_bucket(&bucket).unwrap();
        Pair {
            model,
            naive: Naive::default(),
            bucket,
        }
    }

    fn put(
        &mut self,
        key: &'static str,
        bytes: Vec<u8>,
        conditions: WriteConditions,
    ) -> Result<(), Error> {
        let received = Received::from_bytes(bytes.clone(), []);
        let stored = self.model.put_object(PutObject {
            conditions,
            ..PutObject::new(self.bucket.clone(), Key::new(key).unwrap(), received)
        })?;
        assert_eq!(stored.version_id.is_some(), self.naive.versioning.is_some());
        let new_id = stored.version_id.as_ref().map_or("null", VersionId::as_str);
        self.naive.write(key, new_id, Some(bytes));
        Ok(())
    }

    fn apply(&mut self, operation: &Operation) -> Result<(), TestCaseError> {
        match *operation {
            Operation::Put { key, bytes } => {
                self.put(KEYS[key], vec![bytes; 3], WriteConditions::default())
                    .unwrap();
            }
            Operation::PutIfAbsent { key } => {
                let absent = self.naive.current(KEYS[key]).is_none();
                let done = self.put(KEYS[key], vec![9], WriteConditions::absent());
                prop_assert_eq!(done.is_ok(), absent);
            }
            Operation::PutIfCurrentIs { key, written } => {
                let (etag, expected) = self.etag_of(written);
                let current = self.naive.current(KEYS[key]).map(<[u8]>::to_vec);
                let done = self.put(KEYS[key], vec![8], WriteConditions::matches(etag));
                match current {
                    None => {
                        let delete_marker = None;
                        prop_assert_eq!(done, Err(Error::NoSuchKey { delete_marker }));
                    }
                    Some(bytes) => prop_assert_eq!(done.is_ok(), bytes == expected),
                }
            }
            Operation::Delete { key } => self.delete(KEYS[key])?,
            Operation::DeleteVersion { written } => {
                let Some(target) = self.written(written) else {
                    return Ok(());
                };
                let id = VersionId::new(target.version_id.as_str());
                let deleted = self
                    .model
                    .delete_object(
                        &self.bucket,
                        &Key::new(target.key).unwrap(),
                        Some(&id),
                        &WriteConditions::default(),
                    )
                    .unwrap();
                prop_assert_eq!(deleted.delete_marker, target.bytes.is_none());
                self.naive.written.retain(|w| *w != target);
            }
            Operation::DeleteIfCurrentIs { key, written } => {
                let (etag, expected) = self.etag_of(written);
                // What is gone may be deleted whatever it should have been.
                let may = self
                    .naive
                    .current(KEYS[key])
                    .is_none_or(|bytes| bytes == expected);
                if may {
                    return self.delete(KEYS[key]);
                }
                let refused = self.model.delete_object(
                    &self.bucket,
                    &Key::new(KEYS[key]).unwrap(),
                    None,
                    &WriteConditions::matches(etag),
                );
                let condition = "If-Match";
                prop_assert_eq!(refused, Err(Error::PreconditionFailed { condition }));
            }
            Operation::Enable => self.set_versioning(Versioning::Enabled),
            Operation::Suspend => self.set_versioning(Versioning::Suspended),
        }
        Ok(())
    }

    fn delete(&mut self, key: &'static str) -> Result<(), TestCaseError> {
        let deleted = self
            .model
            .delete_object(
                &self.bucket,
                &Key::new(key).unwrap(),
                None,
                &WriteConditions::default(),
            )
            .unwrap();
        prop_assert_eq!(deleted.delete_marker, self.naive.versioning.is_some());
        match self.naive.versioning {
            None => self.naive.written.retain(|w| w.key != key),
            Some(_) => {
                let id = deleted.version_id.unwrap();
                self.naive.write(key, id.as_str(), None);
            }
        }
        Ok(())
    }

    fn set_versioning(&mut self, versioning: Versioning) {
        self.model.set_versioning(&self.bucket, versioning).unwrap();
        self.naive.versioning = Some(versioning);
    }

    fn written(&self, index: usize) -> Option<Written> {
        let count = self.naive.written.len();
        (count > 0).then(|| self.naive.written[index % count].clone())
    }

    /// The ETag of something written, and its bytes; of nothing, if nothing was.
    fn etag_of(&self, index: usize) -> (ETag, Vec<u8>) {
        let bytes = self
            .written(index)
            .and_then(|w| w.bytes)
            .unwrap_or_default();
        let other = Model::new(Clock::system(), ModelOptions::default());
        other.create_bucket(&self.bucket).unwrap();
        let received = Received::from_bytes(bytes.clone(), []);
        let stored = other
            .put_object(PutObject::new(
                self.bucket.clone(),
                Key::new("k").unwrap(),
                received,
            ))
            .unwrap();
        (stored.object.etag.clone(), bytes)
    }

    fn compare(&self, page: usize) -> Result<(), TestCaseError> {
        for key in KEYS {
            let found = self.model.get_object(
                &self.bucket,
                &Key::new(key).unwrap(),
                None,
                &ReadConditions::default(),
            );
            match (found, self.naive.current(key)) {
                (Ok(found), Some(bytes)) => {
                    prop_assert_eq!(&found.object.body.to_bytes()[..], bytes)
                }
                (Err(Error::NoSuchKey { delete_marker }), None) => {
                    let latest = self.naive.latest(key);
                    let marker = latest.map(|w| VersionId::new(w.version_id.as_str()));
                    prop_assert_eq!(delete_marker, marker);
                }
                (found, expected) => prop_assert!(false, "{found:?} instead of {expected:?}"),
            }
        }
        prop_assert_eq!(self.listed(page)?, self.naive.versions());
        let empty = self.naive.written.is_empty();
        let keys: Vec<&str> = KEYS
            .into_iter()
            .filter(|key| self.naive.current(key).is_some())
            .collect();
        prop_assert_eq!(self.current_keys(page), keys);
        if empty {
            let buckets = self.model.list_buckets();
            prop_assert_eq!(buckets.len(), 1);
        } else {
            let refused = self.model.delete_bucket(&self.bucket);
            prop_assert_eq!(refused, Err(Error::BucketNotEmpty));
        }
        Ok(())
    }

    /// All versions, page by page.
    #[expect(
        clippy::type_complexity,
        reason = "a tuple is what the naive side says too"
    )]
    fn listed(
        &self,
        page: usize,
    ) -> Result<Vec<(String, String, bool, Option<Vec<u8>>)>, TestCaseError> {
        let mut query = ListQuery {
            limit: page,
            ..ListQuery::default()
        };
        let mut version_after = None;
        let mut listed = Vec::new();
        loop {
            let found = self
                .model
                .list_object_versions(&self.bucket, &query, version_after.as_ref())
                .unwrap();
            for entry in found.entries {
                let Entry::Item(item) = entry else {
                    return Err(TestCaseError::fail("a common prefix without a delimiter"));
                };
                let bytes = item.object.map(|object| object.body.to_bytes().to_vec());
                let key = item.key.as_str().to_owned();
                listed.push((key, item.version_id.to_string(), item.is_latest, bytes));
            }
            let Some((key, id)) = found.next_after else {
                return Ok(listed);
            };
            query.after = key;
            version_after = Some(VersionId::new(id));
        }
    }

    fn current_keys(&self, page: usize) -> Vec<String> {
        let mut query = ListQuery {
            limit: page,
            ..ListQuery::default()
        };
        let mut keys = Vec::new();
        loop {
            let found = self.model.list_objects(&self.bucket, &query).unwrap();
            keys.extend(found.items().map(|item| item.key.to_string()));
            match found.next_after {
                Some(after) => query.after = after,
                None => return keys,
            }
        }
    }
}

proptest! {
    #[test]
    fn versions_come_and_go_as_in_a_list_of_all_writes(
        operations in proptest::collection::vec(operation(), 1..40),
        page in 1_usize..5,
    ) {
        let mut pair = Pair::new();
        for operation in &operations {
            pair.apply(operation)?;
            pair.compare(page)?;
        }
    }
}

#[test]
fn a_listing_of_versions_goes_on_behind_a_marker_that_was_deleted_since() {
    let mut pair = Pair::new();
    pair.set_versioning(Versioning::Enabled);
    for byte in 0..4 {
        pair.put("a", vec![byte], WriteConditions::default())
            .unwrap();
    }
    let query = ListQuery {
        limit: 2,
        ..ListQuery::default()
    };
    let first = pair
        .model
        .list_object_versions(&pair.bucket, &query, None)
        .unwrap();
    let (key, id) = first.next_after.unwrap();
    let id = VersionId::new(id);
    pair.model
        .delete_object(
            &pair.bucket,
            &Key::new("a").unwrap(),
            Some(&id),
            &WriteConditions::default(),
        )
        .unwrap();
    let query = ListQuery {
        after: key,
        ..query
    };
    let second = pair
        .model
        .list_object_versions(&pair.bucket, &query, Some(&id))
        .unwrap();
    let bytes: Vec<u8> = second
        .entries
        .into_iter()
        .filter_map(|entry| match entry {
            Entry::Item(item) => Some(item.object.unwrap().body.to_bytes()[0]),
            Entry::CommonPrefix(_) => None,
        })
        .collect();
    assert_eq!(bytes, [1, 0]);
}
