//! Kernel tracing, or why there is none and what that costs.

use std::sync::Arc;

use crate::{
    config::{CheckConfig, KernelUse},
    exit::{Exit, Failure},
    words::say,
};
use engine::session::{self, Plan};
use kernel::{
    ack_guard::Guard,
    loader::{Rings, Tracer},
};
use model::errno::in_words;

/// What probing without kernel events costs, said once at the start.
const PRICE: &str = "probing without kernel events: outcomes and SYN retransmits are inferred from \
                     TCP_INFO and timing, lost RSTs are not seen";

/// Loads the hooks; `None` where the run goes on without them.
///
/// # Errors
/// If they are required and cannot be had.
pub(super) fn tracing(
    config: &CheckConfig,
    plan: &Plan,
) -> Result<Option<(Arc<Tracer>, Rings)>, Failure> {
    if config.kernel == KernelUse::Never {
        return Ok(None);
    }
    match session::trace(plan) {
        Ok((tracer, rings)) => {
            for limit in &tracer.kernel.limits {
                say(limit);
            }
            if let Guard::Unavailable(reason) = &tracer.guard {
                say(format!(
                    "the ACK guard cannot stand ({reason}): where a close is late or a \
                     SYN-ACK comes twice, the target's application may accept a dead connection"
                ));
            }
            Ok(Some((tracer, rings)))
        }
        Err(error) if config.kernel == KernelUse::Required => {
            Err(Failure { line: format!("--require-kernel: {error}"), exit: Exit::Privilege })
        }
        Err(error) => {
            say(format_args!("{error}; {PRICE}"));
            Ok(None)
        }
    }
}

/// The network namespace was opened, but may not be entered.
pub(super) fn netns(config: &CheckConfig, error: std::io::Error) -> Failure {
    let path = config.netns.as_ref().map(|n| n.path().display().to_string()).unwrap_or_default();
    let error = in_words(error);
    Failure {
        line: format!(
            "--netns {path}: cannot enter it ({error}): run as root, or grant CAP_SYS_ADMIN"
        ),
        exit: Exit::Usage,
    }
}
