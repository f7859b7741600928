//! Objects of which the source's store keeps a checksum of another algorithm, and nothing else
//! that could be compared.

use base::checksum::ChecksumValue;
use base::{Checksum, ChecksumAlgorithm};

use super::*;

const OTHERS: [ChecksumAlgorithm; 4] = [
    ChecksumAlgorithm::Crc32,
    ChecksumAlgorithm::Crc32c,
    ChecksumAlgorithm::Sha1,
    ChecksumAlgorithm::Sha256,
];

const SMALL: u64 = 70_001;
const LARGE: u64 = 17 * MIB + 5;

/// A source whose ETags tell nothing.
fn bench() -> Bench {
    let bench = Bench::new();
    bench
        .source
        .set_options(|options| options.etags = ETagStyle::Opaque);
    bench
}

fn full(algorithm: ChecksumAlgorithm, size: u64) -> Checksum {
    ChecksumValue::of(algorithm, &ramp(size)).full_object()
}

/// As if uploaded in parts of 8 MiB.
fn composite(algorithm: ChecksumAlgorithm, size: u64) -> Checksum {
    let piece = usize::try_from(8 * MIB).unwrap();
    let parts: Vec<ChecksumValue> = ramp(size)
        .chunks(piece)
        .map(|part| ChecksumValue::of(algorithm, part))
        .collect();
    ChecksumValue::composite(&parts).unwrap()
}

fn keep(bench: &Bench, size: u64, checksum: Checksum) {
    bench.source.insert("from", "k", ramp(size));
    assert!(bench.source.set_checksum("from", "k", checksum));
}

/// Moves the object into a file.
async fn download(bench: &Bench, folder: &tempfile::TempDir) -> Sums {
    let head = bench.head(&bench.source, "from", "k").await;
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
        destination: Location::Local(folder.path().join("k")),
        options: Arc::new(bench.options.clone()),
    };
    bench.run_tasks(vec![task]).await
}

fn corrupt(bench: &Bench) {
    bench.source.set_hook(Some(Hook::new(|call| {
        if call.operation == Operation::GetObject {
            return Reaction::CorruptBody { at: 4_321 };
        }
        Reaction::Proceed
    })));
}

#[tokio::test]
async fn whatever_checksum_the_source_keeps_of_the_whole_its_bytes_are_compared_with_it() {
    let folder = tempfile::tempdir().unwrap();
    for algorithm in OTHERS {
        for size in [0, SMALL, LARGE] {
            let right = bench();
            keep(&right, size, full(algorithm, size));
            assert_eq!(right.run(&["k"]).await.copied, 1, "{algorithm:?} {size}");
            right.assert_equal("k");
            assert_eq!(download(&right, &folder).await.unverified, 0);
            let verified = right.verified();
            assert_eq!(verified[1], Verified::Checksum(full(algorithm, size)));
            assert!(matches!(verified[0], Verified::Checksum(_)), "{verified:?}");
            if size == 0 {
                continue;
            }
            std::fs::remove_file(folder.path().join("k")).unwrap();
            let wrong = bench();
            keep(&wrong, size, full(algorithm, size));
            corrupt(&wrong);
            assert_eq!(wrong.run(&["k"]).await.failed, 1, "{algorithm:?} {size}");
            assert!(wrong.destination.keys("to").is_empty());
            assert_eq!(download(&wrong, &folder).await.failed, 2);
            assert!(!folder.path().join("k").exists());
            let said = wrong.ledger.said("failed").concat();
            assert!(said.contains(algorithm.as_str()), "{said}");
        }
    }
}

#[tokio::test]
async fn a_checksum_of_parts_is_compared_where_the_parts_can_be_guessed() {
    let folder = tempfile::tempdir().unwrap();
    for algorithm in OTHERS {
        let stored = composite(algorithm, LARGE);
        let right = bench();
        keep(&right, LARGE, stored.clone());
        right.run(&["k"]).await;
        download(&right, &folder).await;
        let verified = right.verified();
        assert!(matches!(verified[0], Verified::Checksum(_)), "{verified:?}");
        assert_eq!(verified[1], Verified::Checksum(stored.clone()));
        // A guess that was wrong looks the same as wrong bytes, and is not called verified.
        let wrong = bench();
        keep(&wrong, LARGE, stored);
        corrupt(&wrong);
        assert_eq!(wrong.run(&["k"]).await.unverified, 1);
        assert_eq!(download(&wrong, &folder).await.unverified, 2);
    }
}

#[tokio::test]
async fn a_digest_of_the_whole_that_cannot_be_one_is_not_believed() {
    // Some stores say the checksum of the parts' checksums without saying that it is one.
    let bench = Bench::new().without_checksums();
    bench.source.insert("from", "k", ramp(LARGE));
    let parted = bench.run(&["k"]).await;
    assert_eq!(parted.copied, 1);
    let again = Bench::between(bench.destination.clone(), bench.source.clone());
    let mut checksum = composite(ChecksumAlgorithm::Sha256, LARGE);
    checksum.checksum_type = base::checksum::ChecksumType::FullObject;
    assert!(again.source.set_checksum("to", "k", checksum));
    let head = again.head(&again.source, "to", "k").await;
    assert_eq!(head.etag.as_ref().and_then(base::ETag::part_count), Some(3));
    let task = Move {
        verb: Verb::Copy,
        source: Entry {
            location: location("to", "k"),
            relative_start: 0,
            size: head.size,
            modified: None,
            etag: head.etag,
            storage_class: None,
            checksum_algorithm: None,
            is_delete_marker: false,
        },
        destination: location("from", "again"),
        options: Arc::new(again.options.clone()),
    };
    assert_eq!(again.run_tasks(vec![task]).await.copied, 1);
    assert_eq!(again.verified(), [Verified::ETag]);
}
