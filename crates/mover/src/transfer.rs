//! Bytes from one place to another: what one object's move does.

pub mod cat;
mod copy;
mod download;
mod fetch;
mod multipart;
pub mod pipe;
mod put;
mod resume;
pub(crate) mod scope;
mod small;
mod upload;

pub use cat::cat;
pub use pipe::pipe;

use remote::types::PutCondition;

use crate::engine::Move;
use crate::error::{Error, Result};
use crate::location::Location;
use crate::transfer::scope::{Carried, Scope};

/// Carries one object to its destination and checks it there. With `keep`, what has appeared at
/// the destination meanwhile is kept where the store or file system can tell in the same step.
pub(crate) async fn carry(scope: &Scope, task: &Move, keep: bool) -> Result<Carried> {
    let condition = if keep {
        PutCondition::Absent
    } else {
        PutCondition::None
    };
    match (&task.source.location, &task.destination) {
        (Location::Local(path), Location::Remote(object)) => {
            upload::upload(scope, task, path, object, condition).await
        }
        (Location::Remote(object), Location::Local(path)) => {
            download::download(scope, task, object, path, keep).await
        }
        (Location::Remote(from), Location::Remote(to)) => {
            copy::copy(scope, task, from, to, condition).await
        }
        // s5cmd's words.
        (Location::Local(_), Location::Local(_)) => Err(Error::Usage(
            "local->local copy operations are not permitted".to_owned(),
        )),
    }
}
