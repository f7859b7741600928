//! A run of neighbouring keys, answered one step after the other.

use std::sync::Arc;

use base::Key;
use futures_util::future::join_all;

use super::Verdict;
use super::asker::Asker;
use super::coverage::{Coverage, Says, just_before};
use super::strategy::{Local, Step};

/// Keys in order, each once, and what is known of them so far.
#[derive(Debug)]
pub(super) struct Stretch {
    asker: Arc<Asker>,
    keys: Vec<Key>,
    verdicts: Vec<Option<Verdict>>,
    /// All before this have an answer.
    at: usize,
    local: Local,
}

impl Stretch {
    pub(super) fn new(asker: Arc<Asker>, keys: Vec<Key>) -> Stretch {
        Stretch {
            asker,
            verdicts: keys.iter().map(|_| None).collect(),
            keys,
            at: 0,
            local: Local::default(),
        }
    }

    /// Asks until every key has its answer. `probes` begins with a page, so that it is learnt what
    /// pages are worth.
    pub(super) async fn run(mut self, probes: bool) -> Vec<Verdict> {
        let mut probes = probes;
        while self.at < self.keys.len() {
            let asker = Arc::clone(&self.asker);
            if let Some(whole) = asker.whole() {
                self.settle_by(whole).await;
                break;
            }
            if self.take_what_was_seen() {
                continue;
            }
            let left = self.keys.len() - self.at;
            let step = match std::mem::take(&mut probes) && asker.tries_pages() {
                true => Step::Page,
                false => asker.next(&mut self.local, left),
            };
            match step {
                Step::Heads(count) => self.ask(self.at..self.at + count.clamp(1, left)).await,
                Step::Page => self.page().await,
                Step::Wait => asker.first_page().await,
            }
        }
        let there = "every key before the end has an answer";
        let verdicts = self.verdicts.into_iter();
        verdicts.map(|verdict| verdict.expect(there)).collect()
    }

    /// Takes what a page that somebody asked for says of the next keys. False where it says nothing.
    fn take_what_was_seen(&mut self) -> bool {
        let Some(page) = self.asker.seen(&self.keys[self.at]) else {
            return false;
        };
        let trusted = self.asker.is_trusted();
        while let Some(key) = self.keys.get(self.at) {
            self.verdicts[self.at] = match page.says(key.as_str(), trusted) {
                Says::Present(presence) => Some(Verdict::Present(presence)),
                Says::Absent => Some(Verdict::Absent),
                Says::Nothing => break,
            };
            self.at += 1;
        }
        true
    }

    /// Asks about each of these keys and moves on behind them.
    async fn ask(&mut self, range: std::ops::Range<usize>) {
        let end = range.end;
        self.ask_each(range).await;
        self.at = end;
    }

    async fn ask_each(&mut self, indexes: impl Iterator<Item = usize>) {
        let indexes: Vec<usize> = indexes.collect();
        let asked = indexes.iter().map(|at| self.asker.ask(&self.keys[*at]));
        for (at, verdict) in indexes.iter().zip(join_all(asked).await) {
            self.verdicts[*at] = Some(verdict);
        }
    }

    /// Asks for the page that begins with the next key.
    async fn page(&mut self) {
        let after = just_before(self.keys[self.at].as_str());
        let Ok((page, took)) = self.asker.page(after).await else {
            return self.ask(self.at..self.at + 1).await;
        };
        let end = if page.ends() && page.is_in_order() {
            self.keys.len()
        } else {
            let last = page.last().unwrap_or_default();
            self.at + self.keys[self.at..].partition_point(|key| key.as_str() <= last)
        };
        // A page that ends before the key it was asked for cannot bring it further.
        let end = end.max(self.at + 1);
        let answered = self.settle(&page, end).await;
        let answered = answered as f64 * self.reach(&page, end);
        self.asker
            .took_page(&mut self.local, took, answered, page.len());
        self.at = end;
    }

    /// How much further the page reaches than the stretch.
    fn reach(&self, page: &Coverage, end: usize) -> f64 {
        let last = self.keys.last().filter(|_| end == self.keys.len());
        let used = last.map_or(page.len(), |key| page.rows_through(key.as_str()));
        page.len().max(1) as f64 / used.max(1) as f64
    }

    /// Takes from a page what it says of the keys up to `end`, and asks about the others. How many
    /// it answered.
    async fn settle(&mut self, page: &Coverage, end: usize) -> usize {
        let trusted = self.asker.is_trusted();
        let mut open = Vec::new();
        for at in self.at..end {
            match page.says(self.keys[at].as_str(), trusted) {
                Says::Present(presence) => self.verdicts[at] = Some(Verdict::Present(presence)),
                Says::Absent => self.verdicts[at] = Some(Verdict::Absent),
                Says::Nothing => open.push(at),
            }
        }
        let answered = end - self.at - open.len();
        self.ask_each(open.into_iter()).await;
        answered
    }

    async fn settle_by(&mut self, whole: &Coverage) {
        self.settle(whole, self.keys.len()).await;
        self.at = self.keys.len();
    }
}
