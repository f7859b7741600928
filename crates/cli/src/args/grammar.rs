//! The grammar of the command line: s5cmd's, which is that of Go's flag package.
//!
//! One dash or two, `-flag value` or `-flag=value`, bools alone or with `=false`, flags before
//! arguments (after the first argument everything is one), `--` ends flags, the last of repeated
//! flags counts and lists gather. What is read so is handed to clap in its own grammar, flag by
//! flag as `--flag=value`: clap has the types, defaults and help texts, and this module none.

use std::collections::HashSet;
use std::error::Error as _;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, Command as Schema, CommandFactory as _, FromArgMatches as _};

use super::typed::{holds, typed};
use super::values::{Pair, go_bool};
use super::{Cli, help};
use crate::persona::Persona;

/// A flag that was given, with its value as text (`true` or `false` for a bool).
#[derive(Debug, Clone)]
pub(crate) struct Given<'s> {
    /// The flag.
    pub(crate) arg: &'s Arg,
    /// Its place among the flags that the command declares.
    pub(crate) position: usize,
    /// The name by which it was given, without dashes.
    pub(crate) name: String,
    /// Its value.
    pub(crate) value: String,
}

/// What a command line asks for.
#[derive(Debug)]
pub(crate) enum Request {
    /// A command.
    Run(Box<Invocation>),
    /// The page of a command, or the page of all commands.
    Help(Option<String>),
    /// The version, by `--version`.
    Version,
    /// How to switch completion on.
    InstallCompletion,
}

/// A command with its flags.
#[derive(Debug)]
pub(crate) struct Invocation {
    /// What clap read.
    pub(crate) cli: Cli,
    /// The command's name as it was typed.
    pub(crate) name: String,
    /// The command as messages repeat it.
    pub(crate) typed: String,
}

/// What is wrong with a command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Misuse {
    /// A wrong flag before the command.
    Global(String),
    /// A wrong flag of a command.
    Flag {
        /// The command.
        command: String,
        /// Why.
        message: String,
    },
    /// No command of this name.
    UnknownCommand(String),
}

/// Flags and what is left behind them.
struct Scanned<'s, 'a> {
    given: Vec<Given<'s>>,
    help: bool,
    version: bool,
    rest: &'a [String],
}

/// The whole schema: global flags and commands.
pub(crate) fn schema() -> Schema {
    let root = Cli::command();
    let names: Vec<String> = root
        .get_subcommands()
        .map(|command| command.get_name().to_owned())
        .collect();
    names.into_iter().fold(root, |root, name| {
        root.mut_subcommand(name, |command| {
            let name = command.get_name().to_owned();
            command
                .display_name(name)
                .help_template(help::COMMAND_TEMPLATE)
        })
    })
}

/// Reads the arguments behind the program's name.
pub(crate) fn read(arguments: &[String], persona: Persona) -> Result<Request, Misuse> {
    let root = schema();
    let scanned = scan(&root, arguments).map_err(Misuse::Global)?;
    if scanned.help {
        return Ok(Request::Help(None));
    }
    if scanned.version {
        return match persona {
            Persona::Longhaul => Ok(Request::Version),
            Persona::S5cmd => Err(Misuse::Global(undefined("version"))),
        };
    }
    let install = scanned
        .given
        .iter()
        .any(|given| given.arg.get_id() == "install_completion" && given.value == "true");
    if install {
        return Ok(Request::InstallCompletion);
    }
    let Some((name, rest)) = scanned.rest.split_first() else {
        // Wrong values are wrong also without a command.
        check(&root, &scanned.given).map_err(Misuse::Global)?;
        return Ok(Request::Help(None));
    };
    if name == "help" || name == "h" {
        return match rest.first() {
            Some(name) if root.find_subcommand(name).is_none() => {
                Err(Misuse::UnknownCommand(name.clone()))
            }
            about => Ok(Request::Help(about.cloned())),
        };
    }
    check(&root, &scanned.given).map_err(Misuse::Global)?;
    read_command(&root, &scanned.given, name, rest)
}

/// Reads one line of a run file: a command without global flags.
pub(crate) fn read_line(words: &[String]) -> Result<Request, Misuse> {
    let root = schema();
    let (name, rest) = words
        .split_first()
        .ok_or_else(|| Misuse::UnknownCommand(String::new()))?;
    read_command(&root, &[], name, rest)
}

fn read_command(
    root: &Schema,
    globals: &[Given<'_>],
    name: &str,
    rest: &[String],
) -> Result<Request, Misuse> {
    let command = root
        .find_subcommand(name)
        .ok_or_else(|| Misuse::UnknownCommand(name.to_owned()))?;
    let misuse = |message| Misuse::Flag {
        command: command.get_name().to_owned(),
        message,
    };
    // Every word behind `select` is an argument: it has no flags of its own any more.
    let (given, arguments) = if command.get_name() == "select" && !is_help(rest) {
        (Vec::new(), rest)
    } else {
        let scanned = scan(command, rest).map_err(misuse)?;
        if scanned.help {
            return Ok(Request::Help(Some(command.get_name().to_owned())));
        }
        (scanned.given, scanned.rest)
    };
    let (given, arguments) = behind_verb(command, given, arguments).map_err(misuse)?;
    let mut words = vec![root.get_name().to_owned()];
    push_flags(&mut words, globals);
    words.push(command.get_name().to_owned());
    push_flags(&mut words, &given);
    words.push("--".to_owned());
    words.extend(arguments.iter().cloned());
    let matches = root
        .clone()
        .try_get_matches_from(words)
        .map_err(|error| misuse(reworded(&error, &given)))?;
    let cli = Cli::from_arg_matches(&matches).map_err(|error| misuse(error.to_string()))?;
    let typed = typed(command.get_name(), &given, &arguments);
    Ok(Request::Run(Box::new(Invocation {
        cli,
        name: command.get_name().to_owned(),
        typed,
    })))
}

/// Reads flags also behind the verb of commands that have verbs, as `uploads abort --all ...`.
fn behind_verb<'s>(
    command: &'s Schema,
    mut given: Vec<Given<'s>>,
    arguments: &[String],
) -> Result<(Vec<Given<'s>>, Vec<String>), String> {
    let has_verbs = matches!(command.get_name(), "jobs" | "uploads");
    let Some((verb, behind)) = arguments.split_first().filter(|_| has_verbs) else {
        return Ok((given, arguments.to_vec()));
    };
    let scanned = scan(command, behind)?;
    given.extend(scanned.given);
    let verb = std::iter::once(verb);
    Ok((given, verb.chain(scanned.rest).cloned().collect()))
}

/// Lets clap check the values of global flags alone.
fn check(root: &Schema, globals: &[Given<'_>]) -> Result<(), String> {
    let mut words = vec![root.get_name().to_owned()];
    push_flags(&mut words, globals);
    words.push("version".to_owned());
    let checked = root.clone().try_get_matches_from(words);
    checked
        .map(|_| ())
        .map_err(|error| reworded(&error, globals))
}

fn is_help(words: &[String]) -> bool {
    let first = words.first().map(String::as_str);
    matches!(first, Some("-h" | "--h" | "-help" | "--help"))
}

/// Writes flags as clap reads them: of repeated ones the last, of lists all.
fn push_flags(words: &mut Vec<String>, given: &[Given<'_>]) {
    for (index, flag) in given.iter().enumerate() {
        let long = flag
            .arg
            .get_long()
            .expect("every flag has a long name, which a test checks");
        let later = given[index + 1..]
            .iter()
            .any(|other| other.arg.get_id() == flag.arg.get_id());
        match flag.arg.get_action() {
            ArgAction::SetTrue if later || flag.value == "false" => {}
            ArgAction::SetTrue => words.push(format!("--{long}")),
            ArgAction::Append => words.push(format!("--{long}={}", flag.value)),
            _ if later => {}
            _ => words.push(format!("--{long}={}", flag.value)),
        }
    }
}

/// Reads flags up to the first argument, by the rules of Go's flag package.
fn scan<'s, 'a>(command: &'s Schema, words: &'a [String]) -> Result<Scanned<'s, 'a>, String> {
    let mut scanned = Scanned {
        given: Vec::new(),
        help: false,
        version: false,
        rest: words,
    };
    while let Some((word, after)) = scanned.rest.split_first() {
        if word == "--" {
            scanned.rest = after;
            break;
        }
        if !word.starts_with('-') || word == "-" {
            break;
        }
        scanned.rest = after;
        let name = word.strip_prefix("--").or_else(|| word.strip_prefix('-'));
        let name = name.unwrap_or_default();
        if name.is_empty() || name.starts_with('-') || name.starts_with('=') {
            return Err(format!("bad flag syntax: {word}"));
        }
        let (name, value) = match name.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (name, None),
        };
        let Some((position, arg)) = find(command, name) else {
            match (name, go_bool(value.as_deref().unwrap_or("true"))) {
                ("help" | "h", Some(wanted)) => scanned.help = wanted,
                ("version" | "V", Some(wanted)) if command.get_name() == "longhaul" => {
                    scanned.version = wanted;
                }
                _ => return Err(undefined(name)),
            }
            continue;
        };
        let value = if matches!(arg.get_action(), ArgAction::SetTrue) {
            let value = value.as_deref().unwrap_or("true");
            let value = go_bool(value).ok_or_else(|| {
                format!("invalid boolean value {value:?} for -{name}: parse error")
            })?;
            value.to_string()
        } else if let Some(value) = value {
            value
        } else {
            let (value, after) = scanned
                .rest
                .split_first()
                .ok_or_else(|| format!("flag needs an argument: -{name}"))?;
            scanned.rest = after;
            value.clone()
        };
        take(&mut scanned.given, arg, position, name, value);
    }
    two_forms(&scanned.given)?;
    repeated_keys(&scanned.given)?;
    Ok(scanned)
}

/// Keeps one value, or each part of a list.
fn take<'s>(given: &mut Vec<Given<'s>>, arg: &'s Arg, position: usize, name: &str, value: String) {
    let mut keep = |value: String| {
        given.push(Given {
            arg,
            position,
            name: name.to_owned(),
            value,
        });
    };
    match arg.get_value_delimiter() {
        Some(delimiter) => value
            .split(delimiter)
            .for_each(|part| keep(part.trim().to_owned())),
        None => keep(value),
    }
}

/// The flag of a name, long or short, with its place in the declaration.
fn find<'s>(command: &'s Schema, name: &str) -> Option<(usize, &'s Arg)> {
    let mut letters = name.chars();
    let letter = letters.next().filter(|_| letters.next().is_none());
    command
        .get_arguments()
        .enumerate()
        .filter(|(_, arg)| !arg.is_positional())
        .find(|(_, arg)| {
            let aliases = arg.get_all_aliases().unwrap_or_default();
            arg.get_long() == Some(name)
                || aliases.contains(&name)
                || (letter.is_some() && arg.get_short() == letter)
        })
}

fn undefined(name: &str) -> String {
    format!("flag provided but not defined: -{name}")
}

/// One flag by two of its names is refused, as s5cmd does.
fn two_forms(given: &[Given<'_>]) -> Result<(), String> {
    for flag in given {
        let other = given
            .iter()
            .find(|other| other.arg.get_id() == flag.arg.get_id() && other.name != flag.name);
        if let Some(other) = other {
            let long = flag.arg.get_long().unwrap_or_default();
            let short = if flag.name == long { other } else { flag };
            return Err(format!(
                "Cannot use two forms of the same flag: {} {long}",
                short.name
            ));
        }
    }
    Ok(())
}

/// A key of `--metadata` may come once.
fn repeated_keys(given: &[Given<'_>]) -> Result<(), String> {
    let mut seen = HashSet::new();
    for flag in given.iter().filter(|flag| holds::<Pair>(flag.arg)) {
        let key = flag.value.split_once('=').map(|(key, _)| key);
        if let Some(key) = key.filter(|key| !seen.insert(*key)) {
            return Err(format!(
                "invalid value {:?} for flag -{}: key {key:?} is already defined",
                flag.value, flag.name
            ));
        }
    }
    Ok(())
}

/// Says clap's error about a value in Go's words.
fn reworded(error: &clap::Error, given: &[Given<'_>]) -> String {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    if error.kind() == ErrorKind::ValueValidation
        && let (Some(arg), Some(value)) = (
            text(ContextKind::InvalidArg),
            text(ContextKind::InvalidValue),
        )
    {
        let long = arg.trim_start_matches('-').split([' ', '=']).next();
        let name = given
            .iter()
            .find(|flag| flag.arg.get_long() == long && flag.value == value)
            .map_or(long.unwrap_or_default(), |flag| &flag.name);
        let cause = error.source().map_or_else(String::new, |e| e.to_string());
        return format!("invalid value {value:?} for flag -{name}: {cause}");
    }
    // Nothing else can go wrong in what `push_flags` writes; say it all the same.
    error.to_string().trim().replace('\n', " ")
}

#[cfg(test)]
mod tests;
