//! The suite against a server written by others.

use std::time::Duration;

use base::flow::RetryPolicy;
use remote::aws::{AwsClient, AwsOptions, CredentialsSource, StaticCredentials};
use remote::conformance::{self, Capabilities};

use super::lacks::SERVERS;
use super::server::{Program, Server};

/// Runs the suite against the server, which must lack exactly what is listed. Without an
/// executable it only says that it was skipped.
pub(crate) async fn conforms(program: &Program) {
    let variable = program.variable;
    let Some(executable) = std::env::var_os(variable).filter(|path| !path.is_empty()) else {
        eprintln!("skipped: {variable} names no executable");
        return;
    };
    let (_, lacks) = SERVERS
        .iter()
        .find(|(name, _)| *name == program.name)
        .expect("every program has its list of lacks");
    let server = Server::start(program, &executable).await;
    let client = client(program, &server).await;
    let capabilities = Capabilities::without(lacks.iter().copied());
    let report = conformance::run(&client, &capabilities).await;
    println!("{report}");
    assert!(report.is_passed(), "{report}");
}

async fn client(program: &Program, server: &Server) -> AwsClient {
    let credentials = StaticCredentials::new(program.access_key_id, program.secret);
    let made = AwsClient::new(AwsOptions {
        endpoint_url: Some(format!("http://{}", server.address())),
        region: Some("us-east-1".to_owned()),
        credentials: CredentialsSource::Static(credentials),
        retry: RetryPolicy {
            tries_max: 2,
            delay_initial: Duration::from_millis(1),
            delay_max: Duration::from_millis(10),
        },
        ..AwsOptions::default()
    });
    Box::pin(made)
        .await
        .expect("static credentials need nobody")
}
