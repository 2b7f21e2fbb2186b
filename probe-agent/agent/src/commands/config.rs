//! `probe-agent config`: check, show and describe the configuration of the service.

mod check;
mod show;

use ::config::{example::EXAMPLE, overrides, overrides::Overrides, problem::Problems, reference};
use tracing::warn;

use crate::{
    cli::config::{ConfigCommand, OverrideArgs},
    exit::{Exit, Failure},
    print,
};

/// Runs a command of `config`.
///
/// # Errors
/// A file is invalid, or the result cannot be written.
pub(crate) fn run(command: &ConfigCommand) -> Result<Exit, Failure> {
    match command {
        ConfigCommand::Check(args) => check::run(args),
        ConfigCommand::Show(args) => show::run(args),
        ConfigCommand::Example => print(EXAMPLE),
        ConfigCommand::Schema => {
            let schema = format!("{:#}\n", reference::json_schema());
            print(&schema)
        }
    }
}

/// Reads the flags and variables that override files.
pub(super) fn read_overrides(args: &OverrideArgs) -> Result<Overrides, Failure> {
    for name in std::env::vars_os().map(|(name, _)| name) {
        if let Some(meant) = name.to_str().and_then(overrides::suspicious) {
            warn!("{} has no meaning; did you mean {meant}?", name.display());
        }
    }
    // What is not UTF-8 is replaced, and then found to be invalid.
    let variable = |name: &str| Some(std::env::var_os(name)?.to_string_lossy().into_owned());
    Overrides::new(&args.set, variable).map_err(|problems| invalid(&problems))
}

/// One line for a command that needs a valid configuration.
fn invalid(problems: &Problems) -> Failure {
    let count = problems.iter().count() + problems.left_out();
    let first = problems.iter().next().map(ToString::to_string).unwrap_or_default();
    Failure::usage(match count {
        0 | 1 => first,
        _ => format!("{first} (and {} more: see 'probe-agent config check')", count - 1),
    })
}
