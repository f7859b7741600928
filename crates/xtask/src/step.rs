//! One command of a longer run: quiet when it succeeds, telling when it fails.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

/// Lines of a failed command's output that are shown.
const FAILURE_LINES: usize = 120;

/// The root of the checkout, which holds the workspace's manifest.
pub(crate) fn root() -> PathBuf {
    let crate_folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    crate_folder
        .ancestors()
        .nth(2)
        .expect("the crate lies two folders below the root")
        .to_path_buf()
}

/// A command at the checkout's root that inherits no credentials and no proxies of the caller.
///
/// Cargo itself may need proxies to reach its registry, so they go only from what tests run in.
pub(crate) fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    for (name, _) in std::env::vars_os() {
        if name
            .to_string_lossy()
            .to_ascii_uppercase()
            .starts_with("AWS_")
        {
            command.env_remove(&name);
        }
    }
    command
}

/// Takes proxies and the endpoint of s5cmd out of a command's environment too.
pub(crate) fn without_proxies(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let upper = name.to_string_lossy().to_ascii_uppercase();
        if upper.ends_with("_PROXY") || upper == "S3_ENDPOINT_URL" || upper.starts_with("LONGHAUL_")
        {
            command.env_remove(&name);
        }
    }
}

/// Runs a command as a named step. Its output is shown only when it fails.
pub(crate) fn run(name: &str, command: &mut Command) -> Result<String> {
    print!("{name} ... ");
    std::io::stdout().flush().context("flush stdout")?;
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("start {}", command.get_program().to_string_lossy()))?;
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    if output.status.success() {
        println!("ok");
        return Ok(text);
    }
    println!("FAILED");
    let lines: Vec<&str> = text.lines().collect();
    let shown = &lines[lines.len().saturating_sub(FAILURE_LINES)..];
    println!("{}", shown.join("\n"));
    bail!("{name} failed ({})", output.status)
}
