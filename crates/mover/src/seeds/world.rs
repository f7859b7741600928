//! A small world: two sides, a job, and what will go wrong.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use base::units::MIB;
use base::{BucketName, ByteCount};
use bytes::Bytes;
use remote::ObjectClient as _;
use remote::faulty::{Faulty, Plan};
use remote::memory::{ETagStyle, ListingOrder, MemoryClient, MemoryOptions};
use remote::types::VersioningState;
use tempfile::TempDir;
use tokio::sync::Semaphore;

use super::draw::Draw;
use crate::accounts::{Accounts, Sums};
use crate::compare::Comparator;
use crate::context::Context;
use crate::event::Verb;
use crate::filter::Filter;
use crate::job::copy::{self, CopyConditions, CopyJob};
use crate::job::sync::{self, SyncJob};
use crate::job::{Ending, Report};
use crate::journal::{JobRecord, JobsHome, Journal};
use crate::options::TransferOptions;
use crate::permission::{OnDenied, guard};
use crate::source::Source;
use crate::testing::{Ledger, context_over};
use crate::url::Target;

/// Names, below the folder or prefix, that any side can have.
const PLAIN: [&str; 9] = [
    "a",
    "b/c",
    "b/d/e",
    "sp ace",
    "+",
    "%41",
    "\u{e9}",
    "\u{1f388}/x",
    "\u{1}z",
];
/// Names that only stores can have.
const AWKWARD: [&str; 6] = ["b//c", "..", "../x", "/lead", "tail/", "b/c/under"];
/// Around the bounds of frames and batches.
const SIZES: [u64; 8] = [0, 1, 17, 1_000, 65_535, 65_536, 65_537, 200_000];
/// Around the bounds of the smallest parts.
const LARGE: [u64; 5] = [5 * MIB, 5 * MIB + 1, 10 * MIB - 1, 10 * MIB, 10 * MIB + 1];

/// How long a permission is waited for by those who wait for ever.
const PATIENCE: Duration = Duration::from_secs(3_600);

/// Where a side is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Folder,
    Store,
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask {
    Copy,
    Move,
    Sync {
        comparator: Comparator,
        delete: bool,
    },
}

/// Objects or files by their names below the side's folder or prefix.
pub(super) type Things = BTreeMap<String, Bytes>;

pub(super) struct World {
    pub(super) seed: u64,
    pub(super) ask: Ask,
    pub(super) from: Place,
    pub(super) to: Place,
    pub(super) stops: bool,
    /// What is done when a permission is lost; `None` lets objects fail.
    on_denied: Option<OnDenied>,
    /// Two stores, or one that is both sides.
    pub(super) stores: (MemoryClient, MemoryClient),
    faulty: (Faulty, Faulty),
    folder: TempDir,
    pub(super) source: Things,
    pub(super) destination: Things,
    pub(super) ledger: Arc<Ledger>,
    pub(super) conditions: CopyConditions,
    context: Context,
    options: TransferOptions,
    unordered: bool,
    allow_empty_source: bool,
    stop_after: Duration,
    plan: Plan,
}

/// How a run ended.
pub(super) struct Ended {
    pub(super) result: Result<Report, crate::Error>,
    pub(super) sums: Sums,
}

impl Ended {
    pub(super) fn ending(&self) -> &'static str {
        match self.result.as_ref().map(|report| report.ending(false)) {
            Ok(Ending::Done) => "done",
            Ok(Ending::Failed) => "failed",
            Ok(Ending::Stopped) => "stopped",
            Ok(Ending::CouldNotRun) => "could not run",
            Err(_) => "error",
        }
    }
}

/// What stands beside what the job is about, on every side, and is nobody's business.
pub(super) const BYSTANDER: &str = "beside";

impl World {
    pub(super) async fn of(seed: u64) -> World {
        let draw = Draw::new(seed);
        let (from, to) = draw.pick(&[
            (Place::Folder, Place::Store),
            (Place::Store, Place::Folder),
            (Place::Store, Place::Store),
            (Place::Store, Place::Store),
        ]);
        let ask = match draw.below(5) {
            0 | 1 => Ask::Copy,
            2 => Ask::Move,
            _ => Ask::Sync {
                comparator: draw.pick(&[
                    Comparator::Default,
                    Comparator::SizeOnly,
                    Comparator::Checksum,
                    Comparator::ExactTimestamps,
                ]),
                delete: draw.one_in(2),
            },
        };
        let mut plan = Plan::of_seed(seed);
        let unordered = draw.one_in(16);
        let one = store(&draw, "memory://one", unordered);
        let two = if draw.one_in(2) {
            one.clone()
        } else {
            store(&draw, "memory://two", unordered)
        };
        // What nobody can see nobody can be blamed for.
        for store in [&one, &two] {
            store.set_options(|options| {
                if !options.checksums && options.etags == ETagStyle::Opaque {
                    (plan.wrong_bodies, plan.wrong_uploads) = (0, 0);
                }
            });
        }
        plan.changing = Some(BucketName::new("source").expect("a name"));
        let calm = Plan {
            changing: None,
            ..plan.clone()
        };
        let folder = tempfile::tempdir().expect("a folder");
        let mut world = World {
            seed,
            ask,
            from,
            to,
            stops: draw.one_in(7),
            on_denied: draw.pick(&[
                None,
                None,
                Some(OnDenied::Stop),
                Some(OnDenied::Wait(None)),
                Some(OnDenied::Wait(Some(Duration::from_secs(5)))),
            ]),
            faulty: (
                Faulty::new(Arc::new(one.clone()), seed, plan.clone()),
                Faulty::new(Arc::new(two.clone()), seed, calm),
            ),
            ledger: Arc::new(Ledger::default()),
            context: context_over(&one, &two, Arc::new(Ledger::default())),
            stores: (one, two),
            folder,
            source: Things::new(),
            destination: Things::new(),
            conditions: CopyConditions {
                no_clobber: draw.one_in(8),
                if_size_differ: draw.one_in(10),
                if_source_newer: draw.one_in(10),
            },
            options: TransferOptions {
                part_size: draw.one_in(2).then_some(ByteCount(5 * MIB)),
                ..TransferOptions::default()
            },
            unordered,
            allow_empty_source: draw.one_in(3),
            stop_after: Duration::from_millis(draw.below(20_000)),
            plan,
        };
        world.context.source = Arc::new(world.faulty.0.clone());
        world.context.destination = Arc::new(world.faulty.1.clone());
        world.context.observer = Arc::clone(&world.ledger) as Arc<dyn crate::Observer>;
        world.context.objects = Arc::new(Semaphore::new(draw.pick(&[1, 3, 20])));
        world.context.clock = draw.clock();
        if draw.one_in(2) {
            let journal = Journal::new(world.jobs(), record(), draw.clock());
            world.context.journal = Some(Arc::new(journal));
        }
        if world.on_denied == Some(OnDenied::Wait(None)) && !world.stops {
            // What is denied for good would be waited for as long.
            world.stops = true;
            world.stop_after = PATIENCE;
        }
        if let Some(on_denied) = world.on_denied {
            world.context = guard(&world.context, on_denied);
        }
        world.fill(&draw).await;
        world
    }

    /// Where this world's journals are.
    pub(super) fn jobs(&self) -> JobsHome {
        JobsHome::new(self.folder.path().join("jobs"))
    }

    /// Whether the run may end before all is done.
    pub(super) fn may_stop(&self) -> bool {
        let gives_up = match self.on_denied {
            Some(OnDenied::Stop | OnDenied::Wait(Some(_))) => true,
            Some(OnDenied::Wait(None)) | None => false,
        };
        self.stops || gives_up
    }

    /// Puts things in place on both sides.
    async fn fill(&mut self, draw: &Draw) {
        for (place, side) in [(self.from, "source"), (self.to, "destination")] {
            self.put(place, side, BYSTANDER, Bytes::from_static(b"mine"), draw);
            std::fs::create_dir_all(self.folder.path().join(side).join("in")).expect("a folder");
        }
        for store in [&self.stores.0, &self.stores.1] {
            if draw.one_in(6) {
                for bucket in ["source", "destination"] {
                    let bucket = BucketName::new(bucket).expect("a name");
                    store.insert_bucket(bucket.as_str());
                    let state = VersioningState::Enabled;
                    let set = store.put_bucket_versioning(bucket, state).await;
                    set.expect("the store in memory keeps versions");
                }
            }
        }
        let both_stores = (self.from, self.to) == (Place::Store, Place::Store);
        let mut large = draw.one_in(8);
        for _ in 0..draw.below(14) {
            let awkward = self.from == Place::Store && draw.one_in(4);
            let name = draw.pick(if awkward { &AWKWARD } else { &PLAIN[..] });
            let mut size = draw.pick(&SIZES);
            if std::mem::take(&mut large) {
                size = draw.pick(&LARGE);
            }
            let content = draw.content(size);
            if self.put(
                self.from,
                "source",
                &format!("in/{name}"),
                content.clone(),
                draw,
            ) {
                self.source.insert(name.to_owned(), content);
            }
        }
        let names: Vec<String> = self.source.keys().cloned().collect();
        for name in names {
            if !draw.one_in(3) || (name.ends_with('/') && !both_stores) {
                continue;
            }
            let content = match draw.below(3) {
                0 => self.source[&name].clone(),
                1 => draw.content(self.source[&name].len() as u64),
                _ => draw.content(draw.pick(&SIZES)),
            };
            self.put_there(&name, content, draw);
        }
        for _ in 0..draw.below(6) {
            let name = draw.pick(&["extra", "b/extra", "z/z", "0", "\u{7f}"]);
            let content = draw.content(draw.pick(&SIZES));
            self.put_there(name, content, draw);
        }
    }

    fn put_there(&mut self, name: &str, content: Bytes, draw: &Draw) {
        let place = format!("in/{name}");
        if self.put(self.to, "destination", &place, content.clone(), draw) {
            self.destination.insert(name.to_owned(), content);
        }
    }

    /// Puts a thing in place; false where a file cannot be.
    fn put(&self, place: Place, side: &str, name: &str, content: Bytes, draw: &Draw) -> bool {
        let time = draw.time();
        match place {
            Place::Store => {
                let store = self.store_of(side);
                store.insert(side, name, content);
                store.set_last_modified(side, name, time);
                true
            }
            Place::Folder => {
                let path = self.folder.path().join(side).join(name);
                if name.split('/').any(|part| part.is_empty() || part == "..") || path.is_dir() {
                    return false;
                }
                let parent = path.parent().expect("below the folder");
                if std::fs::create_dir_all(parent).is_err() {
                    return false;
                }
                std::fs::write(&path, content).expect("a file is written");
                let file = std::fs::File::options().write(true).open(&path);
                let file = file.expect("the file was written");
                file.set_modified(time.into()).expect("a time is set");
                true
            }
        }
    }

    pub(super) fn store_of(&self, side: &str) -> &MemoryClient {
        match side {
            "source" => &self.stores.0,
            _ => &self.stores.1,
        }
    }

    /// The changes that others made at the source, and the uploads whose ids were lost.
    pub(super) fn faulty(&self) -> [&Faulty; 2] {
        [&self.faulty.0, &self.faulty.1]
    }

    pub(super) fn faults(&self) -> BTreeMap<&'static str, u64> {
        let mut faults = self.faulty.0.faults();
        for (name, count) in self.faulty.1.faults() {
            *faults.entry(name).or_default() += count;
        }
        faults
    }

    fn target(&self, place: Place, side: &str, all: bool) -> Target {
        match place {
            Place::Folder => Target::Local(PathBuf::from(format!(
                "{}/{side}/in/",
                self.folder.path().display()
            ))),
            Place::Store => {
                let pattern = if all { "*" } else { "" };
                Target::parse(&format!("s3://{side}/in/{pattern}")).expect("a URL")
            }
        }
    }

    pub(super) async fn run(&self) -> Ended {
        let accounts = Arc::new(Accounts::default());
        let source = Source {
            unordered: self.unordered,
            counterpart_unordered: self.unordered,
            ..Source::new(self.target(self.from, "source", true))
        };
        let destination = self.target(self.to, "destination", false);
        if self.stops {
            let (stopping, after) = (self.context.stopping.clone(), self.stop_after);
            drop(base::tasks::spawn("stop", async move {
                tokio::time::sleep(after).await;
                stopping.cancel();
            }));
        }
        let options = self.options.clone();
        let result = match self.ask {
            Ask::Copy | Ask::Move => {
                let job = CopyJob {
                    verb: if self.ask == Ask::Move {
                        Verb::Move
                    } else {
                        Verb::Copy
                    },
                    source,
                    destination,
                    flatten: false,
                    conditions: self.conditions,
                    filter: Filter::default(),
                    options,
                };
                Box::pin(copy::run(job, &self.context, &accounts)).await
            }
            Ask::Sync { comparator, delete } => {
                let job = SyncJob {
                    source,
                    destination,
                    filter: Filter::default(),
                    comparator,
                    delete,
                    max_delete: None,
                    allow_empty_source: self.allow_empty_source,
                    exit_on_error: false,
                    options,
                };
                Box::pin(sync::run(job, &self.context, &accounts)).await
            }
        };
        let sums = accounts.sums();
        Ended { result, sums }
    }

    /// What a side holds now, all of it.
    pub(super) fn things(&self, place: Place, side: &str) -> Things {
        match place {
            Place::Store => {
                let store = self.store_of(side);
                let keys = store.keys(side).into_iter();
                keys.map(|key| {
                    let bytes = store.bytes(side, &key).expect("a key that is listed");
                    (key, bytes)
                })
                .collect()
            }
            Place::Folder => {
                let root = self.folder.path().join(side);
                let mut found = Things::new();
                gather(&root, &root, &mut found);
                found
            }
        }
    }

    /// All that a person needs to see why a seed is wrong.
    pub(super) fn story(&self, ended: &Ended) -> String {
        let mut lines = vec![
            format!("{self:?}"),
            format!("faults: {:?}", self.faults()),
            format!("ended {}: {:?}", ended.ending(), ended.sums),
        ];
        if let Err(error) = &ended.result {
            lines.push(format!("error: {error}"));
        }
        for (kind, name, said) in self.ledger.rows.lock().iter() {
            lines.push(format!("  {kind} {name:?} {said}"));
        }
        for change in self.faulty.0.changes() {
            let size = change.bytes.as_ref().map(Bytes::len);
            lines.push(format!("  somebody else: {} {size:?}", change.key));
        }
        lines.join("\n")
    }
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sizes = |things: &Things| -> Vec<(String, usize)> {
            let rows = things.iter();
            rows.map(|(name, bytes)| (name.clone(), bytes.len()))
                .collect()
        };
        f.debug_struct("World")
            .field("seed", &self.seed)
            .field("ask", &self.ask)
            .field("way", &(self.from, self.to))
            .field("endpoints", &(&self.stores.0, &self.stores.1))
            .field("stops", &self.stops.then_some(self.stop_after))
            .field("on_denied", &self.on_denied)
            .field("journal", &self.context.journal.is_some())
            .field("conditions", &self.conditions)
            .field("part_size", &self.options.part_size)
            .field("source", &sizes(&self.source))
            .field("destination", &sizes(&self.destination))
            .field("plan", &self.plan)
            .finish_non_exhaustive()
    }
}

/// The record of a job that nobody goes on with.
pub(super) fn record() -> JobRecord {
    JobRecord {
        words: vec!["cp".to_owned()],
        version: "0".to_owned(),
        folder: PathBuf::from("/"),
        started_at: jiff::Timestamp::UNIX_EPOCH,
        source_endpoint: String::new(),
        destination_endpoint: String::new(),
    }
}

/// A store of some kind.
fn store(draw: &Draw, endpoint: &str, unordered: bool) -> MemoryClient {
    let store = MemoryClient::new(MemoryOptions {
        endpoint: endpoint.to_owned(),
        clock: draw.clock(),
        page_rows_max: draw.pick(&[2, 3, 5, 1_000]),
        part_size_min: ByteCount(1),
        checksums: !draw.one_in(3),
        honours_start_after: !draw.one_in(8),
        listing_order: if unordered {
            draw.pick(&[ListingOrder::PathComponents, ListingOrder::Unordered])
        } else {
            ListingOrder::Bytes
        },
        empty_pages: draw.one_in(6),
        etags: if draw.one_in(4) {
            ETagStyle::Opaque
        } else {
            ETagStyle::Md5
        },
        ..MemoryOptions::default()
    });
    for bucket in ["source", "destination"] {
        store.insert_bucket(bucket);
    }
    store
}

fn gather(folder: &Path, root: &Path, found: &mut Things) {
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            gather(&path, root, found);
        } else {
            let name = path.strip_prefix(root).expect("below the root");
            let name = name.to_str().expect("names are text").to_owned();
            found.insert(name, std::fs::read(&path).expect("a file is read").into());
        }
    }
}
