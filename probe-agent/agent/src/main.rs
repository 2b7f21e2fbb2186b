//! The `probe-agent` command: parse the command line, run the command, report how it ended.

mod cli;
mod commands;
mod config;
mod exit;
mod logging;
mod names;
mod open_files;
mod signals;
mod stdout;
mod targets;

use std::{
    ffi::OsString,
    io::{self, Write},
    process::ExitCode,
};

use anyhow::Context;
use model::errno::in_words;
use report::reporter::reader_gone;

use crate::{
    cli::{Command, Stop},
    exit::{Exit, Failure},
};

fn main() -> ExitCode {
    signals::survive_file_limits();
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let exit = run(&arguments).unwrap_or_else(|failure| {
        logging::fatal(&failure.line);
        failure.exit
    });
    exit.into()
}

fn run(arguments: &[OsString]) -> Result<Exit, Failure> {
    let cli = match cli::parse(arguments) {
        Ok(cli) => cli,
        Err(stop) => {
            logging::start_plain(cli::log_format(arguments));
            return match stop {
                Stop::Print(text) => print(&text),
                Stop::Usage(line) => Err(Failure::usage(line)),
            };
        }
    };
    logging::start(cli.log).map_err(Failure::usage)?;
    stdout::check().map_err(Failure::other)?;
    match cli.command {
        Command::Check(args) => commands::check::run(&args),
        Command::Demo(args) => commands::demo::run(&args),
        Command::Run(args) => commands::run::run(&args),
        Command::Config(command) => commands::config::run(&command),
    }
}

/// Prints a text: the help, for example. A reader that has read enough (`--help | head`) is no failure.
fn print(text: &str) -> Result<Exit, Failure> {
    stdout::check().map_err(Failure::other)?;
    let mut out = io::stdout();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if !reader_gone(&error) => {
            Err(in_words(error)).context("cannot write to stdout").map_err(Failure::other)
        }
        _ => Ok(Exit::AsExpected),
    }
}
