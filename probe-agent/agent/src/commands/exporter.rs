//! What every command that exports spans does alike: variables, messages, and why an exporter does not start.

use anyhow::anyhow;
use model::errno::in_words;
use otlp::{ExportError, Ignored, Notice};
use tracing::{info, warn};

use crate::exit::{Failure, is_shortage};

/// A variable of the environment. What is not UTF-8 is replaced, so that the variable is found to be invalid and
/// reported.
pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}

/// Reports an invalid variable.
pub(super) fn ignored(variable: &Ignored) {
    warn!("{variable}");
}

/// A shortage of this host is no fault of the command line.
pub(super) fn failure(error: ExportError) -> Failure {
    match error {
        ExportError::Thread(source) => {
            Failure::other(anyhow!("cannot start the exporter's thread: {}", in_words(source)))
        }
        ExportError::File { path, source } if is_shortage(&source) => {
            Failure::other(anyhow!("--otlp-file: cannot write {}: {source}", path.display()))
        }
        ExportError::Random(_) => Failure::other(error),
        other => Failure::usage(other),
    }
}

/// Reports what the exporter finds.
pub(super) fn report(notice: &Notice<'_>) {
    match *notice {
        Notice::Failed { sink, spans, reason } => warn!(sink, spans, reason, "{notice}"),
        Notice::Overflowed { sink, spans } => warn!(sink, spans, "{notice}"),
        Notice::Recovered { sink } => info!(sink, "{notice}"),
        Notice::Remark { sink, .. } => warn!(sink, "{notice}"),
    }
}
