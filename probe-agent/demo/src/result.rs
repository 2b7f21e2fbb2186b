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
    /// How many RSTs the server's host sent.
    pub(crate) server_rsts: i64,
    /// Kernel events that were lost.
    pub(crate) events_lost: u64,
    /// What the kernel and the privileges made possible.
    pub(crate) capabilities: Capabilities,
    /// How often it ran before without a usable result: the kernel had skipped a hook, or this host had
    /// stood still.
    pub retries: u32,
    /// From the making of the lab to the last verdict.
    pub(crate) took: Duration,
    /// What is not as injected, a line for each; empty where all is.
    pub mismatches: Vec<String>,
    /// What was injected and cannot be seen here, a line for each, with the reason.
    pub limits: Vec<String>,
}

impl ScenarioResult {
    /// Whether its verdicts mean anything: no event was lost, and everything was injected.
    pub(super) fn is_usable(&self) -> bool {
        self.events_lost == 0 && self.is_injected()
    }

    /// Whether the second SYN of a fresh socket left in time to be reset. It must leave within 4.1 ms: for so
    /// long its first sequence number falls into the receive window of the connection before it on the same
    /// 4-tuple (at most 65,535 numbers, one each 64 ns; `secure_tcp_seq`). The server's own count says
    /// whether it did.
    pub(super) fn is_injected(&self) -> bool {
        !self.scenario.probing.fresh_sockets || self.server_rsts > 0
    }
}
