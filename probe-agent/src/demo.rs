//! `probe-agent demo`: each way in which a half-open probe can go, in a lab of its own.

use crate::{check::Failure, cli::demo::DemoArgs, report::exit::Exit};

/// Runs the demo.
///
/// # Errors
/// One line for stderr, and the exit code that goes with it.
pub fn run(_args: &DemoArgs) -> Result<Exit, Failure> {
    Ok(Exit::AsExpected)
}
