//! The environment is one for a whole process, so each case runs `child` in a process of its own.

use std::path::Path;
use std::process::Command;

use aws_credential_types::provider::ProvideCredentials as _;

use super::*;
use crate::aws::hostile::{Hostile, answer};
use crate::aws::options::NamedProfile;

/// Set for `child` by [`outcome`].
const IS_CHILD: &str = "LONGHAUL_TEST_CONFIGURED_CHILD";

/// Prints what was read, in the process that [`outcome`] starts; nothing elsewhere.
#[test]
fn child() {
    if std::env::var_os(IS_CHILD).is_none() {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let variable = |name: &str| std::env::var(name).ok();
        let chain = CredentialsSource::Chain {
            profile: variable("TEST_PROFILE"),
            credentials_file: variable("TEST_CREDENTIALS_FILE").map(Into::into),
        };
        let apart = variable("TEST_APART").map(|name| {
            CredentialsSource::Profile(NamedProfile {
                name,
                credentials_file: variable("TEST_CREDENTIALS_FILE").map(Into::into),
                config_file: variable("TEST_CONFIG_FILE").map(Into::into),
                region_otherwise: Some("otherwise-1".to_owned()),
                endpoint_url_otherwise: Some("http://otherwise".to_owned()),
            })
        });
        let token = variable("TEST_TOKEN_FILE").map(|token_file| CredentialsSource::WebIdentity {
            role_arn: "arn:aws:iam::123456789012:role/web".to_owned(),
            token_file: token_file.into(),
            session_name: None,
        });
        let mut options = AwsOptions {
            credentials: token.or(apart).unwrap_or(chain),
            ..AwsOptions::default()
        };
        options.tls.verify = variable("TEST_NO_VERIFY").is_none();
        options.assume_role = variable("TEST_ROLE").map(|role_arn| AssumeRole {
            role_arn,
            external_id: Some("the-external-id".to_owned()),
            session_name: Some("the-session".to_owned()),
        });
        let configured = read(&options).await.unwrap();
        println!("region={}", configured.region);
        println!("endpoint={:?}", configured.endpoint_url);
        println!("when_required={}", configured.checksums_when_required);
        match configured.provider.unwrap().provide_credentials().await {
            Ok(credentials) => println!("key={}", credentials.access_key_id()),
            Err(error) => println!("error={error:?}"),
        }
    });
}

/// What `child` prints in this environment and nothing else of ours.
async fn outcome(home: &Path, environment: &[(&str, &str)]) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "aws::configured::tests::child", "--nocapture"])
        .env_clear()
        .env("HOME", home)
        .env(IS_CHILD, "1")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .envs(environment.iter().copied());
    let output = base::tasks::blocking(move || command.output())
        .await
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{printed}");
    printed
}

fn home() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join(".aws")).unwrap();
    std::fs::write(
        home.path().join(".aws/credentials"),
        "[default]\naws_access_key_id = DEFAULT\naws_secret_access_key = s\n\
         [other]\naws_access_key_id = OTHER\naws_secret_access_key = s\n",
    )
    .unwrap();
    std::fs::write(
        home.path().join(".aws/config"),
        "[default]\nregion = eu-west-1\n\
         [profile other]\nregion = ap-south-1\nendpoint_url = http://of-other\n\
         [profile layered]\nservices = mine\nendpoint_url = http://for-all\n\
         [services mine]\ns3 =\n  endpoint_url = http://for-s3\n",
    )
    .unwrap();
    home
}

type Environment<'a> = Vec<(&'a str, &'a str)>;

const KEYS: [(&str, &str); 2] = [
    ("AWS_ACCESS_KEY_ID", "FROM-ENV"),
    ("AWS_SECRET_ACCESS_KEY", "s"),
];

#[tokio::test]
async fn profiles_and_the_environment_are_read_in_their_order() {
    let home = home();
    let file = home.path().join("elsewhere");
    std::fs::write(
        &file,
        "[default]\naws_access_key_id = ELSEWHERE\naws_secret_access_key = s\n",
    )
    .unwrap();
    let file = file.to_str().unwrap();
    let with_keys = |more: &[(&'static str, &'static str)]| [&KEYS[..], more].concat();
    let cases: Vec<(Environment<'_>, [&str; 3])> = vec![
        (vec![], ["region=eu-west-1", "endpoint=None", "key=DEFAULT"]),
        (
            with_keys(&[("AWS_REGION", "us-west-2")]),
            ["region=us-west-2", "endpoint=None", "key=FROM-ENV"],
        ),
        (
            vec![("AWS_REGION", ""), ("AWS_DEFAULT_REGION", "us-west-1")],
            ["region=us-west-1", "endpoint=None", "key=DEFAULT"],
        ),
        (
            vec![("AWS_REGION", ""), ("AWS_PROFILE", "")],
            ["region=eu-west-1", "endpoint=None", "key=DEFAULT"],
        ),
        (
            vec![("AWS_ENDPOINT_URL", ""), ("AWS_ACCESS_KEY_ID", "")],
            ["region=eu-west-1", "endpoint=None", "key=DEFAULT"],
        ),
        // Naming a profile beats keys in the environment.
        (
            with_keys(&[("TEST_PROFILE", "other")]),
            [
                "region=ap-south-1",
                "endpoint=Some(\"http://of-other\")",
                "key=OTHER",
            ],
        ),
        (
            vec![("AWS_PROFILE", "other")],
            [
                "region=ap-south-1",
                "endpoint=Some(\"http://of-other\")",
                "key=OTHER",
            ],
        ),
        (
            vec![("AWS_PROFILE", "layered")],
            [
                "region=us-east-1",
                "endpoint=Some(\"http://for-s3\")",
                "error=",
            ],
        ),
        (
            with_keys(&[
                ("AWS_ENDPOINT_URL", "http://for-all"),
                ("AWS_ENDPOINT_URL_S3", "http://for-s3"),
            ]),
            [
                "region=eu-west-1",
                "endpoint=Some(\"http://for-s3\")",
                "key=FROM-ENV",
            ],
        ),
    ];
    for (environment, expected) in cases {
        let printed = outcome(home.path(), &environment).await;
        for line in expected {
            assert!(printed.contains(line), "{environment:?}: {printed}");
        }
    }
    for value in ["when_required", "WHEN_REQUIRED", "when_supported"] {
        let environment = [("AWS_REQUEST_CHECKSUM_CALCULATION", value)];
        let printed = outcome(home.path(), &environment).await;
        let expected = format!("when_required={}", value != "when_supported");
        assert!(printed.contains(&expected), "{value}: {printed}");
    }
    // Naming a file beats keys in the environment, too.
    let environment = [&KEYS[..], &[("TEST_CREDENTIALS_FILE", file)]].concat();
    let printed = outcome(home.path(), &environment).await;
    assert!(printed.contains("key=ELSEWHERE"), "{printed}");
}

/// Everything that names an identity, a region or an endpoint for the whole process.
const PLAIN: [(&str, &str); 6] = [
    ("AWS_ACCESS_KEY_ID", "FROM-ENV"),
    ("AWS_SECRET_ACCESS_KEY", "s"),
    ("AWS_SESSION_TOKEN", "t"),
    ("AWS_PROFILE", "other"),
    ("AWS_REGION", "us-west-2"),
    ("AWS_ENDPOINT_URL", "http://plain"),
];

#[tokio::test]
async fn a_profile_apart_takes_nothing_from_the_plain_variables() {
    let home = home();
    let file = home.path().join("elsewhere");
    let config = home.path().join("config-elsewhere");
    std::fs::write(
        &file,
        "[theirs]\naws_access_key_id = THEIRS\naws_secret_access_key = s\n",
    )
    .unwrap();
    std::fs::write(&config, "[profile theirs]\nregion = sa-east-1\n").unwrap();
    let (file, config) = (file.to_str().unwrap(), config.to_str().unwrap());
    let cases: Vec<(Environment<'_>, [&str; 3])> = vec![
        (
            vec![("TEST_APART", "default")],
            ["region=eu-west-1", "http://otherwise", "key=DEFAULT"],
        ),
        (
            vec![("TEST_APART", "other")],
            ["region=ap-south-1", "http://of-other", "key=OTHER"],
        ),
        (
            vec![("TEST_APART", "layered")],
            ["region=otherwise-1", "http://for-s3", "error="],
        ),
        (
            vec![("TEST_APART", "theirs"), ("TEST_CREDENTIALS_FILE", file)],
            ["region=otherwise-1", "http://otherwise", "key=THEIRS"],
        ),
        (
            vec![
                ("TEST_APART", "theirs"),
                ("TEST_CREDENTIALS_FILE", file),
                ("TEST_CONFIG_FILE", config),
            ],
            ["region=sa-east-1", "http://otherwise", "key=THEIRS"],
        ),
        // The plain variables still say where the files are.
        (
            vec![
                ("TEST_APART", "theirs"),
                ("AWS_SHARED_CREDENTIALS_FILE", file),
                ("AWS_CONFIG_FILE", config),
            ],
            ["region=sa-east-1", "http://otherwise", "key=THEIRS"],
        ),
    ];
    for (environment, expected) in cases {
        let environment = [&PLAIN[..], &environment[..]].concat();
        let printed = outcome(home.path(), &environment).await;
        for line in expected {
            assert!(printed.contains(line), "{environment:?}: {printed}");
        }
    }
}

#[tokio::test]
async fn a_token_is_exchanged_for_a_role_whatever_keys_are_there() {
    let sts = Hostile::answering(|_, _| {
        let body = "<AssumeRoleWithWebIdentityResponse \
            xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
            <AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>BY-TOKEN</AccessKeyId>\
            <SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>\
            <Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>\
            </AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>";
        answer("200 OK", "content-type: text/xml\r\n", body)
    })
    .await;
    let home = home();
    let token = home.path().join("token");
    std::fs::write(&token, "the-token").unwrap();
    let url = sts.url();
    let more = [
        ("TEST_TOKEN_FILE", token.to_str().unwrap()),
        ("AWS_ENDPOINT_URL_STS", url.as_str()),
    ];
    let printed = outcome(home.path(), &[&KEYS[..], &more[..]].concat()).await;
    assert!(printed.contains("key=BY-TOKEN"), "{printed}");
    let body = String::from_utf8(sts.seen()[0].body.clone()).unwrap();
    for piece in ["AssumeRoleWithWebIdentity", "the-token", "role%2Fweb"] {
        assert!(body.contains(piece), "{body}");
    }
}

#[tokio::test]
async fn nothing_anywhere_is_credentials_not_loaded() {
    let home = tempfile::tempdir().unwrap();
    let printed = outcome(home.path(), &[]).await;
    assert!(printed.contains("region=us-east-1"), "{printed}");
    assert!(printed.contains("error=CredentialsNotLoaded"), "{printed}");
}

/// A token service that anybody could have set up.
async fn unknown_token_service() -> Hostile {
    let key = rcgen::KeyPair::generate().unwrap();
    let names = vec!["localhost".to_owned()];
    let params = rcgen::CertificateParams::new(names).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let server = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    Hostile::start_tls(server, |_, mut peer| async move {
        while peer.read_request().await.is_some() {
            peer.send(&role_taken_on()).await;
        }
    })
    .await
}

#[tokio::test]
async fn without_checking_certificates_a_role_is_taken_on_anywhere() {
    let sts = unknown_token_service().await;
    let home = home();
    let url = format!("https://localhost:{}", sts.address.port());
    let environment = [
        ("TEST_ROLE", "arn:aws:iam::123456789012:role/reader"),
        ("AWS_ENDPOINT_URL_STS", url.as_str()),
    ];
    let printed = outcome(home.path(), &environment).await;
    assert!(printed.contains("error="), "{printed}");
    assert!(sts.seen().is_empty());
    let careless = [&environment[..], &[("TEST_NO_VERIFY", "1")]].concat();
    let printed = outcome(home.path(), &careless).await;
    assert!(printed.contains("key=TAKEN-ON"), "{printed}");
    let body = String::from_utf8(sts.seen()[0].body.clone()).unwrap();
    assert!(body.contains("Action=AssumeRole"), "{body}");
}

fn role_taken_on() -> String {
    let body = "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
            <AssumeRoleResult><Credentials><AccessKeyId>TAKEN-ON</AccessKeyId>\
            <SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>\
            <Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>\
            <AssumedRoleUser><Arn>arn:aws:sts::1:assumed-role/r/s</Arn>\
            <AssumedRoleId>A:s</AssumedRoleId></AssumedRoleUser>\
            </AssumeRoleResult></AssumeRoleResponse>";
    answer("200 OK", "content-type: text/xml\r\n", body)
}

#[tokio::test]
async fn a_role_is_taken_on_with_its_external_id() {
    let sts = Hostile::answering(|_, _| role_taken_on()).await;
    let home = home();
    let url = sts.url();
    let environment = [
        ("TEST_ROLE", "arn:aws:iam::123456789012:role/reader"),
        ("AWS_ENDPOINT_URL_STS", url.as_str()),
    ];
    let printed = outcome(home.path(), &environment).await;
    assert!(printed.contains("key=TAKEN-ON"), "{printed}");
    let body = String::from_utf8(sts.seen()[0].body.clone()).unwrap();
    for piece in [
        "Action=AssumeRole",
        "ExternalId=the-external-id",
        "the-session",
    ] {
        assert!(body.contains(piece), "{body}");
    }
    let authorization = sts.seen()[0].header("authorization").unwrap().to_owned();
    assert!(
        authorization.contains("Credential=DEFAULT/"),
        "{authorization}"
    );
}
