//! Kernel tracing, or why there is none and what that costs.

use std::sync::Arc;

use super::Failure;
use crate::{
    config::{CheckConfig, KernelUse},
    report::exit::Exit,
    session::{self, Plan},
    trace::{
        ack_guard::Guard,
        loader::{Rings, Tracer},
    },
};

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
                eprintln!("probe-agent: {limit}");
            }
            if let Guard::Unavailable(reason) = &tracer.guard {
                eprintln!(
                    "probe-agent: the ACK guard cannot stand ({reason}): where a close is late or a \
                     SYN-ACK comes twice, the target's application may accept a dead connection"
                );
            }
            Ok(Some((tracer, rings)))
        }
        Err(error) if config.kernel == KernelUse::Required => {
            Err(Failure { line: format!("--require-kernel: {error}"), exit: Exit::Privilege })
        }
        Err(error) => {
            eprintln!("probe-agent: {error}; {PRICE}");
            Ok(None)
        }
    }
}

/// The network namespace was opened, but may not be entered.
pub(super) fn netns(config: &CheckConfig, error: &std::io::Error) -> Failure {
    let path = config.netns.as_ref().map_or("", |n| n.path().to_str().unwrap_or("?"));
    Failure {
        line: format!(
            "--netns {path}: entering it failed ({error}): it needs CAP_SYS_ADMIN; run as root"
        ),
        exit: Exit::Usage,
    }
}
