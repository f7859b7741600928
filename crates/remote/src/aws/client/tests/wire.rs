use proptest::prelude::{ProptestConfig, Strategy as _, prop_assert_eq, proptest};

use super::*;

#[test]
fn keys_reach_the_wire_byte_for_byte() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (server, client) = runtime.block_on(async {
        let server = Hostile::answering(|_, _| ok("")).await;
        let client = client(&server.url()).await;
        (server, client)
    });
    let piece = proptest::sample::select(vec![
        "/",
        "//",
        "..",
        ".",
        " ",
        "+",
        "%",
        "%2F",
        "?",
        "#",
        "a",
        "\u{e9}",
        "\u{1f600}",
        "\u{1}",
        "\n",
        "\\",
        "\"",
        "{",
        "^",
        "`",
        "|",
    ]);
    let key = proptest::collection::vec(piece, 1..10).prop_map(|pieces| pieces.concat());
    proptest!(ProptestConfig::with_cases(200), |(key in key)| {
        runtime.block_on(client.send(get(&key))).unwrap();
        let seen = server.seen();
        let line = &seen.last().unwrap().line;
        let path = line.strip_prefix("GET /photos/").unwrap();
        let path = path.strip_suffix(" HTTP/1.1").unwrap();
        let decoded = percent_encoding::percent_decode_str(path).decode_utf8().unwrap();
        prop_assert_eq!(decoded.as_ref(), key.as_str());
    });
}

#[tokio::test]
async fn signed_urls_hide_their_signature_and_carry_the_query() {
    let client = client("http://127.0.0.1:9000").await;
    let key = Key::new("a/../b c").unwrap();
    let query = vec![("versionId".into(), Some("v/1".into()))];
    let url = client
        .presign_url(Method::PUT, &bucket(), &key, query, Duration::from_secs(60))
        .await
        .unwrap();
    let text = url.expose();
    assert!(text.starts_with("http://127.0.0.1:9000/photos/a/../b%20c?X-Amz-Algorithm="));
    for piece in [
        "X-Amz-Expires=60",
        "versionId=v%2F1",
        "X-Amz-SignedHeaders=host&",
    ] {
        assert!(text.contains(piece), "{text}");
    }
    let printed = format!("{url:?}");
    let signature = text.rsplit_once('=').unwrap().1;
    assert!(
        !printed.contains(signature) && !printed.contains("AKID"),
        "{printed}"
    );
    let week = Duration::from_secs(8 * 24 * 3_600);
    let refused = client
        .presign_url(Method::GET, &bucket(), &key, Vec::new(), week)
        .await;
    assert_eq!(refused.unwrap_err().fault(), Fault::Invalid);
}

#[tokio::test]
async fn nothing_secret_is_printed() {
    let mut options = options("http://user:url-password@127.0.0.1:9000");
    options.proxies.http = Some("http://user:proxy-password@127.0.0.1:1".to_owned());
    let printed = format!("{options:?}");
    let refused = AwsClient::new(options.clone()).await;
    let mut all = format!("{printed} {refused:?}");
    options.endpoint_url = Some("http://127.0.0.1:9000".to_owned());
    let client = AwsClient::new(options).await.unwrap();
    let error = client.send(list()).await.unwrap_err();
    all += &format!("{client:?} {error:?} {error}");
    for secret in ["the-secret", "url-password", "proxy-password"] {
        assert!(!all.contains(secret), "{secret} in {all}");
    }
}

/// Keeps everything that is traced.
#[derive(Clone, Default)]
struct Traced(Arc<parking_lot::Mutex<Vec<u8>>>);

impl std::io::Write for Traced {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

// One thread, so that the subscriber hears the connections' tasks too.
#[tokio::test]
async fn nothing_secret_is_traced() {
    let traced = Traced::default();
    let writer = traced.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let _heard = tracing::subscriber::set_default(subscriber);
    let proxy = Hostile::answering(|number, _| match number {
        0 => refuse("503 Slow Down", "SlowDown"),
        1 => refuse("400 Bad Request", "ExpiredToken"),
        _ => ok("x"),
    })
    .await;
    let mut options = options("http://store.example");
    options.proxies.http = Some(format!("http://user:proxy-password@{}", proxy.address));
    let mut credentials = StaticCredentials::new("AKID", "the-secret");
    credentials.session_token = Some(base::redact::Secret::new("the-token"));
    options.credentials = CredentialsSource::Static(credentials);
    let client = AwsClient::new(options).await.unwrap();
    client.send(list()).await.unwrap_err();
    client.send(put(Payload::from_bytes("x"))).await.unwrap();
    let key = Key::new("k").unwrap();
    client
        .presign_url(
            Method::GET,
            &bucket(),
            &key,
            Vec::new(),
            Duration::from_secs(9),
        )
        .await
        .unwrap();
    let text = String::from_utf8(traced.0.lock().clone()).unwrap();
    assert!(text.contains("ListObjectsV2"), "the traces were heard");
    let signature = proxy.seen()[2].header("authorization").unwrap().to_owned();
    let signature = signature.rsplit_once("Signature=").unwrap().1;
    // base64 of "user:proxy-password".
    let secrets = [
        "the-secret",
        "the-token",
        "proxy-password",
        "dXNlcjpwcm94eS1wYXNzd29yZA",
        signature,
    ];
    for secret in secrets {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}
