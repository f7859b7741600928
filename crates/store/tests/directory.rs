//! A volume in a real directory: durable, held by one process, refused by name.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use base::{BucketName, Clock, Key};
use bytes::Bytes;
use store::disk::{DirectoryDisk, Disk as _, DiskFile, OpenError};
use store::model::{PutObject, ReadConditions, Received};
use store::{Engine, EngineOptions, Layout, StartError};

const LAYOUT: Layout = Layout {
    extent_bytes: 1 << 20,
    batch_bytes_max: 256 << 10,
    small_body_bytes_max: 16 << 10,
    piece_bytes: 100 << 10,
};

fn disk(path: &Path) -> DirectoryDisk {
    DirectoryDisk::open(path, true).expect("a directory of our own opens")
}

fn open(path: &Path) -> Engine {
    let options = EngineOptions {
        layout: LAYOUT,
        ..EngineOptions::default()
    };
    Engine::open(Arc::new(disk(path)), Clock::system(), options).expect("the store opens")
}

#[test]
fn what_was_being_made_when_a_process_died_is_no_extent() {
    let folder = tempfile::tempdir().unwrap();
    Engine::format(&disk(folder.path()), &Clock::system(), &LAYOUT).unwrap();
    let left = folder.path().join("extent-00000007.making");
    fs::write(&left, b"too short").unwrap();
    drop(open(folder.path()));
    assert!(!left.exists());
}

#[test]
fn a_directory_keeps_what_it_was_given() {
    let folder = tempfile::tempdir().unwrap();
    Engine::format(&disk(folder.path()), &Clock::system(), &LAYOUT).unwrap();
    let bucket = BucketName::new("bucket").unwrap();
    let sizes = [0_usize, 1, 16 << 10, (16 << 10) + 1, 100 << 10, 700_000];
    let bytes = |size: usize| -> Vec<u8> {
        (0..size)
            .map(|at| u8::try_from(at % 251).unwrap())
            .collect()
    };
    {
        let engine = open(folder.path());
        engine.create_bucket(&bucket).wait().unwrap();
        for size in sizes {
            let received = Received::from_bytes(Bytes::from(bytes(size)), []);
            let key = Key::new(format!("{size}")).unwrap();
            let request = PutObject::new(bucket.clone(), key, received);
            engine.put_object(&request).wait().unwrap();
        }
    }
    // Twice: what was read anew is written behind, and read again.
    for _ in 0..2 {
        let engine = open(folder.path());
        for size in sizes {
            let key = Key::new(format!("{size}")).unwrap();
            let found = engine
                .get_object(&bucket, &key, None, &ReadConditions::default())
                .unwrap();
            let read = engine.read(&found.object, 0..found.object.size).unwrap();
            assert!(read.concat() == bytes(size), "{size} bytes");
        }
    }
}

#[test]
fn only_one_process_has_a_directory() {
    let folder = tempfile::tempdir().unwrap();
    let first = disk(folder.path());
    let second = DirectoryDisk::open(folder.path(), true);
    assert!(matches!(second, Err(OpenError::InUse(_))));
    drop(first);
    disk(folder.path());
}

#[test]
fn directories_that_are_no_volumes_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let absent = folder.path().join("absent");
    let error = DirectoryDisk::open(&absent, true).unwrap_err();
    assert!(matches!(error, OpenError::NoDirectory(..)));
    assert!(error.to_string().contains("mount the disk"));
    assert!(
        !absent.exists(),
        "nothing is made in place of a disk that is not mounted"
    );

    let error = Engine::open(
        Arc::new(disk(folder.path())),
        Clock::system(),
        EngineOptions::default(),
    );
    assert!(matches!(error, Err(StartError::Empty { .. })));

    fs::write(folder.path().join("holiday.jpg"), b"jpg").unwrap();
    let error = DirectoryDisk::open(folder.path(), true).unwrap_err();
    assert!(matches!(&error, OpenError::Foreign(_, name) if name == "holiday.jpg"));
}

#[test]
fn the_device_of_the_root_is_refused_unless_it_is_asked_for() {
    // `/` itself is on its own device on every machine.
    let error = DirectoryDisk::open(Path::new("/"), false).unwrap_err();
    assert!(matches!(error, OpenError::SharedDevice(_)));
    assert!(error.to_string().contains("--allow-shared-device"));
}

#[test]
fn a_directory_disk_reads_past_the_cache_what_it_wrote() {
    let folder = tempfile::tempdir().unwrap();
    let disk = disk(folder.path());
    let file = DiskFile::Superblock(0);
    disk.create(file, 4 << 12).unwrap();
    disk.write(file, 4096, &[7; 4096]).unwrap();
    disk.flush(file).unwrap();
    let mut both = [1; 8192];
    disk.read_stored(file, 0, &mut both).unwrap();
    assert!(both[..4096].iter().all(|byte| *byte == 0));
    assert!(both[4096..].iter().all(|byte| *byte == 7));
    assert_eq!(disk.files().unwrap(), [file]);
    // Made again, it is empty again.
    disk.create(file, 4096).unwrap();
    let mut page = [1; 4096];
    disk.read(file, 0, &mut page).unwrap();
    assert_eq!(page, [0; 4096]);
    assert!(disk.room().unwrap() > 0);
}
