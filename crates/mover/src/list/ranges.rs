//! The ranges of one listing: which are asked, where they are cut, what may be handed out.
//!
//! Overview: a range is all keys `k` with `after < k <= through`, listed page by page from its own
//! beginning. There is one at first, without bounds. A range that has more than the page in hand
//! is cut beyond its last key; the new range behind it is *unproven* until its first page shows
//! that the store honours start-after. Invariants: the ranges stand in key order and together
//! cover every key exactly once; nothing of an unproven range is handed out; a range whose
//! successor is unproven keeps what it found beyond its end, so that it can take the successor
//! back. Ordering: inside a range by key; across ranges by key where [`Order::Key`] asks for it.
//! Limits: `listings_max` pages asked for at once, twice as many ranges,
//! [`PAGES_AHEAD_MAX`] pages of each. Pure: no runtime, no clock, no store.

use std::cmp::Reverse;
use std::collections::VecDeque;

use remote::types::{ContinuationToken, ListPage, ListedObject};

use super::keyspace;
use super::token_watch::TokenWatch;
use crate::source::Order;

/// Pages that a range may hold before its turn has come.
/// A guess, not measured: 2 × 16 ranges × 4 pages × 1,000 keys of some 200 bytes are 26 MB.
pub(super) const PAGES_AHEAD_MAX: usize = 4;

/// Pages between two cuts by key: a little less, since no estimate is exact.
const PAGES_APART: u32 = 3;

const _: () = assert!((PAGES_APART as usize) < PAGES_AHEAD_MAX);

/// Cuts in a row that may prove empty before a range waits for more pages between cuts.
/// Finding the end of the keys takes about log2(key length) + 3 empty halves.
const MISSES_FREE: u32 = 8;

/// The ranges of a listing.
#[derive(Debug)]
pub(super) struct Ranges {
    order: Order,
    listings_max: usize,
    ranges: VecDeque<Range>,
    id_next: u64,
    /// No further cuts: the store was seen not to honour start-after.
    serial: bool,
    /// A second range has been proven: start-after is honoured.
    honoured: bool,
    /// Ranges made by one cut by key: more while they prove to hold keys, fewer while not.
    ahead: usize,
}

#[derive(Debug)]
struct Range {
    id: u64,
    after: Option<String>,
    through: Option<String>,
    /// First key of the newest page.
    page_first: String,
    /// First key of the page before it, or what the range begins behind.
    page_first_before: String,
    /// Last key seen.
    last: Option<String>,
    token: Option<ContinuationToken>,
    tokens: TokenWatch,
    in_flight: bool,
    /// The store showed that this range begins where it was asked to.
    proven: bool,
    ended: bool,
    /// Pages not yet handed out.
    pages: VecDeque<Vec<ListedObject>>,
    /// What lay beyond `through` while the successor is unproven, and how it went on.
    tail: Option<Tail>,
    /// Pages since the last cut.
    pages_since_cut: u32,
    /// Cuts in a row behind which there was nothing.
    misses: u32,
}

#[derive(Debug)]
struct Tail {
    objects: Vec<ListedObject>,
    next: Option<ContinuationToken>,
}

/// One page to ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ask {
    /// Which range it is for.
    pub(super) id: u64,
    /// Begin after this key.
    pub(super) start_after: Option<String>,
    /// Go on from here.
    pub(super) token: Option<ContinuationToken>,
    /// Where the same page begins, should the store no longer know the token; set only once
    /// start-after is known to be honoured.
    pub(super) last: Option<String>,
}

/// Why a page cannot be taken.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The store gave a key that does not stand behind the one before it.
    Disorder(Box<Disorder>),
    /// The store's tokens go round in a circle.
    Cycle,
}

/// Two neighbours of a listing that do not ascend.
#[derive(Debug)]
pub(super) struct Disorder {
    /// The key before.
    pub(super) previous: String,
    /// The key that came.
    pub(super) key: String,
    /// The page that holds it, untouched.
    pub(super) page: ListPage,
    /// All that was taken so far came from one listing, of which this is the next page: it can be
    /// gone on with page by page, and nothing is lost or taken twice.
    pub(super) one_listing: bool,
}

impl Ranges {
    /// One range over everything.
    pub(super) fn new(order: Order, listings_max: usize) -> Ranges {
        let mut ranges = Ranges {
            order,
            listings_max,
            ranges: VecDeque::new(),
            id_next: 0,
            serial: listings_max < 2,
            honoured: false,
            ahead: 1,
        };
        let mut root = ranges.range(None, None);
        // The whole listing has nothing to prove.
        root.proven = true;
        ranges.ranges.push_back(root);
        ranges
    }

    fn range(&mut self, after: Option<String>, through: Option<String>) -> Range {
        let id = self.id_next;
        self.id_next += 1;
        Range {
            id,
            page_first_before: after.clone().unwrap_or_default(),
            after,
            through,
            page_first: String::new(),
            last: None,
            token: None,
            tokens: TokenWatch::default(),
            in_flight: false,
            proven: false,
            ended: false,
            pages: VecDeque::new(),
            tail: None,
            pages_since_cut: 0,
            misses: 0,
        }
    }

    /// Whether everything was listed and handed out.
    pub(super) fn finished(&self) -> bool {
        self.ranges.is_empty()
    }

    /// The next page to ask for now, if any; cuts a range where there is room for one more.
    pub(super) fn next_ask(&mut self) -> Option<Ask> {
        if self.in_flight() >= self.listings_max {
            return None;
        }
        if let Some(ask) = self.ask_idle() {
            return Some(ask);
        }
        self.cut_one();
        self.ask_idle()
    }

    fn in_flight(&self) -> usize {
        self.ranges.iter().filter(|range| range.in_flight).count()
    }

    fn ask_idle(&mut self) -> Option<Ask> {
        let honoured = self.honoured;
        let range = self.ranges.iter_mut().find(|range| range.wants_page())?;
        range.in_flight = true;
        Some(Ask {
            id: range.id,
            start_after: range.after.clone().filter(|_| range.token.is_none()),
            token: range.token.clone(),
            last: range.last.clone().filter(|_| honoured),
        })
    }

    /// Cuts one range, if one is worth it, into as many as there is room for.
    fn cut_one(&mut self) {
        let room = self
            .listings_max
            .saturating_sub(self.in_flight())
            .min((2 * self.listings_max).saturating_sub(self.ranges.len()));
        if self.serial || room == 0 {
            return;
        }
        let room = room.min(self.ahead);
        let cut = self
            .worth_cutting()
            .into_iter()
            .map(|at| (at, self.ranges[at].cuts(self.order, room)))
            .find(|(_, points)| !points.is_empty());
        let Some((at, points)) = cut else {
            return;
        };
        self.ranges[at].pages_since_cut = 0;
        let mut through = self.ranges[at].through.clone();
        for point in points.into_iter().rev() {
            let range = self.range(Some(point.clone()), through);
            self.ranges.insert(at + 1, range);
            through = Some(point);
        }
        self.ranges[at].through = through;
    }

    /// The ranges that may be cut, the most deserving first. By key: in their order, since what
    /// comes first is handed out next. In any order: those that have been long for longest.
    fn worth_cutting(&self) -> Vec<usize> {
        let successor_proven = |at: usize| self.ranges.get(at + 1).is_none_or(|next| next.proven);
        let mut candidates: Vec<usize> = (0..self.ranges.len())
            .filter(|at| successor_proven(*at) && self.ranges[*at].may_be_cut())
            .collect();
        if self.order == Order::Any {
            candidates.sort_by_key(|at| Reverse(self.ranges[*at].pages_since_cut));
        }
        candidates
    }

    /// Takes the answer to an ask. On disorder nothing has changed but that the page is no longer
    /// awaited.
    pub(super) fn answered(&mut self, id: u64, page: ListPage) -> Result<(), Refusal> {
        let Some(at) = self.ranges.iter().position(|range| range.id == id) else {
            return Ok(());
        };
        let range = &mut self.ranges[at];
        range.in_flight = false;
        if !range.proven {
            let first = page.objects.first().map(|object| object.key.as_str());
            if first.is_some_and(|first| Some(first) <= range.after.as_deref()) {
                self.take_back(at);
                return Ok(());
            }
        }
        let before = range.last.as_deref().or(range.after.as_deref());
        if let Some((previous, key)) = disorder(before, &page.objects) {
            if !range.proven {
                self.take_back(at);
                return Ok(());
            }
            let one_listing = !self.honoured && range.after.is_none();
            return Err(Refusal::Disorder(Box::new(Disorder {
                previous,
                key,
                page,
                one_listing,
            })));
        }
        if page
            .next
            .as_ref()
            .is_some_and(|next| range.tokens.repeats(next))
        {
            return Err(Refusal::Cycle);
        }
        let says_nothing = page.objects.is_empty() && page.next.is_some();
        if !range.proven && !says_nothing {
            range.proven = true;
            let first = page.objects.first().map(|object| object.key.as_str());
            // By key, many are cut at once: where all keys lie beyond its end it gained nothing.
            let through = range.through.as_deref();
            let through = through.filter(|_| self.order == Order::Key);
            let empty = first.is_none_or(|first| through.is_some_and(|through| first > through));
            self.prove(at, empty);
        }
        self.accept(at, page.objects, page.next);
        self.drop_handed_out();
        Ok(())
    }

    /// The range at `at` is known to begin where it should: its predecessor need not keep what it
    /// found beyond its own end.
    fn prove(&mut self, at: usize, empty: bool) {
        self.honoured = true;
        let before = &mut self.ranges[at - 1];
        if before.tail.take().is_some() {
            before.ended = true;
        }
        if empty {
            before.misses += 1;
            self.ahead = (self.ahead / 2).max(1);
        } else {
            before.misses = 0;
            self.ahead = (self.ahead * 2).min(self.listings_max);
        }
    }

    /// The store does not honour start-after: the range before `at` goes on over it.
    fn take_back(&mut self, at: usize) {
        self.serial = true;
        let dropped = self.ranges.remove(at).expect("the caller found it there");
        let before = &mut self.ranges[at - 1];
        before.through = dropped.through;
        if let Some(tail) = before.tail.take() {
            self.accept(at - 1, tail.objects, tail.next);
        }
    }

    /// Takes keys in order into the range at `at`, up to its end.
    fn accept(&mut self, at: usize, objects: Vec<ListedObject>, next: Option<ContinuationToken>) {
        let successor_proven = self.ranges.get(at + 1).is_none_or(|next| next.proven);
        let range = &mut self.ranges[at];
        let mut objects = objects;
        let inside = match &range.through {
            Some(through) => objects.partition_point(|object| object.key.as_str() <= &**through),
            None => objects.len(),
        };
        let beyond = objects.split_off(inside);
        if let (Some(first), Some(last)) = (objects.first(), objects.last()) {
            if range.last.is_some() {
                std::mem::swap(&mut range.page_first_before, &mut range.page_first);
            }
            first.key.as_str().clone_into(&mut range.page_first);
            range.last = Some(last.key.as_str().to_owned());
            range.pages_since_cut += 1;
            range.pages.push_back(objects);
        }
        let reached = range.last.is_some() && range.last >= range.through;
        let reached = reached && range.through.is_some();
        if !beyond.is_empty() || (reached && next.is_some()) {
            if successor_proven {
                range.ended = true;
            } else {
                let objects = beyond;
                range.tail = Some(Tail { objects, next });
            }
        } else if next.is_some() {
            range.token = next;
        } else {
            range.ended = true;
        }
    }

    /// The next batch that may be handed out.
    pub(super) fn take(&mut self) -> Option<Vec<ListedObject>> {
        let batch = match self.order {
            Order::Any => self
                .ranges
                .iter_mut()
                .find_map(|range| range.pages.pop_front()),
            Order::Key => self.ranges.front_mut()?.pages.pop_front(),
        };
        self.drop_handed_out();
        batch
    }

    fn drop_handed_out(&mut self) {
        match self.order {
            Order::Any => {
                // A range without a proven successor may have to take that back: it stays.
                let unproven: Vec<u64> = self
                    .ranges
                    .iter()
                    .zip(self.ranges.iter().skip(1))
                    .filter(|(_, next)| !next.proven)
                    .map(|(range, _)| range.id)
                    .collect();
                self.ranges
                    .retain(|range| !range.is_done() || unproven.contains(&range.id));
            }
            Order::Key => {
                while self.ranges.front().is_some_and(Range::is_done)
                    && self.ranges.get(1).is_none_or(|next| next.proven)
                {
                    self.ranges.pop_front();
                }
            }
        }
    }
}

impl Range {
    fn wants_page(&self) -> bool {
        !self.in_flight && !self.ended && self.tail.is_none() && self.pages.len() < PAGES_AHEAD_MAX
    }

    fn is_done(&self) -> bool {
        self.ended && self.pages.is_empty()
    }

    /// Whether there is more than the page in hand, and enough pages since cuts proved empty.
    fn may_be_cut(&self) -> bool {
        self.proven
            && !self.ended
            && self.tail.is_none()
            && self.last.is_some()
            && self.pages_since_cut >= patience(self.misses)
    }

    /// Where to cut: in any order in the middle; by key in up to `room` places, each as far from
    /// the one before as a range may hold pages, so that what is listed ahead is handed out soon.
    fn cuts(&self, order: Order, room: usize) -> Vec<String> {
        let Some(last) = self.last.as_deref() else {
            return Vec::new();
        };
        let high = self.through.as_deref();
        let first = keyspace::wider(&self.page_first_before, &self.page_first, last);
        let middle = || keyspace::middle(first, last, high, self.misses);
        match order {
            Order::Any => middle().into_iter().collect(),
            // Counting on has failed before: halve what is not known instead.
            Order::Key if self.misses > 0 => middle().into_iter().collect(),
            Order::Key => {
                let mut points: Vec<String> = Vec::new();
                for count in 1..=u32::try_from(room).unwrap_or(u32::MAX) {
                    let pages = PAGES_APART.saturating_mul(count);
                    match keyspace::beyond(first, last, high, pages) {
                        Some(point) if points.last().is_none_or(|before| *before < point) => {
                            points.push(point);
                        }
                        Some(_) => {}
                        None => break,
                    }
                }
                if points.is_empty() {
                    points.extend(middle());
                }
                points
            }
        }
    }
}

/// Pages to wait for before the next cut, after so many in a row that proved empty.
pub(super) fn patience(misses: u32) -> u32 {
    match misses.checked_sub(MISSES_FREE) {
        None => 0,
        Some(beyond) => 1 << beyond.min(16),
    }
}

/// The first two neighbours that do not ascend, `before` counted as the first.
pub(super) fn disorder(before: Option<&str>, objects: &[ListedObject]) -> Option<(String, String)> {
    let mut previous = before;
    for object in objects {
        let key = object.key.as_str();
        if let Some(previous) = previous.filter(|previous| *previous >= key) {
            return Some((previous.to_owned(), key.to_owned()));
        }
        previous = Some(key);
    }
    None
}

#[cfg(test)]
mod tests;
