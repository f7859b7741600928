//! Logs for whoever looks for a fault: standard error, only when asked for.

use tracing_subscriber::EnvFilter;

/// The variable that asks for logs: `info`, `debug`, `remote=trace,mover=debug`, ...
const VARIABLE: &str = "LONGHAUL_LOG";

/// Starts logging by the variable, or at `trace` for our own crates with `--log trace`.
///
/// Secrets never get here: the client's types star them out.
pub(crate) fn start(trace: bool, json: bool) -> Result<(), String> {
    let filter = match std::env::var(VARIABLE) {
        Ok(text) if !text.is_empty() => text,
        _ if trace => "base=trace,remote=trace,mover=trace,longhaul=trace".to_owned(),
        _ => return Ok(()),
    };
    let filter = EnvFilter::try_new(&filter)
        .map_err(|error| format!("bad value for {VARIABLE}: {filter}: {error}"))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let started = if json {
        builder.json().try_init()
    } else {
        builder.with_ansi(false).try_init()
    };
    started.map_err(|error| format!("start logging: {error}"))
}
