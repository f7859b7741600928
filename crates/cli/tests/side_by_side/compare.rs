//! Runs one case three times and tells what differs.

use tokio::runtime::Handle;

use crate::case::Case;
use crate::differences::{Aspect, DIFFERENCES};
use crate::normal::normal;
use crate::programs::{Printed, Program, Programs};
use crate::world::{Content, World};

/// What one program did in one case.
#[derive(Debug)]
struct Done {
    printed: Vec<Printed>,
    content: Content,
}

/// Runs the case by all three programs; the text says what differs and should not.
pub(crate) fn run(case: &Case, programs: &Programs, runtime: &Handle) -> Option<String> {
    let excused: &[Aspect] = match &case.difference {
        None => &[],
        Some(name) => {
            let difference = DIFFERENCES
                .iter()
                .find(|difference| difference.name == *name);
            difference
                .unwrap_or_else(|| panic!("{name} is no known difference"))
                .aspects
        }
    };
    let peer = done(case, Program::Peer, programs, runtime);
    let mut findings = Vec::new();
    let mut differed = false;
    for program in [Program::AsS5cmd, Program::Longhaul] {
        let ours = done(case, program, programs, runtime);
        for (aspect, text) in differences(case, program, &peer, &ours) {
            if excused.contains(&aspect) {
                differed = true;
            } else {
                findings.push(format!("{program:?}, {aspect:?}:\n{text}"));
            }
        }
    }
    if case.difference.is_some() && !differed && findings.is_empty() {
        findings.push("differs in nothing: take the mark away".to_owned());
    }
    (!findings.is_empty()).then(|| {
        format!(
            "=== [{}] {}\n{}",
            case.world,
            case.line,
            findings.join("\n")
        )
    })
}

fn done(case: &Case, program: Program, programs: &Programs, runtime: &Handle) -> Done {
    let world = runtime.block_on(World::make(&case.world));
    let endpoint = world.server.endpoint();
    let environment = world.server.environment();
    let printed = case
        .steps
        .iter()
        .map(|step| {
            let printed = programs.run(program, step, world.folder.path(), &environment);
            normal(printed, &endpoint)
        })
        .collect();
    let content = world.content();
    runtime.block_on(world.server.shutdown());
    Done { printed, content }
}

fn differences(case: &Case, program: Program, peer: &Done, ours: &Done) -> Vec<(Aspect, String)> {
    let mut found = Vec::new();
    for (theirs, mine) in peer.printed.iter().zip(&ours.printed) {
        let stdout = |printed: &Printed| lines(&printed.stdout, case.is_ordered());
        found.extend(compared(Aspect::Stdout, &stdout(theirs), &stdout(mine)));
        let stderr = |printed: &Printed| match program {
            Program::Longhaul => {
                let text = printed.stderr.replace("See 'longhaul", "See 's5cmd");
                let heads: Vec<&str> = text.lines().map(head).collect();
                lines(&heads.join("\n"), false)
            }
            Program::Peer | Program::AsS5cmd => lines(&printed.stderr, false),
        };
        found.extend(compared(Aspect::Stderr, &stderr(theirs), &stderr(mine)));
        let code = |printed: &Printed| match program {
            // Our own codes: success and failure must be the same all the same.
            Program::Longhaul => (printed.code != Some(0)).to_string(),
            Program::Peer | Program::AsS5cmd => format!("{:?}", printed.code),
        };
        found.extend(compared(Aspect::Code, &code(theirs), &code(mine)));
    }
    let content = |done: &Done| {
        let rows = done.content.iter();
        let rows: Vec<String> = rows.map(|(name, line)| format!("{name}: {line}")).collect();
        rows.join("\n")
    };
    found.extend(compared(Aspect::Content, &content(peer), &content(ours)));
    found
}

/// A line of standard error without its cause, which is worded by the name called.
fn head(line: &str) -> &str {
    let marks = ["\": ", ",\"error\":"];
    let cut = marks.iter().filter_map(|mark| line.find(mark)).min();
    cut.map_or(line, |at| &line[..at])
}

fn lines(text: &str, ordered: bool) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    if !ordered {
        lines.sort_unstable();
    }
    lines.join("\n")
}

fn compared(aspect: Aspect, theirs: &str, ours: &str) -> Option<(Aspect, String)> {
    if theirs == ours {
        return None;
    }
    let mut text = String::new();
    let only = |from: &str, other: &str, mark: char, text: &mut String| {
        for line in from
            .lines()
            .filter(|line| !other.lines().any(|o| o == *line))
        {
            text.push_str(&format!("  {mark} {line}\n"));
        }
    };
    only(theirs, ours, '-', &mut text);
    only(ours, theirs, '+', &mut text);
    if text.is_empty() {
        text = format!("  order or number of lines differs:\n{theirs}\n  --\n{ours}\n");
    }
    Some((aspect, text))
}
