//! The command line, and how much of everything it asks for.

use std::{path::PathBuf, time::Duration};

use clap::{Parser, ValueEnum};

/// Measures throughput, CPU time, latency error, memory, cost per event and what others lose.
#[derive(Debug, Parser)]
pub(crate) struct Arguments {
    /// Few rounds: under two minutes
    #[arg(long, conflicts_with = "smoke")]
    quick: bool,

    /// Just enough to show that everything still runs; the figures mean nothing
    #[arg(long)]
    smoke: bool,

    /// Rounds, in place of what the mode says
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    rounds: Option<u32>,

    /// Only these parts
    #[arg(long, value_name = "PART", value_delimiter = ',')]
    only: Vec<Part>,

    /// Write results.json, results.md and the plots into this directory
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}

/// A part of the benchmark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Throughput and CPU time per probe
    Throughput,
    /// Cost of each hook per event
    Cost,
    /// What unrelated connections lose
    Unrelated,
    /// Handshake times against a packet capture
    Latency,
    /// Resident memory
    Memory,
    /// Connections that a server accepts while the processors are overrun
    Stealth,
    /// Lost RSTs told against those dropped, at full speed
    Accuracy,
    /// How late timeouts come with many probes in flight
    Deadline,
    /// Cost and memory of many targets at the same total rate
    Targets,
}

/// How much of everything.
#[derive(Clone, Debug)]
pub(crate) struct Effort {
    pub(crate) mode: &'static str,
    /// Rounds of the contest.
    pub(crate) rounds: usize,
    /// Probes of each contestant and thread in each round.
    pub(crate) probes: u64,
    /// The agent's settle window where it is not what is measured.
    pub(crate) settle: Duration,
    /// Pairs of slices with and without the agent.
    pub(crate) pairs: usize,
    /// The same of the load that the target is about.
    pub(crate) promised_pairs: usize,
    pub(crate) slice: Duration,
    /// Probes whose handshake time is compared.
    pub(crate) captured: u64,
    pub(crate) targets: &'static [u32],
    /// Time between two probes of one target where memory is measured.
    pub(crate) round_trip: Duration,
    /// Probes of a server on overrun processors, and how many of them are in flight.
    pub(crate) hidden: (u64, usize),
    /// Busy loops on each processor meanwhile.
    pub(crate) busy: usize,
    /// Probes at full speed of which some RSTs are dropped.
    pub(crate) counted: u64,
    /// Probes in flight whose timeouts are watched, and how often each of their slots is used.
    pub(crate) silent: (usize, u64),
    /// Settle windows in seconds, and busy loops on each processor, with which they are.
    pub(crate) silences: &'static [(u64, usize)],
    /// Numbers of targets that are probed at the same rate.
    pub(crate) fleets: &'static [u32],
    /// That rate, in probes per second.
    pub(crate) fleet_rate: u32,
    /// For how long their cost is taken.
    pub(crate) fleet_slice: Duration,
}

impl Arguments {
    pub(crate) fn wants(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
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
    settle: Duration::from_millis(1200),
    pairs: 21,
    promised_pairs: 101,
    slice: Duration::from_millis(300),
    captured: 20_000,
    targets: &[1_000, 10_000, 100_000],
    round_trip: Duration::from_secs(10),
    hidden: (30_000, 5_000),
    busy: 4,
    counted: 1_000_000,
    silent: (15_000, 3),
    silences: &[(2, 0), (0, 0), (2, 2), (0, 2)],
    fleets: &[10, 1_000, 100_000],
    fleet_rate: 10_000,
    fleet_slice: Duration::from_secs(10),
};

const QUICK: Effort = Effort {
    mode: "quick",
    rounds: 2,
    probes: 50_000,
    settle: Duration::from_millis(1200),
    pairs: 5,
    promised_pairs: 31,
    slice: Duration::from_millis(200),
    captured: 5_000,
    targets: &[1_000, 10_000, 100_000],
    round_trip: Duration::from_secs(2),
    hidden: (30_000, 5_000),
    busy: 4,
    counted: 200_000,
    silent: (15_000, 3),
    silences: &[(2, 0), (0, 0), (2, 2), (0, 2)],
    fleets: &[10, 100_000],
    fleet_rate: 10_000,
    fleet_slice: Duration::from_secs(5),
};

const SMOKE: Effort = Effort {
    mode: "smoke",
    rounds: 1,
    probes: 500,
    settle: Duration::from_millis(50),
    pairs: 1,
    promised_pairs: 1,
    slice: Duration::from_millis(20),
    captured: 200,
    targets: &[10],
    round_trip: Duration::from_millis(200),
    hidden: (1_000, 500),
    busy: 1,
    counted: 2_000,
    silent: (180, 1),
    silences: &[(0, 0)],
    fleets: &[10, 100],
    fleet_rate: 1_000,
    fleet_slice: Duration::from_millis(300),
};
