//! Credentials kept fresh.
//!
//! Overview: the first signed request loads them; they are loaded again a while before they end,
//! by one request while the others go on with what is there. Invariants: one load at a time.
//! Retries: none here; a failure is remembered for a moment, so that many waiting requests do not
//! each wait for it in turn. Cancellation: a dropped load is begun anew by the next request.
//! AWS's providers read a profile once and keep it; after a refusal the provider itself is made
//! anew, so that keys written to the file meanwhile are found.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials as _, SharedCredentialsProvider};
use base::redact::Secret;
use base::{Clock, Fault};
use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use parking_lot::{Mutex, RwLock};
use tokio::time::Instant;

use super::identity::Identity;
use super::options::StaticCredentials;

/// Credentials are loaded again this long before they end. Instances publish new ones five
/// minutes before (IAM user guide, "Retrieve security credentials from instance metadata",
/// read 2026-11); half of that leaves room for both.
const RENEW_BEFORE_END: SignedDuration = SignedDuration::from_secs(150);
/// How long a failure to load stands. A guess.
const FAILURE_STANDS: Duration = Duration::from_secs(5);
/// How long credentials are not asked for again after the store's refusal made us ask. A guess.
const RENEWAL_STANDS: Duration = Duration::from_secs(5);
/// The error code by which users of s5cmd know that there are no credentials.
const NOT_FOUND_CODE: &str = "NoCredentialProviders";

/// Why there are no credentials.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub(super) struct NoCredentials {
    pub(super) message: String,
    /// As an S3 error code.
    pub(super) code: &'static str,
    pub(super) fault: Fault,
    pub(super) source: Option<Arc<CredentialsError>>,
}

/// Makes a provider that has read nothing yet; none where it cannot be made.
pub(super) type Anew =
    Box<dyn Fn() -> BoxFuture<'static, Option<SharedCredentialsProvider>> + Send + Sync>;

/// The identity in use, and where the next one comes from.
pub(super) struct Identities {
    provider: RwLock<SharedCredentialsProvider>,
    /// Makes the provider again; none where it always reads anew by itself.
    anew: Option<Anew>,
    /// The store refused what the provider gave: it is to be made again.
    outdated: AtomicBool,
    clock: Clock,
    current: RwLock<Option<Arc<Identity>>>,
    loading: tokio::sync::Mutex<()>,
    failed: Mutex<Option<(Instant, NoCredentials)>>,
    /// When they were last had anew because the store refused them.
    renewed_at: Mutex<Option<Instant>>,
}

impl std::fmt::Debug for Identities {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identities")
            .field("current", &self.current.read())
            .finish_non_exhaustive()
    }
}

impl Identities {
    pub(super) fn new(
        provider: SharedCredentialsProvider,
        anew: Option<Anew>,
        clock: Clock,
    ) -> Identities {
        Identities {
            provider: RwLock::new(provider),
            anew,
            outdated: AtomicBool::new(false),
            clock,
            current: RwLock::default(),
            loading: tokio::sync::Mutex::default(),
            failed: Mutex::default(),
            renewed_at: Mutex::default(),
        }
    }

    /// Whom to sign as now.
    pub(super) async fn current(&self) -> Result<Arc<Identity>, NoCredentials> {
        let current = self.current.read().clone();
        let now = self.clock.now();
        let Some(identity) = current else {
            return self.load_unless_changed(None).await;
        };
        let Some(left) = identity.expires_at.map(|end| end.duration_since(now)) else {
            return Ok(identity);
        };
        if left > RENEW_BEFORE_END {
            return Ok(identity);
        }
        if left <= SignedDuration::ZERO {
            return self.load_unless_changed(Some(&identity)).await;
        }
        // Still good: one request renews them, and a failure does no harm yet.
        match self.loading.try_lock() {
            Ok(_loading) if self.recent_failure().is_none() => match self.load().await {
                Ok(renewed) => Ok(renewed),
                Err(error) => {
                    tracing::warn!(%error, "credentials not renewed, using the old ones");
                    Ok(identity)
                }
            },
            _ => Ok(identity),
        }
    }

    /// New ones instead of `refused`, which the store called expired. The same ones where they
    /// were renewed just now: asking more often does not make them better.
    pub(super) async fn renew(
        &self,
        refused: &Arc<Identity>,
    ) -> Result<Arc<Identity>, NoCredentials> {
        let just_now = self
            .renewed_at
            .lock()
            .is_some_and(|at| at.elapsed() < RENEWAL_STANDS);
        if just_now && let Some(current) = self.current.read().clone() {
            return Ok(current);
        }
        self.outdated.store(true, Ordering::Relaxed);
        let renewed = self.load_unless_changed(Some(refused)).await?;
        *self.renewed_at.lock() = Some(Instant::now());
        Ok(renewed)
    }

    /// Has the next request load them anew.
    pub(super) fn forget(&self) {
        self.outdated.store(true, Ordering::Relaxed);
        *self.current.write() = None;
        *self.failed.lock() = None;
    }

    async fn load_unless_changed(
        &self,
        old: Option<&Arc<Identity>>,
    ) -> Result<Arc<Identity>, NoCredentials> {
        let _loading = self.loading.lock().await;
        let current = self.current.read().clone();
        let changed = match (&current, old) {
            (Some(current), Some(old)) => !Arc::ptr_eq(current, old),
            (Some(_), None) => true,
            (None, _) => false,
        };
        match current {
            Some(current) if changed => Ok(current),
            _ => match self.recent_failure() {
                Some(failure) => Err(failure),
                None => self.load().await,
            },
        }
    }

    fn recent_failure(&self) -> Option<NoCredentials> {
        let failed = self.failed.lock();
        let (at, failure) = failed.as_ref()?;
        (at.elapsed() < FAILURE_STANDS).then(|| failure.clone())
    }

    /// Only under `loading`.
    async fn load(&self) -> Result<Arc<Identity>, NoCredentials> {
        match self.ask_provider().await {
            Ok(identity) => {
                let identity = Arc::new(identity);
                *self.current.write() = Some(Arc::clone(&identity));
                *self.failed.lock() = None;
                Ok(identity)
            }
            Err(failure) => {
                *self.failed.lock() = Some((Instant::now(), failure.clone()));
                Err(failure)
            }
        }
    }

    async fn ask_provider(&self) -> Result<Identity, NoCredentials> {
        if self.outdated.swap(false, Ordering::Relaxed)
            && let Some(anew) = &self.anew
            && let Some(provider) = anew().await
        {
            *self.provider.write() = provider;
        }
        let provider = self.provider.read().clone();
        let credentials = provider.provide_credentials().await.map_err(explain)?;
        let named = provider_name(&credentials);
        let expires_at = credentials
            .expiry()
            .and_then(|end| Timestamp::try_from(end).ok());
        let credentials = StaticCredentials {
            access_key_id: credentials.access_key_id().to_owned(),
            secret_access_key: Secret::new(credentials.secret_access_key()),
            session_token: credentials.session_token().map(Secret::new),
            expires_at,
        };
        let identity = Identity::new(&credentials);
        let identity = identity.map(|identity| identity.given_by(named));
        identity.ok_or_else(|| NoCredentials {
            message: "the access key id or session token holds characters that no header can hold"
                .to_owned(),
            code: "InvalidAccessKeyId",
            fault: Fault::Invalid,
            source: None,
        })
    }
}

/// Who handed `credentials` out. The crate says it only where it prints them, without secrets.
fn provider_name(credentials: &aws_credential_types::Credentials) -> Option<String> {
    let printed = format!("{credentials:?}");
    let (_, rest) = printed.split_once("provider_name: \"")?;
    let (name, _) = rest.split_once('"')?;
    Some(name.to_owned())
}

fn explain(error: CredentialsError) -> NoCredentials {
    let (message, code, fault) = match &error {
        CredentialsError::CredentialsNotLoaded(_) => (
            "no credentials found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a \
             profile, or ask without signing"
                .to_owned(),
            NOT_FOUND_CODE,
            Fault::Denied,
        ),
        CredentialsError::ProviderTimedOut(_) => (
            "the source of credentials did not answer in time".to_owned(),
            NOT_FOUND_CODE,
            Fault::Unavailable,
        ),
        CredentialsError::InvalidConfiguration(_) => (
            format!(
                "the configuration of credentials is wrong: {}",
                causes(&error)
            ),
            NOT_FOUND_CODE,
            Fault::Invalid,
        ),
        // An SSO session that ended, a role that may not be taken on, a process that failed: new
        // credentials mend them all, sending again does not.
        other => (
            format!("credentials could not be loaded: {}", causes(other)),
            NOT_FOUND_CODE,
            Fault::Expired,
        ),
    };
    NoCredentials {
        message,
        code,
        fault,
        source: Some(Arc::new(error)),
    }
}

/// The innermost cause: the outer ones only say that there is one.
fn causes(error: &CredentialsError) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

#[cfg(test)]
mod tests;
