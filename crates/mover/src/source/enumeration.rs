//! Carries an enumeration out.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use base::Key;
use base::flow::RetryPolicy;
use remote::types::{HeadObject, ListedObject};

use super::{Order, Side, Source};
use crate::accounts::Accounts;
use crate::context::Context;
use crate::entry::{Entry, EntrySink};
use crate::error::{Error, Result};
use crate::event::{Event, Observer, Verb};
use crate::key_list::{KeyLines, KeyList};
use crate::list::{Keys, Listing, Output, Shape, Sorting, Stop};
use crate::location::{Location, ObjectLocation};
use crate::url::{S3Url, Target};
use crate::walk::{self, Found, Plan, Walk};
use crate::wildcard::Wildcard;

/// Entries handed out at once.
const BATCH: usize = 1_000;

/// How often a page is asked for again beside the client's own tries.
/// A guess: the client has been patient already, this is for pages that broke off.
const PAGE_TRIES_MAX: u32 = 3;

/// One enumeration under way.
#[derive(Debug)]
pub(super) struct Enumeration {
    pub(super) context: Context,
    pub(super) accounts: Arc<Accounts>,
    pub(super) side: Side,
    pub(super) source: Source,
}

impl Enumeration {
    /// Yields everything into `sink` and says how it ended.
    pub(super) async fn run(self, sink: EntrySink) {
        match &self.source.target {
            Target::Local(_) if self.source.keys.is_some() => {
                let what = "a key list names objects of a store: the source must be s3://...";
                sink.fail(Error::Usage(what.to_owned())).await;
            }
            Target::Local(path) => {
                let path = path.clone();
                self.walk(path, sink).await;
            }
            Target::Remote(url) => {
                let url = url.clone();
                self.remote(&url, sink).await;
            }
        }
    }

    async fn remote(&self, url: &S3Url, sink: EntrySink) {
        let mut output = Output::new(sink, self.shape(url));
        let work = async {
            match &self.source.keys {
                Some(list) => self.key_list(url, list, &mut output).await,
                None if self.is_one_object(url) && !self.source.all_versions => {
                    self.one_object(url, &output).await
                }
                None => self.listing(url).run(&mut output).await,
            }
        };
        let result = tokio::select! {
            biased;
            () = self.context.stopping.cancelled() => Err(Stop::Failed(Error::Cancelled)),
            result = work => result,
        };
        output.end(result).await;
    }

    fn is_one_object(&self, url: &S3Url) -> bool {
        !self.source.is_pattern()
            && !self.source.below
            && (!url.is_prefix() || (self.source.raw && !url.is_bucket()))
    }

    /// What every key of the source begins with.
    fn prefix<'a>(&self, url: &'a S3Url) -> &'a str {
        if self.source.is_pattern() {
            url.literal_prefix()
        } else {
            &url.path
        }
    }

    fn shape(&self, url: &S3Url) -> Shape {
        let prefix = self.prefix(url);
        let keys = if self.source.is_pattern() {
            Keys::Matching(Wildcard::new(url.path.as_str()))
        } else if self.is_one_object(url) {
            Keys::Exactly(url.path.clone())
        } else {
            Keys::All
        };
        // A key taken raw that ends in `/` is an object: its name is its last part all the same.
        let parent = match keys {
            Keys::Exactly(_) => prefix.strip_suffix('/').unwrap_or(prefix),
            Keys::All | Keys::Matching(_) => prefix,
        };
        Shape {
            bucket: url.bucket.clone(),
            relative_start: parent.rfind('/').map_or(0, |at| at + 1),
            keys,
        }
    }

    fn listing(&self, url: &S3Url) -> Listing {
        let tries_max = self.context.retry.tries_max.min(PAGE_TRIES_MAX);
        Listing {
            client: self.side.client(&self.context),
            bucket: url.bucket.clone(),
            prefix: self.prefix(url).to_owned(),
            protocol: self.source.protocol(),
            order: self.source.order,
            listings_max: self.context.limits.listings_max.get(),
            unordered: self.source.unordered || is_directory_bucket(url),
            retry: RetryPolicy {
                tries_max,
                ..self.context.retry.clone()
            },
            clock: self.context.clock.clone(),
        }
    }

    /// The listing of a store in ranges, and what it means; `None` where the source is something
    /// else or its store may not be asked so.
    pub(super) fn ordered_listing(&self) -> Option<(Listing, Shape)> {
        let Target::Remote(url) = &self.source.target else {
            return None;
        };
        if self.source.keys.is_some() || self.is_one_object(url) {
            return None;
        }
        let listing = self.listing(url);
        listing.goes_in_ranges().then(|| (listing, self.shape(url)))
    }

    async fn one_object(&self, url: &S3Url, output: &Output) -> std::result::Result<(), Stop> {
        let key =
            Key::new(url.path.as_str()).map_err(|error| Error::Usage(format!("{url}: {error}")))?;
        let mut request = HeadObject::new(url.bucket.clone(), key.clone());
        request.version_id.clone_from(&self.source.version_id);
        let client = self.side.client(&self.context);
        let head = client.head_object(request).await.map_err(Error::from)?;
        let entry = Entry {
            location: Location::Remote(ObjectLocation {
                bucket: url.bucket.clone(),
                key,
                version_id: self.source.version_id.clone(),
            }),
            relative_start: self.shape(url).relative_start,
            size: head.size,
            modified: head.last_modified,
            etag: head.etag,
            storage_class: head.attributes.storage_class,
            checksum_algorithm: head.checksums.first().map(|checksum| checksum.algorithm),
            is_delete_marker: false,
        };
        Ok(output.send_entries(vec![entry]).await?)
    }

    async fn key_list(
        &self,
        url: &S3Url,
        list: &KeyList,
        output: &mut Output,
    ) -> std::result::Result<(), Stop> {
        let shape = self.shape(url);
        let prefix = self.prefix(url);
        let belongs = |key: &str| key.starts_with(prefix) && shape.means(key);
        let mut lines = KeyLines::open(list, &self.context, self.side).await?;
        let mut sorting = Sorting::new();
        loop {
            let batch = lines.next_batch().await?;
            if batch.is_empty() {
                break;
            }
            let mut objects: Vec<ListedObject> = Vec::with_capacity(batch.len());
            for row in batch {
                match row {
                    Ok(object) if belongs(object.key.as_str()) => objects.push(object),
                    Ok(object) => self.problem(output.sink(), None, &foreign(&object.key, url)),
                    Err(error) => self.problem(output.sink(), None, &error),
                }
            }
            match self.source.order {
                Order::Any => output.send(objects).await?,
                Order::Key => sorting.add(output.shape(objects)).await?,
            }
        }
        match self.source.order {
            Order::Any => Ok(()),
            Order::Key => sorting.hand_out(output).await,
        }
    }

    async fn walk(self, path: PathBuf, sink: EntrySink) {
        let sort = |plan: &Plan| self.source.order == Order::Key && !plan.is_sorted_by_relative();
        let start = {
            let (path, pattern) = (path.clone(), self.source.is_pattern());
            base::tasks::blocking(move || Start::of(&path, pattern)).await
        };
        match start {
            Err(error) => sink.fail(error).await,
            Ok(Start::Tree(plan)) if sort(&plan) => {
                let (unsorted, mut stream) = crate::entry::EntryStream::channel();
                let output = Output::unshaped(sink);
                let collect = async {
                    let mut sorting = Sorting::new();
                    while let Some(entry) = stream.next().await {
                        sorting.add(vec![entry?]).await?;
                    }
                    for _ in 0..stream.problems() {
                        output.sink().problem();
                    }
                    sorting.hand_out(&output).await
                };
                let walking = self.walk_tree(path, plan, unsorted);
                let ((), result) = tokio::join!(walking, collect);
                output.end(result).await;
            }
            Ok(Start::Tree(plan)) => self.walk_tree(path, plan, sink).await,
            Ok(Start::File(text)) => {
                let start = walk::parent_length(&text);
                let found = base::tasks::blocking(move || walk::file(text, start)).await;
                let result = match found {
                    Found::File(entry) => sink.send(vec![entry]).await,
                    Found::Problem { path, error } => {
                        self.problem(&sink, Some(path), &error);
                        Ok(())
                    }
                    Found::Warning(message) => {
                        self.warn(&message);
                        Ok(())
                    }
                };
                if result.is_ok() {
                    sink.finish().await;
                }
            }
        }
    }

    async fn walk_tree(self, path: PathBuf, plan: Plan, sink: EntrySink) {
        let (sink, ending) = base::tasks::blocking(move || {
            let ending = self.walk_blocking(&path, plan, &sink);
            (sink, ending)
        })
        .await;
        match ending {
            Ok(()) => sink.finish().await,
            Err(Stop::Failed(error)) => sink.fail(error).await,
            Err(Stop::ReaderGone) => {}
        }
    }

    fn walk_blocking(
        &self,
        path: &Path,
        plan: Plan,
        sink: &EntrySink,
    ) -> std::result::Result<(), Stop> {
        let mut walk = Walk::new(plan, self.source.follow_symlinks);
        let mut batch = Vec::with_capacity(BATCH);
        for found in &mut walk {
            match found {
                Found::File(entry) => batch.push(entry),
                Found::Problem { path, error } => self.problem(sink, Some(path), &error),
                Found::Warning(message) => self.warn(&message),
            }
            if self.context.stopping.is_cancelled() {
                return Err(Error::Cancelled.into());
            }
            if batch.len() == BATCH {
                sink.send_blocking(std::mem::replace(&mut batch, Vec::with_capacity(BATCH)))?;
            }
        }
        if !walk.matched() {
            // s5cmd's words.
            let message = format!("no match found for \"{}\"", path.display());
            return Err(Error::NotFound(message).into());
        }
        Ok(sink.send_blocking(batch)?)
    }

    /// Tells of something that is there and cannot be yielded.
    fn problem(&self, sink: &EntrySink, path: Option<PathBuf>, error: &Error) {
        sink.problem();
        self.accounts.job_failures.add(1);
        let location = path.map(Location::Local);
        self.observer().on_event(&Event::Failed {
            verb: Verb::Copy,
            source: location.as_ref(),
            destination: None,
            error,
        });
    }

    fn warn(&self, message: &str) {
        self.observer().on_event(&Event::Warning { message });
    }

    fn observer(&self) -> &dyn Observer {
        &*self.context.observer
    }
}

/// What a local name turned out to be.
enum Start {
    Tree(Plan),
    File(String),
}

impl Start {
    fn of(path: &Path, pattern: bool) -> Result<Start> {
        let Some(text) = path.to_str() else {
            return Err(Error::Name {
                name: path.to_string_lossy().into_owned(),
                reason: "cannot be a key: it is not UTF-8".to_owned(),
            });
        };
        if pattern {
            return Ok(Start::Tree(Plan::pattern(text)?));
        }
        match std::fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => Ok(Start::Tree(Plan::folder(text))),
            Ok(_) => Ok(Start::File(walk::clean(text))),
            // s5cmd's words.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(Error::NotFound(
                format!("given object {} not found", path.display()),
            )),
            Err(error) => Err(Error::local("look at", path)(error)),
        }
    }
}

/// Directory buckets list in no order and know no start-after.
/// Source: S3 user guide, "Directory bucket naming rules" (read 2026-11).
fn is_directory_bucket(url: &S3Url) -> bool {
    url.bucket.as_str().ends_with("--x-s3")
}

fn foreign(key: &Key, url: &S3Url) -> Error {
    Error::Name {
        name: key.to_string(),
        reason: format!("is not below {url}"),
    }
}
