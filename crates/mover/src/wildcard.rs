//! s5cmd's wildcard rule.

/// A pattern over a whole text: `*` is any run of characters, `/` and line ends among them, `?` is
/// any one character, everything else is itself.
///
/// Source: s5cmd v2.3.0, observed (FACTS §8: on the S3 side `*` crosses `/`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wildcard {
    pattern: String,
}

impl Wildcard {
    /// Takes a pattern; every text is one.
    pub fn new(pattern: impl Into<String>) -> Wildcard {
        Wildcard {
            pattern: pattern.into(),
        }
    }

    /// The pattern as it was given.
    pub fn as_str(&self) -> &str {
        &self.pattern
    }

    /// Whether the pattern covers all of `text`.
    ///
    /// Remembers only the last `*`: time is at most pattern × text, memory none.
    pub fn matches(&self, text: &str) -> bool {
        let pattern = self.pattern.as_bytes();
        let bytes = text.as_bytes();
        let (mut at_pattern, mut at_text) = (0, 0);
        // Where the last star stands and the text position its run ends at.
        let mut star: Option<(usize, usize)> = None;
        while at_text < bytes.len() {
            match pattern.get(at_pattern) {
                // What a last star covers needs no look.
                Some(b'*') if at_pattern + 1 == pattern.len() => return true,
                Some(b'*') => {
                    star = Some((at_pattern, at_text));
                    at_pattern += 1;
                    continue;
                }
                Some(b'?') => {
                    at_pattern += 1;
                    at_text += character_length(bytes[at_text]);
                    continue;
                }
                Some(byte) if *byte == bytes[at_text] => {
                    at_pattern += 1;
                    at_text += 1;
                    continue;
                }
                Some(_) | None => {}
            }
            let Some((star_pattern, star_text)) = star else {
                return false;
            };
            // The run grows by one character, never ending inside one, since `?` counts them.
            let longer = star_text + character_length(bytes[star_text]);
            star = Some((star_pattern, longer));
            at_pattern = star_pattern + 1;
            at_text = longer;
        }
        pattern[at_pattern..].iter().all(|byte| *byte == b'*')
    }
}

/// Bytes of the UTF-8 character that begins with `lead`.
fn character_length(lead: u8) -> usize {
    match lead {
        0x00..=0x7f => 1,
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        0x80..=0xbf | 0xf0..=0xff => 4,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert_eq, proptest};

    use super::*;

    /// The rule as its own definition reads, without any cleverness.
    fn by_definition(pattern: &[char], text: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('*', rest)) => (0..=text.len()).any(|run| by_definition(rest, &text[run..])),
            Some(('?', rest)) => !text.is_empty() && by_definition(rest, &text[1..]),
            Some((c, rest)) => text.first() == Some(c) && by_definition(rest, &text[1..]),
        }
    }

    #[test]
    fn stars_cross_slashes_and_lines_and_nothing_is_special_but_two() {
        assert!(Wildcard::new("*.gz").matches("a/b\nc.gz"));
        assert!(Wildcard::new("a?c").matches("a/c"));
        assert!(Wildcard::new("a?c").matches("aéc"));
        assert!(!Wildcard::new("a?c").matches("ac"));
        assert!(!Wildcard::new("*.gz").matches("a.gzip"));
        assert!(!Wildcard::new("A*").matches("a"));
        assert!(Wildcard::new("[a].{b}+\\*").matches("[a].{b}+\\x"));
        assert!(Wildcard::new("").matches("") && !Wildcard::new("").matches("a"));
    }

    proptest! {
        #[test]
        fn matches_as_s5cmds_rule_defines(
            pattern in "[ab*?/é\n]{0,8}",
            text in "[ab/é\n]{0,12}",
        ) {
            let expected = by_definition(
                &pattern.chars().collect::<Vec<_>>(),
                &text.chars().collect::<Vec<_>>(),
            );
            prop_assert_eq!(Wildcard::new(pattern).matches(&text), expected);
        }
    }
}
