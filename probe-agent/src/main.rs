//! The `probe-agent` command.

use std::process::ExitCode;

use probe_agent::{
    check,
    cli::{
        Command,
        usage::{Stop, parse},
    },
    report::exit::Exit,
};

fn main() -> ExitCode {
    let cli = match parse(std::env::args_os()) {
        Ok(cli) => cli,
        Err(Stop::Answer(text)) => {
            print!("{text}");
            return ExitCode::SUCCESS;
        }
        Err(Stop::Usage(line)) => {
            eprintln!("error: {line}");
            return Exit::Usage.into();
        }
    };
    let result = match cli.command {
        Command::Check(args) => check::run(&args),
        Command::Demo(args) => probe_agent::demo::run(&args),
    };
    match result {
        Ok(exit) => exit.into(),
        Err(failure) => {
            eprintln!("error: {}", failure.line);
            failure.exit.into()
        }
    }
}
