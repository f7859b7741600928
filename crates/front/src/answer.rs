//! What s3s leaves out of answers: request ids, and XML that survives every key.

use std::ops::Range;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, TRANSFER_ENCODING};
use http::{HeaderValue, Response, StatusCode};
use s3s::Body;

use crate::deviation::Refusal;

/// A header that never leaves this house: the order of the rows of a listing of versions, an octet
/// each, which s3s writes by kind and S3 as they came to be.
pub(crate) const VERSION_ORDER: &str = "x-longhaul-version-order";

/// In [`VERSION_ORDER`]: a version.
pub(crate) const VERSION: u8 = b'v';

/// In [`VERSION_ORDER`]: a delete marker.
pub(crate) const DELETE_MARKER: u8 = b'd';

/// Ids under which a request can be found again.
#[derive(Debug, Clone)]
pub(crate) struct RequestId {
    /// `x-amz-request-id`.
    pub(crate) request_id: String,
    /// `x-amz-id-2`.
    pub(crate) host_id: String,
}

/// Writes ids into headers and error bodies, and characters that XML would lose as references.
pub(crate) fn finish(mut response: Response<Body>, id: &RequestId) -> Response<Body> {
    for (name, text) in [
        ("x-amz-request-id", &id.request_id),
        ("x-amz-id-2", &id.host_id),
    ] {
        if let Ok(value) = HeaderValue::from_str(text) {
            response.headers_mut().insert(name, value);
        }
    }
    let server = HeaderValue::from_static("longhaul");
    response.headers_mut().insert(http::header::SERVER, server);
    if response.status() == StatusCode::NOT_MODIFIED {
        for name in [CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING] {
            response.headers_mut().remove(name);
        }
        *response.body_mut() = Body::empty();
        return response;
    }
    // s3s answers a HEAD of a part or range with 200.
    if response.status() == StatusCode::OK && response.headers().contains_key(CONTENT_RANGE) {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    let is_xml = response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes() == b"application/xml");
    let is_error = response.status().is_client_error() || response.status().is_server_error();
    if !is_xml && !is_error {
        return response;
    }
    let Some(body) = response.body().bytes() else {
        response.headers_mut().remove(VERSION_ORDER);
        return response;
    };
    let order = response.headers_mut().remove(VERSION_ORDER);
    let mut text = escape_controls(&body);
    if let Some(order) = order {
        text = interleave(&text, order.as_bytes());
    }
    // An error may also hide behind a 200.
    text = with_ids(text, id);
    let length = HeaderValue::from(text.len());
    if response.headers().contains_key(CONTENT_LENGTH) {
        response.headers_mut().insert(CONTENT_LENGTH, length);
    }
    *response.body_mut() = Body::from(text);
    response
}

/// An error as S3 writes it, before [`finish`] adds its ids.
pub(crate) fn refusal(refusal: &Refusal) -> Response<Body> {
    let elements = refusal.elements.iter();
    let elements: String = elements
        .map(|(name, text)| format!("<{name}>{text}</{name}>"))
        .collect();
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{}</Code><Message>{}</Message>{elements}</Error>",
        refusal.code, refusal.code
    );
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = refusal.status;
    let xml = HeaderValue::from_static("application/xml");
    response.headers_mut().insert(CONTENT_TYPE, xml);
    for (name, value) in &refusal.headers {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(*name, value);
        }
    }
    response
}

/// Control characters as references: raw, a carriage return would be read as a line feed, and
/// most of the others are no XML at all. S3 writes them so too.
fn escape_controls(body: &Bytes) -> Bytes {
    let is_lost = |byte: u8| byte < 0x20 && byte != b'\n' && byte != b'\t';
    if !body.iter().any(|byte| is_lost(*byte)) {
        return body.clone();
    }
    let mut escaped = Vec::with_capacity(body.len() + 64);
    for byte in body {
        if is_lost(*byte) {
            escaped.extend_from_slice(format!("&#x{byte:X};").as_bytes());
        } else {
            escaped.push(*byte);
        }
    }
    escaped.into()
}

/// Brings versions and delete markers, each in their own order, into the order that both have.
fn interleave(body: &Bytes, order: &[u8]) -> Bytes {
    let versions = rows(body, "Version");
    let markers = rows(body, "DeleteMarker");
    let mut all = [&versions[..], &markers[..]].concat();
    all.sort_by_key(|row| row.start);
    let Some(first) = all.first() else {
        return body.clone();
    };
    let mut ordered: Vec<u8> = Vec::with_capacity(body.len());
    ordered.extend_from_slice(&body[..first.start]);
    let (mut versions, mut markers) = (versions.into_iter(), markers.into_iter());
    for kind in order {
        let row = if *kind == DELETE_MARKER {
            markers.next()
        } else {
            versions.next()
        };
        ordered.extend_from_slice(row.map_or(&[], |row| &body[row]));
    }
    for row in versions.chain(markers) {
        ordered.extend_from_slice(&body[row]);
    }
    let ends = all.iter().map(|row| row.end);
    let starts = all.iter().map(|row| row.start).skip(1).chain([body.len()]);
    for (end, start) in ends.zip(starts) {
        ordered.extend_from_slice(&body[end..start]);
    }
    ordered.into()
}

/// Where the elements of this name are.
fn rows(body: &[u8], name: &str) -> Vec<Range<usize>> {
    let (begin, end) = (format!("<{name}>"), format!("</{name}>"));
    let mut rows = Vec::new();
    let mut at = 0;
    while let Some(start) = find(&body[at..], begin.as_bytes()) {
        let start = at + start;
        let Some(length) = find(&body[start..], end.as_bytes()) else {
            break;
        };
        at = start + length + end.len();
        rows.push(start..at);
    }
    rows
}

fn with_ids(body: Bytes, id: &RequestId) -> Bytes {
    const END: &[u8] = b"</Error>";
    let Some(head) = body.strip_suffix(END) else {
        return body;
    };
    let message = code_of(head).filter(|_| find(head, b"<Message>").is_none());
    let message = message.and_then(known_message);
    let message = message.map(|text| format!("<Message>{text}</Message>"));
    let ids = format!(
        "<RequestId>{}</RequestId><HostId>{}</HostId>",
        id.request_id, id.host_id
    );
    let message = message.unwrap_or_default();
    [head, message.as_bytes(), ids.as_bytes(), END]
        .concat()
        .into()
}

/// S3's words for codes that s3s answers without any.
fn known_message(code: &str) -> Option<&'static str> {
    Some(match code {
        "InvalidBucketName" => "The specified bucket is not valid.",
        "InvalidURI" => "Couldn't parse the specified URI.",
        "KeyTooLongError" => "Your key is too long",
        "MalformedXML" => {
            "The XML you provided was not well-formed or did not validate against our published schema"
        }
        "MethodNotAllowed" => "The specified method is not allowed against this resource.",
        "MissingContentLength" => "You must provide the Content-Length HTTP header.",
        "SignatureDoesNotMatch" => {
            "The request signature we calculated does not match the signature you provided. Check your key and signing method."
        }
        _ => return None,
    })
}

fn code_of(error: &[u8]) -> Option<&str> {
    let start = find(error, b"<Code>")? + b"<Code>".len();
    let length = find(&error[start..], b"</Code>")?;
    std::str::from_utf8(&error[start..start + length]).ok()
}

/// Where `wanted` begins in a short text.
fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len())
        .position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_delete_markers_stand_as_they_came_to_be() {
        let body = "<R><A/><DeleteMarker>1</DeleteMarker><DeleteMarker>4</DeleteMarker><B/>\
                    <Version>2</Version><Version>3</Version><C/></R>";
        let ordered = interleave(&Bytes::from(body), b"dvvd");
        let expected = "<R><A/><DeleteMarker>1</DeleteMarker><Version>2</Version>\
                        <Version>3</Version><DeleteMarker>4</DeleteMarker><B/><C/></R>";
        assert_eq!(ordered, expected.as_bytes());
        let none = Bytes::from("<R/>");
        assert_eq!(interleave(&none, b"vd"), none);
    }
}
