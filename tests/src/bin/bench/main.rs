//! `cargo xtask bench`: throughput and CPU time per probe, beside two baselines in the same run.
//!
//! The machine may be shared and noisy, so figures of different contestants are taken in turns and
//! compared as ratios; the median of the rounds counts.

mod agent;
mod contest;
mod fresh;
mod recycled;
mod target;

use anyhow::Result;

use crate::contest::{Contestant, contest};

/// Rounds of the contest; odd, so that there is a median.
const ROUNDS: usize = 5;

/// Probes of each contestant in each round.
const PROBES: u64 = 200_000;

fn main() -> Result<()> {
    let rounds = argument(1).unwrap_or(ROUNDS as u64) as usize;
    let probes = argument(2).unwrap_or(PROBES);
    let threads = argument(3).unwrap_or(1) as u32;
    // Mounts tracefs privately where the host has none, before there are other threads.
    let _ = probe_agent::trace::tracefs::find();
    let target = target::Target::listen()?;
    let address = target.address();
    let contestants = [
        Contestant::new("bare syscalls, recycled socket", move || {
            recycled::run(address, probes, threads)
        }),
        Contestant::new("fresh socket per probe, epoll", move || {
            fresh::run(address, probes, threads)
        }),
        Contestant::new("probe-agent, no tracing", move || {
            agent::run(address, probes, threads, false)
        }),
        Contestant::new("probe-agent, tracing on", move || {
            agent::run(address, probes, threads, true)
        }),
    ];
    let results = contest(&contestants, rounds, probes)?;
    println!("\n{:<34} {:>10} {:>12} {:>8}", "", "probes/s", "CPU/probe", "ratio");
    let floor = results[0].cpu_ns;
    for result in &results {
        println!(
            "{:<34} {:>10.0} {:>9.2} us {:>8.2}",
            result.name,
            result.per_second,
            result.cpu_ns / 1e3,
            result.cpu_ns / floor
        );
    }
    Ok(())
}

/// A number of the command line.
fn argument(place: usize) -> Option<u64> {
    std::env::args().nth(place)?.parse().ok()
}
