//! Sets up, builds, packages and tests probe-agent. `cargo xtask help` lists the commands.

mod build;
mod cache;
mod cli;
mod command;
mod failure;
mod json;
mod package;
mod privilege;
mod progress;
mod run;
mod setup;
mod test;
mod vm;
mod workspace;

use std::process::ExitCode;

use crate::cli::Task;
use crate::failure::Result;
use crate::setup::Scope;

fn main() -> ExitCode {
    match cli::parse(std::env::args().skip(1)).and_then(perform) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::from(failure.exit_code())
        }
    }
}

fn perform(task: Task) -> Result<()> {
    match task {
        Task::Help => {
            println!("{}", cli::HELP);
            Ok(())
        }
        Task::Setup { check: true } => setup::check(Scope::Test),
        Task::Setup { check: false } => setup::ready(Scope::Test).map(drop),
        Task::Build => build::everything(&setup::ready(Scope::Build)?),
        Task::Package { check } => {
            package::run(&setup::ready(Scope::Build)?)?;
            if check { package::check() } else { Ok(()) }
        }
        Task::Demo(arguments) => run::demo(&arguments),
        Task::Bench(arguments) => run::bench(&arguments),
        Task::Test(arguments) => test::run(&arguments),
        Task::Btf { check } => vm::btf::record(check),
        Task::Vm { check, packages } => vm::run(check, &packages),
    }
}
