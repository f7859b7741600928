//! What was meant by a word that is nearly one of ours. Pure.

/// The one of `known` that is spelt most like `typed`; `None` where none is near.
pub(crate) fn nearest<'a>(typed: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // A third of the letters may be wrong: of short words one.
    let most = (typed.chars().count() / 3).max(1);
    let near = known.map(|word| (changes(typed, word), word));
    let (fewest, word) = near.min_by_key(|(changes, _)| *changes)?;
    (fewest <= most && typed.chars().count() > 1).then_some(word)
}

/// Letters to insert, remove, replace, or swap with their neighbour (once each) to make one word
/// of another.
fn changes(one: &str, other: &str) -> usize {
    let one: Vec<char> = one.chars().collect();
    let other: Vec<char> = other.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=other.len()).collect();
    for row in 1..=one.len() {
        let mut current = vec![row];
        for column in 1..=other.len() {
            let same = one[row - 1] == other[column - 1];
            let replaced = above[column - 1] + usize::from(!same);
            let mut least = replaced.min(above[column] + 1).min(current[column - 1] + 1);
            let swapped = row > 1
                && column > 1
                && one[row - 1] == other[column - 2]
                && one[row - 2] == other[column - 1];
            if swapped {
                least = least.min(before[column - 2] + 1);
            }
            current.push(least);
        }
        before = std::mem::replace(&mut above, current);
    }
    above[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 6] = ["cp", "sync", "json", "profile", "exclude", "source-profile"];

    #[test]
    fn near_words_are_found_and_far_ones_are_not() {
        for (typed, meant) in [
            ("jso", Some("json")),
            ("profil", Some("profile")),
            ("proifle", Some("profile")),
            ("snyc", Some("sync")),
            ("exclud", Some("exclude")),
            ("nope", None),
            ("x", None),
            ("", None),
            ("sourceprofile", Some("source-profile")),
        ] {
            assert_eq!(nearest(typed, KNOWN.into_iter()), meant, "{typed}");
        }
    }
}
