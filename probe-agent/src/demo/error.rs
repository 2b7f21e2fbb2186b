//! Why the demo cannot be played, and which exit code that has.

use std::io;

use super::scenarios;
use crate::{check::Failure, lab::LabError, report::exit::Exit, trace::error::TraceError};

/// Why a scenario, or the whole demo, could not be played.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// There is no such scenario.
    #[error("there is no scenario {name:?}; there are: {}", names())]
    Unknown {
        /// As it was asked for.
        name: String,
    },
    /// The lab could not be made.
    #[error(transparent)]
    Lab(#[from] LabError),
    /// The hooks could not be loaded.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// The run failed, or what it said could not be written.
    #[error("cannot {operation}: {source}")]
    Run {
        /// What was tried.
        operation: &'static str,
        /// Why it failed.
        source: io::Error,
    },
}

impl DemoError {
    /// The exit code.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Lab(LabError::Namespace { source, .. })
                if source.kind() == io::ErrorKind::PermissionDenied =>
            {
                Exit::Privilege
            }
            Self::Trace(
                TraceError::Permission(_) | TraceError::NoTracefs(_) | TraceError::Format { .. },
            ) => Exit::Privilege,
            Self::Unknown { .. } | Self::Lab(LabError::Missing { .. }) => Exit::Usage,
            Self::Lab(_) | Self::Trace(_) | Self::Run { .. } => Exit::Unfinished,
        }
    }
}

impl From<DemoError> for Failure {
    fn from(error: DemoError) -> Self {
        Self { line: error.to_string(), exit: error.exit() }
    }
}

fn names() -> String {
    let names: Vec<_> = scenarios::ALL.iter().map(|scenario| scenario.name).collect();
    names.join(", ")
}
