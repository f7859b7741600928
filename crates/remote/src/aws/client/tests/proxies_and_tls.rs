use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;

use super::*;

/// A certificate authority of our own and a server's certificate by it.
struct Authority {
    pem: tempfile::NamedTempFile,
    server: rustls::ServerConfig,
}

fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let names = vec!["localhost".to_owned(), "store.example".to_owned()];
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(names)
        .unwrap()
        .signed_by(&key, &issuer)
        .unwrap();
    let pem = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(pem.path(), issuer.pem()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let server = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    Authority { pem, server }
}

async fn tls_store(server: rustls::ServerConfig) -> Hostile {
    Hostile::start_tls(server, |_, mut peer: Peer| async move {
        while peer.read_request().await.is_some() {
            peer.send(&ok("secure")).await;
        }
    })
    .await
}

fn tls_options(store: &Hostile, authority: &Authority) -> AwsOptions {
    let mut options = options(&format!("https://localhost:{}", store.address.port()));
    options.tls.ca_bundle = Some(authority.pem.path().to_owned());
    options
}

#[tokio::test]
async fn a_store_is_trusted_by_the_bundle_alone() {
    let ours = authority();
    let store = tls_store(ours.server.clone()).await;
    let client = AwsClient::new(tls_options(&store, &ours)).await.unwrap();
    let response = client.send(put(Payload::from_bytes("x"))).await.unwrap();
    assert_eq!(response.body.into_bytes(), "secure");
    let seen = &store.seen()[0];
    assert_eq!(
        seen.header("x-amz-content-sha256"),
        Some("UNSIGNED-PAYLOAD")
    );

    let theirs = authority();
    let client = AwsClient::new(tls_options(&store, &theirs)).await.unwrap();
    let error = client.send(list()).await.unwrap_err();
    assert_eq!(error.fault(), Fault::Invalid, "no try mends a certificate");

    let mut careless = tls_options(&store, &theirs);
    careless.tls = TlsOptions {
        ca_bundle: None,
        verify: false,
    };
    let client = AwsClient::new(careless).await.unwrap();
    client.send(list()).await.unwrap();
}

#[tokio::test]
async fn a_bundle_that_is_none_is_refused_at_once() {
    for text in [
        None,
        Some(""),
        Some("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
    ] {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut options = options("https://localhost:1");
        options.tls.ca_bundle = Some(match text {
            Some(text) => {
                std::fs::write(file.path(), text).unwrap();
                file.path().to_owned()
            }
            None => file.path().with_extension("absent"),
        });
        let error = AwsClient::new(options).await.unwrap_err();
        assert_eq!(error.fault(), Fault::Invalid, "{text:?}");
    }
}

#[tokio::test]
async fn a_plain_proxy_gets_the_whole_url_and_the_password() {
    let proxy = Hostile::answering(|_, _| ok("by proxy")).await;
    let mut options = options("http://store.example:9000");
    options.proxies = ProxySettings {
        http: Some(format!("http://user:pw@{}", proxy.address)),
        ..ProxySettings::default()
    };
    let client = AwsClient::new(options).await.unwrap();
    client.send(get("a//b")).await.unwrap();
    let seen = &proxy.seen()[0];
    assert_eq!(
        seen.line,
        "GET http://store.example:9000/photos/a//b HTTP/1.1"
    );
    assert_eq!(seen.header("host"), Some("store.example:9000"));
    // base64 of "user:pw".
    assert_eq!(
        seen.header("proxy-authorization"),
        Some("Basic dXNlcjpwdw==")
    );
    assert!(
        !seen
            .header("authorization")
            .unwrap()
            .contains("proxy-authorization")
    );
}

#[tokio::test]
async fn a_tunnel_leads_to_the_store_itself() {
    let ours = authority();
    let store = tls_store(ours.server.clone()).await;
    let store_address = store.address;
    let proxy = Hostile::start(move |_, mut peer: Peer| async move {
        let seen = peer.read_request().await.unwrap();
        if seen.header("proxy-authorization").is_none() {
            peer.send("HTTP/1.1 407 Who are you\r\n\r\n").await;
            return;
        }
        peer.send("HTTP/1.1 200 Connection established\r\n\r\n")
            .await;
        peer.tunnel_to(store_address).await;
    })
    .await;
    let mut options = tls_options(&store, &ours);
    options.endpoint_url = Some("https://store.example".to_owned());
    options.proxies.https = Some(format!("http://user:pw@{}", proxy.address));
    let client = AwsClient::new(options.clone()).await.unwrap();
    client.send(list()).await.unwrap();
    client.send(list()).await.unwrap();
    assert_eq!(proxy.connections(), 1);
    assert_eq!(proxy.seen()[0].line, "CONNECT store.example:443 HTTP/1.1");
    assert_eq!(store.seen()[0].header("proxy-authorization"), None);

    options.proxies.https = Some(format!("http://{}", proxy.address));
    let client = AwsClient::new(options.clone()).await.unwrap();
    let error = client.send(list()).await.unwrap_err();
    assert_eq!(error.fault(), Fault::Denied);
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("407 Who are you"), "{cause}");

    // This machine is reached without.
    options.endpoint_url = Some(format!("https://localhost:{}", store_address.port()));
    let client = AwsClient::new(options).await.unwrap();
    client.send(list()).await.unwrap();
    assert_eq!(proxy.connections(), 2);
}
