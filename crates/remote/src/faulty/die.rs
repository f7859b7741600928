//! Chance that is the same for the same seed. Pure.

/// A number that stands for one event: what befalls it is drawn from this and nothing else, so
/// that requests may come in any order and still meet the same faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Die(u64);

impl Die {
    pub(super) fn new(seed: u64) -> Die {
        Die(scramble(seed))
    }

    /// The die of what also has this number.
    pub(super) fn with(self, number: u64) -> Die {
        Die(scramble(self.0 ^ scramble(number)))
    }

    /// The die of what also has this name.
    pub(super) fn named(self, name: &str) -> Die {
        let start = self.with(name.len() as u64);
        name.bytes()
            .fold(start, |die, byte| Die(scramble(die.0 ^ u64::from(byte))))
    }

    /// A number below `end`, which is not zero. `face` tells draws of one event apart.
    pub(super) fn below(self, face: &str, end: u64) -> u64 {
        self.named(face).0 % end
    }

    /// Whether something that befalls so many of a thousand befalls this.
    pub(super) fn strikes(self, face: &str, per_mille: u16) -> bool {
        self.below(face, 1_000) < u64::from(per_mille)
    }

    /// A number for who counts by it.
    pub(super) fn number(self) -> u64 {
        self.0
    }
}

/// The finalizer of SplitMix64: every bit of the answer depends on every bit of the number.
/// Source: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014.
fn scramble(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_even_and_depend_on_all_that_was_said() {
        let dice = (0..10_000).map(|number| Die::new(7).named("GET").with(number));
        let struck = dice.filter(|die| die.strikes("reset", 100)).count();
        assert!((800..1_200).contains(&struck), "{struck} of 10,000");
        let die = Die::new(7);
        assert_eq!(die.named("ab"), die.named("ab"));
        assert_ne!(die.named("ab").named("c"), die.named("a").named("bc"));
        assert_ne!(die.with(1).with(2), die.with(2).with(1));
        assert_ne!(die.below("x", u64::MAX), die.below("y", u64::MAX));
    }
}
