//! The client: from a request to its answer.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use base::flow::{RetryPolicy, retry};
use base::{BucketName, Fault, Key, tasks};
use http::{HeaderMap, Method, header};
use jiff::SignedDuration;

use super::attempt::Attempts;
use super::authority::is_region;
use super::checksum_support::{ChecksumSupport, Support};
use super::configured::{self, Configured};
use super::counters::RequestCounters;
use super::dial::Dialer;
use super::encode::EncodedQuery;
use super::endpoint::Endpoint;
use super::identities::{Anew, Identities};
use super::options::{AwsOptions, ChecksumPolicy, CredentialsSource};
use super::pool::{Pool, PoolLimits};
use super::prepared::Prepared;
use super::request::Request;
use super::response::Response;
use super::signature::{self, Scope, SigningTime};
use super::tls;
use super::traffic::Traffic;
use crate::error::{Error, Operation, Result};
use crate::types::{SignedUrl, Signer};

/// Longest life of a signed URL.
/// Source: S3 user guide, "Download and upload objects with presigned URLs" (read 2026-11).
const PRESIGN_MAX: Duration = Duration::from_secs(7 * 24 * 3_600);

/// A client of S3 or of what is compatible with it. Clones share everything, and so does what
/// [`in_traffic`](AwsClient::in_traffic) gives but for what counts it and holds it back.
///
/// Overview: a request is hashed and encoded once, then tried until
/// [`base::flow::retry`] gives up; a try addresses, signs and sends it, and mends what can be
/// mended (region, style, clock, credentials, checksum). Invariants: a key's bytes reach the wire
/// as they are; nothing secret reaches an error or a trace. Retries: as the trait says; what was
/// learnt (regions, clock, style, checksums) is kept for later requests. Cancellation: dropping a
/// future closes its connection. Limits: connections are bounded by the callers' permits, idle
/// ones by the options.
#[derive(Clone)]
pub struct AwsClient {
    inner: Arc<Inner>,
    traffic: Traffic,
}

struct Inner {
    attempts: Attempts,
    retry: RetryPolicy,
}

impl fmt::Debug for AwsClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AwsClient")
            .field(&self.endpoint_url())
            .finish()
    }
}

impl AwsClient {
    /// Makes a client. Reads configuration and certificates; opens no connection and asks for no
    /// credentials yet.
    pub async fn new(options: AwsOptions) -> Result<AwsClient> {
        // A bundle that is none is told here, and not to a library that breaks on it.
        if options.tls.ca_bundle.is_some() {
            let tls_options = options.tls.clone();
            tasks::blocking(move || tls::configure(&tls_options))
                .await
                .map_err(|error| {
                    invalid("no trust in TLS servers".to_owned()).with_source(error)
                })?;
        }
        // AWS's crate makes a future of many kilobytes.
        let configured = Box::pin(configured::read(&options))
            .await
            .map_err(|error| invalid("read the configuration".to_owned()).with_source(error))?;
        let anew = is_refreshable(&options).then(|| provider_anew(options.clone()));
        AwsClient::with_configured(options, configured, anew).await
    }

    /// A client of what was read; `anew` reads it again after a refusal.
    async fn with_configured(
        options: AwsOptions,
        configured: Configured,
        anew: Option<Anew>,
    ) -> Result<AwsClient> {
        if !is_region(&configured.region) {
            return Err(invalid(format!("\"{}\" is no region", configured.region)));
        }
        let endpoint = Endpoint::new(
            configured.endpoint_url.as_deref(),
            &configured.region,
            options.addressing,
            options.accelerate,
        )
        .map_err(|error| invalid(error.to_string()))?;
        let known = if endpoint.is_aws() {
            Support::Checks
        } else {
            Support::Unknown
        };
        let refreshable = is_refreshable(&options);
        let dialer = Dialer {
            tls_options: options.tls,
            tls_config: parking_lot::Mutex::default(),
            tcp_congestion: options.tcp_congestion,
            connect_timeout: options.timeouts.connect,
            counters: options.traffic.counters.clone(),
        };
        if endpoint.url().starts_with("https:") {
            dialer.tls_config().await.map_err(|error| {
                invalid("no trust in TLS servers".to_owned()).with_source(error)
            })?;
        }
        let limits = PoolLimits {
            idle_connections_max: options.idle_connections_max,
            idle: options.timeouts.idle,
            resolve_again: options.timeouts.resolve_again,
        };
        let attempts = Attempts {
            endpoint,
            identities: configured
                .provider
                .map(|provider| Identities::new(provider, anew, options.clock.clone())),
            refreshable,
            pool: Pool::new(dialer, limits),
            proxies: options.proxies,
            support: ChecksumSupport::new(known),
            checksums: if configured.checksums_when_required {
                ChecksumPolicy::WhenRequired
            } else {
                options.checksums
            },
            request_payer: options.request_payer,
            unsigned_payload: options.unsigned_payload,
            timeouts: options.timeouts,
            clock: options.clock,
            clock_offset: AtomicI64::new(0),
        };
        Ok(AwsClient {
            inner: Arc::new(Inner {
                attempts,
                retry: options.retry,
            }),
            traffic: options.traffic,
        })
    }

    /// `https://host[:port]`.
    pub(crate) fn endpoint_url(&self) -> String {
        self.inner.attempts.endpoint.url()
    }

    /// The region that requests are signed for unless a bucket's own was learnt.
    pub(crate) fn region(&self) -> &str {
        self.inner.attempts.endpoint.region()
    }

    /// What this client has done so far.
    pub fn counters(&self) -> RequestCounters {
        self.traffic.counters.clone()
    }

    /// The same client for another purpose: connections, credentials and all that was learnt are
    /// shared, requests are counted and held back apart. Connections are counted where the client
    /// was made.
    pub fn in_traffic(&self, traffic: Traffic) -> AwsClient {
        AwsClient {
            inner: Arc::clone(&self.inner),
            traffic,
        }
    }

    /// Has the next request load credentials anew.
    pub(crate) fn forget_identity(&self) {
        let attempts = &self.inner.attempts;
        if let Some(identities) = attempts
            .identities
            .as_ref()
            .filter(|_| attempts.refreshable)
        {
            identities.forget();
        }
    }

    /// As whom and how requests are signed now.
    pub(crate) async fn describe_signer(&self) -> Result<Signer> {
        let attempts = &self.inner.attempts;
        let request = Request::new(Operation::ListBuckets, Method::GET);
        let identity = attempts.identity(&request).await?;
        let offset = attempts.clock_offset.load(Ordering::Relaxed);
        Ok(Signer {
            access_key_id: identity
                .as_ref()
                .map(|identity| Signer::masked(&identity.access_key_id)),
            provider: identity
                .as_ref()
                .and_then(|identity| identity.provider.clone()),
            expires_at: identity.as_ref().and_then(|identity| identity.expires_at),
            region: Some(self.region().to_owned()),
            clock_offset: Duration::from_secs(offset.unsigned_abs()),
        })
    }

    /// Sends a request until it is answered for good.
    pub(crate) async fn send(&self, request: Request) -> Result<Response> {
        let Inner {
            attempts,
            retry: policy,
        } = &*self.inner;
        let sign_payload = attempts.signs_payload(&request);
        let send_checksum = attempts.may_send_checksum();
        let traffic = self.traffic.clone();
        let prepared = Prepared::new(request, sign_payload, send_checksum, traffic).await?;
        let prepared = &prepared;
        retry(policy, &attempts.clock, |tries| {
            attempts.attempt(prepared, tries)
        })
        .await
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
        let operation = if method == Method::PUT {
            Operation::PutObject
        } else {
            Operation::GetObject
        };
        let request = Request::new(operation, method)
            .bucket(bucket.clone())
            .key(key.clone());
        if expires_in > PRESIGN_MAX || expires_in < Duration::from_secs(1) {
            let message = "a signed URL lives from one second to seven days";
            return Err(request.error(Fault::Invalid, message));
        }
        let attempts = &self.inner.attempts;
        let place = attempts.endpoint.place(Some(bucket), operation);
        let path = place.path_of(Some(key));
        let parameters = query
            .iter()
            .map(|(name, value)| (name.as_ref(), value.as_deref()));
        let signed_query = match attempts.identity(&request).await? {
            None => EncodedQuery::new(parameters).wire().to_owned(),
            Some(identity) => {
                let mut headers = HeaderMap::new();
                headers.insert(header::HOST, place.host_header.clone());
                let offset = attempts.clock_offset.load(Ordering::Relaxed);
                let scope = Scope {
                    identity: &identity,
                    region: &place.region,
                    time: &SigningTime::new(
                        attempts.clock.now() + SignedDuration::from_secs(offset),
                    ),
                };
                let method = request.method.as_str();
                signature::presign(method, &path, parameters, &headers, scope, expires_in)
            }
        };
        let mut url = place.authority.url() + &path;
        if !signed_query.is_empty() {
            url.push('?');
            url.push_str(&signed_query);
        }
        Ok(SignedUrl::new(url))
    }
}

/// Whether asking again may bring other credentials.
fn is_refreshable(options: &AwsOptions) -> bool {
    options.assume_role.is_some() || !matches!(options.credentials, CredentialsSource::Static(_))
}

/// Reads the configuration again when asked to. What it cannot read leaves the old provider.
fn provider_anew(options: AwsOptions) -> Anew {
    Box::new(move || {
        let options = options.clone();
        Box::pin(async move {
            match Box::pin(configured::read(&options)).await {
                Ok(configured) => configured.provider,
                Err(error) => {
                    tracing::warn!(%error, "configuration not read again");
                    None
                }
            }
        })
    })
}

/// What no request is to blame for.
fn invalid(message: String) -> Error {
    Error::new(Operation::ListBuckets, Fault::Invalid, message)
}

#[cfg(test)]
mod tests;
