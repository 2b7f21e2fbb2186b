//! Kernel events, or why there are none and what that costs.

use std::sync::Arc;

use engine::session::{self, Plan};
use kernel::{
    ack_guard::Guard,
    loader::{Rings, Tracer},
};
use tracing::{debug, warn};

use crate::{
    config::{CheckConfig, KernelUse},
    exit::{Exit, Failure},
};

/// What a run without kernel events loses.
const COST: &str = "probing without kernel events: outcomes and SYN retransmits are inferred from \
                    TCP_INFO and timing, lost RSTs are not seen";

/// Loads the hooks; `None` if the run goes on without them.
///
/// # Errors
/// They are required, and not available.
pub(super) fn load(
    config: &CheckConfig,
    plan: &Plan,
) -> Result<Option<(Arc<Tracer>, Rings)>, Failure> {
    if config.kernel == KernelUse::Never {
        return Ok(None);
    }
    match session::trace(plan) {
        Ok((tracer, rings)) => {
            report(&tracer);
            Ok(Some((tracer, rings)))
        }
        Err(error) if config.kernel == KernelUse::Required => {
            Err(Failure { line: format!("--require-kernel: {error}"), exit: Exit::Privilege })
        }
        Err(error) => {
            warn!("{error}; {COST}");
            Ok(None)
        }
    }
}

/// Reports what was attached, and what could not be.
fn report(tracer: &Tracer) {
    let hooks: Vec<&str> = tracer.kernel.hooks.iter().map(|hook| hook.program).collect();
    debug!(?hooks, ack_guard = tracer.guard.name(), "attached to the kernel");
    for limit in &tracer.kernel.limits {
        warn!("{limit}");
    }
    if let Guard::Unavailable(reason) = &tracer.guard {
        warn!(
            reason,
            "the ACK guard cannot be attached ({reason}): after a late close or a duplicate \
             SYN-ACK, the target's application may accept a dead connection"
        );
    }
}
