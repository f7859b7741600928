//! Parts and objects that are too large to be held, and go while they are read.

use super::*;

const SIZE: u64 = 40 * MIB + 5;

/// Of 32 MiB a part may hold 8.
fn bench(part_size: u64) -> Bench {
    let mut bench = Bench::new();
    bench.context.flow = Flow::fixed(ByteCount(32 * MIB), NonZeroUsize::new(4).unwrap());
    bench.options.part_size = Some(ByteCount(part_size));
    bench
}

#[tokio::test]
async fn a_relayed_part_that_is_too_large_to_be_held_is_streamed_and_compared() {
    // The part size, and the PUTs and parts that it makes.
    for (part_size, puts, parts) in [(12 * MIB, 0, 4), (64 * MIB, 1, 0), (8 * MIB, 0, 6)] {
        for (checksums, opaque) in [(true, false), (false, false), (true, true)] {
            let bench = bench(part_size);
            bench.source.insert_ramp("from", "k", 11, ByteCount(SIZE));
            let bench = match checksums {
                true => bench,
                false => bench.without_checksums(),
            };
            if opaque {
                bench
                    .source
                    .set_options(|options| options.etags = ETagStyle::Opaque);
                bench.source.insert_ramp("from", "k", 11, ByteCount(SIZE));
            }
            let sums = bench.run(&["k"]).await;
            assert_eq!(sums.copied, 1, "{:?}", bench.ledger.rows);
            bench.assert_equal("k");
            assert_eq!(sums.unverified, 0);
            let count = |operation| bench.destination.request_count(operation);
            assert_eq!(count(Operation::PutObject), puts, "{part_size}");
            assert_eq!(count(Operation::UploadPart), parts, "{part_size}");
            let read = bench.source.request_count(Operation::GetObject);
            assert_eq!(read, puts + parts, "the source is read once");
        }
    }
}

#[tokio::test]
async fn wrong_bytes_that_are_streamed_never_make_an_object() {
    for part_size in [12 * MIB, 64 * MIB] {
        for checksums in [true, false] {
            let bench = bench(part_size);
            let bench = match checksums {
                true => bench,
                false => bench.without_checksums(),
            };
            bench.source.insert_ramp("from", "k", 3, ByteCount(SIZE));
            bench
                .source
                .set_hook(Some(Hook::new(|call| match call.operation {
                    Operation::GetObject => Reaction::CorruptBody { at: 1 << 20 },
                    _ => Reaction::Proceed,
                })));
            let sums = bench.run(&["k"]).await;
            assert_eq!((sums.failed, sums.copied), (1, 0));
            assert!(bench.destination.keys("to").is_empty());
        }
    }
}

#[tokio::test]
async fn a_source_that_changes_or_breaks_while_it_is_streamed_is_never_mixed() {
    for part_size in [12 * MIB, 64 * MIB] {
        let changed = bench(part_size);
        changed.source.insert_ramp("from", "k", 3, ByteCount(SIZE));
        let changing = changed.source.clone();
        let turn = AtomicU64::new(0);
        // The first body breaks off; by the time that it is asked for again it is another object.
        changed.source.set_hook(Some(Hook::new(move |call| {
            if call.operation != Operation::GetObject {
                return Reaction::Proceed;
            }
            match turn.fetch_add(1, Ordering::Relaxed) {
                0 => Reaction::BreakBody { after: 5 * MIB },
                1 => {
                    changing.insert_ramp("from", "k", 200, ByteCount(SIZE));
                    Reaction::Proceed
                }
                turn if turn.is_multiple_of(3) => Reaction::BreakBody { after: MIB },
                _ => Reaction::Proceed,
            }
        })));
        let sums = changed.run(&["k"]).await;
        assert_eq!(sums.copied, 1, "{:?}", changed.ledger.rows);
        changed.assert_equal("k");
        let denied = bench(part_size);
        denied.source.insert_ramp("from", "k", 3, ByteCount(SIZE));
        denied.source.set_hook(Some(Hook::deny(|call| {
            call.operation == Operation::GetObject
        })));
        assert_eq!(denied.run(&["k"]).await.failed, 1);
        // It is said of whom it was denied, not that a body could not be sent.
        let said = denied.ledger.said("failed").concat();
        assert!(
            said.contains("GetObject") && said.contains("AccessDenied"),
            "{said}"
        );
    }
}
