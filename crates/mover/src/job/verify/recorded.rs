//! A manifest's rows, merged with what stands at their destinations now.

use std::cmp::Ordering;
use std::path::PathBuf;
use std::sync::Arc;

use base::{ByteCount, Checksum, ChecksumAlgorithm, Crc64Nvme, ETag, Key};

use super::agreement::{Agreement, Means, is_digest, of_sizes};
use super::content::Pair;
use super::looks::Looks;
use super::{ManifestJob, State};
use crate::accounts::Accounts;
use crate::context::Context;
use crate::entry::Entry;
use crate::error::{Error, Result};
use crate::job::sync::feed::Front;
use crate::job::sync::sides::below;
use crate::list::spool_error;
use crate::location::{Location, ObjectLocation};
use crate::manifest::rows::{ManifestRow, Rows};
use crate::source::{Side, Source};
use crate::spool::{Record, Sorted, Sorter};
use crate::url::{S3Url, Target};

/// Rows read at once.
const BATCH: usize = 1_000;

/// A row that says what should stand somewhere.
#[derive(Debug)]
pub(super) struct Recorded {
    row: ManifestRow,
    /// The source, where it is to be asked too.
    source: Option<Location>,
}

impl Recorded {
    /// The source, as the row names it.
    pub(super) fn key(&self) -> &str {
        &self.row.key
    }

    pub(super) fn source(&self) -> Option<&Location> {
        self.source.as_ref()
    }

    pub(super) fn size(&self) -> Option<ByteCount> {
        self.row.size.map(ByteCount)
    }

    pub(super) fn source_etag(&self) -> Option<ETag> {
        self.row.source_etag.as_deref().map(ETag::from_header)
    }

    /// The checksum that the bytes were moved under, where the row has one of ours.
    pub(super) fn crc64nvme(&self) -> Option<Crc64Nvme> {
        let (algorithm, value) = self.row.checksum.as_deref()?.split_once(':')?;
        let checksum = Checksum {
            algorithm: ChecksumAlgorithm::from_name(algorithm)?,
            checksum_type: base::checksum::ChecksumType::FullObject,
            value: value.to_owned(),
        };
        checksum.as_crc64nvme()
    }

    /// What an ETag proves: one that is still what it was when the bytes were checked stands for
    /// them; another one means that something else was stored since.
    pub(super) fn against_etag(&self, now: Option<&ETag>) -> Agreement {
        let recorded = self.row.destination_etag.as_deref().map(ETag::from_header);
        match (recorded, now) {
            (Some(recorded), Some(now)) if recorded == *now => match self.was_verified() {
                true => Agreement::Equal(Means::ETag),
                false => Agreement::Silent,
            },
            (Some(recorded), Some(now)) => Agreement::Differs(format!(
                "ETag: {recorded} recorded, {now} now: it was stored anew since"
            )),
            _ => Agreement::Silent,
        }
    }

    /// The ETag by which the bytes that arrived can be told again: the destination's, else that of
    /// the source.
    pub(super) fn digest_etag(&self) -> Option<ETag> {
        let etags = [&self.row.destination_etag, &self.row.source_etag];
        let mut etags = etags
            .into_iter()
            .flatten()
            .map(|etag| ETag::from_header(etag));
        etags.find(is_digest)
    }

    /// Whether the bytes were compared by ETags when they arrived, so that these are digests.
    pub(super) fn verified_by_etag(&self) -> bool {
        self.row.verified_by.as_deref() == Some("etag")
    }

    fn was_verified(&self) -> bool {
        let means = self.row.verified_by.as_deref();
        means.is_some_and(|means| means != "size")
    }

    /// Whether the row says that the object arrived.
    pub(super) fn arrived(&self) -> bool {
        matches!(self.row.outcome.as_str(), "copied" | "copied_not_deleted")
    }

    /// Whether the row says that the object did not arrive.
    fn failed(&self) -> bool {
        matches!(self.row.outcome.as_str(), "failed" | "refused")
    }

    /// What the row and a listing prove without another question.
    fn at_once(&self, there: &Entry) -> Option<State> {
        if self.failed() {
            let cause = self.row.cause.as_deref().unwrap_or("no cause is given");
            let line = format!("the manifest says that it {}: {cause}", self.row.outcome);
            return Some(State::Differing(line));
        }
        if let Some(Agreement::Differs(what)) =
            self.size().and_then(|size| of_sizes(size, there.size))
        {
            return Some(State::Differing(what));
        }
        // Left alone because something was there: nothing but its size was ever compared.
        (!self.arrived() && self.source.is_none()).then_some(State::Unverifiable)
    }
}

/// Goes through the manifest and everything below the destination.
pub(super) async fn merge(
    job: &ManifestJob,
    context: &Context,
    accounts: &Arc<Accounts>,
    looks: &Looks,
) -> Result<()> {
    let mut rows = InOrder::read(job, looks).await?;
    if rows.is_empty() {
        return Err(Error::NotFound(format!(
            "no row of {} says what should stand below {}",
            job.manifest.display(),
            job.destination
        )));
    }
    let mut there = Standing::begin(job, context, accounts).await?;
    let mut row = rows.next().await?;
    loop {
        if context.stopping.is_cancelled() {
            return Err(Error::Cancelled);
        }
        let turn = match (&row, there.name()) {
            (None, None) => return Ok(()),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(row), Some(name)) => row.row.destination.as_str().cmp(name),
        };
        match turn {
            Ordering::Less => {
                let lost = row.take().expect("it was just compared");
                looks.listed();
                let key = Some(lost.key());
                looks.found(key, &lost.row.destination, &State::Missing);
                row = rows.next().await?;
            }
            Ordering::Equal => {
                let recorded = row.take().expect("it was just compared");
                let entry = there.take().await?;
                looks.listed();
                compare(recorded, entry, looks).await;
                row = rows.next().await?;
            }
            Ordering::Greater => {
                let entry = there.take().await?;
                if !entry.is_directory_marker() {
                    let name = entry.location.to_string();
                    looks.found(None, &name, &State::Extra);
                }
            }
        }
    }
}

async fn compare(row: Recorded, there: Entry, looks: &Looks) {
    let mut settled = row.at_once(&there);
    if settled.is_none()
        && !looks.reads()
        && row.source().is_none()
        && there.location.as_remote().is_some()
        && let Agreement::Equal(means) = row.against_etag(there.etag.as_ref())
    {
        settled = Some(State::Equal(means));
    }
    match settled {
        Some(state) => {
            let name = there.location.to_string();
            looks.found(Some(row.key()), &name, &state);
        }
        None => looks.look(Pair::recorded(row, there)).await,
    }
}

/// What stands below the destination, in order of name.
struct Standing {
    front: Option<Front>,
    name: Option<String>,
}

impl Standing {
    async fn begin(
        job: &ManifestJob,
        context: &Context,
        accounts: &Arc<Accounts>,
    ) -> Result<Standing> {
        let nothing = Source {
            counterpart_unordered: job.unordered,
            ..Source::new(job.destination.clone())
        };
        let front = match below(&nothing, &job.destination).await {
            None => None,
            Some(source) => Some(Front::of(context, accounts, Side::Destination, &source).await?),
        };
        let mut standing = Standing { front, name: None };
        standing.look();
        Ok(standing)
    }

    fn look(&mut self) {
        let head = self.front.as_ref().and_then(Front::head);
        self.name = head.map(|entry| entry.location.to_string());
    }

    fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    async fn take(&mut self) -> Result<Entry> {
        let front = self.front.as_mut().expect("what has a name is there");
        let entry = front.take().await?.expect("what has a name is there");
        self.look();
        Ok(entry)
    }
}

/// The rows that say what should stand below the destination, in order of its name.
struct InOrder {
    // Taken out only while a blocking task works on it.
    sorted: Option<Sorted>,
    batch: std::vec::IntoIter<ManifestRow>,
    ahead: Option<Record>,
    source: Option<String>,
    count: u64,
}

impl InOrder {
    async fn read(job: &ManifestJob, looks: &Looks) -> Result<InOrder> {
        let path = job.manifest.clone();
        let prefix = destination_prefix(&job.destination);
        let source = job.source.as_ref().map(source_prefix);
        let from = source.clone().unwrap_or_default();
        let gathered = base::tasks::blocking(move || gather(path, &prefix, &from)).await?;
        if let Some(asked) = &job.source
            && gathered.count > 0
            && !gathered.names_source
        {
            return Err(Error::NotFound(format!(
                "no row of {} names a source below {asked}",
                job.manifest.display()
            )));
        }
        for _ in 0..gathered.passed_over {
            looks.listed();
            looks.ignored();
        }
        Ok(InOrder {
            sorted: Some(gathered.sorted),
            batch: Vec::new().into_iter(),
            ahead: None,
            source,
            count: gathered.count,
        })
    }

    fn is_empty(&self) -> bool {
        self.count == 0
    }

    async fn next(&mut self) -> Result<Option<Recorded>> {
        if self.batch.len() == 0 {
            let mut sorted = self.sorted.take().expect("only absent while a task has it");
            let mut ahead = self.ahead.take();
            let (sorted, ahead, batch) = base::tasks::blocking(move || {
                let batch = next_batch(&mut sorted, &mut ahead);
                (sorted, ahead, batch)
            })
            .await;
            self.sorted = Some(sorted);
            self.ahead = ahead;
            self.batch = batch.map_err(spool_error)?.into_iter();
        }
        Ok(self.batch.next().map(|row| Recorded {
            source: self.source_of(&row),
            row,
        }))
    }

    /// The row's source, where sources are to be asked: one that was moved away is not.
    fn source_of(&self, row: &ManifestRow) -> Option<Location> {
        let below = self.source.as_ref()?;
        let moved_away = row.verb == "mv" && row.outcome == "copied";
        if moved_away || !row.key.starts_with(below.as_str()) {
            return None;
        }
        if !row.key.starts_with("s3://") {
            return Some(Location::Local(PathBuf::from(&row.key)));
        }
        let url = S3Url::parse(&row.key).ok()?;
        Some(Location::Remote(ObjectLocation {
            bucket: url.bucket,
            key: Key::new(url.path).ok()?,
            version_id: row.source_version.as_deref().map(base::VersionId::new),
        }))
    }
}

/// What rows of a source begin with, as manifests write them.
fn source_prefix(source: &Target) -> String {
    match source {
        Target::Remote(url) => format!("s3://{}/{}", url.bucket, url.literal_prefix()),
        Target::Local(path) => {
            let text = crate::walk::clean(&path.to_string_lossy());
            if text == "." { String::new() } else { text }
        }
    }
}

/// What rows below a destination begin with.
fn destination_prefix(destination: &Target) -> String {
    match destination {
        Target::Remote(url) if url.is_prefix() => url.to_string(),
        Target::Remote(url) => format!("{url}/"),
        Target::Local(path) => {
            let text = crate::walk::clean(&path.to_string_lossy());
            match text.as_str() {
                "." => String::new(),
                text if text.ends_with('/') => text.to_owned(),
                text => format!("{text}/"),
            }
        }
    }
}

struct Gathered {
    sorted: Sorted,
    /// Rows in it, of one destination several perhaps.
    count: u64,
    /// Whether one of them has its source below the one to be asked.
    names_source: bool,
    passed_over: u64,
}

/// Sorts the rows that say what should stand below `prefix` by their destination, the later of two
/// behind the earlier.
fn gather(path: PathBuf, prefix: &str, source: &str) -> Result<Gathered> {
    let mut sorter = Sorter::new();
    let (mut count, mut passed_over) = (0_u64, 0_u64);
    let mut names_source = false;
    for row in Rows::open(&path)? {
        let row = row?;
        let says = matches!(
            row.outcome.as_str(),
            "copied" | "copied_not_deleted" | "failed" | "refused" | "skipped"
        );
        if !says || row.destination.is_empty() || !row.destination.starts_with(prefix) {
            passed_over += 1;
            continue;
        }
        names_source |= row.key.starts_with(source);
        let mut value = (count).to_be_bytes().to_vec();
        serde_json::to_writer(&mut value, &row)
            .map_err(|error| Error::Bug(format!("a row cannot be written: {error}")))?;
        let key = row.destination.into_bytes();
        sorter.push(Record { key, value }).map_err(spool_error)?;
        count += 1;
    }
    Ok(Gathered {
        sorted: sorter.finish().map_err(spool_error)?,
        count,
        names_source,
        passed_over,
    })
}

/// The next rows, of each destination the last one.
fn next_batch(
    sorted: &mut Sorted,
    ahead: &mut Option<Record>,
) -> std::io::Result<Vec<ManifestRow>> {
    let mut batch = Vec::new();
    let mut current = match ahead.take() {
        Some(record) => Some(record),
        None => sorted.next().transpose()?,
    };
    while let Some(record) = current.take() {
        let following = sorted.next().transpose()?;
        let replaced = following
            .as_ref()
            .is_some_and(|next| next.key == record.key);
        if !replaced {
            batch.push(serde_json::from_slice(&record.value[8..])?);
        }
        current = following;
        if batch.len() >= BATCH {
            break;
        }
    }
    *ahead = current;
    Ok(batch)
}
