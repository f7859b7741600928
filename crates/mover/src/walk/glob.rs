//! Shell-like patterns over one component of a path.

use crate::error::Error;

/// One component of a path pattern: `*` is any run of characters, `?` any one, `[a-z]` and `[^a-z]`
/// one of a set, `\` takes the next character as itself. None crosses `/`, and dots at the
/// beginning are not special.
///
/// Source: s5cmd v2.3.0, observed: patterns as Go's path/filepath documents them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Component {
    tokens: Vec<Token>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Character(char),
    Any,
    Run,
    Set {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

impl Component {
    /// Reads a component's pattern.
    pub(super) fn parse(pattern: &str) -> Result<Component, Error> {
        let mut rest = pattern.chars();
        let mut tokens = Vec::new();
        while let Some(c) = rest.next() {
            tokens.push(match c {
                '*' => Token::Run,
                '?' => Token::Any,
                '\\' => Token::Character(rest.next().ok_or_else(|| wrong(pattern))?),
                '[' => set(&mut rest).ok_or_else(|| wrong(pattern))?,
                c => Token::Character(c),
            });
        }
        Ok(Component { tokens })
    }

    /// Whether only one name can match.
    pub(super) fn is_literal(&self) -> bool {
        let literal = |token: &Token| matches!(token, Token::Character(_));
        self.tokens.iter().all(literal)
    }

    /// Whether all of `name` matches.
    pub(super) fn matches(&self, name: &str) -> bool {
        let name: Vec<char> = name.chars().collect();
        let (mut at_token, mut at_name) = (0, 0);
        let mut run: Option<(usize, usize)> = None;
        while at_name < name.len() {
            let token = self.tokens.get(at_token);
            if let Some(Token::Run) = token {
                run = Some((at_token, at_name));
                at_token += 1;
            } else if token.is_some_and(|token| token.covers(name[at_name])) {
                at_token += 1;
                at_name += 1;
            } else if let Some((token, start)) = run {
                run = Some((token, start + 1));
                at_token = token + 1;
                at_name = start + 1;
            } else {
                return false;
            }
        }
        self.tokens[at_token..]
            .iter()
            .all(|token| *token == Token::Run)
    }
}

impl Token {
    fn covers(&self, c: char) -> bool {
        match self {
            Token::Character(wanted) => *wanted == c,
            Token::Any => true,
            Token::Run => false,
            Token::Set { negated, ranges } => {
                let inside = ranges.iter().any(|(low, high)| (*low..=*high).contains(&c));
                inside != *negated
            }
        }
    }
}

/// Reads a set up to its `]`.
fn set(rest: &mut std::str::Chars<'_>) -> Option<Token> {
    let negated = rest.as_str().starts_with('^');
    if negated {
        rest.next();
    }
    let mut ranges = Vec::new();
    loop {
        let low = match rest.next()? {
            ']' if !ranges.is_empty() => return Some(Token::Set { negated, ranges }),
            ']' | '-' => return None,
            '\\' => rest.next()?,
            c => c,
        };
        let mut high = low;
        if rest.as_str().starts_with('-') {
            rest.next();
            high = match rest.next()? {
                ']' | '-' => return None,
                '\\' => rest.next()?,
                c => c,
            };
        }
        ranges.push((low, high));
    }
}

fn wrong(pattern: &str) -> Error {
    Error::Usage(format!("syntax error in pattern \"{pattern}\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_match_as_a_shell_would() {
        let matches = |pattern: &str, name: &str| Component::parse(pattern).unwrap().matches(name);
        assert!(matches("*.txt", ".hidden.txt") && matches("*", "") && matches("**", "a"));
        assert!(matches("a?c", "aüc") && !matches("a?c", "ac"));
        assert!(matches("[a-cx]z", "bz") && matches("[^a-c]z", "dz") && !matches("[^a-c]z", "az"));
        assert!(matches("\\*", "*") && !matches("\\*", "a"));
        assert!(matches("a*b*c", "axxbyyc") && !matches("a*b*c", "axxbyy"));
        for wrong in ["[", "[]", "[a", "a\\", "[a-]"] {
            assert!(Component::parse(wrong).is_err(), "{wrong}");
        }
    }
}
