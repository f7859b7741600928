//! One try of a request: addressed, signed, sent, answered, and mended where that helps.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use base::fault::Classified as _;
use base::{Crc64Nvme, Fault};
use hyper::body::Incoming;
use jiff::SignedDuration;
use tokio::time::Instant;

use super::checksum_support::{ChecksumSupport, Support};
use super::connection::{ExchangeError, Patience};
use super::download::{Download, Lease};
use super::endpoint::Endpoint;
use super::identities::{Identities, NoCredentials};
use super::identity::Identity;
use super::mend::{Mend, Mends, Sent};
use super::message::{Addressed, CHECKSUM_CRC64NVME};
use super::options::{ChecksumPolicy, Timeouts};
use super::pool::{Pool, Route, RouteKey};
use super::prepared::{Prepared, upload_error};
use super::proxy::ProxySettings;
use super::refusal::{REFUSAL_BYTES_MAX, Refusal, has_no_body, is_error_document};
use super::request::{ReplyBody, Request};
use super::response::{Response, ResponseBody};
use super::upload::{Upload, UploadState};
use crate::error::{Error, Operation, Result};
use crate::payload::{ObjectBody, UploadCheck};

/// The parts of a client that a try needs.
#[derive(Debug)]
pub(super) struct Attempts {
    pub(super) endpoint: Endpoint,
    /// None: requests are not signed.
    pub(super) identities: Option<Identities>,
    /// Whether credentials come from somewhere that may have newer ones.
    pub(super) refreshable: bool,
    pub(super) pool: Pool,
    pub(super) proxies: ProxySettings,
    pub(super) support: ChecksumSupport,
    pub(super) checksums: ChecksumPolicy,
    pub(super) request_payer: bool,
    pub(super) unsigned_payload: bool,
    pub(super) timeouts: Timeouts,
    pub(super) clock: base::Clock,
    /// Seconds that the store's clock is ahead of ours, where that mattered.
    pub(super) clock_offset: AtomicI64,
}

enum Answer {
    Success(Response),
    Refused(Refusal),
}

/// An answer's head, with what its body comes over.
struct Answered {
    head: http::response::Parts,
    incoming: Incoming,
    lease: Lease,
    upload: Arc<UploadState>,
}

impl Attempts {
    /// Whether CRC64NVME headers may go to this store.
    pub(super) fn may_send_checksum(&self) -> bool {
        self.checksums == ChecksumPolicy::WhenSupported && self.support.known() != Support::Refuses
    }

    /// Whether payloads are hashed for the signature.
    pub(super) fn signs_payload(&self, request: &Request) -> bool {
        let place = self
            .endpoint
            .place(request.bucket.as_ref(), request.operation);
        self.identities.is_some() && !place.authority.tls && !self.unsigned_payload
    }

    /// Sends a request, again after each mend, until it is answered or refused for good.
    pub(super) async fn attempt(&self, prepared: &Prepared, tries: u32) -> Result<Response> {
        let result = self.attempt_mended(prepared, tries).await;
        if let Err(error) = &result {
            prepared.note(error);
            if matches!(error.fault(), Fault::Throttled { .. }) {
                prepared.traffic.counters.throttled();
            }
            tracing::debug!(
                operation = %prepared.request.operation,
                bucket = prepared.request.bucket.as_ref().map(base::BucketName::as_str),
                key = prepared.request.key.as_ref().map(base::Key::as_str),
                status = error.status(),
                code = error.code(),
                tries,
                "request failed"
            );
        }
        result
    }

    async fn attempt_mended(&self, prepared: &Prepared, tries: u32) -> Result<Response> {
        prepared.check_unchanged().await?;
        let request = &prepared.request;
        let mut mends = Mends::default();
        let mut again = tries > 1;
        loop {
            let addressed = self.address(prepared, &mends).await?;
            let refusal = match self.exchange(prepared, &addressed, &mends, again).await? {
                Answer::Success(response) => return Ok(response),
                Answer::Refused(refusal) => refusal,
            };
            again = true;
            let Some(mend) = mends.next(&refusal, &self.sent(&addressed)) else {
                return Err(self.final_error(refusal, request, &addressed));
            };
            tracing::debug!(operation = %request.operation, ?mend, "mending a refusal");
            self.apply(mend, request, &addressed).await?;
        }
    }

    /// Whom to sign as; none where requests are not signed.
    pub(super) async fn identity(&self, request: &Request) -> Result<Option<Arc<Identity>>> {
        let Some(identities) = &self.identities else {
            return Ok(None);
        };
        let current = identities.current().await;
        current
            .map(Some)
            .map_err(|none| credentials_error(request, none))
    }

    async fn address(&self, prepared: &Prepared, mends: &Mends) -> Result<Addressed> {
        let request = &prepared.request;
        let place = self
            .endpoint
            .place(request.bucket.as_ref(), request.operation);
        let identity = self.identity(request).await?;
        let authority = &place.authority;
        let proxy = self
            .proxies
            .choose(authority.tls, &authority.host, authority.port)
            .map_err(|error| request.error(Fault::Invalid, error.to_string()))?;
        Ok(Addressed {
            place,
            identity,
            proxy,
            now: self.clock.now(),
            clock_offset: SignedDuration::from_secs(self.clock_offset.load(Ordering::Relaxed)),
            checksummed: prepared.has_checksum_headers()
                && self.may_send_checksum()
                && !mends.without_checksum,
            request_payer: self.request_payer,
        })
    }

    fn sent(&self, addressed: &Addressed) -> Sent {
        Sent {
            signed: addressed.identity.is_some(),
            region: addressed.place.region.to_string(),
            path_style: addressed.place.path_style,
            unproven_checksum: addressed.checksummed && self.support.known() == Support::Unknown,
            refreshable: self.refreshable,
            now: addressed.now,
            clock_offset: addressed.clock_offset,
        }
    }

    async fn apply(&self, mend: Mend, request: &Request, addressed: &Addressed) -> Result<()> {
        match mend {
            Mend::Region(region) => {
                self.endpoint.learn_region(request.bucket.as_ref(), &region);
            }
            Mend::Authority(authority) => {
                self.endpoint
                    .learn_authority(request.bucket.as_ref(), authority);
            }
            Mend::VirtualHost => {
                self.endpoint.learn_virtual_host();
            }
            Mend::ClockOffset(offset) => {
                tracing::warn!(
                    seconds = offset.as_secs(),
                    "the store's clock differs from ours"
                );
                self.clock_offset.store(offset.as_secs(), Ordering::Relaxed);
            }
            Mend::Credentials => {
                if let (Some(identities), Some(refused)) = (&self.identities, &addressed.identity) {
                    let renewed = identities.renew(refused).await;
                    renewed.map_err(|none| credentials_error(request, none))?;
                }
            }
            // Held in the mends themselves.
            Mend::WithoutChecksum => {}
        }
        Ok(())
    }

    fn final_error(&self, refusal: Refusal, request: &Request, addressed: &Addressed) -> Error {
        let expired = addressed
            .identity
            .as_ref()
            .and_then(|identity| identity.expires_at)
            .is_some_and(|end| end <= addressed.now + addressed.clock_offset);
        let forbidden = matches!(refusal.status.as_u16(), 400 | 403) && refusal.without_document;
        let error = refusal.into_error(request);
        // HEAD cannot say that a token expired.
        if expired && forbidden {
            error.with_fault(Fault::Expired)
        } else {
            error
        }
    }

    async fn exchange(
        &self,
        prepared: &Prepared,
        addressed: &Addressed,
        mends: &Mends,
        again: bool,
    ) -> Result<Answer> {
        let request = &prepared.request;
        let answered = self.converse(prepared, addressed, again).await?;
        let status = answered.head.status;
        tracing::debug!(
            operation = %request.operation,
            bucket = request.bucket.as_ref().map(base::BucketName::as_str),
            key = request.key.as_ref().map(base::Key::as_str),
            status = status.as_u16(),
            again,
            "answered"
        );
        if !status.is_success() {
            return Ok(Answer::Refused(self.read_refusal(prepared, answered).await));
        }
        if !answered.upload.ended() {
            let message = "the store said yes before it had the whole request";
            return Err(request.error(Fault::Unavailable, message));
        }
        let Answered {
            head,
            incoming,
            lease,
            ..
        } = answered;
        // A store that copies may answer at once and say nothing more before it is done.
        let stall = if is_copy(request.operation) {
            self.timeouts.first_byte_after_copy
        } else {
            self.timeouts.stall
        };
        let download = Download::new(incoming, lease, stall, prepared);
        let body = match request.reply {
            ReplyBody::Streamed => ResponseBody::Stream(ObjectBody::new(download)),
            ReplyBody::Buffered(bytes_max) => {
                let bytes = download
                    .collect(bytes_max.as_usize().unwrap_or(usize::MAX))
                    .await?;
                if is_error_document(&bytes) {
                    let now = self.clock.now();
                    let refusal =
                        Refusal::read(&request.method, status, &head.headers, &bytes, now);
                    return Ok(Answer::Refused(refusal));
                }
                ResponseBody::Buffered(bytes)
            }
        };
        let check = self.check_of(prepared, addressed, mends, &head.headers)?;
        Ok(Answer::Success(Response {
            status,
            headers: head.headers,
            body,
            check,
            checksum_headers_sent: addressed.checksummed,
        }))
    }

    async fn read_refusal(&self, prepared: &Prepared, answered: Answered) -> Refusal {
        let request = &prepared.request;
        let Answered {
            head,
            incoming,
            lease,
            ..
        } = answered;
        let download = Download::new(incoming, lease, self.timeouts.stall, prepared);
        let body = if has_no_body(&request.method, head.status, &head.headers) {
            drop(download);
            bytes::Bytes::new()
        } else {
            // The status says enough where the document breaks off.
            download
                .collect(REFUSAL_BYTES_MAX)
                .await
                .unwrap_or_default()
        };
        let now = self.clock.now();
        Refusal::read(&request.method, head.status, &head.headers, &body, now)
    }

    /// How the store checked the payload; remembers what that says about it.
    fn check_of(
        &self,
        prepared: &Prepared,
        addressed: &Addressed,
        mends: &Mends,
        headers: &http::HeaderMap,
    ) -> Result<UploadCheck> {
        let sent = prepared.header_crc64().filter(|_| addressed.checksummed);
        let said_back = headers
            .get(CHECKSUM_CRC64NVME)
            .and_then(|value| Crc64Nvme::from_base64(value.to_str().ok()?));
        let left_out = mends.without_checksum;
        self.support.learn(
            sent.is_some(),
            left_out,
            sent.is_some() && said_back.is_some(),
        );
        // The SHA-256 of nothing is signed everywhere.
        let hashed =
            prepared.digests.sha256.is_some() || prepared.request.payload.length().get() == 0;
        let signed = hashed && addressed.identity.is_some();
        match (sent, said_back) {
            (Some(sent), Some(said_back)) if sent != said_back => {
                let message = "the store says another checksum than that of the bytes sent";
                Err(prepared.request.error(Fault::Corrupt, message))
            }
            (Some(sent), Some(_)) => Ok(UploadCheck::ChecksumHeader(sent)),
            (Some(sent), None) if self.endpoint.is_aws() => Ok(UploadCheck::ChecksumHeader(sent)),
            _ if signed => Ok(UploadCheck::PayloadSignature),
            _ => Ok(UploadCheck::None),
        }
    }

    /// Sends on an idle connection or a new one; on a new one at once where the idle one turns out
    /// to have been closed.
    async fn converse(
        &self,
        prepared: &Prepared,
        addressed: &Addressed,
        again: bool,
    ) -> Result<Answered> {
        let request = &prepared.request;
        let route = self.pool.route(RouteKey {
            authority: addressed.place.authority.clone(),
            proxy: addressed.proxy.clone(),
        });
        match self
            .converse_once(prepared, addressed, &route, false, again)
            .await?
        {
            Ok(answered) => Ok(answered),
            Err(ExchangeError::Stale(_)) => {
                match self
                    .converse_once(prepared, addressed, &route, true, true)
                    .await?
                {
                    Ok(answered) => Ok(answered),
                    Err(error) => Err(exchange_error(request, error)),
                }
            }
            Err(error) => Err(exchange_error(request, error)),
        }
    }

    async fn converse_once(
        &self,
        prepared: &Prepared,
        addressed: &Addressed,
        route: &Arc<Route>,
        fresh: bool,
        again: bool,
    ) -> Result<std::result::Result<Answered, ExchangeError>> {
        let request = &prepared.request;
        // Before a connection is taken: one that waits its turn may be closed meanwhile.
        prepared.traffic.pace.turn().await;
        let connected = if fresh {
            route.fresh_connection().await
        } else {
            route.connection().await
        };
        let mut connection = connected.map_err(|error| {
            let fault = error.fault();
            request.error(fault, "no connection").with_source(error)
        })?;
        let traffic = &prepared.traffic;
        let upload = Upload::new(&request.payload, traffic);
        let state = upload.state();
        let message = addressed.message(prepared, upload)?;
        let counters = &traffic.counters;
        counters.request(again);
        let patience = self.patience(request.operation);
        let sent = Instant::now();
        let exchanged = connection.exchange(message, &state, patience).await;
        if exchanged.is_ok() {
            counters.answered(sent.elapsed());
        }
        Ok(exchanged.map(|response| {
            let (head, incoming) = response.into_parts();
            let lease = Lease {
                connection,
                route: Arc::clone(route),
                reusable: state.ended(),
            };
            Answered {
                head,
                incoming,
                lease,
                upload: state,
            }
        }))
    }

    fn patience(&self, operation: Operation) -> Patience {
        Patience {
            first_byte: if is_copy(operation) {
                self.timeouts.first_byte_after_copy
            } else {
                self.timeouts.first_byte
            },
            stall: self.timeouts.stall,
        }
    }
}

/// Whether the store itself moves the object's bytes before it has answered.
fn is_copy(operation: Operation) -> bool {
    matches!(
        operation,
        Operation::CopyObject | Operation::UploadPartCopy | Operation::CompleteMultipartUpload
    )
}

fn credentials_error(request: &Request, none: NoCredentials) -> Error {
    let error = request.error(none.fault, none.message).with_code(none.code);
    match none.source {
        Some(source) => error.with_source(source),
        None => error,
    }
}

fn exchange_error(request: &Request, error: ExchangeError) -> Error {
    match error {
        ExchangeError::Upload(error) => upload_error(request, error),
        other => request
            .error(Fault::Unavailable, "no answer")
            .with_source(other),
    }
}
