//! What of a request is worked out once, for all of its tries.

use std::sync::atomic::{AtomicBool, Ordering};

use base::fault::Classified as _;
use base::{Crc64Nvme, Fault};

use super::encode::EncodedQuery;
use super::request::{PayloadChecksum, Request};
use super::traffic::Traffic;
use super::upload::{Digests, UploadError, Wanted, digest};
use crate::error::{Error, Result};
use crate::payload::Payload;

/// A request with its query encoded and its payload hashed.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) request: Request,
    pub(super) query: EncodedQuery,
    pub(super) digests: Digests,
    /// What counts its tries and holds them back: that of whoever asked, not of the client that
    /// many share.
    pub(super) traffic: Traffic,
    wanted: Wanted,
    /// Set when the store says that the bytes differ from their checksum.
    suspected: AtomicBool,
}

impl Prepared {
    /// `sign_payload`: the payload's SHA-256 goes into the signature. `send_checksum`: the store
    /// may take a CRC64NVME.
    pub(super) async fn new(
        request: Request,
        sign_payload: bool,
        send_checksum: bool,
        traffic: Traffic,
    ) -> Result<Prepared> {
        let has_bytes = request.payload.length().get() > 0;
        let checksummed = request.payload_checksum != PayloadChecksum::None;
        let wanted = Wanted {
            crc64: send_checksum && checksummed,
            sha256: sign_payload && has_bytes,
            md5: request.payload_checksum == PayloadChecksum::Required,
        };
        let nothing_to_do = wanted
            == Wanted {
                crc64: false,
                sha256: false,
                md5: false,
            };
        let in_memory = matches!(request.payload, Payload::Memory(_));
        let digests = if has_bytes && (in_memory || !nothing_to_do) || wanted.md5 || wanted.crc64 {
            digest(&request.payload, wanted)
                .await
                .map_err(|error| upload_error(&request, error))?
        } else {
            Digests::default()
        };
        let parameters = request.query.iter();
        let query =
            EncodedQuery::new(parameters.map(|(name, value)| (name.as_ref(), value.as_deref())));
        Ok(Prepared {
            query,
            digests,
            traffic,
            wanted,
            suspected: AtomicBool::new(false),
            request,
        })
    }

    /// Notes how a try failed.
    pub(super) fn note(&self, error: &Error) {
        if error.fault() == Fault::Corrupt {
            self.suspected.store(true, Ordering::Relaxed);
        }
    }

    /// Before a try that follows wrong bytes: a file is read again, since it may have been written
    /// to after it was hashed. Then sending goes on in vain.
    pub(super) async fn check_unchanged(&self) -> Result<()> {
        let is_file = matches!(self.request.payload, Payload::File(_));
        if !is_file || !self.suspected.swap(false, Ordering::Relaxed) {
            return Ok(());
        }
        let now = digest(&self.request.payload, self.wanted)
            .await
            .map_err(|error| upload_error(&self.request, error))?;
        if now == self.digests {
            return Ok(());
        }
        Err(upload_error(&self.request, UploadError::Changed))
    }

    /// Whether CRC64NVME headers belong to this request at all.
    pub(super) fn has_checksum_headers(&self) -> bool {
        self.header_crc64().is_some() || !self.request.checksum_headers.is_empty()
    }

    /// The payload's checksum for the request's head.
    pub(super) fn header_crc64(&self) -> Option<Crc64Nvme> {
        let checksummed = self.request.payload_checksum != PayloadChecksum::None;
        self.digests.crc64.filter(|_| checksummed)
    }
}

/// Our own body's failure as an error of the request.
pub(super) fn upload_error(request: &Request, error: UploadError) -> Error {
    let failed = request.error(error.fault(), error.to_string());
    match error {
        UploadError::Read(source) => failed.with_source(source),
        UploadError::Source { error } => failed.with_source(error),
        UploadError::Short { .. } | UploadError::Changed | UploadError::Corrupt => failed,
    }
}
