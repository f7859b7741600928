//! Each promise of `docs/semantics.md` names the tests that hold it to its word.

use super::files::Tree;

/// A line that names tests begins so; names stand in backticks.
const TESTS_LINE: &str = "Tests: ";

/// Promises without a test, and tests that are named but not there.
pub(crate) fn without_test(tree: &Tree) -> Vec<String> {
    const PAGE: &str = "docs/semantics.md";
    let Some(page) = tree.files.iter().find(|file| file.path == PAGE) else {
        return vec![format!("{PAGE} is missing")];
    };
    let mut findings = Vec::new();
    let mut heading: Option<(&str, bool)> = None;
    for line in page.text.lines() {
        if let Some(title) = line.strip_prefix("### ") {
            findings.extend(unproven(heading));
            heading = Some((title, false));
        } else if let Some(names) = line.strip_prefix(TESTS_LINE) {
            heading = heading.map(|(title, _)| (title, true));
            for name in names.split('`').skip(1).step_by(2) {
                let definition = format!("fn {name}(");
                if !tree.rust().any(|file| file.text.contains(&definition)) {
                    findings.push(format!("{PAGE}: test `{name}` is not there"));
                }
            }
        }
    }
    findings.extend(unproven(heading));
    findings
}

fn unproven(heading: Option<(&str, bool)>) -> Option<String> {
    match heading {
        Some((title, false)) => Some(format!("docs/semantics.md: \"{title}\" names no test")),
        Some((_, true)) | None => None,
    }
}
