//! Two listings cut at the same points, each pair of ranges merged alone: what is asked for, where
//! is cut, what may be handed out.
//!
//! Overview: a pair is all relative names `n` with `after < n <= through`, listed page by page on
//! both sides and merged by name. There is one at first, without bounds. A pair that has more than
//! its pages in hand is cut beyond the last name of the side that is behind; what the other side
//! has beyond that point goes over to the new pair. No cut is made before the second page of every
//! side that has one was asked for by start-after and came: a store that answers that with its
//! first page again is listed on by token, in one pair. Invariants: the pairs together cover every
//! name exactly once; each side of a pair ascends. Ordering: inside a pair by name; across pairs
//! none. Limits: `pairs_max` pairs, [`PAGES_MAX`] pages of each side, those asked for among them.
//! Pure: no runtime, no clock, no store.

use std::cmp::Reverse;

use base::Key;
use remote::types::{ListPage, ListedObject};

use super::half::{Facet, Half, Settled};
use super::keyspace;
use super::ranges::{Ask, disorder, patience};
use crate::compare::{Turn, turn};
use crate::entry::Entry;
use crate::source::Side;

/// Pages of one side of a pair, in hand or asked for.
pub(super) const PAGES_MAX: usize = 2;

/// What a merge of both sides comes upon.
#[derive(Debug)]
pub(crate) enum Met {
    /// Only the source has it.
    Source(Entry),
    /// Both have it: the source's first.
    Both(Entry, Entry),
    /// Only the destination has it.
    Destination(Entry),
}

/// Why a page cannot be taken.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The store gave a key that does not stand behind the one before it.
    Disorder { previous: String, key: String },
    /// The store's tokens go round in a circle.
    Cycle,
    /// The store gave a key that does not begin as it was asked to.
    Foreign(Key),
}

/// The pairs of two listings.
#[derive(Debug)]
pub(super) struct Pairs {
    source: Facet,
    destination: Facet,
    pairs_max: usize,
    pairs: Vec<Pair>,
    /// The pair that was merged last.
    current: usize,
    id_next: u64,
    /// Pairs made by one cut: more while they prove to hold names, fewer while not.
    ahead: usize,
    /// Something has come or gone since the last look for what to ask.
    changed: bool,
}

#[derive(Debug)]
struct Pair {
    id: u64,
    /// Relative name that the pair begins behind.
    after: Option<String>,
    /// Relative name that the pair ends with.
    through: Option<String>,
    source: Half,
    destination: Half,
    /// Cuts in a row behind which there was nothing.
    misses: u32,
    /// The pair that this one was cut from, while it is not known whether there is anything in it.
    parent: Option<u64>,
}

impl Pairs {
    /// One pair that covers all; `pairs_max` at most, at least one.
    pub(super) fn new(source: Facet, destination: Facet, pairs_max: usize) -> Pairs {
        let whole = Pair {
            id: 0,
            after: None,
            through: None,
            source: Half::new(1),
            destination: Half::new(2),
            misses: 0,
            parent: None,
        };
        Pairs {
            source,
            destination,
            pairs_max,
            pairs: vec![whole],
            current: 0,
            id_next: 3,
            ahead: pairs_max.min(2),
            changed: true,
        }
    }

    /// Whether everything has been handed out.
    pub(super) fn finished(&self) -> bool {
        self.pairs.is_empty()
    }

    /// The next page to ask for now, if any; cuts a pair where there is room for one more.
    pub(super) fn next_ask(&mut self) -> Option<(Side, Ask)> {
        if !self.changed {
            return None;
        }
        while self.pairs.len() < self.pairs_max && self.cut_one() {}
        for pair in &mut self.pairs {
            let after = pair.after.as_deref();
            for (side, half, facet) in [
                (Side::Source, &mut pair.source, &self.source),
                (Side::Destination, &mut pair.destination, &self.destination),
            ] {
                if half.wants_page(PAGES_MAX) {
                    return Some((side, half.ask(facet, after)));
                }
            }
        }
        self.changed = false;
        None
    }

    /// Takes the answer to an ask. An error says which side's store gave it.
    pub(super) fn answered(&mut self, id: u64, page: ListPage) -> Result<(), (Side, Refusal)> {
        let owner = self.pairs.iter_mut().find_map(|pair| {
            if pair.source.id == id {
                Some((pair, Side::Source))
            } else if pair.destination.id == id {
                Some((pair, Side::Destination))
            } else {
                None
            }
        });
        let Some((pair, side)) = owner else {
            return Ok(());
        };
        self.changed = true;
        let (half, facet) = match side {
            Side::Source => (&mut pair.source, &mut self.source),
            Side::Destination => (&mut pair.destination, &mut self.destination),
        };
        half.in_flight = false;
        if half.ended {
            return Ok(());
        }
        let after = pair.after.as_deref().map(|after| facet.key(after));
        let before = half.last.as_deref().or(after.as_deref());
        let first = page.objects.first().map(|object| object.key.as_str());
        if half.is_probing() && first.is_some_and(|first| Some(first) <= before) {
            // Its first page again: start-after means nothing to this store.
            half.take_back();
            facet.settled = Settled::Ignored;
            return Ok(());
        }
        if let Some((previous, key)) = disorder(before, &page.objects) {
            return Err((side, Refusal::Disorder { previous, key }));
        }
        if let Some(foreign) = foreign(&page.objects, facet) {
            return Err((side, Refusal::Foreign(foreign)));
        }
        if page.next.as_ref().is_some_and(|next| half.repeats(next)) {
            return Err((side, Refusal::Cycle));
        }
        let says_nothing = page.objects.is_empty() && page.next.is_some();
        if half.is_probing() && !says_nothing {
            half.probed();
            facet.settled = Settled::Honoured;
        }
        half.accept(facet, page, pair.through.as_deref());
        self.look_for_misses();
        Ok(())
    }

    /// Tells those that were cut whether there was anything behind the cut.
    fn look_for_misses(&mut self) {
        for at in 0..self.pairs.len() {
            let pair = &mut self.pairs[at];
            let empty = !pair.source.holds_any() && !pair.destination.holds_any();
            if empty && !pair.is_listed() {
                continue;
            }
            let Some(parent) = pair.parent.take() else {
                continue;
            };
            let parent = self.pairs.iter_mut().find(|pair| pair.id == parent);
            if let Some(parent) = parent {
                parent.misses = if empty { parent.misses + 1 } else { 0 };
            }
            self.ahead = if empty {
                (self.ahead / 2).max(1)
            } else {
                (self.ahead * 2).min(self.pairs_max)
            };
        }
    }

    /// Cuts the pair that deserves it most, if one does.
    fn cut_one(&mut self) -> bool {
        let mut candidates: Vec<usize> = (0..self.pairs.len())
            .filter(|at| self.may_be_cut(*at))
            .collect();
        candidates.sort_by_key(|at| Reverse(self.pairs[*at].pages_since_cut()));
        let room = (self.pairs_max - self.pairs.len()).min(self.ahead);
        let cut = candidates
            .into_iter()
            .map(|at| {
                let points = self.pairs[at].points(&self.source, &self.destination, room);
                (at, points)
            })
            .find(|(_, points)| !points.is_empty());
        let Some((at, points)) = cut else {
            return false;
        };
        let first = self.pairs.len();
        for point in points.into_iter().rev() {
            let ids = [self.id_next, self.id_next + 1, self.id_next + 2];
            self.id_next += 3;
            let pair = &mut self.pairs[at];
            let behind = pair.cut(point, ids, &self.source, &self.destination);
            // Each waits for the one behind it.
            if self.pairs.len() > first
                && let Some(before) = self.pairs.last_mut()
            {
                before.parent = Some(behind.id);
            }
            self.pairs.push(behind);
        }
        self.look_for_misses();
        true
    }

    /// Whether there is more than the pages in hand, both stores are known to begin where they are
    /// asked to, and enough pages came since cuts proved empty.
    fn may_be_cut(&self, at: usize) -> bool {
        let pair = &self.pairs[at];
        let awaited = |other: &Pair| other.parent == Some(pair.id);
        pair.source.may_be_cut(&self.source)
            && pair.destination.may_be_cut(&self.destination)
            && !pair.is_listed()
            && pair.pages_since_cut() >= patience(pair.misses)
            && !self.pairs.iter().any(awaited)
    }

    /// The next that may be handed out, of any pair.
    pub(super) fn take(&mut self) -> Option<Met> {
        let mut blocked = 0;
        while blocked < self.pairs.len() {
            self.current %= self.pairs.len();
            let pair = &mut self.pairs[self.current];
            match pair.turn() {
                None => {
                    blocked += 1;
                    self.current += 1;
                }
                Some(Turn::End) => {
                    self.pairs.swap_remove(self.current);
                    self.changed = true;
                    blocked = 0;
                }
                Some(turn) => {
                    let pages = pair.pages();
                    let met = pair.take(turn);
                    self.changed |= pair.pages() != pages;
                    return Some(met);
                }
            }
        }
        None
    }

    /// The most pages that any side of a pair holds or has asked for.
    #[cfg(test)]
    pub(super) fn pages_of_a_side(&self) -> usize {
        let halves = self
            .pairs
            .iter()
            .flat_map(|pair| [&pair.source, &pair.destination]);
        halves
            .map(|half| half.pages() + usize::from(half.in_flight))
            .max()
            .unwrap_or(0)
    }

    /// Pairs under way.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.pairs.len()
    }
}

impl Pair {
    /// Whether nothing more will be asked for.
    fn is_listed(&self) -> bool {
        self.source.ended && self.destination.ended
    }

    fn pages(&self) -> usize {
        self.source.pages() + self.destination.pages()
    }

    fn pages_since_cut(&self) -> u32 {
        self.source
            .pages_since_cut
            .max(self.destination.pages_since_cut)
    }

    /// Cuts itself off behind a relative name; what lies beyond. `ids` are for that pair and for
    /// one half of each side.
    fn cut(&mut self, point: String, ids: [u64; 3], source: &Facet, destination: &Facet) -> Pair {
        Pair {
            id: ids[0],
            source: self.source.cut(source, &point, ids[1]),
            destination: self.destination.cut(destination, &point, ids[2]),
            through: self.through.replace(point.clone()),
            after: Some(point),
            misses: 0,
            parent: Some(self.id),
        }
    }

    /// Up to `room` relative names, ascending, beyond what the side that is behind has listed.
    fn points(&self, source: &Facet, destination: &Facet, room: usize) -> Vec<String> {
        let sides = [(&self.source, source), (&self.destination, destination)];
        let long = sides.into_iter().filter(|(half, _)| !half.ended);
        let reach = long.filter_map(|(half, facet)| half.reach(facet));
        let Some((first, last)) = reach.min_by_key(|(_, last)| *last) else {
            return Vec::new();
        };
        let high = self.through.as_deref();
        let middle = || keyspace::middle(first, last, high, self.misses);
        // Counting on has failed before: halve what is not known instead.
        if self.misses > 0 {
            return middle().into_iter().collect();
        }
        let room = u32::try_from(room).unwrap_or(u32::MAX);
        let known = high.is_some_and(|high| keyspace::pages_left(first, last, high).is_some());
        if known && room > 1 {
            return keyspace::apart(first, last, high, room);
        }
        // Where counting does not reach there may be more than it reaches.
        let mut points = keyspace::apart(first, last, high, room - 1);
        let far = middle().filter(|far| points.last().is_none_or(|before| before < far));
        points.extend(far);
        points
    }

    /// Whose turn it is; `None` where a page must come first.
    fn turn(&self) -> Option<Turn> {
        let (source, destination) = (self.source.head(), self.destination.head());
        let blocked = (source.is_none() && !self.source.ended)
            || (destination.is_none() && !self.destination.ended);
        (!blocked).then(|| turn(source, destination))
    }

    fn take(&mut self, turn: Turn) -> Met {
        let there = "the turn was decided by this head";
        match turn {
            Turn::Source => Met::Source(self.source.take().expect(there)),
            Turn::Destination => Met::Destination(self.destination.take().expect(there)),
            Turn::Both => Met::Both(
                self.source.take().expect(there),
                self.destination.take().expect(there),
            ),
            Turn::End => unreachable!("a pair that has ended is dropped"),
        }
    }
}

/// A key that is not below what both sides share. The keys ascend, so that first and last tell.
fn foreign(objects: &[ListedObject], facet: &Facet) -> Option<Key> {
    let ends = objects.first().into_iter().chain(objects.last());
    let mut strangers = ends.filter(|object| !object.key.as_str().starts_with(&facet.base));
    strangers.next().map(|object| object.key.clone())
}

#[cfg(test)]
mod tests;
