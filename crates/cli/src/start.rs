//! From the arguments of the process to its exit code.

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::{io, panic};

use mover::job::Ending;
use remote::aws::AwsOptions;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

use crate::args::grammar::{self, Invocation, Misuse, Request, read};
use crate::args::nearest::nearest;
use crate::args::{Cli, Command, LogLevel, ResumeArgs, help};
use crate::journal::JobBook;
use crate::output::Output;
use crate::output::cause::{chain, system_words};
use crate::persona::{Outcome, Persona};
use crate::progress::{Progress, Show};
use crate::session::Session;
use crate::settings::{Environment, Settings};
use crate::signals::{Asked, Signals};
use crate::witness::Witnesses;
use crate::{command, completion, journal, log, signals};

/// What a process exits with when nobody reads its output any more: 128 and SIGPIPE's number, as
/// a shell says of a process that the signal ended.
const READER_GONE: u8 = 141;

/// Runs the program.
pub(crate) fn start(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let program = arguments.next().unwrap_or_default();
    let persona = Persona::from_program(&program);
    let words: Result<Vec<String>, OsString> = arguments.map(OsString::into_string).collect();
    let words = match words {
        Ok(words) => words,
        Err(word) => return could_not(persona, "", &format!("argument {word:?} is not UTF-8")),
    };
    if let Some((last, before)) = words.split_last()
        && last == completion::FLAG
    {
        return completion::run(before, persona);
    }
    match read(&words, persona) {
        Ok(Request::Run(invocation)) => match &invocation.cli.command {
            Command::Resume(args) => resume(args, &invocation, &words, persona),
            _ => {
                let job = JobBook::of(&invocation, &words, persona);
                run(Arc::from(invocation), &words, persona, job)
            }
        },
        Ok(Request::Help(about)) => say(|output| help::print(output, about.as_deref())),
        Ok(Request::Version) => say(|output| output.text(format_args!("{}", version(persona)))),
        Ok(Request::InstallCompletion) => say(|output| completion::install(output, persona)),
        Err(misuse) => {
            let json = words.iter().any(|word| word == "--json" || word == "-json");
            let output = Output::new(json, LogLevel::Info);
            misused(&misuse, persona, &output);
            output.flush();
            persona.exit(Outcome::of(Ending::CouldNotRun))
        }
    }
}

/// Prints something and ends well.
fn say(print: impl FnOnce(&Output)) -> ExitCode {
    let output = Output::new(false, LogLevel::Info);
    print(&output);
    output.flush();
    ExitCode::SUCCESS
}

/// Says why nothing could run.
fn could_not(persona: Persona, command: &str, cause: &str) -> ExitCode {
    Output::new(false, LogLevel::Info).error("", command, cause);
    persona.exit(Outcome::of(Ending::CouldNotRun))
}

/// The version, as `version` prints it.
pub(crate) fn version(persona: Persona) -> String {
    match persona {
        Persona::Longhaul => format!("longhaul {}", env!("CARGO_PKG_VERSION")),
        // Scripts read a number that s5cmd could have.
        Persona::S5cmd => format!("v2.3.0-longhaul-{}", env!("CARGO_PKG_VERSION")),
    }
}

/// Tells what is wrong with a command line, where s5cmd tells it.
pub(crate) fn misused(misuse: &Misuse, persona: Persona, output: &Output) {
    match misuse {
        Misuse::Global(message) => {
            output.talk(format_args!("Incorrect Usage: {message}"));
            if persona == Persona::Longhaul {
                hint(message, None, |line| output.talk(line));
            }
            output.talk(format_args!("See '{} --help' for usage", persona.name()));
        }
        Misuse::Flag { command, message } => {
            output.text(format_args!("Incorrect Usage: {message}\n"));
            if let Some(flag) = flag_of_the_program(message) {
                let name = persona.name();
                output.text(format_args!(
                    "--{flag} stands before the command: {name} --{flag} ... {command} ...\n"
                ));
            }
            match persona {
                Persona::S5cmd => help::print(output, Some(command)),
                // Behind a page of flags nobody would see what was wrong.
                Persona::Longhaul => {
                    hint(message, Some(command), |line| output.text(line));
                    output.text(format_args!(
                        "See '{} help {command}' for its flags",
                        persona.name()
                    ));
                }
            }
        }
        Misuse::UnknownCommand(name) => {
            output.error("", name, "command not found");
            let schema = grammar::schema();
            let known = schema.get_subcommands().map(clap::Command::get_name);
            if persona == Persona::Longhaul
                && let Some(meant) = nearest(name, known)
            {
                output.talk(format_args!("Did you mean {meant}?"));
            }
        }
    }
}

/// Says which flag was meant, where one is spelt nearly so.
fn hint(message: &str, command: Option<&str>, say: impl Fn(std::fmt::Arguments<'_>)) {
    let Some((_, typed)) = message.split_once("not defined: -") else {
        return;
    };
    let schema = grammar::schema();
    let command = match command {
        Some(name) => schema.find_subcommand(name),
        None => Some(&schema),
    };
    let flags = command.into_iter().flat_map(clap::Command::get_arguments);
    let known = flags.filter_map(clap::Arg::get_long);
    if let Some(meant) = nearest(typed.trim_start_matches('-'), known) {
        say(format_args!("Did you mean --{meant}?"));
    }
}

/// The flag that a command does not know and the program does: it was typed in the wrong place.
fn flag_of_the_program(message: &str) -> Option<&str> {
    let (_, flag) = message.split_once("not defined: -")?;
    let flag = flag.trim_start_matches('-');
    let program = <Cli as clap::CommandFactory>::command();
    let known = program
        .get_arguments()
        .any(|known| known.get_long() == Some(flag));
    known.then_some(flag)
}

/// Goes on with a job: runs its command again, where it was run, with its journal.
fn resume(
    args: &ResumeArgs,
    invocation: &Invocation,
    words: &[String],
    persona: Persona,
) -> ExitCode {
    let fail = |cause: &str| could_not(persona, &invocation.typed, cause);
    let Some(home) = journal::home() else {
        return fail("there is no place for jobs: set HOME or XDG_STATE_HOME");
    };
    let id = match (args.last, args.arguments.as_slice()) {
        (false, [id]) => id.clone(),
        (true, []) => match home.jobs() {
            Ok(jobs) => match jobs.into_iter().rev().find(|job| job.running.is_none()) {
                Some(job) => job.id,
                None => return fail("there is no job to go on with"),
            },
            Err(error) => return fail(&system_words(&error)),
        },
        _ => return fail("expected an ID, or --last: `longhaul jobs` lists them"),
    };
    let job = match home.lock(&id) {
        Ok(job) => job,
        Err(error) => return fail(&chain(&error)),
    };
    let folder = &job.record.folder;
    if let Err(error) = std::env::set_current_dir(folder) {
        let cause = system_words(&error);
        return fail(&format!("enter {}: {cause}", folder.display()));
    }
    // Flags of the command itself come later, and so count where both say something.
    let before = words.iter().position(|word| *word == invocation.name);
    let mut all = words[..before.unwrap_or(0)].to_vec();
    all.extend_from_slice(&job.record.words);
    match read(&all, persona) {
        Ok(Request::Run(again)) => {
            let job = JobBook::resume(home, job);
            run(Arc::from(again), &all, persona, job)
        }
        _ => fail(&format!(
            "this version cannot read the job's command: {}",
            all.join(" ")
        )),
    }
}

fn run(invocation: Arc<Invocation>, words: &[String], persona: Persona, job: JobBook) -> ExitCode {
    let global = &invocation.cli.global;
    let settings = match Settings::resolve(
        global,
        persona,
        &AwsOptions::from_environment(),
        &Environment::of_process(),
    ) {
        Ok(settings) => settings,
        Err(error) => {
            let output = Output::new(global.json, global.log_level());
            let command = format!(" {}", behind_globals(words, &invocation));
            output.error("", &command, &error.to_string());
            return persona.exit(Outcome::of(Ending::CouldNotRun));
        }
    };
    if let Err(cause) = log::start(settings.level == LogLevel::Trace, settings.json) {
        return could_not(persona, &invocation.typed, &cause);
    }
    let witnesses = match Witnesses::create(&settings) {
        Ok(witnesses) => witnesses,
        Err(cause) => return could_not(persona, &invocation.typed, &cause),
    };
    let runtimes = runtime(1).and_then(|watching| Ok((watching, runtime(reactors())?)));
    let (watching, working) = match runtimes {
        Ok(runtimes) => runtimes,
        Err(error) => {
            let cause = format!("start the runtime: {error}");
            return could_not(persona, &invocation.typed, &cause);
        }
    };
    let output = Arc::new(Output::new(settings.json, settings.level));
    let session = Session::new(settings, Arc::clone(&output), witnesses.observers());
    let session = Arc::new(session.with_job(job));
    let mut outcome = watching.block_on(work(&invocation, &session, working));
    for broken in witnesses.finish(&session, outcome) {
        output.error(&invocation.name, &invocation.typed, &broken);
        outcome = outcome.worse(Outcome::of(Ending::Failed));
    }
    let now = session.clock.now();
    session.job.end(outcome, &session.totals(), now, &output);
    if session.settings.stat {
        session.stat.print(&output);
    }
    output.flush();
    if output.reader_gone().is_cancelled() {
        return ExitCode::from(READER_GONE);
    }
    persona.exit(outcome)
}

/// How many threads carry requests; disks and long hashing have threads of their own.
///
/// Measured on two cores with 10,000 objects of 16 KiB: a second thread takes its share of them
/// from the first by waking and being woken, which costs more than their requests (decision 0003).
fn reactors() -> usize {
    thread::available_parallelism().map_or(1, |cores| cores.get().div_ceil(2))
}

/// A runtime of so many threads; one of a single thread hands nothing from thread to thread.
fn runtime(threads: usize) -> io::Result<Runtime> {
    let mut builder = match threads {
        0 | 1 => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    if threads > 1 {
        builder.worker_threads(threads);
    }
    builder.enable_all().build()
}

/// Runs a command on a thread and a runtime of its own: signals are answered also while a disk is
/// not, and what wakes the command wakes nothing else.
fn apart(
    runtime: Runtime,
    invocation: Arc<Invocation>,
    session: Arc<Session>,
) -> io::Result<(JoinHandle<()>, oneshot::Receiver<Outcome>)> {
    let (ended, outcome) = oneshot::channel();
    let thread = thread::Builder::new().name("command".to_owned());
    let running = thread.spawn(move || {
        let outcome = runtime.block_on(command::dispatch(&invocation, &session));
        // A blocked read of standard input must not keep the process.
        runtime.shutdown_background();
        // Nobody waits for a command that was given up.
        let _ = ended.send(outcome);
    })?;
    Ok((running, outcome))
}

/// Runs the command while signals, progress and the output's buffer are looked after.
async fn work(invocation: &Arc<Invocation>, session: &Arc<Session>, runtime: Runtime) -> Outcome {
    let could_not = |cause: &str| {
        let output = &session.output;
        output.error(&invocation.name, &invocation.typed, cause);
        Outcome::of(Ending::CouldNotRun)
    };
    let mut signals = match Signals::listen() {
        Ok(signals) => signals,
        Err(error) => return could_not(&format!("listen to signals: {error}")),
    };
    let (moves, forced) = movement(&invocation.cli.command);
    let show = Show::decide(session.settings.progress, forced, moves);
    let mut progress = Progress::new(session, show);
    let mut status = Progress::new(session, Show::Nothing);
    let started = apart(runtime, Arc::clone(invocation), Arc::clone(session));
    let (running, mut command) = match started {
        Ok(started) => started,
        Err(error) => return could_not(&format!("start a thread: {error}")),
    };
    let gone = session.output.reader_gone().clone();
    let outcome = {
        let drawing = progress.run();
        tokio::pin!(drawing);
        let keeping = session.job.keep(&session.clock, || session.totals());
        tokio::pin!(keeping);
        loop {
            tokio::select! {
                ended = &mut command => break match ended {
                    Ok(outcome) => outcome,
                    // Its thread panicked, and so does the program.
                    Err(_) => match running.join() {
                        Err(panicked) => panic::resume_unwind(panicked),
                        Ok(()) => Outcome::of(Ending::Failed),
                    },
                },
                asked = signals.next() => match asked {
                    Asked::Stop => signals::stop(session),
                    Asked::Status => {
                        let line = status.status();
                        session.output.talk(format_args!("{line}"));
                    }
                },
                outcome = signals::give_up(session) => break outcome,
                () = gone.cancelled(), if !session.stopping.is_cancelled() => {
                    session.stopping.cancel();
                }
                () = &mut drawing => {}
                () = &mut keeping => {}
                () = session.output.flush_when_idle() => {}
            }
        }
    };
    progress.finish();
    let stopped = session.stopping.is_cancelled() || outcome.ending == Ending::Stopped;
    if stopped && !gone.is_cancelled() {
        signals::say_what_is_left(session, &invocation.cli.command);
    }
    outcome
}

/// Whether a command moves objects, and whether it was told to show progress.
fn movement(command: &Command) -> (bool, bool) {
    match command {
        Command::Copy(args) | Command::Move(args) => (true, args.show_progress),
        Command::Sync(_) | Command::Remove(_) | Command::Run(_) => (true, false),
        Command::List(_)
        | Command::MakeBucket(_)
        | Command::RemoveBucket(_)
        | Command::Select(_)
        | Command::DiskUsage(_)
        | Command::Cat(_)
        | Command::Pipe(_)
        | Command::Version(_)
        | Command::BucketVersion(_)
        | Command::Presign(_)
        | Command::Head(_)
        | Command::Exists(_)
        | Command::Verify(_)
        | Command::Jobs(_)
        | Command::Resume(_)
        | Command::Uploads(_)
        | Command::Doctor(_)
        | Command::Completions(_)
        | Command::Demo(_) => (false, false),
    }
}

/// The command and what stands behind it, as typed: what messages about global flags repeat.
fn behind_globals(words: &[String], invocation: &Invocation) -> String {
    let from = words
        .iter()
        .position(|word| *word == invocation.name)
        .unwrap_or(0);
    words[from..].join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_of_the_program_behind_the_command_is_recognised() {
        let about = |flag: &str| format!("flag provided but not defined: -{flag}");
        assert_eq!(flag_of_the_program(&about("manifest")), Some("manifest"));
        assert_eq!(flag_of_the_program(&about("bogus")), None);
        assert_eq!(flag_of_the_program("invalid value"), None);
    }
}
