//! Everything that was measured, and the targets.

use serde::Serialize;

use crate::{
    accuracy::Accuracy,
    arguments::Effort,
    command::{self, JSONL, TABLE},
    cost::Cost,
    deadline::Deadline,
    latency::Difference,
    machine,
    median::Spread,
    memory::Memory,
    stealth::Stealth,
    targets::Fleet,
    throughput::{AGENT, Figures},
    unrelated::{NGINX, SlowDown},
};

/// The content of `results.json`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Results {
    pub(crate) mode: &'static str,
    pub(crate) rounds: usize,
    /// Probes of each candidate and thread in a round.
    pub(crate) probes: u64,
    pub(crate) machine: machine::Report,
    pub(crate) targets: Vec<Goal>,
    pub(crate) throughput: Vec<Figures>,
    pub(crate) command: Vec<command::Figures>,
    pub(crate) cost: Vec<Cost>,
    pub(crate) unrelated: Vec<SlowDown>,
    pub(crate) latency: Vec<Difference>,
    pub(crate) memory: Vec<Memory>,
    pub(crate) stealth: Vec<Stealth>,
    pub(crate) accuracy: Vec<Accuracy>,
    pub(crate) deadline: Vec<Deadline>,
    pub(crate) fleets: Vec<Fleet>,
}

/// A target, and whether it is met.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Goal {
    pub(crate) name: String,
    pub(crate) measured: Spread,
    pub(crate) limit: f64,
    /// The measured figure may not be below the limit; otherwise not above.
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
            command: Vec::new(),
            cost: Vec::new(),
            unrelated: Vec::new(),
            latency: Vec::new(),
            memory: Vec::new(),
            stealth: Vec::new(),
            accuracy: Vec::new(),
            deadline: Vec::new(),
            fleets: Vec::new(),
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
            goals.push(Goal::new(name, agent.over_floor, 1.25, false));
            if let Some(scaling) = agent.over_one_thread {
                goals.push(Goal::new("throughput of two workers over one", scaling, 1.8, true));
            }
        }
        self.judge_commands(&mut goals);
        // The programs on the cgroup never see the events of others.
        let others =
            self.cost.iter().filter(|c| !matches!(c.program, "ack_guard" | "probe_sock_ops"));
        let dearest = others
            .filter_map(|c| c.other_ns.map(|ns| (c.program, ns)))
            .max_by(|a, b| a.1.median.total_cmp(&b.1.median));
        if let Some((program, ns)) = dearest {
            let name = format!("event of others in ns, dearest program ({program})");
            goals.push(Goal::new(name, ns, 100.0, false));
        }
        for slow_down in
            self.unrelated.iter().filter(|s| s.tracepoints == "auto" && s.load == NGINX)
        {
            let name = format!("slow-down of unrelated {} in %", slow_down.load);
            goals.push(Goal::new(name, slow_down.percent, 2.0, false));
        }
        self.judge_figures(&mut goals);
        self.targets = goals;
    }

    fn judge_commands(&self, goals: &mut Vec<Goal>) {
        for (name, faster, cheaper) in [(TABLE, 4.0, Some(3.0)), (JSONL, 3.0, None)] {
            let Some(run) = self.command.iter().find(|run| run.name == name) else { continue };
            let what = format!("usual design over `{name}`, wall clock");
            goals.push(Goal::new(what, run.faster, faster, true));
            if let Some(cheaper) = cheaper {
                let what = format!("usual design over `{name}`, CPU time");
                goals.push(Goal::new(what, run.cheaper, cheaper, true));
            }
        }
    }

    /// The targets for single counts and extremes, which are no medians of rounds.
    fn judge_figures(&self, goals: &mut Vec<Goal>) {
        for run in &self.stealth {
            let loss = run.loss_percent;
            let (name, limit) = match run.ack_guard {
                true => (
                    format!("accepted at {loss} % SYN-ACK loss, {} busy loops", run.busy_loops),
                    0.0,
                ),
                false => (format!("control: accepted at {loss} % loss without the ACK guard"), 1.0),
            };
            goals.push(Goal::new(name, Spread::one(run.accepted as f64), limit, !run.ack_guard));
        }
        for run in &self.accuracy {
            let name = "lost RSTs reported minus dropped, beyond events_lost";
            goals.push(Goal::new(name, Spread::one(run.unaccounted as f64), 0.0, false));
            let name = format!("probes/s of {} workers while RSTs are dropped", run.workers);
            goals.push(Goal::new(name, Spread::one(run.per_second), 100_000.0, true));
        }
        for run in &self.deadline {
            let (settle, busy) = (run.settle_seconds, run.busy_loops);
            let load = if busy > 0 { format!(", {busy} busy loops") } else { String::new() };
            let name = format!("latest timeout of 1 s in s, settle {settle} s{load}");
            goals.push(Goal::new(name, Spread::one(run.max), 1.05, false));
        }
        if let Some(fleet) = self.fleets.last() {
            let targets = fleet.targets;
            let name = format!("resident at {targets} targets in MiB");
            goals.push(Goal::new(
                name,
                Spread::one(fleet.resident_kib as f64 / 1024.0),
                100.0,
                false,
            ));
            let name =
                format!("CPU per probe at {targets} targets over {}", self.fleets[0].targets);
            goals.push(Goal::new(name, fleet.over_few, 1.2, false));
        }
    }
}
