//! One listing, page after page.

use std::sync::Arc;

use base::flow::{RetryPolicy, retry};
use base::{BucketName, Clock};
use remote::types::{ListObjectVersions, ListObjects, ListPage};
use remote::{ObjectClient, Operation};

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
/// Empty pages that say there is more are passed over. A store that gives the token back that it
/// was asked with would be listed for ever: that is an error. Retries: a page is asked for again
/// under the policy, with the same token, so no key comes twice and none is lost.
#[derive(Debug)]
pub struct Pages {
    client: Arc<dyn ObjectClient>,
    request: ListObjects,
    protocol: Protocol,
    retry: RetryPolicy,
    clock: Clock,
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
    Pages::new(
        client,
        request,
        protocol,
        RetryPolicy::once(),
        Clock::system(),
    )
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

    /// The next page, empty or not; moves on to the one after it.
    async fn page(&mut self) -> remote::Result<ListPage> {
        let page = retry(&self.retry, &self.clock, |_| self.ask()).await?;
        if page.next.is_some() && page.next == self.request.continuation_token {
            return Err(self.stuck());
        }
        self.ended = page.next.is_none();
        self.request.continuation_token.clone_from(&page.next);
        Ok(page)
    }

    fn ask(&self) -> remote::payload::Reply<'_, ListPage> {
        match self.protocol {
            Protocol::V2 | Protocol::V1 => self.client.list_objects(self.request.clone()),
            Protocol::Versions => self.client.list_object_versions(ListObjectVersions {
                bucket: self.request.bucket.clone(),
                prefix: self.request.prefix.clone(),
                delimiter: self.request.delimiter.clone(),
                continuation_token: self.request.continuation_token.clone(),
                keys_max: self.request.keys_max,
            }),
        }
    }

    fn stuck(&self) -> remote::Error {
        let operation = match self.protocol {
            Protocol::V2 => Operation::ListObjectsV2,
            Protocol::V1 => Operation::ListObjects,
            Protocol::Versions => Operation::ListObjectVersions,
        };
        let message = "the store gives the same continuation token again, the listing cannot end";
        remote::Error::new(operation, base::Fault::Invalid, message)
            .about(Some(self.request.bucket.as_str()), None)
    }
}
