//! The command line, and the size of each measurement.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Parser, ValueEnum};

/// Measures throughput, CPU time, latency error, memory, and the cost per event and for other connections
#[derive(Debug, Parser)]
pub(crate) struct Arguments {
    /// Few rounds: under two minutes
    #[arg(long, conflicts_with = "smoke")]
    quick: bool,

    /// Only checks that everything still runs; the figures mean nothing
    #[arg(long)]
    smoke: bool,

    /// Number of rounds, instead of that of the mode
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    rounds: Option<u32>,

    /// Run only these parts
    #[arg(long, value_name = "PART", value_delimiter = ',')]
    only: Vec<Part>,

    /// Write results.json, results.md and the plots into this directory
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,

    /// Be the usual design, and probe this address
    #[arg(long, hide = true, value_name = "ADDRESS", requires = "probes")]
    usual_design: Option<SocketAddr>,

    /// The number of probes of the usual design
    #[arg(long, hide = true, value_name = "N")]
    probes: Option<u64>,
}

/// A part of the benchmark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Throughput and CPU time per probe
    Throughput,
    /// Wall clock and CPU time of whole commands
    Command,
    /// Cost of each hook per event
    Cost,
    /// Cost for unrelated connections
    Unrelated,
    /// Handshake times compared with a packet capture
    Latency,
    /// Resident memory
    Memory,
    /// Connections that a server accepts while the processors are overloaded
    Stealth,
    /// Reported lost RSTs compared with dropped ones, at full speed
    Accuracy,
    /// How late timeouts are with many probes in flight
    Deadline,
    /// Cost and memory of many targets at the same total rate
    Targets,
}

/// The size of each measurement.
#[derive(Clone, Debug)]
pub(crate) struct Effort {
    pub(crate) mode: &'static str,
    /// Rounds of the comparison.
    pub(crate) rounds: usize,
    /// Probes of each candidate and thread in each round.
    pub(crate) probes: u64,
    /// Probes of each whole command.
    pub(crate) command_probes: u64,
    /// The agent's settle window, unless that is what is measured.
    pub(crate) settle: Duration,
    /// Pairs of slices with and without the agent.
    pub(crate) pairs: usize,
    /// The same for the load that the target is defined for.
    pub(crate) nginx_pairs: usize,
    pub(crate) slice: Duration,
    /// Probes whose handshake time is compared.
    pub(crate) captured_probes: u64,
    pub(crate) targets: &'static [u32],
    /// Interval of each target where memory is measured.
    pub(crate) memory_interval: Duration,
    /// Probes on overloaded processors, and how many of them are in flight.
    pub(crate) stealth: (u64, usize),
    /// Busy loops on each processor meanwhile.
    pub(crate) busy_loops: usize,
    /// Probes at full speed, some of whose RSTs are dropped.
    pub(crate) accuracy_probes: u64,
    /// Probes in flight that get no answer, and how often each of their slots is used.
    pub(crate) unanswered: (usize, u64),
    /// Settle window in seconds and busy loops on each processor, for each run of them.
    pub(crate) deadline_cases: &'static [(u64, usize)],
    /// Numbers of targets that are probed at the same rate.
    pub(crate) fleets: &'static [u32],
    /// That rate, in probes per second.
    pub(crate) fleet_rate: u32,
    /// For how long their cost is measured.
    pub(crate) fleet_slice: Duration,
}

impl Arguments {
    pub(crate) fn wants(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }

    /// What is to be probed, and how often, by a process that is to be the usual design.
    pub(crate) fn usual_design(&self) -> Option<(SocketAddr, u64)> {
        self.usual_design.zip(self.probes)
    }

    pub(crate) fn effort(&self) -> Effort {
        let mut effort = if self.smoke {
            SMOKE
        } else if self.quick {
            QUICK
        } else {
            FULL
        };
        effort.rounds = self.rounds.map_or(effort.rounds, |rounds| rounds as usize);
        effort
    }
}

const FULL: Effort = Effort {
    mode: "full",
    rounds: 9,
    probes: 100_000,
    command_probes: 1_000_000,
    settle: Duration::from_millis(1200),
    pairs: 21,
    nginx_pairs: 101,
    slice: Duration::from_millis(300),
    captured_probes: 20_000,
    targets: &[1_000, 10_000, 100_000],
    memory_interval: Duration::from_secs(10),
    stealth: (30_000, 5_000),
    busy_loops: 4,
    accuracy_probes: 1_000_000,
    unanswered: (15_000, 3),
    deadline_cases: &[(2, 0), (0, 0), (2, 2), (0, 2)],
    fleets: &[10, 1_000, 100_000],
    fleet_rate: 10_000,
    fleet_slice: Duration::from_secs(10),
};

const QUICK: Effort = Effort {
    mode: "quick",
    rounds: 2,
    probes: 50_000,
    command_probes: 200_000,
    settle: Duration::from_millis(1200),
    pairs: 5,
    nginx_pairs: 31,
    slice: Duration::from_millis(200),
    captured_probes: 5_000,
    targets: &[1_000, 10_000, 100_000],
    memory_interval: Duration::from_secs(2),
    stealth: (30_000, 5_000),
    busy_loops: 4,
    accuracy_probes: 200_000,
    unanswered: (15_000, 3),
    deadline_cases: &[(2, 0), (0, 0), (2, 2), (0, 2)],
    fleets: &[10, 100_000],
    fleet_rate: 10_000,
    fleet_slice: Duration::from_secs(5),
};

const SMOKE: Effort = Effort {
    mode: "smoke",
    rounds: 1,
    probes: 500,
    command_probes: 500,
    settle: Duration::from_millis(50),
    pairs: 1,
    nginx_pairs: 1,
    slice: Duration::from_millis(20),
    captured_probes: 200,
    targets: &[10],
    memory_interval: Duration::from_millis(200),
    stealth: (1_000, 500),
    busy_loops: 1,
    accuracy_probes: 2_000,
    unanswered: (180, 1),
    deadline_cases: &[(0, 0)],
    fleets: &[10, 100],
    fleet_rate: 1_000,
    fleet_slice: Duration::from_millis(300),
};
