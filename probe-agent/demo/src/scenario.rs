//! What a scenario is made of.

use std::{ops::RangeInclusive, time::Duration};

use engine::settings::PortPolicy;
use lab::Fault;
use model::{
    outcome::Outcome,
    verdict::{Proof, Verdict},
};

/// One way in which half-open probes can go: what is done to them, and what must be reported.
#[derive(Debug)]
pub struct Scenario {
    /// The stable name.
    pub name: &'static str,
    /// What happens, in one line.
    pub title: &'static str,
    /// What the network or a firewall does.
    pub(crate) injected: &'static [Injection],
    /// Kernel parameters of the server's namespace.
    pub(crate) server_sysctls: &'static [(&'static str, &'static str)],
    /// What is at the target's address.
    pub(crate) target: TargetKind,
    /// What is wrong with this host, if anything.
    pub(crate) host_fault: HostFault,
    /// How it is probed.
    pub(crate) probing: Probing,
    /// What must be reported of each probe, in the order of their starts.
    pub(crate) expected: &'static [Expected],
    /// What the server's kernel must count, independently of the agent.
    pub(crate) server_counts: ServerCounts,
}

/// A fault, and how often it must have happened.
#[derive(Clone, Debug)]
pub(crate) struct Injection {
    /// The fault.
    pub(crate) fault: Fault,
    /// How many segments nftables must have counted, no more and no less.
    pub(crate) hits: RangeInclusive<u64>,
}

/// What is at the target's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TargetKind {
    /// A server that accepts every connection.
    Server,
    /// Nothing listens on that port.
    ClosedPort,
}

/// What is wrong with the host that probes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HostFault {
    /// Nothing.
    None,
    /// Another socket has the source port.
    PortTaken,
    /// The source address is another host's.
    ForeignSource,
}

/// How to probe: the engine's settings that differ between scenarios.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Probing {
    /// Number of probes, started without a pause.
    pub(crate) count: u64,
    /// Probes in flight at a time.
    pub(crate) concurrency: usize,
    /// Slots, and as many source ports.
    pub(crate) slots: u16,
    /// When a port is used again.
    pub(crate) ports: PortPolicy,
    /// A new socket for each probe.
    pub(crate) fresh_sockets: bool,
    /// How long an answer is waited for.
    pub(crate) timeout: Duration,
    /// How long late events are waited for.
    pub(crate) settle: Duration,
}

/// What must be reported of one probe.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expected {
    /// What a health checker needs.
    pub(crate) outcome: Outcome,
    /// All verdicts, in order.
    pub(crate) verdicts: &'static [Verdict],
    /// The proof of each verdict.
    pub(crate) proof: Proof,
    /// Which probe of the scenario, counted from 0, the first verdict is linked to.
    pub(crate) about: Option<usize>,
    /// What the advice must name.
    pub(crate) advice: Option<&'static str>,
}

impl Expected {
    /// Confirmed verdicts on a probe.
    pub(crate) const fn new(outcome: Outcome, verdicts: &'static [Verdict]) -> Self {
        Self { outcome, verdicts, proof: Proof::Confirmed, about: None, advice: None }
    }

    /// The first verdict is about another probe, too.
    pub(crate) const fn about(self, probe: usize) -> Self {
        Self { about: Some(probe), ..self }
    }

    /// The advice names something.
    pub(crate) const fn advising(self, words: &'static str) -> Self {
        Self { advice: Some(words), ..self }
    }
}

/// What the server's kernel counted at the end. That it handed no connection to the application is
/// checked in every scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ServerCounts {
    /// Half-open connections that a RST ended (`TcpExtEmbryonicRsts`).
    pub(crate) resets: i64,
    /// Half-open connections that are left (`SYN_RECV`).
    pub(crate) half_open: usize,
}
