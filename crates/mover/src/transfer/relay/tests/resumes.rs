//! Relays that break off inside an object and go on. A run that was killed is one whose journal is
//! opened again from its folder.

use std::path::PathBuf;

use tempfile::TempDir;

use super::*;
use crate::journal::{JobRecord, JobsHome, Journal};

const SIZE: u64 = 26 * MIB;

struct Killed {
    bench: Bench,
    home: JobsHome,
    _folder: TempDir,
}

impl Killed {
    fn new(mut bench: Bench) -> Killed {
        let folder = tempfile::tempdir().unwrap();
        bench.options.part_size = Some(ByteCount(5 * MIB));
        bench.options.parts_max = NonZeroUsize::new(1).unwrap();
        bench.source.insert_ramp("from", "k", 9, ByteCount(SIZE));
        Killed {
            bench,
            home: JobsHome::new(folder.path().join("jobs")),
            _folder: folder,
        }
    }

    fn journal(&self) -> Arc<Journal> {
        let clock = base::Clock::system();
        let jobs = self.home.jobs().unwrap();
        let journal = match jobs.first() {
            Some(job) => {
                let job = self.home.lock(&job.id).unwrap();
                Journal::resume(self.home.clone(), job, clock).unwrap()
            }
            None => {
                let record = JobRecord {
                    words: Vec::new(),
                    version: String::new(),
                    folder: PathBuf::new(),
                    started_at: clock.now(),
                    source_endpoint: String::new(),
                    destination_endpoint: String::new(),
                };
                Journal::new(self.home.clone(), record, clock)
            }
        };
        Arc::new(journal)
    }

    /// Relays the object in a run of its own.
    async fn run(&self) -> Sums {
        let bench = &self.bench;
        let head = bench.head(&bench.source, "from", "k").await;
        let mut context = bench.context.clone();
        context.journal = Some(self.journal());
        let accounts = Arc::new(Accounts::default());
        let engine = Engine::new(context, Arc::clone(&accounts));
        accounts.listed.add(1);
        let task = Move {
            verb: Verb::Copy,
            source: Entry {
                location: location("from", "k"),
                relative_start: 0,
                size: head.size,
                modified: None,
                etag: head.etag,
                storage_class: None,
                checksum_algorithm: None,
                is_delete_marker: false,
            },
            destination: location("to", "k"),
            options: Arc::new(bench.options.clone()),
        };
        engine.submit(task).await;
        engine.finish().await;
        accounts.sums()
    }

    /// A run in which the destination takes no part from the fourth on.
    async fn run_until_the_fourth_part(&self) {
        let destination = &self.bench.destination;
        destination.set_hook(Some(Hook::new(|call| {
            let late = call.part_number.is_some_and(|part| part >= 4);
            if call.operation == Operation::UploadPart && late {
                Reaction::Fail(call.connection_lost())
            } else {
                Reaction::Proceed
            }
        })));
        assert_eq!(self.run().await.failed, 1);
        destination.set_hook(None);
        assert_eq!(destination.upload_count("to"), 1, "kept for the next run");
        assert_eq!(self.home.all_uploads().unwrap()[0].parts, 3);
    }

    /// Parts sent and spans read by a run that goes on.
    async fn go_on(&self) -> (u64, u64) {
        let counts = || {
            let sent = self.bench.destination.request_count(Operation::UploadPart);
            (sent, self.bench.source.request_count(Operation::GetObject))
        };
        let before = counts();
        assert_eq!(self.run().await.copied, 1);
        let after = counts();
        self.bench.assert_equal("k");
        assert_eq!(self.bench.destination.upload_count("to"), 0);
        assert!(self.home.all_uploads().unwrap().is_empty());
        (after.0 - before.0, after.1 - before.1)
    }
}

#[tokio::test]
async fn a_relay_that_was_killed_inside_an_object_keeps_its_parts() {
    let killed = Killed::new(Bench::new());
    killed.run_until_the_fourth_part().await;
    assert_eq!(killed.go_on().await, (3, 3), "parts 4 to 6");
    // Where nothing but the MD5 of the whole can be compared, all of it is read again.
    let killed = Killed::new(Bench::new().without_checksums());
    killed.run_until_the_fourth_part().await;
    assert_eq!(killed.go_on().await, (3, 6));
    assert_eq!(killed.bench.verified(), [Verified::ETag]);
}

#[tokio::test]
async fn a_streamed_relay_that_was_killed_keeps_its_parts_too() {
    for (checksums, read) in [(true, 3), (false, 6)] {
        let mut bench = Bench::new();
        bench.context.flow = Flow::fixed(ByteCount(16 * MIB), NonZeroUsize::new(4).unwrap());
        if !checksums {
            bench = bench.without_checksums();
        }
        let mut killed = Killed::new(bench);
        // Of 16 MiB a part may hold 5, the least.
        killed.bench.options.part_size = Some(ByteCount(5 * MIB + 1));
        killed.run_until_the_fourth_part().await;
        assert_eq!(killed.go_on().await, (3, read));
    }
}

#[tokio::test]
async fn a_relay_whose_source_changed_since_it_was_killed_keeps_no_part() {
    let killed = Killed::new(Bench::new());
    killed.run_until_the_fourth_part().await;
    let source = &killed.bench.source;
    source.insert_ramp("from", "k", 100, ByteCount(SIZE));
    assert_eq!(killed.go_on().await, (6, 6));
}
