//! Which of many keys are there.
//!
//! Overview: keys are put in order (on disk, where they are many) and cut into stretches, several
//! of which are asked about at once. A [`stretch`] asks by HEAD, or by listing from its next key,
//! whichever [`strategy`] finds sooner; [`coverage`] says what a page proves, [`asker`] what an
//! answer to HEAD means. Invariants: an answer is *present* or *absent* only if the store said so;
//! whatever it refused to say is *unknown*, with its cause. Ordering: answers come in the order of
//! the keys given; where these are too many for memory, in the order of their bytes. Retries: the
//! client's own; a listing that breaks leaves its keys to HEAD. Cancellation: dropping [`Answers`]
//! stops asking; a stopping token ends them with [`Error::Cancelled`]. Limits: HEADs and pages
//! under way are bounded by [`ExistsOptions`], memory does not grow with the number of keys.

mod asker;
mod coverage;
mod driver;
pub mod missing;
mod name;
pub mod strategy;
mod stretch;

use std::sync::Arc;
use std::time::Duration;

use base::{BucketName, ByteCount, ETag, Key};
use jiff::Timestamp;
use remote::ObjectClient;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use self::asker::Asker;
use self::driver::{Driver, Message};
pub use self::missing::Missing;
pub use self::strategy::{By, Cost};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::key_list::KeyList;

/// HEADs under way at once.
/// Reason: at 25 ms each this is about what S3 gives one prefix in a second (5,500 reads).
const HEADS_MAX: usize = 128;

/// Pages of a listing under way at once. A page is a few hundred kilobytes in memory.
const LISTS_MAX: usize = 32;

/// How keys are asked about.
#[derive(Debug, Clone)]
pub struct ExistsOptions {
    /// By HEAD, by listing, or by whichever is sooner.
    pub by: By,
    /// Ask listings only below this, and take keys elsewhere for a mistake.
    pub prefix: String,
    /// List with ListObjects (V1).
    pub list_v1: bool,
    /// Take names that begin with `s3://` for keys, not URLs.
    pub raw: bool,
    /// HEADs under way at once, at least one.
    pub heads_max: usize,
    /// Pages under way at once, at least one.
    pub lists_max: usize,
    /// Cancelled to stop asking.
    pub stopping: CancellationToken,
}

impl Default for ExistsOptions {
    fn default() -> ExistsOptions {
        ExistsOptions {
            by: By::Auto,
            prefix: String::new(),
            list_v1: false,
            raw: false,
            heads_max: HEADS_MAX,
            lists_max: LISTS_MAX,
            stopping: CancellationToken::new(),
        }
    }
}

/// What the store says of one key.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The key, or what was given in place of one, as it was given.
    pub name: String,
    /// Whether it is there.
    pub verdict: Verdict,
}

/// Whether a key is there.
#[derive(Debug, Clone)]
pub enum Verdict {
    /// It is.
    Present(Presence),
    /// It is not.
    Absent,
    /// The store would not say, or the name is no key of the bucket.
    Unknown(Arc<Error>),
}

/// What came along with the news that a key is there.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Presence {
    /// Its size.
    pub size: Option<ByteCount>,
    /// Its ETag.
    pub etag: Option<ETag>,
    /// When it last changed.
    pub last_modified: Option<Timestamp>,
}

/// How the keys are asked about, and what that costs.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// Keys asked about, once each.
    pub keys: u64,
    /// Whether most are asked by listing.
    pub listing: bool,
    /// Why, in a few words.
    pub reason: String,
    /// Stored keys among which these stand, as far as is known.
    pub stored: Option<u64>,
    /// What HEADs alone cost.
    pub by_head: Cost,
    /// What listing alone costs, once it can be told.
    pub by_list: Option<Cost>,
}

/// What asking has cost so far.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spent {
    /// HEADs sent, retries not counted.
    pub heads: u64,
    /// Pages asked for, retries not counted.
    pub lists: u64,
    /// Since the first request.
    pub elapsed: Duration,
    /// At the prices of S3 Standard, us-east-1.
    pub dollars: f64,
}

/// Answers on their way, one for each name given.
#[derive(Debug)]
pub struct Answers {
    messages: mpsc::Receiver<Message>,
    current: std::vec::IntoIter<Answer>,
    asker: Arc<Asker>,
    ended: bool,
}

/// Asks which of `keys` are in `bucket`. Duplicates are answered each.
///
/// With no more keys than `options.heads_max` this is one round of HEADs side by side and nothing
/// before it.
pub fn answer(
    client: Arc<dyn ObjectClient>,
    bucket: BucketName,
    keys: Vec<Key>,
    options: ExistsOptions,
) -> Answers {
    let names = keys.into_iter().map(|key| key.as_str().to_owned());
    let options = ExistsOptions {
        raw: true,
        ..options
    };
    begin(
        client,
        bucket,
        options,
        driver::Input::Given(names.collect()),
    )
}

/// As [`answer`], with names as people give them: keys, or URLs of the bucket (unless
/// `options.raw`). A name that is none is an answer too, an unknown one.
pub fn answer_names(
    client: Arc<dyn ObjectClient>,
    bucket: BucketName,
    names: Vec<String>,
    options: ExistsOptions,
) -> Answers {
    begin(client, bucket, options, driver::Input::Given(names))
}

/// As [`answer_names`], with the names of a list of any length.
pub fn answer_list(
    context: &Context,
    bucket: BucketName,
    list: KeyList,
    options: ExistsOptions,
) -> Answers {
    let client = Arc::clone(&context.source);
    let input = driver::Input::List(list, Box::new(context.clone()));
    begin(client, bucket, options, input)
}

fn begin(
    client: Arc<dyn ObjectClient>,
    bucket: BucketName,
    options: ExistsOptions,
    input: driver::Input,
) -> Answers {
    // Two batches ahead of the reader: one in hand, one in the making.
    let (sender, messages) = mpsc::channel(2);
    let asker = Arc::new(Asker::new(client, bucket, options));
    let driver = Driver::new(Arc::clone(&asker), sender);
    base::tasks::spawn("exists", driver.run(input));
    Answers {
        messages,
        current: Vec::new().into_iter(),
        asker,
        ended: false,
    }
}

impl Answers {
    /// The next answer; `None` after the last. An error is what kept it from asking on: the list
    /// could not be read, the credentials have expired, or it was stopped; what was not answered
    /// then has no answer.
    pub async fn next(&mut self) -> Option<Result<Answer>> {
        loop {
            if let Some(answer) = self.current.next() {
                return Some(Ok(answer));
            }
            if self.ended {
                return None;
            }
            match self.messages.recv().await {
                Some(Message::Answers(batch)) => self.current = batch.into_iter(),
                Some(Message::Whole) => self.ended = true,
                Some(Message::Failed(error)) => {
                    self.ended = true;
                    return Some(Err(error));
                }
                None => {
                    self.ended = true;
                    let what = "asking ended without a word".to_owned();
                    return Some(Err(Error::Bug(what)));
                }
            }
        }
    }

    /// How the keys are asked about; `None` while that is not known yet.
    pub fn explanation(&self) -> Option<Explanation> {
        self.asker.explanation()
    }

    /// What asking has cost so far.
    pub fn spent(&self) -> Spent {
        self.asker.spent()
    }
}

#[cfg(test)]
mod tests;
