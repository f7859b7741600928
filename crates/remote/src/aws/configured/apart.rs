//! Whoever asks apart from the environment: one profile, or a role for a token.

use std::path::Path;

use aws_config::web_identity_token::{StaticConfiguration, WebIdentityTokenCredentialsProvider};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_runtime::env_config::EnvConfigValue;
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_runtime::env_config::section::EnvConfigSections;
use aws_types::os_shim_internal::{Env, Fs};

use super::super::options::{AwsOptions, NamedProfile};
use super::{Configured, REGION_DEFAULT, loader, named_profile, provider_config, with_role};

/// Name of a session in the role's logs when nobody gives one.
const SESSION_NAME: &str = "longhaul";

/// Reads a profile and none of the variables that would name another identity, region or endpoint.
pub(super) async fn read_profile(
    options: &AwsOptions,
    profile: &NamedProfile,
) -> std::io::Result<Configured> {
    let files = files(profile);
    // A file that cannot be read is told when credentials are first needed.
    let name = profile.name.clone().into();
    let sections = aws_config::profile::load(&Fs::real(), &Env::real(), &files, Some(name)).await;
    let sections = sections.ok();
    let says = |name: &str| says(sections.as_ref()?, name);
    let region = options
        .region
        .clone()
        .or_else(|| says("region"))
        .or_else(|| profile.region_otherwise.clone())
        .unwrap_or_else(|| REGION_DEFAULT.to_owned());
    let endpoint_url = options
        .endpoint_url
        .clone()
        .or_else(|| says("endpoint_url"))
        .or_else(|| profile.endpoint_url_otherwise.clone());
    let config = loader(options, region.clone())
        .await?
        .profile_name(&profile.name)
        .profile_files(files.clone())
        .load()
        .await;
    let provider = named_profile(&config, Some(profile.name.clone()), Some(files));
    Ok(Configured {
        endpoint_url,
        region,
        checksums_when_required: says("request_checksum_calculation")
            .is_some_and(|when| when.eq_ignore_ascii_case("when_required")),
        provider: with_role(Some(provider), options.assume_role.as_ref(), &config).await,
    })
}

fn files(profile: &NamedProfile) -> EnvConfigFiles {
    let files = EnvConfigFiles::builder();
    let files = match &profile.config_file {
        Some(path) => files.with_file(EnvConfigFileKind::Config, path),
        None => files.include_default_config_file(true),
    };
    let files = match &profile.credentials_file {
        Some(path) => files.with_file(EnvConfigFileKind::Credentials, path),
        None => files.include_default_credentials_file(true),
    };
    files.build()
}

/// What the profile's section for S3 says, else the profile itself.
fn says(sections: &EnvConfigSections, name: &str) -> Option<String> {
    let nothing = Env::from_slice(&[]);
    let setting = EnvConfigValue::new().profile(name).service_id("S3");
    let (value, _) = setting.load(&nothing, Some(sections))?;
    (!value.is_empty()).then(|| value.into_owned())
}

/// Exchanges the token in a file for a role's credentials.
pub(super) async fn read_web_identity(
    options: &AwsOptions,
    role_arn: &str,
    token_file: &Path,
    session_name: Option<&str>,
) -> std::io::Result<Configured> {
    let region = options.region.clone();
    let region = region.unwrap_or_else(|| REGION_DEFAULT.to_owned());
    let config = loader(options, region.clone()).await?.load().await;
    let provider = WebIdentityTokenCredentialsProvider::builder()
        .configure(&provider_config(&config))
        .static_configuration(StaticConfiguration {
            web_identity_token_file: token_file.to_owned(),
            role_arn: role_arn.to_owned(),
            session_name: session_name.unwrap_or(SESSION_NAME).to_owned(),
        })
        .build();
    let provider = SharedCredentialsProvider::new(provider);
    Ok(Configured {
        endpoint_url: options.endpoint_url.clone(),
        region,
        checksums_when_required: false,
        provider: with_role(Some(provider), options.assume_role.as_ref(), &config).await,
    })
}
