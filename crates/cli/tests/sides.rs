//! `longhaul` between two stores with two accounts: every way to say who asks which one.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use base::redact::Secret;
use front::{Account, AnonymousAccess};
use sim::server::{TestServer, TestServerOptions};
use tempfile::TempDir;
use tokio::runtime::Runtime;

const PARTNER_KEY: &str = "PARTNERKEY";
const PARTNER_SECRET: &str = "partner/secret";

/// Our store, which the plain variables name, and a partner's, of another account.
struct Bench {
    runtime: Runtime,
    partner: TestServer,
    ours: TestServer,
    folder: TempDir,
}

impl Bench {
    fn new() -> Bench {
        Bench::open_to(AnonymousAccess::Deny)
    }

    /// The partner's store is open to everybody.
    fn open_to(anonymous: AnonymousAccess) -> Bench {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .unwrap();
        let partner = TestServerOptions {
            account: Some(Account {
                access_key_id: PARTNER_KEY.to_owned(),
                secret: Secret::new(PARTNER_SECRET),
            }),
            anonymous,
            ..TestServerOptions::default()
        };
        let (partner, ours) = runtime.block_on(async {
            let partner = TestServer::start_with(partner).await;
            (partner, TestServer::start().await)
        });
        partner.create_bucket("theirs");
        partner.put("theirs", "song", "la la la");
        ours.create_bucket("ours");
        ours.put("ours", "note", "do re mi");
        let bench = Bench {
            runtime,
            partner,
            ours,
            folder: tempfile::tempdir().unwrap(),
        };
        bench.write_files();
        bench
    }

    /// Profiles of both in the home folder, and the partner's files elsewhere.
    fn write_files(&self) {
        std::fs::create_dir(self.path().join(".aws")).unwrap();
        let keys = format!(
            "aws_access_key_id = {PARTNER_KEY}\naws_secret_access_key = {PARTNER_SECRET}\n"
        );
        let at = format!("endpoint_url = {}\n", self.partner.endpoint());
        for (name, text) in [
            (
                ".aws/credentials",
                format!("[partner]\n{keys}[placed]\n{keys}"),
            ),
            (".aws/config", format!("[profile placed]\n{at}")),
            ("their-credentials", format!("[default]\n{keys}")),
            ("their-config", format!("[default]\n{at}")),
            ("token", "the-token".to_owned()),
            ("file", "from disk".to_owned()),
        ] {
            std::fs::write(self.path().join(name), text).unwrap();
        }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Runs in an environment whose plain variables name our store.
    fn run(&self, way: &Way, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_longhaul"))
            .args(&way.flags)
            .args(arguments)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", self.path())
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .envs(self.ours.environment())
            .envs(way.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(self.path())
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// Runs what must go well; what it prints.
    fn done(&self, way: &Way, arguments: &[&str]) -> String {
        let output = self.run(way, arguments);
        let told = text(&output.stderr);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{way:?} {arguments:?}: {told}"
        );
        text(&output.stdout)
    }

    /// Every way to make a side the partner's.
    fn ways(&self, side: &str, token_service: &str) -> Vec<Way> {
        let upper = side.to_uppercase();
        let flag = |name: &str| format!("--{side}-{name}");
        let variable = |name: &str| format!("LONGHAUL_{upper}_AWS_{name}");
        let url = self.partner.endpoint();
        let file = |name: &str| self.path().join(name).to_str().unwrap().to_owned();
        let way = |flags: Vec<String>, variables: &[(&str, &str)]| Way {
            flags,
            variables: variables
                .iter()
                .map(|(name, value)| (variable(name), (*value).to_owned()))
                .collect(),
        };
        let keys = [
            ("ACCESS_KEY_ID", PARTNER_KEY),
            ("SECRET_ACCESS_KEY", PARTNER_SECRET),
        ];
        let at = [flag("endpoint-url"), url.clone()];
        let flags = |more: &[String]| [&at[..], more].concat();
        let (credentials, config) = (file("their-credentials"), file("their-config"));
        let token = file("token");
        let mut ways = vec![
            way(flags(&[flag("profile"), "partner".to_owned()]), &[]),
            way(vec![flag("profile"), "placed".to_owned()], &[]),
            way(flags(&[flag("credentials-file"), credentials.clone()]), &[]),
            way(flags(&[]), &keys),
            way(vec![], &[&keys[..], &[("ENDPOINT_URL", &url)]].concat()),
            way(
                vec![],
                &[
                    &keys[..],
                    &[("ENDPOINT_URL_S3", &url), ("REGION", "us-east-1")],
                ]
                .concat(),
            ),
            way(vec![], &[("PROFILE", "partner"), ("ENDPOINT_URL", &url)]),
            way(vec![], &[("PROFILE", "placed")]),
            way(
                vec![],
                &[
                    ("SHARED_CREDENTIALS_FILE", &credentials),
                    ("CONFIG_FILE", &config),
                ],
            ),
            way(
                vec![],
                &[
                    ("ROLE_ARN", "arn:aws:iam::123456789012:role/web"),
                    ("WEB_IDENTITY_TOKEN_FILE", &token),
                    ("ENDPOINT_URL", &url),
                ],
            ),
            way(
                flags(&[
                    flag("assume-role"),
                    "arn:aws:iam::123456789012:role/reader".to_owned(),
                    flag("external-id"),
                    "x".to_owned(),
                ]),
                &[],
            ),
        ];
        for way in &mut ways {
            let service = ("AWS_ENDPOINT_URL_STS", token_service);
            // What a side of its own must not take over.
            for (name, value) in [service, ("AWS_SESSION_TOKEN", "ours")] {
                way.variables.push((name.to_owned(), value.to_owned()));
            }
        }
        ways
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        // The servers' tasks end with the runtime.
        let _guard = self.runtime.enter();
    }
}

/// Flags and variables.
#[derive(Debug, Default)]
struct Way {
    flags: Vec<String>,
    variables: Vec<(String, String)>,
}

impl Way {
    fn flags(flags: &[&str]) -> Way {
        Way {
            flags: flags.iter().map(|flag| (*flag).to_owned()).collect(),
            ..Way::default()
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A token service that gives the partner's keys to whoever asks; it lives as long as the process.
fn token_service() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || give_keys(stream));
        }
    });
    url
}

fn give_keys(mut stream: TcpStream) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut length = 0;
    let mut line = String::new();
    while reader.read_line(&mut line)? > 2 {
        if let Some(("content-length", value)) = line.to_lowercase().trim().split_once(": ") {
            length = value.parse().unwrap();
        }
        line.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let action = if text(&body).contains("WithWebIdentity") {
        "AssumeRoleWithWebIdentity"
    } else {
        "AssumeRole"
    };
    let answer = format!(
        "<{action}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{action}Result>\
         <Credentials><AccessKeyId>{PARTNER_KEY}</AccessKeyId>\
         <SecretAccessKey>{PARTNER_SECRET}</SecretAccessKey><SessionToken>t</SessionToken>\
         <Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>\
         </{action}Result></{action}Response>"
    );
    let length = answer.len();
    write!(
        stream,
        "HTTP/1.1 200 OK\r\ncontent-type: text/xml\r\ncontent-length: {length}\r\n\
         connection: close\r\n\r\n{answer}"
    )
}

#[test]
fn every_way_to_name_a_source_reads_there_and_writes_to_the_machines_own() {
    let bench = Bench::new();
    for (number, way) in bench.ways("source", &token_service()).iter().enumerate() {
        let here = format!("here{number}/");
        assert!(bench.done(way, &["ls", "s3://theirs/"]).contains("song"));
        bench.done(way, &["cp", "s3://theirs/song", &here]);
        let landed = std::fs::read_to_string(bench.path().join(&here).join("song"));
        assert_eq!(landed.unwrap(), "la la la");
        let up = format!("s3://ours/up{number}");
        bench.done(way, &["cp", "file", &up]);
        let up = format!("up{number}");
        assert_eq!(bench.ours.get("ours", &up), "from disk".as_bytes());
        let across = format!("across{number}");
        bench.done(
            way,
            &["cp", "s3://theirs/*", &format!("s3://ours/{across}/")],
        );
        let song = bench.ours.get("ours", &format!("{across}/song"));
        assert_eq!(song, "la la la".as_bytes());
    }
}

#[test]
fn every_way_to_name_a_destination_writes_there_and_reads_from_the_machines_own() {
    let bench = Bench::new();
    let ways = bench.ways("destination", &token_service());
    for (number, way) in ways.iter().enumerate() {
        assert!(bench.done(way, &["ls", "s3://ours/"]).contains("note"));
        let up = format!("s3://theirs/up{number}");
        bench.done(way, &["cp", "file", &up]);
        let up = format!("up{number}");
        assert_eq!(bench.partner.get("theirs", &up), "from disk".as_bytes());
        let across = format!("across{number}/");
        bench.done(
            way,
            &["sync", "s3://ours/*", &format!("s3://theirs/{across}")],
        );
        let note = bench.partner.get("theirs", &format!("{across}note"));
        assert_eq!(note, "do re mi".as_bytes());
        bench.done(way, &["mb", &format!("s3://bucket{number}")]);
        assert!(bench.partner.keys(&format!("bucket{number}")).is_empty());
    }
}

#[test]
fn a_side_may_go_unsigned_while_the_other_signs() {
    let bench = Bench::open_to(AnonymousAccess::All);
    let url = bench.partner.endpoint();
    let source = Way::flags(&["--source-no-sign-request", "--source-endpoint-url", &url]);
    bench.done(&source, &["cp", "s3://theirs/song", "here/"]);
    bench.done(&source, &["cp", "file", "s3://ours/up"]);
    let flags = [
        "--destination-no-sign-request",
        "--destination-endpoint-url",
        &url,
    ];
    let destination = Way::flags(&flags);
    bench.done(&destination, &["cp", "s3://ours/note", "here/"]);
    bench.done(&destination, &["cp", "file", "s3://theirs/up"]);
    // Unsigned is for the one side alone: our own store lets nobody in.
    let flags = ["--source-no-sign-request"];
    let output = bench.run(&Way::flags(&flags), &["ls", "s3://ours/"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("AccessDenied"));
}

#[test]
fn the_wrong_account_is_refused_by_the_store_and_named() {
    let bench = Bench::new();
    let url = bench.partner.endpoint();
    let way = Way::flags(&["--source-endpoint-url", &url]);
    let output = bench.run(&way, &["ls", "s3://theirs/"]);
    assert_eq!(output.status.code(), Some(1));
    let told = text(&output.stderr);
    assert!(told.contains("InvalidAccessKeyId"), "{told}");
}

#[test]
fn a_command_of_one_store_does_not_mind_what_is_said_of_the_other() {
    let bench = Bench::new();
    let way = Way::flags(&[
        "--destination-profile",
        "nobody",
        "--destination-endpoint-url",
        "http://127.0.0.1:1",
    ]);
    assert!(bench.done(&way, &["ls", "s3://ours/"]).contains("note"));
    bench.done(&way, &["cp", "s3://ours/note", "here/"]);
}

#[test]
fn what_contradicts_itself_is_said_before_anything_is_asked() {
    let bench = Bench::new();
    for (flags, message) in [
        (
            &["--source-no-sign-request", "--source-profile", "p"][..],
            "\"source-no-sign-request\" and \"source-profile\" flags cannot be used together",
        ),
        (
            &["--destination-external-id", "x"],
            "--destination-external-id needs --destination-assume-role",
        ),
        (
            &["--source-endpoint-url", "h:9000"],
            "bad value for --source-endpoint-url h:9000: scheme is missing",
        ),
        (
            &["--source-bucket", "b"],
            "flag provided but not defined: -source-bucket",
        ),
    ] {
        let output = bench.run(&Way::flags(flags), &["ls", "s3://ours/"]);
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{flags:?}: {told}");
        assert!(told.contains(message), "{flags:?}: {told}");
    }
    let half = Way {
        flags: Vec::new(),
        variables: vec![("LONGHAUL_SOURCE_AWS_ACCESS_KEY_ID".into(), "k".into())],
    };
    let output = bench.run(&half, &["ls", "s3://ours/"]);
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{told}");
    let missing = "LONGHAUL_SOURCE_AWS_SECRET_ACCESS_KEY is not set";
    assert!(told.contains(missing), "{told}");
}

#[test]
fn a_sides_secrets_are_never_printed() {
    let bench = Bench::new();
    for way in bench.ways("source", &token_service()) {
        for arguments in [
            &["--log", "trace", "ls", "s3://theirs/"][..],
            &["--log", "trace", "cp", "s3://theirs/nope", "here/"],
        ] {
            let output = bench.run(&way, arguments);
            let told = text(&output.stdout) + &text(&output.stderr);
            assert!(!told.contains(PARTNER_SECRET), "{way:?} {arguments:?}");
        }
    }
}
