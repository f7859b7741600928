//! `bucket-version`.

use mover::{Side, Target};
use remote::types::VersioningState;

use super::named::{only, target};
use super::{Call, Failure, Result};
use crate::args::BucketVersionArgs;
use crate::output::rows::VersioningRow;
use crate::persona::Outcome;

/// Shows or sets a bucket's versioning.
pub(super) async fn run(args: &BucketVersionArgs, call: Call<'_>) -> Result {
    let Target::Remote(url) = target(only(&args.arguments, "expected only one argument")?)? else {
        return Err(Failure::Usage("invalid s3 bucket".to_owned()));
    };
    let session = call.session;
    let asked = args.set.as_deref().map(|word| match word {
        "Enabled" => VersioningState::Enabled,
        _ => VersioningState::Suspended,
    });
    let state = match asked {
        Some(state) => {
            if !session.settings.dry_run {
                let client = session
                    .client(Side::Source, None)
                    .await
                    .map_err(Failure::Client)?;
                client
                    .put_bucket_versioning(url.bucket.clone(), state)
                    .await?;
            }
            state
        }
        None => {
            let client = session
                .client(Side::Source, None)
                .await
                .map_err(Failure::Client)?;
            client.get_bucket_versioning(url.bucket.clone()).await?
        }
    };
    session.output.info(&VersioningRow {
        bucket: url.bucket.as_str(),
        status: match state {
            VersioningState::Unversioned => "",
            VersioningState::Enabled => "Enabled",
            VersioningState::Suspended => "Suspended",
        },
        set: asked.is_some(),
    });
    Ok(Outcome::DONE)
}
