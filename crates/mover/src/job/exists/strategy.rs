//! HEAD or listing: which answers sooner, and what each costs. Pure.
//!
//! `n` keys asked of `N`: HEADs take `n * head / heads_at_once`, a listing
//! `N / 1000 * list / lists_at_once`. `N` is not asked for but estimated: a page that answers `y` of
//! the keys asked stands for a thousand stored ones, so that the pages which the keys touch are
//! about `n / y`. A listing is sooner where a page answers more keys than HEADs would in its time.

use std::time::Duration;

use base::limits::LIST_PAGE_KEYS_MAX;

/// How keys are asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum By {
    /// Whichever is sooner, found out on the way.
    #[default]
    Auto,
    /// One HEAD a key.
    Head,
    /// Listings alone.
    List,
}

/// What one HEAD takes before any has been measured.
/// Source: S3's first-byte latency for small requests, 10-30 ms; an order of magnitude.
const HEAD_TIME: Duration = Duration::from_millis(20);

/// How many HEADs a page takes the time of, before any page has been measured.
/// Source: a page takes 75-300 ms (measured at S3 by many), a HEAD about a fifth.
const LIST_TIME_IN_HEADS: u32 = 5;

/// Price of a million HEADs in US dollars.
/// Source: S3 pricing, Standard, us-east-1, "GET, SELECT, and all other requests" (read 2026-11).
const HEAD_PRICE_MILLION: f64 = 0.4;

/// Price of a million pages of a listing in US dollars.
/// Source: S3 pricing, Standard, us-east-1, "PUT, COPY, POST, LIST requests" (read 2026-11).
const LIST_PRICE_MILLION: f64 = 5.0;

/// Measurements before an average is believed.
const MEASURED_MIN: u64 = 4;

/// HEADs that a stretch sends before it looks again at what is known by then.
const CHUNK_MAX: usize = 64;

/// HEADs that a stretch sends before the first page is back: enough to measure what one takes.
const SAMPLE_HEADS: usize = 4;

/// HEADs that all stretches send before it: about a page's price. What pages are worth decides about
/// the rest. Source: the prices above: a page costs twelve and a half HEADs.
const SAMPLE_HEADS_ALL: usize = 12;

/// After a page that did not pay, HEADs worth so many pages are sent before the next is tried; it
/// doubles with every miss. So a wrong belief costs an eighth at most.
const PATIENCE_PAGES: f64 = 8.0;

/// What requests take, and how many are under way at once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rates {
    /// One HEAD.
    pub head: Duration,
    /// One page of a listing.
    pub list: Duration,
    /// HEADs under way at once.
    pub heads_at_once: usize,
    /// Pages under way at once.
    pub lists_at_once: usize,
}

/// What an answer to all keys costs one way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cost {
    /// Requests.
    pub requests: u64,
    /// Wall time, at the rates known.
    pub time: Duration,
    /// At the prices of S3 Standard, us-east-1.
    pub dollars: f64,
}

/// What is asked next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// A HEAD for each of the next keys, so many at most.
    Heads(usize),
    /// A page of the listing that begins at the next key.
    Page,
    /// Nothing, until it is known what pages are worth.
    Wait,
}

/// What is known of all keys asked about, shared by those who ask.
#[derive(Debug, Clone)]
pub(super) struct Knowledge {
    by: By,
    heads_at_once: usize,
    lists_at_once: usize,
    head: Average,
    list: Average,
    /// Keys asked about, once each.
    distinct: u64,
    pages: u64,
    /// Rows of those pages.
    rows: u64,
    /// HEADs that may still be sent before the first page is back.
    sample_left: usize,
    /// Keys that those pages answered, or would have where a page reached past a stretch's end.
    answered: f64,
}

/// What one stretch has found out for itself: keys that stand close together in one part of a
/// bucket may be scattered in another.
#[derive(Debug, Clone, Default)]
pub(super) struct Local {
    last_yield: Option<f64>,
    misses: u32,
    heads_since: f64,
    start: Start,
}

/// How far a stretch is while no page has come back to anybody.
#[derive(Debug, Clone, Copy, Default)]
enum Start {
    #[default]
    Fresh,
    /// It has sent its few HEADs.
    Sampled,
    /// It has waited: the pages came to nothing.
    Waited,
}

#[derive(Debug, Clone, Copy, Default)]
struct Average {
    total: Duration,
    count: u64,
}

impl Average {
    fn add(&mut self, took: Duration) {
        self.total = self.total.saturating_add(took);
        self.count += 1;
    }

    fn of(&self, least: u64) -> Option<Duration> {
        let count = u32::try_from(self.count).unwrap_or(u32::MAX);
        (self.count >= least).then(|| self.total / count.max(1))
    }
}

impl Rates {
    /// Keys that a page must answer for a listing to be as fast as HEADs.
    pub fn break_even(&self) -> f64 {
        let list = self.list.as_secs_f64() / self.lists_at_once.max(1) as f64;
        let head = self.head.as_secs_f64() / self.heads_at_once.max(1) as f64;
        // Below a microsecond there is nothing to be compared.
        list.max(1e-6) / head.max(1e-6)
    }

    /// What HEADs for so many keys cost.
    pub fn heads(&self, keys: u64) -> Cost {
        let rounds = keys.div_ceil(self.heads_at_once.max(1) as u64);
        Cost {
            requests: keys,
            time: times(self.head, rounds),
            dollars: keys as f64 * HEAD_PRICE_MILLION / 1e6,
        }
    }

    /// What reading through so many stored keys costs.
    pub fn lists(&self, stored: u64) -> Cost {
        let pages = stored.div_ceil(u64::from(LIST_PAGE_KEYS_MAX)).max(1);
        let rounds = pages.div_ceil(self.lists_at_once.max(1) as u64);
        Cost {
            requests: pages,
            time: times(self.list, rounds),
            dollars: pages as f64 * LIST_PRICE_MILLION / 1e6,
        }
    }
}

fn times(one: Duration, count: u64) -> Duration {
    one.saturating_mul(u32::try_from(count).unwrap_or(u32::MAX))
}

/// What so many requests of either kind cost in US dollars.
pub fn dollars(heads: u64, lists: u64) -> f64 {
    (heads as f64 * HEAD_PRICE_MILLION + lists as f64 * LIST_PRICE_MILLION) / 1e6
}

impl Knowledge {
    pub(super) fn new(by: By, distinct: u64, heads: usize, lists: usize) -> Knowledge {
        Knowledge {
            by,
            heads_at_once: heads,
            lists_at_once: lists,
            head: Average::default(),
            list: Average::default(),
            distinct,
            pages: 0,
            rows: 0,
            sample_left: SAMPLE_HEADS_ALL,
            answered: 0.0,
        }
    }

    /// A HEAD took so long.
    pub(super) fn took_head(&mut self, took: Duration) {
        self.head.add(took);
    }

    /// A page of so many rows took so long and answered so many keys.
    pub(super) fn took_page(&mut self, took: Duration, answered: f64, rows: usize) {
        self.list.add(took);
        self.pages += 1;
        self.rows += rows as u64;
        self.answered += answered;
    }

    pub(super) fn by(&self) -> By {
        self.by
    }

    pub(super) fn distinct(&self) -> u64 {
        self.distinct
    }

    /// Whether one round of HEADs answers everything: nothing is sooner than that.
    pub(super) fn is_few(&self) -> bool {
        self.distinct <= self.heads_at_once as u64
    }

    pub(super) fn rates(&self) -> Rates {
        let head = self.head.of(MEASURED_MIN).unwrap_or(HEAD_TIME);
        let list = self.list.of(1).unwrap_or(head * LIST_TIME_IN_HEADS);
        Rates {
            head,
            list,
            heads_at_once: self.heads_at_once,
            lists_at_once: self.lists_at_once,
        }
    }

    /// Keys that a page answers on average; `None` before the first.
    pub(super) fn page_yield(&self) -> Option<f64> {
        (self.pages > 0).then(|| self.answered / self.pages as f64)
    }

    /// Stored keys in the pages that the keys asked about touch, as far as is known.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an estimate that is not negative, for people"
    )]
    pub(super) fn stored_estimate(&self) -> Option<u64> {
        // A page that answered nothing still answered the key it was asked for.
        let page_yield = self.page_yield()?.max(1.0);
        let pages = self.distinct as f64 / page_yield;
        let rows = self.rows as f64 / self.pages as f64;
        Some((pages * rows).ceil() as u64)
    }

    /// Whether listing is what the average says.
    pub(super) fn lists(&self) -> bool {
        match self.by {
            By::Head => false,
            By::List => true,
            By::Auto if self.is_few() => false,
            By::Auto => self
                .page_yield()
                .is_some_and(|found| found >= self.rates().break_even()),
        }
    }
}

impl Local {
    /// What to ask next, of `left` keys that have no answer yet. `usable` says that the listing has
    /// neither been refused nor proved untrue.
    pub(super) fn next(&mut self, known: &mut Knowledge, usable: bool, left: usize) -> Step {
        let chunk = match known.is_few() {
            true => left.max(1),
            false => known.heads_at_once.clamp(1, CHUNK_MAX).min(left.max(1)),
        };
        match known.by {
            By::Head => return Step::Heads(chunk),
            By::List if usable => return Step::Page,
            By::List => return Step::Heads(chunk),
            By::Auto if known.is_few() || !usable => return Step::Heads(chunk),
            By::Auto => {}
        }
        let break_even = known.rates().break_even();
        // The keys left cannot pay for a page, however close they stand.
        let enough = left as f64 >= break_even;
        if enough && self.last_yield.is_none() && known.page_yield().is_none() {
            match self.start {
                Start::Fresh if known.sample_left > 0 => {
                    self.start = Start::Sampled;
                    let sample = SAMPLE_HEADS.min(chunk).min(known.sample_left);
                    known.sample_left -= sample;
                    self.heads_since += sample as f64;
                    return Step::Heads(sample);
                }
                Start::Fresh | Start::Sampled => {
                    self.start = Start::Waited;
                    return Step::Wait;
                }
                Start::Waited => {}
            }
        }
        let pays = match (self.last_yield, known.page_yield()) {
            (Some(found), _) | (None, Some(found)) => found >= break_even,
            (None, None) => false,
        };
        let patience = PATIENCE_PAGES * break_even * f64::from(1_u32 << self.misses.min(16));
        let tries_again = known.page_yield().is_some() && self.heads_since >= patience;
        if enough && (pays || tries_again) {
            Step::Page
        } else {
            self.heads_since += chunk as f64;
            Step::Heads(chunk)
        }
    }

    /// A page answered so many keys.
    pub(super) fn took_page(&mut self, answered: f64, known: &Knowledge) {
        self.heads_since = 0.0;
        self.last_yield = Some(answered);
        if answered >= known.rates().break_even() {
            self.misses = 0;
        } else {
            self.misses += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FACTS: a page takes five times a HEAD, and as many of either are under way.
    const EVEN: Rates = Rates {
        head: Duration::from_millis(20),
        list: Duration::from_millis(100),
        heads_at_once: 16,
        lists_at_once: 16,
    };

    #[test]
    fn a_listing_wins_on_time_beyond_a_two_hundredth_and_on_price_beyond_an_eightieth() {
        assert!((EVEN.break_even() - 5.0).abs() < 1e-9);
        let stored = 8_000_000;
        let lists = EVEN.lists(stored);
        assert!(EVEN.heads(stored / 201).time < lists.time);
        assert!(EVEN.heads(stored / 199).time > lists.time);
        assert!(EVEN.heads(stored / 81).dollars < lists.dollars);
        assert!(EVEN.heads(stored / 79).dollars > lists.dollars);
    }

    #[test]
    fn a_page_that_answers_more_than_its_time_in_heads_means_listing() {
        let known = |answered| {
            let mut known = Knowledge::new(By::Auto, 100_000, 16, 16);
            known.took_page(Duration::from_millis(100), answered, 1_000);
            known
        };
        assert!(known(6.0).lists() && !known(4.0).lists());
        assert_eq!(known(100.0).stored_estimate(), Some(1_000_000));
        assert_eq!(known(0.0).stored_estimate(), Some(100_000_000));
    }

    #[test]
    fn few_keys_are_asked_by_head_whatever_is_known() {
        let mut known = Knowledge::new(By::Auto, 16, 16, 16);
        known.took_page(Duration::from_millis(100), 1_000.0, 1_000);
        assert_eq!(Local::default().next(&mut known, true, 16), Step::Heads(16));
    }

    #[test]
    fn a_few_heads_are_sent_until_a_page_has_come() {
        let mut known = Knowledge::new(By::Auto, 100_000, 16, 16);
        let mut local = Local::default();
        assert_eq!(local.next(&mut known, true, 1_000), Step::Heads(4));
        assert_eq!(local.next(&mut known, true, 1_000), Step::Wait);
        // The pages came to nothing.
        assert_eq!(local.next(&mut known, true, 1_000), Step::Heads(16));
        // Others have sent enough by now.
        let mut others: Vec<Local> = (0..3).map(|_| Local::default()).collect();
        let steps = others
            .iter_mut()
            .map(|local| local.next(&mut known, true, 1_000));
        let steps: Vec<Step> = steps.collect();
        assert_eq!(steps, [Step::Heads(4), Step::Heads(4), Step::Wait]);
        // Too few are left for a page to pay, or the listing is of no use: nothing to wait for.
        assert_eq!(Local::default().next(&mut known, true, 4), Step::Heads(4));
        assert_eq!(
            Local::default().next(&mut known, false, 1_000),
            Step::Heads(16)
        );
        known.took_page(Duration::from_millis(100), 50.0, 1_000);
        assert_eq!(local.next(&mut known, true, 1_000), Step::Page);
        assert_eq!(local.next(&mut known, false, 1_000), Step::Heads(16));
        // The last few are not worth a page.
        assert_eq!(local.next(&mut known, true, 3), Step::Heads(3));
    }

    #[test]
    fn a_scattered_stretch_costs_an_eighth_more_at_most_and_finds_a_cluster_again() {
        let mut known = Knowledge::new(By::Auto, 1_000_000, 16, 16);
        known.took_page(Duration::from_millis(100), 1.0, 1_000);
        let mut local = Local::default();
        let (mut heads, mut pages) = (0_usize, 0_u32);
        for _ in 0..1_000 {
            match local.next(&mut known, true, 1_000_000) {
                Step::Heads(count) => heads += count,
                Step::Page => {
                    pages += 1;
                    local.took_page(1.0, &known);
                }
                Step::Wait => panic!("a page has come"),
            }
        }
        assert!(pages > 0);
        assert!(f64::from(pages) * known.rates().break_even() <= heads as f64 / 8.0);
        local.took_page(900.0, &known);
        assert_eq!(local.next(&mut known, true, 1_000), Step::Page);
    }

    #[test]
    fn what_was_said_is_done() {
        let mut head = Knowledge::new(By::Head, 1_000_000, 16, 16);
        let mut list = Knowledge::new(By::List, 1, 16, 16);
        assert_eq!(Local::default().next(&mut head, true, 100), Step::Heads(16));
        assert_eq!(Local::default().next(&mut list, true, 1), Step::Page);
    }
}
