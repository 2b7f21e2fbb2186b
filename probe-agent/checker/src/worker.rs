//! The checker's worker: one thread that probes and, with tracing, one that reads kernel events.

use std::{
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use engine::{
    event_loop::Sink,
    requests,
    runtime::{Runtime, RuntimeConfig, WorkerSpec},
    source_ports,
};
use explain::Judged;
use kernel::{
    capability::{ACK_GUARD, STATE_HOOK},
    loader::{Rings, Tracer},
    netns,
    state_hook::StateHookChoice,
};
use model::capability::{Capability, State};

use crate::{
    BuildError, Checker, GuardError, SettledProbe, Support,
    checker::Inner,
    config::{CheckerConfig, Hook},
};

/// Loads the eBPF programs and starts the worker. Returns when it is ready.
pub(crate) fn start(config: CheckerConfig) -> Result<Checker, BuildError> {
    let loaded = load(&config)?;
    let (requests, queue) = requests::channel(config.queue).map_err(BuildError::Worker)?;
    let ports = config.settings.socket.ports.clone();
    let runtime = RuntimeConfig {
        settings: config.settings,
        netns: None,
        // The host's signal handlers must not run on these threads.
        block_signals: true,
    };
    let (stop, hook_panics) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
    let sink = SettledSink { hook: config.on_settled, panics: Arc::clone(&hook_panics) };
    let ports = ports.unwrap_or_else(source_ports::ephemeral_ports);
    let worker = WorkerSpec { ports, source: queue, sink };
    let runtime = Runtime::start(&runtime, loaded.tracing, &stop, vec![worker])
        .map_err(BuildError::Worker)?;
    Ok(Checker(Arc::new(Inner {
        requests,
        guard: loaded.guard,
        tracing: loaded.support,
        gauges: runtime.gauges().first().map(Arc::clone).unwrap_or_default(),
        progress: runtime.progress(),
        hook_panics,
        queue_full: AtomicU64::new(0),
        stop,
        runtime: Mutex::new(Some(runtime)),
    })))
}

/// What of the kernel's side is available.
struct Loaded {
    guard: Support,
    support: Support,
    tracing: Option<(Arc<Tracer>, Rings)>,
}

fn load(config: &CheckerConfig) -> Result<Loaded, BuildError> {
    let mut loaded = Loaded { guard: Support::Off, support: Support::Off, tracing: None };
    if !config.kernel {
        return Ok(loaded);
    }
    let slots = config.settings.slots;
    match Tracer::load(slots, netns::cookie(), config.ack_guard, StateHookChoice::Auto) {
        Ok((tracer, rings)) => {
            let capabilities = tracer.capabilities();
            loaded.support = support(capabilities.get(STATE_HOOK.name));
            match guard(capabilities.get(ACK_GUARD.name), config.require_half_open) {
                Ok(guard) => loaded.guard = guard,
                Err(error) => {
                    Tracer::release(Arc::new(tracer));
                    return Err(error);
                }
            }
            loaded.tracing = Some((Arc::new(tracer), rings));
        }
        Err(error) if config.require_half_open => {
            return Err(BuildError::NotHalfOpen(GuardError::NotLoaded(error.to_string())));
        }
        Err(error) => {
            loaded.support = Support::Unavailable(error.to_string());
            if config.ack_guard {
                loaded.guard = loaded.support.clone();
            }
        }
    }
    Ok(loaded)
}

fn guard(capability: Option<&Capability>, is_required: bool) -> Result<Support, BuildError> {
    match support(capability) {
        Support::Unavailable(reason) if is_required => {
            Err(BuildError::NotHalfOpen(GuardError::NotAttached(reason)))
        }
        support => Ok(support),
    }
}

/// Whether a capability is there, and if not, why and the remedy.
fn support(capability: Option<&Capability>) -> Support {
    let Some(Capability { state, remedy, .. }) = capability else { return Support::Off };
    match (state, remedy) {
        (State::Available | State::Degraded(_), _) => Support::On,
        (State::Off, _) => Support::Off,
        (State::Unavailable(reason), Some(remedy)) => {
            Support::Unavailable(format!("{reason}; {remedy}"))
        }
        (State::Unavailable(reason), None) => Support::Unavailable(reason.clone()),
    }
}

/// Passes settled probes to the hook, if there is one.
struct SettledSink {
    hook: Option<Hook>,
    panics: Arc<AtomicU64>,
}

impl Sink for SettledSink {
    type Result = ();

    fn settled(&mut self, judged: Judged) {
        let Some(hook) = &mut self.hook else { return };
        let probe = SettledProbe::new(explain::explain(judged));
        // Whether the hook's own state is usable after a panic is for the hook to decide.
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| hook(probe))) {
            self.panics.fetch_add(1, Ordering::Relaxed);
            // Its destructor is the host's code and could panic once more.
            mem::forget(payload);
        }
    }

    fn has_room(&self) -> bool {
        true
    }

    fn finish(self) {}
}
