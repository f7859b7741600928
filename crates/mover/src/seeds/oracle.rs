//! What must be true after a run, whatever went wrong.

use std::collections::BTreeSet;

use base::{BucketName, UploadId};
use bytes::Bytes;
use remote::ObjectClient as _;
use remote::memory::MemoryClient;
use remote::types::ListMultipartUploads;

use super::world::{Ask, BYSTANDER, Ended, Place, Things, World};
use crate::compare::Comparator;
use crate::location::Location;

/// Everything that is wrong, a line each.
pub(super) async fn judge(world: &World, ended: &Ended) -> Vec<String> {
    let mut oracle = Oracle {
        world,
        ended,
        source: below(&world.things(world.from, "source")),
        destination: below(&world.things(world.to, "destination")),
        wrong: Vec::new(),
    };
    oracle.the_sums_are_what_was_said();
    oracle.the_ending_is_true();
    oracle.the_destination_holds_whole_versions();
    oracle.what_was_called_moved_is_there();
    oracle.the_source_keeps_what_it_must();
    oracle.nothing_is_deleted_that_must_not_be();
    oracle.nobody_else_is_touched();
    oracle.no_upload_is_left_unsaid().await;
    oracle.wrong
}

struct Oracle<'a> {
    world: &'a World,
    ended: &'a Ended,
    source: Things,
    destination: Things,
    wrong: Vec<String>,
}

/// What lies in the side's folder or prefix, by relative name.
fn below(things: &Things) -> Things {
    let inside = things.iter().filter_map(|(name, bytes)| {
        let name = name.strip_prefix("in/")?;
        Some((name.to_owned(), bytes.clone()))
    });
    inside.collect()
}

impl Oracle<'_> {
    fn check(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.wrong.push(format!("WRONG: {}", what()));
        }
    }

    fn said(&self, kind: &str) -> usize {
        self.world.ledger.count(kind)
    }

    /// All that an object of the source ever was; a deletion is `None`.
    fn versions(&self, name: &str) -> Vec<Option<Bytes>> {
        let first = self.world.source.get(name).cloned().map(Some);
        let changes = self.world.faulty()[0].changes().into_iter();
        let changes =
            changes.filter(|change| change.key.as_str().strip_prefix("in/") == Some(name));
        first
            .into_iter()
            .chain(changes.map(|change| change.bytes))
            .collect()
    }

    fn was(&self, name: &str, bytes: &Bytes) -> bool {
        let versions = self.versions(name);
        versions.iter().flatten().any(|version| version == bytes)
    }

    /// Whether wrong bytes may stand under a name: what nobody saw arrive, because its answer was
    /// lost or the run was stopped, and what was said to stay.
    fn is_excused(&self, name: &str) -> bool {
        let unseen = self.world.faulty()[1].wrong_unseen();
        let mut unseen = unseen.iter().map(base::Key::as_str);
        let unseen = unseen.any(|key| key.strip_prefix("in/") == Some(name));
        let cut = self.ended.sums.pending > 0;
        let rows = self.world.ledger.rows.lock();
        let moved = rows
            .iter()
            .any(|row| row.0 == "moved" && ends_with(&row.1, name));
        let said = rows.iter().any(|(kind, named, said)| {
            *kind == "failed" && ends_with(named, name) && said.contains("which stays")
        });
        !moved && (unseen || cut || said)
    }

    /// Whether what replaced the object arrived wrong: then nothing stands there any more. It is
    /// said, unless the run was stopped before it could be sent again.
    fn was_taken_back(&self, name: &str) -> bool {
        let wrong = self.world.faults().contains_key("wrong uploads");
        if wrong && self.ended.sums.pending > 0 && self.world.source.contains_key(name) {
            return true;
        }
        let rows = self.world.ledger.rows.lock();
        rows.iter().any(|(kind, named, said)| {
            *kind == "failed" && ends_with(named, name) && said.contains(": expected ")
        })
    }

    fn names(&self) -> BTreeSet<String> {
        let changes = self.world.faulty()[0].changes().into_iter();
        let changed = changes.filter_map(|change| {
            let name = change.key.as_str().strip_prefix("in/")?;
            Some(name.to_owned())
        });
        self.world.source.keys().cloned().chain(changed).collect()
    }

    fn the_sums_are_what_was_said(&mut self) {
        let sums = self.ended.sums;
        self.check(sums.close(), || format!("the sums do not close: {sums:?}"));
        self.check(sums.in_flight == 0, || {
            "something is still in flight".to_owned()
        });
        let failures = self.world.ledger.rows.lock();
        let failed = failures.iter().filter(|row| row.0 == "failed");
        let (jobs, objects): (Vec<_>, Vec<_>) = failed.partition(|row| row.1.is_empty());
        let (jobs, objects) = (jobs.len(), objects.len());
        drop(failures);
        let rows = [
            (
                "copied",
                sums.copied,
                self.said("moved") + self.said("kept"),
            ),
            ("not deleted", sums.copied_not_deleted, self.said("kept")),
            ("refused", sums.refused, self.said("refused")),
            ("left alone", sums.same + sums.ignored, self.said("skipped")),
            ("gone", sums.gone, self.said("gone")),
            ("failed", sums.failed + sums.extra_delete_failed, objects),
            ("failures of the job", sums.job_failures, jobs),
            ("deleted", sums.extra_deleted, self.said("deleted")),
        ];
        for (name, sum, said) in rows {
            self.check(sum == said as u64, || {
                format!("{name}: {sum} in the sums, {said} said")
            });
        }
        self.check(self.world.may_stop() || sums.pending == 0, || {
            format!("{} are pending of a run that nobody stopped", sums.pending)
        });
    }

    fn the_ending_is_true(&mut self) {
        let sums = self.ended.sums;
        let bad = self.said("failed") + self.said("refused") + self.said("kept");
        match self.ended.ending() {
            "done" => {
                self.check(bad == 0 && sums.pending == 0, || "called done".to_owned());
                let changed = !self.world.faulty()[0].changes().is_empty();
                let expected = self.world.source.len() as u64;
                self.check(changed || sums.listed == expected, || {
                    format!("called done with {} of {expected} listed", sums.listed)
                });
                for (name, bytes) in self.world.source.clone() {
                    let there = self.destination.contains_key(&name);
                    // A folder of that name is something that exists.
                    let folder = format!("{name}/");
                    let folder = self.destination.keys().any(|key| key.starts_with(&folder));
                    let conditions = &self.world.conditions;
                    let conditional = conditions.no_clobber
                        || conditions.if_source_newer
                        || conditions.if_size_differ;
                    let kept = conditional && folder;
                    let excused = name.ends_with('/') || changed || kept;
                    self.check(there || excused, || {
                        format!("{name:?} is not there after all")
                    });
                    let exact = matches!(
                        self.world.ask,
                        Ask::Sync {
                            comparator: Comparator::Checksum,
                            ..
                        }
                    );
                    let equal = self.destination.get(&name) == Some(&bytes);
                    self.check(!exact || equal || excused, || format!("{name:?} differs"));
                }
            }
            "failed" => self.check(bad > 0, || "called failed, and nobody says why".to_owned()),
            "stopped" => self.check(self.world.may_stop(), || "nobody stopped it".to_owned()),
            _ => self.check(self.said("moved") + self.said("deleted") == 0, || {
                "could not run, and did something".to_owned()
            }),
        }
    }

    fn the_destination_holds_whole_versions(&mut self) {
        for (name, bytes) in self.destination.clone() {
            let untouched = self.world.destination.get(&name) == Some(&bytes);
            let right = untouched || self.was(&name, &bytes) || self.is_excused(&name);
            self.check(right, || {
                format!("{name:?} is {} bytes that nobody ever wrote", bytes.len())
            });
        }
    }

    fn what_was_called_moved_is_there(&mut self) {
        for moved in self.world.ledger.moved.lock().clone() {
            let (from, to) = (relative(&moved.source), relative(&moved.destination));
            let (Some(from), Some(to)) = (from, to) else {
                self.check(false, || format!("moved outside: {moved:?}"));
                continue;
            };
            self.check(from == to, || format!("{from:?} went to {to:?}"));
            let there = self.destination.get(&to);
            let right = there
                .is_some_and(|bytes| bytes.len() as u64 == moved.size.0 && self.was(&from, bytes));
            self.check(right, || {
                format!("{from:?} was called moved and is not there")
            });
        }
    }

    /// What was there and nobody else deleted stands at the source, or, moved, at the destination.
    fn the_source_keeps_what_it_must(&mut self) {
        for name in self.names() {
            let Some(Some(last)) = self.versions(&name).pop() else {
                continue;
            };
            let here = self.source.get(&name) == Some(&last);
            let moved = self.world.ask == Ask::Move
                && !self.source.contains_key(&name)
                && self.destination.get(&name) == Some(&last);
            self.check(here || moved, || format!("{name:?} is lost"));
        }
    }

    fn nothing_is_deleted_that_must_not_be(&mut self) {
        let deletes = matches!(self.world.ask, Ask::Sync { delete: true, .. });
        let names = self.names();
        let mut missing = 0;
        for name in self.world.destination.clone().into_keys() {
            if self.destination.contains_key(&name) || self.was_taken_back(&name) {
                continue;
            }
            missing += 1;
            self.check(deletes && !names.contains(&name), || {
                format!("{name:?} was deleted at the destination")
            });
        }
        let sums = self.ended.sums;
        self.check(missing >= sums.extra_deleted, || {
            format!("{} called deleted, {missing} missing", sums.extra_deleted)
        });
        // Whether a delete was done whose answer was lost nobody knows before it is asked again.
        let lost = self.world.faults().contains_key("lost answers");
        let unknown = self.world.may_stop() && lost;
        let kept = if unknown { sums.extra_kept } else { 0 };
        let may = sums.extra_deleted + sums.extra_delete_failed + kept;
        self.check(missing <= may, || format!("{missing} missing, {may} said"));
    }

    fn nobody_else_is_touched(&mut self) {
        let jobs = self.world.jobs();
        let mut journalled = Vec::new();
        for job in jobs.jobs().expect("the journal can be read") {
            let downloads = jobs.downloads(&job.id).expect("the journal can be read");
            let names = downloads.into_iter().filter_map(|download| {
                let name = download.temporary.file_name()?;
                Some(name.to_string_lossy().into_owned())
            });
            journalled.extend(names);
        }
        for (place, side) in [(self.world.from, "source"), (self.world.to, "destination")] {
            let things = self.world.things(place, side);
            let outside: Vec<&String> = things
                .keys()
                .filter(|name| !name.starts_with("in/"))
                .collect();
            self.check(outside == [BYSTANDER], || format!("{side}: {outside:?}"));
            let parts: Vec<&String> = things
                .keys()
                .filter(|name| name.ends_with(".part"))
                .filter(|name| !journalled.iter().any(|known| name.ends_with(known)))
                .collect();
            self.check(parts.is_empty(), || format!("{side}: {parts:?} is left"));
        }
    }

    async fn no_upload_is_left_unsaid(&mut self) {
        let mut lost = Vec::new();
        for faulty in self.world.faulty() {
            lost.extend(faulty.lost_uploads());
        }
        if self.world.to == Place::Folder {
            return;
        }
        let warnings = self.world.ledger.said("warning");
        let journalled = self.world.jobs().all_uploads();
        let journalled = journalled.expect("the journal can be read");
        lost.extend(journalled.into_iter().filter_map(|upload| upload.upload_id));
        for id in unfinished(&self.world.stores.1).await {
            let named = warnings.iter().any(|line| line.contains(id.as_str()));
            self.check(named || lost.contains(&id), || {
                format!("upload {id} is left unsaid")
            });
        }
    }
}

/// Whether a printed location is of this name.
fn ends_with(location: &str, name: &str) -> bool {
    location
        .split_once("/in/")
        .is_some_and(|(_, rest)| rest == name)
}

/// A location's name below its side's folder or prefix.
fn relative(location: &Location) -> Option<String> {
    let name = match location {
        Location::Local(path) => path.to_str()?,
        Location::Remote(object) => object.key.as_str(),
    };
    match location {
        Location::Local(_) => name.split_once("/in/").map(|(_, rest)| rest.to_owned()),
        Location::Remote(_) => name.strip_prefix("in/").map(str::to_owned),
    }
}

/// The uploads that a store still has.
async fn unfinished(store: &MemoryClient) -> Vec<UploadId> {
    let mut request = ListMultipartUploads {
        bucket: BucketName::new("destination").expect("a name"),
        prefix: String::new(),
        after: None,
    };
    let mut ids = Vec::new();
    loop {
        let page = store.list_multipart_uploads(request.clone()).await;
        let page = page.expect("the store in memory lists its uploads");
        ids.extend(page.uploads.into_iter().map(|upload| upload.upload_id));
        if page.next_after.is_none() {
            return ids;
        }
        request.after = page.next_after;
    }
}
