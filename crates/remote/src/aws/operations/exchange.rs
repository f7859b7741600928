//! One request and the reading of its answer.

use base::{Fault, Key};
use http::{HeaderName, HeaderValue};

use crate::aws::AwsClient;
use crate::aws::request::Request;
use crate::aws::response::Response;
use crate::aws::xml::InvalidXml;
use crate::error::{Error, Result};

/// Sends `request` and reads the answer.
pub(super) async fn exchange<T>(
    client: &AwsClient,
    request: Request,
    read: impl FnOnce(Response) -> std::result::Result<T, InvalidXml>,
) -> Result<T> {
    let operation = request.operation;
    let bucket = request.bucket.clone();
    let key = request.key.clone();
    let response = client.send(request).await?;
    let status = response.status.as_u16();
    let request_id = response.header("x-amz-request-id").map(str::to_owned);
    let host_id = response.header("x-amz-id-2").map(str::to_owned);
    read(response).map_err(|invalid| {
        let fault = match invalid {
            // The rest may come another time.
            InvalidXml::Truncated => Fault::Unavailable,
            InvalidXml::NotUtf8 { .. }
            | InvalidXml::Malformed { .. }
            | InvalidXml::Root { .. }
            | InvalidXml::Entity(_)
            | InvalidXml::Missing(_)
            | InvalidXml::Number { .. }
            | InvalidXml::Word { .. }
            | InvalidXml::Encoding(_)
            | InvalidXml::Key(_)
            | InvalidXml::NoToken => Fault::Invalid,
        };
        Error::new(operation, fault, "the store's answer cannot be read")
            .about(
                bucket.as_ref().map(|bucket| bucket.as_str()),
                key.as_ref().map(Key::as_str),
            )
            .with_status(status)
            .with_request_ids(request_id, host_id)
            .with_source(invalid)
    })
}

/// Adds a header, as UTF-8 where it is not ASCII.
pub(super) fn set(request: &mut Request, name: &'static str, value: &str) -> Result<()> {
    set_named(request, HeaderName::from_static(name), value)
}

/// Adds a header whose name was made at run time.
pub(super) fn set_named(request: &mut Request, name: HeaderName, value: &str) -> Result<()> {
    match HeaderValue::from_bytes(value.as_bytes()) {
        Ok(value) => {
            request.headers.insert(name, value);
            Ok(())
        }
        Err(_) => {
            let message = format!("the header {name} cannot carry {value:?}");
            Err(request.error(Fault::Invalid, message))
        }
    }
}
