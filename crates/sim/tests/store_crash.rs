//! Crashes of the storage engine, by seed, with the model as oracle.

use sim::crash::{Story, play};

/// Stories in the suite.
const SEEDS: u64 = 100;

fn in_a_paused_runtime<T>(work: impl FnOnce() -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime starts");
    let _inside = runtime.enter();
    work()
}

fn number(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(
        value
            .parse()
            .unwrap_or_else(|_| panic!("{name} is a number")),
    )
}

/// Plays seeds on all cores, and sums up what happened.
fn play_many(first: u64, count: u64) -> Story {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get) as u64;
    let next = std::sync::atomic::AtomicU64::new(first);
    let sums = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    in_a_paused_runtime(|| {
                        let mut sum = Story::default();
                        loop {
                            let seed = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                            if seed >= first + count {
                                return sum;
                            }
                            sum.add(&play(seed));
                        }
                    })
                })
            })
            .collect();
        let sums = workers.into_iter().map(|worker| worker.join());
        sums.collect::<Result<Vec<Story>, _>>()
    });
    let sums = sums.expect("every story ends well");
    sums.iter().fold(Story::default(), |mut sum, story| {
        sum.add(story);
        sum
    })
}

#[test]
fn what_was_acknowledged_survives_any_crash() {
    if let Some(seed) = number("LONGHAUL_STORE_SEED") {
        println!("seed {seed}: {:?}", in_a_paused_runtime(|| play(seed)));
        return;
    }
    let count = number("LONGHAUL_STORE_SEEDS").unwrap_or(SEEDS);
    let first = number("LONGHAUL_STORE_FIRST_SEED").unwrap_or(0);
    println!("stories {first} to {}", first + count);
    let sum = play_many(first, count);
    println!("{sum:?}");
    // The stories tell of what they are for.
    assert!(sum.acknowledged > count * 10);
    assert!(sum.cut_short > count / 4);
    assert!(sum.uncertain > count / 4);
    assert!(sum.found_done > 0);
    assert!(sum.full > 0);
}

#[test]
fn a_story_is_the_same_each_time() {
    for seed in 0..5 {
        let twice = [0, 1].map(|_| in_a_paused_runtime(|| play(seed)));
        assert_eq!(twice[0], twice[1]);
    }
}
