//! A server, and a client that does nothing by itself.

use std::net::{Ipv4Addr, SocketAddr};

use base::redact::Secret;
use base::{BucketName, Clock, tasks};
use bytes::Bytes;
use front::{Account, AnonymousAccess, Deviation, FrontOptions, Server};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use store::Model;
use store::model::ModelOptions;
use tokio::net::TcpStream;

pub(crate) const ACCESS_KEY_ID: &str = "AKIATEST";
pub(crate) const SECRET: &str = "secret/with+signs=";
pub(crate) const BUCKET: &str = "bucket";

/// A server with one bucket that anybody may use.
pub(crate) async fn open_server() -> Client {
    server_with(FrontOptions {
        anonymous: AnonymousAccess::All,
        ..FrontOptions::default()
    })
    .await
}

pub(crate) async fn deviating_server(deviation: Deviation) -> Client {
    server_with(FrontOptions {
        anonymous: AnonymousAccess::All,
        deviation,
        ..FrontOptions::default()
    })
    .await
}

pub(crate) async fn server_with(options: FrontOptions) -> Client {
    let options = FrontOptions {
        accounts: vec![Account {
            access_key_id: ACCESS_KEY_ID.to_owned(),
            secret: Secret::new(SECRET),
        }],
        ..options
    };
    // Parts of any size, so that tests need not move megabytes.
    let model_options = ModelOptions {
        part_size_min: 1,
        ..ModelOptions::default()
    };
    let model = Model::new(Clock::system(), model_options);
    model
        .create_bucket(&BucketName::new(BUCKET).unwrap())
        .unwrap();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let server = Server::bind(address, model, options).await.unwrap();
    Client { server }
}

pub(crate) struct Client {
    pub(crate) server: Server,
}

/// An answer with its body.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }

    /// The text of the first element of this name, as it stands in the XML.
    pub(crate) fn element(&self, name: &str) -> Option<&str> {
        self.elements(name).into_iter().next()
    }

    pub(crate) fn elements(&self, name: &str) -> Vec<&str> {
        let open = format!("<{name}>");
        let close = format!("</{name}>");
        let pieces = self.text().split(&open).skip(1);
        pieces
            .filter_map(|piece| piece.split(&close).next())
            .collect()
    }

    /// Asserts the status and hands the answer on.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Answer {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        self
    }
}

impl Client {
    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    pub(crate) async fn try_send(
        &self,
        method: Method,
        target: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<Answer, hyper::Error> {
        let stream = TcpStream::connect(self.address()).await.unwrap();
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tasks::spawn("test connection", connection);
        let mut request = Request::builder().method(method).uri(target);
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header("host", self.address().to_string());
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body.into())).unwrap();
        let answer = sender.send_request(request).await?;
        let (parts, body) = answer.into_parts();
        Ok(Answer {
            status: parts.status,
            headers: parts.headers,
            body: body.collect().await?.to_bytes(),
        })
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        target: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        self.try_send(method, target, headers, body).await.unwrap()
    }

    pub(crate) async fn get(&self, target: &str) -> Answer {
        self.send(Method::GET, target, &[], "").await
    }

    pub(crate) async fn put(&self, target: &str, body: impl Into<Bytes>) -> Answer {
        self.send(Method::PUT, target, &[], body).await
    }

    /// Begins an upload and answers its id.
    pub(crate) async fn begin(&self, target: &str) -> String {
        let answer = self
            .send(Method::POST, &format!("{target}?uploads"), &[], "")
            .await
            .expect(200);
        answer.element("UploadId").unwrap().to_owned()
    }
}
