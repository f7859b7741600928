//! Whether the number of requests that is found by itself is as good as the best fixed one.

use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use super::contestant::{Programs, settle};
use super::data::Room;
use super::endpoint::Endpoint;
use super::machine;

/// Fixed settings that are tried.
const SETTINGS: [u32; 7] = [4, 8, 16, 32, 64, 128, 256];

/// Wire latencies in milliseconds.
const LATENCIES: [u32; 3] = [1, 20, 150];

/// Requests the store serves at once, and how long each takes it: a knee at 800 objects a second,
/// far below what the client's processor can do, so that it is the store that limits.
const SERVERS: &str = "16";
const SERVICE_MS: &str = "20";

/// Requests a second beyond which the store answers 503, where it does: below the knee.
const SLOW_DOWN: &str = "600";

/// How long a setting runs before its rate is counted, and how long it is counted.
struct Window {
    before_s: f64,
    counted_s: f64,
}

/// A fixed setting needs only its connections.
const FIXED: Window = Window {
    before_s: 1.0,
    counted_s: 2.0,
};

/// Auto has to climb first.
const AUTO: Window = Window {
    before_s: 10.0,
    counted_s: 5.0,
};

const ABOUT: &str = "Server-side copies at a store that serves 16 requests at once, 20 ms each (a knee at 800 a second), \
behind a wire of so much latency; with 503s it refuses beyond 600 requests a second. Rates are objects copied a second \
in a window of 2 s (auto: 5 s, after 10 s in which it may find its number).";

/// A run that is ended when dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Measures every condition.
pub(super) fn measure(programs: &Programs, room: &Room, quick: bool) -> Result<Value> {
    let mut conditions = Vec::new();
    let latencies = if quick {
        &LATENCIES[1..2]
    } else {
        &LATENCIES[..]
    };
    for latency in latencies {
        for slow_down in [None, Some(SLOW_DOWN)] {
            conditions.push(condition(programs, room, *latency, slow_down)?);
        }
    }
    Ok(json!({"about": ABOUT, "conditions": conditions}))
}

fn condition(
    programs: &Programs,
    room: &Room,
    latency: u32,
    slow_down: Option<&str>,
) -> Result<Value> {
    let latency_text = latency.to_string();
    let mut words = vec![
        "--latency",
        &latency_text,
        "--servers",
        SERVERS,
        "--service",
        SERVICE_MS,
    ];
    words.extend(slow_down.iter().flat_map(|rate| ["--slow-down", *rate]));
    let endpoint = Endpoint::start(&programs.endpoint, &words, None)?;
    let mut fixed = Vec::new();
    let mut best = (0, 0.0);
    for setting in SETTINGS {
        let rate = rate(programs, room, &endpoint, &setting.to_string(), &FIXED)?;
        fixed.push(json!({"setting": setting, "rate": rate}));
        if rate > best.1 {
            best = (setting, rate);
        }
    }
    let auto = rate(programs, room, &endpoint, "auto", &AUTO)?;
    let percent = if best.1 > 0.0 {
        auto / best.1 * 100.0
    } else {
        0.0
    };
    println!(
        "         {latency} ms, 503s {}: best fixed {} with {:.0}/s, auto {auto:.0}/s ({percent:.0} %)",
        slow_down.unwrap_or("none"),
        best.0,
        best.1
    );
    Ok(json!({
        "latency_ms": latency,
        "slow_down": slow_down.map(|rate| format!("beyond {rate}/s")),
        "fixed": fixed,
        "best_setting": best.0,
        "best_rate": best.1,
        "auto_rate": auto,
        "percent": percent,
    }))
}

/// Objects copied a second in the window.
fn rate(
    programs: &Programs,
    room: &Room,
    endpoint: &Endpoint,
    setting: &str,
    window: &Window,
) -> Result<f64> {
    endpoint.reset()?;
    let mut command = Command::new(programs.longhaul());
    settle(&mut command, &room.home());
    command.args(["--numworkers", setting, "--max-requests", setting]);
    command.args(["--endpoint-url", &endpoint.url, "cp"]);
    command.args(["s3://keys-1000000-16/*", "s3://sent/"]);
    let running = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let mut running = Running(running.context("start longhaul")?);
    machine::wait(window.before_s);
    let before = copied(endpoint)?;
    let watch = machine::Stopwatch::start();
    machine::wait(window.counted_s);
    let after = copied(endpoint)?;
    if let Some(status) = running.0.try_wait().context("look at longhaul")? {
        bail!("longhaul ended by itself: {status}");
    }
    Ok((after - before) / watch.seconds())
}

fn copied(endpoint: &Endpoint) -> Result<f64> {
    let counters = endpoint.counters()?;
    let asked = counters["by_operation"]["CopyObject"]
        .as_f64()
        .unwrap_or(0.0);
    let refused = counters["slow_downs"].as_f64().unwrap_or(0.0);
    Ok(asked - refused)
}
