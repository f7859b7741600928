//! Two stores of names behind the bookkeeping, answering in an order that the test draws.

use std::collections::BTreeSet;

use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};
use remote::types::ContinuationToken;

use super::*;
use crate::list::Keys;
use crate::list::workbench::{HONEST, Manner, numbered, object, page, shapes};
use crate::wildcard::Wildcard;

/// One side: what its keys begin with, its keys, how its store answers.
struct Store {
    base: &'static str,
    keys: BTreeSet<String>,
    manner: Manner,
}

impl Store {
    fn new(base: &'static str, names: &BTreeSet<String>, manner: Manner) -> Store {
        let keys = names.iter().map(|name| format!("{base}{name}")).collect();
        Store { base, keys, manner }
    }

    fn facet(&self, keys: Keys) -> Facet {
        let shape = crate::list::Shape {
            bucket: base::BucketName::new("bucket").unwrap(),
            relative_start: self.base.len(),
            keys,
        };
        Facet::new(self.base, shape)
    }
}

#[derive(Debug, Default)]
struct Outcome {
    only_source: Vec<String>,
    both: Vec<String>,
    only_destination: Vec<String>,
    requests: usize,
    in_flight_max: usize,
    pages_of_a_side_max: usize,
    pairs_most: usize,
}

impl Outcome {
    fn meet(&mut self, met: Met) {
        let name = |entry: Entry| entry.relative().to_owned();
        match met {
            Met::Source(entry) => self.only_source.push(name(entry)),
            Met::Destination(entry) => self.only_destination.push(name(entry)),
            Met::Both(entry, there) => {
                assert_eq!(entry.relative(), there.relative());
                assert!(entry.name().starts_with("from/"), "{entry:?}");
                self.both.push(name(entry));
            }
        }
    }
}

/// Runs both listings to their end; `draw` picks whose answer comes next and how much is taken.
fn run(
    source: &Store,
    destination: &Store,
    meant: Keys,
    pairs_max: usize,
    mut draw: impl FnMut(usize) -> usize,
) -> Outcome {
    let mut pairs = Pairs::new(source.facet(meant), destination.facet(Keys::All), pairs_max);
    let mut flying: Vec<(Side, Ask)> = Vec::new();
    let mut outcome = Outcome::default();
    while !pairs.finished() {
        while let Some(ask) = pairs.next_ask() {
            flying.push(ask);
            outcome.requests += 1;
        }
        outcome.in_flight_max = outcome.in_flight_max.max(flying.len());
        outcome.pairs_most = outcome.pairs_most.max(pairs.len());
        let held = pairs.pages_of_a_side();
        outcome.pages_of_a_side_max = outcome.pages_of_a_side_max.max(held);
        let met = pairs.take();
        let progress = met.is_some();
        if let Some(met) = met {
            outcome.meet(met);
        }
        if !flying.is_empty() && (!progress || draw(2) == 0) {
            let (side, ask) = flying.remove(draw(flying.len()));
            let store = match side {
                Side::Source => source,
                Side::Destination => destination,
            };
            let answer = page(&store.keys, &ask, store.manner);
            pairs.answered(ask.id, answer).expect("an ordered store");
        }
        assert!(
            outcome.requests < 100_000,
            "the listings do not end: {pairs:?}"
        );
    }
    outcome
}

fn xorshift(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed | 1;
    move |bound| {
        // The draw must not depend on anything but the seed.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % bound as u64).unwrap()
    }
}

fn sorted<'a>(names: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut names: Vec<String> = names.cloned().collect();
    names.sort();
    names
}

proptest! {
    #[test]
    fn pairs_merge_as_sets_would_and_give_no_name_twice(
        source in proptest::collection::btree_set("[ab/é😀0-3\\x00-]{1,6}", 0..150),
        destination in proptest::collection::btree_set("[ab/é😀0-3\\x00-]{1,6}", 0..150),
        shared in proptest::collection::btree_set("[ab/é😀0-3\\x00-]{1,6}", 0..100),
        pages in (1usize..9, 1usize..9),
        pairs_max in 1usize..9,
        honours in (proptest::bool::weighted(0.8), proptest::bool::weighted(0.8)),
        empty_pages in (any::<bool>(), any::<bool>()),
        pattern in proptest::bool::weighted(0.3),
        seed in any::<u64>(),
    ) {
        let source: BTreeSet<String> = source.union(&shared).cloned().collect();
        let destination: BTreeSet<String> = destination.union(&shared).cloned().collect();
        let manner = |page, honours_start_after, empty_pages| Manner {
            page,
            honours_start_after,
            empty_pages,
        };
        let from = Store::new("from/", &source, manner(pages.0, honours.0, empty_pages.0));
        let to = Store::new("", &destination, manner(pages.1, honours.1, empty_pages.1));
        let meant = if pattern { Keys::Matching(Wildcard::new("from/*a*")) } else { Keys::All };
        let mean = |name: &&String| !pattern || name.contains('a');
        let source: BTreeSet<String> = source.iter().filter(mean).cloned().collect();

        let outcome = run(&from, &to, meant, pairs_max, xorshift(seed));
        prop_assert!(outcome.pairs_most <= pairs_max);
        prop_assert!(outcome.in_flight_max <= 2 * pairs_max);
        prop_assert!(outcome.pages_of_a_side_max <= PAGES_MAX);
        prop_assert_eq!(sorted(outcome.only_source.iter()), sorted(source.difference(&destination)));
        prop_assert_eq!(sorted(outcome.both.iter()), sorted(source.intersection(&destination)));
        prop_assert_eq!(
            sorted(outcome.only_destination.iter()),
            sorted(destination.difference(&source))
        );
    }
}

#[test]
fn the_pages_held_are_bounded_however_long_the_listings() {
    let names = numbered(20_000);
    let every_third = names.iter().step_by(3).cloned().collect();
    let from = Store::new("from/", &names, HONEST);
    let to = Store::new("to/", &every_third, HONEST);
    for draw in [|_| 0, |bound: usize| bound - 1] {
        let outcome = run(&from, &to, Keys::All, 8, draw);
        assert_eq!(outcome.both.len(), every_third.len());
        assert_eq!(outcome.only_source.len(), names.len() - every_third.len());
        assert_eq!(outcome.pages_of_a_side_max, PAGES_MAX);
        let pairs = outcome.pairs_most;
        assert!((2..=8).contains(&pairs), "{pairs}");
        assert!(outcome.in_flight_max <= 16, "{}", outcome.in_flight_max);
        // 2,667 pages are needed; each cut may cost one more at either end.
        assert!(outcome.requests < 4_000, "{}", outcome.requests);
    }
}

#[test]
fn two_buckets_of_one_page_cost_one_request_each() {
    for count in [0, 1, 10] {
        let from = Store::new("from/", &numbered(count), HONEST);
        let to = Store::new("", &numbered(10 - count), HONEST);
        let outcome = run(&from, &to, Keys::All, 8, |_| 0);
        assert_eq!(outcome.requests, 2);
    }
}

#[test]
fn start_after_ignored_on_either_side_costs_one_request() {
    let names = numbered(500);
    let deaf = Manner {
        honours_start_after: false,
        ..HONEST
    };
    for (one, other) in [(deaf, HONEST), (HONEST, deaf), (deaf, deaf)] {
        let (from, to) = (
            Store::new("from/", &names, one),
            Store::new("to/", &names, other),
        );
        let outcome = run(&from, &to, Keys::All, 8, |_| 0);
        assert_eq!(sorted(outcome.both.iter()), sorted(names.iter()));
        // 100 pages, and one for each side that was found out. A cut once all of that side is
        // known may cost one more.
        assert!(outcome.requests <= 104, "{}", outcome.requests);
        if from.manner == to.manner {
            assert_eq!(outcome.pairs_most, 1);
        }
    }
}

/// A fresh merge, and a page of these keys.
fn fresh() -> (Pairs, impl Fn(&[&str], Option<&str>) -> ListPage) {
    let none = BTreeSet::new();
    let (from, to) = (
        Store::new("from/", &none, HONEST),
        Store::new("", &none, HONEST),
    );
    let pairs = Pairs::new(from.facet(Keys::All), to.facet(Keys::All), 4);
    let page = |keys: &[&str], next: Option<&str>| ListPage {
        objects: keys.iter().map(|key| object(key)).collect(),
        common_prefixes: Vec::new(),
        next: next.map(|token| ContinuationToken(token.to_owned())),
    };
    (pairs, page)
}

#[test]
fn pages_that_cannot_be_are_refused_with_their_side() {
    let (mut pairs, page) = fresh();
    let (_, source) = pairs.next_ask().unwrap();
    let (_, destination) = pairs.next_ask().unwrap();
    assert!(matches!(
        pairs.answered(destination.id, page(&["b", "a"], None)),
        Err((Side::Destination, Refusal::Disorder { previous, key })) if previous == "b" && key == "a"
    ));
    assert!(matches!(
        pairs.answered(source.id, page(&["from/a", "fron/b"], None)),
        Err((Side::Source, Refusal::Foreign(key))) if key.as_str() == "fron/b"
    ));

    let (mut pairs, page) = fresh();
    let (_, source) = pairs.next_ask().unwrap();
    let (mut id, mut refused) = (source.id, false);
    for step in 0..64 {
        let token = (step % 3).to_string();
        match pairs.answered(id, page(&[], Some(&token))) {
            Ok(()) => {}
            Err((Side::Source, Refusal::Cycle)) => {
                refused = true;
                break;
            }
            other => panic!("{other:?}"),
        }
        let mut asks = std::iter::from_fn(|| pairs.next_ask());
        id = asks.find(|(side, _)| *side == Side::Source).unwrap().1.id;
    }
    assert!(refused, "the circle was followed for ever");
}

/// Rounds that a merge takes when every request takes one round and the reader keeps up.
fn rounds(from: &Store, to: &Store, pairs_max: usize) -> (usize, usize) {
    let mut pairs = Pairs::new(from.facet(Keys::All), to.facet(Keys::All), pairs_max);
    let (mut rounds, mut requests) = (0, 0);
    while !pairs.finished() {
        let mut flying = Vec::new();
        while let Some(ask) = pairs.next_ask() {
            flying.push(ask);
        }
        rounds += 1;
        requests += flying.len();
        for (side, ask) in flying {
            let store = match side {
                Side::Source => from,
                Side::Destination => to,
            };
            let answer = page(&store.keys, &ask, store.manner);
            pairs.answered(ask.id, answer).expect("an ordered store");
            while pairs.take().is_some() {}
        }
        while pairs.take().is_some() {}
    }
    (rounds, requests)
}

#[test]
fn pairs_are_faster_than_serial_whatever_the_names_look_like() {
    let manner = Manner {
        page: 100,
        ..HONEST
    };
    for (shape, names) in shapes(20_000) {
        let half: BTreeSet<String> = names.iter().take(names.len() / 2).cloned().collect();
        for (kind, there) in [
            ("equal", &names),
            ("half", &half),
            ("empty", &BTreeSet::new()),
        ] {
            let from = Store::new("from/", &names, manner);
            let to = Store::new("to/", there, manner);
            let (rounds, requests) = rounds(&from, &to, 16);
            let pages = names.len().div_ceil(100);
            let needed = pages + there.len().div_ceil(100);
            let speed_up = pages as f64 / rounds as f64;
            println!(
                "{shape}, destination {kind}: {requests} requests for {needed} pages, {speed_up:.1} fold"
            );
            assert!(speed_up >= 4.0, "{shape} {kind}: {speed_up}");
            assert!(requests < needed * 5 / 2, "{shape} {kind}: {requests}");
        }
    }
}
