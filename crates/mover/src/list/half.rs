//! One side of a pair of ranges. Pure.

use std::collections::VecDeque;

use remote::types::{ContinuationToken, ListPage};

use super::Shape;
use super::keyspace;
use super::ranges::Ask;
use super::token_watch::TokenWatch;
use crate::entry::Entry;

/// What all ranges of one listing share.
#[derive(Debug)]
pub(super) struct Facet {
    /// What precedes the relative part of every key.
    pub(super) base: String,
    pub(super) shape: Shape,
    pub(super) settled: Settled,
}

/// What is known of a store's start-after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Settled {
    /// Not asked yet.
    Unknown,
    /// It began where it was asked to.
    Honoured,
    /// It began at its beginning.
    Ignored,
}

/// All keys of one side between two relative names, page by page.
#[derive(Debug)]
pub(super) struct Half {
    /// Which asks are its own.
    pub(super) id: u64,
    pub(super) in_flight: bool,
    /// Nothing more will be asked for.
    pub(super) ended: bool,
    /// Last key seen, with its base.
    pub(super) last: Option<String>,
    /// First key of the newest page, with its base.
    page_first: String,
    /// First key of the page before it, or what the range begins behind, with its base.
    page_before: Option<String>,
    /// Pages since the last cut.
    pub(super) pages_since_cut: u32,
    /// How the listing goes on.
    token: Option<ContinuationToken>,
    tokens: TokenWatch,
    /// How the listing goes on if start-after, which it is just asked with, is not honoured.
    probing: Option<ContinuationToken>,
    /// What may be handed out; no page is empty.
    pages: VecDeque<std::vec::IntoIter<Entry>>,
}

impl Facet {
    /// What a listing looks like before its first page. `base` is what precedes the relative part
    /// of every key.
    pub(super) fn new(base: &str, shape: Shape) -> Facet {
        Facet {
            base: base.to_owned(),
            shape,
            settled: Settled::Unknown,
        }
    }

    /// The key of a relative name.
    pub(super) fn key(&self, relative: &str) -> String {
        format!("{}{relative}", self.base)
    }

    fn relative<'a>(&self, key: &'a str) -> &'a str {
        key.strip_prefix(&self.base)
            .expect("keys that do not begin so are refused")
    }
}

impl Half {
    /// A range of which nothing has been asked.
    pub(super) fn new(id: u64) -> Half {
        Half {
            id,
            in_flight: false,
            ended: false,
            last: None,
            page_first: String::new(),
            page_before: None,
            pages_since_cut: 0,
            token: None,
            tokens: TokenWatch::default(),
            probing: None,
            pages: VecDeque::new(),
        }
    }

    /// Whether to ask for a page, where it may hold so many.
    pub(super) fn wants_page(&self, pages_max: usize) -> bool {
        !self.in_flight && !self.ended && self.pages.len() < pages_max
    }

    /// The next page of the range that begins behind `after`. The second page of a listing whose
    /// start-after is not known yet is asked for by that, which proves it at no cost.
    pub(super) fn ask(&mut self, facet: &Facet, after: Option<&str>) -> Ask {
        self.in_flight = true;
        let unknown = facet.settled == Settled::Unknown && self.probing.is_none();
        if unknown && self.last.is_some() {
            self.probing = self.token.take();
            // What is asked for anew may well say the same again.
            self.tokens = TokenWatch::default();
        }
        let start_after = match (&self.token, &self.last) {
            (Some(_), _) => None,
            (None, Some(last)) => Some(last.clone()),
            (None, None) => after.map(|after| facet.key(after)),
        };
        if self.last.is_none() {
            self.page_before = after.map(|after| facet.key(after));
        }
        let honoured = facet.settled == Settled::Honoured;
        Ask {
            id: self.id,
            start_after,
            token: self.token.clone(),
            last: self.last.clone().filter(|_| honoured),
        }
    }

    /// Whether the page that is awaited will tell if start-after is honoured.
    pub(super) fn is_probing(&self) -> bool {
        self.probing.is_some()
    }

    /// It is honoured.
    pub(super) fn probed(&mut self) {
        self.probing = None;
    }

    /// It is not: the listing goes on by token.
    pub(super) fn take_back(&mut self) {
        self.token = self.probing.take();
        self.tokens = TokenWatch::default();
    }

    /// Whether the token has come before.
    pub(super) fn repeats(&mut self, next: &ContinuationToken) -> bool {
        self.tokens.repeats(next)
    }

    /// Takes a page, up to the relative name that the range ends with.
    pub(super) fn accept(&mut self, facet: &Facet, page: ListPage, through: Option<&str>) {
        let mut objects = page.objects;
        let mut reached = false;
        if let Some(through) = through {
            let inside = |key: &str| facet.relative(key) <= through;
            let count = objects.partition_point(|object| inside(object.key.as_str()));
            reached = count < objects.len();
            objects.truncate(count);
        }
        if let (Some(first), Some(last)) = (objects.first(), objects.last()) {
            if self.last.is_some() {
                self.page_before = Some(std::mem::take(&mut self.page_first));
            }
            first.key.as_str().clone_into(&mut self.page_first);
            self.last = Some(last.key.as_str().to_owned());
            self.pages_since_cut += 1;
        }
        let last = self.last.as_deref().map(|last| facet.relative(last));
        reached |= through.is_some() && last >= through;
        self.token = page.next.filter(|_| !reached);
        self.ended = self.token.is_none();
        let meant = objects
            .into_iter()
            .filter(|object| facet.shape.means(object.key.as_str()));
        let entries: Vec<Entry> = meant.map(|object| facet.shape.entry(object)).collect();
        self.push(entries);
    }

    fn push(&mut self, entries: Vec<Entry>) {
        if !entries.is_empty() {
            self.pages.push_back(entries.into_iter());
        }
    }

    /// Cuts itself off behind a relative name; what lies beyond. Where it has listed beyond
    /// already, what is under way goes on there, and `id` is for what stays.
    pub(super) fn cut(&mut self, facet: &Facet, point: &str, id: u64) -> Half {
        self.pages_since_cut = 0;
        let reach = self.last.as_deref().map(|last| facet.relative(last));
        let passed = reach > Some(point);
        if !self.ended && !passed {
            self.ended = reach == Some(point);
            return Half::new(id);
        }
        let near = Half {
            ended: true,
            last: self.last.clone(),
            pages: self.split_pages(point),
            ..Half::new(id)
        };
        let mut beyond = std::mem::replace(self, near);
        beyond.last = beyond.last.filter(|_| passed);
        beyond
    }

    /// Keeps the entries behind a relative name; those up to it.
    fn split_pages(&mut self, point: &str) -> VecDeque<std::vec::IntoIter<Entry>> {
        let mut near = VecDeque::new();
        for page in std::mem::take(&mut self.pages) {
            let mut page: Vec<Entry> = page.collect();
            let far = page.split_off(page.partition_point(|entry| entry.relative() <= point));
            if !page.is_empty() {
                near.push_back(page.into_iter());
            }
            self.push(far);
        }
        near
    }

    /// Whether it may be cut: nothing is left to ask, or it can be asked for from anywhere.
    pub(super) fn may_be_cut(&self, facet: &Facet) -> bool {
        self.ended || (self.last.is_some() && facet.settled == Settled::Honoured)
    }

    /// Relative names that the newest page begins and ends with; the page before counts with it
    /// where it lies in another folder.
    pub(super) fn reach<'a>(&'a self, facet: &Facet) -> Option<(&'a str, &'a str)> {
        let last = facet.relative(self.last.as_deref()?);
        let first = facet.relative(&self.page_first);
        let from = match &self.page_before {
            Some(before) => keyspace::wider(facet.relative(before), first, last),
            None => first,
        };
        Some((from, last))
    }

    /// Whether the store has shown a key in it, meant or not.
    pub(super) fn holds_any(&self) -> bool {
        self.last.is_some()
    }

    /// Pages in hand.
    pub(super) fn pages(&self) -> usize {
        self.pages.len()
    }

    /// Relative name of the next entry in hand.
    pub(super) fn head(&self) -> Option<&str> {
        let page = self.pages.front()?;
        page.as_slice().first().map(Entry::relative)
    }

    /// Takes the next entry in hand.
    pub(super) fn take(&mut self) -> Option<Entry> {
        let page = self.pages.front_mut()?;
        let entry = page.next();
        if page.as_slice().is_empty() {
            self.pages.pop_front();
        }
        entry
    }
}
