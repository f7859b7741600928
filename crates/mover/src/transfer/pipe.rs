//! A stream of unknown length into an object.

use tokio::io::AsyncRead;

use crate::context::Context;
use crate::error::{Error, Result};
use crate::event::Moved;
use crate::location::ObjectLocation;
use crate::options::TransferOptions;

/// How a pipe ended.
#[derive(Debug, Clone)]
pub enum Piped {
    /// The object stands.
    Arrived(Moved),
    /// Something was there already, and `no_clobber` keeps it. Nothing was read.
    Exists,
}

/// Reads `reader` to its end into `destination`: one PUT when it is short, parts when it is long.
/// The source of what arrived is the path `-`. With `no_clobber`, what is there is kept.
pub async fn pipe(
    context: &Context,
    reader: impl AsyncRead + Unpin + Send,
    destination: &ObjectLocation,
    options: &TransferOptions,
    no_clobber: bool,
) -> Result<Piped> {
    let _ = (context, reader, destination, options, no_clobber);
    Err(Error::Refused("pipe follows".to_owned()))
}
