//! Connections: kept alive, ended gracefully, encrypted, addressed by host.

use std::sync::Arc;

use base::tasks;
use front::{AnonymousAccess, FrontOptions};
use http::Method;
use rustls::pki_types::{PrivateKeyDer, ServerName};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::client::{open_server, server_with};

/// Reads a head and its body of the length that it names.
async fn read_answer(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut read = Vec::new();
    let head_bytes = loop {
        if let Some(at) = read.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        let mut byte = [0];
        stream.read_exact(&mut byte).await.unwrap();
        read.push(byte[0]);
    };
    let head = String::from_utf8(read).unwrap().to_ascii_lowercase();
    let length = head.split("content-length: ").nth(1).unwrap();
    let length: usize = length.split("\r\n").next().unwrap().parse().unwrap();
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    assert_eq!(head.len(), head_bytes);
    format!("{head}{}", String::from_utf8(body).unwrap())
}

async fn exchange(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), request: &str) -> String {
    stream.write_all(request.as_bytes()).await.unwrap();
    read_answer(stream).await
}

#[tokio::test]
async fn a_connection_carries_many_requests() {
    let client = open_server().await;
    let mut stream = TcpStream::connect(client.address()).await.unwrap();
    let put = "PUT /bucket/key HTTP/1.1\r\nhost: h\r\ncontent-length: 4\r\n\r\nbody";
    let get = "GET /bucket/key HTTP/1.1\r\nhost: h\r\n\r\n";
    let missing = "GET /bucket/none HTTP/1.1\r\nhost: h\r\n\r\n";
    for _ in 0..3 {
        assert!(exchange(&mut stream, put).await.starts_with("http/1.1 200"));
        assert!(
            exchange(&mut stream, missing)
                .await
                .starts_with("http/1.1 404")
        );
        assert!(exchange(&mut stream, get).await.ends_with("\r\n\r\nbody"));
    }
    assert_eq!(client.server.counters().connections(), 1);
    assert_eq!(client.server.counters().total(), 9);
}

#[tokio::test]
async fn a_request_with_expect_continue_is_asked_for_its_body() {
    let client = open_server().await;
    let mut stream = TcpStream::connect(client.address()).await.unwrap();
    let head =
        "PUT /bucket/key HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: 4\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut go_on = [0; 25];
    stream.read_exact(&mut go_on).await.unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    assert!(
        exchange(&mut stream, "body")
            .await
            .starts_with("http/1.1 200")
    );
}

#[tokio::test]
async fn a_refusal_reaches_a_client_in_the_middle_of_its_body() {
    let client = open_server().await;
    let mut stream = TcpStream::connect(client.address()).await.unwrap();
    // More than both sockets buffer, and on the same connection again and again.
    let body = vec![0; 9 << 20];
    for _ in 0..3 {
        let length = body.len();
        let head = format!(
            "PUT /no-such-bucket/key HTTP/1.1\r\nhost: h\r\ncontent-length: {length}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&body).await.unwrap();
        let answer = read_answer(&mut stream).await;
        assert!(answer.contains("<Code>NoSuchBucket</Code>"), "{answer}");
    }
    assert_eq!(client.server.counters().connections(), 1);
    // Who waits to be asked for the body is refused at once.
    let head = "PUT /no-such-bucket/key HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: 4\r\n\r\n";
    let answer = exchange(&mut stream, head).await;
    assert!(answer.starts_with("http/1.1 404"), "{answer}");
}

#[tokio::test]
async fn shutdown_lets_requests_under_way_finish() {
    let client = open_server().await;
    let address = client.address();
    let mut idle = TcpStream::connect(address).await.unwrap();
    let get = "GET /bucket?location HTTP/1.1\r\nhost: h\r\n\r\n";
    assert!(exchange(&mut idle, get).await.starts_with("http/1.1 200"));
    let mut busy = TcpStream::connect(address).await.unwrap();
    let head =
        "PUT /bucket/key HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: 4\r\n\r\n";
    busy.write_all(head.as_bytes()).await.unwrap();
    // The server is in the middle of the request once it asks for the body.
    let mut go_on = [0; 25];
    busy.read_exact(&mut go_on).await.unwrap();
    let shutdown = tasks::spawn("shutdown", client.server.shutdown());
    // An idle connection is closed at once.
    assert_eq!(idle.read(&mut [0]).await.unwrap_or(0), 0);
    assert!(!shutdown.is_finished());
    assert!(
        exchange(&mut busy, "body")
            .await
            .starts_with("http/1.1 200")
    );
    shutdown.await.unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_body_that_breaks_off_stores_nothing() {
    let client = open_server().await;
    let mut stream = TcpStream::connect(client.address()).await.unwrap();
    let half = "PUT /bucket/key HTTP/1.1\r\nhost: h\r\ncontent-length: 10\r\n\r\nhalf";
    stream.write_all(half.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    // The connection ends once the server has given the request up.
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    assert!(!rest.starts_with(b"HTTP/1.1 200"), "{rest:?}");
    client.get("/bucket/key").await.expect(404);
}

#[tokio::test]
async fn the_same_over_tls() {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let certificate = made.cert.der().clone();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    let client = server_with(FrontOptions {
        anonymous: AnonymousAccess::All,
        tls: Some(Arc::new(config)),
        ..FrontOptions::default()
    })
    .await;
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate).unwrap();
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(client.address()).await.unwrap();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let connector = TlsConnector::from(Arc::new(config));
    let mut stream = connector.connect(name, stream).await.unwrap();
    let put = "PUT /bucket/key HTTP/1.1\r\nhost: h\r\ncontent-length: 4\r\n\r\nbody";
    assert!(exchange(&mut stream, put).await.starts_with("http/1.1 200"));
    let get = "GET /bucket/key HTTP/1.1\r\nhost: h\r\n\r\n";
    assert!(exchange(&mut stream, get).await.ends_with("\r\n\r\nbody"));
}

#[tokio::test]
async fn buckets_are_addressed_by_host_too() {
    let client = server_with(FrontOptions {
        anonymous: AnonymousAccess::All,
        virtual_host_domain: Some("s3.test".to_owned()),
        ..FrontOptions::default()
    })
    .await;
    let host = [("host", "bucket.s3.test")];
    client
        .send(Method::PUT, "/a//b", &host, "x")
        .await
        .expect(200);
    let listed = client
        .send(Method::GET, "/?list-type=2", &host, "")
        .await
        .expect(200);
    assert_eq!(listed.elements("Key"), ["a//b"]);
    // By path, at the domain itself and at the bare address.
    let domain = [("host", "s3.test")];
    let answer = client
        .send(Method::GET, "/bucket/a//b", &domain, "")
        .await
        .expect(200);
    assert_eq!(answer.text(), "x");
    client.get("/bucket/a//b").await.expect(200);
    let other = [("host", "localhost:9000")];
    client
        .send(Method::HEAD, "/bucket/a//b", &other, "")
        .await
        .expect(200);
    let counters = client.server.counters();
    assert_eq!(counters.requests(front::Operation::ListObjectsV2), 1);
    assert_eq!(counters.requests(front::Operation::GetObject), 2);
}
