//! Probes on overloaded processors: how many connections the server's application gets.

use std::time::Duration;

use lab::{Family, Fault, LabBuilder, Segment};
use report::summary::Summary;

use crate::{busy::Busy, plan, run};

/// Enough for every handshake of the run: otherwise the server would answer with SYN cookies.
const BACKLOG: u16 = 16_384;

/// How the processors are overloaded, and how it is probed meanwhile.
#[derive(Clone, Copy, Debug)]
pub struct Overload {
    /// Over which addresses.
    pub family: Family,
    /// How many probes.
    pub probes: u64,
    /// How many of them are in flight at once.
    pub in_flight: usize,
    /// How long late events of each are waited for.
    pub settle: Duration,
    /// Busy loops on each processor.
    pub busy: usize,
    /// Whether ACKs are held back.
    pub ack_guard: bool,
    /// SYN-ACKs that are dropped at random, in per cent.
    pub loss_percent: u8,
}

/// What the agent and the server counted.
#[derive(Debug)]
pub struct Outcome {
    /// The agent's summary.
    pub summary: Summary,
    /// Connections that the server's application was given.
    pub accepted: u64,
    /// SYN-ACKs that nftables dropped.
    pub synacks_dropped: u64,
    /// Busy loops on all processors together.
    pub busy_loops: usize,
}

impl Overload {
    /// Probes a real server in a lab.
    ///
    /// # Errors
    /// If the lab cannot be made, the hooks cannot be loaded, or anything but a probe fails.
    pub fn run(&self) -> anyhow::Result<Outcome> {
        let backlog = BACKLOG.to_string();
        let mut lab = LabBuilder::new(self.family)
            .backlog(BACKLOG)
            .server_sysctl("net.core.somaxconn", &backlog)
            .server_sysctl("net.ipv4.tcp_max_syn_backlog", &backlog);
        if self.loss_percent > 0 {
            lab = lab.fault(Fault::lost(Segment::SynAck).percent(self.loss_percent));
        }
        let lab = lab.build()?;
        let mut plan = plan::in_lab(lab.lab(), lab.address(), self.probes)?;
        plan.settings.concurrency = self.in_flight;
        plan.settings.settle = self.settle;
        plan.ack_guard = self.ack_guard;
        let busy = Busy::on_each_cpu(self.busy)?;
        let summary = run::traced(&plan, &mut run::discard())?;
        Ok(Outcome {
            summary,
            synacks_dropped: lab.hits()?.iter().sum(),
            accepted: lab.accepted()? as u64,
            busy_loops: busy.loops(),
        })
    }
}
