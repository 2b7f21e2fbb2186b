//! Plays one scenario.

use std::{
    io,
    sync::{Arc, atomic::AtomicBool},
    time::{Duration, Instant},
};

use super::{
    compare,
    error::DemoError,
    scenario::{Scenario, Witness},
    stage::Stage,
    undisturbed::Undisturbed,
};
use engine::{
    gauges::Gauges,
    session::{self, Output},
};
use explain::{ExplainedProbe, Judged};
use kernel::{
    loader::{Rings, Tracer},
    state_hook::StateHookChoice,
};
use lab::Family;
use model::{capability::Capabilities, target::Target};

/// A scenario that was played to its end.
#[derive(Debug)]
pub struct Played {
    /// The scenario.
    pub scenario: &'static Scenario,
    /// Over which addresses.
    pub family: Family,
    /// What was probed.
    pub target: Target,
    /// The probes, in the order of their starts, without the second opinions.
    pub probes: Vec<ExplainedProbe>,
    /// How many segments nftables counted for each fault.
    pub hits: Vec<u64>,
    /// How many connections the server's application was given.
    pub accepted: usize,
    /// What the server's kernel said.
    pub witness: Witness,
    /// Kernel events that were lost.
    pub events_lost: u64,
    /// What the kernel and the privileges made possible.
    pub capabilities: Capabilities,
    /// How often it was played before in vain: the kernel had skipped a hook, or this host had stood
    /// still.
    pub in_vain: u32,
    /// From the making of the lab to the last verdict.
    pub took: Duration,
}

impl Played {
    /// What is not as injected, a line for each; empty where all is.
    #[must_use]
    pub fn complaints(&self) -> Vec<String> {
        compare::complaints(self)
    }

    /// Whether it shows what there was to be seen: no event was lost, and what depends on the time
    /// between two SYNs came in time.
    fn counts(&self) -> bool {
        let starts = self.probes.iter().map(|p| p.timeline.probe.syn_at());
        let late = |(one, next): (u64, u64)| next.saturating_sub(one) > LEFTOVER_MEETS;
        let is_late = starts.clone().zip(starts.skip(1)).any(late);
        self.events_lost == 0 && !(self.scenario.probing.fresh_sockets && is_late)
    }
}

/// A scenario whose lab stands and whose hooks are loaded.
pub(super) struct Ready {
    scenario: &'static Scenario,
    family: Family,
    stage: Stage,
    tracing: (Arc<Tracer>, Rings),
    began: Instant,
}

/// Plays a scenario in a lab of its own; `None` if `stop` ended it early.
///
/// # Errors
/// If the lab cannot be made or the hooks cannot be loaded. That a verdict is not the one injected
/// is no error here: see [`Played::complaints`].
pub fn play(
    scenario: &'static Scenario,
    family: Family,
    state_hook: StateHookChoice,
    stop: &Arc<AtomicBool>,
) -> Result<Option<Played>, DemoError> {
    Ready::make(scenario, family, state_hook)?.play_seen(stop)
}

/// So long, in nanoseconds, the first sequence number of a fresh socket falls into the receive window of
/// the connection before it on the same 4-tuple: 65,535 numbers, one each 64 ns (`secure_tcp_seq`).
const LEFTOVER_MEETS: u64 = 65_535 * 64;

/// How often a scenario is played at most until it has come about and the kernel has shown all of it.
const MOST: u32 = 4;

impl Ready {
    /// Builds the lab and loads the hooks.
    pub(super) fn make(
        scenario: &'static Scenario,
        family: Family,
        state_hook: StateHookChoice,
    ) -> Result<Self, DemoError> {
        let began = Instant::now();
        let stage = Stage::set(scenario, family, state_hook)?;
        let tracing = session::trace(stage.plan())?;
        Ok(Self { scenario, family, stage, tracing, began })
    }

    /// Plays, and plays once more, in a new lab, where something is not as injected and it did not come
    /// about, or events were lost: what was not seen proves nothing.
    pub(super) fn play_seen(self, stop: &Arc<AtomicBool>) -> Result<Option<Played>, DemoError> {
        let (scenario, family) = (self.scenario, self.family);
        let state_hook = self.stage.plan().state_hook;
        let mut ready = self;
        let mut in_vain = 0;
        loop {
            let Some(played) = ready.play(stop)? else { return Ok(None) };
            let played = Played { in_vain, ..played };
            in_vain += 1;
            if played.counts() || played.complaints().is_empty() || in_vain == MOST {
                return Ok(Some(played));
            }
            ready = Self::make(scenario, family, state_hook)?;
        }
    }

    /// Probes, and asks the witnesses.
    fn play(self, stop: &Arc<AtomicBool>) -> Result<Option<Played>, DemoError> {
        let stage = self.stage;
        let plan = stage.plan();
        let capabilities = self.tracing.0.capabilities().clone();
        let mut probes = Collected::default();
        // Only fresh sockets depend on when the next SYN leaves.
        let _undisturbed = plan.settings.socket.fresh_sockets.then(Undisturbed::begin);
        let outcome = session::run(plan, Some(self.tracing), stop, || (), &mut probes)
            .map_err(|source| DemoError::Run { operation: "probe", source })?;
        let took = self.began.elapsed();
        if outcome.ended.interrupted {
            return Ok(None);
        }
        Ok(Some(Played {
            scenario: self.scenario,
            family: self.family,
            target: plan.targets[0].clone(),
            probes: probes.in_order(),
            hits: stage.hits()?,
            accepted: stage.accepted()?,
            witness: stage.witness()?,
            events_lost: outcome.ended.events_lost,
            capabilities,
            in_vain: 0,
            took,
        }))
    }
}

/// Keeps all probes of a run; a scenario has few.
#[derive(Default)]
struct Collected(Vec<Judged>);

impl Output for Collected {
    fn probe(&mut self, probe: Judged) -> io::Result<()> {
        self.0.push(probe);
        Ok(())
    }

    fn tick(&mut self, _: &[Arc<Gauges>]) -> io::Result<()> {
        Ok(())
    }
}

impl Collected {
    /// By their starts; a probe that got no slot comes after one of the same moment that did.
    fn in_order(mut self) -> Vec<ExplainedProbe> {
        self.0.retain(|judged| judged.timeline.probe.confirms.is_none());
        self.0.sort_by_key(|judged| (judged.timeline.probe.started_at, judged.timeline.probe.id));
        self.0.into_iter().map(explain::explain).collect()
    }
}
