//! How one side's clients are made: what is said for the side over what is said for both.
//!
//! Who asks is one thing: where a side has a profile, keys or a role of its own, no piece of what
//! both share is mixed in, so that nobody's token goes with another's keys. Where it is asked
//! (endpoint, region) is taken one by one: the side's flag, its variable, the flag for both, the
//! side's own profile, the plain variables.

use base::flow::Pace;
use std::path::PathBuf;

use base::redact::Secret;
use mover::Side;
use remote::aws::{
    AssumeRole, AwsOptions, CredentialsSource, NamedProfile, RequestCounters, StaticCredentials,
    Traffic,
};

use super::environment::{Environment, name_of};
use super::{InvalidSettings, endpoint, payer};
use crate::args::{GlobalArgs, SideArgs};

/// The profile of a file that names none.
const PROFILE_DEFAULT: &str = "default";

/// Everything that decides about one side.
struct Said<'a> {
    side: Side,
    /// Typed for this side.
    own: &'a SideArgs,
    /// Typed for both.
    both: &'a GlobalArgs,
    environment: &'a Environment,
}

/// `--requests-per-second`, for each side.
fn pace(args: &GlobalArgs) -> Pace {
    args.requests_per_second
        .map_or_else(Pace::default, Pace::at_most)
}

/// The options of a side, from those of both.
pub(super) fn options(
    side: Side,
    args: &GlobalArgs,
    both: &AwsOptions,
    environment: &Environment,
) -> Result<AwsOptions, InvalidSettings> {
    let said = Said {
        side,
        own: args.sides.side(side),
        both: args,
        environment,
    };
    let mut options = AwsOptions {
        traffic: Traffic {
            counters: RequestCounters::default(),
            pace: pace(args),
            bandwidth: both.traffic.bandwidth.clone(),
        },
        ..both.clone()
    };
    let identity = said.identity()?;
    if let Some(identity) = &identity {
        options.credentials = identity.clone();
        options.assume_role = None;
    }
    if let Some(role) = said.role()? {
        if matches!(options.credentials, CredentialsSource::Anonymous) {
            let (signed, unsigned) = (said.flag("assume-role"), said.unsigned_flag());
            return Err(InvalidSettings::NotSigned { unsigned, signed });
        }
        options.assume_role = Some(role);
    }
    let region = said.region();
    let endpoint_url = said.endpoint_url()?;
    options.region = region.or_else(|| args.region.clone());
    options.endpoint_url = endpoint_url.or(endpoint("--endpoint-url", args.endpoint_url.clone())?);
    if identity.is_none() {
        // The plain variables and the profile in use fill in the rest.
        let common = environment.get("S3_ENDPOINT_URL");
        options.endpoint_url = options.endpoint_url.or(endpoint("--endpoint-url", common)?);
    } else if let CredentialsSource::Profile(profile) = &mut options.credentials {
        profile.region_otherwise = said.common_region();
        profile.endpoint_url_otherwise = said.common_endpoint_url()?;
    } else {
        let common = said.common_endpoint_url()?;
        options.region = options.region.or_else(|| said.common_region());
        options.endpoint_url = options.endpoint_url.or(common);
    }
    if let Some(who) = &said.own.request_payer {
        options.request_payer = payer(&format!("--{}", said.flag("request-payer")), Some(who))?;
    }
    if said.own.no_verify_ssl {
        options.tls.verify = false;
    }
    if said.own.ca_bundle.is_some() {
        options.tls.ca_bundle.clone_from(&said.own.ca_bundle);
    }
    Ok(options)
}

impl Said<'_> {
    /// A flag's name for this side, without dashes.
    fn flag(&self, name: &str) -> String {
        match self.side {
            Side::Source => format!("source-{name}"),
            Side::Destination => format!("destination-{name}"),
        }
    }

    /// The flag by which this side is not signed.
    fn unsigned_flag(&self) -> String {
        if self.own.no_sign_request {
            self.flag("no-sign-request")
        } else {
            "no-sign-request".to_owned()
        }
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.environment.of_side(self.side, name)
    }

    /// Who asks, where the side has somebody of its own.
    fn identity(&self) -> Result<Option<CredentialsSource>, InvalidSettings> {
        if self.own.no_sign_request {
            let typed = [
                ("profile", self.own.profile.is_some()),
                ("credentials-file", self.own.credentials_file.is_some()),
                ("assume-role", self.own.assume_role.is_some()),
            ];
            return match typed.iter().find(|(_, given)| *given) {
                Some((name, _)) => Err(InvalidSettings::NotSigned {
                    unsigned: self.flag("no-sign-request"),
                    signed: self.flag(name),
                }),
                None => Ok(Some(CredentialsSource::Anonymous)),
            };
        }
        if self.own.profile.is_some() || self.own.credentials_file.is_some() {
            return Ok(Some(self.profile()));
        }
        if let Some(keys) = self.keys()? {
            return Ok(Some(CredentialsSource::Static(keys)));
        }
        let files_and_names = [
            "AWS_PROFILE",
            "AWS_SHARED_CREDENTIALS_FILE",
            "AWS_CONFIG_FILE",
        ];
        if files_and_names
            .iter()
            .any(|name| self.variable(name).is_some())
        {
            return Ok(Some(self.profile()));
        }
        self.web_identity()
    }

    /// The side's own profile. The files are where they are for both unless the side says others.
    fn profile(&self) -> CredentialsSource {
        let name = self.own.profile.clone();
        let file = self.own.credentials_file.clone();
        let own_file = file.or_else(|| self.path("AWS_SHARED_CREDENTIALS_FILE"));
        CredentialsSource::Profile(NamedProfile {
            name: name
                .or_else(|| self.variable("AWS_PROFILE"))
                .unwrap_or_else(|| PROFILE_DEFAULT.to_owned()),
            credentials_file: own_file.or_else(|| self.both.credentials_file.clone()),
            config_file: self.path("AWS_CONFIG_FILE"),
            region_otherwise: None,
            endpoint_url_otherwise: None,
        })
    }

    fn path(&self, name: &str) -> Option<PathBuf> {
        self.variable(name).map(PathBuf::from)
    }

    /// The side's own keys from the environment, whole or not at all.
    fn keys(&self) -> Result<Option<StaticCredentials>, InvalidSettings> {
        let names = [
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SESSION_TOKEN",
        ];
        match names.map(|name| self.variable(name)) {
            [None, None, None] => Ok(None),
            [Some(id), Some(secret), token] => Ok(Some(StaticCredentials {
                session_token: token.map(Secret::new),
                ..StaticCredentials::new(id, secret)
            })),
            [None, _, _] => Err(self.missing(names[0])),
            [_, None, _] => Err(self.missing(names[1])),
        }
    }

    fn web_identity(&self) -> Result<Option<CredentialsSource>, InvalidSettings> {
        let names = ["AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"];
        match names.map(|name| self.variable(name)) {
            [None, None] => Ok(None),
            [Some(role_arn), Some(token_file)] => Ok(Some(CredentialsSource::WebIdentity {
                role_arn,
                token_file: PathBuf::from(token_file),
                session_name: self.variable("AWS_ROLE_SESSION_NAME"),
            })),
            [None, _] => Err(self.missing(names[0])),
            [_, None] => Err(self.missing(names[1])),
        }
    }

    /// Keys and roles of which a piece is not there.
    fn missing(&self, name: &str) -> InvalidSettings {
        let side = name_of(self.side, "AWS_");
        InvalidSettings::Piece {
            side,
            missing: name_of(self.side, name),
        }
    }

    fn role(&self) -> Result<Option<AssumeRole>, InvalidSettings> {
        match (&self.own.assume_role, &self.own.external_id) {
            (None, Some(_)) => Err(InvalidSettings::ExternalId {
                external_id: self.flag("external-id"),
                role: self.flag("assume-role"),
            }),
            (None, None) => Ok(None),
            (Some(role_arn), external_id) => Ok(Some(AssumeRole {
                role_arn: role_arn.clone(),
                external_id: external_id.clone(),
                session_name: None,
            })),
        }
    }

    fn region(&self) -> Option<String> {
        let typed = self.own.region.clone().filter(|region| !region.is_empty());
        typed
            .or_else(|| self.variable("AWS_REGION"))
            .or_else(|| self.variable("AWS_DEFAULT_REGION"))
    }

    fn endpoint_url(&self) -> Result<Option<String>, InvalidSettings> {
        let flag = format!("--{}", self.flag("endpoint-url"));
        if let Some(typed) = endpoint(&flag, self.own.endpoint_url.clone())? {
            return Ok(Some(typed));
        }
        for name in ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"] {
            if let Some(url) = endpoint(&name_of(self.side, name), self.variable(name))? {
                return Ok(Some(url));
            }
        }
        Ok(None)
    }

    fn common_region(&self) -> Option<String> {
        let region = self.environment.get("AWS_REGION");
        region.or_else(|| self.environment.get("AWS_DEFAULT_REGION"))
    }

    fn common_endpoint_url(&self) -> Result<Option<String>, InvalidSettings> {
        for name in ["S3_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"] {
            if let Some(url) = endpoint(name, self.environment.get(name))? {
                return Ok(Some(url));
            }
        }
        Ok(None)
    }
}
