//! The client over real HTTP against the project's own server: together they are S3.

use std::time::Duration;

use base::Clock;
use base::flow::RetryPolicy;
use base::redact::Secret;
use front::deviation::ChecksumSupport;
use front::{Account, Deviation, FrontOptions, Server};
use remote::aws::{AwsClient, AwsOptions, CredentialsSource, StaticCredentials};
use remote::conformance::{self, Capabilities};
use store::Model;

/// A server on a free port and a client with its account.
async fn server_and_client(options: FrontOptions) -> (Server, AwsClient) {
    let model = Model::new(Clock::system(), store::model::ModelOptions::default());
    let options = FrontOptions {
        accounts: vec![Account {
            access_key_id: "AKIDCONFORMANCE".to_owned(),
            secret: Secret::new("a secret of the suite"),
        }],
        ..options
    };
    let server = Server::bind(([127, 0, 0, 1], 0).into(), model, options)
        .await
        .expect("a free port");
    let credentials = StaticCredentials::new("AKIDCONFORMANCE", "a secret of the suite");
    let client = AwsClient::new(AwsOptions {
        endpoint_url: Some(format!("http://{}", server.address())),
        region: Some("us-east-1".to_owned()),
        credentials: CredentialsSource::Static(credentials),
        retry: RetryPolicy {
            tries_max: 2,
            delay_initial: Duration::from_millis(1),
            delay_max: Duration::from_millis(10),
        },
        ..AwsOptions::default()
    })
    .await
    .expect("static credentials need nobody");
    (server, client)
}

#[tokio::test]
async fn the_client_and_our_own_server_pass_every_check() {
    let (server, client) = Box::pin(server_and_client(FrontOptions::default())).await;
    let report = conformance::run(&client, &Capabilities::all()).await;
    assert!(report.is_passed(), "{report}");
    server.shutdown().await;
}

#[tokio::test]
async fn every_check_passes_with_pages_of_two_rows() {
    let options = FrontOptions {
        deviation: Deviation {
            page_size_max: Some(2),
            ..Deviation::default()
        },
        ..FrontOptions::default()
    };
    let (server, client) = Box::pin(server_and_client(options)).await;
    let report = conformance::run(&client, &Capabilities::all()).await;
    assert!(report.is_passed(), "{report}");
    server.shutdown().await;
}

/// Runs the suite against our own server with a difference, and what it then lacks.
async fn conforms(deviation: Deviation, lacks: &[(&'static str, &'static str)]) {
    let options = FrontOptions {
        deviation,
        ..FrontOptions::default()
    };
    let (server, client) = Box::pin(server_and_client(options)).await;
    let capabilities = Capabilities::without(lacks.iter().copied());
    let report = conformance::run(&client, &capabilities).await;
    assert!(report.is_passed(), "{report}");
    server.shutdown().await;
}

const NO_CHECKSUMS: [(&str, &str); 3] = [
    ("checksum of an object", "no checksums"),
    ("checksum of a multipart object", "no checksums"),
    ("wrong whole checksum refused", "no checksums"),
];

#[tokio::test]
async fn a_store_that_refuses_checksum_headers_lacks_nothing_else() {
    let deviation = Deviation {
        checksums: ChecksumSupport::Refused,
        ..Deviation::default()
    };
    conforms(deviation, &NO_CHECKSUMS).await;
}

#[tokio::test]
async fn a_store_that_ignores_checksum_headers_lacks_nothing_else() {
    let deviation = Deviation {
        checksums: ChecksumSupport::Ignored,
        ..Deviation::default()
    };
    conforms(deviation, &NO_CHECKSUMS).await;
}

#[tokio::test]
async fn a_store_that_knows_no_encoding_type_keeps_every_key_that_xml_carries() {
    let deviation = Deviation {
        ignore_encoding_type: true,
        ..Deviation::default()
    };
    conforms(deviation, &[]).await;
}
