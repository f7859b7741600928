//! Completion as s5cmd offers it: the shell asks the program itself.
//!
//! `... WORD --generate-bash-completion` prints what WORD may become: commands, flags, or (asking
//! the store) buckets and one level of keys. `--install-completion` prints the script that makes
//! the shell ask. Errors are silent: a shell has nowhere to show them.

use std::process::ExitCode;
use std::sync::Arc;

use mover::list::level;
use mover::{S3Url, Target};
use remote::ObjectClient;
use remote::aws::{AwsClient, AwsOptions};

use crate::args::LogLevel;
use crate::args::grammar::{Request, read, schema};
use crate::output::Output;
use crate::persona::Persona;
use crate::settings::{Environment, Settings};

/// The last argument of a shell's question.
pub(crate) const FLAG: &str = "--generate-bash-completion";

/// How a shell wants its answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shell {
    /// `:` parts words in readline, so the part behind it is offered too.
    Bash,
    /// `:` parts a value from its description, so it is escaped.
    Zsh,
    Other,
}

impl Shell {
    fn from_environment() -> (Shell, String) {
        let path = std::env::var("SHELL").unwrap_or_default();
        let name = path.rsplit('/').next().unwrap_or_default().to_owned();
        let shell = match name.as_str() {
            "bash" => Shell::Bash,
            "zsh" => Shell::Zsh,
            _ => Shell::Other,
        };
        (shell, name)
    }
}

/// Answers a shell's question about the last of `words`.
pub(crate) fn run(words: &[String], persona: Persona) -> ExitCode {
    let output = Output::new(false, LogLevel::Info);
    let (shell, _) = Shell::from_environment();
    let candidates = candidates(words, persona);
    for candidate in candidates {
        offer(&candidate, shell, &output);
    }
    output.flush();
    ExitCode::SUCCESS
}

fn offer(candidate: &str, shell: Shell, output: &Output) {
    match shell {
        Shell::Zsh => output.text(format_args!("{}", candidate.replace(':', "\\:"))),
        Shell::Bash => {
            output.text(format_args!("{candidate}"));
            if let Some((_, behind)) = candidate.split_once(':') {
                output.text(format_args!("{behind}"));
            }
        }
        Shell::Other => output.text(format_args!("{candidate}")),
    }
}

fn candidates(words: &[String], persona: Persona) -> Vec<String> {
    let schema = schema();
    let word = words.last().map_or("", String::as_str);
    let names = schema.get_subcommands().map(|command| command.get_name());
    let command = words.iter().find_map(|word| schema.find_subcommand(word));
    if word.starts_with('-') {
        return flags(command.unwrap_or(&schema), word);
    }
    if command.is_none() {
        return names.chain(["help", "h"]).map(str::to_owned).collect();
    }
    if word.starts_with("s3://") {
        return places(words, word, persona).unwrap_or_default();
    }
    Vec::new()
}

fn flags(command: &clap::Command, word: &str) -> Vec<String> {
    let mut flags = Vec::new();
    for arg in command.get_arguments().filter(|arg| !arg.is_positional()) {
        flags.extend(arg.get_long().map(|long| format!("--{long}")));
        flags.extend(arg.get_short().map(|short| format!("-{short}")));
    }
    flags.extend(["--help".to_owned(), "-h".to_owned()]);
    flags.retain(|flag| flag.starts_with(word));
    flags
}

/// Buckets, or one level of a bucket, that begin as `word` does.
fn places(words: &[String], word: &str, persona: Persona) -> Option<Vec<String>> {
    // The command line up to the word says which store is meant.
    let Ok(Request::Run(invocation)) = read(words, persona) else {
        return None;
    };
    let global = &invocation.cli.global;
    let settings = Settings::resolve(
        global,
        persona,
        &AwsOptions::from_environment(),
        &Environment::of_process(),
    )
    .ok()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .ok()?;
    runtime.block_on(async {
        let client: Arc<dyn ObjectClient> =
            Arc::new(Box::pin(AwsClient::new(settings.source)).await.ok()?);
        let rest = word.strip_prefix("s3://")?;
        if !rest.contains('/') {
            let buckets = client.list_buckets().await.ok()?;
            let names = buckets.into_iter().map(|bucket| bucket.name);
            let fitting = names.filter(|name| name.starts_with(rest));
            return Some(fitting.map(|name| format!("s3://{name}/")).collect());
        }
        let Target::Remote(url) = Target::parse(word).ok()? else {
            return None;
        };
        one_page(client, &url).await
    })
}

/// The first page only: nobody reads more than a thousand completions.
async fn one_page(client: Arc<dyn ObjectClient>, url: &S3Url) -> Option<Vec<String>> {
    let mut pages = level(
        client,
        url.bucket.clone(),
        &url.path,
        "/",
        mover::list::Protocol::V2,
    );
    let page = pages.next().await?.ok()?;
    let prefixes = page.common_prefixes.into_iter();
    let keys = page
        .objects
        .into_iter()
        .map(|object| object.key.to_string());
    let full = |path: String| format!("s3://{}/{path}", url.bucket);
    Some(prefixes.chain(keys).map(full).collect())
}

/// Prints how to switch completion on in the shell that `$SHELL` names.
pub(crate) fn install(output: &Output, persona: Persona) {
    let name = persona.name();
    let (_, shell) = Shell::from_environment();
    let script = match shell.as_str() {
        "bash" => BASH.replace("NAME", name),
        "zsh" => ZSH.replace("NAME", name),
        "fish" => FISH.replace("NAME", name),
        "pwsh" => PWSH.replace("NAME", name),
        other => format!(
            "# No completion is known for the shell {other:?} ($SHELL).\n\
             # There is one for bash, zsh, fish and pwsh; see also '{name} completions --help'."
        ),
    };
    output.text(format_args!("{script}"));
}

const BASH: &str = r#"# Put this into ~/.bashrc to complete commands, flags and keys of NAME.
_NAME_complete() {
    local word="${COMP_WORDS[COMP_CWORD]}" line="${COMP_LINE:0:COMP_POINT}"
    [[ "$line" == *" " ]] && line+="''"
    mapfile -t COMPREPLY < <(compgen -W "$(eval "$line --generate-bash-completion" 2>/dev/null)" -- "$word")
}
complete -o bashdefault -o default -o nospace -F _NAME_complete NAME"#;

const ZSH: &str = r#"# Put this into ~/.zshrc to complete commands, flags and keys of NAME.
autoload -Uz compinit && compinit
_NAME_complete() {
    local -a found
    found=("${(@f)$(${words[@]:0:#words[@]-1} "${words[-1]}" --generate-bash-completion 2>/dev/null)}")
    if [[ -n "${found[1]}" ]]; then _describe 'values' found; else _files; fi
}
compdef _NAME_complete NAME"#;

const FISH: &str = r#"# Put this into ~/.config/fish/completions/NAME.fish to complete commands, flags and keys of NAME.
complete -c NAME -f -a '(eval (commandline -poc) (commandline -ct) --generate-bash-completion 2>/dev/null)'"#;

const PWSH: &str = r#"# Put this into the file that $profile names to complete commands, flags and keys of NAME.
Register-ArgumentCompleter -Native -CommandName NAME -ScriptBlock {
    param($word, $line, $position)
    Invoke-Expression "$line --generate-bash-completion" 2>$null | ForEach-Object {
        [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
    }
}"#;
