//! `completions`.

use clap_complete::Shell;
use clap_complete::generate;

use super::named::only;
use super::{Call, Failure, Result};
use crate::args::{CompletionsArgs, grammar};
use crate::persona::Outcome;

/// Prints a completion script.
pub(super) fn run(args: &CompletionsArgs, call: Call<'_>) -> Result {
    const SHELLS: &str = "expected one of bash, zsh, fish, pwsh, elvish";
    let shell = match only(&args.arguments, SHELLS)? {
        "bash" => Shell::Bash,
        "zsh" => Shell::Zsh,
        "fish" => Shell::Fish,
        "pwsh" | "powershell" => Shell::PowerShell,
        "elvish" => Shell::Elvish,
        _ => return Err(Failure::Usage(SHELLS.to_owned())),
    };
    let mut script = Vec::new();
    let name = call.session.settings.persona.name();
    generate(shell, &mut grammar::schema(), name, &mut script);
    let script = String::from_utf8_lossy(&script);
    call.session
        .output
        .text(format_args!("{}", script.trim_end()));
    Ok(Outcome::DONE)
}
