//! What every request passes before and behind s3s: ids, counters, and failures on purpose.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use base::Clock;
use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use s3s::service::S3Service;
use s3s::{Body, StdError};
use tracing::instrument::WithSubscriber as _;
use tracing::subscriber::NoSubscriber;

use crate::answer::{self, RequestId};
use crate::counters::Counters;
use crate::deviation::{Action, Deviation, Refusal};
use crate::lent_body::{LentBody, Remainder, drain};
use crate::operation::Operation;
use crate::virtual_host::Domain;

/// The connection is to end without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection was cut on purpose")]
pub(crate) struct Cut;

/// One server's gate, shared by its connections.
pub(crate) struct Gate {
    pub(crate) service: S3Service,
    pub(crate) counters: Counters,
    pub(crate) deviation: Deviation,
    pub(crate) clock: Clock,
    pub(crate) domain: Option<Domain>,
}

impl Gate {
    /// Answers a request.
    ///
    /// # Errors
    /// `Cut` when the connection is to end without an answer.
    pub(crate) async fn handle(&self, request: Request<Incoming>) -> Result<Response<Body>, Cut> {
        let id = self.request_id();
        let operation = Operation::of(
            request.method(),
            request.uri(),
            request.headers(),
            self.bucket_in_host(&request),
        );
        self.counters.request(operation);
        let action = self
            .deviation
            .disturbances
            .strike(operation, request.method(), request.uri());
        let limited = self.deviation.rate_max.as_ref();
        let action = match limited.is_some_and(|limit| !limit.lets_through()) {
            true => Some(Action::Answer(Refusal::slow_down(None))),
            false => action,
        };
        if !self.deviation.latency.is_zero() {
            tokio::time::sleep(self.deviation.latency).await;
        }
        match &action {
            Some(Action::DropRequest) => return Err(Cut),
            Some(Action::Answer(refusal)) => {
                drain(request.into_body()).await;
                return Ok(answer::finish(answer::refusal(refusal), &id));
            }
            Some(Action::ErrorInOk { code }) => {
                drain(request.into_body()).await;
                let refusal = Refusal::new(StatusCode::OK, code);
                return Ok(answer::finish(answer::refusal(&refusal), &id));
            }
            Some(
                Action::CutBody { .. }
                | Action::LoseAnswer
                | Action::Delay(_)
                | Action::StallBody { .. }
                | Action::CorruptBody { .. },
            )
            | None => {}
        }
        let waits_to_be_asked = request.headers().contains_key(http::header::EXPECT);
        let (request, remainder) = lend_body(request);
        // s3s logs every refusal as an error, client's mistakes too: what a person must look at is
        // said here instead.
        let answered = self.service.call(request);
        let response = match answered.with_subscriber(NoSubscriber::new()).await {
            Ok(response) => {
                if response.status() == StatusCode::INTERNAL_SERVER_ERROR {
                    tracing::error!(?operation, request_id = id.request_id, "request failed");
                }
                answer::finish(response, &id)
            }
            Err(error) => {
                let error = StdError::from(error);
                tracing::error!(
                    ?operation,
                    request_id = id.request_id,
                    error = &*error,
                    "request could not be answered"
                );
                let refusal = Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalError");
                answer::finish(answer::refusal(&refusal), &id)
            }
        };
        if let Some(remainder) = remainder.filter(|_| !waits_to_be_asked) {
            remainder.drain().await;
        }
        match action {
            Some(Action::LoseAnswer) => Err(Cut),
            Some(Action::Delay(duration)) => {
                tokio::time::sleep(duration).await;
                Ok(response)
            }
            Some(Action::CutBody { after_bytes }) => {
                Ok(damaged(response, after_bytes, Damage::Cut))
            }
            Some(Action::StallBody { after_bytes }) => {
                Ok(damaged(response, after_bytes, Damage::Stall))
            }
            Some(Action::CorruptBody { at_byte }) => {
                Ok(damaged(response, at_byte, Damage::WrongByte))
            }
            Some(Action::DropRequest | Action::Answer(_) | Action::ErrorInOk { .. }) | None => {
                Ok(response)
            }
        }
    }

    fn bucket_in_host<B>(&self, request: &Request<B>) -> bool {
        let host = request.headers().get(http::header::HOST);
        let host = host.and_then(|host| host.to_str().ok());
        match (&self.domain, host) {
            (Some(domain), Some(host)) => domain.bucket(host).is_some(),
            (None, _) | (_, None) => false,
        }
    }

    fn request_id(&self) -> RequestId {
        let random = || format!("{:016X}", self.clock.random_u64());
        RequestId {
            request_id: random(),
            host_id: format!("{}{}", random(), random()),
        }
    }
}

/// Lends the body to whoever answers the request, if there is one.
fn lend_body(request: Request<Incoming>) -> (Request<Body>, Option<Remainder>) {
    let (parts, body) = request.into_parts();
    if body.is_end_stream() {
        return (Request::from_parts(parts, Body::empty()), None);
    }
    let (lent, remainder) = LentBody::new(body);
    let request = Request::from_parts(parts, Body::http_body(lent));
    (request, Some(remainder))
}

/// What happens to a body at a byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Damage {
    /// It ends, and the connection with it.
    Cut,
    /// Nothing more comes.
    Stall,
    /// The byte is another.
    WrongByte,
}

/// The response with its body damaged at a byte.
fn damaged(response: Response<Body>, at_byte: u64, damage: Damage) -> Response<Body> {
    let (mut parts, body) = response.into_parts();
    // The length is promised in full: only then does the reader know that something is missing.
    if let Some(length) = body.size_hint().exact() {
        parts
            .headers
            .insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    let damaged = Damaged {
        body,
        until: at_byte,
        damage,
    };
    Response::from_parts(parts, Body::http_body_unsync(damaged))
}

/// A body that goes wrong at a byte.
struct Damaged {
    body: Body,
    /// So many bytes are still right.
    until: u64,
    /// What happens then.
    damage: Damage,
}

impl http_body::Body for Damaged {
    type Data = Bytes;
    type Error = StdError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, StdError>>> {
        match self.damage {
            Damage::Cut if self.until == 0 => {
                return Poll::Ready(Some(Err(Box::new(io::Error::other(Cut)))));
            }
            // Nobody wakes this task again but the end of its connection.
            Damage::Stall if self.until == 0 => return Poll::Pending,
            Damage::Cut | Damage::Stall | Damage::WrongByte => {}
        }
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        let data = match frame {
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => data,
                Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
            },
            other => return Poll::Ready(other),
        };
        let place = usize::try_from(self.until).unwrap_or(usize::MAX);
        if place >= data.len() {
            self.until -= data.len() as u64;
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        if self.damage != Damage::WrongByte {
            self.until = 0;
            return Poll::Ready(Some(Ok(Frame::data(data.slice(..place)))));
        }
        self.until = u64::MAX;
        let mut wrong = data.to_vec();
        wrong[place] ^= 0xff;
        Poll::Ready(Some(Ok(Frame::data(wrong.into()))))
    }

    fn is_end_stream(&self) -> bool {
        self.damage == Damage::WrongByte && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
