//! `mb` and `rb`.

use mover::Side;

use super::named::{bucket, only};
use super::{Call, Failure, Result};
use crate::args::BucketArgs;
use crate::output::rows::Done;
use crate::persona::Outcome;

const ONE: &str = "expected only 1 argument";

/// Makes a bucket.
pub(super) async fn make(args: &BucketArgs, call: Call<'_>) -> Result {
    let text = only(&args.arguments, ONE)?;
    let name = bucket(text)?;
    if !call.session.settings.dry_run {
        let client = call
            .session
            .client(Side::Destination, None)
            .await
            .map_err(Failure::Client)?;
        client.create_bucket(name).await?;
    }
    call.session
        .output
        .info(&Done::to("mb", text.trim_end_matches('/')));
    Ok(Outcome::DONE)
}

/// Removes an empty bucket.
pub(super) async fn remove(args: &BucketArgs, call: Call<'_>) -> Result {
    let text = only(&args.arguments, ONE)?;
    let name = bucket(text)?;
    if !call.session.settings.dry_run {
        let client = call
            .session
            .client(Side::Source, None)
            .await
            .map_err(Failure::Client)?;
        client.delete_bucket(name).await?;
    }
    call.session
        .output
        .info(&Done::to("rb", text.trim_end_matches('/')));
    Ok(Outcome::DONE)
}
