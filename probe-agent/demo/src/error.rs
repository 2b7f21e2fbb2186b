//! Why the demo cannot run.

use std::io;

use super::scenarios;
use kernel::error::TraceError;
use lab::LabError;

/// Why a scenario, or the whole demo, could not run.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// There is no such scenario.
    #[error("there is no scenario {name:?}; there are: {}", names())]
    Unknown {
        /// The name that was asked for.
        name: String,
    },
    /// The lab could not be made.
    #[error(transparent)]
    Lab(#[from] LabError),
    /// The hooks could not be loaded.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// A scenario got no thread.
    #[error("cannot start a thread: {0}; raise `ulimit -u` or the cgroup's pids.max")]
    Thread(io::Error),
    /// The run failed, or its results could not be written.
    #[error("cannot {operation}: {source}")]
    Run {
        /// What was tried.
        operation: &'static str,
        /// Why it failed.
        source: io::Error,
    },
}

fn names() -> String {
    let names: Vec<_> = scenarios::ALL.iter().map(|scenario| scenario.name).collect();
    names.join(", ")
}
