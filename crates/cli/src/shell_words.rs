//! Lines of a run file, split into words as a shell would.

/// Why a line has no words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UnfinishedWord {
    /// A `'` without its partner.
    #[error("Unterminated single-quoted string")]
    SingleQuote,
    /// A `"` without its partner.
    #[error("Unterminated double-quoted string")]
    DoubleQuote,
    /// A `\` at the end.
    #[error("Unterminated backslash-escape")]
    Backslash,
}

/// Splits a line at white space outside of quotes.
///
/// `'...'` keeps everything, `"..."` keeps all but a backslash before `$`, `` ` ``, `"`, `\` or a
/// line end, a backslash elsewhere keeps the next character. There are no variables, no comments
/// behind words, no other signs of a shell.
pub(crate) fn split(line: &str) -> Result<Vec<String>, UnfinishedWord> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut rest = line.chars();
    while let Some(c) = rest.next() {
        match c {
            ' ' | '\t' | '\n' | '\r' => words.extend(word.take()),
            '\'' => single(&mut rest, word.get_or_insert_default())?,
            '"' => double(&mut rest, word.get_or_insert_default())?,
            '\\' => match rest.next().ok_or(UnfinishedWord::Backslash)? {
                // A line that goes on is one line.
                '\n' => {}
                next => word.get_or_insert_default().push(next),
            },
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

fn single(rest: &mut std::str::Chars<'_>, word: &mut String) -> Result<(), UnfinishedWord> {
    loop {
        match rest.next().ok_or(UnfinishedWord::SingleQuote)? {
            '\'' => return Ok(()),
            c => word.push(c),
        }
    }
}

fn double(rest: &mut std::str::Chars<'_>, word: &mut String) -> Result<(), UnfinishedWord> {
    loop {
        match rest.next().ok_or(UnfinishedWord::DoubleQuote)? {
            '"' => return Ok(()),
            '\\' => match rest.next().ok_or(UnfinishedWord::DoubleQuote)? {
                c @ ('$' | '`' | '"' | '\\') => word.push(c),
                '\n' => {}
                c => {
                    word.push('\\');
                    word.push(c);
                }
            },
            c => word.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quotes_and_backslashes_mean_what_they_mean_to_a_shell() {
        for (line, words) in [
            ("cp a  b\t", vec!["cp", "a", "b"]),
            ("'a b' \"c d\" e\\ f", vec!["a b", "c d", "e f"]),
            ("a'b'\"c\"d", vec!["abcd"]),
            ("'' \"\"", vec!["", ""]),
            (r#""a\"b\\c\$d\e""#, vec![r#"a"b\c$d\e"#]),
            (r"'a\b'", vec![r"a\b"]),
            ("a#b #c", vec!["a#b", "#c"]),
            ("$HOME *.txt a|b `x`", vec!["$HOME", "*.txt", "a|b", "`x`"]),
        ] {
            assert_eq!(split(line).unwrap(), words, "{line}");
        }
        assert_eq!(split("a 'b"), Err(UnfinishedWord::SingleQuote));
        assert_eq!(split("a \"b"), Err(UnfinishedWord::DoubleQuote));
        assert_eq!(split("a \"b\\"), Err(UnfinishedWord::DoubleQuote));
        assert_eq!(split("a\\"), Err(UnfinishedWord::Backslash));
    }

    /// Quotes a word so that every shell reads it back.
    fn single_quoted(word: &str) -> String {
        format!("'{}'", word.replace('\'', "'\\''"))
    }

    fn double_quoted(word: &str) -> String {
        let mut quoted = String::from("\"");
        for c in word.chars() {
            if matches!(c, '$' | '`' | '"' | '\\') {
                quoted.push('\\');
            }
            quoted.push(c);
        }
        quoted.push('"');
        quoted
    }

    proptest! {
        #[test]
        fn no_line_panics(line in "(?s).*") {
            let _ = split(&line);
        }

        #[test]
        fn quoted_words_come_back(words in proptest::collection::vec("(?s).{0,12}", 0..6)) {
            let single: Vec<String> = words.iter().map(|word| single_quoted(word)).collect();
            prop_assert_eq!(split(&single.join(" ")).unwrap(), words.clone());
            let double: Vec<String> = words.iter().map(|word| double_quoted(word)).collect();
            prop_assert_eq!(split(&double.join("\t")).unwrap(), words);
        }

        #[test]
        fn plain_words_are_parted_by_white_space(words in proptest::collection::vec("[a-z0-9:/*?#$|;&<>()=.-]{1,10}", 0..6)) {
            prop_assert_eq!(split(&words.join("  ")).unwrap(), words);
        }
    }
}
