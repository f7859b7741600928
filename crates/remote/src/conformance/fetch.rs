//! A fetch of a URL over plain HTTP, independent of the client under test.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Uri, header};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::bench::Verdict;

/// Longest that one fetch may take. A guess: servers under test are near.
const FETCH_MAX: Duration = Duration::from_secs(30);

/// Status and body of the answer.
pub(super) async fn fetch(method: &str, url: &str, body: Bytes) -> Verdict<(u16, Bytes)> {
    match tokio::time::timeout(FETCH_MAX, exchange(method, url, body)).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(format!("fetch: {error}").into()),
        Err(_) => Err("fetch: no answer in time".into()),
    }
}

async fn exchange(
    method: &str,
    url: &str,
    body: Bytes,
) -> Result<(u16, Bytes), Box<dyn std::error::Error + Send + Sync>> {
    let uri: Uri = url.parse()?;
    if uri.scheme_str() != Some("http") {
        return Err("the suite fetches over plain HTTP only".into());
    }
    let authority = uri.authority().ok_or("a URL without a host")?.clone();
    let port = authority.port_u16().unwrap_or(80);
    let host = authority.host().trim_matches(['[', ']']);
    let stream = TcpStream::connect((host, port)).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let connection = base::tasks::spawn("conformance fetch", connection);
    let path = uri.path_and_query().ok_or("a URL without a path")?.as_str();
    let request = Request::builder()
        .method(Method::from_bytes(method.as_bytes())?)
        .uri(path)
        .header(header::HOST, authority.as_str())
        .body(Full::new(body))?;
    let response = sender.send_request(request).await?;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await?.to_bytes();
    connection.abort();
    Ok((status, body))
}
