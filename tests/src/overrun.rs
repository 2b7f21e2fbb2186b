//! Probes on processors that are overrun: what the server's application hears of them.

use std::time::Duration;

use lab::{Family, Fault, Lab, Listener, ListenerOptions, Segment};
use report::summary::Summary;

use crate::{
    busy::Busy,
    plan,
    run::{self, Nobody},
};

/// Lets the server keep every handshake of the run, so that none is answered by a SYN cookie.
const BACKLOG: u16 = 16_384;

/// How it is made hard.
#[derive(Clone, Copy, Debug)]
pub struct Overrun {
    /// Over which addresses.
    pub family: Family,
    /// How many probes.
    pub probes: u64,
    /// How many of them in flight at a time.
    pub in_flight: usize,
    /// How long each is followed.
    pub settle: Duration,
    /// Loops that never wait, on each processor.
    pub busy: usize,
    /// Whether ACKs are held back.
    pub ack_guard: bool,
    /// SYN-ACKs that are dropped at random, in per cent.
    pub loss_percent: u8,
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    /// What the agent says.
    pub summary: Summary,
    /// Connections that the server's application was given.
    pub accepted: u64,
    /// SYN-ACKs that nftables dropped.
    pub synacks_dropped: u64,
    /// Busy loops on all processors together.
    pub busy_loops: usize,
}

impl Overrun {
    /// Probes a real server in a lab.
    ///
    /// # Errors
    /// If the lab cannot be made, the hooks cannot be loaded, or anything but a probe fails.
    pub fn run(&self) -> anyhow::Result<Outcome> {
        let lab = Lab::new()?;
        for name in ["net.core.somaxconn", "net.ipv4.tcp_max_syn_backlog"] {
            lab.server().sysctl(name, &BACKLOG.to_string())?;
        }
        let at = (lab.server_address(self.family), 0).into();
        let listener = Listener::open(lab.server(), &ListenerOptions::at(at).backlog(BACKLOG))?;
        let fault = Fault::lost(Segment::SynAck).percent(self.loss_percent);
        let fault = (self.loss_percent > 0).then(|| lab.inject(&fault)).transpose()?;
        let mut plan = plan::as_check(&lab, listener.address(), self.probes)?;
        plan.settings.concurrency = self.in_flight;
        plan.settings.settle = self.settle;
        plan.ack_guard = self.ack_guard;
        let busy = Busy::on_each_cpu(self.busy)?;
        let summary = run::traced(&plan, &mut Nobody)?;
        lab.settle()?;
        Ok(Outcome {
            summary,
            accepted: listener.accepted()? as u64,
            synacks_dropped: fault.map_or(Ok(0), |fault| fault.clear())?,
            busy_loops: busy.loops(),
        })
    }
}
