use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation,
    SigningSettings, UriPathNormalizationMode,
};
use aws_sigv4::sign::v4;
use base::redact::Secret;
use proptest::prelude::{Strategy, any, prop_assert_eq, proptest};

use super::*;
use crate::aws::encode;
use crate::aws::options::StaticCredentials;

const ACCESS: &str = "AKIAIOSFODNN7EXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

fn identity(token: Option<&str>) -> Identity {
    let mut credentials = StaticCredentials::new(ACCESS, SECRET);
    credentials.session_token = token.map(Secret::new);
    Identity::new(&credentials).unwrap()
}

/// 2013-05-24T00:00:00Z, the moment of the published examples.
const THEN: i64 = 1_369_353_600;

fn example_time() -> SigningTime {
    SigningTime::new(Timestamp::from_second(THEN).unwrap())
}

fn published(
    method: &str,
    path: &str,
    query: &[Parameter<'_>],
    headers: &[(&str, &str)],
    payload: &[u8],
) -> String {
    let query = EncodedQuery::new(query.iter().copied());
    let hash = hex::encode(Sha256::digest(payload));
    let mut map = HeaderMap::new();
    map.insert("host", "examplebucket.s3.amazonaws.com".parse().unwrap());
    for (name, value) in headers {
        map.insert(
            name.parse::<HeaderName>().unwrap(),
            HeaderValue::from_str(value).unwrap(),
        );
    }
    let signable = Signable {
        method,
        path,
        query: &query.canonical,
        payload_hash: &hash,
    };
    let (identity, time) = (identity(None), example_time());
    let scope = Scope {
        identity: &identity,
        region: "us-east-1",
        time: &time,
    };
    sign(&signable, &mut map, scope);
    let authorization = map["authorization"].to_str().unwrap();
    authorization
        .rsplit_once("Signature=")
        .unwrap()
        .1
        .to_owned()
}

// The examples of "Signature Calculations for the Authorization Header: Transferring Payload in a
// Single Chunk" and "Authenticating Requests: Using Query Parameters", S3 API reference.
#[test]
fn headers_are_signed_as_the_published_examples_are() {
    assert_eq!(
        published("GET", "/test.txt", &[], &[("range", "bytes=0-9")], b""),
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    );
    assert_eq!(
        published(
            "PUT",
            "/test%24file.text",
            &[],
            &[
                ("date", "Fri, 24 May 2013 00:00:00 GMT"),
                ("x-amz-storage-class", "REDUCED_REDUNDANCY")
            ],
            b"Welcome to Amazon S3."
        ),
        "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
    );
    assert_eq!(
        published("GET", "/", &[("lifecycle", None)], &[], b""),
        "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
    );
    assert_eq!(
        published(
            "GET",
            "/",
            &[("prefix", Some("J")), ("max-keys", Some("2"))],
            &[],
            b""
        ),
        "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
    );
}

#[test]
fn urls_are_signed_as_the_published_example_is() {
    let mut headers = HeaderMap::new();
    headers.insert("host", "examplebucket.s3.amazonaws.com".parse().unwrap());
    let (identity, time) = (identity(None), example_time());
    let scope = Scope {
        identity: &identity,
        region: "us-east-1",
        time: &time,
    };
    let day = Duration::from_secs(86_400);
    let query = presign("GET", "/test.txt", [], &headers, scope, day);
    assert_eq!(
        query.rsplit_once("X-Amz-Signature=").unwrap().1,
        "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    );
}

#[test]
fn secrets_and_tokens_do_not_print() {
    let identity = identity(Some("the-token"));
    let mut headers = HeaderMap::new();
    headers.insert("host", "h".parse().unwrap());
    let signable = Signable {
        method: "GET",
        path: "/",
        query: "",
        payload_hash: EMPTY_SHA256,
    };
    let scope = Scope {
        identity: &identity,
        region: "r",
        time: &example_time(),
    };
    sign(&signable, &mut headers, scope);
    let printed = format!("{identity:?} {headers:?} {scope:?}");
    assert!(!printed.contains("the-token"), "{printed}");
    assert!(!printed.contains("Signature="), "{printed}");
    assert!(!printed.contains(SECRET), "{printed}");
}

fn settings(location: SignatureLocation) -> SigningSettings {
    let mut settings = SigningSettings::default();
    settings.percent_encoding_mode = PercentEncodingMode::Single;
    settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    settings.signature_location = location;
    settings
}

type Pairs = Vec<(String, String)>;

/// What the SDK's own signer adds to a request.
fn signed_by_sdk(
    location: SignatureLocation,
    url: &str,
    headers: &[(String, String)],
    token: Option<&str>,
    expires_in: Option<Duration>,
) -> (Pairs, Pairs) {
    let identity = Credentials::new(ACCESS, SECRET, token.map(str::to_owned), None, "test").into();
    let mut settings = settings(location);
    settings.expires_in = expires_in;
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region("eu-west-1")
        .name("s3")
        .time(SystemTime::UNIX_EPOCH + Duration::from_secs(THEN.unsigned_abs()))
        .settings(settings)
        .build()
        .unwrap()
        .into();
    let headers = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    let request = SignableRequest::new("PUT", url, headers, SignableBody::UnsignedPayload).unwrap();
    let (instructions, _) = aws_sigv4::http_request::sign(request, &params)
        .unwrap()
        .into_parts();
    let headers = instructions
        .headers()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let parameters = instructions
        .params()
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.to_string()))
        .collect();
    (headers, parameters)
}

fn awkward_key() -> impl Strategy<Value = String> {
    let piece = proptest::sample::select(vec![
        "/",
        "//",
        "..",
        ".",
        " ",
        "+",
        "%",
        "%2F",
        "&",
        "=",
        "?",
        "#",
        "a",
        "Z9",
        "\u{e9}",
        "\u{1f600}",
        "\u{1}",
        "~",
        "$",
        "'",
        "(",
        "*",
        ":",
        "@",
        ";",
        ",",
        "\\",
        "\"",
        "<",
        "|",
    ]);
    proptest::collection::vec(piece, 1..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn headers_are_signed_as_the_sdk_signs_them(
        key in awkward_key(),
        value in "[ -~]{0,20}",
        metadata in "[!-~]{0,6} {0,3}[!-~]{0,6}",
        token in proptest::option::of("[A-Za-z0-9/+=]{1,40}"),
        has_flag in any::<bool>(),
    ) {
        let mut path = String::from("/bucket/");
        encode::push_path(&mut path, &key);
        let mut parameters = vec![("partNumber", Some("3")), ("uploadId", Some(value.as_str()))];
        if has_flag {
            parameters.push(("tagging", None));
        }
        let query = EncodedQuery::new(parameters);
        let url = format!("http://127.0.0.1:9000{path}?{}", query.canonical);
        let sent = [
            ("host".to_owned(), "127.0.0.1:9000".to_owned()),
            ("x-amz-meta-name".to_owned(), metadata),
            ("content-type".to_owned(), "text/plain; charset=utf-8".to_owned()),
        ];
        let mut headers = HeaderMap::new();
        for (name, value) in &sent {
            headers.insert(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        let identity = identity(token.as_deref());
        let signable = Signable {
            method: "PUT",
            path: &path,
            query: &query.canonical,
            payload_hash: UNSIGNED_PAYLOAD,
        };
        let time = example_time();
        let scope = Scope { identity: &identity, region: "eu-west-1", time: &time };
        sign(&signable, &mut headers, scope);
        let (theirs, _) =
            signed_by_sdk(SignatureLocation::Headers, &url, &sent, token.as_deref(), None);
        let their = |name: &str| {
            theirs.iter().find(|(other, _)| other == name).map(|(_, value)| value.clone())
        };
        let signature = |text: &str| text.rsplit_once("Signature=").unwrap().1.to_owned();
        prop_assert_eq!(
            signature(headers["authorization"].to_str().unwrap()),
            signature(&their("authorization").unwrap())
        );
        prop_assert_eq!(headers["x-amz-date"].to_str().unwrap(), their("x-amz-date").unwrap());
    }

    #[test]
    fn urls_are_signed_as_the_sdk_signs_them(
        key in awkward_key(),
        token in proptest::option::of("[A-Za-z0-9/+=]{1,40}"),
        seconds in 1_u64..604_800,
    ) {
        let mut path = String::from("/bucket/");
        encode::push_path(&mut path, &key);
        let url = format!("http://127.0.0.1:9000{path}?versionId=a%2Fb");
        let sent = [("host".to_owned(), "127.0.0.1:9000".to_owned())];
        let mut headers = HeaderMap::new();
        headers.insert("host", "127.0.0.1:9000".parse().unwrap());
        let identity = identity(token.as_deref());
        let time = example_time();
        let scope = Scope { identity: &identity, region: "eu-west-1", time: &time };
        let expires_in = Duration::from_secs(seconds);
        let parameters = [("versionId", Some("a/b"))];
        let ours = presign("PUT", &path, parameters, &headers, scope, expires_in);
        let (_, theirs) = signed_by_sdk(
            SignatureLocation::QueryParams,
            &url,
            &sent,
            token.as_deref(),
            Some(expires_in),
        );
        let signature = theirs.iter().find(|(name, _)| name == "X-Amz-Signature").unwrap();
        prop_assert_eq!(ours.rsplit_once("X-Amz-Signature=").unwrap().1, &signature.1);
    }
}
