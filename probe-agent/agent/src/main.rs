//! The `probe-agent` command.

mod cli;
mod commands;
mod config;
mod exit;
mod signals;
mod words;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use crate::{
    cli::{
        Command,
        usage::{Stop, parse},
    },
    commands::{check, demo},
    exit::Exit,
    words::say_error,
};

fn main() -> ExitCode {
    let cli = match parse(std::env::args_os()) {
        Ok(cli) => cli,
        Err(Stop::Answer(text)) => {
            // Whoever asked may have seen enough (`--help | head`).
            let _ = io::stdout().write_all(text.as_bytes());
            return ExitCode::SUCCESS;
        }
        Err(Stop::Usage(line)) => {
            say_error(line);
            return Exit::Usage.into();
        }
    };
    let result = match cli.command {
        Command::Check(args) => check::run(&args),
        Command::Demo(args) => demo::run(&args),
    };
    match result {
        Ok(exit) => exit.into(),
        Err(failure) => {
            say_error(failure.line);
            failure.exit.into()
        }
    }
}
