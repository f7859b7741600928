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
            if !is_there(tree, name) {
                findings.push(format!("{PAGE}: test `{name}` is not there"));
            }
        }
    }
    findings.extend(unproven(heading));
    for name in page.text.lines().flat_map(tests_of_row) {
        if !is_there(tree, name) {
            findings.push(format!("{PAGE}: test `{name}` is not there"));
        }
    }
    findings
}

/// The tests that a row of a table names: what stands in backticks in its last column.
fn tests_of_row(line: &str) -> impl Iterator<Item = &str> {
    let row = line
        .strip_prefix("| ")
        .and_then(|row| row.strip_suffix(" |"));
    let cell = row.and_then(|row| row.rsplit(" | ").next());
    cell.unwrap_or_default().split('`').skip(1).step_by(2)
}

fn is_there(tree: &Tree, test: &str) -> bool {
    let definition = format!("fn {test}(");
    tree.rust().any(|file| file.text.contains(&definition))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_name_tests_in_their_last_column_alone() {
        let names = |line| tests_of_row(line).collect::<Vec<_>>();
        assert_eq!(names("| a | `--flag` | `one`, `two` |"), ["one", "two"]);
        assert!(names("|---|---|---|").is_empty());
        assert!(names("text | with `ticks`").is_empty());
    }
}
