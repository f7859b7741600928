//! What every transfer of a job shares, and what it comes to.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use base::{ByteCount, ETag, VersionId};
use remote::ObjectClient;

use crate::accounts::Accounts;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::event::{Event, Loss, SkipReason, Verified};
use crate::landing::Folders;
use crate::pin::FilePin;
use crate::transfer::multipart::Finished;

/// How long what is under way may go on after the first interrupt.
/// Reason: people wait a few seconds before they press Ctrl-C again.
const GRACE: Duration = Duration::from_secs(2);

/// What the transfers of one engine share.
#[derive(Debug)]
pub(crate) struct Scope {
    pub(crate) context: Context,
    pub(crate) accounts: Arc<Accounts>,
    pub(crate) folders: Arc<Folders>,
}

/// How a transfer ended that did not fail.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "one an object under way; a box would be an allocation for each"
)]
pub(crate) enum Carried {
    /// The bytes stand at the destination.
    Arrived(Arrived),
    /// Something stands there already and is kept.
    Kept(SkipReason),
}

/// What stands at a destination.
#[derive(Debug)]
pub(crate) struct Arrived {
    pub(crate) size: ByteCount,
    pub(crate) source_etag: Option<ETag>,
    pub(crate) source_version: Option<VersionId>,
    /// What a local source was when it was read.
    pub(crate) source_pin: Option<FilePin>,
    pub(crate) destination_etag: Option<ETag>,
    pub(crate) destination_version: Option<VersionId>,
    pub(crate) verified: Verified,
    pub(crate) tries: u32,
    /// What of the source's attributes did not go along.
    pub(crate) lost: Vec<Loss>,
    /// Its upload's place in the journal, where it came in parts.
    pub(crate) finished: Option<Finished>,
}

impl Scope {
    pub(crate) fn new(context: Context, accounts: Arc<Accounts>) -> Scope {
        Scope {
            context,
            accounts,
            folders: Arc::new(Folders::default()),
        }
    }

    pub(crate) fn source(&self) -> &dyn ObjectClient {
        &*self.context.source
    }

    pub(crate) fn destination(&self) -> &dyn ObjectClient {
        &*self.context.destination
    }

    /// Counts bytes that were sent or received.
    pub(crate) fn moved(&self, bytes: u64) {
        self.accounts.bytes_moved.add(bytes);
    }

    pub(crate) fn warn(&self, message: &str) {
        self.context.observer.on_event(&Event::Warning { message });
    }

    /// Runs `work` to its end, or drops it when the run has been stopping for too long.
    pub(crate) async fn within_grace<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            biased;
            result = work => result,
            () = self.grace_over() => Err(Error::Cancelled),
        }
    }

    /// Ends once the run has been stopping for as long as what is under way may go on.
    pub(crate) async fn grace_over(&self) {
        self.context.stopping.cancelled().await;
        tokio::time::sleep(GRACE).await;
    }
}
