//! Taking back an object that did not arrive as it was sent.
//!
//! A wrong object of the right size and a new date looks finished to everybody who comes later, to
//! the next `sync` among them, so that it must not stand.

use base::fault::Classified as _;
use base::{ETag, Fault, VersionId};
use remote::ObjectClient;
use remote::types::{DeleteObject, HeadObject};

use crate::error::Error;
use crate::location::ObjectLocation;

/// What became of an object that arrived wrong.
#[derive(Debug)]
pub(crate) struct Retracted {
    wrong: Error,
    /// Why it stays, if it does.
    stays: Option<String>,
}

impl Retracted {
    /// What was wrong, and what became of it.
    pub(crate) fn into_error(self) -> Error {
        match self.wrong {
            Error::Mismatch {
                what,
                expected,
                actual,
            } => Error::WrongStored {
                what,
                expected,
                actual,
                stays: self.stays,
            },
            wrong => wrong,
        }
    }
}

/// The wrong object that an earlier try stored at the destination, if one did: it stands there, or
/// what stood there before it is gone with it. Either is worse than why a later try came to nothing.
#[derive(Debug, Default)]
pub(crate) struct Standing(Option<Error>);

impl Standing {
    /// Takes note of the error that a try ended in. A try may end before it writes anything, so
    /// that what stood there before it stands there still.
    pub(crate) fn note(&mut self, error: Error) {
        if matches!(error, Error::WrongStored { .. }) {
            self.0 = Some(error);
        }
    }

    /// What is to be told of tries of which the last one ended in `error`.
    pub(crate) fn or(self, error: Error) -> Error {
        match self.0 {
            // What was given up is done again by whoever goes on: it is not there, and not said to be.
            Some(Error::WrongStored { stays: None, .. }) if is_cancelled(&error) => error,
            Some(wrong) => wrong,
            None => error,
        }
    }

    /// `kept`, of a last try that kept what stands there, unless that is the wrong object.
    pub(crate) fn unless_it_is<T>(self, kept: T) -> Result<T, Error> {
        match self.0 {
            Some(wrong @ Error::WrongStored { stays: Some(_), .. }) => Err(wrong),
            Some(_) | None => Ok(kept),
        }
    }
}

fn is_cancelled(error: &Error) -> bool {
    error.fault() == Fault::Cancelled
}

/// Deletes the object that was just made and is `wrong`, if it still stands.
///
/// What somebody else has written there meanwhile is left alone: the object is asked for first,
/// and its delete is conditional on its ETag, or on its version where the bucket keeps them.
pub(crate) async fn retract(
    client: &dyn ObjectClient,
    object: &ObjectLocation,
    etag: Option<&ETag>,
    version_id: Option<&VersionId>,
    wrong: Error,
) -> Retracted {
    let deleted = delete(client, object, etag, version_id).await;
    Retracted {
        wrong,
        stays: deleted.err(),
    }
}

async fn delete(
    client: &dyn ObjectClient,
    object: &ObjectLocation,
    etag: Option<&ETag>,
    version_id: Option<&VersionId>,
) -> Result<(), String> {
    let Some(etag) = etag else {
        return Err("the store gave it no ETag".to_owned());
    };
    let mut head = HeadObject::new(object.bucket.clone(), object.key.clone());
    head.version_id = version_id.cloned();
    match client.head_object(head).await {
        Ok(head) if head.etag.as_ref() == Some(etag) => {}
        Ok(_) => return Ok(()),
        Err(error) if error.fault() == Fault::NotFound => return Ok(()),
        Err(error) => return Err(error.to_string()),
    }
    let mut request = DeleteObject {
        bucket: object.bucket.clone(),
        key: object.key.clone(),
        version_id: version_id.cloned(),
        if_match: version_id.is_none().then(|| etag.clone()),
    };
    let mut answer = client.delete_object(request.clone()).await;
    if answer
        .as_ref()
        .is_err_and(|error| error.fault() == Fault::Unsupported)
    {
        request.if_match = None;
        answer = client.delete_object(request).await;
    }
    match answer {
        Ok(_) => Ok(()),
        // Gone, or somebody else's by now.
        Err(error) if matches!(error.fault(), Fault::NotFound | Fault::Conflict) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}
