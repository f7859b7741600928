//! `bench/RESULTS.md`: what we lose first, and why.

use std::fmt::Write as _;

use serde_json::Value;

use super::results::Results;

/// Rows that are no peers.
const NO_PEERS: [&str; 2] = ["longhaul", "floor"];

/// How far a figure may be above another and still count as equal: what runs on one quiet machine
/// differ by.
const EQUAL: f64 = 1.03;

/// The page.
pub(super) fn text(results: &Results) -> String {
    let mut out = String::from(OPENING);
    head(&mut out, results);
    let cases = results.cases();
    out.push_str("\n## What we lose\n\n");
    losses(&mut out, &cases);
    out.push_str("\n## Every case\n\n");
    overview(&mut out, &cases);
    tuning(&mut out, results.get("tuning"));
    soak(&mut out, results.get("soak"));
    out.push_str("\n## Each in full\n");
    for case in &cases {
        details(&mut out, case);
    }
    out
}

const OPENING: &str = "\
# What moving costs

Written by `cargo xtask bench`; do not edit. Figures are the client's own: CPU seconds (user and system), peak resident
memory, connections, medians of the counted runs. The endpoint answers at once, swallows what is uploaded after comparing its
checksum, makes up what is downloaded, and runs on a core of its own; data lies in memory. So the figures say what a
client costs, not how fast a store is. Contestants take turns, a warm-up before the first counted run; whoever takes
longer than 12 s for all its runs has fewer, and in a row marked ¹ the first run is the only one.
";

fn head(out: &mut String, results: &Results) {
    let machine = results.get("machine");
    let word = |name: &str| machine[name].as_str().unwrap_or("?").to_owned();
    let _ = writeln!(
        out,
        "\n{} · {} cores, {} GiB · {} · {} · load before the run {}",
        word("cpu"),
        machine["cores"],
        machine["memory_gib"],
        word("kernel"),
        word("rustc"),
        word("load"),
    );
    let _ = writeln!(out, "commit {} · {}", word("commit"), word("date"));
    if results.get("quick") == true {
        out.push_str("\n**A quick run: a tenth of the objects, two runs each. Its figures are not to be quoted, and goals do not apply.**\n");
    }
    out.push('\n');
    for (name, version) in results.get("versions").as_object().into_iter().flatten() {
        let _ = writeln!(out, "- {name}: {}", version.as_str().unwrap_or("?"));
    }
}

fn figure(case: &Value, who: &str) -> Option<f64> {
    let rows = case["rows"].as_array()?;
    rows.iter().find(|row| row["who"] == who)?["figure"].as_f64()
}

/// The best peer's name and figure.
fn best_peer(case: &Value) -> Option<(&str, f64)> {
    let rows = case["rows"].as_array()?.iter();
    rows.filter_map(|row| Some((row["who"].as_str()?, row["figure"].as_f64()?)))
        .filter(|(who, _)| !NO_PEERS.contains(who))
        .min_by(|a, b| a.1.total_cmp(&b.1))
}

fn losses(out: &mut String, cases: &[&Value]) {
    let mut none = true;
    for case in cases {
        let title = case["title"].as_str().unwrap_or_default();
        let why = case["why"].as_str().unwrap_or_default();
        let Some(ours) = figure(case, "longhaul") else {
            let reason = case["failed"].as_str().or_else(|| cannot(case));
            let _ = writeln!(
                out,
                "- **{title}**: not measured: {}",
                reason.unwrap_or("?")
            );
            none = false;
            continue;
        };
        let lost = best_peer(case).filter(|(_, best)| ours > best * EQUAL);
        let missed = case["goal"].as_f64().filter(|goal| ours > goal * EQUAL);
        if lost.is_none() && missed.is_none() {
            continue;
        }
        none = false;
        let _ = write!(out, "- **{title}**: {} {}", number(ours), unit(case));
        if let Some((who, best)) = lost {
            let _ = write!(
                out,
                ", {who} {} ({:.2} times that)",
                number(best),
                ours / best
            );
        }
        if let Some(goal) = missed {
            let _ = write!(
                out,
                "; the goal is {} ({:.2} times that)",
                number(goal),
                ours / goal
            );
        }
        out.push_str(if why.is_empty() { "." } else { ". " });
        out.push_str(why);
        out.push('\n');
    }
    if none {
        out.push_str("Nothing: in no case a peer is ahead, and no goal is missed.\n");
    }
}

fn cannot(case: &Value) -> Option<&str> {
    let rows = case["rows"].as_array()?;
    rows.iter().find(|row| row["who"] == "longhaul")?["cannot"].as_str()
}

fn overview(out: &mut String, cases: &[&Value]) {
    out.push_str("| case | unit | longhaul | best peer | ratio | goal | floor here | floor first seen |\n|---|---|---|---|---|---|---|---|\n");
    for case in cases {
        let ours = figure(case, "longhaul");
        let best = best_peer(case);
        let ratio = ours.zip(best).map(|(ours, (_, best))| best / ours);
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} | {} | {} |",
            case["title"].as_str().unwrap_or_default(),
            unit(case),
            shown(ours),
            best.map_or("-".to_owned(), |(who, best)| format!(
                "{who} {}",
                number(best)
            )),
            ratio.map_or("-".to_owned(), |ratio| format!("{ratio:.1} ×")),
            shown(case["goal"].as_f64()),
            shown(figure(case, "floor")),
            shown(case["floor"].as_f64()),
        );
    }
    out.push_str(
        "\nThe ratio is the best peer's figure divided by ours: above 1, ours is the cheaper.\n",
    );
}

fn details(out: &mut String, case: &Value) {
    let _ = writeln!(
        out,
        "\n### {}\n",
        case["title"].as_str().unwrap_or_default()
    );
    if let Some(reason) = case["failed"].as_str() {
        let _ = writeln!(out, "Failed: {reason}");
        return;
    }
    let _ = writeln!(
        out,
        "{} × {} bytes\n",
        case["objects"], case["object_bytes"]
    );
    let _ = writeln!(
        out,
        "| who | {} | CPU-s | wall s | MiB | connections | requests | runs | verifies |\n|---|---|---|---|---|---|---|---|---|",
        unit(case)
    );
    let rows = || case["rows"].as_array().into_iter().flatten();
    for row in rows().filter(|row| row["figure"].is_number()) {
        let runs = row["runs"].as_array().map_or(0, Vec::len);
        let mark = if row["warmed_up"] == false { "¹" } else { "" };
        let whole = |name: &str| {
            row[name]
                .as_f64()
                .map_or("-".to_owned(), |n| format!("{n:.0}"))
        };
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} | {} | {runs}{mark} | {} |",
            row["who"].as_str().unwrap_or_default(),
            shown(row["figure"].as_f64()),
            shown(row["cpu_s"].as_f64()),
            shown(row["wall_s"].as_f64()),
            whole("memory_mib"),
            whole("connections"),
            whole("requests"),
            row["verifies"].as_str().unwrap_or_default(),
        );
    }
    out.push('\n');
    for row in rows() {
        let who = row["who"].as_str().unwrap_or_default();
        if let Some(reason) = row["cannot"].as_str() {
            let _ = writeln!(out, "- {who}: not run: {reason}");
        } else if let Some(command) = row["command"].as_str() {
            let _ = writeln!(out, "- {who}: `{command}`");
        }
    }
}

fn tuning(out: &mut String, tuning: &Value) {
    let Some(conditions) = tuning["conditions"].as_array() else {
        return;
    };
    let _ = writeln!(
        out,
        "\n## `--numworkers auto --max-requests auto` against fixed settings\n\n{}\n",
        tuning["about"].as_str().unwrap_or_default()
    );
    out.push_str("| latency | 503s | best fixed setting | its objects/s | auto, objects/s | of the best | all settings |\n|---|---|---|---|---|---|---|\n");
    for condition in conditions {
        let all: Vec<String> = condition["fixed"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|fixed| format!("{}: {}", fixed["setting"], shown_rate(&fixed["rate"])))
            .collect();
        let _ = writeln!(
            out,
            "| {} ms | {} | {} | {} | {} | {:.0} % | {} |",
            condition["latency_ms"],
            condition["slow_down"].as_str().unwrap_or("none"),
            condition["best_setting"],
            shown_rate(&condition["best_rate"]),
            shown_rate(&condition["auto_rate"]),
            condition["percent"].as_f64().unwrap_or(0.0),
            all.join(", "),
        );
    }
}

fn soak(out: &mut String, soak: &Value) {
    out.push_str("\n## Soak\n\n");
    match soak["text"].as_str() {
        Some(text) => out.push_str(text),
        None => out.push_str("Not run yet: `cargo xtask bench soak`.\n"),
    }
}

fn shown_rate(rate: &Value) -> String {
    rate.as_f64()
        .map_or("-".to_owned(), |rate| format!("{rate:.0}"))
}

fn unit(case: &Value) -> &str {
    case["unit"].as_str().unwrap_or_default()
}

fn shown(figure: Option<f64>) -> String {
    figure.map_or("-".to_owned(), number)
}

/// Three digits are more than runs agree on.
fn number(figure: f64) -> String {
    match figure {
        figure if figure >= 100.0 => format!("{figure:.0}"),
        figure if figure >= 10.0 => format!("{figure:.1}"),
        figure if figure >= 1.0 => format!("{figure:.2}"),
        figure => format!("{figure:.3}"),
    }
}
