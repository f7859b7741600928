//! How a server may differ from S3, or fail, on purpose: for tests of clients.

use std::sync::Arc;
use std::time::Duration;

use http::{Method, StatusCode, Uri};
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::operation::Operation;

/// Lasting differences from S3. None by default.
#[derive(Debug, Clone, Default)]
pub struct Deviation {
    /// Most entries of a page of a listing, whatever the request asks.
    pub page_size_max: Option<usize>,
    /// How checksums beyond `Content-MD5` are met.
    pub checksums: ChecksumSupport,
    /// ListObjectsV2 begins at the beginning, whatever `start-after` says.
    pub ignore_start_after: bool,
    /// Listings come in an order of their own, as those of directory buckets; `start-after` is
    /// not known there.
    pub unordered_listings: bool,
    /// `encoding-type` is not known: keys come as they are.
    pub ignore_encoding_type: bool,
    /// Every answer waits so long.
    pub latency: Duration,
    /// Requests beyond so many are answered `SlowDown`.
    pub rate_max: Option<RateMax>,
    /// Single failures.
    pub disturbances: Disturbances,
}

/// A bound on the requests of a second; clones share it. Allows a tenth of a second's at once.
#[derive(Debug, Clone)]
pub struct RateMax {
    per_second: f64,
    bucket: Arc<Mutex<Bucket>>,
}

#[derive(Debug)]
struct Bucket {
    allowed: f64,
    filled_at: Instant,
    refused: u64,
}

impl RateMax {
    /// At most so many.
    pub fn per_second(rate: f64) -> RateMax {
        RateMax {
            per_second: rate,
            bucket: Arc::new(Mutex::new(Bucket {
                allowed: 1.0,
                filled_at: Instant::now(),
                refused: 0,
            })),
        }
    }

    /// How many were refused so far.
    pub fn refused(&self) -> u64 {
        self.bucket.lock().refused
    }

    /// Whether one more is let through now.
    pub(crate) fn lets_through(&self) -> bool {
        let mut bucket = self.bucket.lock();
        let now = Instant::now();
        let passed = now.duration_since(bucket.filled_at).as_secs_f64();
        let burst = (self.per_second / 10.0).max(1.0);
        bucket.filled_at = now;
        bucket.allowed = (bucket.allowed + passed * self.per_second).min(burst);
        let lets_through = bucket.allowed >= 1.0;
        if lets_through {
            bucket.allowed -= 1.0;
        } else {
            bucket.refused += 1;
        }
        lets_through
    }
}

/// How a store meets checksum headers and trailers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ChecksumSupport {
    /// As S3.
    #[default]
    Full,
    /// Not known: passed over in requests, absent from answers.
    Ignored,
    /// Requests that carry some are answered `NotImplemented`.
    Refused,
}

/// Failures still to come. Clones share the list, so a test adds some while the server runs.
#[derive(Debug, Clone, Default)]
pub struct Disturbances(Arc<Mutex<Vec<Disturbance>>>);

/// A failure that meets certain requests, once or several times.
#[derive(Debug, Clone)]
pub struct Disturbance {
    /// Only this operation.
    pub operation: Option<Operation>,
    /// Only this method.
    pub method: Option<Method>,
    /// Only requests whose path and query, as sent, hold this.
    pub path_contains: Option<String>,
    /// So many matching requests go through first.
    pub skip: u64,
    /// Then so many are met.
    pub times: u64,
    /// With what.
    pub action: Action,
}

/// What befalls a request.
#[derive(Debug, Clone)]
pub enum Action {
    /// It is not carried out, and answered so.
    Answer(Refusal),
    /// It is not carried out; the answer is 200 with an `<Error>` body.
    ErrorInOk {
        /// S3's error code.
        code: &'static str,
    },
    /// It is carried out; the connection ends after so many bytes of the answer's body.
    CutBody {
        /// How many bytes come through.
        after_bytes: u64,
    },
    /// It is carried out; the connection ends without an answer.
    LoseAnswer,
    /// It is not carried out; the connection ends without an answer.
    DropRequest,
    /// It is carried out, the answer comes so much later.
    Delay(Duration),
    /// It is carried out; after so many bytes of the answer's body nothing more comes, and the
    /// connection stays.
    StallBody {
        /// How many bytes come through.
        after_bytes: u64,
    },
    /// It is carried out; one byte of the answer's body is another.
    CorruptBody {
        /// Which byte; a shorter body goes through whole.
        at_byte: u64,
    },
}

/// An error answer.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// The status.
    pub status: StatusCode,
    /// S3's error code.
    pub code: &'static str,
    /// Headers besides.
    pub headers: Vec<(&'static str, String)>,
    /// Elements besides, by name: `Endpoint` and `Region` of redirects, for instance.
    pub elements: Vec<(&'static str, String)>,
}

impl Refusal {
    /// A status with a code.
    pub fn new(status: StatusCode, code: &'static str) -> Refusal {
        Refusal {
            status,
            code,
            headers: Vec::new(),
            elements: Vec::new(),
        }
    }

    /// 403 AccessDenied: the permission is gone, or never was.
    pub fn access_denied() -> Refusal {
        Refusal::new(StatusCode::FORBIDDEN, "AccessDenied")
    }

    /// S3's request to send less, with `Retry-After` if it is to say so.
    pub fn slow_down(retry_after_seconds: Option<u32>) -> Refusal {
        let refusal = Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "SlowDown");
        match retry_after_seconds {
            Some(seconds) => refusal.header("retry-after", seconds.to_string()),
            None => refusal,
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Refusal {
        self.headers.push((name, value.into()));
        self
    }

    /// Adds an element to the body.
    #[must_use]
    pub fn element(mut self, name: &'static str, text: impl Into<String>) -> Refusal {
        self.elements.push((name, text.into()));
        self
    }
}

impl Disturbance {
    /// Meets the next request of an operation, once.
    pub fn once(operation: Operation, action: Action) -> Disturbance {
        Disturbance {
            operation: Some(operation),
            method: None,
            path_contains: None,
            skip: 0,
            times: 1,
            action,
        }
    }

    /// Lets so many matching requests through first.
    #[must_use]
    pub fn after(self, skip: u64) -> Disturbance {
        Disturbance { skip, ..self }
    }

    /// Meets so many requests.
    #[must_use]
    pub fn times(self, times: u64) -> Disturbance {
        Disturbance { times, ..self }
    }

    /// Meets only requests whose path and query hold this text, as it is sent.
    #[must_use]
    pub fn on_path(self, text: impl Into<String>) -> Disturbance {
        Disturbance {
            path_contains: Some(text.into()),
            ..self
        }
    }

    fn matches(&self, operation: Operation, method: &Method, uri: &Uri) -> bool {
        let target = uri.path_and_query().map_or("", |target| target.as_str());
        self.operation.is_none_or(|wanted| wanted == operation)
            && self.method.as_ref().is_none_or(|wanted| wanted == method)
            && self
                .path_contains
                .as_deref()
                .is_none_or(|text| target.contains(text))
    }
}

impl Disturbances {
    /// Adds a failure to come.
    pub fn add(&self, disturbance: Disturbance) {
        self.0.lock().push(disturbance);
    }

    /// Forgets all failures to come.
    pub fn clear(&self) {
        self.0.lock().clear();
    }

    /// How many failures have not struck as often as they should.
    pub fn pending(&self) -> usize {
        self.0.lock().len()
    }

    /// What befalls this request: the first match decides, and is counted.
    pub(crate) fn strike(
        &self,
        operation: Operation,
        method: &Method,
        uri: &Uri,
    ) -> Option<Action> {
        let mut disturbances = self.0.lock();
        for index in 0..disturbances.len() {
            let disturbance = &mut disturbances[index];
            if !disturbance.matches(operation, method, uri) {
                continue;
            }
            if disturbance.skip > 0 {
                disturbance.skip -= 1;
                continue;
            }
            disturbance.times = disturbance.times.saturating_sub(1);
            let action = disturbance.action.clone();
            if disturbance.times == 0 {
                disturbances.remove(index);
            }
            return Some(action);
        }
        None
    }
}
