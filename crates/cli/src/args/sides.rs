//! Flags before the command that hold for one side alone: `--source-...`, `--destination-...`.

use std::path::PathBuf;

use clap::builder::PathBufValueParser;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use mover::Side;

/// Under which the flags stand in help.
const HEADING: &str = "Two sides (each beats the flag for both)";

/// One flag, which either side has.
struct Flag {
    /// The source's name, as typed and as clap's id.
    source: &'static str,
    /// The destination's.
    destination: &'static str,
    /// What its value is called; none for a bool.
    value_name: Option<&'static str>,
    /// What help says of the source's.
    source_help: &'static str,
    /// And of the destination's.
    destination_help: &'static str,
}

impl Flag {
    fn name(&self, side: Side) -> &'static str {
        match side {
            Side::Source => self.source,
            Side::Destination => self.destination,
        }
    }

    fn arg(&self, side: Side) -> Arg {
        let help = match side {
            Side::Source => self.source_help,
            Side::Destination => self.destination_help,
        };
        let arg = Arg::new(self.name(side))
            .long(self.name(side))
            .help(help)
            .help_heading(HEADING);
        match self.value_name {
            None => arg.action(ArgAction::SetTrue),
            Some(value_name @ "FILE") => arg
                .value_name(value_name)
                .value_parser(PathBufValueParser::new()),
            Some(value_name) => arg.value_name(value_name),
        }
    }
}

macro_rules! flag {
    ($name:literal, $value_name:expr, $before:literal, $behind:literal) => {
        Flag {
            source: concat!("source-", $name),
            destination: concat!("destination-", $name),
            value_name: $value_name,
            source_help: concat!($before, "source", $behind),
            destination_help: concat!($before, "destination", $behind),
        }
    };
}

const PROFILE: Flag = flag!("profile", Some("NAME"), "Ask the ", " as this profile");
const CREDENTIALS_FILE: Flag = flag!(
    "credentials-file",
    Some("FILE"),
    "Read the ",
    "'s credentials from this file"
);
const NO_SIGN_REQUEST: Flag = flag!(
    "no-sign-request",
    None,
    "Ask the ",
    " without signing, as anybody may"
);
const ASSUME_ROLE: Flag = flag!(
    "assume-role",
    Some("ARN"),
    "Take on this role for the ",
    ", with the credentials found for it"
);
const EXTERNAL_ID: Flag = flag!(
    "external-id",
    Some("ID"),
    "The external id that the owner of the ",
    "'s role asks for"
);
const REQUEST_PAYER: Flag = flag!(
    "request-payer",
    Some("WHO"),
    "Agree to pay for requests to the ",
    ": \"requester\""
);
const ENDPOINT_URL: Flag = flag!(
    "endpoint-url",
    Some("URL"),
    "Where the ",
    "'s store is, if not at AWS"
);
const REGION: Flag = flag!("region", Some("REGION"), "Sign for this region at the ", "");
const NO_VERIFY_SSL: Flag = flag!(
    "no-verify-ssl",
    None,
    "Do not check the ",
    "'s TLS certificates"
);
const CA_BUNDLE: Flag = flag!(
    "ca-bundle",
    Some("FILE"),
    "Trust the certificates in this PEM file for the ",
    ""
);

const FLAGS: [&Flag; 10] = [
    &PROFILE,
    &CREDENTIALS_FILE,
    &NO_SIGN_REQUEST,
    &ASSUME_ROLE,
    &EXTERNAL_ID,
    &REQUEST_PAYER,
    &ENDPOINT_URL,
    &REGION,
    &NO_VERIFY_SSL,
    &CA_BUNDLE,
];

/// What was typed for each side.
#[derive(Debug, Clone, Default)]
pub(crate) struct SidesArgs {
    source: SideArgs,
    destination: SideArgs,
}

impl SidesArgs {
    /// What was typed for a side.
    pub(crate) fn side(&self, side: Side) -> &SideArgs {
        match side {
            Side::Source => &self.source,
            Side::Destination => &self.destination,
        }
    }
}

/// What was typed for one side; nothing stands for what holds for both.
#[derive(Debug, Clone, Default)]
pub(crate) struct SideArgs {
    pub(crate) profile: Option<String>,
    pub(crate) credentials_file: Option<PathBuf>,
    pub(crate) no_sign_request: bool,
    pub(crate) assume_role: Option<String>,
    pub(crate) external_id: Option<String>,
    pub(crate) request_payer: Option<String>,
    pub(crate) endpoint_url: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) no_verify_ssl: bool,
    pub(crate) ca_bundle: Option<PathBuf>,
}

impl SideArgs {
    fn read(matches: &ArgMatches, side: Side) -> SideArgs {
        let text = |flag: &Flag| matches.get_one::<String>(flag.name(side)).cloned();
        let path = |flag: &Flag| matches.get_one::<PathBuf>(flag.name(side)).cloned();
        let bool = |flag: &Flag| matches.get_flag(flag.name(side));
        SideArgs {
            profile: text(&PROFILE),
            credentials_file: path(&CREDENTIALS_FILE),
            no_sign_request: bool(&NO_SIGN_REQUEST),
            assume_role: text(&ASSUME_ROLE),
            external_id: text(&EXTERNAL_ID),
            request_payer: text(&REQUEST_PAYER),
            endpoint_url: text(&ENDPOINT_URL),
            region: text(&REGION),
            no_verify_ssl: bool(&NO_VERIFY_SSL),
            ca_bundle: path(&CA_BUNDLE),
        }
    }
}

impl FromArgMatches for SidesArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<SidesArgs, clap::Error> {
        Ok(SidesArgs {
            source: SideArgs::read(matches, Side::Source),
            destination: SideArgs::read(matches, Side::Destination),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = SidesArgs::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for SidesArgs {
    fn augment_args(command: Command) -> Command {
        let sides = [Side::Source, Side::Destination];
        let flags = sides.map(|side| FLAGS.map(|flag| flag.arg(side)));
        command.args(flags.into_iter().flatten())
    }

    fn augment_args_for_update(command: Command) -> Command {
        SidesArgs::augment_args(command)
    }
}
