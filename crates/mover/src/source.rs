//! What a job reads or looks at: every object that a name stands for.

mod enumeration;

use std::sync::Arc;

use base::{ByteCount, VersionId};
use remote::ObjectClient;

use self::enumeration::Enumeration;
use crate::accounts::Accounts;
use crate::context::Context;
use crate::entry::{Entry, EntryStream};
use crate::event::SkipReason;
use crate::filter::Filter;
use crate::flow::Need;
use crate::key_list::KeyList;
use crate::list::{Paired, Protocol};
use crate::shard::Shard;
use crate::url::Target;

/// A name and how it is to be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The name.
    pub target: Target,
    /// Take `*` and `?` in the name as themselves (`--raw`).
    pub raw: bool,
    /// This version of the one object named.
    pub version_id: Option<VersionId>,
    /// Every version and delete marker, each with its id.
    pub all_versions: bool,
    /// Take the name, raw, as a folder or prefix, and mean everything below it.
    pub below: bool,
    /// Follow symbolic links to files and folders; else they are passed over.
    pub follow_symlinks: bool,
    /// List with ListObjects (V1).
    pub list_v1: bool,
    /// Take the keys from here instead of listing.
    pub keys: Option<KeyList>,
    /// Only this machine's share.
    pub shard: Option<Shard>,
    /// The store is known to list in no order: list in one piece, sort on disk where order matters.
    pub unordered: bool,
    /// The same of the other side's store, for jobs that list what stands there.
    pub counterpart_unordered: bool,
    /// The order in which entries are wanted.
    pub order: Order,
}

/// The order of an enumeration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// As they come.
    #[default]
    Any,
    /// By the bytes of the relative part, ascending.
    Key,
}

/// Which of a context's two stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The one that is read from.
    Source,
    /// The one that is written to.
    Destination,
}

impl Side {
    /// The client of this side.
    pub fn client(self, context: &Context) -> Arc<dyn ObjectClient> {
        match self {
            Side::Source => Arc::clone(&context.source),
            Side::Destination => Arc::clone(&context.destination),
        }
    }

    /// What a request for this side's bytes takes.
    pub fn need(self, bytes: ByteCount) -> Need {
        match self {
            Side::Source => Need::from_source(bytes),
            Side::Destination => Need::to_destination(bytes),
        }
    }
}

impl Source {
    /// A name with every choice at its default: links followed, any order.
    pub fn new(target: Target) -> Source {
        Source {
            target,
            raw: false,
            version_id: None,
            all_versions: false,
            below: false,
            follow_symlinks: true,
            list_v1: false,
            keys: None,
            shard: None,
            unordered: false,
            counterpart_unordered: false,
            order: Order::Any,
        }
    }

    /// Whether the name is a pattern, as it is to be understood.
    pub fn is_pattern(&self) -> bool {
        !self.raw && !self.below && self.target.has_wildcard()
    }

    /// How a store is asked.
    pub fn protocol(&self) -> Protocol {
        if self.all_versions {
            Protocol::Versions
        } else if self.list_v1 {
            Protocol::V1
        } else {
            Protocol::V2
        }
    }

    /// What `--include` and `--exclude` do not see of a name: the literal part of the source, up
    /// to its first wildcard, with a `/` at its end.
    /// Source: s5cmd v2.3.0, observed; a name that does not begin so is matched whole.
    pub fn filter_base(&self) -> String {
        let whole = match &self.target {
            Target::Local(path) => crate::walk::clean(path.to_str().unwrap_or_default()),
            Target::Remote(url) => url.path.clone(),
        };
        let literal = if self.is_pattern() {
            crate::url::literal_prefix(&whole)
        } else {
            whole.as_str()
        };
        let mut base = literal.to_owned();
        if !self.target.is_remote() && base == "." {
            base.clear();
        }
        if !base.is_empty() && !base.ends_with('/') {
            base.push('/');
        }
        base
    }

    /// Why a job passes `entry` over without looking further, if it does: it counts as `ignored`.
    /// `base` is [`filter_base`](Self::filter_base), taken once a job.
    pub fn skips(&self, filter: &Filter, base: &str, entry: &Entry) -> Option<SkipReason> {
        self.skips_unless(entry, |entry| filter.admits(entry, base))
    }

    /// As [`skips`](Self::skips), for entries that the filter need not see where shard or name
    /// decide already.
    pub(crate) fn skips_unless(
        &self,
        entry: &Entry,
        admitted: impl FnOnce(&Entry) -> bool,
    ) -> Option<SkipReason> {
        if entry.is_directory_marker() {
            return Some(SkipReason::DirectoryMarker);
        }
        let name = match &self.target {
            Target::Local(_) => entry.relative(),
            Target::Remote(_) => entry.name(),
        };
        if self.shard.is_some_and(|shard| !shard.holds(name)) {
            return Some(SkipReason::OtherShard);
        }
        (!admitted(entry)).then_some(SkipReason::Filtered)
    }
}

/// Every object that `source` names on `side`, directory markers among them.
///
/// A name in a store without wildcard is that object, asked for by HEAD (absent is
/// [`Error::Remote`](crate::Error::Remote) with [`base::Fault::NotFound`]); the bucket alone or a prefix that ends in `/`
/// is everything below it. The relative part of a key begins after the literal prefix cut back to
/// its last `/`; that of a file after the folder that its name is in.
///
/// What is there and cannot be yielded (a broken link, an unreadable folder, a name that is not
/// UTF-8) is told as an event, counted in `accounts.job_failures` and in
/// [`EntryStream::problems`], and the enumeration goes on. Cancellation: dropping the stream stops
/// it; a stopping context ends it with [`Error::Cancelled`](crate::Error::Cancelled).
pub fn enumerate(
    context: &Context,
    accounts: &Arc<Accounts>,
    side: Side,
    source: &Source,
) -> EntryStream {
    let (sink, stream) = EntryStream::channel();
    let enumeration = Enumeration {
        context: context.clone(),
        accounts: Arc::clone(accounts),
        side,
        source: source.clone(),
    };
    base::tasks::spawn("enumerate", enumeration.run(sink));
    stream
}

/// Both sides of a sync listed and merged by their relative names; `None` where one of them is not
/// a listing of a store in order that may be asked for several pages at once.
pub(crate) fn enumerate_both(
    context: &Context,
    accounts: &Arc<Accounts>,
    source: &Source,
    destination: &Source,
) -> Option<Paired> {
    let of = |side, source: &Source| {
        let enumeration = Enumeration {
            context: context.clone(),
            accounts: Arc::clone(accounts),
            side,
            source: source.clone(),
        };
        enumeration.ordered_listing()
    };
    let source = of(Side::Source, source)?;
    let destination = of(Side::Destination, destination)?;
    let stopping = context.stopping.clone();
    Some(Paired::new(source, destination, stopping))
}

#[cfg(test)]
mod tests;
