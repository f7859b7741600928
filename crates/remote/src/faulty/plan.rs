//! What goes wrong, and how often.

use std::time::Duration;

use base::BucketName;
use base::flow::RetryPolicy;

use super::die::Die;

/// What goes wrong, and how often. Rates count in thousandths: of tries, answers, bodies or pages.
#[derive(Debug, Clone)]
pub struct Plan {
    /// How a try that failed is made again, as a client does by itself.
    pub retry: RetryPolicy,
    /// Each try takes up to so long before the store acts, and as long again before its answer.
    pub latency_max: Duration,
    /// How long nothing comes, where something stalls, before the client gives the try up.
    pub stall: Duration,
    /// The connection breaks before the store acts.
    pub resets: u16,
    /// The store acts, and its answer is lost.
    pub lost_answers: u16,
    /// 500 InternalError.
    pub errors: u16,
    /// An error inside a 200: only of operations that S3 answers so.
    pub errors_in_200: u16,
    /// No answer comes.
    pub stalls: u16,
    /// 403 AccessDenied, for an operation on a key as often as it is asked.
    pub denials: u16,
    /// A body breaks off, at any byte.
    pub broken_bodies: u16,
    /// A body ends early as if it were whole, which no client lets happen and a broken one might.
    pub short_bodies: u16,
    /// One bit of a body is turned over.
    pub wrong_bodies: u16,
    /// A body stalls, at any byte, and then breaks off.
    pub stalled_bodies: u16,
    /// One bit of an upload is turned over on its way.
    pub wrong_uploads: u16,
    /// A page of a listing never comes.
    pub lost_pages: u16,
    /// A page says that it is not the last and not where the next begins, which clients find.
    pub endless_pages: u16,
    /// A page gives the token that it was asked by.
    pub repeated_tokens: u16,
    /// Two rows of a page change places.
    pub swapped_rows: u16,
    /// A key of a DeleteObjects is not deleted.
    pub failed_deletes: u16,
    /// Before an object of `changing` is asked for, somebody else writes or deletes it.
    pub changes: u16,
    /// The bucket in which somebody else writes.
    pub changing: Option<BucketName>,
    /// Most changes of one key, so that a source comes to rest.
    pub changes_max: u32,
    /// 503 SlowDown for a while.
    pub storms: Option<Spell>,
    /// The credentials have expired for a while.
    pub expiries: Option<Spell>,
    /// The clocks differ too much for a while.
    pub skews: Option<Spell>,
}

/// Times that are good and times that are bad by turns, the first of them good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spell {
    /// A good time lasts from a quarter of this to all of it. Not zero.
    pub good_max: Duration,
    /// A bad time lasts from a quarter of this to all of it.
    pub bad_max: Duration,
}

impl Spell {
    /// Whether the time is bad, so long after the beginning.
    pub(super) fn is_bad(self, die: Die, elapsed: Duration) -> bool {
        let mut at = Duration::ZERO;
        for turn in 0_u64.. {
            let max = if turn % 2 == 0 {
                self.good_max
            } else {
                self.bad_max
            };
            at += share(die.with(turn), "turn", max * 3 / 4) + max / 4;
            if elapsed < at {
                return turn % 2 == 1;
            }
        }
        false
    }
}

/// A time up to `max`.
pub(super) fn share(die: Die, face: &str, max: Duration) -> Duration {
    let thousandths = u32::try_from(die.below(face, 1_001)).expect("below a thousand and one");
    max * thousandths / 1_000
}

impl Plan {
    /// Nothing goes wrong and nothing takes time.
    pub fn calm() -> Plan {
        Plan {
            retry: RetryPolicy {
                tries_max: 4,
                ..RetryPolicy::default()
            },
            latency_max: Duration::ZERO,
            stall: Duration::from_secs(30),
            resets: 0,
            lost_answers: 0,
            errors: 0,
            errors_in_200: 0,
            stalls: 0,
            denials: 0,
            broken_bodies: 0,
            short_bodies: 0,
            wrong_bodies: 0,
            stalled_bodies: 0,
            wrong_uploads: 0,
            lost_pages: 0,
            endless_pages: 0,
            repeated_tokens: 0,
            swapped_rows: 0,
            failed_deletes: 0,
            changes: 0,
            changing: None,
            changes_max: 2,
            storms: None,
            expiries: None,
            skews: None,
        }
    }

    /// The plan of a seed: some faults and not others, rare ones and frequent ones, so that runs
    /// that end well, in part and not at all are all among a hundred seeds.
    pub fn of_seed(seed: u64) -> Plan {
        let die = Die::new(seed).named("plan");
        let rate = |face: &str, max: u64| {
            let wanted = die.below(face, 3) == 0;
            let rate = if wanted {
                die.with(1).below(face, max) + 1
            } else {
                0
            };
            u16::try_from(rate).expect("rates are small")
        };
        let spell = |face: &str| {
            let seconds = |face: &str| Duration::from_secs(1 + die.with(2).below(face, 8));
            (die.below(face, 6) == 0).then(|| Spell {
                good_max: seconds(face) / 4,
                bad_max: seconds("bad"),
            })
        };
        Plan {
            latency_max: Duration::from_millis(1 + die.below("latency", 200)),
            resets: rate("resets", 200),
            lost_answers: rate("lost answers", 200),
            errors: rate("errors", 300),
            errors_in_200: rate("errors in 200", 400),
            stalls: rate("stalls", 100),
            denials: rate("denials", 100),
            broken_bodies: rate("broken bodies", 500),
            short_bodies: rate("short bodies", 300),
            wrong_bodies: rate("wrong bodies", 400),
            stalled_bodies: rate("stalled bodies", 300),
            wrong_uploads: rate("wrong uploads", 300),
            lost_pages: rate("lost pages", 60),
            endless_pages: rate("endless pages", 60),
            repeated_tokens: rate("repeated tokens", 60),
            swapped_rows: rate("swapped rows", 60),
            failed_deletes: rate("failed deletes", 200),
            changes: rate("changes", 300),
            storms: spell("storms"),
            expiries: spell("expiries"),
            skews: spell("skews"),
            ..Plan::calm()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spells_begin_well_and_come_and_go() {
        let spell = Spell {
            good_max: Duration::from_secs(4),
            bad_max: Duration::from_secs(2),
        };
        let die = Die::new(3);
        assert!(!spell.is_bad(die, Duration::ZERO));
        let bad = (0..600)
            .filter(|tenth| spell.is_bad(die, Duration::from_millis(tenth * 100)))
            .count();
        assert!((100..300).contains(&bad), "{bad} of 600");
    }

    #[test]
    fn some_plans_are_calm_and_some_are_not() {
        let plans: Vec<Plan> = (0..200).map(Plan::of_seed).collect();
        let some = |has: fn(&Plan) -> bool| plans.iter().filter(|plan| has(plan)).count();
        assert!((20..120).contains(&some(|plan| plan.resets > 0)));
        assert!((10..80).contains(&some(|plan| plan.storms.is_some())));
        assert!(some(|plan| plan.lost_answers == 0 && plan.errors == 0) > 20);
    }
}
