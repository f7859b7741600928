//! Who takes part, and with which words each does the work of a case.
//!
//! Peers get the flags that make them cheap where they have such: no check whether the bucket is
//! there, times from listings, as many transfers at once as suit them.

mod words;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::{Map, Value, json};

use super::cases::{Case, Store, Work};
use super::data::Room;
use super::endpoint::Endpoint;
use super::machine;
use crate::{step, tools};

/// Most seconds a run may take.
const RUN_SECONDS_MAX: &str = "240";

/// Seconds after which a run that only has to begin is interrupted.
const BEGIN_SECONDS_MAX: &str = "12";

/// What makes the AWS CLI take its C runtime.
const CRT_CONFIG: &str = "[default]\ns3 =\n  preferred_transfer_client = crt\n";

/// Who takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Contestant {
    Longhaul,
    S5cmd,
    Rclone,
    /// rclone without the checks that cost it most.
    RcloneUnverified,
    Aws,
    /// The AWS CLI with its C runtime.
    AwsCrt,
    /// The minimal client.
    Floor,
}

/// The programs, built or found.
#[derive(Debug)]
pub(super) struct Programs {
    pub(super) endpoint: PathBuf,
    meter: PathBuf,
    floor: PathBuf,
    longhaul: PathBuf,
    /// The peers' folder, or why there is none.
    python: std::result::Result<PathBuf, String>,
    aws: std::result::Result<PathBuf, String>,
}

/// A command that does a case's work once.
#[derive(Debug)]
pub(super) struct Line {
    /// The program and its words.
    pub(super) words: Vec<OsString>,
    /// Set beside the credentials.
    environment: Vec<(&'static str, OsString)>,
    seconds_max: &'static str,
}

/// What a case is run against and in.
pub(super) struct Place<'a> {
    pub(super) room: &'a Room,
    pub(super) source: &'a Endpoint,
    /// Another endpoint for a relay, else the same.
    pub(super) destination: &'a Endpoint,
    /// Where files lie that are uploaded or compared.
    pub(super) files: Option<PathBuf>,
    /// Where downloads go; empty before each run.
    pub(super) into: PathBuf,
    /// A list of commands or keys, one for each program that takes one.
    pub(super) s5cmd_lines: PathBuf,
    pub(super) keys: PathBuf,
}

impl Programs {
    /// Builds ours for release and finds or installs the others.
    pub(super) fn ready() -> Result<Programs> {
        // One after the other, so that the mover is built with its own features and no others.
        for package in ["cli", "bench"] {
            let mut build = step::command("cargo");
            build.args(["build", "--release", "--package", package]);
            step::run(&format!("build {package} for release"), &mut build)?;
        }
        let target = target_folder();
        let built = |name: &str| target.join("release").join(name);
        Ok(Programs {
            endpoint: built("null-endpoint"),
            meter: built("meter"),
            floor: built("floor"),
            longhaul: built("longhaul"),
            python: tools::python_peers()
                .map(|peers| peers.programs())
                .map_err(|error| format!("{error:#}")),
            aws: tools::aws_cli().map_err(|error| format!("{error:#}")),
        })
    }

    /// The mover, for runs that are driven otherwise.
    pub(super) fn longhaul(&self) -> &Path {
        &self.longhaul
    }

    /// What each program says of its version.
    pub(super) fn versions(&self) -> Value {
        let mut versions = Map::new();
        let mut say = |name: &str, program: std::result::Result<PathBuf, String>, word: &str| {
            let text = match program {
                Ok(path) => machine::first_line(&path.to_string_lossy(), &[word]),
                Err(reason) => format!("not there: {reason}"),
            };
            versions.insert(name.to_owned(), json!(text));
        };
        say("longhaul", Ok(self.longhaul.clone()), "--version");
        say("s5cmd", self.python("s5cmd"), "version");
        say("rclone", self.python("rclone"), "version");
        say("aws", self.aws.clone(), "--version");
        Value::Object(versions)
    }

    fn python(&self, name: &str) -> std::result::Result<PathBuf, String> {
        self.python.clone().map(|folder| folder.join(name))
    }

    fn path(&self, who: Contestant) -> std::result::Result<PathBuf, String> {
        match who {
            Contestant::Longhaul => Ok(self.longhaul.clone()),
            Contestant::S5cmd => self.python("s5cmd"),
            Contestant::Rclone | Contestant::RcloneUnverified => self.python("rclone"),
            Contestant::Aws | Contestant::AwsCrt => self.aws.clone(),
            Contestant::Floor => Ok(self.floor.clone()),
        }
    }

    /// How `who` does this case, or why it does not.
    pub(super) fn line(
        &self,
        who: Contestant,
        case: &Case,
        place: &Place<'_>,
    ) -> std::result::Result<Line, String> {
        let mut words = vec![self.path(who)?.into_os_string()];
        words.extend(who.words(case, place)?.into_iter().map(OsString::from));
        let mut environment = Vec::new();
        if let Some(trust) = &place.source.trust {
            environment.push(("AWS_CA_BUNDLE", trust.clone().into_os_string()));
        }
        if who == Contestant::AwsCrt {
            let config = place.room.path("crt.conf");
            std::fs::write(&config, CRT_CONFIG).map_err(|error| error.to_string())?;
            environment.push(("AWS_CONFIG_FILE", config.into_os_string()));
        }
        Ok(Line {
            words,
            environment,
            seconds_max: match case.work {
                Work::FirstByte(_) => BEGIN_SECONDS_MAX,
                _ => RUN_SECONDS_MAX,
            },
        })
    }

    /// Runs a command once and gives what it cost.
    pub(super) fn run(&self, line: &Line, room: &Room) -> Result<Value> {
        let mut command = std::process::Command::new(&self.meter);
        command
            .arg(line.seconds_max)
            .args(&line.words)
            .current_dir(room.home());
        settle(&mut command, &room.home());
        command.envs(line.environment.iter().map(|(name, value)| (name, value)));
        let output = command.output().context("start the meter")?;
        anyhow::ensure!(
            output.status.success(),
            "the meter failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_slice(&output.stdout).context("read what the meter says")
    }
}

/// Where cargo builds.
pub(super) fn target_folder() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => PathBuf::from(folder),
        None => step::root().join("target"),
    }
}

/// An environment of which every run has the same.
pub(super) fn settle(command: &mut std::process::Command, home: &Path) {
    command
        .env_clear()
        .env("HOME", home)
        .env("PATH", "/usr/bin:/bin")
        .env("AWS_ACCESS_KEY_ID", "benchmark")
        .env("AWS_SECRET_ACCESS_KEY", "benchmark-secret")
        .env("AWS_REGION", "us-east-1")
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("RCLONE_CONFIG", "/dev/null");
}

impl Line {
    /// As it would be typed, without the machine's folders.
    pub(super) fn shown(&self, place: &Place<'_>) -> String {
        let text = self
            .words
            .iter()
            .enumerate()
            .map(|(index, word)| {
                let word = word.to_string_lossy();
                match (index, word.rsplit_once('/')) {
                    (0, Some((_, name))) => name.to_owned(),
                    _ if word.contains('*') => format!("'{word}'"),
                    _ => word.into_owned(),
                }
            })
            .collect::<Vec<_>>()
            .join(" ");
        let at_80 = place.source.url_at_80().unwrap_or("SOURCE");
        text.replace(&place.source.url, "SOURCE")
            .replace(at_80, "SOURCE")
            .replace(&place.destination.url, "DESTINATION")
            .replace(&place.room.path("").to_string_lossy().into_owned(), "")
    }
}

impl Contestant {
    /// Everybody, in the order of the page.
    pub(super) const ALL: [Contestant; 7] = [
        Contestant::Longhaul,
        Contestant::S5cmd,
        Contestant::Rclone,
        Contestant::RcloneUnverified,
        Contestant::Aws,
        Contestant::AwsCrt,
        Contestant::Floor,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Contestant::Longhaul => "longhaul",
            Contestant::S5cmd => "s5cmd",
            Contestant::Rclone => "rclone",
            Contestant::RcloneUnverified => "rclone, unverified",
            Contestant::Aws => "AWS CLI",
            Contestant::AwsCrt => "AWS CLI, CRT",
            Contestant::Floor => "floor",
        }
    }

    /// What it checks in this case, in a few words.
    pub(super) fn verifies(self, case: &Case) -> &'static str {
        let moves = matches!(
            case.work,
            Work::Upload(_) | Work::Download(_) | Work::Relay(_) | Work::Copy(_)
        );
        if !moves {
            return "-";
        }
        let by_md5 = case.store == Store::Md5ETags;
        match self {
            Contestant::Longhaul if by_md5 => "MD5 against the ETag",
            Contestant::Longhaul => "CRC-64/NVME of every object",
            Contestant::S5cmd => match case.work {
                Work::Upload(_) => "payload signature",
                _ => "nothing",
            },
            Contestant::Rclone => match case.work {
                Work::Upload(_) => "MD5, HEAD after each upload",
                _ if by_md5 => "MD5 against the ETag",
                _ => "size",
            },
            Contestant::RcloneUnverified => "nothing",
            Contestant::Aws | Contestant::AwsCrt => match case.work {
                Work::Upload(_) => "payload signature or MD5",
                _ => "nothing",
            },
            Contestant::Floor => "CRC-64/NVME of every upload",
        }
    }

    fn words(self, case: &Case, place: &Place<'_>) -> std::result::Result<Vec<String>, String> {
        if self != Contestant::Longhaul
            && let Some(reason) = case.ours_alone
        {
            return Err(reason.to_owned());
        }
        match self {
            Contestant::Longhaul => Ok(words::longhaul(case, place)),
            Contestant::S5cmd => words::s5cmd(case, place),
            Contestant::Rclone => words::rclone(case, place, true),
            Contestant::RcloneUnverified => match case.work {
                Work::Upload(_) => words::rclone(case, place, false),
                _ => Err("the other row of rclone is the same".to_owned()),
            },
            Contestant::Aws => words::aws(case, place, &place.source.url),
            Contestant::AwsCrt => match (case.work, place.source.url_at_80()) {
                (Work::Upload(_) | Work::Download(_), Some(url)) => words::aws(case, place, url),
                (Work::Upload(_) | Work::Download(_), None) => {
                    Err("its runtime asks at port 80, which could not be had".to_owned())
                }
                _ => Err("its runtime only uploads and downloads".to_owned()),
            },
            Contestant::Floor => words::floor(case, place),
        }
    }
}
