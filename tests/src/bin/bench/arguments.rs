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
}

/// How much of everything.
#[derive(Clone, Debug)]
pub(crate) struct Effort {
    pub(crate) mode: &'static str,
    /// Rounds of the contest.
    pub(crate) rounds: usize,
    /// Probes of each contestant and thread in each round.
    pub(crate) probes: u64,
    /// The agent's settle window in the contest.
    pub(crate) settle: Duration,
    /// Pairs of slices with and without the agent.
    pub(crate) pairs: usize,
    pub(crate) slice: Duration,
    /// Probes whose handshake time is compared.
    pub(crate) captured: u64,
    pub(crate) targets: &'static [u32],
    /// Time between two probes of one target where memory is measured.
    pub(crate) round_trip: Duration,
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
    slice: Duration::from_millis(300),
    captured: 20_000,
    targets: &[1_000, 10_000, 100_000],
    round_trip: Duration::from_secs(10),
};

const QUICK: Effort = Effort {
    mode: "quick",
    rounds: 2,
    probes: 50_000,
    settle: Duration::from_millis(1200),
    pairs: 5,
    slice: Duration::from_millis(200),
    captured: 5_000,
    targets: &[1_000, 10_000, 100_000],
    round_trip: Duration::from_secs(2),
};

const SMOKE: Effort = Effort {
    mode: "smoke",
    rounds: 1,
    probes: 500,
    settle: Duration::from_millis(50),
    pairs: 1,
    slice: Duration::from_millis(20),
    captured: 200,
    targets: &[10],
    round_trip: Duration::from_millis(200),
};
