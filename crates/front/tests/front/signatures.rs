//! Signed requests: what is accepted, and how the rest is refused.

use front::{AnonymousAccess, FrontOptions};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::Method;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::client::{ACCESS_KEY_ID, Answer, Client, SECRET, server_with};

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// What is signed, and by whom.
struct Signed<'a> {
    access_key_id: &'a str,
    secret: &'a str,
    time: Timestamp,
    /// The value of `x-amz-content-sha256`.
    payload: String,
    headers: Vec<(&'a str, String)>,
}

impl<'a> Signed<'a> {
    fn now(body: &str) -> Signed<'a> {
        Signed {
            access_key_id: ACCESS_KEY_ID,
            secret: SECRET,
            time: base::Clock::system().now(),
            payload: hex::encode(Sha256::digest(body)),
            headers: Vec::new(),
        }
    }

    fn key(&self) -> Vec<u8> {
        let secret = format!("AWS4{}", self.secret);
        [&self.date(), "us-east-1", "s3", "aws4_request"]
            .into_iter()
            .fold(secret.into_bytes(), |key, text| hmac(&key, text))
    }

    fn date(&self) -> String {
        self.time.strftime("%Y%m%d").to_string()
    }

    fn scope(&self) -> String {
        format!("{}/us-east-1/s3/aws4_request", self.date())
    }

    fn moment(&self) -> String {
        self.time.strftime("%Y%m%dT%H%M%SZ").to_string()
    }

    fn sign(&self, text: &str) -> String {
        hex::encode(hmac(&self.key(), text))
    }

    /// Signs the headers and sends; answers the signature too.
    async fn send(&self, client: &Client, method: Method, path: &str, body: &str) -> Answer {
        let (headers, _) = self.headers(client, &method, path);
        let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
        client.send(method, path, &headers, body.to_owned()).await
    }

    fn headers(
        &self,
        client: &Client,
        method: &Method,
        path: &str,
    ) -> (Vec<(&'a str, String)>, String) {
        let mut headers = self.headers.clone();
        headers.push(("host", client.address().to_string()));
        headers.push(("x-amz-content-sha256", self.payload.clone()));
        headers.push(("x-amz-date", self.moment()));
        headers.sort_unstable();
        let canonical: String = headers.iter().map(|(n, v)| format!("{n}:{v}\n")).collect();
        let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
        let names = names.join(";");
        let request = format!("{method}\n{path}\n\n{canonical}\n{names}\n{}", self.payload);
        let hash = hex::encode(Sha256::digest(request));
        let text = format!(
            "AWS4-HMAC-SHA256\n{}\n{}\n{hash}",
            self.moment(),
            self.scope()
        );
        let signature = self.sign(&text);
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={names}, Signature={signature}",
            self.access_key_id,
            self.scope()
        );
        headers.push(("authorization", authorization));
        (headers, signature)
    }
}

async fn closed_server() -> Client {
    server_with(FrontOptions::default()).await
}

#[tokio::test]
async fn only_who_signs_is_let_in() {
    let client = closed_server().await;
    Signed::now("x")
        .send(&client, Method::PUT, "/bucket/key", "x")
        .await
        .expect(200);
    let refused = client.get("/bucket/key").await.expect(403);
    assert_eq!(refused.element("Code"), Some("AccessDenied"));
    let wrong_secret = Signed {
        secret: "guessed",
        ..Signed::now("")
    };
    let unknown_key = Signed {
        access_key_id: "AKIANOBODY",
        ..Signed::now("")
    };
    let an_hour = jiff::SignedDuration::from_hours(1);
    let late = Signed {
        time: base::Clock::system().now() - an_hour,
        ..Signed::now("")
    };
    for (signed, code) in [
        (wrong_secret, "SignatureDoesNotMatch"),
        (unknown_key, "InvalidAccessKeyId"),
        (late, "RequestTimeTooSkewed"),
    ] {
        let refused = signed
            .send(&client, Method::GET, "/bucket/key", "")
            .await
            .expect(403);
        assert_eq!(refused.element("Code"), Some(code));
    }
}

#[tokio::test]
async fn readers_may_be_let_in_unsigned() {
    let client = server_with(FrontOptions {
        anonymous: AnonymousAccess::Read,
        ..FrontOptions::default()
    })
    .await;
    client.put("/bucket/key", "x").await.expect(403);
    Signed::now("x")
        .send(&client, Method::PUT, "/bucket/key", "x")
        .await
        .expect(200);
    client.get("/bucket/key").await.expect(200);
    client.get("/bucket?list-type=2").await.expect(200);
    client
        .send(Method::DELETE, "/bucket/key", &[], "")
        .await
        .expect(403);
}

#[tokio::test]
async fn a_payload_that_is_not_what_was_signed_is_refused() {
    let client = closed_server().await;
    let signed = Signed::now("what was signed");
    let refused = signed
        .send(&client, Method::PUT, "/bucket/key", "what was SIGNED")
        .await
        .expect(400);
    assert_eq!(refused.element("Code"), Some("XAmzContentSHA256Mismatch"));
    let unsigned = Signed {
        payload: "UNSIGNED-PAYLOAD".to_owned(),
        ..Signed::now("")
    };
    unsigned
        .send(&client, Method::PUT, "/bucket/key", "anything")
        .await
        .expect(200);
}

#[tokio::test]
async fn keys_are_signed_as_they_are_sent() {
    let client = closed_server().await;
    for path in [
        "/bucket//a/../b%20c%2B",
        "/bucket/%F0%9F%98%80",
        "/bucket/a%2Fb",
    ] {
        // S3 signs the path as sent; `%2F` and `/` are the same key.
        let path = path.replace("%2F", "/");
        Signed::now("x")
            .send(&client, Method::PUT, &path, "x")
            .await
            .expect(200);
    }
}

#[tokio::test]
async fn rustfs_6853_chunked_bodies_are_decoded_and_their_trailers_checked() {
    let client = closed_server().await;
    let body = "hello chunked world";
    let send = async |checksum: &str| {
        let signed = Signed {
            payload: "STREAMING-UNSIGNED-PAYLOAD-TRAILER".to_owned(),
            headers: vec![
                ("content-encoding", "aws-chunked".to_owned()),
                ("x-amz-decoded-content-length", body.len().to_string()),
                ("x-amz-trailer", "x-amz-checksum-crc64nvme".to_owned()),
            ],
            ..Signed::now("")
        };
        let (head, tail) = body.split_at(7);
        let framed = format!(
            "{:x}\r\n{head}\r\n{:x}\r\n{tail}\r\n0\r\nx-amz-checksum-crc64nvme:{checksum}\r\n\r\n",
            head.len(),
            tail.len()
        );
        signed
            .send(&client, Method::PUT, "/bucket/key", &framed)
            .await
    };
    let right = base::Crc64Nvme::of(body.as_bytes()).to_base64();
    let answer = send(&right).await.expect(200);
    assert_eq!(answer.header("x-amz-checksum-crc64nvme"), right);
    let answer = Signed::now("")
        .send(&client, Method::GET, "/bucket/key", "")
        .await
        .expect(200);
    assert_eq!(answer.text(), body);
    assert_eq!(answer.header("content-encoding"), "");
    let wrong = base::Crc64Nvme(1).to_base64();
    let refused = send(&wrong).await.expect(400);
    assert_eq!(refused.element("Code"), Some("BadDigest"));
}

#[tokio::test]
async fn signed_chunks_are_checked_one_by_one() {
    let client = closed_server().await;
    let body = "signed chunk";
    for (sent, status) in [(body, 200), ("forged chunk", 400)] {
        let signed = Signed {
            payload: "STREAMING-AWS4-HMAC-SHA256-PAYLOAD".to_owned(),
            headers: vec![
                ("content-encoding", "aws-chunked".to_owned()),
                ("x-amz-decoded-content-length", body.len().to_string()),
            ],
            ..Signed::now("")
        };
        let (headers, mut previous) = signed.headers(&client, &Method::PUT, "/bucket/key");
        let mut framed = String::new();
        for (chunk, sent) in [(body, sent), ("", "")] {
            let text = format!(
                "AWS4-HMAC-SHA256-PAYLOAD\n{}\n{}\n{previous}\n{}\n{}",
                signed.moment(),
                signed.scope(),
                hex::encode(Sha256::digest("")),
                hex::encode(Sha256::digest(chunk))
            );
            previous = signed.sign(&text);
            let size = chunk.len();
            framed.push_str(&format!(
                "{size:x};chunk-signature={previous}\r\n{sent}\r\n"
            ));
        }
        let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let answer = client
            .send(Method::PUT, "/bucket/key", &headers, framed)
            .await;
        assert_eq!(answer.status.as_u16(), status, "{answer:?}");
    }
    let kept = Signed::now("")
        .send(&client, Method::GET, "/bucket/key", "")
        .await
        .expect(200);
    assert_eq!(kept.text(), body);
}

#[tokio::test]
async fn a_presigned_url_is_good_for_its_time() {
    let client = closed_server().await;
    Signed::now("x")
        .send(&client, Method::PUT, "/bucket/key", "x")
        .await
        .expect(200);
    let now = base::Clock::system().now();
    for (age_seconds, status) in [(0, 200), (120, 403)] {
        let signed = Signed {
            time: now - jiff::SignedDuration::from_secs(age_seconds),
            ..Signed::now("")
        };
        let credential = format!("{ACCESS_KEY_ID}/{}", signed.scope()).replace('/', "%2F");
        let query = format!(
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={credential}&X-Amz-Date={}&X-Amz-Expires=60&X-Amz-SignedHeaders=host",
            signed.moment()
        );
        let host = client.address();
        let request = format!("GET\n/bucket/key\n{query}\nhost:{host}\n\nhost\nUNSIGNED-PAYLOAD");
        let hash = hex::encode(Sha256::digest(request));
        let text = format!(
            "AWS4-HMAC-SHA256\n{}\n{}\n{hash}",
            signed.moment(),
            signed.scope()
        );
        let target = format!("/bucket/key?{query}&X-Amz-Signature={}", signed.sign(&text));
        client.get(&target).await.expect(status);
    }
}
