//! Our binary, a server written by others, and one of ours beside it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use sim::server::{ACCESS_KEY_ID, SECRET_ACCESS_KEY, TestServer};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::server::Program;

/// Steps in which the large file is sent in parts: debug builds take their time over it.
const LARGE: [&str; 5] = [
    "cp up and down",
    "relay from",
    "verify, --manifest, --read",
    "resume after a kill",
    // rclone knows no list of uploads for a bucket that never had one.
    "uploads ls",
];

/// What a step needs; its folder is removed when dropped.
pub(crate) struct Bench {
    folder: TempDir,
    endpoint: String,
    access_key_id: &'static str,
    secret: &'static str,
    /// Ours, with the bucket `ours`.
    pub(crate) ours: TestServer,
    /// A bucket of the other server's that nobody else uses.
    pub(crate) bucket: String,
}

/// Which flags make a side ours; the plain environment is the other server's.
pub(crate) enum Ours {
    Source,
    Destination,
}

impl Bench {
    pub(crate) fn new(
        runtime: &Runtime,
        program: &Program,
        address: SocketAddr,
        step: &str,
    ) -> Bench {
        let ours = runtime.block_on(TestServer::start());
        ours.create_bucket("ours");
        let letters = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
        let name: String = step.to_ascii_lowercase().chars().map(letters).collect();
        let bench = Bench {
            folder: tempfile::tempdir().unwrap(),
            endpoint: format!("http://{address}"),
            access_key_id: program.access_key_id,
            secret: program.secret,
            ours,
            bucket: format!("try-{}", name.trim_matches('-').replace("--", "-")),
        };
        bench.fill(if LARGE.contains(&step) {
            17_000_000
        } else {
            100_000
        });
        bench
    }

    /// Files of every size that is sent differently.
    fn fill(&self, large: u32) {
        let folder = self.path("in/sub");
        std::fs::create_dir_all(folder).unwrap();
        let large: Vec<u8> = (0..large).map(|at| (at % 251) as u8).collect();
        std::fs::write(self.path("in/large"), large).unwrap();
        std::fs::write(self.path("in/empty"), "").unwrap();
        std::fs::write(self.path("in/note.txt"), "hello\n").unwrap();
        std::fs::write(self.path("in/sub/page.html"), "<p>").unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `s3://` and the bucket, and what is in it.
    pub(crate) fn url(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.bucket)
    }

    /// A command for the other server.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_longhaul"));
        command
            .args(arguments)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", self.folder.path())
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ACCESS_KEY_ID", self.access_key_id)
            .env("AWS_SECRET_ACCESS_KEY", self.secret)
            .env("S3_ENDPOINT_URL", &self.endpoint)
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        command
    }

    /// Runs it; its exit code, and what it printed.
    pub(crate) fn run(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        told(&self.command(arguments).output().unwrap())
    }

    /// Runs what must go well; what it printed on standard output.
    pub(crate) fn done(&self, arguments: &[&str]) -> Result<String, String> {
        ended(arguments, self.run(arguments))
    }

    /// The same between two stores, of which one is ours.
    pub(crate) fn relayed(&self, side: &Ours, arguments: &[&str]) -> Result<String, String> {
        let name = match side {
            Ours::Source => "SOURCE",
            Ours::Destination => "DESTINATION",
        };
        let mut command = self.command(arguments);
        command
            .env(format!("LONGHAUL_{name}_AWS_ACCESS_KEY_ID"), ACCESS_KEY_ID)
            .env(
                format!("LONGHAUL_{name}_AWS_SECRET_ACCESS_KEY"),
                SECRET_ACCESS_KEY,
            )
            .env(
                format!("LONGHAUL_{name}_AWS_ENDPOINT_URL"),
                self.ours.endpoint(),
            );
        ended(arguments, told(&command.output().unwrap()))
    }

    /// Makes the bucket and uploads everything below `in/`.
    pub(crate) fn upload(&self) -> Result<(), String> {
        self.done(&["mb", self.url("").trim_end_matches('/')])?;
        self.done(&["cp", "in/", &self.url("in/")]).map(drop)
    }

    /// Whether a folder holds what `in` holds.
    pub(crate) fn holds_all(&self, folder: &str) -> Result<(), String> {
        for name in ["large", "empty", "note.txt", "sub/page.html"] {
            let read = |root: &str| std::fs::read(self.path(root).join(Path::new(name)));
            match (read("in"), read(folder)) {
                (Ok(sent), Ok(got)) if sent == got => {}
                (_, Ok(_)) => return Err(format!("{folder}/{name} differs")),
                (_, Err(error)) => return Err(format!("{folder}/{name}: {error}")),
            }
        }
        Ok(())
    }
}

fn told(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

fn ended(
    arguments: &[&str],
    (code, stdout, stderr): (Option<i32>, String, String),
) -> Result<String, String> {
    match code {
        Some(0) => Ok(stdout),
        code => Err(format!("{}: {code:?}: {stderr}", arguments.join(" "))),
    }
}

/// Fails with `line` unless `holds`.
pub(crate) fn ensure(holds: bool, line: impl Into<String>) -> Result<(), String> {
    match holds {
        true => Ok(()),
        false => Err(line.into()),
    }
}
