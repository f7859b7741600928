//! Asks a store about single keys, and for pages of its listing.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use base::fault::Classified as _;
use base::{BucketName, Fault, Key};
use parking_lot::Mutex;
use remote::types::{HeadObject, ListObjects};
use remote::{ObjectClient, Operation};
use tokio::sync::{OnceCell, Semaphore, SemaphorePermit};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::coverage::{Coverage, ROWS_IN_ORDER_MIN, Says};
use super::strategy::{self, By, Knowledge, Local, Step};
use super::{ExistsOptions, Explanation, Presence, Spent, Verdict};
use crate::accounts::Counter;
use crate::error::Error;

/// Pages that break off before the listing is given up.
const BROKEN_PAGES_MAX: u32 = 3;

/// Refusals in a row before single keys are no longer asked for by listing.
const REFUSALS_MAX: u32 = 3;

/// Empty pages with a token that are followed for one answer.
const EMPTY_PAGES_MAX: u32 = 100;

/// One store, asked from many tasks.
#[derive(Debug)]
pub(super) struct Asker {
    client: Arc<dyn ObjectClient>,
    bucket: BucketName,
    options: ExistsOptions,
    heads: Semaphore,
    lists: Semaphore,
    heads_sent: Counter,
    lists_sent: Counter,
    started: OnceLock<Instant>,
    state: Mutex<State>,
    /// Whether the bucket is there; HEAD's 404 does not say what it is that is not there.
    bucket_there: OnceCell<bool>,
    /// The whole listing, where one page holds it.
    whole: OnceLock<Arc<Coverage>>,
    /// The latest pages, as many as are asked for at once: what one stretch asked for may reach into
    /// the next.
    pages: Mutex<VecDeque<Arc<Coverage>>>,
    /// Cancelled once a page has told what pages are worth, or none will.
    has_paged: CancellationToken,
    /// Why nobody may ask any more: credentials that have expired answer no key.
    lapsed: Mutex<Option<Error>>,
    has_lapsed: CancellationToken,
}

#[derive(Debug)]
struct State {
    known: Knowledge,
    /// What all listings begin with: the user's prefix, or what all keys share up to a `/`.
    prefix: String,
    /// Neighbours seen in order.
    neighbours: u64,
    /// Why pages are no longer asked for.
    lost: Option<Arc<Error>>,
    broken: u32,
    /// Single keys whose listing was refused, in a row.
    refusals: u32,
}

impl Asker {
    pub(super) fn new(
        client: Arc<dyn ObjectClient>,
        bucket: BucketName,
        options: ExistsOptions,
    ) -> Asker {
        let heads = options.heads_max.clamp(1, Semaphore::MAX_PERMITS);
        let lists = options.lists_max.clamp(1, Semaphore::MAX_PERMITS);
        Asker {
            heads: Semaphore::new(heads),
            lists: Semaphore::new(lists),
            heads_sent: Counter::default(),
            lists_sent: Counter::default(),
            started: OnceLock::new(),
            state: Mutex::new(State {
                known: Knowledge::new(options.by, 0, heads, lists),
                prefix: options.prefix.clone(),
                neighbours: 0,
                lost: None,
                broken: 0,
                refusals: 0,
            }),
            bucket_there: OnceCell::new(),
            whole: OnceLock::new(),
            pages: Mutex::default(),
            has_paged: CancellationToken::new(),
            lapsed: Mutex::new(None),
            has_lapsed: CancellationToken::new(),
            client,
            bucket,
            options,
        }
    }

    /// Learns what is to be asked: so many keys, all of which begin with `shared`.
    pub(super) fn begin(&self, distinct: u64, shared: &str) {
        let mut state = self.state.lock();
        let (heads, lists) = (self.options.heads_max, self.options.lists_max);
        state.known = Knowledge::new(self.options.by, distinct, heads.max(1), lists.max(1));
        let folder = shared.rfind('/').map_or("", |at| &shared[..=at]);
        if folder.len() > state.prefix.len() {
            state.prefix = folder.to_owned();
        }
        // Directory buckets list in no order and know no start-after.
        // Source: S3 user guide, "Directory bucket naming rules" (read 2026-11).
        if self.options.by == By::Auto && self.bucket.as_str().ends_with("--x-s3") {
            state.lost = Some(Arc::new(out_of_order(&self.bucket)));
        }
        let _ = self.started.set(Instant::now());
    }

    pub(super) fn options(&self) -> &ExistsOptions {
        &self.options
    }

    pub(super) fn bucket(&self) -> &BucketName {
        &self.bucket
    }

    pub(super) fn stopping(&self) -> &CancellationToken {
        &self.options.stopping
    }

    /// Ends once the credentials have expired, with what the store said.
    pub(super) async fn lapse(&self) -> Error {
        self.has_lapsed.cancelled().await;
        self.lapsed.lock().take().unwrap_or(Error::Cancelled)
    }

    fn note_lapse(&self, error: &remote::Error) {
        if error.fault() == Fault::Expired {
            let message = error.message();
            let mut lapse = remote::Error::new(error.operation(), Fault::Expired, message)
                .about(Some(self.bucket.as_str()), None);
            if let Some(code) = error.code() {
                lapse = lapse.with_code(code);
            }
            self.lapsed.lock().get_or_insert(lapse.into());
            self.has_lapsed.cancel();
        }
    }

    /// The whole listing, once one page was found to hold it.
    pub(super) fn whole(&self) -> Option<&Coverage> {
        self.whole.get().map(AsRef::as_ref)
    }

    /// Whether pages are to be tried at all.
    pub(super) fn tries_pages(&self) -> bool {
        let state = self.state.lock();
        let wanted = match state.known.by() {
            By::Head => false,
            By::List => true,
            By::Auto => !state.known.is_few(),
        };
        wanted && state.lost.is_none()
    }

    /// What a stretch with so many keys left does next.
    pub(super) fn next(&self, local: &mut Local, left: usize) -> Step {
        let mut state = self.state.lock();
        let usable = state.lost.is_none();
        local.next(&mut state.known, usable, left)
    }

    /// Tells what a page came to: keys that it answered, or would have beyond the stretch.
    pub(super) fn took_page(&self, local: &mut Local, took: Duration, answered: f64, rows: usize) {
        let mut state = self.state.lock();
        state.known.took_page(took, answered, rows);
        local.took_page(answered, &state.known);
        self.has_paged.cancel();
    }

    /// Waits until the first page has told what pages are worth, or has failed. The first stretch
    /// always begins with one, unless pages are of no use: then nobody waits.
    pub(super) async fn first_page(&self) {
        self.has_paged.cancelled().await;
    }

    /// Whether the store has shown that it lists in order.
    pub(super) fn is_trusted(&self) -> bool {
        let state = self.state.lock();
        state.lost.is_none() && state.neighbours >= ROWS_IN_ORDER_MIN
    }

    /// Looks at the beginning of the listing: a small bucket is known by one page.
    pub(super) async fn look_at_beginning(&self) {
        if let Ok((page, _)) = self.page(None).await
            && page.is_whole()
        {
            // Only one such page is asked for.
            let _ = self.whole.set(page);
            self.has_paged.cancel();
        }
    }

    /// The page after `after`, and how long it took. An error leaves the keys to be asked singly.
    pub(super) async fn page(
        &self,
        after: Option<String>,
    ) -> Result<(Arc<Coverage>, Duration), Arc<Error>> {
        match self.page_or_not(after).await {
            Ok((page, took)) => {
                let page = Arc::new(page);
                self.keep(Arc::clone(&page));
                Ok((page, took))
            }
            Err(error) => {
                self.has_paged.cancel();
                Err(error)
            }
        }
    }

    fn keep(&self, page: Arc<Coverage>) {
        if page.is_in_order() {
            let mut pages = self.pages.lock();
            pages.push_front(page);
            pages.truncate(self.options.lists_max.max(1));
        }
    }

    /// A page that says whether the key is there, if there is one among the latest.
    pub(super) fn seen(&self, key: &Key) -> Option<Arc<Coverage>> {
        let trusted = self.is_trusted();
        let pages = self.pages.lock();
        let says = |page: &&Arc<Coverage>| page.says(key.as_str(), trusted) != Says::Nothing;
        pages.iter().find(says).cloned()
    }

    async fn page_or_not(&self, after: Option<String>) -> Result<(Coverage, Duration), Arc<Error>> {
        let _permit = permit(&self.lists).await;
        let prefix = {
            let state = self.state.lock();
            if let Some(lost) = &state.lost {
                return Err(Arc::clone(lost));
            }
            state.prefix.clone()
        };
        let started = Instant::now();
        let listed = self.list(&prefix, after).await;
        let mut state = self.state.lock();
        match listed {
            Ok(page) if page.is_in_order() => {
                state.neighbours += page.neighbours();
                Ok((page, started.elapsed()))
            }
            Ok(page) => {
                // What is in it is there all the same.
                state.lost = Some(Arc::new(out_of_order(&self.bucket)));
                Ok((page, started.elapsed()))
            }
            Err(error) => {
                state.broken += 1;
                let error = Arc::new(error);
                if error.fault() == Fault::Denied || state.broken >= BROKEN_PAGES_MAX {
                    state.lost.get_or_insert(Arc::clone(&error));
                }
                Err(error)
            }
        }
    }

    /// One page with rows, or the last one.
    async fn list(&self, prefix: &str, after: Option<String>) -> Result<Coverage, Error> {
        let mut request = ListObjects::new(self.bucket.clone(), prefix);
        request.v1 = self.options.list_v1;
        request.start_after.clone_from(&after);
        for _ in 0..EMPTY_PAGES_MAX {
            self.lists_sent.add(1);
            let listed = self.client.list_objects(request.clone()).await;
            let page = listed.inspect_err(|error| self.note_lapse(error))?;
            let _ = self.bucket_there.set(true);
            if !page.objects.is_empty() || page.next.is_none() {
                return Ok(Coverage::new(prefix, after, page));
            }
            if page.next == request.continuation_token {
                break;
            }
            request.continuation_token = page.next;
        }
        let message = "the store gives empty pages without end";
        let operation = Operation::ListObjectsV2;
        let error = remote::Error::new(operation, Fault::Invalid, message);
        Err(error.about(Some(self.bucket.as_str()), None).into())
    }

    /// Asks about one key, by whatever means is left.
    pub(super) async fn ask(&self, key: &Key) -> Verdict {
        match self.options.by {
            By::Head => match self.head(key).await {
                Ok(verdict) => verdict,
                Err(error) => Verdict::Unknown(Arc::new(error.into())),
            },
            By::List => match self.by_its_own_listing(key).await {
                Ok(verdict) => verdict,
                Err(error) => Verdict::Unknown(error),
            },
            By::Auto => match self.head(key).await {
                Ok(verdict) => verdict,
                Err(error) => {
                    // Who may not read an object, or not without its key, may be allowed to list.
                    let refused = matches!(error.fault(), Fault::Denied | Fault::Invalid);
                    let unknown = Verdict::Unknown(Arc::new(error.into()));
                    match refused {
                        true => self.by_its_own_listing(key).await.unwrap_or(unknown),
                        false => unknown,
                    }
                }
            },
        }
    }

    /// HEAD. An error is whatever neither says that the key is there nor that it is not.
    async fn head(&self, key: &Key) -> Result<Verdict, remote::Error> {
        let _permit = permit(&self.heads).await;
        let started = Instant::now();
        self.heads_sent.add(1);
        let request = HeadObject::new(self.bucket.clone(), key.clone());
        let answer = self.client.head_object(request).await;
        self.state.lock().known.took_head(started.elapsed());
        match answer {
            Ok(head) => {
                let _ = self.bucket_there.set(true);
                Ok(Verdict::Present(Presence {
                    size: Some(head.size),
                    etag: head.etag,
                    last_modified: head.last_modified,
                }))
            }
            Err(error) if error.fault() == Fault::Expired => {
                self.note_lapse(&error);
                Err(error)
            }
            Err(error) if error.is_code("NoSuchBucket") => Err(error),
            Err(error) if error.fault() == Fault::NotFound => {
                if self.is_bucket_there().await? {
                    return Ok(Verdict::Absent);
                }
                let message = "the bucket is not there";
                let error = remote::Error::new(Operation::HeadBucket, Fault::NotFound, message);
                let about = error.about(Some(self.bucket.as_str()), None);
                Err(about.with_status(404).with_code("NoSuchBucket"))
            }
            Err(error) => Err(error),
        }
    }

    /// An absent key and an absent bucket are the same 404 to HEAD: the bucket is asked for once,
    /// unless something else has shown that it is there.
    async fn is_bucket_there(&self) -> Result<bool, remote::Error> {
        let ask = async || match self.client.head_bucket(self.bucket.clone()).await {
            Ok(()) => Ok(true),
            // A bucket that is not there cannot be forbidden.
            Err(error) if error.fault() == Fault::Denied => Ok(true),
            Err(error) if error.fault() == Fault::NotFound => Ok(false),
            Err(error) => Err(error),
        };
        self.bucket_there.get_or_try_init(ask).await.copied()
    }

    /// A listing of what begins with the key: the key is its first row, if it is there.
    async fn by_its_own_listing(&self, key: &Key) -> Result<Verdict, Arc<Error>> {
        let _permit = permit(&self.lists).await;
        let refused = || {
            let error = remote::Error::new(
                Operation::ListObjectsV2,
                Fault::Denied,
                "listings were refused, so this one was not asked for",
            );
            Arc::new(Error::from(error.about(Some(self.bucket.as_str()), None)))
        };
        if self.state.lock().refusals >= REFUSALS_MAX {
            return Err(refused());
        }
        let page = self.list(key.as_str(), None).await;
        {
            let mut state = self.state.lock();
            match &page {
                Ok(_) => state.refusals = 0,
                Err(error) if error.fault() == Fault::Denied => state.refusals += 1,
                Err(_) => {}
            }
        }
        match page
            .map_err(Arc::new)?
            .says(key.as_str(), self.is_trusted())
        {
            Says::Present(presence) => Ok(Verdict::Present(presence)),
            Says::Absent => Ok(Verdict::Absent),
            Says::Nothing => Err(Arc::new(out_of_order(&self.bucket))),
        }
    }

    pub(super) fn explanation(&self) -> Option<Explanation> {
        let state = self.state.lock();
        let known = &state.known;
        if known.distinct() == 0 {
            return None;
        }
        let whole = self.whole().map(|page| page.len() as u64);
        let stored = whole.or_else(|| known.stored_estimate());
        let rates = known.rates();
        let reason = match known.by() {
            By::Head => "as asked".to_owned(),
            By::List => "as asked".to_owned(),
            By::Auto if known.is_few() => "one round of HEADs answers all".to_owned(),
            By::Auto if whole.is_some() => "one page holds all that is stored".to_owned(),
            By::Auto => match (&state.lost, known.page_yield()) {
                (Some(lost), _) => format!("the listing is of no use: {lost}"),
                (None, None) => return None,
                (None, Some(found)) => format!(
                    "a page answers about {found:.0} keys, HEADs as many as {:.0} in its time",
                    rates.break_even()
                ),
            },
        };
        Some(Explanation {
            keys: known.distinct(),
            listing: whole.is_some() || (state.lost.is_none() && known.lists()),
            reason,
            stored,
            by_head: rates.heads(known.distinct()),
            by_list: stored.map(|stored| rates.lists(stored)),
        })
    }

    pub(super) fn spent(&self) -> Spent {
        let (heads, lists) = (self.heads_sent.get(), self.lists_sent.get());
        Spent {
            heads,
            lists,
            elapsed: self.started.get().map_or(Duration::ZERO, Instant::elapsed),
            dollars: strategy::dollars(heads, lists),
        }
    }
}

async fn permit(semaphore: &Semaphore) -> SemaphorePermit<'_> {
    let permit = semaphore.acquire().await;
    permit.expect("the semaphores of an asker are never closed")
}

fn out_of_order(bucket: &BucketName) -> Error {
    let message = "the store lists in no order, or not from where it was asked to: \
                   its listing proves no absence";
    let error = remote::Error::new(Operation::ListObjectsV2, Fault::Unsupported, message);
    error.about(Some(bucket.as_str()), None).into()
}
