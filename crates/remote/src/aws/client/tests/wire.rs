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
