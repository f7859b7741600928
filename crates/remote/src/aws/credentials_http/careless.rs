//! The client that `--no-verify-ssl` asks for: any certificate will do. AWS's own has no such
//! choice, so requests go over connections like those to the store.

use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use bytes::Bytes;
use http::header;
use http_body_util::{BodyExt as _, Limited};

use super::super::authority::Authority;
use super::super::connection::Patience;
use super::super::counters::RequestCounters;
use super::super::dial::{DialError, Dialer};
use super::super::options::{AwsOptions, Timeouts};
use super::super::pool::{Pool, PoolLimits, RouteKey};
use super::super::proxy::ProxySettings;
use super::super::traffic::Traffic;
use super::super::upload::Upload;
use crate::payload::Payload;

/// Most bytes of an answer that are read: credentials fit into a few thousand. A guess with room.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// Sends one request a connection: credentials are asked for once an hour or so.
#[derive(Debug, Clone)]
struct Careless {
    pool: Arc<Pool>,
    proxies: ProxySettings,
    patience: Duration,
}

/// A client that believes every certificate.
pub(in super::super) fn believing(options: &AwsOptions) -> SharedHttpClient {
    let (tls_options, proxies) = (options.tls.clone(), options.proxies.clone());
    let timeouts = options.timeouts.clone();
    http_client_fn(move |settings, _| {
        let Timeouts {
            connect,
            stall,
            idle,
            resolve_again,
            ..
        } = timeouts;
        let dialer = Dialer {
            tls_options: tls_options.clone(),
            tls_config: parking_lot::Mutex::default(),
            tcp_congestion: None,
            // Whoever asks an instance for its role wants to know soon that there is none.
            connect_timeout: settings.connect_timeout().unwrap_or(connect),
            counters: RequestCounters::default(),
        };
        let limits = PoolLimits {
            idle_connections_max: 0,
            idle,
            resolve_again,
        };
        SharedHttpConnector::new(Careless {
            pool: Arc::new(Pool::new(dialer, limits)),
            proxies: proxies.clone(),
            patience: settings.read_timeout().unwrap_or(stall),
        })
    })
}

impl HttpConnector for Careless {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.clone();
        HttpConnectorFuture::new(async move { client.exchange(request).await })
    }
}

impl Careless {
    async fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let uri: http::Uri = request.uri().parse().map_err(user)?;
        let scheme = uri.scheme_str().unwrap_or("https");
        let host = uri.authority().map_or("", |authority| authority.as_str());
        let (authority, _) = Authority::parse(&format!("{scheme}://{host}")).map_err(user)?;
        // What answers without TLS is on this machine or beside it.
        let proxy = if authority.tls {
            let chosen = self.proxies.choose(true, &authority.host, authority.port);
            chosen.map_err(user)?
        } else {
            None
        };
        let body = request.body().bytes().map(Bytes::copy_from_slice);
        let body = body.ok_or_else(|| user("a body that is not in memory"))?;
        let upload = Upload::new(&Payload::from_bytes(body), &Traffic::default());
        let state = upload.state();
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let mut message = http::Request::builder()
            .method(request.method())
            .uri(path)
            .header(header::HOST, authority.host_and_port());
        for (name, value) in request.headers() {
            if !name.eq_ignore_ascii_case("host") {
                message = message.header(name, value);
            }
        }
        let message = message.body(upload).map_err(user)?;
        let route = self.pool.route(RouteKey { authority, proxy });
        let mut connection = route.fresh_connection().await.map_err(not_connected)?;
        let patience = Patience {
            first_byte: self.patience,
            stall: self.patience,
        };
        let answered = connection.exchange(message, &state, patience).await;
        let (head, incoming) = answered.map_err(io)?.into_parts();
        let collecting = Limited::new(incoming, ANSWER_BYTES_MAX).collect();
        let collected = tokio::time::timeout(self.patience, collecting).await;
        let body = collected
            .map_err(|late| ConnectorError::timeout(late.into()))?
            .map_err(ConnectorError::io)?
            .to_bytes();
        let status = head.status.as_u16().try_into().map_err(user)?;
        let mut response = HttpResponse::new(status, body.into());
        for (name, value) in &head.headers {
            if let Ok(value) = value.to_str() {
                let (name, value) = (name.as_str().to_owned(), value.to_owned());
                response.headers_mut().append(name, value);
            }
        }
        Ok(response)
    }
}

fn user(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ConnectorError {
    ConnectorError::user(cause.into())
}

fn io(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ConnectorError {
    ConnectorError::io(cause.into())
}

fn not_connected(error: DialError) -> ConnectorError {
    match error {
        DialError::TimedOut { .. } => ConnectorError::timeout(error.into()),
        other => io(other),
    }
}
