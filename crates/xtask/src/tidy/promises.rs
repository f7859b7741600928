//! Each promise of `docs/semantics.md` names the tests that hold it to its word.

use super::files::Tree;

/// A paragraph that names tests begins so; names stand in backticks.
const TESTS_PARAGRAPH: &str = "Tests: ";

/// Promises without a test, and tests that are named but not there.
pub(crate) fn without_test(tree: &Tree) -> Vec<String> {
    const PAGE: &str = "docs/semantics.md";
    let Some(page) = tree.files.iter().find(|file| file.path == PAGE) else {
        return vec![format!("{PAGE} is missing")];
    };
    let mut findings = Vec::new();
    let mut heading: Option<(&str, bool)> = None;
    for paragraph in page.text.split("\n\n") {
        if let Some(title) = title_of(paragraph) {
            findings.extend(unproven(heading));
            heading = Some((title, false));
        }
        let Some(names) = paragraph.strip_prefix(TESTS_PARAGRAPH) else {
            continue;
        };
        heading = heading.map(|(title, _)| (title, true));
        for name in names.split('`').skip(1).step_by(2) {
            let definition = format!("fn {name}(");
            if !tree.rust().any(|file| file.text.contains(&definition)) {
                findings.push(format!("{PAGE}: test `{name}` is not there"));
            }
        }
    }
    findings.extend(unproven(heading));
    findings
}

/// The promise that a paragraph opens, if it opens one.
fn title_of(paragraph: &str) -> Option<&str> {
    paragraph.lines().find_map(|line| line.strip_prefix("### "))
}

fn unproven(heading: Option<(&str, bool)>) -> Option<String> {
    match heading {
        Some((title, false)) => Some(format!("docs/semantics.md: \"{title}\" names no test")),
        Some((_, true)) | None => None,
    }
}
