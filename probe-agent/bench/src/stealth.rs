//! Whether a server's application ever gets a connection when the agent closes probes late.
//!
//! Busy loops on every processor make the agent wait for a CPU, and lost SYN-ACKs cause second copies,
//! which a kernel acknowledges at once. The last run is the control: without the ACK guard the same server
//! accepts connections, which shows that 0 is significant.

use anyhow::{Result, ensure};
use lab::Family;
use model::{outcome::Outcome, verdict::Verdict};
use probe_agent_tests::overload::{self, Overload};
use serde::Serialize;

use crate::arguments::Effort;

/// What the server counted in a run.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Stealth {
    /// Whether ACKs were held back.
    pub(crate) ack_guard: bool,
    /// SYN-ACKs dropped at random, in per cent, and their number.
    pub(crate) loss_percent: u8,
    pub(crate) synacks_dropped: u64,
    pub(crate) busy_loops: usize,
    pub(crate) probes: u64,
    pub(crate) in_flight: usize,
    pub(crate) alive: u64,
    /// Connections that the server's application was given.
    pub(crate) accepted: u64,
    /// ACKs that the guard held back.
    pub(crate) acks_held: u64,
    /// Probes with the verdict `ack_leaked`.
    pub(crate) leaks_reported: u64,
    /// How long the run took.
    pub(crate) seconds: f64,
}

/// SYN-ACKs that are lost, in per cent.
const LOSS: u8 = 20;

pub(crate) fn measure(effort: &Effort) -> Result<Vec<Stealth>> {
    [(true, 0), (true, LOSS), (false, LOSS)]
        .into_iter()
        .map(|(ack_guard, loss)| one(effort, ack_guard, loss))
        .collect()
}

fn one(effort: &Effort, ack_guard: bool, loss_percent: u8) -> Result<Stealth> {
    let (probes, in_flight) = effort.stealth;
    let overload = Overload {
        family: Family::V4,
        probes,
        in_flight,
        settle: effort.settle,
        busy: effort.busy_loops,
        ack_guard,
        loss_percent,
    };
    let overload::Outcome { summary, accepted, synacks_dropped, busy_loops } = overload.run()?;
    let stealth = Stealth {
        ack_guard,
        loss_percent,
        synacks_dropped,
        busy_loops,
        probes,
        in_flight,
        alive: summary.outcome(Outcome::Alive),
        accepted,
        acks_held: summary.acks_held,
        leaks_reported: summary.verdict(Verdict::AckLeaked),
        seconds: summary.duration_seconds,
    };
    ensure!(summary.probes == probes, "only {} of {probes} probes ended", summary.probes);
    let wanted = if ack_guard { "enforced" } else { "not_enforced" };
    ensure!(summary.half_open == wanted, "half open is {}", summary.half_open);
    eprintln!(
        "guard {ack_guard}, {loss_percent} % of SYN-ACKs lost: {} of {probes} accepted, {} held",
        accepted, summary.acks_held
    );
    Ok(stealth)
}
