//! A chart of the main figures, in a light and a dark variant for the README.

use std::fmt::Write as _;

use serde_json::Value;

use super::results::Results;

/// The cases shown, with the words under which.
const SHOWN: [(&str, &str); 7] = [
    ("upload-small", "upload 10,000 × 16 KiB"),
    ("download-small", "download 10,000 × 16 KiB"),
    ("relay-small", "relay 10,000 × 16 KiB"),
    ("copy-small", "server-side copy of 10,000"),
    ("head-small", "HEAD 10,000"),
    ("list-million", "list 1,000,000 keys"),
    ("sync-files", "sync 100,000 equal files"),
];

/// Who is shown.
const CONTESTANTS: [&str; 3] = ["longhaul", "s5cmd", "rclone"];

const WIDTH: f64 = 760.0;
const LEFT: f64 = 210.0;
const RIGHT: f64 = 90.0;
const TOP: f64 = 56.0;
const BAR: f64 = 12.0;
const GROUP_GAP: f64 = 14.0;

/// Colours of a variant.
struct Palette {
    text: &'static str,
    faint: &'static str,
    /// One for each contestant.
    bars: [&'static str; 3],
}

const LIGHT: Palette = Palette {
    text: "#1f2328",
    faint: "#59636e",
    bars: ["#0969da", "#8c959f", "#c4cad1"],
};

const DARK: Palette = Palette {
    text: "#e6edf3",
    faint: "#9198a1",
    bars: ["#4493f8", "#6e7681", "#484f58"],
};

/// Names and texts of all files; none while there is nothing to show.
pub(super) fn all(results: &Results) -> Vec<(&'static str, String)> {
    let cases = results.cases();
    let groups: Vec<(&str, [Option<f64>; 3])> = SHOWN
        .iter()
        .filter_map(|(name, title)| {
            let case = cases.iter().find(|case| case["name"] == *name)?;
            Some((*title, CONTESTANTS.map(|who| cpu(case, who))))
        })
        .collect();
    if groups.is_empty() {
        return Vec::new();
    }
    vec![
        ("cpu-light.svg", draw(&groups, &LIGHT)),
        ("cpu-dark.svg", draw(&groups, &DARK)),
    ]
}

fn cpu(case: &Value, who: &str) -> Option<f64> {
    let rows = case["rows"].as_array()?;
    rows.iter().find(|row| row["who"] == who)?["cpu_s"].as_f64()
}

fn draw(groups: &[(&str, [Option<f64>; 3])], palette: &Palette) -> String {
    let figures = groups
        .iter()
        .flat_map(|(_, figures)| figures.iter().flatten());
    let most = figures.copied().fold(0.001, f64::max);
    let group_height = BAR * 3.0 + GROUP_GAP;
    let height = TOP + group_height * groups.len() as f64 + 8.0;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
         viewBox=\"0 0 {WIDTH} {height}\" font-family=\"system-ui, sans-serif\" font-size=\"12\" \
         role=\"img\" aria-label=\"CPU seconds of the client, less is better\">\n"
    );
    let Palette { text, faint, bars } = palette;
    let _ = writeln!(
        out,
        "<text x=\"0\" y=\"16\" fill=\"{text}\" font-size=\"14\" font-weight=\"600\">\
         CPU seconds of the client (less is better)</text>"
    );
    for (index, (who, colour)) in CONTESTANTS.iter().zip(bars).enumerate() {
        let x = LEFT + index as f64 * 100.0;
        let _ = writeln!(
            out,
            "<rect x=\"{x}\" y=\"28\" width=\"12\" height=\"12\" rx=\"2\" fill=\"{colour}\"/>\
             <text x=\"{}\" y=\"38\" fill=\"{faint}\">{who}</text>",
            x + 18.0
        );
    }
    for (row, (title, figures)) in groups.iter().enumerate() {
        let top = TOP + row as f64 * group_height;
        let _ = writeln!(
            out,
            "<text x=\"{}\" y=\"{}\" fill=\"{text}\" text-anchor=\"end\">{title}</text>",
            LEFT - 10.0,
            top + BAR * 1.5 + 4.0
        );
        for (index, (figure, colour)) in figures.iter().zip(bars).enumerate() {
            let y = top + index as f64 * BAR;
            let Some(figure) = figure else {
                let _ = writeln!(
                    out,
                    "<text x=\"{LEFT}\" y=\"{}\" fill=\"{faint}\" font-size=\"10\">cannot</text>",
                    y + BAR - 3.0
                );
                continue;
            };
            let width = (figure / most * (WIDTH - LEFT - RIGHT)).max(1.0);
            let _ = writeln!(
                out,
                "<rect x=\"{LEFT}\" y=\"{y}\" width=\"{width:.1}\" height=\"{}\" rx=\"2\" fill=\"{colour}\"/>\
                 <text x=\"{:.1}\" y=\"{}\" fill=\"{faint}\" font-size=\"10\">{figure:.2}</text>",
                BAR - 2.0,
                LEFT + width + 5.0,
                y + BAR - 3.0
            );
        }
    }
    out.push_str("</svg>\n");
    out
}
