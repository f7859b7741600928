use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use base::units::MIB;
use base::{BucketName, Key};
use remote::Operation;
use remote::memory::{Hook, MemoryClient, Reaction};

use super::*;
use crate::testing::{Ledger, context_over, ramp};

fn object() -> ObjectLocation {
    ObjectLocation {
        bucket: BucketName::new("b").unwrap(),
        key: Key::new("k").unwrap(),
        version_id: None,
    }
}

#[tokio::test(start_paused = true)]
async fn bytes_come_in_order_and_whole_over_broken_bodies() {
    for size in [0, 5, MIB + 1, 16 * MIB, 40 * MIB + 7] {
        let client = MemoryClient::with_buckets(["b"]);
        client.insert("b", "k", ramp(size));
        let gets = AtomicU64::new(0);
        client.set_hook(Some(Hook::new(move |call| {
            let odd = gets.fetch_add(1, Ordering::Relaxed).is_multiple_of(2);
            match call.operation {
                Operation::GetObject if odd => Reaction::BreakBody { after: 700_001 },
                _ => Reaction::Proceed,
            }
        })));
        let context = context_over(&client, &client, Arc::new(Ledger::default()));
        let mut written = Vec::new();
        let report = cat(
            &context,
            &object(),
            &TransferOptions::default(),
            &mut written,
        )
        .await;
        assert!(written == ramp(size), "{size} bytes");
        assert!(matches!(report.unwrap().verified, Verified::Checksum(_)));
    }
}

#[tokio::test(start_paused = true)]
async fn wrong_bytes_are_said_to_be_wrong() {
    for size in [50, 20 * MIB] {
        let client = MemoryClient::with_buckets(["b"]);
        client.insert("b", "k", ramp(size));
        client.set_hook(Some(Hook::new(|call| match call.operation {
            Operation::GetObject => Reaction::CorruptBody { at: 20 },
            _ => Reaction::Proceed,
        })));
        let context = context_over(&client, &client, Arc::new(Ledger::default()));
        let error = cat(
            &context,
            &object(),
            &TransferOptions::default(),
            &mut Vec::new(),
        )
        .await;
        assert!(matches!(error, Err(Error::Mismatch { .. })));
    }
}
