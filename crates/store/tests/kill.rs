//! Processes that are killed while they store: what they said was stored is there.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use base::{BucketName, Clock, Key};
use bytes::Bytes;
use store::disk::DirectoryDisk;
use store::model::{PutObject, ReadConditions, Received};
use store::{Engine, EngineOptions, Layout};

/// Tells a process of this test that it is the one to be killed, and where to store.
const CHILD: &str = "LONGHAUL_TEST_STORE_CHILD";

/// Which of the processes it is.
const LIFE: &str = "LONGHAUL_TEST_STORE_LIFE";

const LIVES: u64 = 6;

const THREADS: u64 = 3;

const LAYOUT: Layout = Layout {
    extent_bytes: 1 << 20,
    batch_bytes_max: 256 << 10,
    small_body_bytes_max: 16 << 10,
    piece_bytes: 64 << 10,
};

fn open(path: &Path) -> Engine {
    let disk = DirectoryDisk::open(path, true).expect("whoever had it is dead");
    let options = EngineOptions {
        layout: LAYOUT,
        ..EngineOptions::default()
    };
    Engine::open(Arc::new(disk), Clock::system(), options).expect("the store opens")
}

fn bucket() -> BucketName {
    BucketName::new("bucket").expect("a good name")
}

/// Bytes that name their object; some small, some large.
fn bytes_of(name: &str) -> Vec<u8> {
    let sum: usize = name.bytes().map(usize::from).sum();
    let size = [10, 3_000, 20_000, 90_000][sum % 4] + sum;
    name.bytes().cycle().take(size).collect()
}

/// Stores until it is killed, and says of each object that it is stored.
fn store_for_ever(path: &Path, life: &str) {
    let engine = open(path);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let engine = engine.clone();
            scope.spawn(move || {
                for number in 0.. {
                    let name = format!("{life}-{thread}-{number}");
                    let received = Received::from_bytes(Bytes::from(bytes_of(&name)), []);
                    let key = Key::new(name.clone()).expect("a good key");
                    let request = PutObject::new(bucket(), key, received);
                    let stored = engine.put_object(&request).wait();
                    stored.expect("the disk has room for some seconds");
                    let mut out = std::io::stdout().lock();
                    writeln!(out, "stored {name}").expect("the other process listens");
                    out.flush().expect("the other process listens");
                }
            });
        }
    });
}

#[test]
fn what_a_killed_process_said_was_stored_is_there() {
    if let Ok(path) = std::env::var(CHILD) {
        let life = std::env::var(LIFE).expect("it is given with the path");
        store_for_ever(Path::new(&path), &life);
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    {
        let disk = DirectoryDisk::open(folder.path(), true).unwrap();
        Engine::format(&disk, &Clock::system(), &LAYOUT).unwrap();
    }
    open(folder.path()).create_bucket(&bucket()).wait().unwrap();
    let mut told = BTreeMap::new();
    for life in 0..LIVES {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "what_a_killed_process_said_was_stored_is_there",
                "--nocapture",
            ])
            .env(CHILD, folder.path())
            .env(LIFE, life.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // Killed after another number of objects each time, in the middle of the next ones.
        let mut left = 5 + life * 7;
        while left > 0 {
            let line = lines.next().expect("it stores until it is killed").unwrap();
            if let Some((_, name)) = line.split_once("stored ") {
                told.insert(name.to_owned(), bytes_of(name));
                left -= 1;
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // What it said before it was killed, and nobody had read yet.
        for line in lines.map_while(Result::ok) {
            if let Some((_, name)) = line.split_once("stored ")
                && name
                    .rsplit('-')
                    .next()
                    .is_some_and(|last| last.parse::<u64>().is_ok())
            {
                told.entry(name.to_owned())
                    .or_insert_with(|| bytes_of(name));
            }
        }
        let engine = open(folder.path());
        for (name, expected) in &told {
            let key = Key::new(name.clone()).unwrap();
            let found = engine
                .get_object(&bucket(), &key, None, &ReadConditions::default())
                .unwrap_or_else(|error| panic!("{name} was stored: {error:?}"));
            let read = engine.read(&found.object, 0..found.object.size).unwrap();
            assert!(read.concat() == *expected, "the bytes of {name}");
        }
    }
    assert!(told.len() as u64 >= LIVES * 5);
}
