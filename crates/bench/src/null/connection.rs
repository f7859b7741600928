//! One connection: requests read, bodies swallowed, answers written, one after the other.

use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use bytes::{Buf as _, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::answer::{Answer, Refusal};
use super::body::{Intake, Swallowed};
use super::counters::Counters;
use super::faults::{Faults, Trouble};
use super::pace::Pace;
use super::request::Request;
use super::route::{Store, is_order, operation_of};

/// Read at once while a request begins.
const HEAD_READ_BYTES: usize = 32 * 1024;

/// Read at once of a long body: few system calls, and still in the processor's cache.
const BODY_READ_BYTES: usize = 256 * 1024;

/// Longest head of a request.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// The bucket's place in the path of those who drive the endpoint.
const DRIVER: &str = "-";

pub(super) struct Connection<S> {
    stream: S,
    store: Arc<Store>,
    pace: Arc<Pace>,
    faults: Arc<Faults>,
    /// What has been read and not used.
    input: BytesMut,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    pub(super) fn new(
        stream: S,
        store: Arc<Store>,
        pace: Arc<Pace>,
        faults: Arc<Faults>,
    ) -> Connection<S> {
        Connection {
            stream,
            store,
            pace,
            faults,
            input: BytesMut::with_capacity(HEAD_READ_BYTES),
        }
    }

    /// Answers until the peer ends the connection.
    pub(super) async fn serve(mut self) -> Result<()> {
        while let Some(request) = self.read_request().await? {
            let answer = if request.bucket == DRIVER {
                self.store.answer_driver(&request)
            } else {
                self.answer(&request).await?
            };
            self.write(answer, request.close).await?;
            if request.close {
                break;
            }
        }
        self.stream.shutdown().await.context("end the connection")
    }

    async fn read_request(&mut self) -> Result<Option<Request>> {
        loop {
            if !self.input.is_empty()
                && let Some((request, length)) = Request::parse(&self.input)?
            {
                self.input.advance(length);
                return Ok(Some(request));
            }
            if self.input.len() > HEAD_BYTES_MAX {
                bail!("a head of more than {HEAD_BYTES_MAX} bytes");
            }
            if self.read(HEAD_READ_BYTES).await? == 0 {
                return Ok(None);
            }
        }
    }

    async fn read(&mut self, bytes: usize) -> Result<usize> {
        self.input.reserve(bytes);
        let read = self.stream.read_buf(&mut self.input).await;
        let read = read.context("read")?;
        self.store.counters.received(read);
        self.pace.carry(read).await;
        Ok(read)
    }

    async fn answer(&mut self, request: &Request) -> Result<Answer> {
        let operation = operation_of(request);
        self.store.counters.asked(operation);
        let body = if request.has_body() {
            self.swallow(request, is_order(operation)).await?
        } else {
            let (crc64, md5) = self.store.hashes();
            Intake::new(request, false, crc64, md5).finish()
        };
        if !self.pace.admits() {
            self.store.counters.slowed_down();
            self.pace.wire().await;
            return Ok(Answer::from(Refusal::SLOW_DOWN));
        }
        self.pace.answer().await;
        Ok(self.store.answer(operation, request, body))
    }

    async fn swallow(&mut self, request: &Request, keep: bool) -> Result<Swallowed> {
        let (crc64, md5) = self.store.hashes();
        let mut intake = Intake::new(request, keep, crc64, md5);
        if request.expects_continue && self.input.is_empty() {
            let go_on = b"HTTP/1.1 100 Continue\r\n\r\n";
            self.stream.write_all(go_on).await.context("say continue")?;
            self.stream.flush().await.context("say continue")?;
        }
        loop {
            let taken = intake.feed(&self.input)?;
            self.input.advance(taken);
            if intake.is_done() {
                return Ok(intake.finish());
            }
            if self.read(BODY_READ_BYTES).await? == 0 {
                bail!("the connection ended within a body");
            }
        }
    }

    async fn write(&mut self, answer: Answer, close: bool) -> Result<()> {
        let (head, rest) = answer.into_wire(close);
        let trouble = match rest {
            Some(_) => self.faults.next(),
            None => Trouble::None,
        };
        let mut slices = rest.into_iter().flatten();
        let mut first = slices.next().unwrap_or_default();
        match trouble {
            Trouble::None => {}
            Trouble::Corrupt => first = with_wrong_byte(&first),
            Trouble::Cut => {
                let half = first.slice(..first.len() / 2);
                self.write_pieces(Bytes::from(head), half).await?;
                self.stream.flush().await.context("flush")?;
                bail!("cut on purpose");
            }
        }
        self.write_pieces(Bytes::from(head), first).await?;
        for slice in slices {
            self.write_pieces(slice, Bytes::new()).await?;
        }
        self.stream.flush().await.context("flush")
    }

    /// Both in one system call where that goes.
    async fn write_pieces(&mut self, first: Bytes, second: Bytes) -> Result<()> {
        let length = first.len() + second.len();
        self.pace.carry(length).await;
        let mut both = first.chain(second);
        let written = self.stream.write_all_buf(&mut both).await;
        written.context("write")?;
        self.store.counters.sent(length);
        Ok(())
    }
}

fn with_wrong_byte(bytes: &Bytes) -> Bytes {
    let mut wrong = bytes.to_vec();
    if let Some(last) = wrong.last_mut() {
        *last = !*last;
    }
    Bytes::from(wrong)
}

/// Counts a connection as open while it lives.
pub(super) struct Open(Arc<Counters>);

impl Open {
    pub(super) fn new(counters: Arc<Counters>) -> Open {
        counters.connected();
        Open(counters)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.disconnected();
    }
}
