//! Runs one scenario.

use std::{
    io,
    sync::{Arc, atomic::AtomicBool},
    time::Instant,
};

use super::{
    background::Background,
    compare,
    error::DemoError,
    lab_setup::{FirstPort, LabSetup},
    result::ScenarioResult,
    scenario::Scenario,
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

/// A scenario whose lab is set up and whose hooks are loaded.
pub(super) struct Prepared {
    scenario: &'static Scenario,
    family: Family,
    first_port: FirstPort,
    setup: LabSetup,
    tracing: (Arc<Tracer>, Rings),
    began: Instant,
}

/// How often a scenario runs at most until its result is usable.
const MOST_RUNS: u32 = 6;

impl Prepared {
    /// Builds the lab and loads the hooks.
    pub(super) fn new(
        scenario: &'static Scenario,
        family: Family,
        state_hook: StateHookChoice,
        first_port: FirstPort,
    ) -> Result<Self, DemoError> {
        let began = Instant::now();
        let setup = LabSetup::new(scenario, family, state_hook, first_port)?;
        let tracing = session::trace(setup.plan())?;
        Ok(Self { scenario, family, first_port, setup, tracing, began })
    }

    /// Runs it; `None` if `stop` ended it early. Where something is not as injected and the result is not
    /// usable, it runs once more, in a new lab.
    ///
    /// That a verdict is not the one injected is no error: see [`ScenarioResult::mismatches`] and
    /// [`ScenarioResult::limits`].
    pub(super) fn run(
        self,
        background: Option<&Background<'_>>,
        stop: &Arc<AtomicBool>,
    ) -> Result<Option<ScenarioResult>, DemoError> {
        let (scenario, family, first_port) = (self.scenario, self.family, self.first_port);
        let state_hook = self.setup.plan().state_hook;
        let mut prepared = self;
        let mut retries = 0;
        // What was claimed falsely stays false, in a run that is repeated as well.
        let mut false_claims = Vec::new();
        loop {
            let Some(mut result) = prepared.run_once(background, stop)? else { return Ok(None) };
            result.retries = retries;
            let found = compare::differences(&result);
            (result.mismatches, result.limits) = (found.mismatches, found.limits);
            retries += 1;
            let is_as_injected = result.mismatches.is_empty() && result.limits.is_empty();
            if result.is_usable() || is_as_injected || retries == MOST_RUNS {
                result.mismatches.append(&mut false_claims);
                return Ok(Some(result));
            }
            false_claims.extend(compare::false_claims(&result));
            prepared = Self::new(scenario, family, state_hook, first_port)?;
        }
    }

    /// Probes, then reads what nftables and the server's kernel counted.
    fn run_once(
        self,
        background: Option<&Background<'_>>,
        stop: &Arc<AtomicBool>,
    ) -> Result<Option<ScenarioResult>, DemoError> {
        let setup = self.setup;
        let plan = setup.plan();
        let capabilities = self.tracing.0.capabilities().clone();
        let mut recorder = Recorder::default();
        let others = background.map(|start| start(setup.probed(self.scenario)));
        // Only fresh sockets depend on when the next SYN leaves.
        let _undisturbed = plan.settings.socket.fresh_sockets.then(Undisturbed::begin);
        let outcome = session::run(plan, Some(self.tracing), stop, || (), &mut recorder)
            .and_then(session::RunResult::complete)
            .map_err(|source| DemoError::Run { operation: "probe", source })?;
        let took = self.began.elapsed();
        // What they still do would be counted as the probes' own.
        drop(others);
        if outcome.ended.interrupted {
            return Ok(None);
        }
        Ok(Some(ScenarioResult {
            scenario: self.scenario,
            family: self.family,
            target: plan.targets[0].clone(),
            probes: recorder.in_order(),
            hits: setup.hits()?,
            accepted: setup.accepted()?,
            server_counts: setup.server_counts()?,
            server_rsts: setup.server_rsts()?,
            events_lost: outcome.ended.events_lost,
            capabilities,
            retries: 0,
            took,
            mismatches: Vec::new(),
            limits: Vec::new(),
        }))
    }
}

/// Records all probes of a run; a scenario has few.
#[derive(Default)]
struct Recorder(Vec<Judged>);

impl Output for Recorder {
    fn probe(&mut self, probe: Judged) -> io::Result<()> {
        self.0.push(probe);
        Ok(())
    }

    fn tick(&mut self, _: &[Arc<Gauges>]) -> io::Result<()> {
        Ok(())
    }
}

impl Recorder {
    /// By their starts. A probe without a slot comes after one of the same time that has a slot.
    fn in_order(mut self) -> Vec<ExplainedProbe> {
        self.0.retain(|judged| judged.timeline.probe.confirms.is_none());
        self.0.sort_by_key(|judged| (judged.timeline.probe.started_at, judged.timeline.probe.id));
        self.0.into_iter().map(explain::explain).collect()
    }
}
