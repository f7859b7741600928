//! Two models of S3, written apart from each other, side by side: the store in memory, and the
//! client over HTTP against the project's own server. Whatever is asked of both, in any order,
//! both answer the same.

mod op;
mod side;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use base::flow::RetryPolicy;
use base::redact::Secret;
use base::{BucketName, ByteCount, Clock};
use front::{Account, FrontOptions, Server};
use proptest::prelude::{prop, prop_assert_eq};
use proptest::test_runner::{Config, TestRunner};
use remote::aws::{AwsClient, AwsOptions, CredentialsSource, StaticCredentials};
use remote::{MemoryClient, MemoryOptions, ObjectClient};
use store::Model;

use crate::op::op;
use crate::side::Side;

async fn over_http() -> (Server, AwsClient) {
    let options = store::model::ModelOptions {
        part_size_min: 1,
        ..store::model::ModelOptions::default()
    };
    let model = Model::new(Clock::system(), options);
    let account = Account {
        access_key_id: "AKIDMODELS".to_owned(),
        secret: Secret::new("a secret of the models"),
    };
    let options = FrontOptions {
        accounts: vec![account],
        ..FrontOptions::default()
    };
    let server = Server::bind(([127, 0, 0, 1], 0).into(), model, options)
        .await
        .expect("a free port");
    let credentials = StaticCredentials::new("AKIDMODELS", "a secret of the models");
    let client = AwsClient::new(AwsOptions {
        endpoint_url: Some(format!("http://{}", server.address())),
        region: Some("us-east-1".to_owned()),
        credentials: CredentialsSource::Static(credentials),
        retry: RetryPolicy {
            tries_max: 2,
            delay_initial: Duration::from_millis(1),
            delay_max: Duration::from_millis(1),
        },
        ..AwsOptions::default()
    })
    .await
    .expect("static credentials need nobody");
    (server, client)
}

#[test]
fn both_models_answer_every_sequence_of_requests_the_same() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    let (server, client) = runtime.block_on(over_http());
    let memory = MemoryClient::new(MemoryOptions {
        part_size_min: ByteCount(1),
        ..MemoryOptions::default()
    });
    let sides: [Arc<dyn ObjectClient>; 2] = [Arc::new(memory), Arc::new(client)];
    let buckets = AtomicU64::new(0);
    let mut runner = TestRunner::new(Config {
        cases: 64,
        failure_persistence: None,
        ..Config::default()
    });
    let result = runner.run(&prop::collection::vec(op(), 1..40), |ops| {
        let bucket = format!("models-{}", buckets.fetch_add(1, Ordering::Relaxed));
        let bucket = BucketName::new(bucket).expect("a bucket's name");
        runtime.block_on(async {
            let [mut one, mut other] = sides
                .each_ref()
                .map(|client| Side::new(Arc::clone(client), bucket.clone()));
            for side in [&one, &other] {
                let made = side.client.create_bucket(bucket.clone()).await;
                made.expect("the bucket is new");
            }
            for (step, op) in ops.iter().enumerate() {
                let (left, right) = (one.ask(op).await, other.ask(op).await);
                prop_assert_eq!(left, right, "step {} {:?}", step, op);
            }
            Ok(())
        })
    });
    if let Err(error) = result {
        panic!("memory (left) and HTTP (right) differ: {error}");
    }
    runtime.block_on(server.shutdown());
}
