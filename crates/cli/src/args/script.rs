//! `run`, `version`, `completions` and `demo`.

use clap::Args;

use super::help;

/// Run the commands of a file (or of standard input), many at once
#[derive(Debug, Clone, Args)]
#[command(before_help = help::RUN)]
pub(crate) struct RunArgs {
    /// A file with a command a line; standard input without one
    #[arg(value_name = "FILE")]
    pub(crate) arguments: Vec<String>,
}

/// Print the version
#[derive(Debug, Clone, Args)]
pub(crate) struct VersionArgs {
    /// Ignored, as s5cmd does
    #[arg(value_name = "ARGUMENT", hide = true)]
    pub(crate) arguments: Vec<String>,
}

/// Print a completion script for bash, zsh, fish, pwsh or elvish
#[derive(Debug, Clone, Args)]
#[command(before_help = help::COMPLETIONS)]
pub(crate) struct CompletionsArgs {
    /// bash, zsh, fish, pwsh or elvish
    #[arg(value_name = "SHELL")]
    pub(crate) arguments: Vec<String>,
}

/// Show the main job on this machine: two stores, an interruption, everything compared
#[derive(Debug, Clone, Args)]
pub(crate) struct DemoArgs {}
