//! Lists a bucket in many ranges at once.
//!
//! Overview: [`Ranges`] decides, this file asks and hands out. Each page is asked for in a task of
//! its own, so that a slow reader does not leave answers unread. Retries: a page that fails is
//! asked for again under the policy; one whose token the store no longer knows, after the last key
//! seen. Cancellation: dropping the future aborts what is under way. Limits: as in [`Ranges`].

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use base::fault::Classified as _;
use base::flow::RetryPolicy;
use base::{BucketName, Clock, Fault};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use remote::ObjectClient;
use remote::types::{ListObjects, ListPage, ListedObject};
use tokio::task::JoinHandle;

use super::output::{Output, Stop};
use super::pages::{self, Pages, Protocol};
use super::ranges::{Ask, Disorder, Ranges, Refusal, disorder};
use super::sorted::Sorting;
use crate::error::Error;
use crate::source::Order;

/// What is listed, and how.
#[derive(Debug, Clone)]
pub(crate) struct Listing {
    pub(crate) client: Arc<dyn ObjectClient>,
    pub(crate) bucket: BucketName,
    /// Only keys that begin so.
    pub(crate) prefix: String,
    pub(crate) protocol: Protocol,
    pub(crate) order: Order,
    /// Pages asked for at once, at least one.
    pub(crate) listings_max: usize,
    /// The store is known to list in no order.
    pub(crate) unordered: bool,
    pub(crate) retry: RetryPolicy,
    pub(crate) clock: Clock,
}

impl Listing {
    /// Lists everything to `output`.
    pub(crate) async fn run(&self, output: &mut Output) -> Result<(), Stop> {
        if self.goes_in_ranges() {
            self.in_ranges(output).await
        } else {
            self.serially(self.pages(), output).await
        }
    }

    /// Whether the store may be asked to begin anywhere.
    pub(crate) fn goes_in_ranges(&self) -> bool {
        !self.unordered && self.protocol == Protocol::V2
    }

    async fn in_ranges(&self, output: &mut Output) -> Result<(), Stop> {
        let mut ranges = Ranges::new(self.order, self.listings_max);
        let mut answers = FuturesUnordered::new();
        loop {
            while let Some(ask) = ranges.next_ask() {
                answers.push(self.fetch(ask));
            }
            if let Some(batch) = ranges.take() {
                output.send(batch).await?;
                continue;
            }
            let Some(answer) = answers.next().await else {
                assert!(
                    ranges.finished(),
                    "a listing waits for a page nobody asked for"
                );
                return Ok(());
            };
            let (id, page) = answer?;
            match ranges.answered(id, page) {
                Ok(()) => {}
                Err(Refusal::Cycle) => {
                    return Err(Error::from(pages::cycle(self.protocol, &self.bucket)).into());
                }
                Err(Refusal::Disorder(disorder)) => {
                    drop(answers);
                    return self.go_on_unordered(*disorder, output).await;
                }
            }
        }
    }

    /// Asks for one page in a task of its own.
    pub(super) fn fetch(&self, ask: Ask) -> Fetch {
        let listing = self.clone();
        let task = base::tasks::spawn("list page", async move {
            let mut request = ListObjects::new(listing.bucket.clone(), listing.prefix.as_str());
            request.start_after = ask.start_after;
            request.continuation_token = ask.token;
            let answer = listing.ask(&request).await;
            match (answer, ask.last) {
                // The token has expired, or its server has gone: go on after the last key.
                (Err(error), Some(last))
                    if error.fault() == Fault::Invalid && request.continuation_token.is_some() =>
                {
                    request.continuation_token = None;
                    request.start_after = Some(last);
                    Ok((ask.id, listing.ask(&request).await?))
                }
                (answer, _) => Ok((ask.id, answer?)),
            }
        });
        AbortOnDrop(task)
    }

    async fn ask(&self, request: &ListObjects) -> remote::Result<ListPage> {
        pages::ask(
            &*self.client,
            request,
            self.protocol,
            &self.retry,
            &self.clock,
        )
        .await
    }

    fn pages(&self) -> Pages {
        let request = ListObjects::new(self.bucket.clone(), self.prefix.as_str());
        Pages::new(
            Arc::clone(&self.client),
            request,
            self.protocol,
            self.retry.clone(),
            self.clock.clone(),
        )
    }

    /// One listing from its beginning.
    async fn serially(&self, mut pages: Pages, output: &mut Output) -> Result<(), Stop> {
        if self.order == Order::Any {
            return forward(pages, output).await;
        }
        let mut previous: Option<String> = None;
        while let Some(page) = pages.next().await {
            let page = page?;
            let found = match self.protocol {
                Protocol::V1 | Protocol::V2 => disorder(previous.as_deref(), &page.objects),
                Protocol::Versions => disorder_of_versions(previous.as_deref(), &page.objects),
            };
            if self.unordered || found.is_some() {
                return match (previous, found) {
                    (Some(_), Some((before, key))) => Err(self.too_late(&before, &key).into()),
                    _ => self.sort(page.objects, pages, output).await,
                };
            }
            previous = page
                .objects
                .last()
                .map(|object| object.key.as_str().to_owned());
            output.send(page.objects).await?;
        }
        Ok(())
    }

    /// The store lists in no order: goes on page by page if nothing would be lost or come twice.
    async fn go_on_unordered(&self, found: Disorder, output: &mut Output) -> Result<(), Stop> {
        let late = self.order == Order::Key && output.has_sent();
        if late || !found.one_listing {
            return Err(self.too_late(&found.previous, &found.key).into());
        }
        let mut pages = self.pages();
        pages.go_on(found.page.next);
        match self.order {
            Order::Any => {
                output.send(found.page.objects).await?;
                forward(pages, output).await
            }
            Order::Key => self.sort(found.page.objects, pages, output).await,
        }
    }

    async fn sort(
        &self,
        first: Vec<ListedObject>,
        mut pages: Pages,
        output: &mut Output,
    ) -> Result<(), Stop> {
        let mut sorting = Sorting::new();
        sorting.add(output.shape(first)).await?;
        while let Some(page) = pages.next().await {
            sorting.add(output.shape(page?.objects)).await?;
        }
        sorting.hand_out(output).await
    }

    /// The error of a listing that cannot be put in order any more.
    pub(super) fn too_late(&self, previous: &str, key: &str) -> Error {
        Error::Unordered {
            bucket: self.bucket.clone(),
            previous: previous.to_owned(),
            key: key.to_owned(),
        }
    }
}

/// Hands out every page as it comes.
async fn forward(mut pages: Pages, output: &mut Output) -> Result<(), Stop> {
    while let Some(page) = pages.next().await {
        output.send(page?.objects).await?;
    }
    Ok(())
}

/// As [`disorder`], but a key may have several versions.
fn disorder_of_versions(
    before: Option<&str>,
    objects: &[ListedObject],
) -> Option<(String, String)> {
    let mut previous = before;
    for object in objects {
        let key = object.key.as_str();
        if let Some(previous) = previous.filter(|previous| *previous > key) {
            return Some((previous.to_owned(), key.to_owned()));
        }
        previous = Some(key);
    }
    None
}

/// A page on its way, with the ask's id.
pub(super) type Fetch = AbortOnDrop<Result<(u64, ListPage), Error>>;

/// A task whose value is awaited here; nobody else wants it.
#[derive(Debug)]
pub(super) struct AbortOnDrop<T>(JoinHandle<T>);

impl<T> Future for AbortOnDrop<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut TaskContext<'_>) -> Poll<T> {
        Pin::new(&mut self.0)
            .poll(context)
            .map(|joined| match joined {
                Ok(value) => value,
                Err(error) => std::panic::resume_unwind(error.into_panic()),
            })
    }
}

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
