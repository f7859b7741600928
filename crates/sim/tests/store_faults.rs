//! What has broken other stores, by name: one fault each, at one place, told from its beginning.

use base::{BucketName, Clock, Key};
use bytes::Bytes;
use sim::crash::{LAYOUT, new_store, open, options};
use sim::disk::{Fault, SimDisk};
use store::disk::{Disk as _, DiskFile};
use store::engine::{Begun, Put};
use store::format::record::{Announced, RecordHeader};
use store::format::superblock::Superblock;
use store::format::{ExtentNumber, PAGE_BYTES, StoreId};
use store::model::{PutObject, ReadConditions, Received, WriteConditions};
use store::{Engine, EngineOptions, Error, StartError};

const CAPACITY: u64 = 40 * (64 << 10);

/// The log's first extent, which all these stores are small enough to stay in.
const LOG: DiskFile = DiskFile::Extent(ExtentNumber(0));

fn clock() -> Clock {
    Clock::system()
}

fn bucket() -> BucketName {
    BucketName::new("bucket").expect("a good name")
}

fn key(name: &str) -> Key {
    Key::new(name).expect("a good key")
}

fn put_if(engine: &Engine, name: &str, bytes: &[u8], conditions: WriteConditions) -> Begun<Put> {
    let received = Received::from_bytes(Bytes::copy_from_slice(bytes), []);
    let mut request = PutObject::new(bucket(), key(name), received);
    request.conditions = conditions;
    engine.put_object(&request)
}

fn put(engine: &Engine, name: &str, bytes: &[u8]) -> Result<Put, Error> {
    put_if(engine, name, bytes, WriteConditions::default()).wait()
}

fn get(engine: &Engine, name: &str) -> Result<Vec<u8>, Error> {
    let found = engine.get_object(&bucket(), &key(name), None, &ReadConditions::default())?;
    Ok(engine.read(&found.object, 0..found.object.size)?.concat())
}

fn is_absent(engine: &Engine, name: &str) -> bool {
    matches!(
        get(engine, name),
        Err(Error::Refused(store::model::Error::NoSuchKey { .. }))
    )
}

/// A store with a bucket, on a disk of its own.
fn store() -> (SimDisk, Engine) {
    let disk = SimDisk::new(1, CAPACITY);
    let engine = new_store(&disk, &clock());
    let made = engine.create_bucket(&bucket()).wait();
    made.expect("a new store takes a bucket");
    (disk, engine)
}

/// Where the records of an extent are, as far as they are whole.
fn records(disk: &SimDisk, file: DiskFile) -> Vec<(u64, Announced)> {
    let stored = disk.stored(file);
    let page = usize::try_from(PAGE_BYTES).expect("a page is small");
    let pages = stored.chunks(page).enumerate().skip(1);
    let records = pages.filter_map(|(index, page)| {
        let announced = Announced::decode(page).ok()?;
        Some((index as u64 * PAGE_BYTES, announced))
    });
    records.collect()
}

/// A write is torn, and the one behind it whole: neither was acknowledged, so both are gone, and
/// what is written in their place never meets the old tail again.
#[test]
fn a_torn_record_before_a_whole_one_ends_the_log_for_good() {
    let (disk, engine) = store();
    put(&engine, "kept", b"kept").unwrap();
    // The next record, and one of the same count behind it, as if both had been under way.
    let earlier = disk.fork(2);
    put(&engine, "torn", &[1; 100]).unwrap();
    put(&engine, "tail", &[2; 100]).unwrap();
    let found = records(&disk, LOG);
    let [.., (torn_at, _), (tail_at, _)] = found.as_slice() else {
        panic!("there are two records");
    };
    let whole = disk.stored(LOG);
    let page = usize::try_from(PAGE_BYTES).unwrap();
    let (torn_at, tail_at) = (
        usize::try_from(*torn_at).unwrap(),
        usize::try_from(*tail_at).unwrap(),
    );
    // The tail's own mark says that the record before it was flushed; one written at the same time
    // would not. So it is given the mark of its neighbour, and a right checksum.
    let mark = Announced::decode(&whole[torn_at..])
        .unwrap()
        .header
        .durable_mark;
    let tail = Announced::decode(&whole[tail_at..]).unwrap();
    let payload_at = tail_at + usize::try_from(tail.payload_at()).unwrap();
    let payload = &whole[payload_at..payload_at + tail.payload_length];
    let header = RecordHeader {
        durable_mark: mark,
        ..tail.header.clone()
    };
    let tail_record = header.encode(payload);
    earlier.change(LOG, |stored| {
        stored[torn_at..torn_at + 200].copy_from_slice(&whole[torn_at..torn_at + 200]);
        stored[tail_at..tail_at + tail_record.len()].copy_from_slice(&tail_record);
    });
    let engine = open(&earlier, &clock()).unwrap();
    assert_eq!(get(&engine, "kept").unwrap(), b"kept");
    assert!(is_absent(&engine, "torn") && is_absent(&engine, "tail"));
    // A record of the same size where the torn one was: the old tail follows it without a gap.
    put(&engine, "next", &[3; 100]).unwrap();
    assert_eq!(records(&earlier, LOG).last().unwrap().0, tail_at as u64);
    assert!(tail_at - torn_at >= page);
    earlier.crash();
    let engine = open(&earlier, &clock()).unwrap();
    assert_eq!(get(&engine, "next").unwrap(), [3; 100]);
    assert!(is_absent(&engine, "tail"));
    put(&engine, "after", b"after").unwrap();
    assert_eq!(
        get(&open(&earlier, &clock()).unwrap(), "after").unwrap(),
        b"after"
    );
}

/// A bad record below the mark was acknowledged: it is reported, and nothing is cut off.
#[test]
fn a_bad_record_below_the_mark_is_reported_and_never_cut_off() {
    let (disk, engine) = store();
    for name in ["a", "b", "c"] {
        put(&engine, name, name.as_bytes()).unwrap();
    }
    drop(engine);
    let found = records(&disk, LOG);
    let (at, _) = found[found.len() - 2];
    let before = disk.stored(LOG);
    for byte in [0, 50, 130, 300] {
        let damaged = disk.fork(3);
        damaged.flip(LOG, at + byte, 3);
        let error = open(&damaged, &clock()).unwrap_err();
        let StartError::Damaged { place, offset, .. } = &error else {
            panic!("{error:?}");
        };
        assert!(
            place.contains("extent-00000000") && *offset == at,
            "{error}"
        );
        assert!(error.to_string().contains("nothing was changed"));
        let mut after = damaged.stored(LOG);
        after[usize::try_from(at + byte).unwrap()] ^= 8;
        assert!(after == before, "a refusal changes nothing");
    }
}

/// A server that ended in peace wrote down how far it came: then the last record counts, too.
#[test]
fn damage_in_the_last_record_is_told_after_an_end_in_peace() {
    let (disk, engine) = store();
    put(&engine, "last", b"last").unwrap();
    engine.note_end().unwrap();
    let (at, _) = records(&disk, LOG).pop().unwrap();
    disk.flip(LOG, at, 0);
    let error = open(&disk, &clock()).unwrap_err();
    assert!(
        matches!(error, StartError::Damaged { offset, .. } if offset == at),
        "{error:?}"
    );
}

/// A process is killed between write and flush: the next one finds the record in the system's
/// memory, serves it, and so must have made it durable first.
#[test]
fn what_a_killed_process_left_in_memory_is_flushed_before_it_is_served() {
    for seed in 0..10 {
        let disk = SimDisk::new(seed, CAPACITY);
        let engine = new_store(&disk, &clock());
        engine.create_bucket(&bucket()).wait().unwrap();
        disk.fault(2, Fault::Kill);
        assert!(matches!(
            put(&engine, "name", &[4; 1000]),
            Err(Error::Uncertain)
        ));
        disk.kill();
        let engine = open(&disk, &clock()).unwrap();
        assert_eq!(get(&engine, "name").unwrap(), [4; 1000]);
        disk.crash();
        let engine = open(&disk, &clock()).unwrap();
        assert_eq!(get(&engine, "name").unwrap(), [4; 1000]);
    }
}

/// A disk that acknowledged a write and lost it is found out as soon as anything follows.
#[test]
fn a_lost_write_and_a_misdirected_one_are_found_out() {
    for fault in [Fault::LosesWrite, Fault::Misdirects] {
        let (disk, engine) = store();
        put(&engine, "before", b"before").unwrap();
        disk.fault(1, fault);
        put(&engine, "lost", b"lost").unwrap();
        put(&engine, "behind", b"behind").unwrap();
        disk.crash();
        let error = open(&disk, &clock()).unwrap_err();
        assert!(
            matches!(error, StartError::Damaged { .. }),
            "{fault:?}: {error:?}"
        );
    }
}

/// The kernel marks pages clean that a failed flush never wrote: read back, they look stored.
#[test]
fn after_a_failed_flush_nothing_beyond_the_mark_is_served() {
    for seed in 0..20 {
        let disk = SimDisk::new(seed, CAPACITY);
        let engine = new_store(&disk, &clock());
        engine.create_bucket(&bucket()).wait().unwrap();
        put(&engine, "kept", b"kept").unwrap();
        // The write succeeds, its flush does not.
        disk.fault(2, Fault::Fails);
        assert!(matches!(
            put(&engine, "cached", &[9; 1500]),
            Err(Error::Uncertain)
        ));
        assert!(engine.is_fenced());
        assert!(is_absent(&engine, "cached"));
        assert_eq!(get(&engine, "kept").unwrap(), b"kept");
        assert!(matches!(put(&engine, "more", b"more"), Err(Error::Fenced)));
        let flushes = disk.operations();
        assert!(matches!(put(&engine, "more", b"more"), Err(Error::Fenced)));
        assert_eq!(disk.operations(), flushes, "no flush is tried again");
        // The process starts again, with the same pages in the system's memory.
        disk.kill();
        let again = open(&disk, &clock()).unwrap();
        let served = !is_absent(&again, "cached");
        drop(again);
        disk.crash();
        let after = open(&disk, &clock()).unwrap();
        let there = !is_absent(&after, "cached");
        assert_eq!(served, there, "seed {seed}: what is served once survives");
        assert_eq!(get(&after, "kept").unwrap(), b"kept");
    }
}

/// An object holds a copy of a record of the very store: wherever it lies, it is no record.
#[test]
fn a_record_inside_an_object_is_not_taken_for_one() {
    let (disk, mut engine) = store();
    put(&engine, "a", b"a").unwrap();
    put(&engine, "b", b"b").unwrap();
    let (at, announced) = records(&disk, LOG).pop().unwrap();
    let start = usize::try_from(at).unwrap();
    let length = usize::try_from(announced.record_bytes()).unwrap();
    let copy = disk.stored(LOG)[start..start + length].to_vec();
    // At every place in a page, in the log itself and in a data block, alone and torn.
    for (index, shift) in [0, 100, 3000, 3800, 3968].into_iter().enumerate() {
        let mut bytes = vec![0; shift];
        bytes.extend_from_slice(&copy[..copy.len().min(1900)]);
        bytes.extend(vec![7; index * 2000]);
        put(&engine, &format!("copy-{index}"), &bytes).unwrap();
        drop(engine);
        disk.crash();
        engine = open(&disk, &clock()).unwrap();
        assert_eq!(get(&engine, &format!("copy-{index}")).unwrap(), bytes);
    }
    // The same torn at the end of the log: its first page is lost, the copy inside is not.
    let mut bytes = vec![0; 1800];
    bytes.extend_from_slice(&copy[..200]);
    put(&engine, "last", &bytes).unwrap();
    let (at, _) = records(&disk, LOG).pop().unwrap();
    drop(engine);
    disk.flip(LOG, at, 0);
    let engine = open(&disk, &clock()).unwrap();
    assert_eq!(get(&engine, "b").unwrap(), b"b");
}

/// A refusal that rests on a batch under way is not given when that batch fails.
#[test]
fn a_condition_that_fails_by_a_batch_that_fails_is_no_412() {
    let (disk, engine) = store();
    let first = put_if(&engine, "name", b"first", WriteConditions::default());
    let second = put_if(&engine, "name", b"second", WriteConditions::absent());
    disk.fault(2, Fault::Fails);
    assert!(matches!(second.wait(), Err(Error::Uncertain)));
    assert!(matches!(first.wait(), Err(Error::Uncertain)));

    // And is given when it succeeds, no earlier.
    let (disk, engine) = store();
    let first = put_if(&engine, "name", b"first", WriteConditions::default());
    let before = disk.operations();
    let second = put_if(&engine, "name", b"second", WriteConditions::absent());
    assert_eq!(disk.operations(), before);
    assert!(matches!(
        second.wait(),
        Err(Error::Refused(
            store::model::Error::PreconditionFailed { .. }
        ))
    ));
    assert!(disk.operations() > before);
    first.wait().unwrap();
}

/// All who wait share one flush.
#[test]
fn one_flush_serves_all_who_wait() {
    let (disk, engine) = store();
    put(&engine, "warm", b"warm").unwrap();
    let before = disk.operations();
    let begun: Vec<_> = (0..20)
        .map(|number| {
            put_if(
                &engine,
                &format!("{number}"),
                b"x",
                WriteConditions::default(),
            )
        })
        .collect();
    for begun in begun {
        begun.wait().unwrap();
    }
    assert_eq!(disk.operations() - before, 2, "one write, one flush");
}

/// Many threads at once: every answer is kept, and one of the conditional ones wins.
#[test]
fn threads_share_flushes_and_one_conditional_write_wins() {
    let (disk, engine) = store();
    let won = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..8)
            .map(|worker| {
                let engine = engine.clone();
                scope.spawn(move || {
                    for number in 0..20 {
                        put(&engine, &format!("{worker}-{number}"), &[worker; 300]).unwrap();
                    }
                    put_if(&engine, "once", &[worker], WriteConditions::absent())
                        .wait()
                        .is_ok()
                })
            })
            .collect();
        let won = workers.into_iter().map(|worker| worker.join().unwrap());
        won.filter(|won| *won).count()
    });
    assert_eq!(won, 1);
    disk.crash();
    let engine = open(&disk, &clock()).unwrap();
    for worker in 0..8 {
        for number in 0..20 {
            assert_eq!(
                get(&engine, &format!("{worker}-{number}")).unwrap(),
                [worker; 300]
            );
        }
    }
}

/// A full store takes no more, and still deletes.
#[test]
fn a_full_store_deletes() {
    let disk = SimDisk::new(4, 7 * LAYOUT.extent_bytes + (8 << 10));
    let engine = new_store(&disk, &clock());
    engine.create_bucket(&bucket()).wait().unwrap();
    let mut stored = 0;
    let full = loop {
        match put(&engine, &format!("{stored}"), &[5; 9000]) {
            Ok(_) => stored += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(full, Error::Full), "{full:?}");
    assert!(!engine.is_fenced(), "no room is no failed flush");
    assert!(stored > 3);
    for number in 0..stored {
        let deleted = engine.delete_object(
            &bucket(),
            &key(&format!("{number}")),
            None,
            &WriteConditions::default(),
        );
        deleted.wait().unwrap();
    }
    disk.crash();
    let engine = open(&disk, &clock()).unwrap();
    assert!((0..stored).all(|number| is_absent(&engine, &format!("{number}"))));
}

/// Damaged bytes are told of and never handed out.
#[test]
fn damaged_bytes_are_never_served() {
    let (disk, engine) = store();
    let large: Vec<u8> = (0..20_000_u32)
        .map(|at| u8::try_from(at % 251).unwrap())
        .collect();
    put(&engine, "large", &large).unwrap();
    let data = DiskFile::Extent(ExtentNumber(1));
    let (at, announced) = records(&disk, data)[1].clone();
    disk.flip(data, at + announced.payload_at() + 10, 1);
    let error = get(&engine, "large").unwrap_err();
    let Error::Damaged { place, offset, .. } = &error else {
        panic!("{error:?}");
    };
    assert!(place.contains("extent-00000001") && *offset == at);
    // Ranges that do not touch the frame are served.
    let found = engine
        .get_object(&bucket(), &key("large"), None, &ReadConditions::default())
        .unwrap();
    let bytes = engine.read(&found.object, 0..5000).unwrap().concat();
    assert_eq!(bytes, &large[..5000]);
}

/// A read that fails once drops nothing: the next one succeeds, and a start is refused, not cut.
#[test]
fn a_read_that_fails_once_loses_nothing() {
    let (disk, engine) = store();
    put(&engine, "name", b"bytes").unwrap();
    disk.fail_reads(1);
    assert!(matches!(
        get(&engine, "name"),
        Err(Error::Unreadable { .. })
    ));
    assert_eq!(get(&engine, "name").unwrap(), b"bytes");
    drop(engine);
    for reads in 1..8 {
        disk.fail_reads(1);
        for _ in 1..reads {
            let mut page = [0; 4096];
            let _ = disk.read(LOG, 0, &mut page);
        }
        disk.fail_reads(reads);
        assert!(matches!(
            open(&disk, &clock()),
            Err(StartError::Disk { .. })
        ));
        disk.heal();
        assert_eq!(
            get(&open(&disk, &clock()).unwrap(), "name").unwrap(),
            b"bytes"
        );
    }
}

/// One superblock may be damaged, both may not; a newer format and another store are told apart.
#[test]
fn superblocks_are_refused_by_name() {
    let (disk, engine) = store();
    put(&engine, "name", b"bytes").unwrap();
    let store_id = engine.store();
    drop(engine);
    let one = disk.fork(5);
    for number in 0..2 {
        let file = DiskFile::Superblock(number);
        one.flip(file, 70, 0);
        if number == 0 {
            let engine = open(&one.fork(6), &clock()).unwrap();
            assert_eq!(get(&engine, "name").unwrap(), b"bytes");
        }
    }
    assert!(matches!(
        open(&one, &clock()),
        Err(StartError::Superblocks { .. })
    ));
    // It holds extents, so it is not made anew either.
    let made = Engine::format(&one, &clock(), &LAYOUT);
    assert!(matches!(made, Err(StartError::NotEmpty { .. })));

    let newer = disk.fork(7);
    newer.change(DiskFile::Superblock(1), |page| page[8] = 2);
    let error = open(&newer, &clock()).unwrap_err();
    assert!(
        matches!(error, StartError::Newer { found: 2, .. }),
        "{error:?}"
    );
    assert!(error.to_string().contains("superblock-1"));

    let other = EngineOptions {
        store: Some(StoreId(store_id.0 ^ 1)),
        ..options()
    };
    let opened = Engine::open(std::sync::Arc::new(disk.fork(8)), clock(), other);
    assert!(matches!(opened, Err(StartError::Stranger { .. })));
}

/// An unmounted disk looks like an empty directory: it is never taken for a store, nor made one.
#[test]
fn an_empty_mount_point_is_refused() {
    let disk = SimDisk::new(9, CAPACITY);
    let error = open(&disk, &clock()).unwrap_err();
    assert!(matches!(error, StartError::Empty { .. }));
    assert!(error.to_string().contains("mount it"));
    assert!(disk.files().unwrap().is_empty());
    new_store(&disk, &clock());
    let again = Engine::format(&disk, &clock(), &LAYOUT);
    assert!(matches!(again, Err(StartError::NotEmpty { .. })));
}

/// Superblocks that are older than the log were restored from the wrong copy.
#[test]
fn superblocks_older_than_the_log_are_refused() {
    let (disk, engine) = store();
    drop(engine);
    let old = [0, 1].map(|number| disk.stored(DiskFile::Superblock(number)));
    let engine = open(&disk, &clock()).unwrap();
    put(&engine, "name", b"bytes").unwrap();
    drop(engine);
    for (number, page) in (0..).zip(&old) {
        disk.change(DiskFile::Superblock(number), |stored| {
            stored.copy_from_slice(page)
        });
    }
    assert!(Superblock::decode(&old[0]).is_ok());
    assert!(matches!(
        open(&disk, &clock()),
        Err(StartError::OldSuperblocks { .. })
    ));
}
