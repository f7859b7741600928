use super::*;
use crate::args::Command;

fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

fn run(line: &str) -> Invocation {
    match read(&words(line), Persona::S5cmd).expect(line) {
        Request::Run(invocation) => *invocation,
        other => panic!("{line}: {other:?}"),
    }
}

fn misuse(line: &str) -> Misuse {
    read(&words(line), Persona::S5cmd).expect_err(line)
}

fn flag(line: &str) -> String {
    match misuse(line) {
        Misuse::Flag { message, .. } | Misuse::Global(message) => message,
        Misuse::UnknownCommand(name) => panic!("{line}: unknown {name}"),
    }
}

#[test]
fn clap_accepts_the_schema_and_every_flag_has_a_long_name() {
    let root = schema();
    root.clone().debug_assert();
    let flags = root
        .get_subcommands()
        .chain([&root])
        .flat_map(|command| command.get_arguments())
        .filter(|arg| !arg.is_positional());
    for arg in flags {
        assert!(arg.get_long().is_some(), "{arg:?}");
    }
}

#[test]
fn one_dash_does_for_long_flags() {
    for line in [
        "rm -raw s3://b/k",
        "rm --raw s3://b/k",
        "rm -raw=T s3://b/k",
    ] {
        let Command::Remove(args) = run(line).cli.command else {
            panic!("{line}");
        };
        assert!(args.raw && args.arguments == ["s3://b/k"], "{line}");
    }
}

#[test]
fn flags_behind_the_first_argument_are_arguments() {
    let Command::List(args) = run("ls s3://b --etag").cli.command else {
        panic!();
    };
    assert!(!args.etag);
    assert_eq!(args.arguments, ["s3://b", "--etag"]);
}

#[test]
fn bools_take_a_value_only_with_an_equals_sign() {
    let Command::Copy(args) = run("cp -n=false -f true x").cli.command else {
        panic!();
    };
    assert!(!args.no_clobber && args.flatten);
    assert_eq!(args.arguments, ["true", "x"]);
    assert_eq!(
        flag("--json=maybe ls"),
        "invalid boolean value \"maybe\" for -json: parse error"
    );
}

#[test]
fn lists_split_at_commas_and_gather() {
    let line = "cp --exclude a --exclude b,c --include= a b";
    let Command::Copy(args) = run(line).cli.command else {
        panic!();
    };
    assert_eq!(args.transfer.exclude, ["a", "b", "c"]);
    assert_eq!(args.transfer.include, [""]);
    assert_eq!(
        run(line).typed,
        "cp --exclude=a --exclude=b --exclude=c --include= a b"
    );
}

#[test]
fn messages_repeat_flags_in_declared_order_with_gos_values() {
    let line = "cp -p 7 -c 0x10 -f --metadata a=b --metadata c=d x y";
    assert_eq!(
        run(line).typed,
        "cp --flatten=true --concurrency=16 --part-size=7 --metadata=a=b c=d  x y"
    );
    assert_eq!(
        run("presign --expire 90m s3://b/k").typed,
        "presign --expire=1h30m0s s3://b/k"
    );
    assert_eq!(run("cp -n -n=false a b").typed, "cp --no-clobber=false a b");
}

#[test]
fn wrong_flags_are_told_in_gos_words() {
    for (line, message) in [
        ("ls -nope", "flag provided but not defined: -nope"),
        ("--nope ls", "flag provided but not defined: -nope"),
        ("--version", "flag provided but not defined: -version"),
        ("cp --acl", "flag needs an argument: -acl"),
        (
            "cp -c x a b",
            "invalid value \"x\" for flag -c: parse error",
        ),
        ("cp --- a b", "bad flag syntax: ---"),
        ("cp -=x a b", "bad flag syntax: -=x"),
        ("ls -eH s3://b", "flag provided but not defined: -eH"),
        (
            "cp -n --no-clobber a b",
            "Cannot use two forms of the same flag: n no-clobber",
        ),
        (
            "cp --metadata foo a b",
            "invalid value \"foo\" for flag -metadata: the key value pair([foo]) has invalid format",
        ),
        (
            "cp --metadata a=b --metadata a=c a b",
            "invalid value \"a=c\" for flag -metadata: key \"a\" is already defined",
        ),
        (
            "cp --metadata-directive X a b",
            "invalid value \"X\" for flag -metadata-directive: allowed values: [COPY, REPLACE, ]",
        ),
        (
            "--log nope ls",
            "invalid value \"nope\" for flag -log: allowed values: [trace, debug, info, error]",
        ),
        (
            "--numworkers x ls",
            "invalid value \"x\" for flag -numworkers: parse error",
        ),
        (
            "presign --expire 8d s3://b/k",
            "invalid value \"8d\" for flag -expire: parse error",
        ),
    ] {
        assert_eq!(flag(line), message, "{line}");
    }
    assert_eq!(misuse("nope"), Misuse::UnknownCommand("nope".to_owned()));
}

#[test]
fn help_is_asked_for_in_several_ways() {
    let about = |line: &str| match read(&words(line), Persona::S5cmd) {
        Ok(Request::Help(about)) => about,
        other => panic!("{line}: {other:?}"),
    };
    for line in ["", "help", "h", "-h", "--help", "--json"] {
        assert_eq!(about(line), None, "{line}");
    }
    for line in ["ls -h", "ls --help", "help ls", "h ls", "ls -e -help x"] {
        assert_eq!(about(line).as_deref(), Some("ls"), "{line}");
    }
    assert_eq!(misuse("help nope"), Misuse::UnknownCommand("nope".into()));
}

#[test]
fn global_flags_stand_before_the_command() {
    let invocation = run("--json -r 2 --log=debug --log info -- ls s3://b");
    assert!(invocation.cli.global.json);
    assert_eq!(invocation.cli.global.retry_count.0, 2);
    assert_eq!(invocation.cli.global.log, "info");
    assert_eq!(invocation.typed, "ls s3://b");
    assert_eq!(flag("ls --json"), "flag provided but not defined: -json");
}

proptest::proptest! {
    #[test]
    fn no_command_line_panics(words in proptest::collection::vec("[-=a-z,0-9 ]{0,12}|.{0,6}", 0..6)) {
        let _ = read(&words, Persona::S5cmd);
        let mut behind = vec!["cp".to_owned()];
        behind.extend(words);
        let _ = read(&behind, Persona::Longhaul);
    }
}
