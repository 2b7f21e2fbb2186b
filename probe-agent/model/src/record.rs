//! What the engine knows of a probe when it has ended.

use std::fmt;

use probe_agent_common::{FlowKey, SlotRecord};

use super::{outcome::Outcome, target::TargetId};

/// Names one probe for ever: a slot and how many probes it had run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProbeId {
    /// The slot.
    pub slot: u32,
    /// Counts from 1.
    pub generation: u32,
}

impl fmt::Display for ProbeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.slot, self.generation)
    }
}

/// How the agent's end was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Closing {
    /// In `ESTABLISHED`: the kernel was told to send a RST.
    Reset,
    /// In `SYN_SENT`: nothing is sent, so a server whose SYN-ACK was lost keeps waiting.
    Silent,
    /// The kernel had closed it already (refused, unreachable) or it never opened.
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

/// Whether the ACK guard stood while a probe ran.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum HalfOpen {
    /// It did: a bare ACK of the probe's socket did not leave this host.
    Enforced,
    /// It did not: nothing but the speed of the close kept the handshake half-open.
    #[default]
    NotEnforced,
}

impl HalfOpen {
    /// The stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Enforced => "enforced",
            Self::NotEnforced => "not_enforced",
        }
    }
}

/// Which hook told a probe's changes of state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum StateHook {
    /// The tracepoint, which every socket of the host passes.
    #[default]
    Tracepoint,
    /// The program on the agent's cgroup.
    SockOps,
}

impl StateHook {
    /// The kernel's name of it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tracepoint => "inet_sock_set_state",
            Self::SockOps => "sock_ops",
        }
    }
}

/// What `TCP_INFO` said just before the close; read only where no kernel events are to be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpInfo {
    /// `tcpi_total_retrans`: times that the SYN was sent again.
    pub retransmits: u32,
}

/// One probe, as the engine saw it end. Times are nanoseconds of `CLOCK_MONOTONIC`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeRecord {
    /// Its name.
    pub id: ProbeId,
    /// What was probed.
    pub target: TargetId,
    /// Its 4-tuple.
    pub flow: FlowKey,
    /// How it ended.
    pub outcome: Outcome,
    /// The `errno` of a failure; 0 where there is none.
    pub errno: i32,
    /// How the agent's end was closed.
    pub closing: Closing,
    /// Just before `connect()`.
    pub started_at: u64,
    /// Just after the disconnect.
    pub ended_at: u64,
    /// When userspace learnt of the answer (with the wake-up's delay); 0 without an answer.
    pub answered_at: u64,
    /// The kernel's own record; `None` without tracing, for a `connect()` that failed at once, and where
    /// no hook heard of the socket.
    pub kernel: Option<SlotRecord>,
    /// Which hook told it.
    pub state_hook: StateHook,
    /// Read only without tracing.
    pub tcp_info: Option<TcpInfo>,
    /// The first probe of a new socket: its initial sequence number is not moved past the
    /// previous probe's window (see path C).
    pub fresh_socket: bool,
    /// The 4-tuple was used again before its settle window had passed.
    pub early_reuse: bool,
    /// Whether an ACK that would have completed the handshake could have left.
    pub half_open: HalfOpen,
    /// The probe whose refusal this one was to decide about (path C).
    pub confirms: Option<ProbeId>,
}

impl ProbeRecord {
    /// Nanoseconds from SYN to SYN-ACK, by the kernel's clock where it was traced.
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

    /// Whether its SYN left without any hook having heard of it. Of a `connect()` that failed at once
    /// there is nothing to hear; one that was refused had left.
    #[must_use]
    pub fn is_unobserved(&self) -> bool {
        let left = self.closing != Closing::ByKernel || self.outcome == Outcome::Refused;
        self.kernel.is_none() && left
    }

    /// When the SYN left, by the kernel's clock where it was traced.
    #[must_use]
    pub fn syn_at(&self) -> u64 {
        self.kernel.map(|k| k.syn_sent_at).filter(|at| *at != 0).unwrap_or(self.started_at)
    }

    /// When the agent's end was closed, by the kernel's clock where it was traced.
    #[must_use]
    pub fn closed_at(&self) -> u64 {
        self.kernel.map(|k| k.closed_at).filter(|at| *at != 0).unwrap_or(self.ended_at)
    }

    /// Whether the kernel's record lacks a transition that there must have been: the hook was
    /// skipped.
    #[must_use]
    pub fn has_gap(&self) -> bool {
        self.kernel.is_some_and(|k| {
            k.closed_at == 0 || (self.outcome == Outcome::Alive && k.established_at == 0)
        })
    }

    /// When the RST of the close was generated; `None` where the close sent none.
    #[must_use]
    pub fn rst_at(&self) -> Option<u64> {
        (self.closing == Closing::Reset).then(|| {
            self.kernel.map(|k| k.rst_sent_at).filter(|at| *at != 0).unwrap_or(self.ended_at)
        })
    }
}
