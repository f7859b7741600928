//! The commands as a new user would try them, against servers written by others.
//!
//! Each step either works or is listed as lacking, with the reason; `docs/peers.md` shows the same
//! table. A step that is listed and works all the same fails the test. The servers are installed by
//! `cargo xtask test`.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]
#![expect(
    clippy::disallowed_methods,
    reason = "processes are waited for on the machine's clock"
)]

#[path = "../../remote/tests/peer/server.rs"]
mod server;

#[path = "servers/bench.rs"]
mod bench;
#[path = "servers/steps.rs"]
mod steps;

use std::process::Command;

use self::bench::Bench;
use self::server::{Place, Program, Server};
use self::steps::STEPS;

const PAGE: &str = include_str!("../../../docs/peers.md");

const ACCESS_KEY_ID: &str = "AKIDPEER";
const SECRET: &str = "a secret of the suite";

const MOTO: Program = Program {
    name: "moto",
    variable: "LONGHAUL_PEER_MOTO_SERVER",
    access_key_id: ACCESS_KEY_ID,
    secret: SECRET,
    configure: configure_moto,
    is_ready: |_, _| true,
};

const RCLONE: Program = Program {
    name: "rclone serve s3",
    variable: "LONGHAUL_PEER_RCLONE",
    access_key_id: ACCESS_KEY_ID,
    secret: SECRET,
    configure: configure_rclone,
    is_ready: |_, _| true,
};

/// What a server lacks: steps, each with the reason.
type Lacks = &'static [(&'static str, &'static str)];

/// The servers, in the order of the page's columns.
const SERVERS: [(&Program, Lacks); 2] = [
    (&MOTO, &[("doctor, wrong secret", "checks no signature")]),
    (
        &RCLONE,
        &[
            (
                "cp inside, metadata",
                "a copy that replaces metadata keeps the old",
            ),
            ("tags go along", "has no tags"),
            ("--preserve-acl", "has no access lists"),
            ("sync --versions", "has no versions"),
        ],
    ),
];

fn configure_moto(place: &Place, command: &mut Command) {
    command.arg("-H").arg(place.address.ip().to_string());
    command.arg("-p").arg(place.address.port().to_string());
}

fn configure_rclone(place: &Place, command: &mut Command) {
    command.args(["serve", "s3", "--config", ""]);
    command.arg("--addr").arg(place.address.to_string());
    let account = format!("{ACCESS_KEY_ID},{SECRET}");
    command.arg("--auth-key").arg(account).arg(place.data());
}

/// Tries every step; those that fail must be those that are listed.
fn works_but_for_what_it_lacks(name: &str) {
    let (program, lacks) = SERVERS
        .iter()
        .find(|(program, _)| program.name == name)
        .unwrap();
    let variable = program.variable;
    let Some(executable) = std::env::var_os(variable).filter(|path| !path.is_empty()) else {
        eprintln!("skipped: {variable} names no executable");
        return;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let server = runtime.block_on(Server::start(program, &executable));
    let mut wrong = Vec::new();
    for (step, run) in STEPS {
        // Each begins with buckets of its own, so that one failure is not several.
        let bench = Bench::new(&runtime, program, server.address(), step);
        let lacking = lacks.iter().find(|(name, _)| *name == step);
        match (run(&bench), lacking) {
            (Ok(()), None) => println!("works    {step}"),
            (Err(why), Some((_, reason))) => println!("lacking  {step}: {reason} ({why})"),
            (Ok(()), Some(_)) => wrong.push(format!("{step} works, and is listed as lacking")),
            (Err(why), None) => wrong.push(format!("{step}: {why}")),
        }
    }
    assert!(wrong.is_empty(), "{name}:\n{}", wrong.join("\n"));
}

#[test]
fn commands_work_against_moto() {
    works_but_for_what_it_lacks(MOTO.name);
}

#[test]
fn commands_work_against_rclone() {
    works_but_for_what_it_lacks(RCLONE.name);
}

#[test]
fn the_page_says_what_works() {
    for (server, lacks) in SERVERS {
        for (step, _) in lacks {
            let known = STEPS.iter().any(|(name, _)| name == step);
            assert!(known, "{} lacks {step}, which nobody tries", server.name);
        }
    }
    let mut table = String::new();
    for (step, _) in STEPS {
        let cells = SERVERS.map(|(_, lacks)| {
            let lacking = lacks.iter().find(|(name, _)| *name == step);
            lacking.map_or("works", |(_, reason)| reason)
        });
        table.push_str(&format!("| {step} | {} |\n", cells.join(" | ")));
    }
    assert!(PAGE.contains(&table), "docs/peers.md must hold:\n{table}");
}
