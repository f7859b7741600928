//! Syncs of which one range cannot be listed.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// A sync with `--delete` in which one page of `bucket` is refused: the one asked for after so many
/// others. Copies begun after that, and whether it was asked for at all.
async fn with_a_broken_range(bucket: &'static str, pages_before: usize) -> (usize, bool) {
    let keys: Vec<String> = (0..150).map(|number| format!("k/{number:04}")).collect();
    let names: Vec<&str> = keys.iter().map(String::as_str).collect();
    let bench = two_buckets(&names[30..], &names[..60]);
    let (pages, late) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (pages_seen, late_seen) = (Arc::clone(&pages), Arc::clone(&late));
    bench.client.set_hook(Some(Hook::new(move |call| {
        let is_page = call.operation == Operation::ListObjectsV2 && call.bucket == Some(bucket);
        if is_page && pages_seen.fetch_add(1, Ordering::Relaxed) == pages_before {
            return Reaction::Fail(call.access_denied());
        }
        let broken = pages_seen.load(Ordering::Relaxed) > pages_before;
        if broken && call.operation == Operation::CopyObject {
            late_seen.fetch_add(1, Ordering::Relaxed);
        }
        Reaction::Proceed
    })));
    let outcome = bench.sync(deleting("s3://bucket/*", "s3://there/")).await;
    let broke = pages.load(Ordering::Relaxed) > pages_before;
    match outcome {
        Ok(report) if broke => {
            assert_eq!(report.ending(false), Ending::Failed, "{pages_before}");
            assert_eq!(report.sums.job_failures, 1, "{pages_before}");
        }
        Ok(report) => assert_eq!((report.sums.copied, report.sums.extra_deleted), (90, 30)),
        Err(error) => assert!(
            broke && error.to_string().contains("AccessDenied"),
            "{error}"
        ),
    }
    if broke {
        assert_eq!(bench.client.request_count(Operation::DeleteObjects), 0);
        assert_eq!(bench.client.request_count(Operation::DeleteObject), 0);
    }
    (late.load(Ordering::Relaxed), broke)
}

#[tokio::test]
async fn s5cmd_695_whichever_range_breaks_nothing_is_deleted_and_copies_end_soon() {
    for bucket in ["bucket", "there"] {
        let mut pages_before = 0;
        loop {
            let (late, broke) = with_a_broken_range(bucket, pages_before).await;
            // As many as may be under way, and those that waited behind them.
            assert!(late <= 16, "{bucket} {pages_before}: {late}");
            if !broke {
                break;
            }
            pages_before += 1;
        }
        assert!(pages_before >= 20, "{bucket}: {pages_before}");
    }
}
