//! What each hook costs, as the kernel counts it (`BPF_ENABLE_STATS`): time and runs of each program, for
//! events of probes and for events of unrelated connections.
//!
//! The kernel reads its clock before and after each run; the figure includes part of that.

mod programs;

use report::stats::RunCounts;
use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use anyhow::Result;
use aya::sys::{Stats, enable_stats};
use engine::session;
use kernel::state_hook::StateHookChoice;
use probe_agent_tests::run;
use serde::Serialize;

use self::programs::{Count, Programs};
use crate::{
    agent::{self, Variant},
    arguments::Effort,
    median::{Spread, spread},
    target::Target,
    unrelated::load::{Kind, Load},
};

/// What one program costs.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Cost {
    pub(crate) tracepoints: &'static str,
    pub(crate) program: &'static str,
    /// Runs per probe.
    pub(crate) per_probe: f64,
    /// Nanoseconds per event of a probe; `None` if a clean probe has none.
    pub(crate) matching_ns: Option<Spread>,
    /// Nanoseconds per event of an unrelated connection; `None` if there was none.
    pub(crate) other_ns: Option<Spread>,
}

/// Programs that ran fewer times in a round are left out.
const ENOUGH: u64 = 100;

pub(crate) fn measure(effort: &Effort) -> Result<Vec<Cost>> {
    let mut all = Vec::new();
    for (choice, name) in [(StateHookChoice::Auto, "auto"), (StateHookChoice::Raw, "raw")] {
        let rounds = (0..effort.rounds.min(7)).map(|_| round(effort, choice));
        let rounds = rounds.collect::<Result<Vec<_>>>()?;
        let Some(first) = rounds.first() else { continue };
        for (at, program) in first.iter().enumerate() {
            let of = |count: fn(&Round) -> Count| {
                let ns = rounds.iter().filter_map(|round| count(&round[at]).mean(ENOUGH));
                let ns: Vec<f64> = ns.collect();
                (!ns.is_empty()).then(|| spread(ns))
            };
            let cost = Cost {
                tracepoints: name,
                program: program.program,
                per_probe: program.matching.runs as f64 / effort.probes as f64,
                matching_ns: of(|round| round.matching),
                other_ns: of(|round| round.other),
            };
            let median = |s: Option<Spread>| s.map_or(f64::NAN, |s| s.median);
            let (matching, other) = (median(cost.matching_ns), median(cost.other_ns));
            eprintln!("{:<28} matching {matching:>5.0} ns, other {other:>5.0} ns", cost.program);
            all.push(cost);
        }
    }
    Ok(all)
}

/// What one program did in one round.
struct Round {
    program: &'static str,
    matching: Count,
    other: Count,
}

fn round(effort: &Effort, choice: StateHookChoice) -> Result<Vec<Round>> {
    let target = Target::listen()?;
    let whole = Variant::whole(Duration::from_millis(50));
    let variant = Variant { tracepoints: Some(choice), ..whole };
    let plan = agent::plan(target.address(), effort.probes, 1, &variant);
    let tracing = session::trace(&plan)?;
    // Keeps the programs loaded after the run.
    let tracer = Arc::clone(&tracing.0);
    let programs = Programs::of(&tracer)?;
    let _stats = enable_stats(Stats::RunTime)?;
    // The guard sees this load too: this process is in its cgroup now.
    let mut load = Load::new()?;
    let before = programs.count()?;
    for kind in [Kind::Connections, Kind::Resets] {
        load.work(kind, effort.slice)?;
    }
    let between = programs.count()?;
    session::run(
        &plan,
        Some(tracing),
        &Arc::<AtomicBool>::default(),
        || RunCounts::new(plan.targets.len()),
        &mut run::discard(),
    )?
    .complete()?;
    let after = programs.count()?;
    let rounds = programs.names().enumerate().map(|(at, program)| Round {
        program,
        other: between[at] - before[at],
        matching: after[at] - between[at],
    });
    Ok(rounds.collect())
}
