//! The doctor over stores in memory that refuse one thing or another.

use base::Key;
use remote::memory::{Call, Hook};
use remote::types::{ListMultipartUploads, StorageClass, VersioningState};
use remote::{MemoryClient, MemoryOptions, ObjectClient as _, Operation};

use super::*;

fn store(name: &str, bucket: &str) -> MemoryClient {
    let client = MemoryClient::new(MemoryOptions {
        endpoint: format!("memory://{name}"),
        ..MemoryOptions::default()
    });
    client.insert_bucket(bucket);
    client
}

struct Bench {
    source: MemoryClient,
    destination: MemoryClient,
}

fn bench() -> Bench {
    let source = store("partner", "partner");
    source.insert("partner", "2026/song.mp3", "bytes");
    Bench {
        source,
        destination: store("ours", "ours"),
    }
}

impl Bench {
    fn visit(&self, intent: Intent) -> Visit {
        let party = |text: &str, client: &MemoryClient| Party {
            target: Target::parse(text).unwrap(),
            client: Arc::new(client.clone()),
        };
        Visit {
            source: party("s3://partner/2026/*", &self.source),
            destination: Some(party("s3://ours/copy/", &self.destination)),
            intent,
            key: None,
            random: 7,
        }
    }

    async fn examine(&self, intent: Intent) -> Findings {
        let findings = examine(&self.visit(intent)).await;
        self.assert_harmless().await;
        findings
    }

    /// Nothing was put in place, changed or removed, and no upload is left.
    async fn assert_harmless(&self) {
        for client in [&self.source, &self.destination] {
            for operation in [
                Operation::PutObject,
                Operation::CopyObject,
                Operation::CompleteMultipartUpload,
                Operation::DeleteObject,
                Operation::DeleteObjects,
                Operation::PutObjectTagging,
                Operation::PutBucketVersioning,
                Operation::CreateBucket,
            ] {
                assert_eq!(client.request_count(operation), 0, "{operation}");
            }
        }
        assert_eq!(
            self.source.request_count(Operation::CreateMultipartUpload),
            0
        );
    }

    async fn uploads_left(&self) -> usize {
        self.destination.set_hook(None);
        let request = ListMultipartUploads {
            bucket: base::BucketName::new("ours").unwrap(),
            prefix: String::new(),
            after: None,
        };
        let page = self.destination.list_multipart_uploads(request).await;
        page.unwrap().uploads.len()
    }
}

fn row<'a>(findings: &'a Findings, side: Side, name: &str) -> &'a Check {
    let mut rows = findings.checks.iter();
    rows.find(|check| check.side == side && check.name == name)
        .unwrap_or_else(|| panic!("no {name} of the {side}: {:#?}", findings.checks))
}

fn deny(operation: Operation) -> Option<Hook> {
    Some(Hook::deny(move |call: &Call<'_>| {
        call.operation == operation
    }))
}

#[tokio::test]
async fn doctor_leaves_nothing_behind_and_finds_nothing_where_all_is_well() {
    let bench = bench();
    for intent in [Intent::Copy, Intent::Sync, Intent::Move, Intent::SyncDelete] {
        let findings = bench.examine(intent).await;
        assert_eq!(findings.missing(), 0, "{:#?}", findings.checks);
        let abort = row(&findings, Side::Destination, "abort");
        assert_eq!(abort.standing, Standing::Ok);
        assert_eq!(findings.policies.len(), 2);
    }
    assert_eq!(bench.uploads_left().await, 0);
}

#[tokio::test]
async fn each_refusal_at_the_source_is_named_with_its_action() {
    for (operation, name, action) in [
        (Operation::ListObjectsV2, "list", "s3:ListBucket"),
        (Operation::GetObject, "read", "s3:GetObject"),
    ] {
        let bench = bench();
        bench.source.set_hook(deny(operation));
        let findings = bench.examine(Intent::Copy).await;
        let check = row(&findings, Side::Source, name);
        assert_eq!(check.standing, Standing::Missing, "{operation}");
        assert!(check.mend.as_ref().unwrap().contains(action), "{check:?}");
        assert_eq!(findings.missing(), 1, "{:#?}", findings.checks);
    }
}

#[tokio::test]
async fn each_refusal_at_the_destination_is_named_and_no_upload_stays() {
    for (operation, name) in [
        (Operation::CreateMultipartUpload, "write"),
        (Operation::UploadPart, "write"),
        (Operation::ListObjectsV2, "list"),
    ] {
        let bench = bench();
        bench.destination.set_hook(deny(operation));
        let findings = bench.examine(Intent::Sync).await;
        let check = row(&findings, Side::Destination, name);
        assert_eq!(check.standing, Standing::Missing, "{operation}: {check:?}");
        assert_eq!(bench.uploads_left().await, 0, "{operation}");
    }
}

#[tokio::test]
async fn what_the_plan_does_not_use_is_no_finding() {
    let bench = bench();
    bench.destination.set_hook(Some(Hook::deny(|call| {
        matches!(
            call.operation,
            Operation::ListObjectsV2 | Operation::GetBucketVersioning | Operation::ListParts
        )
    })));
    let findings = bench.examine(Intent::Copy).await;
    assert_eq!(findings.missing(), 0, "{:#?}", findings.checks);
    assert_eq!(bench.uploads_left().await, 0);
}

#[tokio::test]
async fn an_upload_that_cannot_be_given_up_is_told_with_its_id() {
    let bench = bench();
    bench
        .destination
        .set_hook(deny(Operation::AbortMultipartUpload));
    let findings = bench.examine(Intent::Copy).await;
    let check = row(&findings, Side::Destination, "abort");
    assert_eq!(check.standing, Standing::Missing);
    assert!(check.detail.contains("LEFT BEHIND: upload "), "{check:?}");
    assert!(
        check
            .mend
            .as_ref()
            .unwrap()
            .contains("s3:AbortMultipartUpload")
    );
}

#[tokio::test]
async fn keys_from_a_list_are_tried_where_listing_is_not_allowed() {
    let bench = bench();
    bench.source.set_hook(deny(Operation::ListObjectsV2));
    let mut visit = bench.visit(Intent::Copy);
    visit.key = Some(Key::new("2026/song.mp3").unwrap());
    let findings = examine(&visit).await;
    assert_eq!(row(&findings, Side::Source, "read").standing, Standing::Ok);
    visit.key = None;
    let findings = examine(&visit).await;
    let read = row(&findings, Side::Source, "read");
    assert_eq!(read.standing, Standing::Unknown);
}

#[tokio::test]
async fn a_missing_bucket_and_bad_credentials_end_their_side() {
    let bench = bench();
    let mut visit = bench.visit(Intent::Copy);
    visit.source.target = Target::parse("s3://elsewhere/*").unwrap();
    let findings = examine(&visit).await;
    let reach = row(&findings, Side::Source, "reach");
    assert!(reach.detail.contains("NoSuchBucket"), "{reach:?}");

    bench.source.set_hook(Some(Hook::new(|call| {
        remote::memory::Reaction::Fail(call.expired_token())
    })));
    let findings = bench.examine(Intent::Copy).await;
    let reach = row(&findings, Side::Source, "reach");
    assert_eq!(reach.standing, Standing::Missing);
    assert!(reach.mend.as_ref().unwrap().contains("new credentials"));
    assert_eq!(
        row(&findings, Side::Destination, "write").standing,
        Standing::Ok
    );
}

#[tokio::test]
async fn one_store_is_asked_whether_it_copies_by_itself() {
    let client = store("one", "partner");
    client.insert_bucket("ours");
    client.insert("partner", "2026/song.mp3", "bytes");
    let bench = Bench {
        source: client.clone(),
        destination: client.clone(),
    };
    let findings = examine(&bench.visit(Intent::Copy)).await;
    let copies = row(&findings, Side::Destination, "copy inside");
    assert_eq!(copies.standing, Standing::Ok, "{copies:?}");
    client.set_hook(deny(Operation::UploadPartCopy));
    let findings = examine(&bench.visit(Intent::Copy)).await;
    let copies = row(&findings, Side::Destination, "copy inside");
    assert_eq!(copies.standing, Standing::Note);
    assert!(copies.detail.contains("through this machine"));
    assert_eq!(bench.uploads_left().await, 0);
}

#[tokio::test]
async fn versions_and_archives_are_noticed() {
    let bench = bench();
    let bucket = base::BucketName::new("partner").unwrap();
    let enabled = VersioningState::Enabled;
    let set = bench.source.put_bucket_versioning(bucket, enabled);
    set.await.unwrap();
    bench.source.insert("partner", "2026/song.mp3", "newer");
    let findings = examine(&bench.visit(Intent::Copy)).await;
    assert_eq!(
        row(&findings, Side::Source, "versions").standing,
        Standing::Note
    );
    assert!(StorageClass::from_name("GLACIER").is_archived());
}

#[tokio::test]
async fn a_folder_is_tried_and_left_as_it_was() {
    let bench = bench();
    let folder = tempfile::tempdir().unwrap();
    let mut visit = bench.visit(Intent::Copy);
    visit.destination = Some(Party {
        target: Target::Local(folder.path().join("not/there/yet")),
        client: Arc::new(bench.destination.clone()),
    });
    let findings = examine(&visit).await;
    assert_eq!(findings.missing(), 0, "{:#?}", findings.checks);
    row(&findings, Side::Destination, "space");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    visit.source.target = Target::Local(folder.path().join("absent"));
    let findings = examine(&visit).await;
    assert_eq!(
        row(&findings, Side::Source, "read").standing,
        Standing::Missing
    );
}
