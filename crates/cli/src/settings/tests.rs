use base::redact::Secret;
use remote::aws::{NamedProfile, StaticCredentials};

use super::*;
use crate::args::grammar::{Request, read};

fn resolve_in(line: &str, variables: &[(&str, &str)]) -> Result<Settings, InvalidSettings> {
    let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
    let variables = variables.iter().copied();
    let environment = variables
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    match read(&words, Persona::Longhaul).unwrap() {
        Request::Run(invocation) => Settings::resolve(
            &invocation.cli.global,
            Persona::Longhaul,
            &AwsOptions::default(),
            &environment,
        ),
        other => panic!("{other:?}"),
    }
}

fn resolve(line: &str) -> Result<Settings, InvalidSettings> {
    resolve_in(line, &[])
}

/// The usual chain, with a profile where one is named.
fn chain(profile: Option<&str>) -> CredentialsSource {
    CredentialsSource::Chain {
        profile: profile.map(str::to_owned),
        credentials_file: None,
    }
}

/// A profile of a side.
fn own(name: &str) -> NamedProfile {
    NamedProfile {
        name: name.to_owned(),
        credentials_file: None,
        config_file: None,
        region_otherwise: None,
        endpoint_url_otherwise: None,
    }
}

#[test]
fn contradictions_are_refused_in_s5cmds_words() {
    for (line, message) in [
        (
            "--retry-count -1 ls",
            "retry count cannot be a negative value",
        ),
        (
            "--no-sign-request --profile x ls",
            "\"no-sign-request\" and \"profile\" flags cannot be used together",
        ),
        (
            "--no-sign-request --credentials-file x ls",
            "\"no-sign-request\" and \"credentials-file\" flags cannot be used together",
        ),
        (
            "--endpoint-url foo ls",
            "bad value for --endpoint-url foo: scheme is missing. Must be of the form http://<hostname>/ or https://<hostname>/",
        ),
        (
            "--source-no-sign-request --source-profile x ls",
            "\"source-no-sign-request\" and \"source-profile\" flags cannot be used together",
        ),
        (
            "--destination-no-sign-request --destination-credentials-file x ls",
            "\"destination-no-sign-request\" and \"destination-credentials-file\" flags cannot be used together",
        ),
        (
            "--source-no-sign-request --source-assume-role r ls",
            "\"source-no-sign-request\" and \"source-assume-role\" flags cannot be used together",
        ),
        (
            "--no-sign-request --source-assume-role r ls",
            "\"no-sign-request\" and \"source-assume-role\" flags cannot be used together",
        ),
        (
            "--destination-endpoint-url foo ls",
            "bad value for --destination-endpoint-url foo: scheme is missing. Must be of the form http://<hostname>/ or https://<hostname>/",
        ),
        (
            "--source-external-id x ls",
            "--source-external-id needs --source-assume-role",
        ),
        (
            "--source-request-payer me ls",
            "bad value for --source-request-payer \"me\": only \"requester\" can pay",
        ),
    ] {
        assert_eq!(resolve(line).unwrap_err().to_string(), message);
    }
    for line in [
        "--summary ls",
        "--external-id x ls",
        "--path-style --virtual-host ls",
        "--memory 1MiB ls",
        "--request-payer me ls",
    ] {
        assert!(resolve(line).is_err(), "{line}");
    }
}

#[test]
fn keys_of_a_side_are_whole_or_refused_by_name() {
    let id = ("LONGHAUL_SOURCE_AWS_ACCESS_KEY_ID", "K");
    let secret = ("LONGHAUL_SOURCE_AWS_SECRET_ACCESS_KEY", "S");
    let token = ("LONGHAUL_SOURCE_AWS_SESSION_TOKEN", "T");
    let message = |variables: &[(&str, &str)]| {
        let error = resolve_in("ls", variables).unwrap_err();
        error.to_string()
    };
    let no_secret = "LONGHAUL_SOURCE_AWS_SECRET_ACCESS_KEY is not set, and others of LONGHAUL_SOURCE_AWS_... are";
    assert_eq!(message(&[id]), no_secret);
    assert_eq!(message(&[id, token]), no_secret);
    assert!(message(&[secret]).contains("LONGHAUL_SOURCE_AWS_ACCESS_KEY_ID is not set"));
    assert!(message(&[token]).contains("LONGHAUL_SOURCE_AWS_ACCESS_KEY_ID is not set"));
    let role = ("LONGHAUL_DESTINATION_AWS_ROLE_ARN", "arn");
    assert!(message(&[role]).contains("DESTINATION_AWS_WEB_IDENTITY_TOKEN_FILE is not set"));
    // The secret itself is in no message.
    assert!(!message(&[secret]).contains("\"S\""));
}

#[test]
fn without_a_word_for_a_side_both_are_asked_alike() {
    for line in ["ls", "--profile p --region r --assume-role a ls"] {
        let settings = resolve_in(line, &[("S3_ENDPOINT_URL", "http://h")]).unwrap();
        let (source, destination) = (&settings.source, &settings.destination);
        assert!(source.same_client(destination), "{line}");
        assert_eq!(source.endpoint_url.as_deref(), Some("http://h"));
    }
}

#[test]
fn a_sides_keys_go_with_nothing_of_the_plain_variables_and_flags() {
    let variables = [
        ("AWS_ACCESS_KEY_ID", "ours"),
        ("AWS_SECRET_ACCESS_KEY", "ours"),
        ("AWS_SESSION_TOKEN", "ours"),
        ("AWS_PROFILE", "ours"),
        ("LONGHAUL_SOURCE_AWS_ACCESS_KEY_ID", "theirs"),
        ("LONGHAUL_SOURCE_AWS_SECRET_ACCESS_KEY", "their secret"),
        ("LONGHAUL_DESTINATION_AWS_PROFILE", ""),
    ];
    let settings = resolve_in("--profile p --assume-role r ls", &variables).unwrap();
    let theirs = StaticCredentials::new("theirs", "their secret");
    assert_eq!(
        settings.source.credentials,
        CredentialsSource::Static(theirs.clone())
    );
    assert_eq!(settings.source.assume_role, None);
    assert_eq!(settings.destination.credentials, chain(Some("p")));
    assert!(settings.destination.assume_role.is_some());

    let with_token = [
        &variables[..],
        &[("LONGHAUL_SOURCE_AWS_SESSION_TOKEN", "t")],
    ]
    .concat();
    let settings = resolve_in("ls", &with_token).unwrap();
    let theirs = StaticCredentials {
        session_token: Some(Secret::new("t")),
        ..theirs
    };
    assert_eq!(
        settings.source.credentials,
        CredentialsSource::Static(theirs)
    );
    assert_eq!(settings.destination.credentials, chain(None));
}

#[test]
fn a_sides_flag_beats_its_variables_and_those_beat_what_is_said_for_both() {
    let variables = [
        ("LONGHAUL_SOURCE_AWS_PROFILE", "of-variable"),
        ("LONGHAUL_SOURCE_AWS_REGION", "region-of-variable"),
        ("LONGHAUL_SOURCE_AWS_ENDPOINT_URL", "http://of-variable"),
        ("S3_ENDPOINT_URL", "http://of-both"),
        ("AWS_REGION", "region-of-both"),
    ];
    let source = resolve_in("--profile p --region r ls", &variables)
        .unwrap()
        .source;
    let profile = NamedProfile {
        region_otherwise: Some("region-of-both".to_owned()),
        endpoint_url_otherwise: Some("http://of-both".to_owned()),
        ..own("of-variable")
    };
    assert_eq!(source.credentials, CredentialsSource::Profile(profile));
    assert_eq!(source.region.as_deref(), Some("region-of-variable"));
    assert_eq!(source.endpoint_url.as_deref(), Some("http://of-variable"));

    let line = "--endpoint-url http://both --source-profile q --source-region s \
                --source-endpoint-url http://typed ls";
    let settings = resolve_in(line, &variables).unwrap();
    let CredentialsSource::Profile(profile) = &settings.source.credentials else {
        panic!("{:?}", settings.source.credentials);
    };
    assert_eq!(profile.name, "q");
    assert_eq!(settings.source.region.as_deref(), Some("s"));
    let typed = settings.source.endpoint_url.as_deref();
    assert_eq!(typed, Some("http://typed"));
    let both = settings.destination.endpoint_url.as_deref();
    assert_eq!(both, Some("http://both"));
    assert_eq!(settings.destination.credentials, chain(None));
}

#[test]
fn who_asks_is_replaced_as_a_whole_and_where_piece_by_piece() {
    // A region or an endpoint of its own leaves a side with the identity of both.
    let line = "--profile p --assume-role r --source-region s --source-endpoint-url http://h ls";
    let settings = resolve(line).unwrap();
    assert_eq!(settings.source.credentials, chain(Some("p")));
    assert_eq!(
        settings.source.assume_role,
        settings.destination.assume_role
    );
    assert_eq!(settings.source.region.as_deref(), Some("s"));
    assert_eq!(settings.destination.region, None);

    // A file of a side is read for its default profile, whatever profile is for both.
    let settings = resolve("--profile p --source-credentials-file f ls").unwrap();
    let file = NamedProfile {
        credentials_file: Some("f".into()),
        ..own("default")
    };
    assert_eq!(
        settings.source.credentials,
        CredentialsSource::Profile(file)
    );

    // Files say where profiles are, so the one for both holds for a side's profile.
    let line = "--credentials-file f --source-profile a --destination-profile b ls";
    let settings = resolve(line).unwrap();
    for (side, name) in [(Side::Source, "a"), (Side::Destination, "b")] {
        let profile = NamedProfile {
            credentials_file: Some("f".into()),
            ..own(name)
        };
        let credentials = &settings.side(side).credentials;
        assert_eq!(*credentials, CredentialsSource::Profile(profile));
    }

    // Anybody's bucket at the source, ours at the destination, and the other way round.
    let settings = resolve("--source-no-sign-request --profile p ls").unwrap();
    assert_eq!(settings.source.credentials, CredentialsSource::Anonymous);
    assert_eq!(settings.destination.credentials, chain(Some("p")));
    let settings = resolve("--no-sign-request --destination-profile p ls").unwrap();
    assert_eq!(settings.source.credentials, CredentialsSource::Anonymous);
    let profile = CredentialsSource::Profile(own("p"));
    assert_eq!(settings.destination.credentials, profile);

    // A role is taken on with whatever is found for the side.
    let line = "--profile p --destination-assume-role r --destination-external-id x ls";
    let settings = resolve(line).unwrap();
    assert_eq!(settings.destination.credentials, chain(Some("p")));
    let role = settings.destination.assume_role.unwrap();
    assert_eq!(role.role_arn, "r");
    assert_eq!(role.external_id.as_deref(), Some("x"));
    assert_eq!(settings.source.assume_role, None);
}

#[test]
fn trust_and_who_pays_are_said_for_a_side_or_for_both() {
    let settings = resolve("--source-no-verify-ssl --destination-ca-bundle f ls").unwrap();
    assert_eq!(
        (settings.source.tls.verify, settings.destination.tls.verify),
        (false, true)
    );
    let bundle = settings.destination.tls.ca_bundle.as_deref();
    assert_eq!(bundle, Some(std::path::Path::new("f")));
    assert_eq!(settings.source.tls.ca_bundle, None);
    let settings = resolve("--source-request-payer requester ls").unwrap();
    assert!(settings.source.request_payer && !settings.destination.request_payer);
    let settings = resolve("--request-payer requester --source-request-payer= ls").unwrap();
    assert!(!settings.source.request_payer && settings.destination.request_payer);
}

#[test]
fn workers_count_processors_when_negative_and_are_never_none() {
    let processors = std::thread::available_parallelism().unwrap().get();
    assert_eq!(workers(Bound::Number(Integer(-2))).get(), 2 * processors);
    assert_eq!(workers(Bound::Number(Integer(0))).get(), 1);
    assert_eq!(workers(Bound::Number(Integer(7))).get(), 7);
    assert!(workers(Bound::Number(Integer(i64::MAX))).get() <= tokio::sync::Semaphore::MAX_PERMITS);
}

#[test]
fn retries_are_sends_after_the_first() {
    assert_eq!(resolve("-r 0 ls").unwrap().source.retry.tries_max, 1);
    assert_eq!(resolve("ls").unwrap().source.retry.tries_max, 11);
}
