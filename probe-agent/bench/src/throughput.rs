//! Probes per second and CPU time per probe: the agent, complete and with parts disabled, and two
//! baselines, on one thread and on two.

use anyhow::Result;
use kernel::state_hook::StateHookChoice;
use serde::Serialize;

use crate::{
    agent::{self, Variant},
    arguments::Effort,
    comparison::{Candidate, Sample, compare},
    floor, fresh,
    median::{Spread, spread},
    target::Target,
};

/// The names, which the ratios refer to.
pub(crate) const FLOOR: &str = "bare system calls";
pub(crate) const FRESH: &str = "fresh socket, epoll";
pub(crate) const AGENT: &str = "probe-agent";
pub(crate) const UNTRACED: &str = "without tracing";
const NO_GUARD: &str = "without ACK guard";
const RAW: &str = "raw tracepoints for states, too";
const NO_SETTLE: &str = "settle window 0";
const MORE_SLOTS: &str = "1,024 source ports";
const MANY_SLOTS: &str = "8,192 source ports";

/// Source ports that `check` uses by default.
const DEFAULT_SLOTS: u32 = 8_192;

/// The figures of a candidate.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Figures {
    pub(crate) name: &'static str,
    pub(crate) threads: u32,
    /// Probes per second, excluding the time that its threads waited for a CPU.
    pub(crate) per_second: Spread,
    /// Probes per second of wall clock.
    pub(crate) wall_per_second: Spread,
    /// CPU time per probe, in nanoseconds.
    pub(crate) cpu_ns: Spread,
    /// CPU time, as a multiple of the floor's at as many threads in the same round.
    pub(crate) over_floor: Spread,
    /// Throughput, as a multiple of the fresh sockets' at as many threads in the same round.
    pub(crate) over_fresh: Spread,
    /// Throughput, as a multiple of its own on one thread in the same round.
    pub(crate) over_one_thread: Option<Spread>,
    /// Share of probes whose verdict was confirmed.
    pub(crate) confirmed: Option<Spread>,
}

pub(crate) fn measure(effort: &Effort) -> Result<Vec<Figures>> {
    let target = Target::listen()?;
    let candidates = candidates(&target, effort);
    let samples = compare(&candidates, effort.rounds, effort.probes)?;
    Ok(figures(&candidates, &samples))
}

fn candidates(target: &Target, effort: &Effort) -> Vec<Candidate> {
    let address = target.address();
    let whole = Variant::whole(effort.settle);
    let agent = |name, threads, variant: Variant| {
        Candidate::new(name, threads, move |probes, threads| {
            agent::run(address, probes, threads, &variant)
        })
    };
    let both = [1, 2].into_iter().flat_map(|threads| {
        [
            Candidate::new(FLOOR, threads, move |n, threads| floor::run(address, n, threads)),
            agent(AGENT, threads, whole),
            Candidate::new(FRESH, threads, move |n, threads| fresh::run(address, n, threads)),
        ]
    });
    let parts = [
        agent(UNTRACED, 1, Variant { tracepoints: None, ..whole }),
        agent(NO_GUARD, 1, Variant { ack_guard: false, ..whole }),
        agent(NO_SETTLE, 1, Variant { settle: std::time::Duration::ZERO, ..whole }),
        agent(RAW, 1, Variant { tracepoints: Some(StateHookChoice::Raw), ..whole }),
        agent(MORE_SLOTS, 1, Variant { slots: 1_024, ..whole }),
        agent(MORE_SLOTS, 2, Variant { slots: 1_024, ..whole }),
        agent(MANY_SLOTS, 1, Variant { slots: DEFAULT_SLOTS, ..whole }),
    ];
    both.chain(parts).collect()
}

fn figures(candidates: &[Candidate], samples: &[Vec<Sample>]) -> Vec<Figures> {
    let of = |name, threads| {
        let at = candidates.iter().position(|c| c.name == name && c.threads == threads);
        at.map(|at| samples[at].as_slice()).unwrap_or_default()
    };
    let all = candidates.iter().zip(samples);
    all.map(|(candidate, mine)| {
        let Candidate { name, threads, .. } = *candidate;
        let floor = of(FLOOR, threads).iter();
        let fresh = of(FRESH, threads).iter();
        let single = of(name, 1);
        Figures {
            name,
            threads,
            per_second: spread(mine.iter().map(|s| s.net_per_second)),
            wall_per_second: spread(mine.iter().map(|s| s.per_second)),
            cpu_ns: spread(mine.iter().map(|s| s.cpu_ns)),
            over_floor: spread(mine.iter().zip(floor).map(|(a, b)| a.cpu_ns / b.cpu_ns)),
            over_fresh: spread(
                mine.iter().zip(fresh).map(|(a, b)| a.net_per_second / b.net_per_second),
            ),
            over_one_thread: (threads > 1).then(|| {
                spread(mine.iter().zip(single).map(|(a, b)| a.net_per_second / b.net_per_second))
            }),
            confirmed: mine.iter().map(|s| s.confirmed).collect::<Option<Vec<_>>>().map(spread),
        }
    })
    .collect()
}
