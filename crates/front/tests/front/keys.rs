//! Keys are bytes: from the path of a request into listings and back.

use http::Method;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::client::open_server;

const KEYS: [&str; 32] = [
    "plain",
    "/leading",
    "//two leading",
    "trailing/",
    "trailing//",
    "a//b",
    "a/./b",
    "a/../b",
    "..",
    ".",
    "../up",
    " space ",
    "a+b",
    "a%b",
    "a%2Fb",
    "%00",
    "q?x=1&y",
    "#hash",
    "<&>\"'",
    "*~|^`{}[]",
    "back\\slash",
    "semi;colon:comma,",
    "line\nfeed",
    "carriage\rreturn",
    "tab\t",
    "bell\u{7}",
    "delete\u{7f}",
    "\u{e4}\u{308}",
    "\u{65e5}\u{672c}/\u{8a9e}",
    "emoji \u{1f600}",
    "private \u{e000}",
    "http://host//path",
];

fn target(key: &str) -> String {
    format!("/bucket/{}", utf8_percent_encode(key, NON_ALPHANUMERIC))
}

/// What an XML reader makes of text.
fn unescape(text: &str) -> String {
    let mut read = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('&') {
        read.push_str(before);
        let (name, after) = behind.split_once(';').unwrap();
        read.push(match name {
            "lt" => '<',
            "gt" => '>',
            "amp" => '&',
            "quot" => '"',
            "apos" => '\'',
            code => {
                let code = code.strip_prefix("#x").unwrap();
                char::from_u32(u32::from_str_radix(code, 16).unwrap()).unwrap()
            }
        });
        rest = after;
    }
    read.push_str(rest);
    assert!(!read.is_empty() && !text.contains('\r'), "{text:?}");
    read
}

#[tokio::test]
async fn keys_survive_byte_for_byte() {
    let client = open_server().await;
    for key in KEYS {
        client.put(&target(key), key).await.expect(200);
    }
    for key in KEYS {
        let answer = client.get(&target(key)).await.expect(200);
        assert_eq!(answer.text(), key);
    }
    let mut sorted: Vec<String> = KEYS.into_iter().map(str::to_owned).collect();
    sorted.sort_unstable();
    for version in ["list-type=2&", "", "versions&"] {
        let plain = client.get(&format!("/bucket?{version}")).await.expect(200);
        let keys: Vec<String> = plain.elements("Key").into_iter().map(unescape).collect();
        assert_eq!(keys, sorted, "{version}");
        let encoded = format!("/bucket?{version}encoding-type=url");
        let encoded = client.get(&encoded).await.expect(200);
        assert_eq!(encoded.element("EncodingType"), Some("url"));
        let keys = encoded.elements("Key").into_iter();
        let keys: Vec<String> = keys
            .map(|key| percent_decode_str(key).decode_utf8().unwrap().into_owned())
            .collect();
        assert_eq!(keys, sorted, "{version}");
    }
    for key in KEYS {
        let source = target(key);
        let headers = [("x-amz-copy-source", source.as_str())];
        let copy = target(&format!("copy of {key}"));
        client
            .send(Method::PUT, &copy, &headers, "")
            .await
            .expect(200);
        assert_eq!(client.get(&copy).await.expect(200).text(), key);
        client
            .send(Method::DELETE, &copy, &[], "")
            .await
            .expect(204);
    }
    let objects: String = KEYS
        .into_iter()
        .map(|key| {
            // As most writers of XML do it: references for what needs them, the rest as it is.
            let text = key.chars().map(|c| match c {
                '<' | '>' | '&' | '"' | '\'' | '\r' | '\n' | '\t' => {
                    format!("&#x{:X};", u32::from(c))
                }
                other => other.to_string(),
            });
            format!("<Object><Key>{}</Key></Object>", text.collect::<String>())
        })
        .collect();
    let body = format!("<Delete>{objects}</Delete>");
    let answer = client
        .send(Method::POST, "/bucket?delete", &[], body)
        .await
        .expect(200);
    assert_eq!(
        answer.elements("Deleted").len(),
        KEYS.len(),
        "{}",
        answer.text()
    );
    let left = client.get("/bucket").await.expect(200);
    assert_eq!(left.elements("Key"), Vec::<&str>::new());
}

#[tokio::test]
async fn a_key_has_at_most_1024_bytes() {
    let client = open_server().await;
    // Three bytes each, and percent-encoded nine.
    let longest = format!("{}x", "\u{65e5}".repeat(341));
    assert_eq!(longest.len(), 1024);
    client.put(&target(&longest), "x").await.expect(200);
    let refused = client
        .put(&target(&format!("{longest}x")), "x")
        .await
        .expect(400);
    assert_eq!(refused.element("Code"), Some("KeyTooLongError"));
}

#[tokio::test]
async fn listings_go_on_where_a_page_ended() {
    let client = open_server().await;
    for key in ["a/1", "a/2", "b", "c/1", "d"] {
        client.put(&target(key), "").await.expect(200);
    }
    let first = client
        .get("/bucket?list-type=2&delimiter=%2F&max-keys=2")
        .await
        .expect(200);
    assert_eq!(first.element("IsTruncated"), Some("true"));
    assert_eq!(first.element("KeyCount"), Some("2"));
    assert_eq!(first.elements("Key"), ["b"]);
    let token = first.element("NextContinuationToken").unwrap();
    let second = client
        .get(&format!(
            "/bucket?list-type=2&delimiter=%2F&continuation-token={token}"
        ))
        .await
        .expect(200);
    assert_eq!(second.elements("Key"), ["d"]);
    assert_eq!(second.element("IsTruncated"), Some("false"));
    assert!(
        second
            .text()
            .contains("<CommonPrefixes><Prefix>c/</Prefix></CommonPrefixes>")
    );
    let v1 = client
        .get("/bucket?delimiter=%2F&max-keys=1")
        .await
        .expect(200);
    assert_eq!(v1.element("NextMarker"), Some("a/"));
    let v1 = client
        .get("/bucket?delimiter=%2F&marker=a%2F")
        .await
        .expect(200);
    assert_eq!(v1.elements("Key"), ["b", "d"]);
    let refused = client
        .get("/bucket?list-type=2&continuation-token=nobodys")
        .await
        .expect(400);
    assert_eq!(refused.element("Code"), Some("InvalidArgument"));
}
