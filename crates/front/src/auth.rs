//! Who may ask: accounts by access key, and what nobody in particular may do.

use base::redact::Secret;
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::{S3Result, s3_error};

/// An access key with its secret. All accounts own all buckets.
#[derive(Debug, Clone)]
pub struct Account {
    /// The access key's id.
    pub access_key_id: String,
    /// The secret that signs.
    pub secret: Secret,
}

/// What requests without a signature may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AnonymousAccess {
    /// Nothing.
    #[default]
    Deny,
    /// Read objects, list, ask for buckets.
    Read,
    /// Everything.
    All,
}

/// Checks signatures and rights.
#[derive(Debug, Clone)]
pub(crate) struct Guard {
    pub(crate) accounts: Vec<Account>,
    pub(crate) anonymous: AnonymousAccess,
}

#[async_trait::async_trait]
impl S3Auth for Guard {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        let account = self
            .accounts
            .iter()
            .find(|account| account.access_key_id == access_key);
        match account {
            Some(account) => Ok(SecretKey::from(account.secret.expose())),
            None => Err(s3_error!(
                InvalidAccessKeyId,
                "The AWS Access Key Id you provided does not exist in our records."
            )),
        }
    }
}

#[async_trait::async_trait]
impl S3Access for Guard {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        let reads = || {
            let name = context.s3_op().name();
            name.starts_with("Get") || name.starts_with("Head") || name.starts_with("ListObject")
        };
        let allowed = context.credentials().is_some()
            || match self.anonymous {
                AnonymousAccess::Deny => false,
                AnonymousAccess::Read => reads(),
                AnonymousAccess::All => true,
            };
        if allowed {
            Ok(())
        } else {
            Err(s3_error!(AccessDenied, "Access Denied"))
        }
    }
}
