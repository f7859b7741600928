use std::sync::Arc;

use base::units::MIB;
use base::{BucketName, Key};
use remote::ObjectClient as _;
use remote::Operation;
use remote::memory::{Hook, MemoryClient, Reaction};

use super::*;
use crate::testing::{Ledger, context_over, ramp};

fn object(key: &str) -> ObjectLocation {
    ObjectLocation {
        bucket: BucketName::new("b").unwrap(),
        key: Key::new(key).unwrap(),
        version_id: None,
    }
}

async fn pipe_into(client: &MemoryClient, key: &str, bytes: &[u8], keep: bool) -> Result<Piped> {
    let context = context_over(client, client, Arc::new(Ledger::default()));
    let options = TransferOptions::default();
    pipe(&context, bytes, &object(key), &options, keep).await
}

#[tokio::test(start_paused = true)]
async fn streams_of_any_length_arrive_whole() {
    let client = MemoryClient::with_buckets(["b"]);
    for size in [0, 1, 8 * MIB - 1, 8 * MIB, 8 * MIB + 1, 50 * MIB] {
        let piped = pipe_into(&client, "k.html", &ramp(size), false)
            .await
            .unwrap();
        let Piped::Arrived(moved) = piped else {
            panic!("nothing keeps it");
        };
        assert_eq!(moved.size, ByteCount(size));
        assert!(matches!(moved.verified, Verified::Checksum(_)));
        assert!(
            client.bytes("b", "k.html").unwrap() == ramp(size),
            "{size} bytes"
        );
    }
    let request = HeadObject::new(object("k.html").bucket, object("k.html").key);
    let head = client.head_object(request).await.unwrap();
    assert_eq!(
        head.attributes.content_type.as_deref(),
        Some("text/html; charset=utf-8")
    );
    assert_eq!(client.upload_count("b"), 0);
}

#[tokio::test(start_paused = true)]
async fn what_is_there_is_kept_and_failures_leave_nothing() {
    let client = MemoryClient::with_buckets(["b"]);
    client.insert("b", "k", "theirs");
    let piped = pipe_into(&client, "k", b"mine", true).await.unwrap();
    assert!(matches!(piped, Piped::Exists));
    assert!(pipe_into(&client, "folder/", b"mine", false).await.is_err());
    client.set_hook(Some(Hook::new(|call| match call.part_number {
        Some(3) => Reaction::Fail(call.access_denied()),
        _ => Reaction::Proceed,
    })));
    assert!(
        pipe_into(&client, "k", &ramp(40 * MIB), false)
            .await
            .is_err()
    );
    assert_eq!(client.bytes("b", "k").unwrap(), "theirs");
    assert_eq!(client.upload_count("b"), 0);
    assert!(client.request_count(Operation::AbortMultipartUpload) > 0);
}
