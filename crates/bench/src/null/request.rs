//! The head of a request, as far as the endpoint cares.

use std::borrow::Cow;
use std::ops::Range;

use anyhow::{Context as _, Result, bail};
use base::checksum::Crc64Nvme;
use percent_encoding::percent_decode;

/// Most headers of a request.
const HEADERS_MAX: usize = 96;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Get,
    Head,
    Put,
    Post,
    Delete,
}

/// What was asked.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: Method,
    /// Empty for the service itself.
    pub(super) bucket: String,
    /// Empty for the bucket itself.
    pub(super) key: String,
    /// Decoded, in the order given.
    query: Vec<(String, String)>,
    pub(super) content_length: u64,
    /// Whether HTTP frames the body.
    pub(super) chunked: bool,
    /// Whether the body is `aws-chunked` inside.
    pub(super) aws_chunked: bool,
    pub(super) expects_continue: bool,
    pub(super) close: bool,
    pub(super) range: Option<AskedRange>,
    /// The CRC-64/NVME that came with the body.
    pub(super) crc64: Option<Crc64Nvme>,
    pub(super) checksum_mode: bool,
    /// Without quotes.
    pub(super) if_match: Option<String>,
    /// Bucket and key of a copy's source.
    pub(super) copy_source: Option<(String, String)>,
    pub(super) copy_source_range: Option<AskedRange>,
}

/// `bytes=...`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AskedRange {
    /// From a first byte to a last one, or to the end.
    From(u64, Option<u64>),
    /// So many at the end.
    Last(u64),
}

impl AskedRange {
    fn parse(text: &str) -> Option<AskedRange> {
        let (first, last) = text.trim().strip_prefix("bytes=")?.split_once('-')?;
        match (first, last) {
            ("", last) => Some(AskedRange::Last(last.parse().ok()?)),
            (first, "") => Some(AskedRange::From(first.parse().ok()?, None)),
            (first, last) => Some(AskedRange::From(
                first.parse().ok()?,
                Some(last.parse().ok()?),
            )),
        }
    }

    /// The bytes of an object of `size` that are meant; none if it has none of them.
    pub(super) fn of(self, size: u64) -> Option<Range<u64>> {
        let range = match self {
            AskedRange::From(first, None) => first..size,
            AskedRange::From(first, Some(last)) => first..last.saturating_add(1).min(size),
            AskedRange::Last(count) => size.saturating_sub(count)..size,
        };
        (!range.is_empty()).then_some(range)
    }
}

impl Request {
    /// Reads a head from what has come so far: with its length, or nothing yet.
    pub(super) fn parse(input: &[u8]) -> Result<Option<(Request, usize)>> {
        let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
        let mut head = httparse::Request::new(&mut headers);
        let length = match head.parse(input).context("the request's head")? {
            httparse::Status::Complete(length) => length,
            httparse::Status::Partial => return Ok(None),
        };
        let method = match head.method {
            Some("GET") => Method::Get,
            Some("HEAD") => Method::Head,
            Some("PUT") => Method::Put,
            Some("POST") => Method::Post,
            Some("DELETE") => Method::Delete,
            other => bail!("the method {other:?} is not known"),
        };
        let mut request = Request::of_target(method, head.path.unwrap_or_default())?;
        for header in head.headers.iter() {
            request.read_header(header.name, header.value)?;
        }
        Ok(Some((request, length)))
    }

    fn of_target(method: Method, target: &str) -> Result<Request> {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let (bucket, key) = split_path(path)?;
        let mut pairs = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            pairs.push((decoded(name)?, decoded(&value.replace('+', "%20"))?));
        }
        Ok(Request {
            method,
            bucket,
            key,
            query: pairs,
            content_length: 0,
            chunked: false,
            aws_chunked: false,
            expects_continue: false,
            close: false,
            range: None,
            crc64: None,
            checksum_mode: false,
            if_match: None,
            copy_source: None,
            copy_source_range: None,
        })
    }

    fn read_header(&mut self, name: &str, value: &[u8]) -> Result<()> {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        let value = || String::from_utf8_lossy(value);
        if is("content-length") {
            self.content_length = value().trim().parse().context("content-length")?;
        } else if is("transfer-encoding") {
            self.chunked = value().to_ascii_lowercase().contains("chunked");
        } else if is("expect") {
            self.expects_continue = value().eq_ignore_ascii_case("100-continue");
        } else if is("connection") {
            self.close = value().eq_ignore_ascii_case("close");
        } else if is("x-amz-content-sha256") {
            self.aws_chunked = value().starts_with("STREAMING-");
        } else if is("range") {
            self.range = AskedRange::parse(&value());
        } else if is("x-amz-checksum-crc64nvme") {
            let crc64 = Crc64Nvme::from_base64(&value());
            self.crc64 = Some(crc64.context("x-amz-checksum-crc64nvme")?);
        } else if is("x-amz-checksum-mode") {
            self.checksum_mode = value().eq_ignore_ascii_case("enabled");
        } else if is("if-match") {
            self.if_match = Some(value().trim().trim_matches('"').to_owned());
        } else if is("x-amz-copy-source") {
            let value = value();
            let source = value
                .split_once("?versionId=")
                .map_or(&*value, |pair| pair.0);
            self.copy_source = Some(split_path(source)?);
        } else if is("x-amz-copy-source-range") {
            self.copy_source_range = AskedRange::parse(&value());
        }
        Ok(())
    }

    /// The value of a name in the query.
    pub(super) fn query(&self, name: &str) -> Option<&str> {
        let pair = self.query.iter().find(|(known, _)| known == name);
        pair.map(|(_, value)| value.as_str())
    }

    /// Whether the query has this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.query(name).is_some()
    }

    /// Whether bytes follow the head.
    pub(super) fn has_body(&self) -> bool {
        self.chunked || self.content_length > 0
    }
}

/// `/bucket/key`, the key as it stands after the first slash that follows the bucket.
fn split_path(path: &str) -> Result<(String, String)> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    Ok((decoded(bucket)?, decoded(key)?))
}

fn decoded(text: &str) -> Result<String> {
    let decoded = percent_decode(text.as_bytes()).decode_utf8();
    decoded
        .map(Cow::into_owned)
        .context("text that is not UTF-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_read() {
        let head = b"PUT /b/d//a%20%2B?partNumber=2&uploadId=x%2F&flag HTTP/1.1\r\nHost: h\r\n\
            Content-Length: 12\r\nExpect: 100-continue\r\nRange: bytes=5-\r\n\
            X-Amz-Copy-Source: /s/k%20/1?versionId=7\r\nx-amz-checksum-crc64nvme: rosUhgp5mIg=\r\n\r\nbody";
        let (request, length) = Request::parse(head).unwrap().unwrap();
        assert_eq!(&head[length..], b"body");
        assert_eq!(
            (request.bucket.as_str(), request.key.as_str()),
            ("b", "d//a +")
        );
        assert_eq!(request.query("uploadId"), Some("x/"));
        assert!(request.has("flag") && request.expects_continue && request.has_body());
        assert_eq!(request.range, Some(AskedRange::From(5, None)));
        let source = request.copy_source.unwrap();
        assert_eq!((source.0.as_str(), source.1.as_str()), ("s", "k /1"));
        assert_eq!(request.crc64.unwrap().0, 0xae8b_1486_0a79_9888);
        for end in 0..length - 1 {
            assert!(Request::parse(&head[..end]).unwrap().is_none());
        }
    }

    #[test]
    fn ranges_mean_bytes_that_are_there() {
        let range = |text: &str| AskedRange::parse(text).unwrap().of(10);
        assert_eq!(range("bytes=0-9"), Some(0..10));
        assert_eq!(range("bytes=5-99"), Some(5..10));
        assert_eq!(range("bytes=-3"), Some(7..10));
        assert_eq!(range("bytes=10-"), None);
        assert_eq!(AskedRange::parse("bytes=x-"), None);
    }
}
