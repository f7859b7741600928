//! Where to cut a range of keys, estimated from the keys in hand. Pure; a bad estimate costs a
//! request, never a key.

/// Fewer pages than these are not cut. A guess, not measured.
const PAGES_WORTH_CUTTING: u32 = 3;

/// Digits that carry an extrapolation: as many as `95^n` fits in 128 bits.
const DIGITS_MAX: usize = 19;

/// Digits beyond the first difference that an extrapolation looks at.
const DIGITS_BELOW_MAX: usize = 6;

/// A point well beyond `last`, below `high` (exclusive; none is the end of all keys), that halves
/// what is not known about where the keys between them lie.
///
/// `first` and `last` begin and end the page in hand. Where the keys count, it is the number
/// halfway to `high`; after `misses` (points behind which there was nothing) the number is halved
/// in length, since the keys seem to end long before. Else, up to where both agree, the keys
/// beyond may still branch off at any character. So the cut is made at a character halfway between
/// the first that could differ and the first that did; a half that proves empty halves the
/// question. Where nothing is left to halve it is the middle between two characters. `None` where
/// no key fits between, or it is not worth a request to ask.
pub(crate) fn middle(first: &str, last: &str, high: Option<&str>, misses: u32) -> Option<String> {
    match high.and_then(|high| pages_left(first, last, high)) {
        // What is left costs as much as a cut would.
        Some(0..PAGES_WORTH_CUTTING) => return None,
        Some(pages) => {
            let pages = if misses > 0 { pages.isqrt() } else { pages / 2 };
            if let Some(point) = beyond(first, last, high, pages) {
                return Some(point);
            }
        }
        None => {}
    }
    let last_chars: Vec<char> = last.chars().collect();
    let shallow = high.map_or(0, |high| common(last, high));
    let deep = common(first, last).max(shallow);
    let halfway = shallow + (deep - shallow).div_ceil(2);
    // Shallower ones are tried next: their gap is wider. Then deeper ones, where it is not empty.
    let upwards = (shallow..=halfway).rev();
    let downwards = halfway + 1..last_chars.len();
    upwards
        .chain(downwards)
        .find_map(|level| cut_at(&last_chars, level, last, high))
}

/// `last` up to `level`, then a character about halfway to where that level probably ends.
fn cut_at(last_chars: &[char], level: usize, last: &str, high: Option<&str>) -> Option<String> {
    let low = *last_chars.get(level)?;
    let bound = high
        .and_then(|high| high.chars().nth(level))
        .filter(|_| high.is_some_and(|high| common(last, high) == level));
    let end = u32::from(bound.unwrap_or_else(|| class_end(low)));
    let low = u32::from(low);
    let middle = between(low, end)?;
    let mut point: String = last_chars[..level].iter().collect();
    point.push(middle);
    (point.as_str() > last && high.is_none_or(|high| point.as_str() < high)).then_some(point)
}

/// A character strictly between two code points, near their middle.
fn between(low: u32, high: u32) -> Option<char> {
    if high <= low + 1 {
        return None;
    }
    let middle = low + (high - low) / 2;
    // The surrogates' gap has no characters: step below it.
    char::from_u32(middle)
        .or_else(|| char::from_u32(0xd7ff))
        .filter(|found| u32::from(*found) > low)
}

/// The first character that names with `c` at this place probably do not reach.
fn class_end(c: char) -> char {
    match c {
        '0'..='9' => ':',
        'A'..='Z' => '[',
        'a'..='z' => '{',
        '\0'..='\u{7e}' => '\u{7f}',
        _ => char::from_u32(u32::from(c).saturating_mul(2)).unwrap_or(char::MAX),
    }
}

/// Number of characters in which both begin alike.
fn common(one: &str, other: &str) -> usize {
    one.chars()
        .zip(other.chars())
        .take_while(|(a, b)| a == b)
        .count()
}

/// The point that lies `pages` times as far beyond `last` as `last` lies beyond `first`, if the
/// keys go on as they did in that page. `None` where the keys give no scale or the point is not
/// below `high`.
pub(crate) fn beyond(first: &str, last: &str, high: Option<&str>, pages: u32) -> Option<String> {
    let scale = Scale::of(first, last)?;
    let far = scale.page.checked_mul(u128::from(pages))?;
    let point = scale.text(scale.last.checked_add(far)?)?;
    (point.as_str() > last && high.is_none_or(|high| point.as_str() < high)).then_some(point)
}

/// Up to `count` points beyond `last`, ascending, if the keys go on as they did in that page: where
/// it is known how many pages there are up to `high`, in equal distances; else each twice as far as
/// the one before, since any may lie beyond the end. Empty where the keys give no scale.
pub(crate) fn apart(first: &str, last: &str, high: Option<&str>, count: u32) -> Vec<String> {
    let left = high.and_then(|high| pages_left(first, last, high));
    let distances: Vec<u32> = match left {
        Some(pages) => {
            let count = count.min(pages / PAGES_WORTH_CUTTING);
            let part = |at: u32| u64::from(pages) * u64::from(at) / u64::from(count + 1);
            let parts = (1..=count).map(|at| u32::try_from(part(at)).unwrap_or(u32::MAX));
            parts.collect()
        }
        None => (1..=count)
            .map_while(|at| 2u32.checked_pow(at + 1))
            .collect(),
    };
    let mut points: Vec<String> = Vec::new();
    for pages in distances {
        match beyond(first, last, high, pages) {
            Some(point) if points.last().is_none_or(|before| *before < point) => points.push(point),
            Some(_) => {}
            None => break,
        }
    }
    points
}

/// From which key on `last` tells more of what lies beyond: from `first`, which begins its page, or
/// from `before`, which begins the page before, where the keys have since gone on to another
/// folder. What counts inside a folder ends with it.
pub(crate) fn wider<'a>(before: &'a str, first: &'a str, last: &str) -> &'a str {
    let head = |from: &str| Some(Scale::of(from, last)?.head.len());
    match (head(before), head(first)) {
        (Some(wide), Some(narrow)) if wide < narrow => before,
        _ => first,
    }
}

/// About how many pages like that from `first` to `last` there are up to `high`; `None` where the
/// keys give no scale that reaches so far.
pub(crate) fn pages_left(first: &str, last: &str, high: &str) -> Option<u32> {
    let scale = Scale::of(first, last)?;
    let left = scale.value(high)?.checked_sub(scale.last)? / scale.page;
    Some(u32::try_from(left).unwrap_or(u32::MAX))
}

/// A run of characters in which keys seem to count, read as a number.
struct Scale {
    alphabet: Alphabet,
    /// What stands before the run.
    head: Vec<char>,
    digits: usize,
    /// The last key's number.
    last: u128,
    /// How far a page reached.
    page: u128,
}

impl Scale {
    fn of(first: &str, last: &str) -> Option<Scale> {
        let (first, last): (Vec<char>, Vec<char>) =
            (first.chars().collect(), last.chars().collect());
        let pairs = first.iter().zip(&last);
        let differs = pairs.take_while(|(a, b)| a == b).count();
        let window = |chars: &[char]| -> Vec<char> {
            let rest = chars.iter().skip(differs).take(DIGITS_BELOW_MAX);
            rest.take_while(|c| c.is_ascii_alphanumeric())
                .copied()
                .collect()
        };
        let alphabet = Alphabet::of(
            *last.get(differs)?,
            &[window(&first), window(&last)].concat(),
        );
        let is_digit = |at: &usize| alphabet.digit(last[*at]).is_some();
        let below = (differs..last.len().min(differs + DIGITS_BELOW_MAX)).take_while(is_digit);
        let above = (0..differs).rev().take_while(is_digit);
        let above = above.take(DIGITS_MAX - DIGITS_BELOW_MAX).count();
        let below = below.count();
        let start = differs - above;
        let mut scale = Scale {
            alphabet,
            head: last[..start].to_vec(),
            digits: above + below,
            last: 0,
            page: 0,
        };
        scale.last = scale.number(&last);
        scale.page = scale.last.checked_sub(scale.number(&first))?;
        (below > 0 && scale.page > 0).then_some(scale)
    }

    /// The number that stands in the run; characters that are no digits count as the smallest.
    fn number(&self, chars: &[char]) -> u128 {
        (self.head.len()..self.head.len() + self.digits).fold(0, |sum, at| {
            let digit = chars.get(at).and_then(|c| self.alphabet.digit(*c));
            sum * self.alphabet.base() + digit.unwrap_or(0)
        })
    }

    /// The number of a text that has the same head and goes on with a digit.
    fn value(&self, text: &str) -> Option<u128> {
        let chars: Vec<char> = text.chars().collect();
        let digit = self.alphabet.digit(*chars.get(self.head.len())?);
        (chars.starts_with(&self.head) && digit.is_some()).then(|| self.number(&chars))
    }

    /// The text of a number; `None` where the run is too short for it.
    fn text(&self, mut number: u128) -> Option<String> {
        let mut digits = Vec::with_capacity(self.digits);
        for _ in 0..self.digits {
            digits.push(self.alphabet.character(number % self.alphabet.base()));
            number /= self.alphabet.base();
        }
        let text = self.head.iter().chain(digits.iter().rev());
        (number == 0).then(|| text.collect())
    }
}

/// The characters that keys seem to count in, in byte order.
#[derive(Debug, Clone, Copy)]
enum Alphabet {
    Decimal,
    Hex,
    LowerAlphanumeric,
    Alphanumeric,
    Printable,
}

impl Alphabet {
    /// The smallest that holds `first` and all of `others`.
    fn of(first: char, others: &[char]) -> Alphabet {
        let holds = |alphabet: &Alphabet| {
            let mut all = others.iter().chain([&first]);
            all.all(|c| alphabet.digit(*c).is_some())
        };
        [
            Alphabet::Decimal,
            Alphabet::Hex,
            Alphabet::LowerAlphanumeric,
            Alphabet::Alphanumeric,
        ]
        .into_iter()
        .find(holds)
        .unwrap_or(Alphabet::Printable)
    }

    fn characters(self) -> &'static [u8] {
        match self {
            Alphabet::Decimal => b"0123456789",
            Alphabet::Hex => b"0123456789abcdef",
            Alphabet::LowerAlphanumeric => b"0123456789abcdefghijklmnopqrstuvwxyz",
            Alphabet::Alphanumeric => {
                b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
            }
            Alphabet::Printable => {
                b" !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~"
            }
        }
    }

    fn base(self) -> u128 {
        self.characters().len() as u128
    }

    fn digit(self, c: char) -> Option<u128> {
        let byte = u8::try_from(c).ok()?;
        let at = self.characters().binary_search(&byte).ok()?;
        Some(at as u128)
    }

    fn character(self, digit: u128) -> char {
        let at = usize::try_from(digit).expect("a digit is below 95");
        char::from(self.characters()[at])
    }
}

#[cfg(test)]
mod tests {
    use proptest::option;
    use proptest::prelude::{any, prop_assert, proptest};

    use super::*;

    #[test]
    fn an_unknown_end_is_found_in_few_steps() {
        // Ten million keys with a long common head: how many empty halves until one is not?
        let (first, last, end) = ("photos/000000000", "photos/000000999", "photos/009999999");
        let mut high: Option<String> = None;
        for step in 1.. {
            let point = middle(first, last, high.as_deref(), step - 1).expect("there is room");
            if point.as_str() < end {
                assert!(step <= 8, "{step} steps to {point}");
                break;
            }
            high = Some(point);
        }
    }

    #[test]
    fn counting_goes_on_as_it_went() {
        let point = beyond("k/0000", "k/0999", None, 4).unwrap();
        assert_eq!(point, "k/4995");
        let point = beyond("k/000ff0", "k/0013d7", None, 1).unwrap();
        assert!(
            point.as_str() > "k/0013d7" && point.as_str() < "k/002000",
            "{point}"
        );
        assert_eq!(beyond("k/9000", "k/9999", None, 4), None);
        assert_eq!(beyond("k/0000", "k/0999", Some("k/2"), 4), None);
    }

    proptest! {
        #[test]
        fn every_cut_lies_strictly_between(
            mut keys in proptest::collection::vec("[ -~äß漢😀\\x00]{1,12}", 2..3),
            high in option::of(any::<String>()),
            pages in 1u32..50,
        ) {
            keys.sort();
            let (first, last) = (&keys[0], &keys[1]);
            let high = high.filter(|high| high > last);
            let apart = apart(first, last, high.as_deref(), pages);
            prop_assert!(apart.is_sorted_by(|one, other| one < other));
            for point in apart {
                prop_assert!(&point > last);
                prop_assert!(high.as_ref().is_none_or(|high| &point < high));
            }
            for point in [middle(first, last, high.as_deref(), pages % 2), beyond(first, last, high.as_deref(), pages)]
                .into_iter()
                .flatten()
            {
                prop_assert!(&point > last);
                prop_assert!(high.as_ref().is_none_or(|high| &point < high));
            }
        }
    }
}
