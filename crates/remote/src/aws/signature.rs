//! Signature Version 4, in S3's flavour: no second encoding, no normalised paths.
//!
//! Source: S3 API reference, "Authenticating Requests (AWS Signature Version 4)" (read 2026-11).
//! Pure: time and credentials come in, text comes out.

use std::fmt::Write as _;
use std::time::Duration;

use hmac::Mac as _;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::encode::{EncodedQuery, Parameter};
use super::identity::Identity;

/// The SHA-256 of nothing, in hex.
pub(super) const EMPTY_SHA256: &str =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
/// What stands in place of the payload's SHA-256 when it is not signed.
pub(super) const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

pub(super) const AMZ_DATE: HeaderName = HeaderName::from_static("x-amz-date");
pub(super) const AMZ_CONTENT_SHA256: HeaderName = HeaderName::from_static("x-amz-content-sha256");
pub(super) const AMZ_SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");

/// A moment as signatures write it: `YYYYMMDDTHHMMSSZ`.
#[derive(Debug, Clone)]
pub(super) struct SigningTime(String);

impl SigningTime {
    pub(super) fn new(time: Timestamp) -> SigningTime {
        let at = jiff::tz::Offset::UTC.to_datetime(time);
        let mut text = String::with_capacity(16);
        write!(
            text,
            "{:04}{:02}{:02}T{:02}{:02}{:02}Z",
            at.year(),
            at.month(),
            at.day(),
            at.hour(),
            at.minute(),
            at.second()
        )
        .expect("writing to memory does not fail");
        SigningTime(text)
    }

    fn date(&self) -> &str {
        &self.0[..8]
    }

    fn as_str(&self) -> &str {
        &self.0
    }
}

/// What of a request is signed besides its headers.
#[derive(Debug)]
pub(super) struct Signable<'a> {
    pub(super) method: &'a str,
    /// Encoded, as it is sent.
    pub(super) path: &'a str,
    /// Encoded and sorted ([`EncodedQuery::canonical`]).
    pub(super) query: &'a str,
    /// SHA-256 in hex, or [`UNSIGNED_PAYLOAD`].
    pub(super) payload_hash: &'a str,
}

/// For whom, where and when a signature is good.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) identity: &'a Identity,
    pub(super) region: &'a str,
    pub(super) time: &'a SigningTime,
}

/// Adds the date, the token and the signature to `headers`, which hold `Host` already.
pub(super) fn sign(signable: &Signable<'_>, headers: &mut HeaderMap, scope: Scope<'_>) {
    let Scope {
        identity,
        region,
        time,
    } = scope;
    headers.insert(AMZ_DATE, ascii(time.as_str()));
    headers.insert(AMZ_CONTENT_SHA256, ascii(signable.payload_hash));
    if let Some(token) = &identity.session_token {
        headers.insert(AMZ_SECURITY_TOKEN, token.clone());
    }
    let canonical = CanonicalHeaders::new(headers);
    let signature = signature(signable, &canonical, scope);
    let mut authorization = String::with_capacity(256);
    write!(
        authorization,
        "{ALGORITHM} Credential={}/{}/{region}/s3/aws4_request,SignedHeaders={},Signature={signature}",
        identity.access_key_id,
        time.date(),
        canonical.names,
    )
    .expect("writing to memory does not fail");
    let mut value = ascii(&authorization);
    value.set_sensitive(true);
    headers.insert(header::AUTHORIZATION, value);
}

/// The signed query of a URL that lets its holder send one request with these headers (at least
/// `Host`), for `expires_in` from `time` on. Whole seconds count.
pub(super) fn presign<'a>(
    method: &str,
    path: &str,
    parameters: impl IntoIterator<Item = Parameter<'a>>,
    headers: &HeaderMap,
    scope: Scope<'_>,
    expires_in: Duration,
) -> String {
    let Scope {
        identity,
        region,
        time,
    } = scope;
    let canonical = CanonicalHeaders::new(headers);
    let credential = format!(
        "{}/{}/{region}/s3/aws4_request",
        identity.access_key_id,
        time.date()
    );
    let expires = expires_in.as_secs().to_string();
    let token = identity
        .session_token
        .as_ref()
        .and_then(|token| token.to_str().ok());
    let mut all: Vec<Parameter<'_>> = parameters.into_iter().collect();
    all.extend([
        ("X-Amz-Algorithm", Some(ALGORITHM)),
        ("X-Amz-Credential", Some(credential.as_str())),
        ("X-Amz-Date", Some(time.as_str())),
        ("X-Amz-Expires", Some(expires.as_str())),
        ("X-Amz-SignedHeaders", Some(canonical.names.as_str())),
    ]);
    if let Some(token) = token {
        all.push(("X-Amz-Security-Token", Some(token)));
    }
    let query = EncodedQuery::new(all);
    let signable = Signable {
        method,
        path,
        query: &query.canonical,
        payload_hash: UNSIGNED_PAYLOAD,
    };
    let signature = signature(&signable, &canonical, scope);
    format!("{}&X-Amz-Signature={signature}", query.wire())
}

fn signature(signable: &Signable<'_>, canonical: &CanonicalHeaders, scope: Scope<'_>) -> String {
    let Scope {
        identity,
        region,
        time,
    } = scope;
    let mut request = Sha256::new();
    for piece in [
        signable.method,
        "\n",
        signable.path,
        "\n",
        signable.query,
        "\n",
    ] {
        request.update(piece.as_bytes());
    }
    request.update(&canonical.lines);
    for piece in ["\n", &canonical.names, "\n", signable.payload_hash] {
        request.update(piece.as_bytes());
    }
    let request_hash = hex_of(&request.finalize());

    let mut mac = identity.signing_key(time.date(), region);
    for piece in [
        ALGORITHM,
        "\n",
        time.as_str(),
        "\n",
        time.date(),
        "/",
        region,
        "/s3/aws4_request\n",
    ] {
        mac.update(piece.as_bytes());
    }
    mac.update(&request_hash);
    let signature = hex_of(&mac.finalize().into_bytes());
    String::from_utf8(signature.to_vec()).expect("hex digits are ASCII")
}

fn hex_of(hash: &[u8]) -> [u8; 64] {
    let mut text = [0; 64];
    hex::encode_to_slice(hash, &mut text).expect("a SHA-256 has 32 bytes");
    text
}

fn ascii(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("made of visible ASCII only")
}

/// The headers as they are signed: sorted, one line each, with spaces collapsed.
struct CanonicalHeaders {
    lines: Vec<u8>,
    names: String,
}

impl CanonicalHeaders {
    fn new(headers: &HeaderMap) -> CanonicalHeaders {
        let mut signed: Vec<(&str, &[u8])> = headers
            .iter()
            .filter(|(name, _)| is_signed(name))
            .map(|(name, value)| (name.as_str(), value.as_bytes()))
            .collect();
        // Stable, since several values of one name keep their order.
        signed.sort_by_key(|(name, _)| *name);
        let mut lines = Vec::with_capacity(512);
        let mut names = String::with_capacity(128);
        let mut previous = "";
        for (name, value) in signed {
            if name == previous {
                // Replaces the line's end.
                lines.pop();
                lines.push(b',');
            } else {
                if !names.is_empty() {
                    names.push(';');
                }
                names.push_str(name);
                lines.extend_from_slice(name.as_bytes());
                lines.push(b':');
            }
            push_collapsed(&mut lines, value);
            lines.push(b'\n');
            previous = name;
        }
        CanonicalHeaders { lines, names }
    }
}

/// What proxies change or add on the way is not signed.
fn is_signed(name: &HeaderName) -> bool {
    !matches!(
        name.as_str(),
        "authorization"
            | "user-agent"
            | "x-amzn-trace-id"
            | "expect"
            | "connection"
            | "transfer-encoding"
            | "proxy-authorization"
            | "content-length"
    )
}

/// Appends a value without spaces around it and with one space where several follow each other.
fn push_collapsed(out: &mut Vec<u8>, value: &[u8]) {
    let value = value.trim_ascii();
    if memchr::memmem::find(value, b"  ").is_none() {
        out.extend_from_slice(value);
        return;
    }
    let mut previous = 0;
    for &byte in value {
        if byte != b' ' || previous != b' ' {
            out.push(byte);
        }
        previous = byte;
    }
}

#[cfg(test)]
mod tests;
