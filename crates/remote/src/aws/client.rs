//! The client: from a request to its answer.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base::{BucketName, Fault, Key};
use http::Method;

use super::options::AwsOptions;
use super::request::Request;
use super::response::Response;
use crate::error::{Error, Operation, Result};
use crate::types::SignedUrl;

/// A client of S3 or of what is compatible with it. Clones share everything.
#[derive(Clone)]
pub struct AwsClient(Arc<Inner>);

struct Inner {
    options: AwsOptions,
}

impl fmt::Debug for AwsClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AwsClient")
            .field(&self.0.options.endpoint_url)
            .finish()
    }
}

impl AwsClient {
    /// Makes a client. Reads configuration, opens no connection.
    pub async fn new(options: AwsOptions) -> Result<AwsClient> {
        Ok(AwsClient(Arc::new(Inner { options })))
    }

    /// `https://host[:port]`.
    pub(crate) fn endpoint_url(&self) -> String {
        self.0.options.endpoint_url.clone().unwrap_or_default()
    }

    /// The region that requests are signed for unless a bucket's own was learnt.
    pub(crate) fn region(&self) -> &str {
        self.0.options.region.as_deref().unwrap_or("us-east-1")
    }

    /// Sends a request until it is answered for good.
    pub(crate) async fn send(&self, request: Request) -> Result<Response> {
        Err(Error::new(
            request.operation,
            Fault::Unsupported,
            "not sent",
        ))
    }

    /// Signs a URL. Sends nothing but what credentials need.
    pub(crate) async fn presign_url(
        &self,
        method: Method,
        bucket: &BucketName,
        key: &Key,
        query: Vec<(Cow<'static, str>, Option<Cow<'static, str>>)>,
        expires_in: Duration,
    ) -> Result<SignedUrl> {
        let _ = (method, bucket, key, query, expires_in);
        Err(Error::new(
            Operation::GetObject,
            Fault::Unsupported,
            "not signed",
        ))
    }
}
