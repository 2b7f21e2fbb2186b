//! Kernel events, or why there are none and what that costs.

use std::{fmt::Display, sync::Arc};

use engine::session::{self, Plan};
use kernel::{
    capability::{ACK_GUARD, STATE_HOOK},
    loader::{Rings, Tracer},
};
use model::capability::State;
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
    let is_required = config.kernel == KernelUse::Required;
    let unavailable = |reason: &dyn Display| Failure {
        line: format!("--require-kernel: {reason}"),
        exit: Exit::Privilege,
    };
    match session::trace(plan) {
        Ok((tracer, _)) if is_required && tracer.state_hook().is_none() => {
            let reason = tracer.capabilities().get(STATE_HOOK.name).map(ToString::to_string);
            Err(unavailable(&reason.unwrap_or_default()))
        }
        Ok((tracer, rings)) => {
            report(&tracer);
            Ok(Some((tracer, rings)))
        }
        Err(error) if is_required => Err(unavailable(&error)),
        Err(error) => {
            warn!("{error}; {COST}");
            Ok(None)
        }
    }
}

/// Reports what was attached, and what could not be.
fn report(tracer: &Tracer) {
    let capabilities = tracer.capabilities();
    let guard = capabilities.get(ACK_GUARD.name).map(|guard| guard.state.name());
    debug!(hooks = ?tracer.programs(), ack_guard = guard, "attached to the kernel");
    for missing in capabilities.missing() {
        warn!(capability = missing.name, reason = missing.state.reason(), "{missing}");
    }
    for degraded in capabilities.iter().filter(|c| matches!(c.state, State::Degraded(_))) {
        debug!(capability = degraded.name, "{degraded}");
    }
}
