use remote::memory::MemoryClient;

use super::*;
use crate::testing::{Ledger, context_over};

async fn delete(client: &MemoryClient, sources: &[&str], dry_run: bool) -> Result<Report> {
    let context = context_over(client, client, Arc::new(Ledger::default()));
    let accounts = Arc::new(Accounts::default());
    let sources = sources
        .iter()
        .map(|text| Source::new(Target::parse(text).unwrap()));
    let job = DeleteJob {
        sources: sources.collect(),
        filter: Filter::default(),
        dry_run,
    };
    let report = run(job, &context, &accounts).await;
    assert!(accounts.sums().close(), "{:?}", accounts.sums());
    report
}

#[tokio::test(start_paused = true)]
async fn names_and_patterns_are_deleted_as_s5cmd_does() {
    let client = MemoryClient::with_buckets(["b"]);
    for key in ["a", "p/1", "p/2", "p/dir/"] {
        client.insert("b", key, "x");
    }
    let report = delete(&client, &["s3://b/p/*"], true).await.unwrap();
    assert_eq!(report.sums.deleted, 2);
    assert_eq!(client.keys("b").len(), 4);
    let report = delete(
        &client,
        &["s3://b/p/*", "s3://b/absent", "s3://b/none*"],
        false,
    )
    .await;
    let sums = report.unwrap().sums;
    assert_eq!((sums.deleted, sums.ignored), (3, 1));
    assert_eq!(client.keys("b"), ["a", "p/dir/"]);
    for (sources, words) in [
        (&["s3://b/none*"][..], "no object found"),
        (&["/nowhere/at/all"], "no object found"),
        (
            &["s3://b/p/"],
            "s3 bucket/prefix cannot be used for delete operations (forgot wildcard character?)",
        ),
        (
            &["s3://b"],
            "s3 bucket/prefix cannot be used for delete operations (forgot wildcard character?)",
        ),
        (
            &["s3://b/a", "lf"],
            "arguments cannot have both local and remote sources",
        ),
        (
            &["s3://b/a", "s3://c/b"],
            "removal of objects with different buckets in a single command is not allowed",
        ),
    ] {
        let error = delete(&client, sources, false).await.unwrap_err();
        assert_eq!(error.to_string(), words);
    }
    assert_eq!(client.keys("b").len(), 2);
}
