//! An object's bytes, in order, to a writer.

use base::ByteCount;
use tokio::io::AsyncWrite;

use crate::context::Context;
use crate::error::{Error, Result};
use crate::event::Verified;
use crate::location::ObjectLocation;
use crate::options::TransferOptions;

/// An object that was written out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatReport {
    /// Bytes written.
    pub size: ByteCount,
    /// How they were checked.
    pub verified: Verified,
}

/// Writes `object` to `writer` in order, with parts fetched ahead under the context's memory.
///
/// What has been written cannot be taken back: when the check at the end fails, the error says
/// that the bytes already written are wrong.
pub async fn cat(
    context: &Context,
    object: &ObjectLocation,
    options: &TransferOptions,
    writer: impl AsyncWrite + Unpin + Send,
) -> Result<CatReport> {
    let _ = (context, object, options, writer);
    Err(Error::Refused("cat follows".to_owned()))
}
