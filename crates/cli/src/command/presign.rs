//! `presign`.

use std::time::Duration;

use mover::{Side, Source, Target};
use remote::types::{Presign, PresignedMethod};

use super::named::{object, target, without_wildcard};
use super::{Call, Failure, Result};
use crate::args::PresignArgs;
use crate::persona::Outcome;

/// Longest life of a signed URL.
/// Source: S3 API reference, "Authenticating requests: using query parameters" (read 2026-11).
const EXPIRE_MAX: Duration = Duration::from_secs(7 * 24 * 3_600);

/// Prints a URL with which anybody may read an object for a while.
pub(super) async fn run(args: &PresignArgs, call: Call<'_>) -> Result {
    let [text] = args.arguments.as_slice() else {
        return Err(Failure::Usage("expected remote object url".to_owned()));
    };
    let source = Source::new(target(text)?);
    let Target::Remote(url) = &source.target else {
        return Err(Failure::Usage("source must be a remote object".to_owned()));
    };
    if url.is_prefix() {
        return Err(Failure::Usage("remote source must be an object".to_owned()));
    }
    without_wildcard("remote source", &source)?;
    let place = object(url, args.version_id.as_deref())?;
    let expires_in = args.expire.positive().ok_or_else(|| {
        Failure::Said(
            "InvalidPresignExpireError: presigned URL requires an expire duration greater than 0"
                .to_owned(),
        )
    })?;
    if expires_in > EXPIRE_MAX {
        return Err(Failure::Usage(format!(
            "--expire={} is too long: S3 takes a week (168h) at most",
            args.expire
        )));
    }
    let client = call
        .session
        .client(Side::Source, None)
        .await
        .map_err(Failure::Client)?;
    let signed = client
        .presign(Presign {
            method: PresignedMethod::Get,
            bucket: place.bucket,
            key: place.key,
            version_id: place.version_id,
            expires_in,
        })
        .await?;
    call.session
        .output
        .text(format_args!("{}", signed.expose()));
    Ok(Outcome::DONE)
}
