//! A request as it goes over the wire.

use std::sync::Arc;

use base::Fault;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::header::{self, HeaderName, HeaderValue};
use http::{Method, Uri};
use jiff::{SignedDuration, Timestamp};

use super::endpoint::Place;
use super::identity::Identity;
use super::prepared::Prepared;
use super::proxy::Proxy;
use super::signature::{self, EMPTY_SHA256, Scope, Signable, SigningTime, UNSIGNED_PAYLOAD};
use super::upload::Upload;
use crate::error::Result;

const USER_AGENT: HeaderValue =
    HeaderValue::from_static(concat!("longhaul/", env!("CARGO_PKG_VERSION")));
pub(super) const CHECKSUM_CRC64NVME: HeaderName =
    HeaderName::from_static("x-amz-checksum-crc64nvme");
const SDK_CHECKSUM_ALGORITHM: HeaderName = HeaderName::from_static("x-amz-sdk-checksum-algorithm");
const REQUEST_PAYER: HeaderName = HeaderName::from_static("x-amz-request-payer");
const CONTENT_MD5: HeaderName = HeaderName::from_static("content-md5");

/// Where a request goes and as whom.
#[derive(Debug)]
pub(super) struct Addressed {
    pub(super) place: Arc<Place>,
    pub(super) identity: Option<Arc<Identity>>,
    pub(super) proxy: Option<Proxy>,
    pub(super) now: Timestamp,
    pub(super) clock_offset: SignedDuration,
    /// Whether CRC64NVME headers go along.
    pub(super) checksummed: bool,
    /// Whether the requester agrees to pay.
    pub(super) request_payer: bool,
}

impl Addressed {
    /// The message as it goes over the wire.
    pub(super) fn message(
        &self,
        prepared: &Prepared,
        upload: Upload,
    ) -> Result<http::Request<Upload>> {
        let request = &prepared.request;
        let place = &*self.place;
        let path = place.path_of(request.key.as_ref());
        let mut headers = request.headers.clone();
        headers.reserve(10);
        headers.insert(header::HOST, place.host_header.clone());
        headers.insert(header::USER_AGENT, USER_AGENT);
        if request.method == Method::PUT || request.method == Method::POST {
            headers.insert(
                header::CONTENT_LENGTH,
                request.payload.length().get().into(),
            );
        }
        if self.request_payer && request.bucket.is_some() {
            headers.insert(REQUEST_PAYER, HeaderValue::from_static("requester"));
        }
        if let Some(md5) = prepared.digests.md5 {
            headers.insert(CONTENT_MD5, ascii(&BASE64.encode(md5)));
        }
        if self.checksummed {
            if let Some(crc64) = prepared.header_crc64() {
                headers.insert(CHECKSUM_CRC64NVME, ascii(&crc64.to_base64()));
                headers.insert(
                    SDK_CHECKSUM_ALGORITHM,
                    HeaderValue::from_static("CRC64NVME"),
                );
            }
            for (name, value) in &request.checksum_headers {
                headers.insert(name.clone(), value.clone());
            }
        }
        if let Some(identity) = &self.identity {
            let sha256 = prepared.digests.sha256.map(hex::encode);
            let payload_hash = match &sha256 {
                Some(hash) => hash.as_str(),
                None if request.payload.length().get() == 0 => EMPTY_SHA256,
                None => UNSIGNED_PAYLOAD,
            };
            let signable = Signable {
                method: request.method.as_str(),
                path: &path,
                query: &prepared.query.canonical,
                payload_hash,
            };
            let scope = Scope {
                identity,
                region: &place.region,
                time: &SigningTime::new(self.now + self.clock_offset),
            };
            signature::sign(&signable, &mut headers, scope);
        }
        // Through a plain proxy the whole URL is asked for; a tunnel is as good as the store.
        let plain_proxy = self.proxy.as_ref().filter(|_| !place.authority.tls);
        if let Some(authorization) = plain_proxy.and_then(|proxy| proxy.authorization.as_deref()) {
            let mut value = ascii(authorization);
            value.set_sensitive(true);
            headers.insert(header::PROXY_AUTHORIZATION, value);
        }
        let mut target = if plain_proxy.is_some() {
            place.authority.url()
        } else {
            String::with_capacity(path.len() + prepared.query.wire().len() + 1)
        };
        target.push_str(&path);
        if !prepared.query.wire().is_empty() {
            target.push('?');
            target.push_str(prepared.query.wire());
        }
        let uri = Uri::try_from(target).map_err(|error| {
            request
                .error(Fault::Invalid, "the request line cannot be written")
                .with_source(error)
        })?;
        let mut message = http::Request::new(upload);
        *message.method_mut() = request.method.clone();
        *message.uri_mut() = uri;
        *message.headers_mut() = headers;
        Ok(message)
    }
}

fn ascii(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("base64 is visible ASCII")
}
