//! Cases as lines of text.
//!
//! `[world]` names what the following cases find. A case is one command line without the
//! program's name, or several joined by `&&`. Before it may stand `NAME=value` for the environment
//! and `< 'text'` for standard input (`\n`, `\t` and `\r` are what they are in Rust); behind it ` #= name` says which
//! deliberate difference it shows.

/// One case.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    /// The line as written, for people.
    pub(crate) line: String,
    /// What it finds.
    pub(crate) world: String,
    /// The commands, one after the other in the same world.
    pub(crate) steps: Vec<Step>,
    /// The deliberate difference that it shows.
    pub(crate) difference: Option<String>,
}

/// One command.
#[derive(Debug, Clone, Default)]
pub(crate) struct Step {
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) stdin: String,
    pub(crate) arguments: Vec<String>,
}

impl Case {
    /// Whether the order of lines is promised: only looking commands print in order.
    pub(crate) fn is_ordered(&self) -> bool {
        let looks = |step: &Step| {
            step.arguments
                .iter()
                .any(|word| matches!(word.as_str(), "ls" | "cat" | "head"))
        };
        self.steps.iter().all(looks)
    }
}

/// Reads a file of cases.
pub(crate) fn read(text: &str) -> Vec<Case> {
    let mut world = String::new();
    let mut cases = Vec::new();
    for line in text.lines() {
        let line = line.trim_end();
        if line.is_empty() || line.starts_with("# ") {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            name.clone_into(&mut world);
            continue;
        }
        let (commands, difference) = match line.split_once(" #= ") {
            Some((commands, name)) => (commands, Some(name.trim().to_owned())),
            None => (line, None),
        };
        let mut steps = Vec::new();
        let mut step = Step::default();
        let mut words = words(commands).into_iter();
        while let Some(word) = words.next() {
            let assignment = word.split_once('=').filter(|(name, _)| {
                let loud = |c: char| c.is_ascii_uppercase() || c == '_' || c.is_ascii_digit();
                !name.is_empty() && name.chars().all(loud)
            });
            match (word.as_str(), assignment) {
                ("&&", _) => steps.push(std::mem::take(&mut step)),
                ("<", _) if step.arguments.is_empty() => {
                    let text = words.next().unwrap().replace("\\n", "\n");
                    step.stdin = text.replace("\\t", "\t").replace("\\r", "\r");
                }
                (_, Some((name, value))) if step.arguments.is_empty() => {
                    step.environment.push((name.to_owned(), value.to_owned()));
                }
                // An empty command line is written `()`.
                ("()", _) => {}
                _ => step.arguments.push(word),
            }
        }
        steps.push(step);
        cases.push(Case {
            line: line.to_owned(),
            world: world.clone(),
            steps,
            difference,
        });
    }
    cases
}

/// Words parted by blanks; `'...'` and `"..."` keep everything between them.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, ' ') => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}
