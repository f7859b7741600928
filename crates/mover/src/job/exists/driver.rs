//! From the names given to answers in their order: sorts, cuts into stretches, asks about several
//! at once.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use base::Key;
use futures_util::StreamExt as _;
use futures_util::stream;
use tokio::sync::mpsc;

use super::asker::Asker;
use super::name::key_of;
use super::strategy::By;
use super::stretch::Stretch;
use super::{Answer, Verdict};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::key_list::{KeyLines, KeyList};
use crate::list::spool_error;
use crate::source::Side;
use crate::spool::{Record, Sorted, Sorter};

/// Keys held in memory; more are sorted on disk. With their bytes a few dozen megabytes at most.
const KEYS_MAX: usize = 1 << 16;

/// Bytes of keys held in memory.
const KEY_BYTES_MAX: usize = 8 << 20;

/// Keys of one stretch: the fewest that are worth a task, and the most that are held at once.
const STRETCH_KEYS: Range<usize> = 64..2_048;

/// Stretches that begin with a page, to learn what pages are worth.
const PROBES: usize = 4;

/// Where names come from.
#[derive(Debug)]
pub(super) enum Input {
    Given(Vec<String>),
    List(KeyList, Box<Context>),
}

/// What the reader of answers hears.
#[derive(Debug)]
pub(super) enum Message {
    Answers(Vec<Answer>),
    Failed(Error),
    Whole,
}

/// The task behind a stream of answers.
#[derive(Debug)]
pub(super) struct Driver {
    asker: Arc<Asker>,
    sender: mpsc::Sender<Message>,
}

/// Why it ends early.
enum Stop {
    ReaderGone,
    Failed(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Stop {
        Stop::Failed(error)
    }
}

impl Driver {
    pub(super) fn new(asker: Arc<Asker>, sender: mpsc::Sender<Message>) -> Driver {
        Driver { asker, sender }
    }

    /// Answers everything, or says why not.
    pub(super) async fn run(self, input: Input) {
        let work = async {
            match input {
                Input::Given(names) => self.in_memory(names).await,
                Input::List(list, context) => self.list(&list, &context).await,
            }
        };
        let result = tokio::select! {
            biased;
            () = self.asker.stopping().cancelled() => Err(Stop::Failed(Error::Cancelled)),
            error = self.asker.lapse() => Err(Stop::Failed(error)),
            () = self.sender.closed() => Err(Stop::ReaderGone),
            result = work => result,
        };
        let message = match result {
            Ok(()) => Message::Whole,
            Err(Stop::Failed(error)) => Message::Failed(error),
            Err(Stop::ReaderGone) => return,
        };
        // Nobody left to hear it is an end too.
        let _ = self.sender.send(message).await;
    }

    async fn send(&self, answers: Vec<Answer>) -> std::result::Result<(), Stop> {
        if answers.is_empty() {
            return Ok(());
        }
        let sent = self.sender.send(Message::Answers(answers)).await;
        sent.map_err(|_| Stop::ReaderGone)
    }

    fn key(&self, name: &str) -> Result<Key> {
        let options = self.asker.options();
        key_of(name, self.asker.bucket(), &options.prefix, options.raw)
    }

    /// Answers a list: in memory while it fits.
    async fn list(&self, list: &KeyList, context: &Context) -> std::result::Result<(), Stop> {
        let mut lines = KeyLines::open(list, context, Side::Source).await?;
        let mut names = Vec::new();
        let mut bytes = 0;
        loop {
            let batch = lines.next_batch().await?;
            if batch.is_empty() {
                return self.in_memory(names).await;
            }
            for row in batch {
                match row {
                    Ok(object) => {
                        bytes += object.key.as_str().len();
                        names.push(object.key.as_str().to_owned());
                    }
                    Err(error) => self.send(vec![unknown(error)]).await?,
                }
            }
            if names.len() > KEYS_MAX || bytes > KEY_BYTES_MAX {
                return self.on_disk(names, lines).await;
            }
        }
    }

    /// Answers in the order given.
    async fn in_memory(&self, names: Vec<String>) -> std::result::Result<(), Stop> {
        let mut verdicts: Vec<Option<Verdict>> = Vec::with_capacity(names.len());
        let mut keys = Vec::with_capacity(names.len());
        for (at, name) in names.iter().enumerate() {
            match self.key(name) {
                Ok(key) => {
                    keys.push((key, at));
                    verdicts.push(None);
                }
                Err(error) => verdicts.push(Some(Verdict::Unknown(Arc::new(error)))),
            }
        }
        keys.sort_unstable();
        let mut groups = grouped(&keys);
        let shared = match (keys.first(), keys.last()) {
            (Some((first, _)), Some((last, _))) => shared(first.as_str(), last.as_str()),
            _ => "",
        };
        self.asker.begin(groups.len() as u64, shared);
        let size = match groups.len() {
            few if few <= self.asker.options().heads_max => few.max(1),
            many => many
                .div_ceil(self.asker.options().lists_max.max(1))
                .clamp(STRETCH_KEYS.start, STRETCH_KEYS.end),
        };
        let every = groups.len().div_ceil(size).div_ceil(PROBES).max(1);
        let mut stretches = Vec::new();
        while !groups.is_empty() {
            let rest = groups.split_off(size.min(groups.len()));
            let groups = std::mem::replace(&mut groups, rest);
            let probes = stretches.len() % every == 0;
            let stretch = Stretch::new(Arc::clone(&self.asker), keys_of(&groups));
            stretches.push(async move {
                let found = stretch.run(probes).await;
                (groups, found)
            });
        }
        let mut answered = stream::iter(stretches).buffer_unordered(self.asker.options().lists_max);
        let mut names = names.into_iter().enumerate().peekable();
        let beginning = self.beginning();
        tokio::pin!(beginning);
        // Where only listings may be asked there is nothing to do meanwhile.
        let mut beginning_known = self.asker.options().by == By::List;
        if beginning_known {
            beginning.as_mut().await;
        }
        loop {
            // What is known so far, in the order given.
            let mut ready = Vec::new();
            while let Some((at, _)) = names.peek()
                && let Some(verdict) = verdicts[*at].take()
            {
                let (_, name) = names.next().expect("it was just looked at");
                ready.push(Answer { name, verdict });
            }
            self.send(ready).await?;
            tokio::select! {
                biased;
                () = &mut beginning, if !beginning_known => beginning_known = true,
                next = answered.next() => match next {
                    None => break,
                    Some((groups, found)) => {
                        for ((_, owners), verdict) in groups.iter().zip(found) {
                            for owner in owners.clone() {
                                verdicts[keys[owner].1] = Some(verdict.clone());
                            }
                        }
                    }
                },
            }
        }
        debug_assert!(names.peek().is_none(), "every name was answered");
        Ok(())
    }

    /// Looks at the beginning of the listing, where that may answer something.
    async fn beginning(&self) {
        if self.asker.tries_pages() {
            self.asker.look_at_beginning().await;
        }
    }

    /// Answers in the order of keys: names read so far, and the rest of the list.
    async fn on_disk(
        &self,
        names: Vec<String>,
        mut lines: KeyLines,
    ) -> std::result::Result<(), Stop> {
        let mut spooled = Spooled::new();
        let mut next = names;
        loop {
            let mut keys = Vec::with_capacity(next.len());
            let mut refused = Vec::new();
            for name in next {
                match self.key(&name) {
                    Ok(key) => keys.push(key),
                    Err(error) => refused.push(Answer {
                        name,
                        verdict: Verdict::Unknown(Arc::new(error)),
                    }),
                }
            }
            self.send(refused).await?;
            spooled.add(keys).await?;
            let batch = lines.next_batch().await?;
            if batch.is_empty() {
                break;
            }
            next = Vec::with_capacity(batch.len());
            for row in batch {
                match row {
                    Ok(object) => next.push(object.key.as_str().to_owned()),
                    Err(error) => self.send(vec![unknown(error)]).await?,
                }
            }
        }
        let shared = match (&spooled.least, &spooled.greatest) {
            (Some(least), Some(greatest)) => shared(least.as_str(), greatest.as_str()),
            _ => "",
        };
        // Duplicates among them are not known yet; they are few.
        self.asker.begin(spooled.count, shared);
        self.beginning().await;
        let sorted = spooled.finish().await?;
        let stretches = stream::try_unfold(sorted, |mut sorted| async move {
            let groups = sorted.next_groups().await?;
            Ok::<_, Stop>((!groups.is_empty()).then_some((groups, sorted)))
        });
        let answered = stretches.enumerate().map(|(number, groups)| async move {
            let groups = groups?;
            let stretch = Stretch::new(Arc::clone(&self.asker), keys_of(&groups));
            let found = stretch.run(number < PROBES).await;
            Ok::<_, Stop>((groups, found))
        });
        let mut answered = std::pin::pin!(answered.buffered(self.asker.options().lists_max));
        while let Some(stretch) = answered.next().await {
            let (groups, found) = stretch?;
            let mut answers = Vec::with_capacity(groups.len());
            for ((key, count), verdict) in groups.into_iter().zip(found) {
                for _ in 0..count {
                    answers.push(Answer {
                        name: key.as_str().to_owned(),
                        verdict: verdict.clone(),
                    });
                }
            }
            self.send(answers).await?;
        }
        Ok(())
    }
}

/// A line of a list that names nothing.
fn unknown(error: Error) -> Answer {
    let name = match &error {
        Error::Name { name, .. } => name.clone(),
        other => other.to_string(),
    };
    Answer {
        name,
        verdict: Verdict::Unknown(Arc::new(error)),
    }
}

/// Each key once, with where it stands in `sorted`.
fn grouped(sorted: &[(Key, usize)]) -> Vec<(Key, Range<usize>)> {
    let mut groups: Vec<(Key, Range<usize>)> = Vec::new();
    for (at, (key, _)) in sorted.iter().enumerate() {
        match groups.last_mut() {
            Some((last, range)) if last == key => range.end = at + 1,
            _ => groups.push((key.clone(), at..at + 1)),
        }
    }
    groups
}

fn keys_of<T>(groups: &[(Key, T)]) -> Vec<Key> {
    groups.iter().map(|(key, _)| key.clone()).collect()
}

/// What all keys between two begin with.
fn shared<'a>(first: &'a str, last: &str) -> &'a str {
    let same = first.char_indices().zip(last.chars());
    let mut end = 0;
    for ((at, one), other) in same {
        if one != other {
            return &first[..at];
        }
        end = at + one.len_utf8();
    }
    &first[..end]
}

/// Keys on their way through the disk.
struct Spooled {
    // Taken out only while a blocking task works on it.
    sorter: Option<Sorter>,
    count: u64,
    least: Option<Key>,
    greatest: Option<Key>,
}

/// The same keys in order.
struct InOrder {
    // Taken out only while a blocking task works on it.
    sorted: Option<Sorted>,
    /// A key that was read and belongs to the next stretch.
    ahead: Option<Key>,
}

impl Spooled {
    fn new() -> Spooled {
        Spooled {
            sorter: Some(Sorter::new()),
            count: 0,
            least: None,
            greatest: None,
        }
    }

    async fn add(&mut self, keys: Vec<Key>) -> Result<()> {
        self.count += keys.len() as u64;
        self.least = keys.iter().chain(&self.least).min().cloned();
        self.greatest = keys.iter().chain(&self.greatest).max().cloned();
        let mut sorter = self.sorter.take().expect("only absent while a task has it");
        let (sorter, added) = base::tasks::blocking(move || {
            let added = keys.iter().try_for_each(|key| {
                sorter.push(Record {
                    key: key.as_str().as_bytes().to_vec(),
                    value: Vec::new(),
                })
            });
            (sorter, added)
        })
        .await;
        self.sorter = Some(sorter);
        added.map_err(spool_error)
    }

    async fn finish(mut self) -> Result<InOrder> {
        let sorter = self.sorter.take().expect("only absent while a task has it");
        let sorted = base::tasks::blocking(move || sorter.finish()).await;
        Ok(InOrder {
            sorted: Some(sorted.map_err(spool_error)?),
            ahead: None,
        })
    }
}

impl InOrder {
    /// The next stretch: each key once, with how often it was given. Empty at the end.
    async fn next_groups(&mut self) -> Result<Vec<(Key, u64)>> {
        let mut sorted = self.sorted.take().expect("only absent while a task has it");
        let mut ahead = self.ahead.take();
        let (sorted, ahead, groups) = base::tasks::blocking(move || {
            let groups = read_groups(&mut sorted, &mut ahead);
            (sorted, ahead, groups)
        })
        .await;
        self.sorted = Some(sorted);
        self.ahead = ahead;
        groups.map_err(spool_error)
    }
}

fn read_groups(sorted: &mut Sorted, ahead: &mut Option<Key>) -> io::Result<Vec<(Key, u64)>> {
    let mut groups: Vec<(Key, u64)> = Vec::new();
    loop {
        let key = match ahead.take() {
            Some(key) => key,
            None => match sorted.next().transpose()? {
                None => return Ok(groups),
                Some(record) => {
                    let text = String::from_utf8(record.key);
                    let text = text.map_err(|_| io::ErrorKind::InvalidData)?;
                    Key::new(text).map_err(|_| io::ErrorKind::InvalidData)?
                }
            },
        };
        let full = groups.len() == STRETCH_KEYS.end;
        match groups.last_mut() {
            Some((last, count)) if *last == key => *count += 1,
            _ if full => {
                *ahead = Some(key);
                return Ok(groups);
            }
            _ => groups.push((key, 1)),
        }
    }
}
