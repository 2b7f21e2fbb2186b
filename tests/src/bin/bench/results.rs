//! Everything that was measured, and the targets beside it.

use serde::Serialize;

use crate::{
    arguments::Effort,
    cost::Cost,
    latency::Difference,
    machine,
    median::Spread,
    memory::Memory,
    throughput::{AGENT, Figures},
    unrelated::{NGINX, SlowDown},
};

/// What `results.json` holds.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Results {
    pub(crate) mode: &'static str,
    pub(crate) rounds: usize,
    /// Probes of each contestant and thread in a round.
    pub(crate) probes: u64,
    pub(crate) machine: machine::Report,
    pub(crate) targets: Vec<Goal>,
    pub(crate) throughput: Vec<Figures>,
    pub(crate) cost: Vec<Cost>,
    pub(crate) unrelated: Vec<SlowDown>,
    pub(crate) latency: Vec<Difference>,
    pub(crate) memory: Vec<Memory>,
}

/// A target, and whether it holds.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Goal {
    pub(crate) name: String,
    pub(crate) measured: Spread,
    pub(crate) limit: f64,
    /// The measured figure may not be below the limit; else, not above.
    pub(crate) at_least: bool,
    pub(crate) holds: bool,
}

impl Goal {
    fn new(name: impl Into<String>, measured: Spread, limit: f64, at_least: bool) -> Self {
        let holds = if at_least { measured.median >= limit } else { measured.median <= limit };
        Self { name: name.into(), measured, limit, at_least, holds }
    }
}

impl Results {
    pub(crate) fn new(effort: &Effort) -> Self {
        Self {
            mode: effort.mode,
            rounds: effort.rounds,
            probes: effort.probes,
            machine: machine::Report::default(),
            targets: Vec::new(),
            throughput: Vec::new(),
            cost: Vec::new(),
            unrelated: Vec::new(),
            latency: Vec::new(),
            memory: Vec::new(),
        }
    }

    /// Compares what was measured with the targets.
    pub(crate) fn judge(&mut self) {
        let mut goals = Vec::new();
        for agent in self.throughput.iter().filter(|f| f.name == AGENT) {
            let threads = if agent.threads == 1 { "1 thread" } else { "2 threads" };
            let name = format!("throughput over fresh sockets, {threads}");
            goals.push(Goal::new(name, agent.over_fresh, 1.5, true));
            let name = format!("CPU per probe over bare system calls, {threads}");
            goals.push(Goal::new(name, agent.over_floor, 1.4, false));
            if let Some(scaling) = agent.over_one_thread {
                goals.push(Goal::new("throughput of two workers over one", scaling, 1.8, true));
            }
        }
        // Raw tracepoints are what the agent uses wherever it can.
        // The guard sees the packets of the agent's own cgroup alone, never those of others.
        let raw = self.cost.iter().filter(|c| c.tracepoints == "raw");
        let others = raw.filter(|c| c.program != "ack_guard");
        let dearest = others
            .filter_map(|c| c.other_ns.map(|ns| (c.program, ns)))
            .max_by(|a, b| a.1.median.total_cmp(&b.1.median));
        if let Some((program, ns)) = dearest {
            let name = format!("event of others in ns, dearest program ({program})");
            goals.push(Goal::new(name, ns, 100.0, false));
        }
        for slow_down in self.unrelated.iter().filter(|s| s.tracepoints == "raw" && s.load == NGINX)
        {
            let name = format!("slow-down of unrelated {} in %", slow_down.load);
            goals.push(Goal::new(name, slow_down.percent, 2.0, false));
        }
        self.targets = goals;
    }
}
