//! The result of one scenario.

use std::time::Duration;

use super::scenario::{Scenario, ServerCounts};
use explain::ExplainedProbe;
use lab::Family;
use model::{capability::Capabilities, target::Target};

/// A scenario that ran to its end.
#[derive(Debug)]
pub struct ScenarioResult {
    /// The scenario.
    pub(crate) scenario: &'static Scenario,
    /// Over which addresses.
    pub(crate) family: Family,
    /// What was probed.
    pub(crate) target: Target,
    /// The probes, in the order of their starts, without the confirmation probes.
    pub probes: Vec<ExplainedProbe>,
    /// How many segments nftables counted for each fault.
    pub(crate) hits: Vec<u64>,
    /// How many connections the server's application was given.
    pub(crate) accepted: usize,
    /// What the server's kernel counted.
    pub(crate) server_counts: ServerCounts,
    /// Kernel events that were lost.
    pub(crate) events_lost: u64,
    /// What the kernel and the privileges made possible.
    pub(crate) capabilities: Capabilities,
    /// How often it ran before without a usable result: the kernel had skipped a hook, or this host had
    /// stood still.
    pub(crate) retries: u32,
    /// From the making of the lab to the last verdict.
    pub(crate) took: Duration,
    /// What is not as injected, a line for each; empty where all is.
    pub mismatches: Vec<String>,
    /// What was injected and cannot be seen here, a line for each, with the reason.
    pub limits: Vec<String>,
}

/// How long, in nanoseconds, the first sequence number of a fresh socket falls into the receive window of
/// the connection before it on the same 4-tuple: at most 65,535 numbers, one each 64 ns
/// (`secure_tcp_seq`). The number is made a little after the SYN is noted, so some are left out.
const STALE_WINDOW_NS: u64 = 60_000 * 64;

impl ScenarioResult {
    /// Whether its verdicts mean anything: no event was lost, and everything was injected.
    pub(super) fn is_usable(&self) -> bool {
        self.events_lost == 0 && self.late_by_ns().is_none()
    }

    /// How long after the one before it a SYN left that was to leave at once, where the time between two
    /// SYNs decides and was too long.
    pub(super) fn late_by_ns(&self) -> Option<u64> {
        if !self.scenario.probing.fresh_sockets {
            return None;
        }
        let starts = self.probes.iter().map(|p| p.timeline.probe.syn_at());
        let between =
            starts.clone().zip(starts.skip(1)).map(|(one, next)| next.saturating_sub(one));
        between.filter(|ns| *ns > STALE_WINDOW_NS).max()
    }
}
