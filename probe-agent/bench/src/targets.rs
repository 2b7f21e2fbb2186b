//! What many targets cost: the same total rate, spread over ever more of them.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use lab::Counters;
use serde::Serialize;

use crate::{
    arguments::Effort,
    child::Agent,
    median::{Spread, spread},
    target::Target,
    targets_file::TargetsFile,
};

/// What a fleet of targets costs.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Fleet {
    pub(crate) targets: u32,
    /// From one probe of a target to its next, in seconds.
    pub(crate) interval_seconds: f64,
    /// Probes per second.
    pub(crate) per_second: Spread,
    /// CPU time per probe of all threads, in nanoseconds; on loopback it includes the server's part.
    pub(crate) cpu_ns: Spread,
    /// The same as a multiple of that of the fewest targets in the same round.
    pub(crate) over_few: Spread,
    /// Resident memory, in KiB.
    pub(crate) resident_kib: u64,
}

/// The figures of a fleet in a round.
#[derive(Clone, Copy, Debug)]
struct Sample {
    per_second: f64,
    cpu_ns: f64,
    resident_kib: u64,
}

/// Until the hooks are attached and the settle window is full.
const WARM_UP: Duration = Duration::from_secs(3);

pub(crate) fn measure(effort: &Effort) -> Result<Vec<Fleet>> {
    let rounds = (0..effort.rounds.min(3)).map(|_| {
        effort.fleets.iter().map(|targets| one(*targets, effort)).collect::<Result<Vec<_>>>()
    });
    let rounds = rounds.collect::<Result<Vec<_>>>()?;
    let fleets = effort.fleets.iter().enumerate().map(|(at, targets)| {
        let of = |value: fn(&Sample) -> f64| spread(rounds.iter().map(|round| value(&round[at])));
        Fleet {
            targets: *targets,
            interval_seconds: interval(*targets, effort).as_secs_f64(),
            per_second: of(|sample| sample.per_second),
            cpu_ns: of(|sample| sample.cpu_ns),
            over_few: spread(rounds.iter().map(|round| round[at].cpu_ns / round[0].cpu_ns)),
            resident_kib: rounds.iter().map(|round| round[at].resident_kib).max().unwrap_or(0),
        }
    });
    Ok(fleets.collect())
}

fn interval(targets: u32, effort: &Effort) -> Duration {
    Duration::from_secs(1) * targets / effort.fleet_rate
}

fn one(targets: u32, effort: &Effort) -> Result<Sample> {
    let target = Target::listen_everywhere()?;
    let file = TargetsFile::write(targets, target.address().port())?;
    let each = interval(targets, effort);
    let agent = Agent::start_at(&file, each)?;
    // Until every target has been probed twice and those probes have settled.
    thread::sleep(each * 2 + WARM_UP.min(effort.fleet_slice));
    let before = Reading::now(&agent)?;
    thread::sleep(effort.fleet_slice);
    let after = Reading::now(&agent)?;
    let probes = after.opens - before.opens;
    let sample = Sample {
        per_second: probes / after.at.duration_since(before.at).as_secs_f64(),
        cpu_ns: (after.cpu_ns - before.cpu_ns) / probes,
        resident_kib: agent.size("VmRSS:")?,
    };
    eprintln!("{targets} targets: {sample:?}");
    Ok(sample)
}

/// What had been used at one time.
struct Reading {
    at: Instant,
    /// Connections that this namespace has opened; only the agent opens any.
    opens: f64,
    cpu_ns: f64,
}

impl Reading {
    fn now(agent: &Agent) -> Result<Self> {
        Ok(Self { at: Instant::now(), opens: active_opens()?, cpu_ns: agent.cpu_ns()? })
    }
}

/// Connections that the calling thread's network namespace has opened so far.
fn active_opens() -> Result<f64> {
    let opens = Counters::here()?.get("TcpActiveOpens");
    Ok(opens.context("the kernel counts TcpActiveOpens")? as f64)
}
