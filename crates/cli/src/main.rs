//! The one binary: arguments as typed, settings as resolved, then the command.

mod args;
mod command;
mod completion;
mod journal;
mod log;
mod memory;
mod output;
mod persona;
mod progress;
mod session;
mod settings;
mod shell_words;
mod signals;
mod start;
mod witness;

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    memory::take_small_pages();
    start::start(std::env::args_os())
}
