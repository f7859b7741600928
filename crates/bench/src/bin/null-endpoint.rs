//! The null endpoint, and the latency endpoint, as a program.
//!
//! Prints its URL as the first line; under TLS a second URL, without it, follows. Its counters are at `GET /-/counters`, set back by
//! `POST /-/reset`, and printed at SIGINT.

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use bench::null::options::USAGE;
use bench::null::{NullEndpoint, NullOptions};
use tokio::io::AsyncReadExt as _;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.iter().any(|word| word == "--help") {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    match NullOptions::from_words(words) {
        Ok(options) => match run(&options) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("error: {error:#}");
                ExitCode::FAILURE
            }
        },
        Err(error) => {
            eprintln!("error: {error:#}\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

/// One thread, so that the client has the other cores.
#[tokio::main(flavor = "current_thread")]
async fn run(options: &NullOptions) -> Result<()> {
    let endpoint = NullEndpoint::bind(options).await?;
    println!("{}", endpoint.url()?);
    if let Some(driver) = endpoint.driver_url()? {
        println!("{driver}");
    }
    let counters = endpoint.counters();
    tokio::select! {
        ended = endpoint.run() => ended,
        () = parent_gone(), if options.with_stdin => Ok(()),
        interrupted = tokio::signal::ctrl_c() => {
            println!("{}", counters.to_json());
            interrupted.context("wait for SIGINT")
        }
    }
}

/// Waits until nobody holds the other end of standard input any more.
async fn parent_gone() {
    let mut byte = [0];
    while let Ok(1..) = tokio::io::stdin().read(&mut byte).await {}
}
