//! `probe-agent demo`: from the parsed command line to the exit code.

use std::io;

use demo::{DemoError, DemoResult, Family, LabError, Options};
use kernel::error::TraceError;

use crate::{
    cli::demo::{DemoArgs, FamilyChoice},
    exit::{Exit, Failure},
    signals::Interrupts,
};

/// Runs `demo`.
///
/// # Errors
/// Why the demo did not start or could not finish.
pub(crate) fn run(args: &DemoArgs) -> Result<Exit, Failure> {
    let scenarios = demo::select(&args.scenarios).map_err(failure)?;
    if args.list {
        return demo::list(&scenarios).map(|()| Exit::AsExpected).map_err(failure);
    }
    let interrupts = Interrupts::install(1)?;
    let options = Options {
        scenarios,
        families: families(args.family),
        state_hook: args.tracepoints,
        output: args.output.into(),
    };
    let result = demo::run(&options, interrupts.stop()).map_err(failure)?;
    Ok(match result {
        DemoResult::AsInjected => Exit::AsExpected,
        DemoResult::NotAsInjected => Exit::NotAsExpected,
        DemoResult::Interrupted => Exit::Interrupted,
    })
}

const fn families(choice: FamilyChoice) -> &'static [Family] {
    match choice {
        FamilyChoice::Four => &[Family::V4],
        FamilyChoice::Six => &[Family::V6],
        FamilyChoice::Both => &Family::ALL,
    }
}

fn failure(error: DemoError) -> Failure {
    Failure { line: error.to_string(), exit: exit(&error) }
}

fn exit(error: &DemoError) -> Exit {
    match error {
        DemoError::Lab(LabError::Namespace { source, .. })
            if source.kind() == io::ErrorKind::PermissionDenied =>
        {
            Exit::Privilege
        }
        DemoError::Trace(TraceError::Permission { .. }) => Exit::Privilege,
        DemoError::Unknown { .. } | DemoError::Lab(LabError::Missing { .. }) => Exit::Usage,
        DemoError::Lab(_) | DemoError::Trace(_) | DemoError::Thread(_) | DemoError::Run { .. } => {
            Exit::Unfinished
        }
    }
}
