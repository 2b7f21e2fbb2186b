//! What the engine knows about a probe when it ends.

mod hooks;
mod host;

use std::{fmt, net::SocketAddr};

pub use self::{
    hooks::{HalfOpen, RstHooks, StateHook},
    host::{StartProblem, Translation},
};
use probe_agent_common::{FlowKey, SlotRecord};

use super::{flow, host_clues::HostClues, icmp::IcmpError, outcome::Outcome, target::TargetId};

/// Identifies one probe of a run: a slot, and the number of the probe within it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProbeId {
    /// The slot; see [`ProbeId::has_slot`].
    pub slot: u32,
    /// Counts from 1.
    pub generation: u32,
}

impl ProbeId {
    /// From here on, a slot number stands for a worker: each numbers its probes without a slot itself.
    const WITHOUT_SLOT: u32 = u32::MAX - 255;

    /// The id of a probe that got no slot, because this host refused it a socket or a port. No other probe of
    /// the run has it. `worker` is below 256; `generation` counts that worker's probes without a slot.
    #[must_use]
    pub const fn without_slot(worker: u32, generation: u32) -> Self {
        Self { slot: Self::WITHOUT_SLOT | (worker & 255), generation }
    }

    /// Whether the probe ran on a slot. Without one, its numbers mean nothing to a reader.
    #[must_use]
    pub const fn has_slot(self) -> bool {
        self.slot < Self::WITHOUT_SLOT
    }
}

/// `3.12`, or `-` if the probe got no slot.
impl fmt::Display for ProbeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.has_slot() {
            write!(f, "{}.{}", self.slot, self.generation)
        } else {
            f.write_str("-")
        }
    }
}

/// How the agent closed its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Closing {
    /// In `ESTABLISHED`: the kernel sent a RST.
    Reset,
    /// In `SYN_SENT`: nothing is sent, so a server whose SYN-ACK was lost stays in `SYN_RECV`.
    Silent,
    /// The kernel had already closed it (refused, unreachable), or it never opened.
    ByKernel,
}

impl Closing {
    /// Whether the server may still hold a half-open connection of the probe. Not after a refusal.
    #[must_use]
    pub const fn may_leave_connection(self) -> bool {
        match self {
            Self::Reset | Self::Silent => true,
            Self::ByKernel => false,
        }
    }
}

/// `TCP_INFO` just before the close. Read only if kernel events are not available.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpInfo {
    /// `tcpi_total_retrans`: how often the SYN was retransmitted.
    pub retransmits: u32,
}

/// One probe that has ended. Times are nanoseconds of `CLOCK_MONOTONIC`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeRecord {
    /// The probe.
    pub id: ProbeId,
    /// What was probed.
    pub target: TargetId,
    /// The 4-tuple.
    pub flow: FlowKey,
    /// How it ended.
    pub outcome: Outcome,
    /// The `errno` of a failure, else 0.
    pub errno: i32,
    /// How the agent closed its end.
    pub closing: Closing,
    /// Just before `connect()`.
    pub started_at: u64,
    /// Just after the disconnect.
    pub ended_at: u64,
    /// When userspace learned of the answer, wake-up delay included; 0 without an answer.
    pub answered_at: u64,
    /// The kernel's own record. `None` without tracing, for a `connect()` that failed at once, and if no
    /// hook observed the socket.
    pub kernel: Option<SlotRecord>,
    /// Which hook reported the state changes.
    pub state_hook: StateHook,
    /// Which hooks reported the RSTs.
    pub rst_hooks: RstHooks,
    /// Read only if there is no tracing.
    pub tcp_info: Option<TcpInfo>,
    /// The ICMP error that ended the probe, if one did.
    pub icmp: Option<IcmpError>,
    /// What on this host kept the probe from starting.
    pub start_problem: StartProblem,
    /// What on this host may have kept its SYN or the answer back; `None` if nothing was found, or it was
    /// answered at once.
    pub clues: Option<Box<HostClues>>,
    /// The address that `connect()` was given, if the kernel sent the SYN to another one, which is in
    /// `flow`: a program on the cgroup replaced it (`BPF_CGROUP_INET4_CONNECT`, `BPF_CGROUP_INET6_CONNECT`).
    pub redirected_from: Option<SocketAddr>,
    /// Where this host's own address translation sends the probes of the target, below the socket; `None` if it
    /// does not, or this is not known.
    pub translation: Option<Box<Translation>>,
    /// The first probe of a new socket, whose initial sequence number may fall into the previous
    /// connection's receive window (path C).
    pub fresh_socket: bool,
    /// The 4-tuple was reused before its settle window had passed.
    pub early_reuse: bool,
    /// Whether an ACK that would have completed the handshake could have left.
    pub half_open: HalfOpen,
    /// This is a confirmation probe: the probe whose refusal it checks (path C).
    pub confirms: Option<ProbeId>,
}

impl ProbeRecord {
    /// Nanoseconds from SYN to SYN-ACK, from kernel timestamps if the probe was traced.
    #[must_use]
    pub fn handshake_ns(&self) -> Option<u64> {
        if self.outcome != Outcome::Alive {
            return None;
        }
        match self.kernel {
            Some(k) if k.established_at != 0 && k.syn_sent_at != 0 => {
                Some(k.established_at.saturating_sub(k.syn_sent_at))
            }
            _ => Some(self.answered_at.saturating_sub(self.started_at)),
        }
    }

    /// Whether its SYN left although no hook observed the socket. A `connect()` that failed at once sent
    /// no SYN; a refused one did.
    #[must_use]
    pub fn is_unobserved(&self) -> bool {
        let left = self.closing != Closing::ByKernel || self.outcome == Outcome::Refused;
        self.kernel.is_none() && left
    }

    /// Whether an answer to its SYN may still come: not if the peer refused it, or if no SYN left. An ICMP error
    /// of a router ends it although another path may lead to the target.
    #[must_use]
    pub fn may_be_answered_late(&self) -> bool {
        let own = flow::local(&self.flow).ip();
        let by_router = self.icmp.is_some_and(|icmp| icmp.from != Some(own));
        self.closing != Closing::ByKernel || (self.outcome == Outcome::Unreachable && by_router)
    }

    /// Whether its SYN got no answer in time, or was sent again.
    #[must_use]
    pub fn lacked_an_answer(&self) -> bool {
        self.outcome == Outcome::TimedOut
            || self.kernel.is_some_and(|kernel| kernel.retransmits > 0)
            || self.tcp_info.is_some_and(|info| info.retransmits > 0)
    }

    /// When the SYN left, from kernel timestamps if the probe was traced.
    #[must_use]
    pub fn syn_at(&self) -> u64 {
        self.kernel.map(|k| k.syn_sent_at).filter(|at| *at != 0).unwrap_or(self.started_at)
    }

    /// When the agent closed its end, from kernel timestamps if the probe was traced.
    #[must_use]
    pub fn closed_at(&self) -> u64 {
        self.kernel.map(|k| k.closed_at).filter(|at| *at != 0).unwrap_or(self.ended_at)
    }

    /// Whether the kernel's record lacks a transition that must have occurred, because the kernel skipped
    /// the hook.
    #[must_use]
    pub fn has_gap(&self) -> bool {
        self.kernel.is_some_and(|k| {
            k.closed_at == 0 || (self.outcome == Outcome::Alive && k.established_at == 0)
        })
    }

    /// The 4-tuple that was asked for: that of `flow`, unless the kernel sent the SYN elsewhere.
    #[must_use]
    pub fn requested_flow(&self) -> FlowKey {
        match self.redirected_from {
            Some(remote) => flow::flow(flow::local(&self.flow), remote),
            None => self.flow,
        }
    }

    /// What an answer to the SYN acknowledges (RFC 9293, section 3.10.7.3); `None` if it is not known.
    #[must_use]
    pub fn syn_end(&self) -> Option<u32> {
        self.kernel.map(|k| k.syn_end).filter(|end| *end != 0)
    }

    /// The sequence number of the SYN-ACK that was accepted; `None` if there was none, or it is not known.
    #[must_use]
    pub fn synack_seq(&self) -> Option<u32> {
        let end = self.kernel.map(|k| k.synack_end).filter(|end| *end != 0)?;
        Some(end.wrapping_sub(1))
    }

    /// The round trip of the SYN that was answered, as the kernel measured it, in nanoseconds; `None` if it is
    /// not known, as after a SYN retransmit without TCP timestamps (Karn's algorithm, RFC 6298, section 3).
    #[must_use]
    pub fn round_trip_ns(&self) -> Option<u64> {
        self.kernel.map(|k| u64::from(k.round_trip) * 1_000).filter(|ns| *ns != 0)
    }

    /// Whether the SYN-ACK offered no window. A server that has a window of its own offers it at once; one
    /// that answers for another, such as a SYN proxy, does not know it yet (`nft_synproxy_eval_v4`).
    #[must_use]
    pub fn has_no_window(&self) -> bool {
        self.kernel.is_some_and(|k| k.synack_flags != 0 && k.synack_window == 0)
    }

    /// The kernel's name of the hook that reports retransmits of the probe's socket.
    #[must_use]
    pub const fn retransmit_hook(&self) -> &'static str {
        match self.state_hook {
            StateHook::Tracepoint => "tcp_retransmit_skb",
            StateHook::SockOps => "sock_ops",
        }
    }

    /// The kernel's name of the hook that reports the RST of the close.
    #[must_use]
    pub const fn close_hook(&self) -> &'static str {
        match self.rst_hooks {
            RstHooks::Tracepoint => "tcp_send_reset",
            RstHooks::Functions => "tcp_send_active_reset",
        }
    }

    /// The kernel's name of the hook that reports a RST that answers a segment of this flow.
    #[must_use]
    pub fn answer_hook(&self) -> &'static str {
        match (self.rst_hooks, flow::remote(&self.flow)) {
            (RstHooks::Tracepoint, _) => "tcp_send_reset",
            (RstHooks::Functions, SocketAddr::V4(_)) => "tcp_v4_send_reset",
            (RstHooks::Functions, SocketAddr::V6(_)) => "tcp_v6_send_reset",
        }
    }

    /// When the RST of the close was generated; `None` if the close sent none.
    #[must_use]
    pub fn rst_at(&self) -> Option<u64> {
        (self.closing == Closing::Reset).then(|| {
            self.kernel.map(|k| k.rst_sent_at).filter(|at| *at != 0).unwrap_or(self.ended_at)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::ProbeId;

    #[test]
    fn a_probe_without_a_slot_has_no_number() {
        assert_eq!(ProbeId { slot: 3, generation: 12 }.to_string(), "3.12");
        let without: Vec<_> = (0..256).map(|worker| ProbeId::without_slot(worker, 1)).collect();
        assert!(without.iter().all(|id| id.to_string() == "-"));
        assert!(without.is_sorted_by(|a, b| a < b), "each worker has its own");
    }
}
