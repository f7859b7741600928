//! What was measured, kept in `bench/results.json`.

use anyhow::{Context as _, Result};
use serde_json::{Map, Value, json};

use super::cases::{Case, Figure};

/// All results so far; those that are not measured anew stay.
#[derive(Debug)]
pub(super) struct Results(Value);

impl Results {
    /// The last run's, on this machine from now on.
    pub(super) fn read_or_new(machine: &Value) -> Result<Results> {
        let path = super::folder().join("results.json");
        std::fs::create_dir_all(super::folder()).context("make bench/")?;
        let mut value = match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).context("read bench/results.json")?,
            Err(_) => json!({"cases": {}}),
        };
        if value["machine"].is_null() {
            value["machine"] = machine.clone();
        }
        Ok(Results(value))
    }

    /// Says how the run that begins is done.
    pub(super) fn set_run(&mut self, quick: bool, versions: &Value) {
        self.0["machine"] = super::machine::describe();
        self.0["quick"] = json!(quick);
        self.0["versions"] = versions.clone();
    }

    pub(super) fn put_seconds(&mut self, seconds: f64) {
        self.0["seconds"] = json!(seconds.round());
    }

    pub(super) fn put_case(&mut self, name: &str, case: Value) {
        self.0["cases"][name] = case;
    }

    pub(super) fn put(&mut self, name: &str, value: Value) {
        self.0[name] = value;
    }

    pub(super) fn get(&self, name: &str) -> &Value {
        &self.0[name]
    }

    /// Cases in the table's order.
    pub(super) fn cases(&self) -> Vec<&Value> {
        let cases: Option<&Map<String, Value>> = self.0["cases"].as_object();
        super::cases::all(false)
            .iter()
            .filter_map(|case| cases?.get(case.name))
            .collect()
    }

    pub(super) fn write(&self) -> Result<()> {
        let mut text = serde_json::to_string_pretty(&self.0).context("word results")?;
        text.push('\n');
        std::fs::write(super::folder().join("results.json"), text).context("write results.json")
    }
}

/// A case's result out of its rows, each with its medians.
pub(super) fn case_of(case: &Case, mut rows: Vec<Value>) -> Value {
    let files = case.files();
    let bytes = files.count as f64 * files.size as f64;
    for row in &mut rows {
        let runs = row["runs"].as_array().cloned().unwrap_or_default();
        if runs.is_empty() {
            continue;
        }
        let cpu = |run: &Value| Some(run["user_s"].as_f64()? + run["system_s"].as_f64()?);
        let of = |name: &'static str| move |run: &Value| run[name].as_f64();
        row["wall_s"] = json!(median(&runs, of("wall_s")));
        row["cpu_s"] = json!(median(&runs, cpu));
        let memory = median(&runs, of("memory_kib")).map(|kib| kib / 1_024.0);
        row["memory_mib"] = json!(memory);
        row["connections"] = json!(median(&runs, of("connections")));
        row["requests"] = json!(median(&runs, of("requests")));
        row["figure"] = json!(match case.figure {
            Figure::Cpu => median(&runs, cpu),
            Figure::CpuPerGb => median(&runs, cpu).map(|cpu| cpu / (bytes / 1e9)),
            // The worst of all runs: memory is a promise, not a speed.
            Figure::Memory => worst(&runs, of("memory_kib")).map(|kib| kib / 1_024.0),
            Figure::FirstByte => median(&runs, of("first_object_s")),
        });
    }
    let mut result = described(case);
    result["rows"] = Value::Array(rows);
    result
}

/// The result of a case that could not be run.
pub(super) fn failed_case(case: &Case, reason: &str) -> Value {
    let mut result = described(case);
    result["failed"] = json!(reason);
    result["rows"] = json!([]);
    result
}

fn described(case: &Case) -> Value {
    let unit = match case.figure {
        Figure::Cpu => "CPU-s",
        Figure::CpuPerGb => "CPU-s per GB",
        Figure::Memory => "MiB",
        Figure::FirstByte => "s",
    };
    json!({
        "name": case.name,
        "title": case.title,
        "unit": unit,
        "goal": case.goal,
        "floor": case.floor,
        "why": case.why,
        "objects": case.files().count,
        "object_bytes": case.files().size,
    })
}

fn median(runs: &[Value], read: impl Fn(&Value) -> Option<f64>) -> Option<f64> {
    let mut figures: Vec<f64> = runs.iter().filter_map(read).collect();
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    match figures.len() % 2 {
        _ if figures.is_empty() => None,
        0 => Some((figures[middle - 1] + figures[middle]) / 2.0),
        _ => Some(figures[middle]),
    }
}

fn worst(runs: &[Value], read: impl Fn(&Value) -> Option<f64>) -> Option<f64> {
    runs.iter().filter_map(read).max_by(f64::total_cmp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_are_in_the_middle() {
        let runs = |figures: &[f64]| figures.iter().map(|f| json!({"x": f})).collect::<Vec<_>>();
        let read = |run: &Value| run["x"].as_f64();
        assert_eq!(median(&runs(&[3.0, 1.0, 2.0]), read), Some(2.0));
        assert_eq!(median(&runs(&[4.0, 1.0, 2.0, 3.0]), read), Some(2.5));
        assert_eq!(median(&[], read), None);
        assert_eq!(worst(&runs(&[3.0, 1.0]), read), Some(3.0));
    }
}
