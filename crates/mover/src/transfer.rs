//! Bytes from one place to another: what one object's move does.

mod adopt;
mod baggage;
pub mod cat;
mod copy;
mod download;
mod fetch;
mod landing_site;
mod multipart;
pub mod pipe;
mod put;
mod relay;
mod resume;
mod retract;
pub(crate) mod scope;
mod small;
mod upload;

pub use cat::cat;
pub use multipart::abort_upload;
pub use pipe::pipe;

use base::Fault;
use base::fault::Classified as _;
use remote::types::PutCondition;

use crate::engine::Move;
use crate::error::{Error, Result};
use crate::location::{Location, ObjectLocation};
use crate::route::Route;
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
            between(scope, task, from, to, condition).await
        }
        // s5cmd's words.
        (Location::Local(_), Location::Local(_)) => Err(Error::Usage(
            "local->local copy operations are not permitted".to_owned(),
        )),
    }
}

/// Copies inside the store where that can be, else relays. An object whose copy is denied is
/// relayed; once that succeeds, so are all others of its pair of buckets, which is said.
async fn between(
    scope: &Scope,
    task: &Move,
    from: &ObjectLocation,
    to: &ObjectLocation,
    condition: PutCondition,
) -> Result<Carried> {
    let routes = &scope.context.routes;
    let (here, there) = (scope.source().endpoint(), scope.destination().endpoint());
    let route = routes.choose((&here, &from.bucket), (&there, &to.bucket));
    if route == Route::Relay {
        return relay::relay(scope, task, from, to, condition).await;
    }
    let denied = match copy::copy(scope, task, from, to, condition.clone()).await {
        Err(error) if relay::may_pass(&error) => error,
        result => return result,
    };
    if !is_worth_a_relay(scope, to, &denied).await {
        return Err(denied);
    }
    let carried = relay::relay(scope, task, from, to, condition).await?;
    if matches!(carried, Carried::Arrived(_)) && routes.learn_relay(&from.bucket, &to.bucket) {
        scope.warn(&format!(
            "s3://{} is not copied to s3://{} inside the store ({denied}); \
             its objects are relayed through this machine",
            from.bucket, to.bucket
        ));
    }
    Ok(carried)
}

/// Whether what the store's copy did not find can be found by a relay at all: not with the same
/// client, nor into a bucket that is not there.
async fn is_worth_a_relay(scope: &Scope, to: &ObjectLocation, denied: &Error) -> bool {
    if denied.fault() != Fault::NotFound {
        return true;
    }
    let context = &scope.context;
    if std::sync::Arc::ptr_eq(&context.source, &context.destination) {
        return false;
    }
    let is_no_bucket = matches!(denied, Error::Remote(error) if error.is_code("NoSuchBucket"));
    !is_no_bucket
        || scope
            .destination()
            .head_bucket(to.bucket.clone())
            .await
            .is_ok()
}
