//! The search against stores that are a few formulas: their best is known.

use proptest::prelude::{ProptestConfig, TestCaseError, any, prop_assert, proptest};

use super::*;

/// One look of whoever drives the search.
const TICK: Duration = Duration::from_millis(100);

const BOUNDS: Bounds = Bounds { min: 1, max: 384 };

/// A store as queueing theory sees it.
#[derive(Debug, Clone, Copy)]
struct Store {
    /// Answers a second at the most.
    capacity: f64,
    /// Time of an answer while nothing queues.
    latency: f64,
    /// Power by which answers fall off beyond the knee.
    decline: f64,
    /// Requests a second beyond which it answers 503.
    rate_max: Option<f64>,
}

/// A store under the hand of a search.
struct Bench {
    store: Store,
    tuner: Tuner,
    random: Random,
    /// How many requests the store's bucket still lets through.
    bucket: f64,
    /// What a pace has let through beyond whole requests.
    paced: f64,
}

/// Numbers from a seed (xorshift); good enough for noise.
struct Random(u64);

impl Random {
    fn of(seed: u64) -> Random {
        // Seeds beside each other must not begin alike.
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        for _ in 0..8 {
            random.next();
        }
        random
    }

    /// For another one that goes its own way.
    fn seed(&mut self) -> u64 {
        self.next();
        self.0
    }

    fn between(&mut self, least: f64, most: f64) -> f64 {
        least + self.next() * (most - least)
    }

    fn pick(&mut self, from: &[f64]) -> f64 {
        from[usize::try_from(count(self.next() * from.len() as f64)).unwrap()]
    }

    /// Between zero and one.
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// What was done over a stretch.
#[derive(Debug, Default, Clone, Copy)]
struct Sum {
    seconds: f64,
    done: f64,
    throttled: f64,
}

impl Sum {
    fn rate(&self) -> f64 {
        self.done / self.seconds
    }

    fn throttled_share(&self) -> f64 {
        self.throttled / (self.done + self.throttled).max(1.0)
    }
}

impl Store {
    /// Requests a second that so many at once come to.
    fn offered(&self, limit: f64) -> f64 {
        let knee = self.capacity * self.latency;
        if limit <= knee {
            limit / self.latency
        } else {
            self.capacity * (knee / limit).powf(self.decline)
        }
    }

    /// The most that any limit within the bounds can get done.
    fn best(&self) -> f64 {
        let limits = (BOUNDS.min..=BOUNDS.max).map(|limit| self.offered(limit as f64));
        let offered = limits.fold(0.0, f64::max);
        offered.min(self.rate_max.unwrap_or(f64::INFINITY))
    }
}

impl Bench {
    fn new(store: Store, start: usize, seed: u64) -> Bench {
        Bench {
            store,
            tuner: Tuner::new(BOUNDS, start),
            random: Random::of(seed),
            bucket: 0.0,
            paced: 0.0,
        }
    }

    fn run(&mut self, time: Duration) -> Sum {
        let mut sum = Sum::default();
        for _ in 0..time.as_millis() / TICK.as_millis() {
            let sample = self.sample();
            sum.seconds += TICK.as_secs_f64();
            sum.done += (sample.answers - sample.throttled) as f64;
            sum.throttled += sample.throttled as f64;
            self.tuner.observe(&sample);
            let limit = self.tuner.limit();
            assert!((BOUNDS.min..=BOUNDS.max).contains(&limit));
        }
        sum
    }

    fn sample(&mut self) -> Sample {
        let limit = self.tuner.limit() as f64;
        let seconds = TICK.as_secs_f64();
        let offered = self.store.offered(limit);
        let answers = match self.tuner.pace() {
            Some(pace) if pace < offered => {
                self.paced += pace * seconds;
                let answers = self.paced.floor();
                self.paced -= answers;
                answers
            }
            _ => {
                let mean = offered * seconds;
                // Answers come as they like: a count's noise is its square root.
                let noise = (0..12).map(|_| self.random.next()).sum::<f64>() - 6.0;
                (mean + noise * mean.sqrt()).max(0.0).round()
            }
        };
        let mut throttled = 0.0;
        if let Some(rate) = self.store.rate_max {
            let burst = (rate * seconds).max(1.0);
            self.bucket = (self.bucket + rate * seconds).min(2.0 * burst);
            throttled = (answers - self.bucket.floor()).max(0.0);
            self.bucket -= answers - throttled;
        }
        // Slots may be held while their requests wait for the pace, or not.
        let peak = match self.tuner.pace() {
            Some(pace) if pace < offered && self.random.next() < 0.5 => {
                let busy = count((pace * self.store.latency).ceil());
                self.tuner.limit().min(usize::try_from(busy).unwrap())
            }
            _ => self.tuner.limit(),
        };
        let latency = limit / self.store.offered(limit);
        Sample {
            passed: TICK,
            answers: count(answers),
            throttled: count(throttled),
            waited: Duration::from_secs_f64(latency * answers),
            bytes: 0,
            peak,
            cpu_full: false,
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts of a simulation, never negative"
)]
fn count(number: f64) -> u64 {
    number as u64
}

/// A store with a knee, which may decline beyond it.
fn store(random: &mut Random) -> Store {
    let latency = random.pick(&[0.002, 0.01, 0.05, 0.2, 1.0]);
    // Below some tens of answers a second, noise hides for minutes what a limit does.
    let slowest = 2.0_f64.max(80.0 * latency);
    Store {
        capacity: (slowest + random.next() * 600.0) / latency,
        latency,
        decline: random.pick(&[0.0, 0.0, 0.0, 0.5]),
        rate_max: None,
    }
}

/// A store without a knee that refuses what goes beyond a rate.
fn throttling(rate_max: f64, latency: f64) -> Store {
    Store {
        capacity: 1e6,
        latency,
        decline: 0.0,
        rate_max: Some(rate_max),
    }
}

fn any_start(random: &mut Random) -> usize {
    usize::try_from(count(random.between(1.0, 385.0))).unwrap()
}

/// Cases that one seed makes.
const CASES: u64 = 150;

/// Runs cases of a seed, each of which says which share of the best it got.
///
/// The noise is that of counting, so that a share is not the same in each case. Of twenty thousand
/// cases of each kind none came below eight tenths, four in a thousand below nine.
fn nearly_all_reach_nine_tenths(
    seed: u64,
    case: impl Fn(&mut Random) -> f64,
) -> Result<(), TestCaseError> {
    let mut below = 0;
    for number in 0..CASES {
        let mut random = Random::of(seed.wrapping_add(number));
        let share = case(&mut random);
        prop_assert!(share >= 0.8, "{share} in case {number}");
        below += u64::from(share < 0.9);
    }
    prop_assert!(below * 20 <= CASES, "{below} of {CASES} below nine tenths");
    Ok(())
}

proptest! {
    // A seed makes many cases, none of which is simpler than another.
    #![proptest_config(ProptestConfig {
        cases: 1,
        max_shrink_iters: 0,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn from_any_start_the_search_comes_near_the_knee(seed in any::<u64>()) {
        nearly_all_reach_nine_tenths(seed, |random| {
            let store = store(random);
            let mut bench = Bench::new(store, any_start(random), random.seed());
            // A bad start at a store that declines means answers of ten seconds and more at first.
            bench.run(Duration::from_secs(300));
            bench.run(Duration::from_secs(60)).rate() / store.best()
        })?;
    }

    #[test]
    fn a_store_that_changes_is_followed(seed in any::<u64>()) {
        nearly_all_reach_nine_tenths(seed, |random| {
            let before = store(random);
            let mut bench = Bench::new(before, START, random.seed());
            bench.run(Duration::from_secs(120));
            let factor = random.pick(&[0.25, 0.5, 2.0, 4.0]);
            let capacity = (before.capacity * factor).max(80.0);
            let after = Store { capacity, ..before };
            bench.store = after;
            bench.run(Duration::from_secs(240));
            bench.run(Duration::from_secs(60)).rate() / after.best()
        })?;
    }

    #[test]
    fn a_throttling_store_is_not_kept_in_503s(seed in any::<u64>()) {
        nearly_all_reach_nine_tenths(seed, |random| {
            let latency = random.pick(&[0.002, 0.01, 0.05, 0.2]);
            let store = throttling(random.between(50.0, 4_000.0), latency);
            let mut bench = Bench::new(store, any_start(random), random.seed());
            bench.run(Duration::from_secs(120));
            let sum = bench.run(Duration::from_secs(120));
            let throttled = sum.throttled_share();
            assert!(throttled <= 0.02, "{throttled} of the answers are throttled");
            sum.rate() / store.best()
        })?;
    }

    #[test]
    fn it_reaches_nine_tenths_of_the_best_limit_at_1_20_and_150_ms_with_503s_and_without(
        seed in any::<u64>(),
        throttles in any::<bool>(),
    ) {
        nearly_all_reach_nine_tenths(seed, |random| {
            let latency = random.pick(&[0.001, 0.020, 0.150]);
            let capacity = (random.between(4.0, 380.0) / latency).min(20_000.0);
            let rate_max = throttles.then(|| capacity * random.between(0.2, 0.9));
            let store = Store { capacity, latency, decline: 0.0, rate_max };
            let mut bench = Bench::new(store, START, random.seed());
            bench.run(Duration::from_secs(60));
            bench.run(Duration::from_secs(60)).rate() / store.best()
        })?;
    }
}

#[test]
fn the_first_throttled_answer_cuts_at_once_and_once_in_a_latency() {
    let mut tuner = Tuner::new(BOUNDS, 200);
    let sample = Sample {
        passed: TICK,
        answers: 100,
        throttled: 50,
        waited: Duration::from_secs(30),
        peak: 200,
        ..Sample::default()
    };
    let change = tuner.observe(&sample).unwrap();
    assert_eq!((change.from, change.to), (200, 100));
    assert_eq!(change.reason, Reason::Throttled);
    // What got through was 500 a second.
    let pace = change.pace.unwrap();
    assert!((450.0..500.0).contains(&pace), "{pace}");
    // Answers to what was under way before the cut: 300 ms is the latency.
    assert_eq!(tuner.observe(&sample), None);
    assert_eq!(tuner.observe(&sample), None);
    let change = tuner.observe(&sample).unwrap();
    assert_eq!(change.reason, Reason::Throttled);
    let lower = change.pace.unwrap();
    assert!(lower < pace * 0.9, "{lower}");
}

#[test]
fn a_limit_that_was_not_reached_and_a_full_cpu_teach_nothing() {
    let busy = Sample {
        passed: TICK,
        answers: 1_000,
        waited: Duration::from_secs(1),
        peak: 32,
        ..Sample::default()
    };
    for sample in [
        Sample { peak: 31, ..busy },
        Sample {
            cpu_full: true,
            ..busy
        },
    ] {
        let mut tuner = Tuner::new(BOUNDS, 32);
        for _ in 0..1_000 {
            assert_eq!(tuner.observe(&sample), None);
        }
    }
    let mut tuner = Tuner::new(BOUNDS, 32);
    let changed = (0..10).any(|_| tuner.observe(&busy).is_some());
    assert!(changed && tuner.limit() == 64);
}

#[test]
fn one_request_at_a_time_may_still_be_too_much() {
    // 50 requests a second are let through; one slot makes 500.
    let mut bench = Bench::new(throttling(50.0, 0.002), START, 7);
    bench.run(Duration::from_secs(30));
    let pace = bench.tuner.pace().unwrap();
    assert!((42.0..55.0).contains(&pace), "{pace}");
    // Once the store takes more, the pace goes and the limit rises.
    bench.store.rate_max = None;
    bench.run(Duration::from_secs(120));
    assert_eq!(bench.tuner.pace(), None);
    assert!(bench.tuner.limit() > 1);
}

#[test]
fn a_pace_neither_rises_nor_is_blamed_where_something_else_holds_requests_back() {
    let mut bench = Bench::new(throttling(1_000.0, 0.01), START, 7);
    bench.run(Duration::from_secs(30));
    let pace = bench.tuner.pace().unwrap();
    let limit = bench.tuner.limit();
    let idle = Sample {
        passed: TICK,
        answers: 3,
        waited: Duration::from_millis(30),
        peak: 1,
        ..Sample::default()
    };
    for _ in 0..1_000 {
        bench.tuner.observe(&idle);
    }
    let now = bench.tuner.pace().unwrap();
    assert!(now <= pace * 1.04 && limit == bench.tuner.limit(), "{now}");
}

#[test]
fn bytes_are_work_too() {
    // Two large bodies at once fill the way; requests alone would say nothing for a long time.
    let mut tuner = Tuner::new(BOUNDS, 8);
    let sample = |limit: usize| Sample {
        passed: TICK,
        bytes: 10 * MIB * limit.min(16) as u64,
        peak: limit,
        ..Sample::default()
    };
    for _ in 0..600 {
        let now = sample(tuner.limit());
        tuner.observe(&now);
    }
    assert!((13..=32).contains(&tuner.limit()), "{}", tuner.limit());
}
