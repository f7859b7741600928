//! Bodies of requests: taken in once, hashed on the way, kept without copying.

use base::ChecksumAlgorithm;
use base::limits::PART_SIZE_MAX;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use futures_util::StreamExt as _;
use s3s::dto::StreamingBlob;
use s3s::{S3Error, S3ErrorCode, S3Result, StdError, TrailingHeaders, s3_error};
use store::model::{Declared, Intake, Received};

/// What a request says about its body before the body is there.
#[derive(Debug, Default)]
pub(crate) struct Announced {
    /// `Content-Length`, or that of the payload inside of aws-chunked framing, in bytes.
    pub(crate) content_length: Option<i64>,
    /// `Content-MD5`.
    pub(crate) content_md5: Option<String>,
    /// Checksum headers: algorithm and base64 text.
    pub(crate) checksums: Vec<(ChecksumAlgorithm, String)>,
    /// The algorithm whose value comes behind the body, or that is to be kept.
    pub(crate) algorithm: Option<ChecksumAlgorithm>,
    /// Where the trailers will be.
    pub(crate) trailers: Option<TrailingHeaders>,
}

impl Announced {
    /// The checksum that the request wants kept.
    pub(crate) fn kept_algorithm(&self) -> Option<ChecksumAlgorithm> {
        let first = self.checksums.first().map(|(algorithm, _)| *algorithm);
        first.or(self.algorithm)
    }

    /// Forgets the checksums, as a store that knows none.
    pub(crate) fn without_checksums(self) -> Announced {
        Announced {
            checksums: Vec::new(),
            algorithm: None,
            trailers: None,
            ..self
        }
    }
}

/// Takes a body in; `also` is hashed besides what the request announces.
pub(crate) async fn take_in(
    body: Option<StreamingBlob>,
    announced: Announced,
    also: Option<ChecksumAlgorithm>,
) -> S3Result<(Received, Declared)> {
    if announced
        .content_length
        .is_some_and(|length| length > crate::names::size(PART_SIZE_MAX.get()))
    {
        return Err(s3_error!(
            EntityTooLarge,
            "Your proposed upload exceeds the maximum allowed size"
        ));
    }
    let content_md5 = announced.content_md5.as_deref().map(md5).transpose()?;
    let mut algorithms: Vec<ChecksumAlgorithm> = Vec::new();
    let named = announced.checksums.iter().map(|(algorithm, _)| *algorithm);
    for algorithm in named.chain(announced.algorithm).chain(also) {
        if !algorithms.contains(&algorithm) {
            algorithms.push(algorithm);
        }
    }
    let mut intake = Intake::new(algorithms.iter().copied());
    if let Some(mut body) = body {
        while let Some(frame) = body.next().await {
            intake.push(frame.map_err(body_error)?);
        }
    }
    let mut declared = Declared {
        content_md5,
        checksums: announced.checksums,
    };
    if let Some(trailers) = &announced.trailers {
        let trailed = trailers.read(|headers| {
            let value = |algorithm: ChecksumAlgorithm| {
                let text = headers.get(algorithm.header())?.to_str().ok()?;
                Some((algorithm, text.trim().to_owned()))
            };
            ChecksumAlgorithm::ALL
                .into_iter()
                .filter_map(value)
                .collect::<Vec<_>>()
        });
        declared.checksums.extend(
            trailed
                .into_iter()
                .flatten()
                // Trailers that were not announced are not ours to check.
                .filter(|(algorithm, _)| algorithms.contains(algorithm)),
        );
    }
    Ok((intake.finish(), declared))
}

fn md5(text: &str) -> S3Result<[u8; 16]> {
    let bytes = BASE64.decode(text).ok();
    bytes
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| s3_error!(InvalidDigest, "The Content-MD5 you specified was invalid."))
}

/// Why a body did not come through.
///
/// This looks odd: s3s keeps the types of these errors to itself, so their texts must tell.
fn body_error(error: StdError) -> S3Error {
    let text = error.to_string();
    let (code, message) = if text.contains("Sha256Mismatch") {
        (
            S3ErrorCode::Custom("XAmzContentSHA256Mismatch".into()),
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
        )
    } else if text.contains("SignatureMismatch") {
        (
            S3ErrorCode::SignatureDoesNotMatch,
            "The chunk signature we calculated does not match the signature you provided.",
        )
    } else if text.contains("FormatError") || text.contains("TooLarge") || text.contains("TooMany")
    {
        (
            S3ErrorCode::InvalidRequest,
            "The aws-chunked framing of the body is broken.",
        )
    } else {
        (
            S3ErrorCode::IncompleteBody,
            "You did not provide the number of bytes specified by the Content-Length HTTP header",
        )
    };
    let mut answer = S3Error::with_message(code, message);
    answer.set_status_code(http::StatusCode::BAD_REQUEST);
    answer.set_source(error);
    answer
}
