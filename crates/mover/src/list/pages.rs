//! One listing, page after page.

use std::sync::Arc;

use base::flow::{RetryPolicy, retry};
use base::{BucketName, Clock, Fault};
use remote::types::{ContinuationToken, ListObjectVersions, ListObjects, ListPage};
use remote::{ObjectClient, Operation};

use super::token_watch::TokenWatch;
use crate::error::Result;

/// Which of S3's three listings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Protocol {
    /// ListObjectsV2.
    #[default]
    V2,
    /// ListObjects, for stores that know no other.
    V1,
    /// ListObjectVersions: every version and delete marker.
    Versions,
}

/// The pages of one listing, asked for one after the other.
///
/// Empty pages that say there is more are passed over. A store whose tokens go round in a circle
/// would be listed for ever: that is an error. Retries: a page is asked for again under the policy,
/// with the same token, so no key comes twice and none is lost. Cancellation: dropping
/// [`next`](Self::next) halfway asks for the same page again.
#[derive(Debug)]
pub struct Pages {
    client: Arc<dyn ObjectClient>,
    request: ListObjects,
    protocol: Protocol,
    retry: RetryPolicy,
    clock: Clock,
    tokens: TokenWatch,
    ended: bool,
}

/// One level of a bucket, as `ls` shows it: the objects under `prefix` up to the next `delimiter`,
/// and the common prefixes of the rest, page by page in the store's order. Serial.
pub fn level(
    client: Arc<dyn ObjectClient>,
    bucket: BucketName,
    prefix: &str,
    delimiter: &str,
    protocol: Protocol,
) -> Pages {
    let mut request = ListObjects::new(bucket, prefix);
    request.delimiter = Some(delimiter.to_owned());
    // The client sends again what may pass by itself.
    let retry = RetryPolicy::once();
    Pages::new(client, request, protocol, retry, Clock::system())
}

impl Pages {
    /// The pages that `request` begins.
    pub(crate) fn new(
        client: Arc<dyn ObjectClient>,
        mut request: ListObjects,
        protocol: Protocol,
        retry: RetryPolicy,
        clock: Clock,
    ) -> Pages {
        request.v1 = protocol == Protocol::V1;
        Pages {
            client,
            request,
            protocol,
            retry,
            clock,
            tokens: TokenWatch::default(),
            ended: false,
        }
    }

    /// The next page that holds something; `None` after the last. After an error, `None`.
    pub async fn next(&mut self) -> Option<Result<ListPage>> {
        while !self.ended {
            match self.page().await {
                Ok(page) if page.objects.is_empty() && page.common_prefixes.is_empty() => {}
                Ok(page) => return Some(Ok(page)),
                Err(error) => {
                    self.ended = true;
                    return Some(Err(error.into()));
                }
            }
        }
        None
    }

    /// Goes on from `token`, or ends where there is none.
    pub(super) fn go_on(&mut self, token: Option<ContinuationToken>) {
        self.ended = token.is_none();
        self.request.continuation_token = token;
    }

    /// The next page, empty or not; moves on to the one after it.
    async fn page(&mut self) -> remote::Result<ListPage> {
        let page = ask(
            &*self.client,
            &self.request,
            self.protocol,
            &self.retry,
            &self.clock,
        )
        .await?;
        if let Some(next) = &page.next
            && self.tokens.repeats(next)
        {
            return Err(cycle(self.protocol, &self.request.bucket));
        }
        self.go_on(page.next.clone());
        Ok(page)
    }
}

/// Asks for one page, again and again under the policy. A store that answers with the token it was
/// asked with is an error.
pub(super) async fn ask(
    client: &dyn ObjectClient,
    request: &ListObjects,
    protocol: Protocol,
    policy: &RetryPolicy,
    clock: &Clock,
) -> remote::Result<ListPage> {
    let page = retry(policy, clock, |_| match protocol {
        Protocol::V2 | Protocol::V1 => client.list_objects(request.clone()),
        Protocol::Versions => client.list_object_versions(ListObjectVersions {
            bucket: request.bucket.clone(),
            prefix: request.prefix.clone(),
            delimiter: request.delimiter.clone(),
            continuation_token: request.continuation_token.clone(),
            keys_max: request.keys_max,
        }),
    })
    .await?;
    if page.next.is_some() && page.next == request.continuation_token {
        return Err(cycle(protocol, &request.bucket));
    }
    Ok(page)
}

/// The listing of `bucket` would never end.
pub(super) fn cycle(protocol: Protocol, bucket: &BucketName) -> remote::Error {
    let operation = match protocol {
        Protocol::V2 => Operation::ListObjectsV2,
        Protocol::V1 => Operation::ListObjects,
        Protocol::Versions => Operation::ListObjectVersions,
    };
    let message = "the store repeats its continuation tokens, so that the listing cannot end";
    remote::Error::new(operation, Fault::Invalid, message).about(Some(bucket.as_str()), None)
}
