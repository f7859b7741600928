//! Servers written by others that must be compiled before our conformance suite can meet them.
//!
//! They take minutes to build, so that CI leaves them out; the executables stay in the user's cache
//! folder. What each server lacks is listed beside the tests, and shown in `docs/peers.md`.

use anyhow::{Result, bail};

use crate::step;
use crate::tools::{self, CargoTool};

const PEERS: [CompiledPeer; 2] = [
    CompiledPeer {
        variable: "LONGHAUL_PEER_GARAGE",
        test: "garage_conforms_but_for_what_it_lacks",
        tool: CargoTool {
            name: "garage",
            version: "2.5.0",
            // Of its databases only the one that the test asks for.
            features: &["--no-default-features", "--features=bundled-libs,sqlite"],
        },
    },
    CompiledPeer {
        variable: "LONGHAUL_PEER_S3S_FS",
        test: "s3s_fs_conforms_but_for_what_it_lacks",
        tool: CargoTool {
            name: "s3s-fs",
            version: "0.14.1",
            features: &["--features=binary"],
        },
    },
];

/// A server and the test that runs the suite against it.
struct CompiledPeer {
    /// The environment variable by which the test finds the executable.
    variable: &'static str,
    test: &'static str,
    tool: CargoTool,
}

/// Builds each server unless it is there, runs the suite against it and says how it came out.
pub(crate) fn run() -> Result<()> {
    let mut failed = Vec::new();
    for peer in &PEERS {
        if let Err(error) = peer.run() {
            println!("{error:#}");
            failed.push(peer.tool.name);
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    bail!("the suite failed against {}", failed.join(" and "))
}

impl CompiledPeer {
    fn run(&self) -> Result<()> {
        let executable = self.tool.ensure()?;
        let mut command = step::command(tools::cargo_nextest()?);
        command.args(["nextest", "run", "--package", "remote", "--cargo-quiet"]);
        command.args(["--ignore-default-filter", "--success-output", "immediate"]);
        command.args(["--color", "never", "-E"]);
        command.arg(format!("test(={})", self.test));
        step::without_proxies(&mut command);
        command.env(self.variable, executable);
        let name = format!("conformance of {} {}", self.tool.name, self.tool.version);
        let text = step::run(&name, &mut command)?;
        let Some(report) = Report::of(&text) else {
            bail!("{name}: the suite did not run:\n{text}");
        };
        for lack in report.lacks {
            println!("  {lack}");
        }
        println!("  {}", report.counts);
        Ok(())
    }
}

/// What people want to see of a suite's report.
struct Report<'a> {
    /// A line for each check that the server is known not to pass, with the reason.
    lacks: Vec<&'a str>,
    /// How many checks came out in which way.
    counts: &'a str,
}

impl<'a> Report<'a> {
    /// Finds it among what a test run says.
    fn of(text: &'a str) -> Option<Report<'a>> {
        let lines = || text.lines().map(str::trim);
        let counts = lines().find(|line| line.contains(" passed, ") && line.ends_with(" lacking"));
        Some(Report {
            lacks: lines()
                .filter(|line| line.starts_with("lacking "))
                .collect(),
            counts: counts?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_are_found_among_the_talk_of_a_run() {
        let text = "  STDOUT\n    conformance of http://h\n    passed   a\n    \
                    lacking  b: why (seen)\n    1 passed, 0 failed, 1 lacking\n  Summary 1 passed";
        let report = Report::of(text).unwrap();
        assert_eq!(report.lacks, ["lacking  b: why (seen)"]);
        assert_eq!(report.counts, "1 passed, 0 failed, 1 lacking");
        assert!(Report::of("skipped: LONGHAUL_PEER_GARAGE names no executable").is_none());
    }
}
