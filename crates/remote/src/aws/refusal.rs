//! An answer that is no success: what the store says is wrong.

use std::time::Duration;

use http::header::{self, HeaderMap};
use http::{Method, StatusCode};
use jiff::Timestamp;
use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::Event;

use super::authority::region_of_host;
use super::classify::fault_of;
use super::request::Request;
use crate::error::Error;

/// Most of an error's body that is read. S3's documents have about 500 bytes; a guess with room.
pub(super) const REFUSAL_BYTES_MAX: usize = 64 * 1024;

/// Most of a message that is kept: some stores answer whole pages of HTML.
const MESSAGE_CHARS_MAX: usize = 500;

/// What the store says is wrong, and whatever in its answer helps to mend it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    /// S3's code, from the body or, where there is none, made from the status.
    pub(super) code: String,
    pub(super) message: String,
    pub(super) request_id: Option<String>,
    pub(super) host_id: Option<String>,
    /// The region where the bucket is, as the store says.
    pub(super) region: Option<String>,
    /// `Location` of a redirect.
    pub(super) location: Option<String>,
    /// The store's clock.
    pub(super) date: Option<Timestamp>,
    pub(super) retry_after: Option<Duration>,
    /// Whether the object asked for is a delete marker.
    pub(super) delete_marker: bool,
    /// Whether the code was made from the status.
    pub(super) without_document: bool,
}

impl Refusal {
    /// Reads an answer. `now` turns a `Retry-After` date into a wait.
    pub(super) fn read(
        method: &Method,
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
        now: Timestamp,
    ) -> Refusal {
        let text = |name: &str| headers.get(name)?.to_str().ok().map(str::to_owned);
        let document = Document::parse(body);
        let date = text("date").as_deref().and_then(http_date);
        let location = text("location");
        let host_region = document
            .endpoint
            .as_deref()
            .or(location.as_deref().and_then(host_of_url))
            .and_then(region_of_host);
        let region = text("x-amz-bucket-region")
            .or_else(|| document.region.clone())
            .or_else(|| host_region.map(str::to_owned))
            .or_else(|| region_of_message(&document));
        let without_document = document.code.is_none();
        let code = document
            .code
            .unwrap_or_else(|| code_of_status(status).to_owned());
        let message = document.message.unwrap_or_else(|| {
            let said = std::str::from_utf8(body).unwrap_or_default().trim();
            let is_text = without_document && !said.is_empty() && !said.contains('<');
            if is_text && method != Method::HEAD {
                said.to_owned()
            } else {
                status
                    .canonical_reason()
                    .unwrap_or("no reason given")
                    .to_owned()
            }
        });
        Refusal {
            status,
            code,
            message: one_line(&message),
            request_id: text("x-amz-request-id").or(document.request_id),
            host_id: text("x-amz-id-2").or(document.host_id),
            region,
            location,
            date,
            retry_after: text("retry-after").and_then(|value| retry_after(&value, now)),
            delete_marker: headers
                .get("x-amz-delete-marker")
                .is_some_and(|value| value == "true"),
            without_document,
        }
    }

    /// The refusal as the error of `request`.
    pub(super) fn into_error(self, request: &Request) -> Error {
        let fault = fault_of(&self);
        request
            .error(fault, self.message)
            .with_status(self.status.as_u16())
            .with_code(self.code)
            .with_request_ids(self.request_id, self.host_id)
    }
}

/// Whether a document's root element is `<Error>`, looking no further than its first tag.
pub(super) fn is_error_document(body: &[u8]) -> bool {
    let mut rest = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    loop {
        rest = rest.trim_ascii_start();
        let skipped = if rest.starts_with(b"<?") {
            memchr::memmem::find(rest, b"?>").map(|end| end + 2)
        } else if rest.starts_with(b"<!--") {
            memchr::memmem::find(rest, b"-->").map(|end| end + 3)
        } else {
            let name = rest.strip_prefix(b"<Error");
            return name.is_some_and(|after| {
                after
                    .first()
                    .is_some_and(|byte| byte.is_ascii_whitespace() || matches!(byte, b'>' | b'/'))
            });
        };
        match skipped {
            Some(skipped) => rest = &rest[skipped..],
            None => return false,
        }
    }
}

/// The elements of S3's error document that somebody acts on.
#[derive(Debug, Default)]
struct Document {
    code: Option<String>,
    message: Option<String>,
    request_id: Option<String>,
    host_id: Option<String>,
    region: Option<String>,
    endpoint: Option<String>,
}

impl Document {
    /// Reads what can be read; a document that breaks off keeps what came before.
    fn parse(body: &[u8]) -> Document {
        let mut document = Document::default();
        let text = String::from_utf8_lossy(body);
        let mut reader = Reader::from_str(&text);
        let mut depth = 0_u32;
        let mut value = String::new();
        loop {
            match reader.read_event() {
                Ok(Event::Start(start)) => {
                    depth += 1;
                    value.clear();
                    // Anything but an error document (HTML, say) has nothing for us.
                    let root = start.local_name();
                    if depth == 1 && !matches!(root.as_ref(), "Error" | "ErrorResponse") {
                        return document;
                    }
                }
                Ok(Event::Text(text)) => value.push_str(&text.xml10_content()),
                Ok(Event::CData(text)) => value.push_str(&text.xml10_content()),
                Ok(Event::GeneralRef(entity)) => {
                    if let Ok(Some(character)) = entity.resolve_char_ref() {
                        value.push(character);
                    } else if let Some(known) = resolve_predefined_entity(&entity.xml10_content()) {
                        value.push_str(known);
                    }
                }
                Ok(Event::End(end)) => {
                    depth = depth.saturating_sub(1);
                    document.take(end.local_name().as_ref(), value.trim());
                    value.clear();
                }
                Ok(
                    Event::Empty(_)
                    | Event::Comment(_)
                    | Event::Decl(_)
                    | Event::PI(_)
                    | Event::DocType(_),
                ) => {}
                Ok(Event::Eof) | Err(_) => return document,
            }
        }
    }

    fn take(&mut self, name: &str, value: &str) {
        let field = match name {
            "Code" => &mut self.code,
            "Message" => &mut self.message,
            "RequestId" => &mut self.request_id,
            "HostId" => &mut self.host_id,
            "Region" => &mut self.region,
            "Endpoint" => &mut self.endpoint,
            _ => return,
        };
        if !value.is_empty() {
            *field = Some(value.to_owned());
        }
    }
}

/// The region that only the message names.
///
/// `The us-west-2 location constraint is incompatible for the region specific endpoint this
/// request was sent to.` and `The authorization header is malformed; the region 'x' is wrong;
/// expecting 'y'`.
fn region_of_message(document: &Document) -> Option<String> {
    let message = document.message.as_deref()?;
    let region = match document.code.as_deref()? {
        "IllegalLocationConstraintException" => {
            message
                .strip_prefix("The ")?
                .split_once(" location constraint is incompatible")?
                .0
        }
        "AuthorizationHeaderMalformed" => {
            message.rsplit_once("expecting '")?.1.split('\'').next()?
        }
        _ => return None,
    };
    (region != "unspecified").then(|| region.to_owned())
}

fn host_of_url(url: &str) -> Option<&str> {
    let rest = url.split_once("://")?.1;
    rest.split(['/', ':', '?']).next()
}

/// A code for an answer without a document (HEAD, proxies). Named as s5cmd's users know them.
fn code_of_status(status: StatusCode) -> &'static str {
    match status.as_u16() {
        301 | 308 => "PermanentRedirect",
        302 | 307 => "TemporaryRedirect",
        304 => "NotModified",
        400 => "BadRequest",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "NotFound",
        405 => "MethodNotAllowed",
        409 => "Conflict",
        411 => "MissingContentLength",
        412 => "PreconditionFailed",
        416 => "InvalidRange",
        429 => "TooManyRequests",
        500 => "InternalError",
        501 => "NotImplemented",
        502 => "BadGateway",
        503 => "ServiceUnavailable",
        504 => "GatewayTimeout",
        _ => "UnknownError",
    }
}

fn one_line(message: &str) -> String {
    let words: Vec<&str> = message.split_whitespace().collect();
    let line = words.join(" ");
    match line.char_indices().nth(MESSAGE_CHARS_MAX) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}

/// Reads an HTTP date, `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(super) fn http_date(text: &str) -> Option<Timestamp> {
    let zoned = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(zoned.timestamp())
}

/// Reads seconds or an HTTP date.
fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let until = http_date(text)?;
    Some(until.duration_since(now).try_into().unwrap_or_default())
}

/// Whether an answer without length and chunks still has a body.
pub(super) fn has_no_body(method: &Method, status: StatusCode, headers: &HeaderMap) -> bool {
    method == Method::HEAD
        || status == StatusCode::NO_CONTENT
        || status == StatusCode::NOT_MODIFIED
        || headers
            .get(header::CONTENT_LENGTH)
            .is_some_and(|length| length == "0")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, proptest};

    use super::*;

    fn read(status: u16, headers: &[(&'static str, &str)], body: &str) -> Refusal {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        let status = StatusCode::from_u16(status).unwrap();
        let now = "1994-11-06T08:49:30Z".parse().unwrap();
        Refusal::read(&Method::GET, status, &map, body.as_bytes(), now)
    }

    #[test]
    fn a_document_gives_code_message_and_ids() {
        let body = "<?xml version=\"1.0\"?>\n<Error><Code>NoSuchKey</Code>\
            <Message>The key &lt;a&amp;b&#x1F600;&gt; does\n not exist</Message>\
            <Key>secret</Key><RequestId>R</RequestId><HostId>H=</HostId></Error>";
        let refusal = read(404, &[("x-amz-request-id", "R2")], body);
        assert_eq!(refusal.code, "NoSuchKey");
        assert_eq!(refusal.message, "The key <a&b\u{1f600}> does not exist");
        assert_eq!(refusal.request_id.as_deref(), Some("R2"));
        assert_eq!(refusal.host_id.as_deref(), Some("H="));
    }

    #[test]
    fn without_a_document_the_status_speaks() {
        assert_eq!(read(404, &[], "").code, "NotFound");
        assert_eq!(read(403, &[], "").code, "Forbidden");
        assert_eq!(
            read(502, &[], "<html><Code>x</Code>").message,
            "Bad Gateway"
        );
        assert_eq!(read(503, &[], "try\nlater").message, "try later");
    }

    #[test]
    fn regions_come_from_header_element_host_or_message() {
        assert_eq!(
            read(301, &[("x-amz-bucket-region", "eu-west-1")], "")
                .region
                .as_deref(),
            Some("eu-west-1")
        );
        let cases = [
            "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region></Error>",
            "<Error><Code>PermanentRedirect</Code>\
             <Endpoint>b.s3-eu-west-1.amazonaws.com</Endpoint></Error>",
            "<Error><Code>IllegalLocationConstraintException</Code><Message>The eu-west-1 location \
             constraint is incompatible for the region specific endpoint this request was sent \
             to.</Message></Error>",
            "<Error><Code>AuthorizationHeaderMalformed</Code><Message>The authorization header is \
             malformed; the region 'us-east-1' is wrong; expecting 'eu-west-1'</Message></Error>",
        ];
        for body in cases {
            assert_eq!(
                read(400, &[], body).region.as_deref(),
                Some("eu-west-1"),
                "{body}"
            );
        }
    }

    #[test]
    fn waits_are_seconds_or_a_date() {
        let wait = |text: &str| read(503, &[("retry-after", text)], "").retry_after;
        assert_eq!(wait("7"), Some(Duration::from_secs(7)));
        assert_eq!(
            wait("Sun, 06 Nov 1994 08:49:37 GMT"),
            Some(Duration::from_secs(7))
        );
        assert_eq!(wait("Sun, 06 Nov 1994 08:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(wait("soon"), None);
    }

    #[test]
    fn error_documents_are_known_by_their_root() {
        assert!(is_error_document(b"<Error><Code>x</Code></Error>"));
        assert!(is_error_document(
            b"\xef\xbb\xbf<?xml version='1.0'?>\n  \n<!-- c --><Error xmlns='x'>"
        ));
        assert!(!is_error_document(b"<Errors/>"));
        assert!(!is_error_document(b"<DeleteResult><Error/></DeleteResult>"));
        assert!(!is_error_document(b""));
        assert!(!is_error_document(b"<?xml"));
    }

    proptest! {
        #[test]
        fn no_body_breaks_the_reader(body in any::<Vec<u8>>(), tail in "[<>/&;a-zA-Z!\\[\\]?-]{0,60}") {
            let mut all = b"<Error><Code>".to_vec();
            all.extend_from_slice(tail.as_bytes());
            all.extend_from_slice(&body);
            is_error_document(&body);
            let refusal = Refusal::read(
                &Method::GET,
                StatusCode::BAD_REQUEST,
                &HeaderMap::new(),
                &all,
                Timestamp::UNIX_EPOCH,
            );
            prop_assert!(!refusal.code.is_empty());
            prop_assert!(refusal.message.chars().count() <= MESSAGE_CHARS_MAX + 3);
        }
    }
}
