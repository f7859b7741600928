//! A store of keys behind the bookkeeping, answering in an order that the test draws.

use std::collections::BTreeSet;

use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

use super::*;
use crate::list::workbench::{HONEST, Manner, numbered, object, page, shapes};

struct Outcome {
    keys: Vec<String>,
    requests: usize,
    in_flight_max: usize,
    pages_held_max: usize,
}

/// Runs a listing to its end; `draw` picks whose answer comes next and how much is taken.
fn run(
    keys: &BTreeSet<String>,
    order: Order,
    listings_max: usize,
    manner: Manner,
    mut draw: impl FnMut(usize) -> usize,
) -> Outcome {
    let mut ranges = Ranges::new(order, listings_max);
    let mut flying: Vec<Ask> = Vec::new();
    let mut outcome = Outcome {
        keys: Vec::new(),
        requests: 0,
        in_flight_max: 0,
        pages_held_max: 0,
    };
    while !ranges.finished() {
        while let Some(ask) = ranges.next_ask() {
            flying.push(ask);
            outcome.requests += 1;
        }
        outcome.in_flight_max = outcome.in_flight_max.max(flying.len());
        let taken = ranges.take();
        let progress = taken.is_some();
        for object in taken.into_iter().flatten() {
            outcome.keys.push(object.key.to_string());
        }
        if !flying.is_empty() && (!progress || draw(2) == 0) {
            let ask = flying.remove(draw(flying.len()));
            let answer = page(keys, &ask, manner);
            ranges.answered(ask.id, answer).expect("an ordered store");
        }
        let held = ranges.ranges.iter().map(|range| range.pages.len()).sum();
        outcome.pages_held_max = outcome.pages_held_max.max(held);
        assert!(outcome.requests < 100_000, "the listing does not end");
    }
    outcome
}

#[test]
fn a_bucket_of_one_page_costs_one_request() {
    for count in [0, 1, 10] {
        let outcome = run(&numbered(count), Order::Any, 16, HONEST, |_| 0);
        assert_eq!((outcome.requests, outcome.keys.len()), (1, count));
    }
}

#[test]
fn many_ranges_are_under_way_and_few_requests_are_wasted() {
    let keys = numbered(20_000);
    for order in [Order::Any, Order::Key] {
        let outcome = run(&keys, order, 16, HONEST, |_| 0);
        assert_eq!(outcome.keys.len(), keys.len());
        assert_eq!(outcome.in_flight_max, 16);
        // 2,000 pages are needed; each cut may cost one more at either end.
        assert!(outcome.requests < 3_500, "{order:?}: {}", outcome.requests);
    }
}

#[test]
fn by_key_the_pages_held_are_bounded() {
    let outcome = run(&numbered(20_000), Order::Key, 16, HONEST, |n| n - 1);
    assert!(
        outcome.pages_held_max <= 2 * 16 * PAGES_AHEAD_MAX,
        "{}",
        outcome.pages_held_max
    );
}

#[test]
fn a_store_that_does_not_honour_start_after_is_listed_once_and_serially() {
    let keys = numbered(500);
    let manner = Manner {
        honours_start_after: false,
        ..HONEST
    };
    for order in [Order::Any, Order::Key] {
        let outcome = run(&keys, order, 16, manner, |_| 0);
        assert_eq!(outcome.keys, keys.iter().cloned().collect::<Vec<_>>());
        // 50 pages and the one that was found out.
        assert!(outcome.requests <= 52, "{}", outcome.requests);
    }
}

#[test]
fn tokens_that_go_in_a_circle_are_refused() {
    let mut ranges = Ranges::new(Order::Any, 1);
    for step in 0..64 {
        let ask = ranges
            .next_ask()
            .expect("the listing waits for nothing else");
        let answer = ListPage {
            next: Some(ContinuationToken((step % 3).to_string())),
            ..ListPage::default()
        };
        if matches!(ranges.answered(ask.id, answer), Err(Refusal::Cycle)) {
            return;
        }
    }
    panic!("the circle was followed for ever");
}

#[test]
fn disorder_in_the_first_listing_can_be_gone_on_with() {
    let mut ranges = Ranges::new(Order::Any, 4);
    let ask = ranges.next_ask().unwrap();
    let answer = ListPage {
        objects: vec![object("a/b"), object("a-b")],
        common_prefixes: Vec::new(),
        next: Some(ContinuationToken("t".to_owned())),
    };
    match ranges.answered(ask.id, answer) {
        Err(Refusal::Disorder(found)) => {
            assert!(found.one_listing);
            assert_eq!(
                (found.previous.as_str(), found.key.as_str()),
                ("a/b", "a-b")
            );
            assert_eq!(found.page.objects.len(), 2);
        }
        other => panic!("{other:?}"),
    }
}

proptest! {
    #[test]
    fn every_key_comes_exactly_once(
        keys in proptest::collection::btree_set("[ab/é😀0-3\\x00-]{1,7}", 0..250),
        page in 1usize..9,
        listings_max in 1usize..7,
        by_key in any::<bool>(),
        honours_start_after in any::<bool>(),
        empty_pages in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let order = if by_key { Order::Key } else { Order::Any };
        let manner = Manner { page, honours_start_after, empty_pages };
        let mut state = seed | 1;
        let outcome = run(&keys, order, listings_max, manner, |bound| {
            // xorshift64: the draw must not depend on anything but the seed.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state % bound as u64).unwrap()
        });
        prop_assert!(outcome.in_flight_max <= listings_max);
        let mut got = outcome.keys;
        if by_key {
            prop_assert!(got.is_sorted());
        } else {
            got.sort();
        }
        prop_assert_eq!(got, keys.into_iter().collect::<Vec<_>>());
    }
}

/// Rounds that a listing takes when every request takes one round and the reader keeps up.
fn rounds(keys: &BTreeSet<String>, order: Order, page_size: usize) -> (usize, usize) {
    let manner = Manner {
        page: page_size,
        ..HONEST
    };
    let mut ranges = Ranges::new(order, 16);
    let (mut rounds, mut requests) = (0, 0);
    while !ranges.finished() {
        let mut flying = Vec::new();
        while let Some(ask) = ranges.next_ask() {
            flying.push(ask);
        }
        rounds += 1;
        requests += flying.len();
        for ask in flying {
            let answer = page(keys, &ask, manner);
            ranges.answered(ask.id, answer).expect("an ordered store");
            while ranges.take().is_some() {}
        }
        while ranges.take().is_some() {}
    }
    (rounds, requests)
}

#[test]
fn listings_are_faster_than_serial_whatever_the_keys_look_like() {
    for (shape, keys) in shapes(20_000) {
        for (order, least) in [(Order::Any, 4.0), (Order::Key, 1.5)] {
            let (rounds, requests) = rounds(&keys, order, 100);
            let pages = keys.len().div_ceil(100);
            let speed_up = pages as f64 / rounds as f64;
            println!(
                "{shape} {order:?}: {requests} requests for {pages} pages, {speed_up:.1} fold"
            );
            assert!(speed_up >= least, "{shape} {order:?}: {speed_up}");
            assert!(
                requests < pages * 5 / 2,
                "{shape} {order:?}: {requests} requests"
            );
        }
    }
}
