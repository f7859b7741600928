//! `longhaul` from a store to another one, each with an account that the other does not know.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]
use std::process::{Command, Output, Stdio};

use base::ByteCount;
use base::redact::Secret;
use base::units::MIB;
use front::Account;
use sim::server::{TestServer, TestServerOptions};
use store::model::{Attributes, Tags};
use tempfile::TempDir;
use tokio::runtime::Runtime;

const PARTNER_KEY: &str = "PARTNERKEY";
const PARTNER_SECRET: &str = "partner/secret";

/// A partner's store, whose keys we were lent, and ours.
struct Bench {
    partner: TestServer,
    ours: TestServer,
    folder: TempDir,
    _runtime: Runtime,
}

impl Bench {
    fn new() -> Bench {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .unwrap();
        let options = TestServerOptions {
            account: Some(Account {
                access_key_id: PARTNER_KEY.to_owned(),
                secret: Secret::new(PARTNER_SECRET),
            }),
            ..TestServerOptions::default()
        };
        let (partner, ours) = runtime.block_on(async {
            let partner = TestServer::start_with(options).await;
            (partner, TestServer::start().await)
        });
        partner.create_bucket("theirs");
        ours.create_bucket("ours");
        Bench {
            partner,
            ours,
            folder: tempfile::tempdir().unwrap(),
            _runtime: runtime,
        }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_longhaul"))
            .args(arguments)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", self.folder.path())
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .envs(self.ours.environment())
            .env("LONGHAUL_SOURCE_AWS_ACCESS_KEY_ID", PARTNER_KEY)
            .env("LONGHAUL_SOURCE_AWS_SECRET_ACCESS_KEY", PARTNER_SECRET)
            .env("LONGHAUL_SOURCE_AWS_ENDPOINT_URL", self.partner.endpoint())
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    fn done(&self, arguments: &[&str]) {
        let output = self.run(arguments);
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {told}");
    }

    fn assert_equal(&self, key: &str, there: &str) {
        let from = self.partner.object("theirs", key).unwrap();
        let to = self.ours.object("ours", there).unwrap();
        assert_eq!(from.body.to_bytes(), to.body.to_bytes(), "{key:?}");
        // A store says its own default of an object that was given no type.
        if let Some(content_type) = &from.attributes.content_type {
            assert_eq!(Some(content_type), to.attributes.content_type.as_ref());
        }
        assert_eq!(from.attributes.metadata, to.attributes.metadata);
        assert_eq!(
            from.attributes.storage_class(),
            to.attributes.storage_class()
        );
        assert_eq!(from.tags, to.tags, "{key:?}");
    }
}

fn bytes(length: u64) -> Vec<u8> {
    let period: Vec<u8> = (0..251).collect();
    let length = usize::try_from(length).unwrap();
    let mut bytes = period.repeat(length / 251 + 1);
    bytes.truncate(length);
    bytes
}

#[test]
fn s5cmd_741_two_credentials_relay_where_neither_policy_can_be_edited() {
    let bench = Bench::new();
    let carried = Attributes {
        content_type: Some("audio/mpeg".to_owned()),
        metadata: [("artist".to_owned(), "Bach".to_owned())].into(),
        storage_class: Some("STANDARD_IA".to_owned()),
        ..Attributes::default()
    };
    let keys = ["small", "a//b", "with space & %20+?", "empty", "large"];
    for (key, size) in keys.into_iter().zip([1_000, 1, 70_000, 0, 17 * MIB]) {
        bench
            .partner
            .put_with("theirs", key, bytes(size), carried.clone());
    }
    let tags = Tags::new([("team".to_owned(), "a b".to_owned())]).unwrap();
    for key in ["small", "large"] {
        let bucket = base::BucketName::new("theirs").unwrap();
        let key = base::Key::new(key).unwrap();
        let model = bench.partner.model();
        model
            .set_object_tags(&bucket, &key, None, tags.clone())
            .unwrap();
    }
    let parted = bytes(11 * MIB);
    bench
        .partner
        .put_multipart("theirs", "parted", parted, ByteCount(5 * MIB));
    bench.done(&["cp", "s3://theirs/*", "s3://ours/in/"]);
    for key in keys.into_iter().chain(["parted"]) {
        bench.assert_equal(key, &format!("in/{key}"));
    }
    bench.done(&["sync", "s3://theirs/*", "s3://ours/synced/"]);
    bench.assert_equal("large", "synced/large");
    bench.done(&["mv", "s3://theirs/*", "s3://ours/moved/"]);
    assert!(bench.partner.keys("theirs").is_empty());
    assert_eq!(bench.ours.get("ours", "moved/large"), bytes(17 * MIB));
}
