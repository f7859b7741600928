//! `select`: an answer for scripts that still call it.

use super::{Call, Failure, Result};

/// Says that there is nothing to ask any more.
///
/// Source: AWS storage blog, "How to optimize querying your data in Amazon S3" (2024-07-25): S3
/// Select is closed to new customers.
pub(super) fn run(_: Call<'_>) -> Result {
    Err(Failure::Usage(
        "S3 Select was withdrawn by AWS (closed to new customers since July 2024): copy the object \
         and query it here, or use Amazon Athena"
            .to_owned(),
    ))
}
