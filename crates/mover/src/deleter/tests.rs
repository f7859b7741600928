use base::Key;
use remote::memory::{Hook, MemoryClient, Reaction};

use super::*;
use crate::testing::{Ledger, context_over};

fn object(key: &str) -> Location {
    Location::Remote(ObjectLocation {
        bucket: BucketName::new("b").unwrap(),
        key: Key::new(key).unwrap(),
        version_id: None,
    })
}

async fn delete(client: &MemoryClient, keys: &[String]) -> (Arc<Accounts>, Arc<Ledger>) {
    let ledger = Arc::new(Ledger::default());
    let context = context_over(client, client, Arc::clone(&ledger));
    let accounts = Arc::new(Accounts::default());
    accounts.listed.add(keys.len() as u64);
    let deleter = Deleter::new(context, Arc::clone(&accounts), DeletePurpose::Target, false);
    for key in keys {
        deleter.submit(object(key)).await;
    }
    deleter.finish().await;
    assert!(accounts.sums().close(), "{:?}", accounts.sums());
    (accounts, ledger)
}

fn keys(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("k/{n:05}")).collect()
}

#[tokio::test(start_paused = true)]
async fn batches_of_a_thousand_and_absent_keys_succeed() {
    let client = MemoryClient::with_buckets(["b"]);
    let mut keys = keys(2_500);
    for key in &keys {
        client.insert("b", key, "x");
    }
    keys.push("absent".to_owned());
    keys.push("control \u{1}".to_owned());
    client.insert("b", "control \u{1}", "x");
    let (accounts, _) = delete(&client, &keys).await;
    assert_eq!(accounts.sums().deleted, 2_502);
    assert!(client.keys("b").is_empty());
    assert_eq!(client.request_count(Operation::DeleteObjects), 3);
    assert_eq!(client.request_count(Operation::DeleteObject), 1);
}

#[tokio::test(start_paused = true)]
async fn a_store_without_delete_objects_is_asked_one_by_one() {
    let client = MemoryClient::with_buckets(["b"]);
    for key in keys(30) {
        client.insert("b", &key, "x");
    }
    client.set_hook(Some(Hook::new(|call| match call.operation {
        Operation::DeleteObjects => {
            Reaction::Fail(call.error(Fault::Unsupported, 501, "NotImplemented", "not here"))
        }
        _ => Reaction::Proceed,
    })));
    let (accounts, _) = delete(&client, &keys(30)).await;
    assert_eq!(accounts.sums().deleted, 30);
    assert!(client.keys("b").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_fails_names_every_key() {
    let client = MemoryClient::with_buckets(["b"]);
    client.set_hook(Some(Hook::deny(|call| {
        call.operation == Operation::DeleteObjects
    })));
    let (accounts, ledger) = delete(&client, &keys(10)).await;
    assert_eq!(accounts.sums().failed, 10);
    assert_eq!(ledger.count("failed"), 10);
}
