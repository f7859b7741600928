//! Whom requests are signed as.

use std::fmt;

use base::redact::Secret;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::HeaderValue;
use jiff::Timestamp;
use parking_lot::Mutex;
use sha2::Sha256;

use super::options::StaticCredentials;

pub(super) type HmacSha256 = Hmac<Sha256>;

/// Signing keys kept beside their secret: one for each of the days and regions in use. A client
/// meets a handful of regions and one midnight.
const SIGNING_KEYS_MAX: usize = 8;

/// Credentials at one moment, with the signing keys made from them so far.
pub(super) struct Identity {
    pub(super) access_key_id: String,
    secret: Secret,
    /// `x-amz-security-token`, marked as sensitive.
    pub(super) session_token: Option<HeaderValue>,
    /// When they end, as far as is known.
    pub(super) expires_at: Option<Timestamp>,
    /// Who handed them out.
    pub(super) provider: Option<String>,
    signing_keys: Mutex<Vec<SigningKey>>,
}

struct SigningKey {
    date: String,
    region: String,
    key: HmacSha256,
}

impl Identity {
    /// None where the key id or the session token could never stand in a header.
    pub(super) fn new(credentials: &StaticCredentials) -> Option<Identity> {
        let visible = |byte: u8| byte.is_ascii_graphic();
        if !credentials.access_key_id.bytes().all(visible) {
            return None;
        }
        let session_token = match &credentials.session_token {
            Some(token) => {
                let mut value = HeaderValue::from_str(token.expose()).ok()?;
                value.set_sensitive(true);
                Some(value)
            }
            None => None,
        };
        Some(Identity {
            access_key_id: credentials.access_key_id.clone(),
            secret: credentials.secret_access_key.clone(),
            session_token,
            expires_at: credentials.expires_at,
            provider: None,
            signing_keys: Mutex::new(Vec::new()),
        })
    }

    /// With the name of who handed them out.
    pub(super) fn given_by(mut self, provider: Option<String>) -> Identity {
        self.provider = provider;
        self
    }

    /// The keyed MAC for a day (`YYYYMMDD`) and region, from the few kept or made anew.
    pub(super) fn signing_key(&self, date: &str, region: &str) -> HmacSha256 {
        let mut keys = self.signing_keys.lock();
        if let Some(found) = keys
            .iter()
            .find(|key| key.date == date && key.region == region)
        {
            return found.key.clone();
        }
        let key = derive(self.secret.expose(), date, region);
        if keys.len() == SIGNING_KEYS_MAX {
            keys.remove(0);
        }
        keys.push(SigningKey {
            date: date.to_owned(),
            region: region.to_owned(),
            key: key.clone(),
        });
        key
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("access_key_id", &self.access_key_id)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// Source: AWS IAM user guide, "Derive the signing key" (read 2026-11).
fn derive(secret: &str, date: &str, region: &str) -> HmacSha256 {
    let mut key = mac(format!("AWS4{secret}").as_bytes());
    for step in [date, region, "s3", "aws4_request"] {
        key.update(step.as_bytes());
        key = mac(&key.finalize().into_bytes());
    }
    key
}

fn mac(key: &[u8]) -> HmacSha256 {
    HmacSha256::new_from_slice(key).expect("HMAC takes keys of any length")
}
